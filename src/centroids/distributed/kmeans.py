"""`KMeans` for rows on many machines."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

import dask.array as da
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

import centroids.estimators.kmeans as in_memory
from centroids import _core
from centroids.distributed.dask_parts import DaskParts
from centroids.distributed.dask_rows import DaskRows, check_dask_rows, is_dask, with_weights
from centroids.estimators import parameters as rule
from centroids.estimators.learned import forget, learned_anew
from centroids.estimators.metrics import METRICS
from centroids.estimators.runs import (
    MOST_ITERATIONS,
    FitState,
    RunSettings,
    completed,
    deadline_after,
    run_best,
    store_run,
    warn_of_empty,
)
from centroids.rows.arrays import check_values

__all__ = ["KMeans"]

_RULES = {
    "n_clusters": rule.integer_from(1),
    "init": rule.either(rule.one_of("k-means||"), rule.ARRAY),
    "max_iter": rule.integer_from(1),
    "tol": rule.NOT_NEGATIVE,
    "verbose": rule.LEVEL,
    "random_state": rule.RANDOM_STATE,
    "n_jobs": rule.integer_from(1),
    "max_time": rule.either(rule.NONE, rule.POSITIVE),
    "callback": rule.either(rule.NONE, rule.CALLABLE),
}


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """K-Means clustering of Dask arrays and data frames, past the memory of one machine.

    The loop is the one of ``centroids.KMeans``, and so is every bit of the result: a fit from the
    same first centers, or from ``init="k-means||"`` with the same ``random_state``, equals
    ``centroids.KMeans(..., search=None)`` on the same rows in memory, for every chunking, number of
    workers and scheduler. (One column is the exception: in memory its optimum is computed.) Local
    search needs all rows in one place and is left out.

    Workers keep their rows from visit to visit, so these have to fit the memory of all workers
    together. Each iteration sends the centers out and the sums of the clusters back.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : "k-means||" or array-like of shape (n_clusters, n_features), default="k-means||"
        First centers: drawn in a few visits of the rows [1]_, or given.
    max_iter : int, default=300
        Most iterations.
    tol : float, default=1e-4
        The fit ends when the sum of squared center shifts is at most ``tol`` times the mean
        variance of the columns. With 0 it ends when no row changes its cluster.
    verbose : int, default=0
        Above 0, prints one line an iteration.
    random_state : int, RandomState instance or None, default=None
        Seed of the first centers.
    n_jobs : int, default=1
        Threads that one task may use. Dask runs a task on each thread of its workers.
    max_time : float or None, default=None
        Seconds after which to stop, after an iteration, with the model so far.
    callback : callable or None, default=None
        Called after each iteration with a `FitState`. An exception it raises ends the fit; the
        model so far is stored and the exception raised.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers, in the dtype of the rows; numbered by decreasing size, given ones as they were.
    labels_ : dask array of shape (n_samples,), int32
        Cluster of each row, persisted where the rows are.
    inertia_ : float
        Sum of squared distances of the rows to their center, times their weights.
    restarts_ : ndarray of shape (1,), float64
        The inertia, as ``centroids.KMeans`` has it.
    n_iter_ : int
        Iterations.
    counts_ : ndarray of shape (n_clusters,), int64
        Rows in each cluster.
    history_ : dict of str to list
        Per iteration: ``inertia``, ``center_shift`` and ``n_changed``.
    has_timed_out_ : bool
        Whether `max_time` ended the fit.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame.

    See Also
    --------
    centroids.KMeans : for rows in the memory of one machine.

    References
    ----------
    .. [1] B. Bahmani, B. Moseley, A. Vattani, R. Kumar and S. Vassilvitskii, "Scalable k-means++",
       PVLDB 5(7), 2012.

    Examples
    --------
    >>> import dask.array as da
    >>> from centroids.distributed import KMeans
    >>> X = da.random.default_rng(0).normal(size=(100_000, 3), chunks=(20_000, 3))
    >>> model = KMeans(n_clusters=4, random_state=0).fit(X)
    >>> model.cluster_centers_.shape, model.labels_.shape
    ((4, 3), (100000,))
    >>> model.predict(X)[:5].compute().dtype
    dtype('int32')
    """

    cluster_centers_: NDArray[Any]
    labels_: da.Array
    inertia_: float
    restarts_: NDArray[np.float64]
    n_iter_: int
    counts_: NDArray[np.int64]
    history_: dict[str, list[float]]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | ArrayLike = "k-means||",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int = 1,
        max_time: float | None = None,
        callback: Callable[[FitState], Any] | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.max_time = max_time
        self.callback = callback

    # ------------------------------------------------------------------ fit

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters of the rows of X.

        Parameters
        ----------
        X : dask array or dask data frame of shape (n_samples, n_features)
            Dense rows. Sizes of chunks that are not known are computed first.
        y : ignored
        sample_weight : dask array or array-like of shape (n_samples,) or None, default=None
            Weight of each row, not negative. A row of weight w counts as w equal rows.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            When X is no Dask collection.
        ValueError
            When a parameter breaks its rule, X holds NaN or infinity, or there are fewer rows than
            clusters.
        """
        rule.check_parameters(self, _RULES)
        deadline = deadline_after(self.max_time)
        with learned_anew(self):
            data = self._learn_columns(check_dask_rows(X))
            n_clusters = int(self.n_clusters)
            if data.shape[0] < n_clusters:
                raise ValueError(f"n_samples={data.shape[0]} should be >= n_clusters={n_clusters}.")
            data = with_weights(data, sample_weight)
            parts = DaskParts(data, n_clusters, int(self.n_jobs))
            problem = self._problem(parts, data)
            settings = RunSettings(
                n_clusters=n_clusters,
                init=self.init,
                n_init=1,
                algorithm="auto",
                max_iter=min(int(self.max_iter), MOST_ITERATIONS),
                tol=float(self.tol) * problem.mean_variance if self.tol else 0.0,
                deadline=deadline,
                verbose=int(self.verbose),
                callback=self.callback,
                metric=METRICS["euclidean"],
                search=None,
            )
            run = run_best(problem, data, settings, self.random_state)
            # Or the exception, its traceback and the parts keep one another.
            parts.interruption = None
            run["labels"] = cast(Any, parts.labels())
            if run["exception"] is None:
                warn_of_empty(run["counts"], n_clusters)
            store_run(self, run, data.dtype)
        completed(run)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> da.Array:
        """Fit, and return the cluster of each row.

        Parameters
        ----------
        X : dask array or dask data frame of shape (n_samples, n_features)
        y : ignored
        sample_weight : dask array or array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        dask array of shape (n_samples,), int32
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    # ------------------------------------------------------------------ use

    def predict(self, X: Any) -> Any:
        """Return the nearest cluster of each row, the lowest number on ties.

        Parameters
        ----------
        X : dask array, dask data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        dask array of shape (n_samples,), int32
            Lazy, block by block. An ndarray for rows that are no Dask collection.
        """
        if not is_dask(X):
            return self.to_local().predict(X)
        rows = self._rows_to_use(X).rows
        return rows.map_blocks(_predict_block, self._for_blocks(), drop_axis=1, dtype=np.int32)

    def transform(self, X: Any) -> Any:
        """Return the distance of each row to each center.

        Parameters
        ----------
        X : dask array, dask data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        dask array of shape (n_samples, n_clusters)
            Lazy, block by block. An ndarray for rows that are no Dask collection.
        """
        if not is_dask(X):
            return self.to_local().transform(X)
        rows = self._rows_to_use(X).rows
        return rows.map_blocks(
            _transform_block,
            self._for_blocks(),
            chunks=(rows.chunks[0], (len(self.cluster_centers_),)),
            dtype=rows.dtype if rows.dtype == self.cluster_centers_.dtype else np.float64,
        )

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the inertia of the rows: higher is better. Computed at once.

        Parameters
        ----------
        X : dask array, dask data frame or array-like of shape (n_samples, n_features)
        y : ignored
        sample_weight : dask array or array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
        """
        if not is_dask(X):
            return self.to_local().score(X, sample_weight=sample_weight)
        data = with_weights(self._rows_to_use(X), sample_weight)
        if data.dtype != self.cluster_centers_.dtype:
            data = DaskRows(data.rows.astype(np.float64), data.weights, data.names)
        parts = DaskParts(data, len(self.cluster_centers_), int(self.n_jobs))
        problem = self._problem(parts, data)
        return -problem.inertia(np.asarray(self.cluster_centers_, dtype=np.float64))

    def to_local(self) -> in_memory.KMeans:
        """Return the model as a ``centroids.KMeans``, for rows in the memory of one machine.

        Returns
        -------
        centroids.KMeans
            Fitted: the same centers, numbers and history, without ``labels_``.
        """
        check_is_fitted(self)
        local = in_memory.KMeans(
            self.n_clusters,
            init=cast(Any, self.init),
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.random_state,
            search=None,
            max_time=self.max_time,
        )
        for name in (
            "cluster_centers_", "inertia_", "restarts_", "n_iter_", "counts_", "history_",
            "has_timed_out_", "n_features_in_", "feature_names_in_", "_n_features_out",
        ):  # fmt: skip
            if hasattr(self, name):
                setattr(local, name, getattr(self, name))
        return local

    def save(self, path: str | os.PathLike[str], *, data: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a file, which `centroids.load` reads as ``centroids.KMeans``.

        Parameters
        ----------
        path : path-like
            Where to; an existing file is replaced at the end, never half written.
        data : mapping or None, default=None
            What is worth knowing of the training data, as in `centroids.save`.
        """
        self.to_local().save(path, data=data)

    # ------------------------------------------------------------------ inside

    def _for_blocks(self) -> in_memory.KMeans:
        """Return the model for blocks: names are checked, and the rows of a block have none.

        Workers that are threads share it, so it is not to be changed any more.
        """
        model = self.to_local()
        model.n_jobs = 1
        forget(model, "feature_names_in_")
        return model

    def _problem(self, parts: DaskParts, data: DaskRows) -> _core.PartsProblem:
        problem = _core.PartsProblem(parts, int(self.n_jobs))
        check_values(self, data, problem)
        return problem

    def _learn_columns(self, data: DaskRows) -> DaskRows:
        self.n_features_in_ = data.shape[1]
        if data.names is not None:
            self.feature_names_in_ = data.names
        return data

    def _rows_to_use(self, X: Any) -> DaskRows:
        check_is_fitted(self)
        data = check_dask_rows(X)
        if data.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {data.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        known = getattr(self, "feature_names_in_", None)
        if known is not None and data.names is not None and list(known) != list(data.names):
            raise ValueError(
                f"the columns of X are {list(data.names)}, those of the fit were {list(known)}: "
                "give the same, in the same order."
            )
        return DaskRows(data.rows.rechunk({1: -1}), names=data.names)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cluster_centers_")


def _predict_block(rows: Any, model: in_memory.KMeans, block_info: Any = None) -> Any:
    return _use_block(model, "predict", rows, block_info)


def _transform_block(rows: Any, model: in_memory.KMeans, block_info: Any = None) -> Any:
    return _use_block(model, "transform", rows, block_info)


def _use_block(model: in_memory.KMeans, method: str, rows: Any, block_info: Any) -> Any:
    if not len(rows):  # what one row gives, without that row
        return getattr(model, method)(np.zeros((1, rows.shape[1]), rows.dtype))[:0]
    try:
        return getattr(model, method)(rows)
    except ValueError as error:
        begin, end = block_info[0]["array-location"][0]
        raise ValueError(
            f"in rows {begin} to {end - 1} of X, counted from the first of them: {error}"
        ) from error
