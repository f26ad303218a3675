"""The sweep: the best partition found for every number of clusters. Data only, no opinions.

Every step goes through the loop of the core. A new number of clusters starts from the one below
with a center added, from k-means++, and on the way back from the one above with two clusters
merged; the lowest inertia is kept. What criteria need is measured once per kept partition.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.choosing_k.partition import Partition, measure
from centroids.estimators.runs import completed

__all__ = ["Deadline", "Fit", "Sweep", "cheapest_neighbours"]

Float64 = NDArray[np.float64]

MAX_ITER = 300
PROBE_ITER = 10
RELATIVE_TOL = 1e-4

# A merged start whose inertia, before any iteration, exceeds the best known by more than this
# hardly ever ends below it.
WORTH_MERGING = 1.10


class Deadline:
    """The moment after which nothing new is started.

    Attributes
    ----------
    has_ended_something : bool
        Whether somebody asked too late and left something out.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self.has_ended_something = False

    def left(self) -> float | None:
        """Seconds left, at least a little; None without a limit."""
        return None if self._end is None else max(1e-3, self._end - time.monotonic())

    def has_passed(self) -> bool:
        """Whether the time is over, so that who asks starts nothing new."""
        if self._end is None or time.monotonic() < self._end:
            return False
        self.has_ended_something = True
        return True


class Fit(NamedTuple):
    """One converged run: what later starts are made of."""

    centers: Float64
    weights: Float64
    inertia: float


@dataclass(eq=False)
class Sweep:
    """Fits for 1, 2, … clusters of the same rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows, checked.
    weights : ndarray of shape (n_samples,) or None
    seed : int
        Seed of every draw.
    n_threads : int
    deadline : Deadline
    starts_afresh : bool
        Whether each number of clusters is also started from k-means++, besides from its neighbours.

    Attributes
    ----------
    fits : dict of int to Fit
        The best fit known for each number of clusters, 1 up to `k_max`.
    """

    X: NDArray[Any]
    weights: Float64 | None
    seed: int
    n_threads: int
    deadline: Deadline = field(default_factory=lambda: Deadline(None))
    starts_afresh: bool = True
    fits: dict[int, Fit] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._problem = _core.Problem(self.X, self.weights, self.n_threads)
        self._tol = RELATIVE_TOL * self._problem.mean_variance
        self._random = np.random.default_rng([self.seed, self.X.shape[0]])
        self._partitions: dict[int, tuple[Fit, Partition]] = {}

    @property
    def k_max(self) -> int:
        """Largest number of clusters swept so far."""
        return len(self.fits)

    @property
    def inertias(self) -> Float64:
        """Inertia for 1, 2, …, `k_max` clusters."""
        return np.array([self.fits[k].inertia for k in range(1, self.k_max + 1)])

    def partition(self, k: int) -> Partition:
        """Measure the best partition into k clusters; each row is seen without its own pull."""
        known = self._partitions.get(k)
        fit = self.fits[k]
        if known is None or known[0] is not fit:
            measured = measure(self.X, fit.centers, self.weights, self.n_threads, fit.weights)
            known = self._partitions[k] = (fit, measured)
        return known[1]

    def extend(self, k_max: int) -> None:
        """Sweep up to `k_max` clusters; what is known already is kept or improved.

        Stops early when every row lies on a center, or when the time is over.
        """
        known = self.k_max
        while self.k_max < k_max and (self.k_max == 0 or not self.deadline.has_passed()):
            if not self._add_next(self.k_max + 1):
                break
        self._merge_down(known)
        self._repair()

    def best_of(self, k: int, n_starts: int) -> Float64:
        """Return the centers of the best of some runs from k-means++, whatever was swept."""
        runs = [self._fit(k, None, start) for start in range(n_starts)]
        return min(runs, key=_inertia)["centers"]

    def probe(self, k: int, n_rows: int) -> Float64:
        """Return the centers of one short run from k-means++, of some of the rows at most."""
        step = max(1, len(self.X) // n_rows)
        weights = None if self.weights is None else self.weights[::step]
        problem = _core.Problem(self.X[::step], weights, self.n_threads)
        left = self.deadline.left()
        run = problem.fit(
            k, None, "k-means++", self.seed + k, "auto", PROBE_ITER, self._tol, left, None
        )
        return completed(run)["centers"]

    def _add_next(self, k: int) -> bool:
        if k == 1:
            self._keep(self._fit(1, None))
            return True
        # With very different weights, rounding may leave rows off their own centers.
        start = None if k > len(self.X) else self._split(k - 1)
        if start is None:
            return False
        run = self._fit(k, start)
        if self.starts_afresh:
            run = min(run, self._fit(k, None), key=_inertia)
        if not run["counts"].all():
            return False  # fewer distinct rows than clusters
        self._keep(run)
        return True

    def _split(self, k: int) -> Float64 | None:
        """Centers of k clusters and one more, the best of some rows drawn by squared distance.

        One step of greedy k-means++ (Arthur & Vassilvitskii 2007) from a converged partition;
        None when every row lies on a center.
        """
        centers = self.fits[k].centers
        draws = self._random.random(4 + int(2 * np.log(k + 1)))
        row = _core.next_center(self.X, self.weights, centers, draws, self.n_threads)
        return None if row is None else np.concatenate([centers, self.X[row : row + 1]])

    def _merge_down(self, known: int) -> None:
        """Start each number of clusters from the one above, its cheapest pair merged."""
        for k in range(self.k_max - 1, 1, -1):
            if self.deadline.has_passed():
                return
            centers, inertia = merged(self.fits[k + 1])
            is_better = False
            if inertia <= WORTH_MERGING * self.fits[k].inertia:
                run = self._fit(k, centers)
                is_better = run["inertia"] < self.fits[k].inertia and bool(run["counts"].all())
                if is_better:
                    self._keep(run)
            if k <= known and not is_better:
                return  # below, everything starts as it did before

    def _repair(self) -> None:
        """Make the inertia fall strictly: where it does not, split the better partition below."""
        for k in range(2, self.k_max + 1):
            if self.fits[k].inertia >= self.fits[k - 1].inertia:
                start = self._split(k - 1)
                run = None if start is None else self._fit(k, start)
                if run is not None and run["inertia"] < self.fits[k].inertia:
                    self._keep(run)

    def _fit(self, k: int, init: Float64 | None, start: int = 0) -> _core.Run:
        seed = self.seed + 1_000_003 * k + start
        left = self.deadline.left()
        run = self._problem.fit(k, init, "k-means++", seed, "auto", MAX_ITER, self._tol, left, None)
        return completed(run)

    def _keep(self, run: _core.Run) -> None:
        k = len(run["centers"])
        weights = (
            run["counts"].astype(np.float64)
            if self.weights is None
            else np.bincount(run["labels"], self.weights, minlength=k).astype(np.float64)
        )
        self.fits[k] = Fit(run["centers"], weights, run["inertia"])


def merged(fit: Fit) -> tuple[Float64, float]:
    """Merge the pair of clusters that costs least, and give the inertia then."""
    w = fit.weights
    i, j, cost = _core.cheapest_merge(fit.centers, w)
    mean = (w[i] * fit.centers[i] + w[j] * fit.centers[j]) / (w[i] + w[j])
    centers = np.concatenate([fit.centers[:j], fit.centers[j + 1 :]])
    centers[i] = mean
    return centers, fit.inertia + cost


def cheapest_neighbours(partition: Partition) -> int:
    """Find the pair of neighbouring clusters whose union adds least to the inertia: its place."""
    w, (i, j) = partition.weights, partition.pairs.T
    together = np.maximum(w[i] + w[j], np.finfo(np.float64).tiny)
    cost = w[i] * w[j] / together * partition.squared_center_distances[i, j]
    return int(np.argmin(cost))


def _inertia(run: _core.Run) -> float:
    return run["inertia"]
