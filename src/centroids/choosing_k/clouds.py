"""Clouds without clusters, spread like the rows: what criteria are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.choosing_k.sweep import MAX_ITER, RELATIVE_TOL
from centroids.estimators.runs import Start, run_plain

__all__ = ["gaussian_cloud", "null_band", "principal_axes", "uniform_box"]

Float64 = NDArray[np.float64]

BAND_ROWS = 2_000
BAND_DRAWS = 3
BAND_POINTS = 10


def principal_axes(X: NDArray[Any]) -> tuple[Float64, Float64]:
    """Return standard deviations along the principal axes, ascending, and the axes."""
    centered = X - X.mean(axis=0, dtype=np.float64)
    variances, axes = np.linalg.eigh(centered.T @ centered / len(X))
    return np.sqrt(np.maximum(variances, 0)), axes


def gaussian_cloud(X: NDArray[Any], random: np.random.Generator) -> Float64:
    """Rows of one Gaussian with the covariance of X."""
    spread, axes = principal_axes(X)
    return np.asarray(random.standard_normal(X.shape) * spread @ axes.T)


def uniform_box(X: NDArray[Any], random: np.random.Generator) -> Float64:
    """Rows uniform in the box around X along its principal axes (Tibshirani et al. 2001)."""
    _, axes = principal_axes(X)
    along = X @ axes
    return np.asarray(random.uniform(along.min(axis=0), along.max(axis=0), X.shape) @ axes.T)


def null_band(spread: Float64, n_samples: int, k_max: int) -> Float64 | None:
    """Range of inertia(k) / inertia(1) over Gaussian and uniform clouds.

    Parameters
    ----------
    spread : ndarray of shape (n_features,)
        Standard deviations along the principal axes.
    n_samples : int
        Rows of the data; clouds have as many, 2,000 at most.
    k_max : int

    Returns
    -------
    ndarray of shape (2, k_max) or None
        Lowest and highest; None without any spread.
    """
    n = min(n_samples, BAND_ROWS)
    k_max_drawn = min(k_max, n)
    if not spread.any() or n < 2:
        return None
    ks = np.unique(np.geomspace(1, k_max_drawn, BAND_POINTS).round().astype(int))
    random = np.random.default_rng(0)
    curves = []
    for _ in range(BAND_DRAWS):
        for cloud in (random.standard_normal, random.random):
            curves.append(_relative_inertia(cloud((n, len(spread))), spread, ks))
    logs = np.log(np.maximum(curves, np.finfo(np.float64).tiny))
    at = np.log(np.arange(1, k_max + 1))
    ends = (logs.min(axis=0), logs.max(axis=0))
    return np.exp([np.interp(at, np.log(ks), end) for end in ends])


def _relative_inertia(cloud: Float64, spread: Float64, ks: NDArray[np.int64]) -> Float64:
    rows = cloud / cloud.std(axis=0) * spread
    problem = _core.Problem(rows, None, 1)
    tol = RELATIVE_TOL * problem.mean_variance
    inertia = [
        run_plain(problem, k, Start(seed=k), max_iter=MAX_ITER, tol=tol)["inertia"]
        for k in ks.tolist()
    ]
    return np.array(inertia) / inertia[0]
