"""`choose_k`: rows in, a number of clusters with its evidence out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from centroids import _core
from centroids.choosing_k.cautions import cautions_of
from centroids.choosing_k.clouds import principal_axes
from centroids.choosing_k.decide import (
    MODEL_VOTER,
    Ranking,
    merge_rankings,
    needs_all_rows,
    prefer_split,
    rank,
    second_level,
    settle,
    verdict_of,
)
from centroids.choosing_k.evidence import Evidence, largest_k_max
from centroids.choosing_k.gate import Gate, look_for_structure
from centroids.choosing_k.partition import Partition, measure
from centroids.choosing_k.result import KChoice
from centroids.choosing_k.sweep import Deadline, Fit, cheapest_neighbours
from centroids.choosing_k.valleys import (
    Valley,
    Valleys,
    list_valleys,
    valley_of_pair,
    valleys_of,
)
from centroids.estimators import parameters as rule
from centroids.estimators.kmeans import KMeans
from centroids.rows.arrays import check_rows, check_sample_weight, checked_problem
from centroids.rows.sparse import is_sparse
from centroids.rows.threads import n_threads as resolve_threads

__all__ = ["choose_k"]

Float64 = NDArray[np.float64]

# A sample shows at least 50 rows of a cluster of this share with probability 99 %:
# m >= (50 + sqrt(100 ln 100) + ln 100) / share, from Chernoff's bound.
SMALLEST_SHARE = 0.005
SAMPLE_ROWS = 15_220
# Up to here all rows are used.
ALL_ROWS = 20_000
MAX_SAMPLES = 3
# Rows that the spread along the principal axes is taken from.
SPREAD_ROWS = 5_000
# Part of max_time for the evidence; the rest is for the final fit.
EVIDENCE_SHARE = 0.8

_RULES = {
    "k_max": rule.either(rule.NONE, rule.integer_from(1)),
    "random_state": rule.RANDOM_STATE,
    "n_jobs": rule.N_JOBS,
    "max_time": rule.either(rule.NONE, rule.POSITIVE),
    "callback": rule.either(rule.NONE, rule.CALLABLE),
}


@dataclass(frozen=True)
class _Options:
    """Parameters of one call, under the names users know."""

    k_max: int | None
    random_state: int | np.random.RandomState | None
    n_jobs: int | None
    max_time: float | None
    callback: Callable[[int, int], Any] | None
    feature_names: Sequence[str] | None


def choose_k(
    X: ArrayLike,
    *,
    k_max: int | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    max_time: float | None = None,
    callback: Callable[[int, int], Any] | None = None,
    feature_names: Sequence[str] | None = None,
) -> KChoice:
    """Choose the number of clusters for K-Means, with evidence and doubt.

    Fits every number of clusters up to a limit that grows as needed, lets criteria vote, counts the
    clusters that a valley of the density separates from all their neighbours, also on rows that had
    no part in placing the centers, and asks whether there are clusters at all.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows. More than 20,000 are sampled: see `KChoice.n_samples_used`.
    k_max : int or None, default=None
        Largest number of clusters to try. None: grows while clusters with valleys are found, at
        most to a tenth of the rows.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row, not negative; only their proportions matter.
    random_state : int, RandomState instance or None, default=None
        An int gives the same choice every time, for every `n_jobs`.
    n_jobs : int or None, default=None
        Most threads to use, as in `KMeans`.
    max_time : float or None, default=None
        Seconds after which to answer with what is known so far.
    callback : callable or None, default=None
        Called as ``callback(n_done, k_max)`` while numbers of clusters are tried.
    feature_names : sequence of str or None, default=None
        Names of the columns, for `KChoice.cautions`; None: those of a data frame, else numbers.

    Returns
    -------
    KChoice
        The number of clusters (1: no clusters found), a verdict, the evidence, a fitted model.

    Raises
    ------
    ValueError
        When a parameter breaks its rule, or X holds NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from centroids import choose_k
    >>> random = np.random.default_rng(0)
    >>> X = np.repeat([[0, 0], [9, 0], [0, 9]], 60, axis=0) + random.normal(size=(180, 2))
    >>> choice = choose_k(X, random_state=0)
    >>> choice.k, choice.verdict
    (3, 'clear')
    """
    options = _Options(k_max, random_state, n_jobs, max_time, callback, feature_names)
    rule.check_arguments("choose_k", vars(options), _RULES)
    deadline = Deadline(max_time)
    holder = KMeans(n_jobs=n_jobs)
    rows = check_rows(holder, X, reset=True)
    if is_sparse(rows):
        raise NotImplementedError(
            "Choosing K is for dense rows so far: give the number of clusters, or X as a dense "
            "array, perhaps of a few columns from sklearn.decomposition.TruncatedSVD."
        )
    weights = check_sample_weight(sample_weight, rows.shape[0])
    if feature_names is not None and len(feature_names) != rows.shape[1]:
        raise ValueError(
            f"feature_names has {len(feature_names)} names, X has {rows.shape[1]} columns."
        )
    threads = resolve_threads(n_jobs, rows.size * 16.0)
    checked_problem(holder, rows, None, threads)
    chooser = _Chooser(rows, weights, options, threads, deadline)
    return chooser.choose(X)


class _Chooser:
    """One choice: samples → evidence → ranking → gate → final fit → `KChoice`."""

    def __init__(
        self,
        X: NDArray[Any],
        weights: Float64 | None,
        options: _Options,
        threads: int,
        deadline: Deadline,
    ) -> None:
        self.X, self.weights, self.options, self.threads = X, weights, options, threads
        self.deadline = deadline
        self.seed = int(check_random_state(options.random_state).randint(2**31))
        # What turns weights into an effective number of rows (Kish 1965).
        self.per_weight = 1.0 if weights is None else weights.sum() / np.square(weights).sum()

    def choose(self, given: ArrayLike) -> KChoice:
        """Make the choice; `given` is X as the caller gave it, with its column names."""
        samples = self._samples()
        evidences = [self._evidence(rows, i) for i, rows in enumerate(samples)]
        rankings = [self._ranking(e) for e in evidences]
        ranking = merge_rankings(rankings)
        first = evidences[0]
        n_used, n_counting = sum(map(len, samples)), self._n_counting()
        if n_used < n_counting:
            ranking = self._settle(ranking, first, given)
        forced = min(ranking.best, first.k_max)
        gate = self._gate(evidences, forced, ranking.preferred[MODEL_VOTER] == forced)
        agree = [r.best for r in rankings]
        is_sure = all(k == forced for k in agree)
        verdict = verdict_of(ranking, is_sure) if gate.has_clusters else "no clusters"
        estimator = self._final_fit(given, first.full.fits[forced])
        partition = self._measure_final(estimator)
        valleys = valleys_of(partition)
        table = self._table(first, ranking)
        return KChoice(
            k=forced if gate.has_clusters else 1,
            k_if_forced=forced,
            runner_up=_runner_up(ranking) if forced > 1 else None,
            verdict=verdict,
            margin=ranking.margin,
            table=table,
            preferred=ranking.preferred,
            valleys=list_valleys(valleys),
            merge=_valley_between(partition, valleys),
            split=_split_valley(first, forced),
            gate=gate,
            estimator=estimator,
            n_samples=len(self.X),
            n_samples_used=n_used,
            choices_by_sample=agree,
            is_settled_on_all_rows=ranking.is_settled,
            smallest_share=SMALLEST_SHARE if n_used < n_counting else None,
            # The evidence has a limit of its own, which may have cut it short with time left.
            has_timed_out=self.deadline.has_passed()
            or any(e.deadline.has_ended_something for e in evidences),
            cautions=cautions_of(
                first.X, estimator, table, self.options.k_max, self._names(estimator)
            ),
            spread=principal_axes(first.X[:: max(1, len(first.X) // SPREAD_ROWS)])[0],
        )

    def _names(self, estimator: KMeans) -> list[str] | None:
        names = self.options.feature_names
        names = getattr(estimator, "feature_names_in_", None) if names is None else names
        return None if names is None else [str(name) for name in names]

    def _n_counting(self) -> int:
        return len(self.X) if self.weights is None else int(np.count_nonzero(self.weights))

    def _samples(self) -> list[NDArray[np.int64]]:
        """Row numbers: all of them, or disjoint uniform samples."""
        counting = np.arange(len(self.X)) if self.weights is None else np.flatnonzero(self.weights)
        n = len(counting)
        if n <= ALL_ROWS:
            return [counting]
        n_samples = min(MAX_SAMPLES, n // SAMPLE_ROWS)
        random = np.random.default_rng([self.seed, 3])
        drawn = counting[random.choice(n, n_samples * SAMPLE_ROWS, replace=False, shuffle=True)]
        return [np.sort(part) for part in np.split(drawn, n_samples)]

    def _evidence(self, rows: NDArray[np.int64], sample: int) -> Evidence:
        is_all = len(rows) == len(self.X)
        X = self.X if is_all else self.X[rows]
        weights = None if self.weights is None else self.weights[rows] * self.per_weight
        evidence = Evidence(X, weights, self.seed + sample, self.threads, self._until(sample))
        cap = self.options.k_max
        report = self._report
        if cap is None:
            evidence.grow(largest_k_max(len(X)), report)
        else:
            evidence.extend(min(cap, len(X)), report)
        return evidence

    def _until(self, sample: int) -> Deadline:
        left = self.deadline.left()
        return Deadline(None if left is None else left * EVIDENCE_SHARE / (1 if sample else 2))

    def _report(self, n_done: int, k_max: int) -> None:
        if self.options.callback is not None:
            self.options.callback(n_done, k_max)

    def _ranking(self, evidence: Evidence) -> Ranking:
        asked = self._range_asked(evidence)
        ranking = rank(evidence.table(), asked, evidence.is_spherical)
        return prefer_split(ranking, _split_valley(evidence, ranking.best))

    def _range_asked(self, evidence: Evidence) -> int:
        if self.options.k_max is not None:
            return evidence.k_max
        return min(evidence.k_max, evidence.range_worth_asking())

    def _settle(self, ranking: Ranking, evidence: Evidence, given: ArrayLike) -> Ranking:
        """Decide on all rows between two neighbouring numbers that the samples leave open."""
        larger = needs_all_rows(ranking)
        if larger is None or larger > evidence.k_max or self.deadline.has_passed():
            return ranking
        partition = self._measure_final(self._final_fit(given, evidence.full.fits[larger]))
        return settle(ranking, larger, _valley_between(partition, valleys_of(partition)))

    def _gate(self, evidences: list[Evidence], k: int, are_spheres: bool) -> Gate:
        if k < 2:
            return Gate(False, np.inf, 1.0, None)
        gates = [
            look_for_structure(e.X, e.crossed_valleys(k), are_spheres, self.seed, self.threads)
            for e in evidences
            if k <= e.k_max
        ]
        n_passed = sum(gate.has_clusters for gate in gates)
        is_majority = 2 * n_passed > len(gates)
        return next(gate for gate in gates if gate.has_clusters == is_majority)

    def _final_fit(self, given: ArrayLike, best: Fit) -> KMeans:
        """Run plain Lloyd on all rows from the best centers known; number the clusters by size."""
        # By size already, so that the fit on all rows rarely has to be numbered anew.
        has_rows = (best.weights > 0).astype(np.int64)
        centers = best.centers[_core.by_weight(best.centers, best.weights, has_rows)]
        for _ in range(2):
            start = np.asarray(centers, dtype=self.X.dtype)
            estimator = KMeans(
                len(start),
                init=start,
                n_init=1,
                search=None,
                n_jobs=self.options.n_jobs,
                max_time=self.deadline.left(),
            ).fit(given, sample_weight=self.weights)
            centers = estimator.cluster_centers_.astype(np.float64)
            sizes = np.bincount(estimator.labels_, self.weights, len(start)).astype(np.float64)
            order = _core.by_weight(centers, sizes, estimator.counts_)
            if (order == np.arange(len(order))).all():
                break
            centers = centers[order]
        estimator.set_params(max_time=None)
        return estimator

    def _measure_final(self, estimator: KMeans) -> Partition:
        weights = None if self.weights is None else self.weights * self.per_weight
        k = len(estimator.cluster_centers_)
        of_clusters = np.bincount(estimator.labels_, weights, minlength=k).astype(np.float64)
        centers = np.ascontiguousarray(estimator.cluster_centers_, dtype=np.float64)
        return measure(self.X, centers, weights, self.threads, of_clusters)

    def _table(self, evidence: Evidence, ranking: Ranking) -> dict[str, NDArray[Any]]:
        table = evidence.table()
        total = len(self.X) if self.weights is None else float(self.weights.sum())
        used = evidence.full.partition(1).weight
        # In the units of inertia_ of a model of all rows, whatever sample was used.
        for name in ("inertia", "held_out_inertia"):
            table[name] = table[name] * (total / used)
        k_max = evidence.k_max
        return table | {
            "votes": ranking.votes[:k_max],
            "score": ranking.scores[:k_max],
        }


def _runner_up(ranking: Ranking) -> int | None:
    """Return the other number to consider: of the next level, where there is one."""
    level = second_level(ranking.preferred, ranking.best)
    return ranking.runner_up if level is None else level


def _split_valley(evidence: Evidence, k: int) -> Valley | None:
    """Return the valley between the clusters that one more than k makes of one."""
    full = evidence.full
    if k >= full.k_max:
        return None
    partition = full.partition(k + 1)
    known = k < evidence.k_max
    return _valley_between(partition, evidence.valleys[k] if known else valleys_of(partition))


def _valley_between(partition: Partition, valleys: Valleys) -> Valley | None:
    """Return the valley of the two neighbours whose union would cost least."""
    if len(partition.pairs) == 0:
        return None
    return valley_of_pair(valleys, cheapest_neighbours(partition))
