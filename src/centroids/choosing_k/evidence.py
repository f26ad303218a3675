"""Evidence on one set of rows: two sweeps, what was held out, and every criterion for every k."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.choosing_k.criteria import CURVE_CRITERIA, PARTITION_CRITERIA
from centroids.choosing_k.decide import rank
from centroids.choosing_k.partition import Partition, measure, measure_each, stacked
from centroids.choosing_k.spheres import are_alike_and_spherical
from centroids.choosing_k.sweep import Deadline, Fit, Sweep
from centroids.choosing_k.valleys import Valleys, valleys_of, valleys_of_each

__all__ = ["Evidence", "largest_k_max"]

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

FIRST_K_MAX = 20
# Criteria look at this range beyond the number of clusters that show valleys.
RANGE_FACTOR, RANGE_EXTRA, SMALLEST_RANGE = 1.4, 4, 12
# Runs from k-means++ when the second half places the centers.
N_CROSS_STARTS = 4
# With a smaller share of isolated clusters their largest number says nothing about K.
TELLING_SHARE = 0.25

# Beyond the range, every number this far apart is probed, with so many rows for each center; with
# a larger share of isolated clusters than this there are groups.
PROBE_FACTOR, PROBE_ROWS, PROBE_SHARE = 1.3, 60, 0.3
# A sweep that long costs a lot: beyond it, half of the clusters must be isolated.
LONG_RANGE, LONG_RANGE_SHARE = 100, 0.5


class Evidence:
    """Sweeps of all rows and of one half; the other half is only assigned.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows, checked.
    weights : ndarray of shape (n_samples,) or None
        Scaled to sum up to the effective number of rows.
    seed : int
    n_threads : int
    deadline : Deadline
    """

    def __init__(
        self,
        X: NDArray[Any],
        weights: Float64 | None,
        seed: int,
        n_threads: int,
        deadline: Deadline,
    ) -> None:
        self.X, self.weights, self.n_threads, self.deadline = X, weights, n_threads, deadline
        order = np.random.default_rng([seed, 1]).permutation(len(X))
        middle = (len(X) + 1) // 2
        placing = np.sort(order[:middle])
        held = np.sort(order[middle:]) if len(X) > 1 else placing
        self._held_rows = X[held]
        self._held_weights = None if weights is None else weights[held]
        self.full = Sweep(X, weights, seed, n_threads, deadline=deadline)
        self.half = Sweep(
            X[placing],
            None if weights is None else weights[placing],
            seed,
            n_threads,
            deadline=deadline,
            starts_afresh=False,
        )
        self.held: dict[int, Partition] = {}
        self.valleys: list[Valleys] = []
        self.held_valleys: list[Valleys] = []
        self._placed: dict[int, Fit] = {}
        self._table: dict[str, NDArray[Any]] | None = None

    @property
    def k_max(self) -> int:
        """Largest number of clusters with all the evidence."""
        return min(self.full.k_max, self.half.k_max)

    @property
    def n_clusters(self) -> Int64:
        """1, 2, …, `k_max`."""
        return np.arange(1, self.k_max + 1)

    def extend(self, k_max: int, report: Callable[[int, int], None]) -> None:
        """Sweep up to `k_max` clusters and measure what is new."""
        # In steps, so that a deadline leaves both sweeps about as long.
        while self.k_max < k_max:
            known = self.k_max
            target = k_max if self.deadline.left() is None else min(k_max, known + 5)
            self.full.extend(target)
            report(min(self.full.k_max, k_max), k_max)
            self.half.extend(self.full.k_max)
            if self.k_max == known or self.k_max < target:
                break
        ks = range(1, self.k_max + 1)
        self._measure_held(ks)
        self._stack = stacked(self.full.partitions(ks))
        self.valleys = valleys_of_each(self._stack)
        self.held_valleys = valleys_of_each(stacked([self.held[k] for k in ks]))
        self._table = None

    def _measure_held(self, ks: range) -> None:
        """Give the rows held out to the centers that the others placed, where those are new."""
        new = [k for k in ks if self._placed.get(k) is not self.half.fits[k]]
        self._placed |= {k: self.half.fits[k] for k in new}
        centers = [self._placed[k].centers for k in new]
        measured = measure_each(self._held_rows, centers, self._held_weights, self.n_threads)
        self.held |= zip(new, measured, strict=True)

    def grow(self, cap: int, report: Callable[[int, int], None]) -> None:
        """Sweep, and sweep further while the clusters with valleys reach into the end of the range.

        The number of isolated clusters rises until every group has its own center. Where it is
        highest, with a margin, is where criteria are worth asking.
        """
        self.extend(min(cap, FIRST_K_MAX), report)
        if (far := self._probe(cap)) > self.k_max:
            self.extend(min(cap, self._range_around(far)), report)
        while not self.deadline.has_passed():
            wanted = min(cap, max(self.range_worth_asking(), self._range_beyond_best()))
            if wanted > LONG_RANGE and self._largest_share() < LONG_RANGE_SHARE:
                wanted = min(wanted, LONG_RANGE)
            if wanted <= self.k_max or self.k_max < min(cap, FIRST_K_MAX):
                return
            known = self.k_max
            self.extend(wanted, report)
            if self.k_max < wanted or self.k_max == known:
                return

    def _largest_share(self) -> float:
        """Largest share of isolated clusters in the second half of the range."""
        counts = np.array([[v.n_isolated for v in vs] for vs in (self.valleys, self.held_valleys)])
        return float((counts.mean(axis=0) / self.n_clusters)[self.k_max // 2 :].max())

    def _probe(self, cap: int) -> int:
        """Look beyond the range for dozens of groups; 0 when there is no sign of them.

        Crowded groups show no valleys before nearly all of them have a center of their own, so one
        run from k-means++ at numbers some way apart is asked how many clusters are isolated.
        """
        best, largest = 0, PROBE_SHARE
        k = PROBE_FACTOR * self.k_max
        while k <= cap and not self.deadline.has_passed():
            centers = self.half.probe(int(k), PROBE_ROWS * int(k))
            held = measure(self._held_rows, centers, self._held_weights, self.n_threads)
            share = valleys_of(held).n_isolated / int(k)
            if share > largest:
                best, largest = int(k), share
            k *= PROBE_FACTOR
        return best

    def _range_beyond_best(self) -> int:
        """Half as far again where the best score lies in the last third, and clusters show."""
        best = rank(self.table(), self.k_max, self.is_spherical).best
        shown = self.valleys[best - 1].n_isolated + self.held_valleys[best - 1].n_isolated
        is_near_the_end = 3 * best > 2 * self.k_max and shown >= 2 * TELLING_SHARE * best
        return int(np.ceil(1.5 * self.k_max)) if is_near_the_end else self.k_max

    def range_worth_asking(self) -> int:
        """Largest k at which criteria should look."""
        last = 0
        for valleys in (self.valleys, self.held_valleys):
            isolated = np.array([v.n_isolated for v in valleys])
            k = int(self.n_clusters[np.argmax(isolated)])
            if isolated.max() >= TELLING_SHARE * k:
                last = max(last, k)
        return max(SMALLEST_RANGE, self._range_around(last))

    @staticmethod
    def _range_around(k: int) -> int:
        return int(np.ceil(RANGE_FACTOR * k + RANGE_EXTRA))

    def is_spherical(self, k: int) -> bool:
        """Whether the clusters at k are alike and spherical, as `spherical_bic` supposes."""
        return are_alike_and_spherical(self.full.partition(k))

    def crossed_valleys(self, k: int) -> list[Valleys]:
        """Give the valleys at k of one half, then of the other, each with rows held out."""
        valleys = self.held_valleys[k - 1]
        rows, weights = self._held_rows, self._held_weights
        if k > len(rows) or len(rows) < 2:
            return [valleys]
        other = Sweep(rows, weights, self.full.seed, self.n_threads, self.deadline)
        centers = other.best_of(k, N_CROSS_STARTS)
        back = measure(self.half.X, centers, self.half.weights, self.n_threads)
        return [valleys, valleys_of(back)]

    def table(self) -> dict[str, NDArray[Any]]:
        """Give inertia, held-out inertia, criteria and isolated clusters, one row per k."""
        if self._table is None:
            self._table = self._make_table()
        return self._table

    def _make_table(self) -> dict[str, NDArray[Any]]:
        ks, stack = self.n_clusters, self._stack
        inertia = stack.inertia
        held = [self.held[k] for k in ks.tolist()]
        columns: dict[str, NDArray[Any]] = {
            "n_clusters": ks,
            "inertia": inertia,
            "held_out_inertia": np.array([p.inertia / p.weight for p in held]) * stack.weight,
        }
        for name, criterion in PARTITION_CRITERIA.items():
            columns[name] = np.where(ks >= criterion.from_k, criterion(stack), np.nan)
        for name, criterion in CURVE_CRITERIA.items():
            columns[name] = np.asarray(criterion(inertia, stack.n_features))
        columns["isolated"] = np.array([v.n_isolated for v in self.valleys])
        columns["isolated_held_out"] = np.array([v.n_isolated for v in self.held_valleys])
        return columns


def largest_k_max(n_samples: int) -> int:
    """Return the largest number of clusters worth trying: ten rows each, or a few of small data."""
    return max(n_samples // 10, min(n_samples // 3, 10), 1)
