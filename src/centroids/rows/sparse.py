"""Sparse rows: CSR matrices in a fixed form, and how dense and sparse rows reach the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from centroids import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array of SciPy."""
    return not isinstance(X, np.ndarray) and hasattr(X, "indptr")


def canonical(X: Any) -> Any:
    """Return a CSR matrix with ascending columns and no column twice; a copy only where X is not.

    Parameters
    ----------
    X : CSR matrix or array
    """
    if X.shape[1] > np.iinfo(np.int32).max:
        raise ValueError(f"X has {X.shape[1]} columns: at most 2**31 - 1 are possible.")
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def core_rows(X: Any) -> Any:
    """Return rows in the form that the core takes: an array as it is, a CSR matrix wrapped.

    Parameters
    ----------
    X : ndarray or CSR matrix
        As `check_rows` returns it.
    """
    if not is_sparse(X):
        return X
    return _core.SparseRows(
        X.data,
        X.indices.astype(np.int32, copy=False),
        X.indptr.astype(np.int64, copy=False),
        X.shape[1],
    )


def new_problem(
    X: Any, weights: NDArray[np.float64] | None, n_threads: int
) -> _core.Problem | _core.SparseProblem:
    """Return the core's problem for dense or sparse rows."""
    kind = _core.SparseProblem if is_sparse(X) else _core.Problem
    return kind(core_rows(X), weights, n_threads)


def with_values(X: Any, values: NDArray[Any]) -> Any:
    """Return X with other values: of its entries when it is sparse, of all its cells otherwise."""
    if not is_sparse(X):
        return values
    # Arrays may be longer than what is in use.
    return type(X)((values, X.indices[: len(values)], X.indptr), shape=X.shape)


def to_dense(X: Any) -> NDArray[Any]:
    """Return rows as an array."""
    return X.toarray() if is_sparse(X) else X  # type: ignore[no-any-return]
