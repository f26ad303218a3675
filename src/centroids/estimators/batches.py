"""Batch after batch over the rows of a fit: each row counts once, with its newest label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.estimators.light_clusters import MOVED, LightClusters
from centroids.estimators.running_sums import RunningSums, StopRule
from centroids.rows.sparse import core_rows

_MOMENT = 1e8  # multiply-adds
_ENOUGH_FIRST_ROWS = 250  # of a cluster: an iteration gains less than a thousandth


@dataclass
class Batches:
    """The rows of a fit in batches, and what is known after those visited so far.

    Attributes
    ----------
    rows : array or CSR matrix
    weights : ndarray or None
    order : ndarray of shape (n_samples,)
        In which rows are visited, epoch after epoch.
    size : int
        Rows of a batch.
    state : RunningSums
        Of the rows visited, with their newest labels.
    labels : ndarray of shape (n_samples,), int32
        These labels; -1 for rows that count nowhere yet.
    random : RandomState
    n_threads : int
    """

    rows: Any
    weights: NDArray[np.float64] | None
    order: NDArray[np.int64]
    size: int
    state: RunningSums
    labels: NDArray[np.int32]
    random: np.random.RandomState
    n_threads: int

    def run(
        self, n_steps: int, stop: StopRule, light: LightClusters, say: Callable[[str], None]
    ) -> int:
        """Visit batches until the rule says stop; return their number."""
        for step in range(1, n_steps + 1):
            at = np.arange((step - 1) * self.size, step * self.size) % len(self.order)
            batch = np.sort(self.order[at])
            rows = self.rows[batch]
            weights = None if self.weights is None else self.weights[batch]
            mean_inertia = self._visit(rows, weights, batch)
            moved = light.look(self.state, rows, weights, self.random, self.n_threads)
            if moved is not None:
                say(MOVED)
                self.labels[self.labels == moved] = -1
            reason = stop.reason_to_stop(mean_inertia, self.state.move_centers())
            smoothed = f", ewa inertia: {stop.average}" if step > 1 else ""
            say(f"Minibatch step {step}/{n_steps}: mean batch inertia: {mean_inertia}{smoothed}")
            if reason is not None:
                say(f"Converged ({reason}) at step {step}/{n_steps}")
                break
        return step

    def _visit(
        self, rows: Any, weights: NDArray[np.float64] | None, batch: NDArray[np.int64]
    ) -> float:
        """Give the rows of a batch their labels; return their mean inertia before."""
        x = core_rows(rows)
        new = _core.assign(x, self.state.centers, self.n_threads)
        squares = _core.inertia(x, self.state.centers, new, weights, self.n_threads)
        old = self.labels[batch]
        is_moved = new != old
        is_known = is_moved & (old >= 0)
        for change, which, where in (
            (self.state.remove, is_known, old),
            (self.state.add, is_moved, new),
        ):
            if which.all():
                change(rows, weights, where)
            elif which.any():
                change(rows[which], None if weights is None else weights[which], where[which])
        self.labels[batch] = new
        total = float(len(batch) if weights is None else weights.sum())
        return squares / total if total else 0.0


def is_worth_an_iteration(rows: Any, n_clusters: int, n_first: int) -> bool:
    """Whether an iteration of Lloyd over all rows shall follow the batches.

    It costs a visit more than the labels do. The fewer first rows a cluster had, the longer early
    batches were labeled by wrong centers, and the more it gains: a fifth of clusters / first rows,
    or less, in every data set of the benchmark.
    """
    is_cheap = rows.size * n_clusters < _MOMENT
    return is_cheap or n_first < _ENOUGH_FIRST_ROWS * n_clusters


def visiting_order(
    n_samples: int, weights: NDArray[np.float64] | None, random: np.random.RandomState
) -> NDArray[np.int64]:
    """Rows in random order, those without weight last: no center starts from them."""
    order = random.permutation(n_samples).astype(np.int64, copy=False)
    if weights is None:
        return order
    return order[np.argsort(weights[order] == 0, kind="stable")]
