"""What every fitted model of centers can do with rows: the base of the public estimators."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from centroids import _core
from centroids.estimators.metrics import METRICS, Metric
from centroids.rows.arrays import check_finite, check_rows, check_sample_weight
from centroids.rows.sparse import core_rows
from centroids.rows.threads import n_threads


class Nearest(NamedTuple):
    """Nearest and second nearest center of each row (`KMeans.nearest`).

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
    distances : ndarray of shape (n_samples,), float64
        Distance to the center ``labels``: Euclidean, or 1 - cos with ``metric="cosine"``.
    second_labels : ndarray of shape (n_samples,), int32
        -1 where there is one cluster only.
    second_distances : ndarray of shape (n_samples,), float64
        Infinite where there is one cluster only.
    """

    labels: NDArray[np.int32]
    distances: NDArray[np.float64]
    second_labels: NDArray[np.int32]
    second_distances: NDArray[np.float64]


class NearestCenterModel(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Rows belong to the nearest of ``cluster_centers_``. A subclass says how these are found."""

    cluster_centers_: NDArray[Any]
    labels_: NDArray[np.int32]
    n_jobs: int | None

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the clusters of the rows of X."""
        raise NotImplementedError

    def fit_predict(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Fit, and return the cluster of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        ndarray of shape (n_samples,), int32
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Fit, and return the distance of each row to each center.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """Return the nearest cluster of each row, the lowest number on ties.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int32
        """
        rows, centers, threads = self._rows_to_use(X)
        return self._labels_of(rows, centers, threads)

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the distance of each row to each center.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Euclidean distances, or 1 - cos with ``metric="cosine"``.
        """
        rows, centers, threads = self._rows_to_use(X)
        return self._metric.distances(_core.distances(core_rows(rows), centers, threads))

    def nearest(self, X: ArrayLike) -> Nearest:
        """Return the nearest and the second nearest center of each row, with their distances.

        The gap between the two distances says how sure the assignment of a row is.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Nearest
            Labels, distances, second labels, second distances.
        """
        rows, centers, threads = self._rows_to_use(X)
        labels, distances, seconds, second_distances = _core.nearest(
            core_rows(rows), centers, threads
        )
        measure = self._metric.distances
        return Nearest(labels, measure(distances), seconds, measure(second_distances))

    def score(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return minus the inertia of the rows: higher is better.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
        """
        rows, centers, threads = self._rows_to_use(X)
        weights = check_sample_weight(sample_weight, rows.shape[0])
        labels = self._labels_of(rows, centers, threads)
        return -self._inertia_of(rows, centers, labels, weights, threads)

    def _labels_of(
        self, rows: Any, centers: NDArray[np.float64], threads: int
    ) -> NDArray[np.int32]:
        return _core.assign(core_rows(rows), centers, threads)

    def _inertia_of(
        self,
        rows: Any,
        centers: NDArray[np.float64],
        labels: NDArray[np.int32],
        weights: NDArray[np.float64] | None,
        threads: int,
    ) -> float:
        squares = _core.inertia(core_rows(rows), centers, labels, weights, threads)
        return squares * self._metric.inertia_scale

    def _rows_to_use(self, X: ArrayLike) -> tuple[Any, NDArray[np.float64], int]:
        """Rows in the precision of the model, the centers for the core, and the threads."""
        if not hasattr(self, "cluster_centers_"):
            check_is_fitted(self)  # raises scikit-learn's NotFittedError
        rows = check_rows(self, X, reset=False)
        threads = self._threads(rows, self.cluster_centers_.shape[0])
        check_finite(self, rows, threads)
        if rows.dtype != self.cluster_centers_.dtype:
            rows = rows.astype(np.float64, copy=False)
        rows = self._metric.prepare(self, rows, threads)
        centers = np.ascontiguousarray(self.cluster_centers_, dtype=np.float64)
        return rows, centers, threads

    @property
    def _metric(self) -> Metric:
        return METRICS[getattr(self, "metric", "euclidean")]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cluster_centers_")

    def _threads(self, X: Any, n_clusters: int) -> int:
        return n_threads(self.n_jobs, X.size * float(n_clusters + 4))

    def _check_n_clusters(self, n_samples: int) -> int:
        n_clusters = int(self.n_clusters)
        if n_samples < n_clusters:
            raise ValueError(f"n_samples={n_samples} should be >= n_clusters={n_clusters}.")
        return n_clusters

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
