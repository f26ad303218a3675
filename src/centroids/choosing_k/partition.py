"""What one visit of the rows leaves of a partition: all that criteria and valleys need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core

__all__ = ["Partition", "measure"]

Float64 = NDArray[np.float64]


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
    radii : ndarray of shape (n_clusters,)
        Mean distance of each cluster's rows to its center; 0 for a cluster without rows.
    nearest_center_distances : ndarray of shape (n_clusters,)
        Distance from each center to the nearest other one; infinite where there is none.
    pairs : ndarray of shape (n_pairs, 2)
        Neighbouring clusters, first < second, in lexicographic order: of the four nearest centers
        of each, those with no other center as near to the point half way (edges of the Gabriel
        graph). A center and its nearest one always are such a pair.
    profiles : ndarray of shape (n_pairs, 16)
        Weight along the line between the centers of each pair, in bins of a twelfth of its length,
        from a sixth before the first center to a sixth behind the second.
    squared_center_distances : ndarray of shape (n_clusters, n_clusters)
        Squared distances between centers; infinite from a center to itself.
    weight : float
        Weight of all rows.
    inertia : float
        Weighted sum of squared distances to the own center.
    inertia_between : float
        Weighted sum of squared distances of the rows' centers to the mean of all rows.
    """

    centers: Float64
    weights: Float64
    inertias: Float64
    distances: Float64
    second_distances: Float64
    silhouettes: Float64
    radii: Float64
    nearest_center_distances: Float64
    pairs: NDArray[np.int32]
    profiles: Float64
    squared_center_distances: Float64
    weight: float
    inertia: float
    inertia_between: float

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.centers.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.centers.shape[1])


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
    of_clusters, pairs, profiles, squared, totals = _core.measure_partition(
        X, weights, centers, cluster_weights, n_threads
    )
    weight, inertias, distances, seconds, silhouettes, radii, nearest = of_clusters
    return Partition(
        centers,
        weight,
        inertias,
        distances,
        seconds,
        silhouettes,
        radii,
        nearest,
        pairs,
        profiles,
        squared,
        *totals,
    )
