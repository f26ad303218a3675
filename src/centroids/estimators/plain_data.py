"""Which values are data that JSON or an array can hold, and which are not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["is_number_array", "is_plain", "to_plain"]


def is_number_array(value: Any) -> bool:
    """Whether a parameter, such as `init`, is an array or a list of numbers."""
    if not isinstance(value, (np.ndarray, list, tuple)):
        return False
    try:
        return np.asarray(value).dtype.kind in "fiu"
    except ValueError:  # rows of different lengths
        return False


def is_plain(value: Any) -> bool:
    """Whether JSON can hold a value."""
    if isinstance(value, (float, np.floating)):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, str, np.bool_, np.integer))


def to_plain(value: Any) -> Any:
    """Turn a value for which `is_plain` holds into Python's own types."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value
