"""Which columns of a table are used, and why the others are not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from centroids.rows.errors import InputError, UnknownColumnError

__all__ = ["did_you_mean", "find_columns", "split_columns"]

MAX_NAMES_SHOWN = 12


def split_columns(
    path: Path, names: Sequence[str], columns: Sequence[str] | None, truth: str | None
) -> tuple[list[int], int | None]:
    """Turn the names a user gave into positions.

    Returns
    -------
    features : list of int
        The columns asked for, in the order asked for; all but the truth if none were.
    truth_column : int or None
        The column of known classes.
    """
    truth_column = None if truth is None else find_columns(path, names, [truth])[0]
    if columns is None:
        others = [i for i in range(len(names)) if i != truth_column]
        if not others:
            raise InputError(f"{path} has no column besides the truth; there is nothing to cluster")
        return others, truth_column
    if truth is not None and truth in columns:
        raise InputError(f'column "{truth}" is named both as truth and as a feature; drop one')
    if not columns:
        raise InputError("no column is named; name at least one")
    return find_columns(path, names, columns), truth_column


def find_columns(path: Path, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Find the positions of columns; a name that is not there is an error with a suggestion."""
    position = {name: i for i, name in enumerate(names)}
    for i, name in enumerate(wanted):
        if name in wanted[:i]:
            raise InputError(f'column "{name}" is named twice; name it once')
        if name not in position:
            hint = did_you_mean(name, names) or "; choose another"
            message = f'{path} has no column "{name}"{hint} (it has {_listed(names)})'
            raise UnknownColumnError(name, message)
    return [position[name] for name in wanted]


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Suggest the nearest of `names`; nothing if none is near."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    return f'; did you mean "{lower[near[0]]}"?' if near else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES_SHOWN
    return ", ".join(names[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
