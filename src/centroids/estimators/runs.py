"""From parameters to runs of the core: starts, restarts, progress, interruption. No maths."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array, check_random_state

from centroids import _core
from centroids.rows.sparse import to_dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from centroids.estimators.metrics import Metric

logger = logging.getLogger("centroids")


@dataclass(frozen=True)
class FitState:
    """What a ``callback`` is told after each iteration.

    Attributes
    ----------
    run : int
        Which of the ``n_init`` runs, from 1.
    iteration : int
        From 1 in each run.
    inertia : float
        Sum of squared distances of the rows to the centers they were just compared with.
    center_shift : float
        Sum of squared distances between the old and the new centers.
    share_moved : float
        Share of the rows that changed their cluster, between 0 and 1.
    centers : ndarray of shape (n_clusters, n_features), float64
        The centers the rows were just compared with: in the first iteration those of the seeding.
        A copy, yours to keep. Late in a seeded run clusters may be renumbered.
    """

    run: int
    iteration: int
    inertia: float
    center_shift: float
    share_moved: float
    centers: NDArray[np.float64] = field(repr=False, compare=False)


MOST_ITERATIONS = 2**62
"""What the core can count to."""

# Relative: runs whose inertia differs by less ended in the same optimum, short of a few rows.
_SAME_OPTIMUM = 1e-4


@dataclass(frozen=True)
class RunSettings:
    """Settings shared by the runs of one fit.

    Attributes
    ----------
    tol : float
        Absolute: the sum of squared center shifts at which to stop.
    deadline : float or None
        When `time.monotonic` has passed it, all runs together end.
    """

    n_clusters: int
    init: Any
    n_init: int
    algorithm: str
    max_iter: int
    tol: float
    deadline: float | None
    verbose: int
    callback: Callable[[FitState], Any] | None
    metric: Metric
    search: str | None


@dataclass(frozen=True)
class Start:
    """How one run gets its first centers: given ones, or a seeding method with a seed."""

    centers: NDArray[np.float64] | None = None
    seeding: str = "k-means++"
    seed: int = 0


def run_best(
    problem: _core.Problem | _core.SparseProblem | _core.PartsProblem,
    X: Any,
    settings: RunSettings,
    random_state: Any,
) -> _core.Run:
    """Run ``settings.n_init`` times and return the run with the lowest inertia.

    A run that was cut short (time, signal, exception in the callback) is the last one; the
    exception stands in the returned run, for the caller to raise when the model is stored.
    """
    deadline = settings.deadline
    best: _core.Run | None = None
    restarts: list[float] = []
    try:
        for number, start in enumerate(_starts(X, settings, random_state), start=1):
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if settings.verbose:
                print("Initialization complete")  # noqa: T201
            run = run_from(problem, start, settings, number, left, X.shape[0])
            restarts.append(run["inertia"])
            if best is None or run["inertia"] < best["inertia"]:
                best = run
            if run["exception"] is not None or run["timed_out"]:
                best["exception"], best["timed_out"] = run["exception"], run["timed_out"]
                break
    except BaseException as exception:
        # Ctrl-C or another signal between two starts ends the fit as it does within one.
        if best is None:
            raise
        best["exception"] = exception
    assert best is not None  # n_init is at least 1
    best["restarts"] = restarts
    if settings.verbose and len(restarts) > 1:
        n_best = sum(inertia <= best["inertia"] * (1 + _SAME_OPTIMUM) for inertia in restarts)
        print(f"Inertia {best['inertia']}: best found in {n_best} of {len(restarts)} starts.")  # noqa: T201
    return best


def run_from(
    problem: _core.Problem | _core.SparseProblem | _core.PartsProblem,
    start: Start,
    settings: RunSettings,
    number: int,
    max_time: float | None,
    n_samples: int,
) -> _core.Run:
    """Run once; what cut it short stands in the returned run."""
    run = problem.fit(
        settings.n_clusters,
        start.centers,
        start.seeding,
        start.seed,
        settings.algorithm,
        settings.max_iter,
        settings.tol,
        max_time,
        _reporter(settings, number, n_samples),
        settings.metric.unit_centers,
        settings.search,
    )
    run["inertia"] *= settings.metric.inertia_scale
    run["history"][:, 0] *= settings.metric.inertia_scale
    _log_end(settings, run, number)
    return run


def deadline_after(seconds: float | None) -> float | None:
    """Return the deadline of a fit that begins now, or None without a limit."""
    return None if seconds is None else time.monotonic() + seconds


def completed(run: _core.Run) -> _core.Run:
    """Return a run, or raise what cut it short: Ctrl-C, or an exception of the callback."""
    if run["exception"] is not None:
        raise run["exception"]
    return run


def run_plain(
    problem: _core.Problem | _core.SparseProblem,
    n_clusters: int,
    start: Start,
    *,
    max_iter: int,
    tol: float = 0.0,
    max_time: float | None = None,
    algorithm: str = "auto",
    number_by_size: bool | None = None,
) -> _core.Run:
    """Run Lloyd's algorithm alone, without search and in silence, as a step towards a model.

    Unless ``number_by_size`` says otherwise, given centers keep their order, and the clusters of
    others are numbered by size.
    """
    run = problem.fit(
        n_clusters, start.centers, start.seeding, start.seed, algorithm, max_iter, tol, max_time,
        on_iteration=None, number_by_size=number_by_size,
    )  # fmt: skip
    return completed(run)


def _starts(X: NDArray[Any], settings: RunSettings, random_state: Any) -> Iterator[Start]:
    """Yield the start of each run; each draws from ``random_state`` when its turn comes."""
    init, k = settings.init, settings.n_clusters
    if isinstance(init, str):
        for seed in islice(seeds_of(random_state), settings.n_init):
            yield Start(seeding=init, seed=seed)
    elif callable(init):
        random = check_random_state(random_state)
        for _ in range(settings.n_init):
            yield Start(_given(init(X, k, random_state=random), X, settings))
    else:
        yield Start(_given(init, X, settings))


def _given(init: Any, X: Any, settings: RunSettings) -> NDArray[np.float64]:
    centers = check_init(init, X, settings.n_clusters)
    if not settings.metric.unit_centers:
        return centers
    unit, first_without = _core.unit_rows(centers, 1)
    if first_without >= 0:
        raise ValueError(
            f"init has only zeros in row {first_without} (counted from 0): with metric='cosine' a "
            "center needs a direction."
        )
    return unit


def seeds_of(random_state: Any) -> Iterator[int]:
    """Yield 64-bit seeds: run r of an int seed s has s * 2**32 + r, others are drawn."""
    if isinstance(random_state, Integral):
        yield from count(int(random_state) << 32)
    random = check_random_state(random_state)
    while True:
        high, low = random.randint(0, 2**32, size=2, dtype=np.uint64)
        yield int(high) << 32 | int(low)


def is_given(init: Any) -> bool:
    """Whether first centers are given, and neither drawn by a method nor made by a callable."""
    return not isinstance(init, str) and not callable(init)


def warn_of_starts(estimator: Any) -> None:
    """One message when several runs are asked for from centers that are given."""
    if is_given(estimator.init) and estimator.n_init not in ("auto", 1):
        warnings.warn(
            "Explicit initial center position passed: performing only one init in "
            f"{type(estimator).__name__} instead of n_init={estimator.n_init}.",
            RuntimeWarning,
            stacklevel=3,
        )


def check_init(init: Any, X: Any, n_clusters: int) -> NDArray[np.float64]:
    """Return given first centers as float64 values of X's precision, of the right shape."""
    centers = check_array(to_dense(init), dtype=X.dtype, order="C", input_name="init")
    if centers.shape[0] != n_clusters:
        raise ValueError(
            f"The shape of the initial centers {centers.shape} does not match the number of "
            f"clusters {n_clusters}."
        )
    if centers.shape[1] != X.shape[1]:
        raise ValueError(
            f"The shape of the initial centers {centers.shape} does not match the number of "
            f"features of the data {X.shape[1]}."
        )
    return np.asarray(centers, dtype=np.float64)


def _reporter(
    settings: RunSettings, run: int, n_samples: int
) -> Callable[[int, float, float, int, NDArray[np.float64]], None] | None:
    """Return what the core calls after each iteration, or None if nobody listens."""
    callback, verbose = settings.callback, settings.verbose
    if callback is None and not verbose and not logger.isEnabledFor(logging.DEBUG):
        return None

    def report(
        iteration: int,
        squares: float,
        center_shift: float,
        n_changed: int,
        centers: NDArray[np.float64],
    ) -> None:
        inertia = squares * settings.metric.inertia_scale
        if verbose:
            print(f"Iteration {iteration - 1}, inertia {inertia}.")  # noqa: T201
        logger.debug(
            "run %d, iteration %d: inertia %.9g, center shift %.3g, %d rows moved",
            run, iteration, inertia, center_shift, n_changed,
        )  # fmt: skip
        if callback is not None:
            share_moved = n_changed / n_samples
            callback(FitState(run, iteration, inertia, center_shift, share_moved, centers))

    return report


def _log_end(settings: RunSettings, run: _core.Run, number: int) -> None:
    if settings.verbose and run["converged"]:
        _, center_shift, n_changed = run["history"][-1]
        reason = (
            "strict convergence"
            if n_changed == 0
            else f"center shift {center_shift} within tolerance {settings.tol}"
        )
        print(f"Converged at iteration {run['n_iter'] - 1}: {reason}.")  # noqa: T201
    logger.info(
        "run %d: inertia %.9g after %d iterations%s",
        number, run["inertia"], run["n_iter"], "" if run["converged"] else ", not converged",
    )  # fmt: skip


def store_run(model: Any, run: _core.Run, dtype: np.dtype[Any]) -> None:
    """Give a model what a run has found, also one that was cut short (`completed`)."""
    model.cluster_centers_ = run["centers"].astype(dtype, copy=False)
    model.labels_ = run["labels"]
    model.inertia_ = run["inertia"]
    model.restarts_ = np.array(run["restarts"])
    model.n_iter_ = run["n_iter"]
    model.counts_ = run["counts"]
    model.has_timed_out_ = run["timed_out"]
    inertia, center_shift, n_changed = run["history"].T.tolist() or ([], [], [])
    model.history_ = {
        "inertia": inertia,
        "center_shift": center_shift,
        "n_changed": [int(n) for n in n_changed],
    }
    model._n_features_out = model.cluster_centers_.shape[0]


def warn_of_empty(counts: NDArray[np.int64], n_clusters: int) -> None:
    """One message when there were fewer distinct rows than clusters."""
    n_found = int(np.count_nonzero(counts))
    if n_found < n_clusters:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"Number of distinct clusters ({n_found}) found smaller than n_clusters "
            f"({n_clusters}). Possibly due to duplicate points in X.",
            ConvergenceWarning,
            stacklevel=3,
        )
