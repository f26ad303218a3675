"""What a file of rows becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids.rows.source import Source

__all__ = ["BadCells", "LeftOut", "Renamed", "Table"]


class LeftOut(NamedTuple):
    """A column that is not used, and why."""

    name: str
    reason: str


class Renamed(NamedTuple):
    """A column that had the name of an earlier one: its new name, and the one in the file."""

    name: str
    original: str


class BadCells(NamedTuple):
    """What stands in a column of numbers and is no finite number: how often, and the first one."""

    name: str
    n_cells: int
    example: str
    place: str


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of files, ready to be clustered.

    Attributes
    ----------
    source : Source
        The files, for messages and to be read again.
    X : ndarray of shape (n_samples, n_features)
        The features, C-contiguous: float32 if all of them are float32 in a Parquet or ``.npy``
        file, else float64. NaN where a value is missing and ``missing="keep"`` was asked for;
        finite otherwise. A ``.npy`` file used whole stays on disk (memory-mapped).
    columns : tuple of str, length n_features
        The names of the features.
    left_out : tuple of LeftOut
        The columns that are not used, each with the reason.
    truth : ndarray of shape (n_samples,) or None
        The known classes: numbers, or objects where None is a missing class.
    truth_name : str or None
        The column `truth` comes from.
    sample_weight : ndarray of shape (n_samples,) or None
        The weights of the rows.
    weight_name : str or None
        The column `sample_weight` comes from.
    has_names : bool
        Whether the names stand in the file; if not, they count the columns (x1, x2, …).
    renamed : tuple of Renamed
        The columns of a CSV or Parquet file that had the name of an earlier one.
    n_missing : tuple of int, length n_features
        How many values each feature lacks among the rows read.
    bad_cells : tuple of BadCells
        Cells that are neither numbers nor missing, column by column, where ``bad="keep"`` was
        asked for; they are NaN in `X` and counted in `n_missing`.
    rows : ndarray of shape (n_samples,) or None
        Positions of the rows of `X` among the rows read; None if all of them are there.
    n_rows : int
        How many rows were read: those that fulfil `where`, the dropped ones included.
    n_rows_in_files : int
        How many rows the files have.
    """

    source: Source
    X: NDArray[Any]
    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    truth: NDArray[Any] | None = None
    truth_name: str | None = None
    sample_weight: NDArray[np.float64] | None = None
    weight_name: str | None = None
    has_names: bool = True
    renamed: tuple[Renamed, ...] = ()
    n_missing: tuple[int, ...] = ()
    bad_cells: tuple[BadCells, ...] = ()
    rows: NDArray[np.intp] | None = None
    n_rows: int = 0
    n_rows_in_files: int = 0

    @property
    def n_samples(self) -> int:
        """Number of rows in `X`."""
        return int(self.X.shape[0])

    @property
    def n_dropped(self) -> int:
        """Number of rows left out because a value is missing."""
        return self.n_rows - self.n_samples
