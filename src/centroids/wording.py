"""Numbers in sentences, and sentences that several parts of the package say."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["count", "percent", "renamed_columns", "rough_percent"]

MOST_RENAMED = 6


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number and its noun: 1 row, 2,000 rows."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def percent(share: float) -> str:
    """Write a share with as many decimals as keep it from reading as all or nothing."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    for decimals in (1, 2, 3, 4):
        text = f"{100 * share:.{decimals}f}"
        if float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "under 0.0001 %" if share < 0.5 else "over 99.9999 %"


def rough_percent(share: float) -> str:
    """Write a share in about two digits, never 0 or 100 where that is not the whole truth."""
    if not math.isfinite(share):
        return "–"
    value = 100 * share
    if 0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100:
        return "over 99.9 %"
    text = f"{value:.1f}" if value < 10 or 99 < value < 100 else f"{value:.0f}"
    return f"{text.removesuffix('.0')} %"


def renamed_columns(renamed: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Say which columns had the name of another one, as pairs (new, old), and what to do."""
    listed = [f'"{name}" (was "{original}")' for name, original in renamed[:MOST_RENAMED]]
    more = len(renamed) - MOST_RENAMED
    names = ", ".join(listed) + (f" and {more:,} more" if more > 0 else "")
    verb = "has" if len(renamed) == 1 else "have"
    return (
        f"{count(len(renamed), 'column')} {verb} the name of an earlier one, and a new name here: "
        f"{names}.",
        "Only their order in the file tells them apart; rename them there.",
    )
