"""Where a table holds something that is not a finite number, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.errors import InputError
from centroids.rows.numbers import is_missing, is_number
from centroids.wording import count

__all__ = [
    "BadCell",
    "find_bad_cell",
    "first_bad_weight",
    "quoted",
    "refuse_bad_cell",
    "refuse_empty_truth",
    "refuse_not_positive",
]

BLOCK_CELLS = 1 << 20
MAX_TEXT = 30


@dataclass(frozen=True)
class BadCell:
    """The first cell, row by row, that is not a finite number.

    Attributes
    ----------
    row, column : int
        Its position, counted from 0.
    n_bad : int
        How many such cells there are in all.
    """

    row: int
    column: int
    n_bad: int


def find_bad_cell(X: NDArray[Any], *, may_miss: bool = False) -> BadCell | None:
    """Find the first NaN or infinity, looking at blocks so that no mask of all of `X` is made.

    With `may_miss`, NaN stands for a missing value and only infinity is bad.
    """
    first: tuple[int, int] | None = None
    n_bad = 0
    step = max(1, BLOCK_CELLS // X.shape[1])
    for start in range(0, X.shape[0], step):
        block = X[start : start + step]
        is_bad = np.isinf(block) if may_miss else ~np.isfinite(block)
        found = int(np.count_nonzero(is_bad))
        if found and first is None:
            row, column = divmod(int(np.argmax(is_bad)), X.shape[1])
            first = (start + row, column)
        n_bad += found
    return None if first is None else BadCell(*first, n_bad)


def refuse_bad_cell(
    place: tuple[Path, int], n_bad: int, name: str, text: str | None, decimal: str = "."
) -> None:
    """Raise the error for a cell that is no finite number.

    Parameters
    ----------
    place : tuple of Path and int
        The file, and the number of the row in it.
    n_bad : int
        How many such cells there are.
    name : str
        The column.
    text : str or None
        The cell as the file has it.
    decimal : {".", ","}
        The decimal sign of the column.
    """
    is_gap = is_missing(text)
    is_infinite = is_number(text or "", decimal)  # or it would not be here
    if text is None or not text.strip():
        what = "is empty"
    elif is_gap:
        what = f"holds {quoted(text)}, a missing value"
    elif is_infinite:
        what = f"holds {quoted(text)}, which is not a finite number"
    else:
        what = f"holds {quoted(text)}, which is not a number"
    others = f" ({count(n_bad - 1, 'more cell')} like it)" if n_bad > 1 else ""
    advice = "correct the cell, remove the row, or choose other columns with --columns"
    if is_gap:
        advice = "fill it in, choose other columns with --columns, or use --missing drop or impute"
    elif not is_infinite and is_number(text or "", "," if decimal == "." else "."):
        advice = f"if it is one, add --decimal {'comma' if decimal == '.' else 'point'}"
    raise InputError(
        f'{place[0]}: row {place[1]}, column "{name}" {what}{others}; {advice} (in Python, the '
        "arguments of read_table)"
    )


def refuse_not_positive(place: tuple[Path, int], n_bad: int, name: str, text: str) -> None:
    """Raise the error for a value that has no logarithm; arguments as of `refuse_bad_cell`."""
    others = f" ({count(n_bad - 1, 'more cell')} like it)" if n_bad > 1 else ""
    raise InputError(
        f'{place[0]}: row {place[1]}, column "{name}" holds {quoted(text)}, which is not above 0 '
        f"and has no logarithm{others}; correct the cell, leave such rows out with --where, or "
        "make a column ln(1 + x) of amounts that can be 0"
    )


def refuse_empty_truth(path: object, name: str | None, truth: NDArray[Any] | None) -> None:
    """Raise an error if no row has a known class."""
    if truth is None:
        return
    if truth.dtype == object:
        has_class = any(value is not None and str(value).strip() for value in truth)
    else:
        has_class = bool(np.any(truth == truth))  # NaN is not equal to itself
    if not has_class:
        raise InputError(f'{path}: column "{name}" holds no class in any row; choose another')


def shorten(text: str) -> str:
    """Cut a text so that it fits into a message of one line."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def quoted(text: str) -> str:
    """Shorten a text and put it between quotes."""
    return f'"{shorten(text)}"'


def first_bad_weight(weights: NDArray[Any]) -> int | None:
    """Return the first row whose weight is no number from 0 up."""
    is_bad = ~(np.isfinite(weights) & (weights >= 0))
    return int(np.argmax(is_bad)) if is_bad.any() else None
