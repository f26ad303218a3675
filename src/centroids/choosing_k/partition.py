"""What one visit of the rows leaves of a partition: all that criteria and valleys need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core

__all__ = ["Partition", "measure"]

Float64 = NDArray[np.float64]

# Neighbours tried for each cluster when pairs are looked for.
N_NEIGHBOURS = 4


@dataclass(frozen=True, eq=False)
class Partition:
    """Sums of a partition of weighted rows around centers.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        The centers.
    weights : ndarray of shape (n_clusters,)
        Weight of each cluster: its number of rows, where rows have no weights.
    inertias : ndarray of shape (n_clusters,)
        Per cluster the weighted sum of squared distances to the own center.
    distances : ndarray of shape (n_clusters,)
        Per cluster the weighted sum of distances to the own center.
    second_distances : ndarray of shape (n_clusters,)
        Per cluster the weighted sum of distances to the second nearest center.
    silhouettes : ndarray of shape (n_clusters,)
        Per cluster the weighted sum of 1 - own / second distance.
    pairs : ndarray of shape (n_pairs, 2)
        Neighbouring clusters; nothing else lies half way between their centers.
    profiles : ndarray of shape (n_pairs, 16)
        Weight along the line between the centers of each pair, in bins of a twelfth of its length,
        from a sixth before the first center to a sixth behind the second.
    """

    centers: Float64
    weights: Float64
    inertias: Float64
    distances: Float64
    second_distances: Float64
    silhouettes: Float64
    pairs: NDArray[np.int32]
    profiles: Float64

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.centers.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.centers.shape[1])

    @cached_property
    def weight(self) -> float:
        """Weight of all rows."""
        return float(self.weights.sum())

    @cached_property
    def inertia(self) -> float:
        """Weighted sum of squared distances to the own center."""
        return float(self.inertias.sum())

    @cached_property
    def inertia_between(self) -> float:
        """Weighted sum of squared distances of the rows' centers to the mean of all rows."""
        offset = self.centers - (self.weights @ self.centers) / self.weight
        return float(self.weights @ np.einsum("jt,jt->j", offset, offset))

    @cached_property
    def squared_center_distances(self) -> Float64:
        """Squared distances between centers; infinite from a center to itself."""
        return squared_center_distances(self.centers)

    @cached_property
    def nearest_center_distances(self) -> Float64:
        """Distance from each center to the nearest other one."""
        nearest: Float64 = np.sqrt(self.squared_center_distances.min(axis=1))
        return nearest

    @cached_property
    def radii(self) -> Float64:
        """Mean distance of each cluster's rows to its center; 0 for a cluster without rows."""
        radii: Float64 = np.divide(
            self.distances, self.weights, out=np.zeros_like(self.distances), where=self.weights > 0
        )
        return radii


def measure(
    X: NDArray[Any],
    centers: Float64,
    weights: Float64 | None,
    n_threads: int,
    cluster_weights: Float64 | None = None,
) -> Partition:
    """Give every row to its nearest center and sum up, in one visit of the rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows, checked.
    centers : ndarray of shape (n_clusters, n_features), float64
    weights : ndarray of shape (n_samples,) or None
    n_threads : int
    cluster_weights : ndarray of shape (n_clusters,) or None
        Where these rows placed the centers, the weight of each cluster: `profiles` then count
        every row as if its center had been averaged without it. None for rows held out.

    Returns
    -------
    Partition
    """
    squared = squared_center_distances(centers)
    pairs = neighbour_pairs(squared)
    _, _, sums, profiles = _core.measure_partition(
        X, weights, centers, pairs, cluster_weights, n_threads
    )
    weight, inertias, distances, seconds, silhouettes = sums
    partition = Partition(
        centers, weight, inertias, distances, seconds, silhouettes, pairs, profiles
    )
    partition.__dict__["squared_center_distances"] = squared
    return partition


def squared_center_distances(centers: Float64) -> Float64:
    """Squared distances between centers; infinite from a center to itself."""
    squared = np.square(_core.distances(centers, centers, 1))
    np.fill_diagonal(squared, np.inf)
    return squared


def neighbour_pairs(squared: Float64) -> NDArray[np.int32]:
    """Find pairs of clusters with nothing else between them.

    Of the four nearest centers of each, those whose midpoint is nearer to the two than to any
    other center (edges of the Gabriel graph). A center and its nearest one always are such a pair.

    Parameters
    ----------
    squared : ndarray of shape (n_clusters, n_clusters)
        Squared distances between centers, infinite on the diagonal.

    Returns
    -------
    ndarray of shape (n_pairs, 2), int32
        First < second, in lexicographic order.
    """
    k = squared.shape[0]
    if k < 2:
        return np.empty((0, 2), dtype=np.int32)
    near = squared.argpartition(min(N_NEIGHBOURS, k - 1) - 1, axis=1)[:, :N_NEIGHBOURS]
    own = np.arange(k)[:, None]
    numbers = np.minimum(own, near) * k + np.maximum(own, near)
    first, second = np.divmod(np.unique(numbers[near != own]), k)
    apart = squared[first, second]
    # |m - c|^2 >= |a - b|^2 / 4 for the midpoint m of a and b, written without m.
    through = (squared[first] + squared[second]).min(axis=1)
    is_pair = (through >= apart) & (apart > 0)
    return np.array([first[is_pair], second[is_pair]], dtype=np.int32).T.copy()
