"""What a file of rows becomes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

__all__ = ["LeftOut", "Table"]


class LeftOut(NamedTuple):
    """A column that is not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file, ready to be clustered.

    Attributes
    ----------
    path : Path
        The file.
    X : ndarray of shape (n_samples, n_features)
        The features, C-contiguous and finite: float32 if all of them are float32 in a Parquet
        or ``.npy`` file, else float64. A ``.npy`` file used whole stays on disk (memory-mapped).
    columns : tuple of str, length n_features
        The names of the features.
    left_out : tuple of LeftOut
        The columns that are not used, each with the reason.
    truth : ndarray of shape (n_samples,) or None
        The known classes: numbers, or objects where None is a missing class.
    truth_name : str or None
        The column `truth` comes from.
    has_names : bool
        Whether the names stand in the file; if not, they count the columns (x1, x2, …).
    """

    path: Path
    X: NDArray[Any]
    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    truth: NDArray[Any] | None = None
    truth_name: str | None = None
    has_names: bool = True

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])
