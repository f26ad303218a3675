"""What leaves a command: JSON or words on stdout, progress on stderr, numbers in plain form."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

import centroids

__all__ = [
    "STDOUT",
    "Payload",
    "Work",
    "check_stdout",
    "collecting_warnings",
    "emit",
    "number",
    "place_of",
    "plain_console",
    "require_package",
    "tracked",
    "working",
]

STDOUT = Path("-")
MAX_WIDTH = 100  # longer lines of words are hard to read
T = TypeVar("T")
Payload = dict[str, Any]
"""The result of a command as plain data: everything that is printed, in words or as JSON."""


def emit(
    result: Payload,
    show: Callable[[Payload, Console], None],
    as_json: bool,
    table: Path | None = None,
) -> None:
    """Print a result, either as one JSON object or by `show`.

    Words go to stderr where a `table` was written to standard output.
    """
    if as_json:
        sys.stdout.write(json.dumps(result, allow_nan=False, indent=2) + "\n")
    else:
        show(result, plain_console(is_stderr=table == STDOUT))


def check_stdout(table: Path | None, option: str, as_json: bool) -> None:
    """Refuse to write a table and JSON to the same stream."""
    if table == STDOUT and as_json:
        raise centroids.InputError(
            f"{option} - and --json both write to standard output; name a file for the rows, or "
            "drop --json"
        )


def place_of(path: str) -> str:
    """Name an output in words."""
    return "standard output" if Path(path) == STDOUT else path


def plain_console(*, is_stderr: bool = False) -> Console:
    """Make a console for words: nothing in them is markup, and lines are not too long to read."""
    console = Console(stderr=is_stderr, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, MAX_WIDTH)
    return console


class Work:
    """Something that goes on and can tell how far it is; silent where nobody looks."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress, self._task = progress, task

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it."""
        return self._progress is not None

    def say(self, text: str, done: float | None = None, total: float | None = None) -> None:
        """Change the text, and how much is done of how much, where that is known."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=text, completed=done, total=total)


@contextmanager
def working(what: str, is_quiet: bool) -> Iterator[Work]:
    """Show on a terminal what is going on, since when and, if that is known, for how long still.

    Nothing is shown in a pipe or with ``--json``.
    """
    console = Console(stderr=True, markup=False)
    if is_quiet or not console.is_terminal:
        yield Work()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Work(progress, progress.add_task(what, total=None))


def tracked(steps: Sequence[T], what: str, is_quiet: bool) -> Iterator[T]:
    """Go through steps of about the same length, and show how far that is as `working` does."""
    with working(what, is_quiet) as work:
        for i, step in enumerate(steps):
            work.say(what, i, len(steps))
            yield step


def require_package(package: str, what: str) -> None:
    """Refuse before any work what would fail at its end for want of a package."""
    if find_spec(package) is None:
        raise centroids.MissingExtraError(f'{what} needs {package}: pip install "centroids[all]"')


@contextmanager
def collecting_warnings() -> Iterator[list[str]]:
    """Gather warnings as lines, for the result to carry, in place of scattering them on stderr."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Columns are matched by name where the file is read; estimators see arrays.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        yield notes
    for warning in caught:
        line = " ".join(str(warning.message).split())
        if line not in notes:
            notes.append(line)


def number(value: float) -> str:
    """Write a measured number: two decimals, or six significant digits if it is small."""
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.6g}"
