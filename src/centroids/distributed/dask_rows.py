"""Dask arrays and data frames in, rows and weights of known size out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np
from numpy.typing import NDArray

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class DaskRows:
    """Rows of known size, float32 or float64, and their weights.

    Attributes
    ----------
    rows : dask array of shape (n_samples, n_features)
    weights : dask array of shape (n_samples,) or None
    names : ndarray of str or None
        Of the columns, where the rows were a data frame.
    """

    rows: da.Array
    weights: da.Array | None = None
    names: NDArray[Any] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.rows.shape[0]), int(self.rows.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        dtype: np.dtype[Any] = self.rows.dtype
        return dtype

    def __getitem__(self, cell: tuple[int, int]) -> Any:
        """Return one value, computed: for messages."""
        return self.rows[cell].compute()

    def cut_at(self, shard_rows: int) -> tuple[da.Array, da.Array | None]:
        """Return rows and weights in blocks of whole shards, about as long as they were."""
        n_samples = self.shape[0]
        n_blocks = len(self.rows.chunks[0])
        length = max(1, round(n_samples / n_blocks / shard_rows)) * shard_rows
        rows = self.rows.rechunk((length, -1))
        return rows, None if self.weights is None else self.weights.rechunk((length,))


def is_dask(X: Any) -> bool:
    """Whether X is a Dask array or data frame."""
    return bool(dask.is_dask_collection(X))


def check_dask_rows(X: Any, name: str = "X") -> DaskRows:
    """Return the rows of a Dask array or data frame; computes the sizes that it does not know."""
    names = None
    if hasattr(X, "to_dask_array"):
        names = np.asarray([str(column) for column in X.columns], dtype=object)
        _check_columns(X)
        X = X.to_dask_array(lengths=True)
    elif not isinstance(X, da.Array):
        raise TypeError(
            f"{name} must be a Dask array or data frame; got {type(X).__name__}. For rows in the "
            f"memory of one machine use centroids.KMeans, or dask.array.from_array({name})."
        )
    if X.ndim != 2:
        raise ValueError(f"{name} must have two dimensions, rows and columns; it has {X.ndim}.")
    if np.isnan(X.shape[0]) or np.isnan(X.shape[1]):
        X = X.copy().compute_chunk_sizes()  # of the copy: the caller's array stays as it is
    if 0 in X.shape:
        raise ValueError(f"{name} is empty: its shape is {X.shape}.")
    if X.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers; its dtype is {X.dtype}.")
    return DaskRows(X if X.dtype in _FLOATS else X.astype(np.float64), names=names)


def _check_columns(frame: Any) -> None:
    for column, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "O") not in "fiub":
            raise ValueError(
                f"column {column!r} of X holds {dtype}, no numbers: leave it out, or make numbers "
                "of it."
            )


def with_weights(data: DaskRows, sample_weight: Any) -> DaskRows:
    """Return the rows with weights, once these are known to be finite and not negative.

    None where every row counts as one.
    """
    if sample_weight is None:
        return data
    weights = sample_weight
    if not isinstance(weights, da.Array):
        weights = weights.to_dask_array(lengths=True) if is_dask(weights) else weights
        weights = da.asarray(weights)
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have one dimension; it has {weights.ndim}.")
    if np.isnan(weights.shape[0]):
        weights = weights.copy().compute_chunk_sizes()
    if weights.shape[0] != data.shape[0]:
        raise ValueError(
            f"sample_weight has {weights.shape[0]} values for {data.shape[0]} rows: give one a row."
        )
    weights = weights.astype(np.float64)
    bad = ~(da.isfinite(weights) & (weights >= 0))
    any_bad, first, any_weight, is_plain = dask.compute(
        bad.any(), da.argmax(bad), (weights != 0).any(), (weights == 1).all()
    )
    if any_bad:
        raise ValueError(
            f"sample_weight is {weights[int(first)].compute()} at row {int(first)} (counted from "
            "0). Weights must be finite and not negative."
        )
    if not any_weight:
        raise ValueError("sample_weight is zero for every row: at least one row must count.")
    return data if is_plain else DaskRows(data.rows, weights, data.names)
