"""The `KMeans` estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.estimators import parameters as rule
from centroids.estimators.nearest_center import Nearest, NearestCenterModel
from centroids.estimators.runs import (
    MOST_ITERATIONS,
    FitState,
    RunSettings,
    completed,
    deadline_after,
    is_given,
    run_best,
    store_run,
    warn_of_empty,
    warn_of_starts,
)
from centroids.rows.arrays import checked_problem

if TYPE_CHECKING:
    from centroids.choosing_k import KChoice

__all__ = ["KMeans", "Nearest"]

_RULES = {
    "n_clusters": rule.either(rule.integer_from(1), rule.one_of("auto")),
    "init": rule.either(rule.one_of("k-means++", "k-means||", "random"), rule.CALLABLE, rule.ARRAY),
    "n_init": rule.either(rule.one_of("auto"), rule.integer_from(1)),
    "max_iter": rule.integer_from(1),
    "tol": rule.NOT_NEGATIVE,
    "verbose": rule.LEVEL,
    "random_state": rule.RANDOM_STATE,
    "copy_x": rule.FLAG,
    "algorithm": rule.one_of("auto", "lloyd", "elkan", "brute_force", "hamerly"),
    "search": rule.one_of("auto", "breathing", "swap", None),
    "metric": rule.one_of("euclidean", "cosine"),
    "n_jobs": rule.N_JOBS,
    "max_time": rule.either(rule.NONE, rule.POSITIVE),
    "callback": rule.either(rule.NONE, rule.CALLABLE),
}

# scikit-learn's names for exact algorithms; all give the same labels.
_CORE_ALGORITHM = {"lloyd": "auto", "elkan": "auto"}


class KMeans(NearestCenterModel):
    """K-Means clustering, exact and the same for every number of threads.

    Lloyd's algorithm [1]_ from greedy k-means++ starts [2]_. One column of numbers is clustered
    optimally by dynamic programming [5]_ whenever the first centers are not given and distinct
    values times clusters stay below 33 million, and beyond that where bounds leave little enough
    to try. Parameters shared with ``sklearn.cluster.KMeans`` keep its meaning and defaults.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
        Number of clusters. "auto" chooses it with `choose_k`, which also finds the first centers;
        `k_choice_` then holds the evidence. One cluster means that no clusters were found.
    init : {"k-means++", "k-means||", "random"}, callable or array-like of shape \
(n_clusters, n_features), default="k-means++"
        First centers. From 100,000 rows on, with 5,000 rows a cluster or more, those of "k-means++"
        are refined on samples of an eighth of the rows [7]_ before all rows are visited: fewer
        iterations follow. Large fits from seeds go beyond the means [8]_ for the same reason; from
        given centers every step is Lloyd's. "k-means||" [6]_ visits the rows about six times,
        whatever ``n_clusters`` is: for thousands of clusters. A callable is called as
        ``init(X, n_clusters, random_state=...)``.
    n_init : "auto" or int, default="auto"
        Number of runs with other first centers; the one with the lowest inertia is kept. "auto" is
        1 for "k-means++", "k-means||" and an array, 10 for "random" and a callable.
    max_iter : int, default=300
        Most iterations of one run.
    tol : float, default=1e-4
        A run ends when the sum of squared center shifts is at most ``tol`` times the mean variance
        of the columns. With 0 it ends when no row changes its cluster.
    verbose : int, default=0
        Above 0, prints one line an iteration.
    random_state : int, RandomState instance or None, default=None
        Seed of the first centers. An int gives the same model every time, on every machine with
        fused multiply-add, for every ``n_jobs``.
    copy_x : bool, default=True
        Accepted for compatibility: nothing is ever overwritten, and nothing copied.
    algorithm : {"auto", "lloyd", "elkan", "brute_force", "hamerly"}, default="auto"
        How rows find their nearest center. All give the same labels, bit for bit; "auto", "lloyd"
        and "elkan" leave the choice to measurement.
    search : {"auto", "breathing", "swap", None}, default="auto"
        Local search for a better optimum after a run that converged; never a higher inertia.
        "swap": the cluster that gains most by it is split, the one that costs least is removed,
        and what lowers the inertia is kept, until no such swap helps. "breathing": as well with up
        to five clusters at once [3]_. "auto": breathing for seeded starts, while what it finds is
        worth its work and that stays in proportion to the run (where a run over many rows was
        short, in a sample; all rows judge what it finds); plain Lloyd from centers that were given.
        None: no search.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance between a row and a center. "cosine" is spherical K-Means [4]_: rows are scaled to
        length one, centers are unit vectors, distances are 1 - cos, and inertia is their sum.
    n_jobs : int or None, default=None
        Most threads to use. None: the usable CPUs, or OMP_NUM_THREADS where it is set; -1: the
        usable CPUs.
    max_time : float or None, default=None
        Seconds within which to stop with the best model so far. Time is left for the last visits
        of all rows, which make ``labels_`` those of the final centers; they take longer than a very
        short time where rows and clusters are many.
    callback : callable or None, default=None
        Called after each iteration with a `FitState`. An exception it raises ends the fit; the
        model so far is stored and the exception raised. Where K is chosen, an object with a method
        ``on_k_tried`` is told of that, too: ``on_k_tried(n_done, k_max)``, as by `choose_k`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers, in the dtype of the training rows. A seeded fit numbers its clusters by decreasing
        size (rows, each counted by its weight; equal sizes by center, lexicographically);
        ``init=array`` keeps the caller's order.
    labels_ : ndarray of shape (n_samples,), int32
        Cluster of each training row: ``predict`` of the training rows.
    inertia_ : float
        Sum of squared distances of the rows to their center, times their weights; with
        ``metric="cosine"`` the sum of 1 - cos.
    restarts_ : ndarray of shape (n_runs,), float64
        Inertia of each of the `n_init` runs, in order; ``verbose`` says how many found the best.
    n_iter_ : int
        Iterations of the run that won; 1 where the optimum of one column was computed.
    counts_ : ndarray of shape (n_clusters,), int64
        Training rows in each cluster.
    history_ : dict of str to list
        Per iteration of the run that won: ``inertia`` (of the iteration's labels to the centers
        they were compared with, computed from the sums; it may rise now and then where a large fit
        goes beyond the means), ``center_shift`` (sum of squares) and ``n_changed`` (rows with a new
        label).
    has_timed_out_ : bool
        Whether `max_time` ended the fit, or the choice of the number of clusters: then more time
        may give a lower inertia, and the same call another model.
    k_choice_ : KChoice
        With ``n_clusters="auto"`` only: the choice, its evidence, and the best partition for those
        who need one where no clusters were found.
    cluster_names_ : mapping of int to str
        Names of the clusters, as far as they were given some (`name_clusters`).
    radii_ : ndarray of shape (n_clusters, 6)
        After `measure_radii` only: how far the rows of each cluster lie from its center.
    alignment_ : Alignment
        With ``align_to`` only: what moved, grew, appeared and vanished.
    n_features_in_ : int
        Number of columns seen by ``fit``.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    See Also
    --------
    match_labels : compares the clusters with known classes.

    References
    ----------
    .. [1] S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
       Theory 28(2), 1982.
    .. [2] D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding",
       SODA 2007, sections 2.2 and 7.
    .. [3] B. Fritzke, "Breathing K-Means: Superior K-Means Solutions through Dynamic K-Values",
       arXiv 2006.15666, 2020.
    .. [4] I. S. Dhillon and D. S. Modha, "Concept decompositions for large sparse text data using
       clustering", Machine Learning 42, 2001, section 3.
    .. [5] H. Wang and M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by
       dynamic programming", The R Journal 3(2), 2011.
    .. [6] B. Bahmani, B. Moseley, A. Vattani, R. Kumar and S. Vassilvitskii, "Scalable k-means++",
       PVLDB 5(7), 2012.
    .. [7] P. S. Bradley and U. M. Fayyad, "Refining initial points for K-Means clustering",
       ICML 1998.
    .. [8] B. O'Donoghue and E. Candes, "Adaptive restart for accelerated gradient schemes",
       Foundations of Computational Mathematics 15, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from centroids import KMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> kmeans = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> kmeans.cluster_centers_
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> kmeans.predict([[0, 0], [12, 3]])
    array([0, 1], dtype=int32)
    """

    cluster_centers_: NDArray[Any]
    labels_: NDArray[np.int32]
    inertia_: float
    restarts_: NDArray[np.float64]
    n_iter_: int
    counts_: NDArray[np.int64]
    history_: dict[str, list[float]]
    has_timed_out_: bool
    n_features_in_: int
    k_choice_: KChoice

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = 8,
        *,
        init: str | Callable[..., ArrayLike] | ArrayLike = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        copy_x: bool = True,
        algorithm: str = "auto",
        search: str | None = "auto",
        metric: str = "euclidean",
        n_jobs: int | None = None,
        max_time: float | None = None,
        callback: Callable[[FitState], Any] | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.search = search
        self.metric = metric
        self.n_jobs = n_jobs
        self.max_time = max_time
        self.callback = callback

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
            Rows to cluster. C-contiguous float32 or float64 arrays, memory-mapped and read-only
            ones included, and CSR matrices are used as they are; ``metric="cosine"`` makes one
            copy.
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
        self._check_parameters()
        deadline = deadline_after(self.max_time)
        with self._new_model(align_to) as old:
            rows, weights = self._check_fit_rows(X, sample_weight, old)
            is_auto = self.n_clusters == "auto"
            n_clusters = 1 if is_auto else self._check_n_clusters(rows.shape[0])
            threads = self._threads(rows, n_clusters)
            rows = self._metric.prepare(self, rows, threads)
            problem = checked_problem(self, rows, weights, threads)
            warn_of_starts(self)
            init, n_init = self.init, self._resolve_n_init()
            if is_auto:
                init, n_init = self._choose_centers(rows, weights), 1
                n_clusters = len(init)
            settings = RunSettings(
                n_clusters=n_clusters,
                init=init,
                n_init=n_init,
                algorithm=_CORE_ALGORITHM.get(self.algorithm, self.algorithm),
                max_iter=min(int(self.max_iter), MOST_ITERATIONS),
                tol=float(self.tol) * problem.mean_variance if self.tol else 0.0,
                deadline=deadline,
                verbose=int(self.verbose),
                callback=self.callback,
                metric=self._metric,
                search=self._search_for(init),
            )
            run = run_best(problem, rows, settings, self.random_state)
            if run["exception"] is None:
                warn_of_empty(run["counts"], n_clusters)
            store_run(self, run, rows.dtype)
            if is_auto:
                self.has_timed_out_ |= self.k_choice_.has_timed_out
            self._end_fit(old, rows)
        completed(run)
        return self

    def _check_parameters(self) -> None:
        rule.check_parameters(self, _RULES)
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=3,
            )

    def _choose_centers(
        self, rows: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> NDArray[Any]:
        """Choose K with evidence, kept as `k_choice_`, and return the best centers known for it."""
        # By name, as choosing K stands above this layer.
        choose_k = import_module("centroids.choosing_k").choose_k
        self.k_choice_ = choose_k(
            rows,
            sample_weight=weights,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            max_time=self.max_time,
            callback=getattr(self.callback, "on_k_tried", None),
        )
        if self.k_choice_.k > 1:
            return np.asarray(self.k_choice_.estimator.cluster_centers_)
        return np.average(rows, axis=0, weights=weights)[None].astype(rows.dtype)

    def _search_for(self, init: Any) -> str | None:
        """Return the local search that the core is to run, or None."""
        is_seeded = isinstance(init, str)
        return None if self.search == "auto" and not is_seeded else self.search

    def _resolve_n_init(self) -> int:
        if is_given(self.init):
            return 1
        if self.n_init == "auto":
            return 1 if self.init in ("k-means++", "k-means||") else 10
        return int(self.n_init)
