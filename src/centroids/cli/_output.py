"""What leaves a command: JSON or words on stdout, progress on stderr, numbers in plain form."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

__all__ = [
    "Payload",
    "collecting_warnings",
    "emit",
    "number",
    "percent",
    "plural",
    "tracked",
    "working",
]

MAX_WIDTH = 100  # longer lines of words are hard to read
T = TypeVar("T")
Payload = dict[str, Any]
"""The result of a command as plain data: everything that is printed, in words or as JSON."""


def emit(result: Payload, show: Callable[[Payload, Console], None], as_json: bool) -> None:
    """Print a result, either as one JSON object or by `show`."""
    if as_json:
        sys.stdout.write(json.dumps(result, allow_nan=False, indent=2) + "\n")
        return
    console = Console(highlight=False, emoji=False, markup=False)
    console.width = min(console.width, MAX_WIDTH)
    show(result, console)


@contextmanager
def working(what: str, is_quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Show on a terminal that something is going on; show nothing in a pipe or with ``--json``.

    Yields a function that changes the text shown, or None where nothing is shown.
    """
    console = Console(stderr=True, markup=False)
    if is_quiet or not console.is_terminal:
        yield None
        return
    with console.status(what) as status:
        yield status.update


def tracked(steps: Sequence[T], what: str, is_quiet: bool) -> Iterator[T]:
    """Go through steps with a progress bar on a terminal; silently in a pipe or with ``--json``."""
    console = Console(stderr=True)
    if is_quiet or not console.is_terminal:
        return iter(steps)
    return iter(track(steps, description=what, console=console, transient=True))


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


def percent(share: float) -> str:
    """Write a share with as many decimals as keep it from reading as all or nothing."""
    for decimals in (1, 2, 3, 4):
        text = f"{100 * share:.{decimals}f}"
        if share in (0.0, 1.0) or float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "less than 0.0001 %" if share < 0.5 else "more than 99.9999 %"


def plural(count: int, singular: str, several: str | None = None) -> str:
    """Write a count and its noun."""
    return f"{count:,} {singular if count == 1 else several or singular + 's'}"
