"""Numbers in sentences: counts with their noun, shares in percent."""

from __future__ import annotations

__all__ = ["count", "percent"]


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number and its noun: 1 row, 2,000 rows."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def percent(share: float) -> str:
    """Write a share with as many decimals as keep it from reading as all or nothing."""
    for decimals in (1, 2, 3, 4):
        text = f"{100 * share:.{decimals}f}"
        if share in (0.0, 1.0) or float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "less than 0.0001 %" if share < 0.5 else "more than 99.9999 %"
