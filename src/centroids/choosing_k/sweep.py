"""The sweep: the best partition found for every number of clusters. Data only, no opinions.

The core sweeps (core/sweep), and gives what later starts are made of; what criteria need is
measured once per kept partition.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.choosing_k.partition import Partition, measure_each
from centroids.estimators.runs import Start, run_plain

__all__ = ["Deadline", "Fit", "Sweep", "cheapest_neighbours"]

Float64 = NDArray[np.float64]

MAX_ITER = 300
PROBE_ITER = 10
RELATIVE_TOL = 1e-4


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
        self._core = _core.Sweep(self._problem, self.starts_afresh, self.seed, MAX_ITER, self._tol)
        self._random = np.random.default_rng([self.seed, self.X.shape[0]])
        # Numbers that choose the center added to k clusters, at place k: 4 + 2 log(k + 1) rows are
        # compared, as in greedy k-means++ (Arthur & Vassilvitskii 2007).
        self._draws = [np.zeros(1)]
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
        return self.partitions(range(k, k + 1))[0]

    def partitions(self, ks: range) -> list[Partition]:
        """Measure the best partition for each of these numbers of clusters."""
        unknown = [
            k for k in ks if k not in self._partitions or self._partitions[k][0] is not self.fits[k]
        ]
        if unknown:
            fits = [self.fits[k] for k in unknown]
            measured = measure_each(
                self.X,
                [fit.centers for fit in fits],
                self.weights,
                self.n_threads,
                [fit.weights for fit in fits],
            )
            self._partitions |= zip(unknown, zip(fits, measured, strict=True), strict=True)
        return [self._partitions[k][1] for k in ks]

    def extend(self, k_max: int) -> None:
        """Sweep up to `k_max` clusters; what is known already is kept or improved.

        Stops early when every row lies on a center, or when the time is over.
        """
        for k in range(len(self._draws), k_max):
            self._draws.append(self._random.random(4 + int(2 * np.log(k + 1))))
        left = 0.0 if self.deadline.has_passed() else self.deadline.left()
        changed, has_timed_out = self._core.extend(k_max, self._draws, left)
        if has_timed_out:
            self.deadline.has_ended_something = True
        for fit in map(Fit._make, changed):
            self.fits[len(fit.centers)] = fit

    def best_of(self, k: int, n_starts: int) -> Float64:
        """Return the centers of the best of some runs from k-means++, whatever was swept."""
        first = self.seed + 1_000_003 * k
        runs = [
            self._run(self._problem, k, seed, MAX_ITER) for seed in range(first, first + n_starts)
        ]
        return min(runs, key=lambda run: run["inertia"])["centers"]

    def probe(self, k: int, n_rows: int) -> Float64:
        """Return the centers of one short run from k-means++, of some of the rows at most."""
        step = max(1, len(self.X) // n_rows)
        weights = None if self.weights is None else self.weights[::step]
        problem = _core.Problem(self.X[::step], weights, self.n_threads)
        return self._run(problem, k, self.seed + k, PROBE_ITER)["centers"]

    def _run(self, problem: _core.Problem, k: int, seed: int, max_iter: int) -> _core.Run:
        return run_plain(
            problem, k, Start(seed=seed),
            max_iter=max_iter, tol=self._tol, max_time=self.deadline.left(),
        )  # fmt: skip


def cheapest_neighbours(partition: Partition) -> int:
    """Find the pair of neighbouring clusters whose union adds least to the inertia: its place."""
    w, (i, j) = partition.weights, partition.pairs.T
    together = np.maximum(w[i] + w[j], np.finfo(np.float64).tiny)
    cost = w[i] * w[j] / together * partition.squared_center_distances[i, j]
    return int(np.argmin(cost))
