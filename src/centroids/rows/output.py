"""Files that are whole or not there.

Whatever the package writes goes through :func:`whole_file`: the bytes land in a temporary
file in the same folder, which takes the final name only when everything is in it. Standard output
gets nothing, either, before everything is there (:func:`whole_output`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from centroids.rows.errors import InputError

__all__ = ["STDOUT", "check_output", "whole_file", "whole_output"]

STDOUT = Path("-")


def check_output(path: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> Path:
    """Refuse a place that cannot be written to, before any work is done.

    Parameters
    ----------
    path : path-like
        The file to be written. One that exists already will be replaced.
    suffixes : sequence of str
        The suffixes allowed, such as ``(".csv", ".parquet")``; all when empty.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    InputError
        If the folder is missing or closed to us, if `path` is a folder or a device, or if
        its suffix is not one of `suffixes`.
    """
    path = Path(path)
    folder = path.parent
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(
            f"{path}: the suffix of an output file chooses its format; end it in "
            f"{_one_of(suffixes)}"
        )
    if not folder.is_dir():
        raise InputError(f"{path}: the folder {folder} does not exist; make it first")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        # Replacing /dev/null by a file would break the machine.
        raise InputError(f"{path} is not an ordinary file and will not be replaced")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{path}: no permission to write in the folder {folder}")
    return path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary path that becomes `path` when the block ends well.

    If the block raises (Ctrl-C included), nothing is left behind and a file that was at
    `path` before is as it was. A link is followed, so what it points to is replaced.
    """
    target = check_output(path).resolve()
    temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def whole_output(path: Path) -> Iterator[Path]:
    """As `whole_file`; what is written for ``-`` goes to standard output when the block ends."""
    if path != STDOUT:
        with whole_file(path) as temporary:
            yield temporary
        return
    with tempfile.TemporaryDirectory(prefix="centroids-") as folder:
        temporary = Path(folder, "standard output")
        yield temporary
        sys.stdout.flush()
        with temporary.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _one_of(suffixes: Sequence[str]) -> str:
    *first, last = suffixes
    return f"{', '.join(first)} or {last}" if first else last
