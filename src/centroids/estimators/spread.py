"""How far the rows of a cluster lie from its center, and which rows lie outside of all clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from centroids.estimators.nearest_center import Nearest

__all__ = ["QUANTILES", "distance_quantiles", "fences", "outside", "rows_by_cluster"]

BLOCK_ROWS = 65_536
"""Rows that are compared with every center at a time."""

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
"""The shares of a cluster's rows whose distances are kept, ascending."""

FENCE = 3.0
"""Interquartile ranges above the third quartile from which a distance is "far out"."""


def rows_by_cluster(labels: NDArray[np.int32], n_clusters: int) -> list[NDArray[np.int64]]:
    """Return the row numbers of each cluster, ascending."""
    if n_clusters <= np.iinfo(np.int16).max:
        labels = labels.astype(np.int16)  # NumPy sorts short integers by radix
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=n_clusters))
    return np.split(order, ends[:-1])


def distance_quantiles(
    members: list[NDArray[np.int64]],
    distances: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return the distances that hold given shares of each cluster's weight.

    Parameters
    ----------
    members : list of ndarray of int64
        The rows of each cluster.
    distances : ndarray of shape (n_samples,)
        Distance of each row to its center.
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    ndarray of shape (n_clusters, len(QUANTILES))
        The smallest distance that holds at least the share, so a row of weight w counts as w rows;
        0 where a cluster has no weight.
    """
    table = np.zeros((len(members), len(QUANTILES)))
    for j, rows in enumerate(members):
        own = distances[rows]
        w = np.ones(len(rows)) if weights is None else weights[rows]
        order = np.argsort(own, kind="stable")
        order = order[w[order] > 0]
        if not len(order):
            continue
        mass = np.cumsum(w[order])
        # A little less than the share, so that rounding of a sum does not ask for one row more.
        at = np.searchsorted(mass, np.array(QUANTILES) * mass[-1] * (1 - 1e-12))
        table[j] = own[order[np.minimum(at, len(order) - 1)]]
    return table


def fences(radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance beyond which a row lies far out of each cluster.

    Tukey's outer fence: the third quartile of the cluster's distances plus three interquartile
    ranges (J. W. Tukey, "Exploratory Data Analysis", 1977, section 2D). A cluster whose middle half
    has one distance has no spread to measure with: its fence is its largest distance.

    Parameters
    ----------
    radii : ndarray of shape (n_clusters, len(QUANTILES))
        As `distance_quantiles` gives them.
    """
    first, third = radii[:, 0], radii[:, 2]
    spread = third - first
    return np.where(spread > 0, third + FENCE * spread, radii[:, -1])


def outside(
    places: Nearest,
    limits: NDArray[np.float64],
    to_all_centers: Callable[[NDArray[np.int64]], NDArray[Any]],
) -> NDArray[np.bool_]:
    """Return which rows lie beyond the limit of every cluster.

    Parameters
    ----------
    places : Nearest
        Own and second center of each row.
    limits : ndarray of shape (n_clusters,)
        As `fences` gives them.
    to_all_centers : callable
        Returns the distances of some rows, by number, to every center. It is asked for rows beyond
        the limit of their own cluster only, and for some of them at a time.
    """
    is_outside = np.asarray(places.distances > limits[places.labels])
    suspects = np.flatnonzero(is_outside)
    for start in range(0, len(suspects), BLOCK_ROWS):
        block = suspects[start : start + BLOCK_ROWS]
        is_outside[block] = (to_all_centers(block) > limits).all(axis=1)
    return is_outside
