"""The `MiniBatchKMeans` estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from centroids import _core
from centroids.estimators import parameters as rule
from centroids.estimators.batches import Batches, is_worth_an_iteration, visiting_order
from centroids.estimators.first_rows import FirstRuns, cluster_first_rows
from centroids.estimators.learned import forget, kept_on_error
from centroids.estimators.light_clusters import LightClusters
from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.running_sums import RunningSums, StopRule
from centroids.estimators.runs import (
    MOST_ITERATIONS,
    Start,
    check_init,
    is_given,
    run_plain,
    warn_of_empty,
    warn_of_starts,
)
from centroids.estimators.stream import Stream
from centroids.rows.arrays import (
    check_finite,
    check_rows,
    check_sample_weight,
    check_square_range,
    checked_problem,
)
from centroids.rows.sparse import core_rows

__all__ = ["MiniBatchKMeans"]

_RULES = {
    "n_clusters": rule.integer_from(1),
    "init": rule.either(rule.one_of("k-means++", "random"), rule.CALLABLE, rule.ARRAY),
    "max_iter": rule.integer_from(1),
    "batch_size": rule.integer_from(1),
    "verbose": rule.LEVEL,
    "compute_labels": rule.FLAG,
    "random_state": rule.RANDOM_STATE,
    "tol": rule.NOT_NEGATIVE,
    "max_no_improvement": rule.either(rule.NONE, rule.integer_from(0)),
    "init_size": rule.either(rule.NONE, rule.integer_from(1)),
    "n_init": rule.either(rule.one_of("auto"), rule.integer_from(1)),
    "reassignment_ratio": rule.NOT_NEGATIVE,
    "n_jobs": rule.N_JOBS,
}


class MiniBatchKMeans(NearestCenterModel):
    """K-Means on small random batches: nearly the inertia of `KMeans` for a part of its visits.

    Every row counts exactly once: a row that is met again in a later epoch is taken out of the
    cluster it was in before it is added to its new one, so early mistakes are forgotten (the
    algorithm mb-f of [1]_, where Sculley's [2]_ keeps them). It starts from Lloyd's algorithm on
    the first ``init_size`` rows, followed by local search (breathing, as in `KMeans`) where that
    costs little beside a visit of all rows. Parameters shared with
    ``sklearn.cluster.MiniBatchKMeans`` keep its meaning and defaults.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : {"k-means++", "random"}, callable or array-like of shape (n_clusters, n_features), \
default="k-means++"
        First centers, found on ``init_size`` random rows. A callable is called as
        ``init(X, n_clusters, random_state=...)`` with these rows.
    max_iter : int, default=100
        Most visits of all rows.
    batch_size : int, default=1024
        Rows in a batch.
    verbose : int, default=0
        Above 0, prints one line a batch.
    compute_labels : bool, default=True
        Whether ``fit`` computes ``labels_``, ``counts_`` and the exact ``inertia_`` at its end.
    random_state : int, RandomState instance or None, default=None
        Seed of the first centers and of the order of the rows.
    tol : float, default=0.0
        Ends the fit when the sum of squared center shifts of a batch is at most ``tol`` times the
        mean variance of the columns. 0: never.
    max_no_improvement : int or None, default=10
        Ends the fit after this many batches in a row without a new minimum of the smoothed inertia.
    init_size : int or None, default=None
        Random rows for the first centers; None: three batches, or three times ``n_clusters`` if
        that would be fewer than ``n_clusters``. In `partial_fit`, the rows that are kept and
        clustered together before the stream is followed batch by batch.
    n_init : "auto" or int, default="auto"
        Number of starts that are tried on the ``init_size`` rows. "auto" is 1 for "k-means++" and
        for an array, 3 for "random" and a callable.
    reassignment_ratio : float, default=0.01
        A cluster with less than this share of the weight of the heaviest one is given up for a new
        place where a batch gains more than all rows lose.
    n_jobs : int or None, default=None
        Most threads to use, as in `KMeans`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers, in the dtype of the rows.
    labels_ : ndarray of shape (n_samples,), int32
        Cluster of each row of ``fit``, or of the last batch of `partial_fit`.
    inertia_ : float
        Sum of squared distances of these rows to their center, times their weights. An estimate
        from the last batches when ``compute_labels`` is False.
    counts_ : ndarray of shape (n_clusters,), int64
        Rows in each cluster, after a ``fit`` with ``compute_labels``.
    n_iter_ : int
        Visits of all rows that were begun.
    n_steps_ : int
        Batches processed.
    n_seen_ : int
        Rows seen by `partial_fit` (and before it, by ``fit``).
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    References
    ----------
    .. [1] J. Newling and F. Fleuret, "Nested mini-batch K-Means", NeurIPS 2016, section 2.
    .. [2] D. Sculley, "Web-scale k-means clustering", WWW 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from centroids import MiniBatchKMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = MiniBatchKMeans(n_clusters=2, random_state=0)
    >>> for row in X:
    ...     model = model.partial_fit([row])
    >>> model.predict([[0, 0], [12, 3]]).tolist() in ([0, 1], [1, 0])
    True
    """

    cluster_centers_: NDArray[Any]
    labels_: NDArray[np.int32]
    inertia_: float
    counts_: NDArray[np.int64]
    n_steps_: int
    n_seen_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | Callable[..., ArrayLike] | ArrayLike = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | Literal["auto"] = "auto",
        reassignment_ratio: float = 0.01,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
        self.n_jobs = n_jobs

    # ------------------------------------------------------------------ fit

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        align_to: NearestCenterModel | None = None,
    ) -> Self:
        """Find the clusters of the rows of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row, not negative. A row of weight w counts as w equal rows.
        align_to : KMeans, MiniBatchKMeans or BisectingKMeans, default=None
            A fitted model of the same columns, whose cluster numbers and names are taken over where
            clusters are the same (`centroids.align`); ``alignment_`` says what changed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When a parameter breaks its rule, X holds NaN or infinity, or there are fewer rows than
            clusters.
        """
        rule.check_parameters(self, _RULES)
        with self._new_model(align_to) as old:
            rows, weights = self._check_fit_rows(X, sample_weight, old)
            self._check_n_clusters(rows.shape[0])
            threads = self._threads(rows, self.n_clusters)
            problem = checked_problem(self, rows, weights, threads)
            random = check_random_state(self.random_state)
            order = visiting_order(rows.shape[0], weights, random)
            warn_of_starts(self)
            self._warn_of_init_size()
            state, labels = self._start(rows, weights, order, random)
            n_first = int(np.count_nonzero(labels >= 0))
            size = min(int(self.batch_size), rows.shape[0])
            batches = Batches(
                rows, weights, order, size, state, labels, random,
                n_threads=self._threads(rows[:size], self.n_clusters),
            )  # fmt: skip
            mean_inertia = self._run_batches(batches, problem.mean_variance)
            n_iter = int(is_worth_an_iteration(rows, int(self.n_clusters), n_first))
            self._store(problem, rows, weights, state, n_iter, mean_inertia)
            if self.compute_labels:
                warn_of_empty(self.counts_, int(self.n_clusters))
            self._end_fit(old, rows)
        return self

    def _start(
        self,
        rows: Any,
        weights: NDArray[np.float64] | None,
        order: NDArray[np.int64],
        random: np.random.RandomState,
    ) -> tuple[RunningSums, NDArray[np.int32]]:
        """Lloyd on the first rows of the order: the sums of these, and labels (-1: not visited).

        Given centers are a start already, and no row has been visited.
        """
        labels = np.full(rows.shape[0], -1, dtype=np.int32)
        if is_given(self.init):
            centers = check_init(self.init, rows, int(self.n_clusters))
            return RunningSums.empty(centers, rows.dtype), labels
        n_init_rows = self._resolve_init_size(rows.shape[0])
        first = np.sort(order[:n_init_rows])
        sample, sample_weights = rows[first], None if weights is None else weights[first]
        run = self._cluster(sample, sample_weights, rows.shape[0], random)
        for number, inertia in enumerate(run["restarts"], start=1):
            of = f"{number}/{len(run['restarts'])}"
            self._say(f"Init {of} with method {self.init!s}")
            self._say(f"Inertia for init {of}: {inertia}")
        state = RunningSums.empty(run["centers"], rows.dtype)
        state.add(sample, sample_weights, run["labels"])
        labels[first] = run["labels"]
        order[:] = np.roll(order, -n_init_rows)
        return state, labels

    def _cluster(
        self,
        rows: Any,
        weights: NDArray[np.float64] | None,
        n_samples: int,
        random: np.random.RandomState,
    ) -> _core.Run:
        runs = FirstRuns(
            n_clusters=int(self.n_clusters),
            init=self.init,
            n_init=self._resolve_n_init(),
            max_iter=min(int(self.max_iter), MOST_ITERATIONS),
            metric=self._metric,
            n_threads=self._threads(rows, self.n_clusters),
        )
        return cluster_first_rows(rows, weights, runs, n_samples, random)

    def _run_batches(self, batches: Batches, mean_variance: float) -> float:
        """Visit batch after batch; return the smoothed mean inertia."""
        n_samples, size = batches.rows.shape[0], batches.size
        smoothing = min(1.0, 2.0 * size / (n_samples + 1))
        stop = StopRule(smoothing, self.tol * mean_variance, self.max_no_improvement)
        light = LightClusters(self.reassignment_ratio)
        n_steps = int(self.max_iter) * n_samples // size
        self.n_steps_ = batches.run(n_steps, stop, light, self._say)
        self.n_iter_ = -(-self.n_steps_ * size // n_samples)
        return stop.average

    def _store(
        self,
        problem: _core.Problem | _core.SparseProblem,
        rows: Any,
        weights: NDArray[np.float64] | None,
        state: RunningSums,
        n_iter: int,
        mean_inertia: float,
    ) -> None:
        self.n_seen_ = rows.shape[0]
        if self.compute_labels:
            # The loop fills clusters that have no rows.
            k, start = int(self.n_clusters), Start(state.centers)
            run = run_plain(
                problem, k, start, max_iter=n_iter, algorithm="brute_force",
                number_by_size=isinstance(self.init, str),
            )  # fmt: skip
            self.labels_, self.counts_ = run["labels"], run["counts"]
            self.inertia_ = run["inertia"]
            state.centers = run["centers"]
            state.weights = np.bincount(self.labels_, weights, k).astype(np.float64)
            state.sums = state.centers * state.weights[:, None]
        else:
            total = rows.shape[0] if weights is None else weights.sum()
            self.inertia_ = mean_inertia * float(total)
        self.cluster_centers_ = state.centers.astype(rows.dtype)
        self._n_features_out = len(self.cluster_centers_)
        self._stream = Stream.after_fit(state)

    # ------------------------------------------------------------------ partial_fit

    def partial_fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take in one batch of a stream.

        A batch may be of any size. Rows are kept until ``n_clusters`` of them differ: the model is
        not fitted before, and has ``n_clusters`` clusters from there on. Until ``init_size`` rows
        were seen, all of them are clustered again whenever their number has grown by a tenth;
        other batches are added to the means. Given first centers (``init`` an array) need no rows
        kept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        self
        """
        is_first = not hasattr(self, "n_steps_")
        if is_first:
            rule.check_parameters(self, _RULES)
        with kept_on_error(self):
            self._take_batch(X, sample_weight, is_first=is_first)
        return self

    def _take_batch(self, X: ArrayLike, sample_weight: ArrayLike | None, *, is_first: bool) -> None:
        rows = check_rows(self, X, reset=is_first)
        weights = check_sample_weight(sample_weight, rows.shape[0], is_batch=True)
        threads = self._threads(rows, self.n_clusters)
        check_finite(self, rows, threads)
        check_square_range(self, rows, rows.dtype if is_first else self._stream.dtype)
        if is_first:
            self.n_steps_ = self.n_seen_ = 0
            self._stream = Stream.new(rows.dtype, check_random_state(self.random_state))
            self._warn_of_init_size(stacklevel=4)
        rows = rows.astype(self._stream.dtype, copy=False)
        self._stream = self._stream.with_batch(rows, weights, self)
        self.n_steps_ += 1
        self.n_seen_ += rows.shape[0]
        forget(self, "radii_")  # which were those of the rows so far
        if self._stream.state is None:
            return
        centers = self._stream.state.centers
        self.cluster_centers_ = centers.astype(rows.dtype)
        self._n_features_out = len(centers)
        if self.compute_labels:
            self.labels_ = _core.assign(core_rows(rows), centers, threads)
            self.inertia_ = _core.inertia(core_rows(rows), centers, self.labels_, weights, threads)

    # ------------------------------------------------------------------ use

    def _renumber(self, order: NDArray[np.int64]) -> None:
        super()._renumber(order)
        state = self._stream.state
        if state is not None:
            state.sums, state.weights = state.sums[order], state.weights[order]
            state.centers = state.centers[order]

    def _rows_to_use(self, X: ArrayLike) -> tuple[Any, NDArray[np.float64], int]:
        if hasattr(self, "n_seen_") and not hasattr(self, "cluster_centers_"):
            raise NotFittedError(
                f"This MiniBatchKMeans is not fitted yet: the {self.n_seen_} rows that partial_fit "
                f"has seen hold fewer than n_clusters={self.n_clusters} different ones."
            )
        return super()._rows_to_use(X)

    def _resolve_n_init(self) -> int:
        if self.n_init == "auto":
            return 1 if self.init == "k-means++" else 3
        return int(self.n_init)

    def _warn_of_init_size(self, stacklevel: int = 3) -> None:
        if self.init_size is not None and self.init_size < self.n_clusters:
            warnings.warn(
                f"init_size={self.init_size} should be larger than n_clusters={self.n_clusters}. "
                "Setting it to min(3*n_clusters, n_samples)",
                RuntimeWarning,
                stacklevel=stacklevel,
            )

    def _resolve_init_size(self, n_samples: int) -> int:
        size = self.init_size
        if size is not None and size < self.n_clusters:
            size = 3 * self.n_clusters
        if size is None:
            size = 3 * min(self.batch_size, n_samples)
            if size < self.n_clusters:
                size = 3 * self.n_clusters
        return int(min(size, n_samples))

    def _say(self, line: str) -> None:
        if self.verbose:
            print(line)  # noqa: T201
