"""Numbers in print: as many digits as a reader can use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["cell", "quantity", "shortened", "tick"]

MINUS = "\N{MINUS SIGN}"


def quantity(value: float, digits: int = 4) -> str:
    """Return a measured value with a few significant digits, without a bare exponent if short."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 9:
        text = f"{value:,.{max(0, digits - 1 - size)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.{digits - 1}e}"
    return text.replace("-", MINUS)


def cell(value: Any) -> str:
    """Return a value of the user's table as text."""
    if value is None:
        return "–"
    if isinstance(value, (float, np.floating)):
        return quantity(float(value), 5)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return f"{int(value):,}".replace("-", MINUS)
    return str(value)


def shortened(text: str, at_most: int = 40) -> str:
    """Return a text that fits along an axis."""
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


def tick(value: float) -> str:
    """Return a round value beside an axis: 1,000, 20 k, 3 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10 * size or (abs(value) >= size and unit != "k"):
            return f"{quantity(value / size)} {unit}"
    return quantity(value, 6)
