"""What a user asks of `read_table`, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from centroids.rows.errors import InputError

__all__ = ["MISSING_RULES", "Bad", "Missing", "ReadRequest"]

Missing = Literal["error", "drop", "keep"]
Bad = Literal["error", "keep"]
BAD_RULES = ("error", "keep")
MISSING_RULES = ("error", "drop", "keep")


@dataclass(frozen=True)
class ReadRequest:
    """The arguments of `read_table` that say which columns to use, and what to do about gaps."""

    columns: Sequence[str] | None = None
    truth: str | None = None
    weight: str | None = None
    missing: Missing = "error"
    leave_out: Sequence[str] = ()
    bad: Bad = "error"

    def __post_init__(self) -> None:
        if self.bad not in BAD_RULES:
            raise InputError(f"bad={self.bad!r}: use 'error' or 'keep'")
        if self.missing not in MISSING_RULES:
            raise InputError(f"missing={self.missing!r}: use 'error', 'drop' or 'keep'")
