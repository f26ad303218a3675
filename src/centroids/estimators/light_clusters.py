"""Clusters that hardly any row belongs to: their centers move to where a batch gains from one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.estimators.running_sums import RunningSums
from centroids.rows.sparse import core_rows, to_dense

MOVED = "[MiniBatchKMeans] Reassigning 1 cluster centers."
"""What ``verbose`` says of it, in scikit-learn's words."""

_CANDIDATES = 8
_ROWS_PER_CLUSTER = 10  # seen between two looks
# Looks that found no better place are followed by longer waits, up to this factor: data in which a
# small cluster is right would else pay for a look at every batch.
_MOST_PATIENCE = 4


@dataclass
class LightClusters:
    """Watches for a cluster whose center would serve better elsewhere.

    Attributes
    ----------
    ratio : float
        A cluster with less than this share of the weight of the heaviest one is light.
    patience : int
        How much longer than at first to wait until the next look.
    n_waited : int
        Rows seen since the last one.
    """

    ratio: float
    patience: int = 1
    n_waited: int = 0

    def look(
        self,
        state: RunningSums,
        rows: Any,
        weights: NDArray[np.float64] | None,
        random: np.random.RandomState,
        n_threads: int,
    ) -> int | None:
        """Move the center of the lightest cluster to a row of the batch, if it is time and pays.

        Returns
        -------
        int or None
            The cluster that was moved, which starts anew without rows.
        """
        self.n_waited += rows.shape[0]
        wait = max(_ROWS_PER_CLUSTER * len(state.weights), rows.shape[0])
        if self.n_waited < wait * self.patience:
            return None
        self.n_waited = 0
        cluster = int(np.argmin(state.weights))
        if not state.weights[cluster] < self.ratio * state.weights.max():
            return None
        place = _better_place(cluster, state, rows, weights, random, n_threads)
        if place is None:
            self.patience = min(2 * self.patience, _MOST_PATIENCE)
            return None
        self.patience = 1
        state.restart(cluster, place)
        return cluster


def _better_place(
    cluster: int,
    state: RunningSums,
    rows: Any,
    weights: NDArray[np.float64] | None,
    random: np.random.RandomState,
    n_threads: int,
) -> NDArray[np.float64] | None:
    """Return a row of the batch where the center of the cluster lowers the inertia, or None.

    A swap pays (Fränti & Kivijärvi, "Randomised local search algorithm for the clustering problem",
    Pattern Analysis & Applications 3, 2000) when all rows gain more from the new center than those
    of the cluster lose. The gain is that of the batch, in proportion; the loss is that of all rows
    seen, as a batch may hold none of a light cluster.
    """
    _, distances, _, _ = _core.nearest(core_rows(rows), state.centers, n_threads)
    w = np.ones(len(distances)) if weights is None else weights
    own = np.square(distances)
    # By distance, not its square: outliers would be drawn alone, and there is no gain beside them.
    mass = np.cumsum(w * distances)
    if len(state.centers) == 1 or not mass[-1] > 0:
        return None
    drawn = np.searchsorted(mass, random.uniform(size=_CANDIDATES) * mass[-1], side="right")
    drawn = np.minimum(drawn, len(mass) - 1)
    candidates = np.ascontiguousarray(to_dense(rows[drawn]), dtype=np.float64)
    squares = np.square(_core.distances(core_rows(rows), candidates, n_threads))
    # A candidate is at no distance from itself: that alone would be a gain in any batch.
    squares[drawn, np.arange(_CANDIDATES)] = own[drawn]
    gains = np.maximum(own[:, None] - squares, 0.0).T @ w * (state.weights.sum() / w.sum())
    best = int(np.argmax(gains))
    return candidates[best] if gains[best] > _loss_without(cluster, state) else None


def _loss_without(cluster: int, state: RunningSums) -> float:
    """Least inertia that joining the cluster to another one adds, as in Ward's method."""
    weight = state.weights[cluster]
    if not weight > 0:
        return 0.0
    squares = np.square(state.centers - state.centers[cluster]).sum(axis=1)
    squares[cluster] = np.inf
    # In this order, no product of two weights overflows.
    return float((squares * (weight * (state.weights / (weight + state.weights)))).min())
