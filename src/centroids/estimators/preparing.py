"""The steps before a clusterer, fitted and applied block by block: for rows beyond memory, too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from centroids.estimators.learned import without_names
from centroids.estimators.logarithms import LogTransformer, check_positive
from centroids.rows.blocks import BLOCK_ROWS, map_rows

__all__ = ["fit_preparation", "prepare_rows"]

COLUMN_BYTES = 1 << 28
"""Columns are sorted for their medians as many at a time as fit in here."""


def fit_preparation(
    model: Any, X: NDArray[Any], sample_weight: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """Fit the steps of a pipeline before its clusterer, and return the rows as that one sees them.

    As the pipeline's own ``fit`` does, but in blocks of 65,536 rows: no copy of all rows is made on
    the way, and the rows returned are mapped from a temporary file where they take more than a
    quarter of the free memory. Then fit the clusterer on them::

        rows = fit_preparation(model, X)
        model[-1].fit(rows)

    Parameters
    ----------
    model : Pipeline or estimator
        Imputers, logarithms and scalers, and a clusterer behind them; or that alone, for which `X`
        is returned.
    X : ndarray of shape (n_samples, n_features)
        Rows; may be a memory map.
    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weight of each row in the scaling.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The rows, gaps filled, logarithms taken, scaled.
    """
    fitted: list[Any] = []
    _check_positive(model, X)
    for _, step in getattr(model, "steps", ())[:-1]:
        _fit_step(step, X, fitted, sample_weight)
        fitted.append(without_names(step))
    return map_rows(X, lambda block: _through(fitted, block)) if fitted else X


def prepare_rows(model: Any, X: NDArray[Any]) -> NDArray[Any]:
    """Return rows as the clusterer of a fitted pipeline sees them, in blocks as `fit_preparation`.

    Parameters
    ----------
    model : Pipeline or estimator
        Fitted; of an estimator alone `X` is returned.
    X : ndarray of shape (n_samples, n_features)
        Rows; may be a memory map.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The rows, gaps filled and scaled.
    """
    _check_positive(model, X)
    steps = [without_names(step) for _, step in getattr(model, "steps", ())[:-1]]
    return map_rows(X, lambda block: _through(steps, block)) if steps else X


def _check_positive(model: Any, X: NDArray[Any]) -> None:
    """Refuse what has no logarithm by its row among all, which a block would not know."""
    for _, step in getattr(model, "steps", ())[:-1]:
        if isinstance(step, LogTransformer) and hasattr(step, "columns_"):
            check_positive(model, X, step.columns_)


def _through(steps: list[Any], block: NDArray[Any]) -> NDArray[Any]:
    for step in steps:
        block = step.transform(block)
    return block


def _fit_step(
    step: Any, X: NDArray[Any], before: list[Any], sample_weight: NDArray[np.float64] | None
) -> None:
    """Fit a step on rows that went through those before it."""
    if isinstance(step, StandardScaler):
        _fit_scaler(step, X, before, sample_weight)
    elif isinstance(step, LogTransformer):
        # It learns nothing but which columns there are.
        step.fit(_through(before, X[:1]))
    elif isinstance(step, SimpleImputer) and step.strategy == "median" and not before:
        # A row of the medians has them as its medians.
        step.fit(_medians(X)[None].astype(X.dtype))
    else:
        step.fit(map_rows(X, lambda block: _through(before, block)))


def _fit_scaler(
    scaler: StandardScaler,
    X: NDArray[Any],
    before: list[Any],
    sample_weight: NDArray[np.float64] | None,
) -> None:
    fit = scaler.fit  # forgets what was fitted before
    for start in range(0, len(X), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        weights = None if sample_weight is None else sample_weight[rows]
        if weights is None or weights.any():
            fit(_through(before, X[rows]), sample_weight=weights)
            fit = scaler.partial_fit


def _medians(X: NDArray[Any]) -> NDArray[np.float64]:
    """Return the median of the values of each column that are there."""
    n_samples, n_features = X.shape
    width = max(1, COLUMN_BYTES // max(1, n_samples * X.itemsize))
    medians = np.empty(n_features)
    for first in range(0, n_features, width):
        columns = np.empty((min(width, n_features - first), n_samples), dtype=X.dtype)
        for start in range(0, n_samples, BLOCK_ROWS):
            block = X[start : start + BLOCK_ROWS, first : first + width]
            columns[:, start : start + len(block)] = block.T
        for i, values in enumerate(columns):
            medians[first + i] = np.median(values[~np.isnan(values)], overwrite_input=True)
    return medians
