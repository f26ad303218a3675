"""Numbers as texts: with a decimal point or a decimal comma, in Python and in SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MISSING_MARKERS", "find_decimal", "is_missing", "is_number", "number_sql"]

MISSING_MARKERS = frozenset({"", "na", "n/a", "nan", "null", "none", "missing", "?", "-", "."})

WITH_COMMA = re.compile(r"\s*[+-]?(\d{1,3}(\.\d{3})+|\d+)?,\d+([eE][+-]?\d+)?\s*")
WITH_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")
# 1,234 and 1.234: a fraction, or thousands; it says nothing about the decimal sign
COULD_BE_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*\s*")
THOUSANDS = r"\s*[+-]?\d{1,3}(\.\d{3})+(,\d+)?\s*"


def is_missing(cell: str | None) -> bool:
    """Whether a cell is empty or holds one of the usual words for "not known"."""
    return cell is None or cell.strip().lower() in MISSING_MARKERS


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether the text of a cell reads as a number."""
    if decimal == ",":
        if "." in cell:
            return re.fullmatch(THOUSANDS, cell) is not None
        cell = cell.replace(",", ".")
    try:
        float(cell)
    except ValueError:
        return False
    return True


def number_sql(text: str, decimal: str) -> str:
    """Write SQL for a column of texts as numbers; NULL where a text is none."""
    # A bare TRY_CAST is moved into the CSV reader by DuckDB 2.0, where it does not try.
    text = f"nullif({text}, '')"
    if decimal == ".":
        return f"TRY_CAST({text} AS DOUBLE)"
    return (
        f"TRY_CAST(CASE WHEN NOT contains({text}, '.') THEN replace({text}, ',', '.') "
        f"WHEN regexp_full_match({text}, '{THOUSANDS}') "
        f"THEN replace(replace({text}, '.', ''), ',', '.') END AS DOUBLE)"
    )


def find_decimal(cells: Iterable[str]) -> tuple[str | None, bool]:
    """Tell the decimal sign of a column.

    Returns
    -------
    decimal : {".", ","} or None
        The sign, from cells that can have only one meaning; None if there is no such cell. A
        column that has both signs gets the point, so that its commas are found to be no numbers.
    has_commas : bool
        Whether there are numbers such as 1,234, which can have two meanings.
    """
    has_comma = has_doubt = False
    for cell in cells:
        if COULD_BE_THOUSANDS.fullmatch(cell):
            has_doubt = has_doubt or "," in cell
        elif WITH_POINT.fullmatch(cell):
            return ".", has_doubt
        else:
            has_comma = has_comma or WITH_COMMA.fullmatch(cell) is not None
    return "," if has_comma else None, has_doubt
