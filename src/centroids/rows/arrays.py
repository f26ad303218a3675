"""Arrays and data frames in, C-contiguous float rows out.

Everything that a user passes as ``X`` or ``sample_weight`` goes through here, once. Inside, rows
are trusted: finite, two-dimensional, float32 or float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from centroids import _core
from centroids.rows.sparse import (
    canonical,
    core_rows,
    is_sparse,
    new_problem,
    to_dense,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32] | NDArray[np.float64]

# Below, a weighted square is soon a denormal number.
_LEAST_WEIGHT = 1e-290
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def check_rows(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return ``X`` as C-contiguous or CSR float rows, without a copy where it is that already.

    Values are not looked at: follow with `check_finite` or `checked_problem`.

    Parameters
    ----------
    estimator : estimator
        Learns (``reset=True``) or is held to ``n_features_in_`` and ``feature_names_in_``.
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
    reset : bool
        True in ``fit``, False afterwards.

    Returns
    -------
    ndarray or CSR matrix of shape (n_samples, n_features)
        float32 stays float32; every other numeric type becomes float64.
    """
    if np.ma.is_masked(X):
        row, col = (int(i) for i in np.argwhere(np.ma.getmaskarray(X))[0])
        raise ValueError(
            f"Input X is a masked array with masked values, first at row {row}, column {col} "
            f"(counted from 0). {type(estimator).__name__} needs all values: drop such rows or "
            "fill them in, for example with X.filled()."
        )
    if _is_plain(X) and _plain_matches(estimator, X, reset=reset):
        return X
    from sklearn.utils.validation import validate_data

    rows = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse="csr",
        dtype=_FLOATS,
        order="C",
        copy=False,
        ensure_all_finite=False,
    )
    return canonical(rows) if is_sparse(rows) else np.require(rows, requirements="A")


def _is_plain(X: Any) -> bool:
    """Whether X is rows already, so that scikit-learn's checks would change nothing."""
    return (
        type(X) in (np.ndarray, np.memmap)
        and X.ndim == 2
        and X.dtype in _FLOATS
        and X.flags.c_contiguous
        and X.flags.aligned
        and X.shape[0] > 0
        and X.shape[1] > 0
    )


def _plain_matches(estimator: Any, X: NDArray[Any], *, reset: bool) -> bool:
    """Whether X agrees with what the estimator knows of its columns; learns it on reset."""
    if hasattr(estimator, "feature_names_in_"):
        return False  # scikit-learn knows when to forget and when to warn
    if reset:
        estimator.n_features_in_ = X.shape[1]
        return True
    return bool(estimator.n_features_in_ == X.shape[1])


def check_finite(estimator: Any, X: Rows, n_threads: int) -> None:
    """Raise a ValueError that names the first NaN or infinity of ``X`` by row and column."""
    if not is_sparse(X) and X.shape[0] * X.shape[1] <= 4096:
        # One reduction: the sum of finite values may overflow, so a bad sum is only a suspicion.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(X.sum(dtype=np.float64)):
                return
        bad = np.argwhere(~np.isfinite(X))
        first = (int(bad[0, 0]), int(bad[0, 1])) if len(bad) else None
    else:
        first = _core.first_bad(core_rows(X), n_threads)
    _raise_if_bad(estimator, X, first)


def checked_problem(
    estimator: Any, X: Any, weights: NDArray[np.float64] | None, n_threads: int
) -> _core.Problem | _core.SparseProblem:
    """Return the core's problem for rows whose values are finite and in range, or raise an error.

    Parameters
    ----------
    estimator : estimator
        Is named in the error, and names columns.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        As `check_rows` returns it.
    weights : ndarray of shape (n_samples,) or None
    n_threads : int
    """
    problem = new_problem(X, weights, n_threads)
    check_values(estimator, X, problem)
    return problem


def check_values(
    estimator: Any,
    X: Any,
    problem: _core.Problem | _core.SparseProblem | _core.PartsProblem,
) -> None:
    """Raise the error for what the core has found in the values of ``X``, if it has."""
    _raise_if_bad(estimator, X, problem.first_bad)
    _raise_if_out_of_range(estimator, X, problem.bad_range)


def _raise_if_bad(estimator: Any, X: Rows, first: tuple[int, int] | None) -> None:
    """Raise the error for a non-finite value at ``first`` = (row, column), if there is one."""
    if first is None:
        return
    row, col = first
    names = getattr(estimator, "feature_names_in_", None)
    column = f"{col}" if names is None else f"{names[col]!r}"
    value = X[row, col]
    what = "NaN" if np.isnan(value) else f"infinity ({value})"
    raise ValueError(
        f"Input X contains {what}, first at row {row}, column {column} (counted from 0). "
        f"{type(estimator).__name__} needs finite numbers: drop such rows or fill them in, for "
        "example with sklearn.impute.SimpleImputer."
    )


def _raise_if_out_of_range(estimator: Any, X: Rows, bad_range: tuple[str, int, int] | None) -> None:
    """Raise an error when squared distances between rows overflow or vanish in the dtype of ``X``.

    Parameters
    ----------
    bad_range : None or tuple of str, int, int
        "overflow" or "underflow", and the value farthest from the first row: its row and column.
    """
    if bad_range is None:
        return
    kind, row, col = bad_range
    extent = f"{X[row, col]} at row {row}, column {col} (counted from 0) is "
    if is_sparse(X):  # compared as they are
        extent += "the value farthest from zero"
    else:
        extent += f"{abs(float(X[row, col]) - float(X[0, col])):.3g} from the first row"
    trouble = (
        "squared distances (times the weights) overflow"
        if kind == "overflow"
        else "no value is farther, and squared distances vanish"
    )
    raise ValueError(
        f"Input X is out of range for {type(estimator).__name__} in {X.dtype}: {extent}, so that "
        f"{trouble}. Scale the columns, for example with sklearn.preprocessing.StandardScaler"
        f"{', or pass float64.' if X.dtype == np.float32 else '.'}"
    )


def check_square_range(estimator: Any, X: Any, dtype: np.dtype[Any]) -> None:
    """Raise an error for a value whose square leaves no room for distances in ``dtype``.

    For rows that come in batches: they are to be compared with rows that are not there yet.
    """
    values = X.data if is_sparse(X) else X
    largest = np.sqrt(float(np.finfo(dtype).max) / 64 / X.shape[1])
    if values.size == 0 or max(values.max(), -values.min()) <= largest:
        return
    where = np.abs(to_dense(X)) > largest if is_sparse(X) else np.abs(X) > largest
    row, col = (int(i) for i in np.argwhere(where)[0])
    raise ValueError(
        f"Input X is out of range for {type(estimator).__name__} in {dtype}: {X[row, col]} at "
        f"row {row}, column {col} (counted from 0), so that squared distances overflow. Scale the "
        "columns, for example with sklearn.preprocessing.StandardScaler."
    )


def check_sample_weight(
    sample_weight: Any, n_samples: int, *, is_batch: bool = False
) -> NDArray[np.float64] | None:
    """Return the weights as float64, or None where every row counts as one.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_samples,)
    n_samples : int
    is_batch : bool, default=False
        Whether these are some of the rows only, so that none of them needs to count.

    Raises
    ------
    ValueError
        For a wrong shape, a negative or non-finite weight, or weights that are all zero or too
        small.
    """
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold numbers: {error}") from error
    if weights.ndim == 0:
        weights = np.full(n_samples, weights)
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if weights.shape[0] != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}: one weight a row."
        )
    is_bad = ~(np.isfinite(weights) & (weights >= 0))
    if is_bad.any():
        row = int(np.argmax(is_bad))
        value = weights[row]
        kind = "Negative values" if value < 0 else "NaN or infinity"
        raise ValueError(
            f"{kind} in data passed to `sample_weight`: {value} at row {row} (counted from 0). "
            "Weights must be finite and not negative."
        )
    largest = weights.max(initial=0)
    if largest == 0 and not is_batch:
        raise ValueError("sample_weight is zero for every row: at least one row must count.")
    if 0 < largest < _LEAST_WEIGHT:
        raise ValueError(
            f"The largest sample_weight is {largest:.3g}: products with it lose their digits. "
            "Multiply all weights by a constant; that changes no cluster."
        )
    if (weights == 1).all():
        return None
    return np.require(weights, requirements=["C", "A"])
