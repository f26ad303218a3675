"""The state of mini-batch K-Means: sums that grow batch by batch, and the rule when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.rows.sparse import core_rows

# Batches after which the average of their inertia is steady enough to stop by, at the latest.
_SETTLED_AFTER = 1000


@dataclass
class RunningSums:
    """Centers as weighted means of all rows that were added and not taken out again.

    Attributes
    ----------
    sums : ndarray of shape (n_clusters, n_features), float64
    weights : ndarray of shape (n_clusters,), float64
    centers : ndarray of shape (n_clusters, n_features), float64
        sums / weights, each value representable in ``dtype``; clusters without weight keep theirs.
    dtype : dtype
        Of the rows.
    """

    sums: NDArray[np.float64]
    weights: NDArray[np.float64]
    centers: NDArray[np.float64]
    dtype: np.dtype[Any]

    @classmethod
    def empty(cls, centers: NDArray[np.float64], dtype: np.dtype[Any]) -> RunningSums:
        """Return sums of no rows yet, with a copy of these first centers to write to."""
        return cls(np.zeros(centers.shape), np.zeros(len(centers)), centers.copy(), dtype)

    def copy(self) -> RunningSums:
        """Return the same sums, to change on their own."""
        return RunningSums(self.sums.copy(), self.weights.copy(), self.centers.copy(), self.dtype)

    def add(
        self, rows: Any, weights: NDArray[np.float64] | None, labels: NDArray[np.int32]
    ) -> None:
        """Add rows to the clusters of their labels."""
        self._change(+1.0, rows, weights, labels)

    def remove(
        self, rows: Any, weights: NDArray[np.float64] | None, labels: NDArray[np.int32]
    ) -> None:
        """Take rows out of the clusters of their labels."""
        self._change(-1.0, rows, weights, labels)

    def _change(
        self,
        sign: float,
        rows: Any,
        weights: NDArray[np.float64] | None,
        labels: NDArray[np.int32],
    ) -> None:
        sums, total, _ = _core.cluster_sums(core_rows(rows), weights, labels, len(self.weights))
        self.sums += sign * sums
        self.weights += sign * total

    def move_centers(self) -> float:
        """Set the centers to the means; return the sum of squared shifts."""
        has_weight = self.weights > 1e-12 * self.weights.max(initial=0.0)
        means = self.sums[has_weight] / self.weights[has_weight, None]
        centers = self.centers.copy()
        centers[has_weight] = means.astype(self.dtype).astype(np.float64)
        shift = float(np.square(centers - self.centers).sum())
        self.centers = centers
        return shift

    def restart(self, cluster: int, center: NDArray[np.float64]) -> None:
        """Forget the rows of a cluster and place its center anew."""
        self.sums[cluster] = 0.0
        self.weights[cluster] = 0.0
        self.centers[cluster] = center


@dataclass
class StopRule:
    """When mini-batches stop: no progress of the smoothed batch inertia, or centers at rest.

    The smoothing is scikit-learn's: an exponentially weighted average that reaches back over about
    one epoch. No stop before it reaches back over a quarter of one.

    Attributes
    ----------
    smoothing : float
        Weight of the newest batch.
    tol : float
        Sum of squared center shifts at which to stop; 0 for never.
    max_no_improvement : int or None
        Batches in a row without a new minimum after which to stop; None for never.
    """

    smoothing: float
    tol: float
    max_no_improvement: int | None
    average: float = 0.0
    n_steps: int = 0
    lowest: float = np.inf
    n_without_improvement: int = 0

    def reason_to_stop(self, mean_inertia: float, center_shift: float) -> str | None:
        """Take note of a step; return why to stop after it, or None."""
        self.n_steps += 1
        share = max(self.smoothing, 1.0 / self.n_steps)  # a plain mean, until it is long enough
        self.average += share * (mean_inertia - self.average)
        if self.tol > 0 and center_shift <= self.tol:
            return "small centers change"
        # A new minimum below the noise of a smoothed average is none.
        if self.average < self.lowest * (1 - 1e-4 * self.smoothing):
            self.lowest = self.average
            self.n_without_improvement = 0
        else:
            self.n_without_improvement += 1
        limit = self.max_no_improvement
        is_settled = self.n_steps >= min(0.5 / self.smoothing, _SETTLED_AFTER)
        if limit is not None and is_settled and self.n_without_improvement >= limit:
            return "lack of improvement in inertia"
        return None
