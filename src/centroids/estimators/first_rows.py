"""Lloyd's algorithm on the first rows of mini-batches: where the centers start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.estimators.runs import RunSettings, completed, run_best
from centroids.rows.sparse import new_problem

if TYPE_CHECKING:
    from centroids.estimators.metrics import Metric

# Fewer rows a cluster than this say little about where centers are missing.
_ROWS_PER_CLUSTER_TO_SEARCH = 4
# A search from these rows takes some 200 visits of them, unless the core grants it less: about 40,
# or 1e9 multiply-adds if that is more. One of 5e8 is over in a moment.
_VISITS_TO_SEARCH, _VISITS_GRANTED, _LEAST_GRANTED = 200, 40, 1e9
_MOMENT = 5e8
# Lloyd stops when the centers move by less than this share of what a sample of so many rows leaves
# unknown about them: the batches know better.
_SHARE_OF_NOISE = 0.01


@dataclass(frozen=True)
class FirstRuns:
    """How the first rows are clustered: parameters of the estimator, resolved."""

    n_clusters: int
    init: Any
    n_init: int
    max_iter: int
    metric: Metric
    n_threads: int


def cluster_first_rows(
    rows: Any,
    weights: NDArray[np.float64] | None,
    runs: FirstRuns,
    n_samples: int,
    random: np.random.RandomState,
) -> _core.Run:
    """Return the best of some runs of Lloyd's algorithm on a few rows of ``n_samples``.

    Local search follows where these are rows enough to tell good places from bad ones, since
    batches refine centers but hardly ever move one to another part of the data; and where it costs
    no more than a visit of all rows.
    """
    problem = new_problem(rows, weights, runs.n_threads)
    settings = RunSettings(
        n_clusters=runs.n_clusters,
        init=runs.init,
        n_init=runs.n_init,
        algorithm="auto",
        max_iter=runs.max_iter,
        tol=_tolerance(rows, runs.n_clusters, problem.mean_variance),
        deadline=None,
        verbose=0,
        callback=None,
        metric=runs.metric,
        search="auto" if _is_worth_searching(rows, runs, n_samples) else None,
    )
    return completed(run_best(problem, rows, settings, random))


def _tolerance(rows: Any, n_clusters: int, mean_variance: float) -> float:
    """Sum of squared center shifts that is small beside the centers' own uncertainty.

    A center of n rows is off by their variance / n, summed over the columns; a cluster has
    n_rows / n_clusters rows, and its variance is at most that of all rows.
    """
    n_rows, n_features = map(int, rows.shape)
    noise = n_features * mean_variance * n_clusters**2 / n_rows
    return max(1e-4 * mean_variance, _SHARE_OF_NOISE * noise)


def _is_worth_searching(rows: Any, runs: FirstRuns, n_samples: int) -> bool:
    n_rows, n_features = map(int, rows.shape)
    if not isinstance(runs.init, str):
        return False
    if n_rows < _ROWS_PER_CLUSTER_TO_SEARCH * runs.n_clusters:
        return False
    row = float(n_features * runs.n_clusters)  # multiply-adds of a visit
    visit = n_rows * row
    search = min(_VISITS_TO_SEARCH * visit, max(_VISITS_GRANTED * visit, _LEAST_GRANTED))
    return search <= max(n_samples * row, _MOMENT)
