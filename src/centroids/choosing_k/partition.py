"""What one visit of the rows leaves of a partition: all that criteria and valleys need.

Of few rows, looking takes longer than counting. So partitions are measured many at once, and can be
stacked: criteria compute the values of all of a sweep in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core

__all__ = ["Partition", "Stack", "measure", "measure_each", "stacked"]

Float64 = NDArray[np.float64]


class _OfClusters:
    """Numbers of clusters, a row each in `sums`."""

    sums: Float64

    def _row(self, number: int) -> Float64:
        row: Float64 = self.sums[number]
        return row

    @property
    def weights(self) -> Float64:
        """Weight of each cluster."""
        return self._row(0)

    @property
    def inertias(self) -> Float64:
        """Weighted sum of squared distances to the own center."""
        return self._row(1)

    @property
    def distances(self) -> Float64:
        """Weighted sum of distances to the own center."""
        return self._row(2)

    @property
    def second_distances(self) -> Float64:
        """Weighted sum of distances to the second nearest center."""
        return self._row(3)

    @property
    def silhouettes(self) -> Float64:
        """Weighted sum of 1 - own / second distance."""
        return self._row(4)

    @property
    def radii(self) -> Float64:
        """Mean distance to the own center; 0 for a cluster without rows."""
        return self._row(5)

    @property
    def nearest_center_distances(self) -> Float64:
        """Distance from each center to the nearest other one; infinite where there is none."""
        return self._row(6)

    @property
    def similarities(self) -> Float64:
        """Largest (radius + other radius) / distance between the centers; 0 for one cluster."""
        return self._row(7)

    @property
    def fourth_powers(self) -> Float64:
        """Weighted sum of fourth powers of distances to the own center."""
        return self._row(8)


@dataclass(frozen=True, eq=False)
class Partition(_OfClusters):
    """Sums of a partition of weighted rows around centers.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        The centers.
    sums : ndarray of shape (9, n_clusters)
        The nine that follow, one below the other.
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
    similarities : ndarray of shape (n_clusters,)
        Largest (radius + other radius) / distance between the centers; 0 for one cluster.
    fourth_powers : ndarray of shape (n_clusters,)
        Per cluster the weighted sum of fourth powers of distances to the own center.
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
    sums: Float64
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

    def total(self, of_clusters: Float64) -> float:
        """Sum over the clusters.

        Parameters
        ----------
        of_clusters : ndarray of shape (n_clusters,)

        Returns
        -------
        float
        """
        return float(of_clusters.sum())

    def lowest(self, of_clusters: Float64) -> float:
        """Return the lowest of the clusters.

        Parameters
        ----------
        of_clusters : ndarray of shape (n_clusters,)

        Returns
        -------
        float
        """
        return float(of_clusters.min())

    def highest(self, of_clusters: Float64) -> float:
        """Return the highest of the clusters.

        Parameters
        ----------
        of_clusters : ndarray of shape (n_clusters,)

        Returns
        -------
        float
        """
        return float(of_clusters.max())

    def for_clusters(self, value: Any) -> Any:
        """Give each cluster a value of the partition: here as it is, as NumPy repeats it.

        Parameters
        ----------
        value : float

        Returns
        -------
        float
        """
        return value


@dataclass(frozen=True, eq=False)
class Stack(_OfClusters):
    """Several partitions of the same rows, one after the other.

    Numbers of clusters are those of all partitions in a row; numbers of a partition are arrays. So
    what is written for a `Partition` computes the values of all of them.
    """

    n_clusters: NDArray[np.int64]
    n_features: int
    n_pairs: NDArray[np.int64]
    sums: Float64
    pairs: NDArray[np.int32]
    profiles: Float64
    weight: Float64
    inertia: Float64
    inertia_between: Float64

    def __post_init__(self) -> None:
        object.__setattr__(self, "firsts", np.cumsum(self.n_clusters) - self.n_clusters)

    firsts: NDArray[np.int64] = field(init=False)

    def total(self, of_clusters: Float64) -> Float64:
        """Sum over the clusters of each partition."""
        values: Float64 = np.add.reduceat(of_clusters, self.firsts)
        return values

    def lowest(self, of_clusters: Float64) -> Float64:
        """Lowest of the clusters of each partition."""
        values: Float64 = np.minimum.reduceat(of_clusters, self.firsts)
        return values

    def highest(self, of_clusters: Float64) -> Float64:
        """Highest of the clusters of each partition."""
        values: Float64 = np.maximum.reduceat(of_clusters, self.firsts)
        return values

    def for_clusters(self, value: Any) -> Any:
        """Give each cluster the value of its partition."""
        return np.repeat(value, self.n_clusters)


def stacked(partitions: Sequence[Partition]) -> Stack:
    """Put partitions of the same rows, at least one, one after the other."""
    totals = np.array([(p.weight, p.inertia, p.inertia_between) for p in partitions])
    return Stack(
        np.array([p.n_clusters for p in partitions]),
        partitions[0].n_features,
        np.array([len(p.pairs) for p in partitions]),
        np.concatenate([p.sums for p in partitions], axis=1),
        np.concatenate([p.pairs for p in partitions]),
        np.concatenate([p.profiles for p in partitions]),
        *totals.T,
    )


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
    placed = None if cluster_weights is None else [cluster_weights]
    return measure_each(X, [centers], weights, n_threads, placed)[0]


def measure_each(
    X: NDArray[Any],
    centers: Sequence[Float64],
    weights: Float64 | None,
    n_threads: int,
    cluster_weights: Sequence[Float64] | None = None,
) -> list[Partition]:
    """Do `measure` for several sets of centers, in one call of the core."""
    sums, pairs, profiles, squared, totals, n_pairs = _core.measure_partitions(
        X, weights, centers, cluster_weights, n_threads
    )
    partitions = []
    cluster = pair = value = 0
    for own, of_whole, pairs_own in zip(centers, totals.tolist(), n_pairs.tolist(), strict=True):
        k = len(own)
        of_pairs = slice(pair, pair := pair + pairs_own)
        partitions.append(
            Partition(
                own,
                sums[:, cluster : (cluster := cluster + k)],
                pairs[of_pairs],
                profiles[of_pairs],
                squared[value : (value := value + k * k)].reshape(k, k),
                *of_whole,
            )
        )
    return partitions
