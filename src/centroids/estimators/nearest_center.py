"""What every fitted model of centers can do with rows: the base of the public estimators."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

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
from centroids.estimators.learned import learned_anew, without_names
from centroids.estimators.metrics import METRICS, Metric
from centroids.estimators.parameters import is_integer
from centroids.rows.arrays import check_finite, check_rows, check_sample_weight
from centroids.rows.sparse import core_rows
from centroids.rows.threads import n_threads

if TYPE_CHECKING:
    from centroids.estimators.alignment import Alignment, OldModel

MAX_NAME = 200
"""Characters of a cluster's name."""


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
    radii_: NDArray[np.float64]
    alignment_: Alignment
    n_jobs: int | None

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        align_to: Any = None,
    ) -> Self:
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

    # ------------------------------------------------------------------ names and numbers

    @property
    def cluster_names_(self) -> Mapping[int, str]:
        """Names of the clusters by number, as far as they have some (`name_clusters`)."""
        check_is_fitted(self)
        return MappingProxyType(self.__dict__.get("_cluster_names", {}))

    def name_clusters(self, names: Mapping[int, str | None]) -> Self:
        """Give clusters names, which go with the model: into its file, and along with `align`.

        Parameters
        ----------
        names : mapping of int to str or None
            Names by cluster number; None takes a name away. Other clusters keep theirs.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no such cluster, if a name is no text, or if two clusters would share one.
        """
        check_is_fitted(self)
        known = {**self.cluster_names_, **names}
        self._cluster_names = check_cluster_names(known, len(self.cluster_centers_))
        return self

    def align(self, old_model: Any) -> Alignment:
        """Take over the cluster numbers and names of an old model.

        As `centroids.align`, which also takes pipelines.

        Parameters
        ----------
        old_model : KMeans, MiniBatchKMeans or BisectingKMeans
            A model fitted on the same columns.

        Returns
        -------
        Alignment
            What moved, grew, appeared and vanished.
        """
        from centroids.estimators.alignment import align

        return align(self, old_model)

    def measure_radii(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Measure how far the rows of each cluster lie from its center, and keep that.

        Stored in ``radii_``, of shape (n_clusters, 6): the distances that hold 25, 50, 75, 90, 99
        and 100 % of the rows of each cluster. `is_outlier` needs them; they go into the model file.
        A new fit forgets them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows of the fit, as the model sees them: scaled, where a pipeline scales.
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        self
        """
        from centroids.estimators.parts import own_and_second
        from centroids.estimators.spread import distance_quantiles, rows_by_cluster

        places = own_and_second(self, X)
        weights = check_sample_weight(sample_weight, len(places.labels))
        members = rows_by_cluster(places.labels, len(self.cluster_centers_))
        self.radii_ = distance_quantiles(members, places.distances, weights)
        return self

    def is_outlier(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows lie far from every center, measured against each cluster's own spread.

        Far from a center: farther than the third quartile of the distances of its rows plus three
        times their interquartile range, as `measure_radii` found them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), bool

        Raises
        ------
        ValueError
            If `measure_radii` was not called before.
        """
        from centroids.estimators.spread import fences, outside

        check_is_fitted(self)
        if not hasattr(self, "radii_"):
            raise ValueError(
                f"This {type(self).__name__} does not know how far its rows lie from their "
                "centers: call measure_radii(X) with the rows of the fit first."
            )
        rows = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
        plain, places = without_names(self), self.nearest(X)
        return outside(places, fences(self.radii_), lambda block: plain.transform(rows[block]))

    @contextmanager
    def _new_model(self, align_to: Any) -> Iterator[OldModel | None]:
        """Fit anew within: yields the model to align with; an exception changes nothing."""
        old = None
        if align_to is not None:
            from centroids.estimators.alignment import OldModel

            if hasattr(align_to, "steps"):
                raise TypeError(
                    "align_to is a Pipeline, whose scaling this fit does not see: fit the new "
                    "pipeline, then call centroids.align(new_pipeline, old_pipeline)."
                )
            old = OldModel.of(align_to, "align_to")
        with learned_anew(self):
            yield old

    def _check_fit_rows(
        self, X: ArrayLike, sample_weight: ArrayLike | None, old: OldModel | None
    ) -> tuple[Any, NDArray[np.float64] | None]:
        """Return rows and weights; learn the columns, which are those of the old model, too.

        Values of the rows are not looked at: follow with `checked_problem`.
        """
        rows = check_rows(self, X, reset=True)
        if old is not None:
            old.check_columns_of(self)
        return rows, check_sample_weight(sample_weight, rows.shape[0])

    def _end_fit(self, old: OldModel | None, rows: Any) -> None:
        """Take over the numbers of an old model, and give the rows their labels again."""
        if old is None:
            return
        from centroids.estimators.alignment import align_parts
        from centroids.estimators.parts import take_apart

        self.alignment_ = align_parts(take_apart(self), old)
        if hasattr(self, "labels_"):
            # A row exactly between two centers goes to the lower number, which may be another now.
            centers = np.ascontiguousarray(self.cluster_centers_, dtype=np.float64)
            threads = self._threads(rows, len(centers))
            self.labels_ = self._labels_of(rows, centers, threads)
            if hasattr(self, "counts_"):
                self.counts_ = np.bincount(self.labels_, minlength=len(centers)).astype(np.int64)

    def _renumber(self, order: NDArray[np.int64]) -> None:
        """Give number i to the cluster that is now ``order[i]``."""
        for name in ("cluster_centers_", "counts_", "radii_"):
            if hasattr(self, name):
                setattr(self, name, getattr(self, name)[order])
        if hasattr(self, "labels_"):
            self.labels_ = np.argsort(order).astype(np.int32)[self.labels_]

    def save(self, path: str | os.PathLike[str], *, data: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a file that holds data and no code.

        Parameters
        ----------
        path : path-like
            Where to; an existing file is replaced at the end, never half written.
        data : mapping or None, default=None
            What is worth knowing of the training data, as in `centroids.save`.

        See Also
        --------
        centroids.load : reads it back.
        """
        from centroids.estimators.saved import save

        save(self, path, data=data)

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


def check_cluster_names(names: Mapping[Any, Any], n_clusters: int) -> dict[int, str]:
    """Return names by cluster number, without those that are None; raise where one is wrong."""
    checked: dict[int, str] = {}
    for number, name in names.items():
        if not is_integer(number) or not 0 <= number < n_clusters:
            raise ValueError(
                f"names has the key {number!r}: the model has the clusters 0 to {n_clusters - 1}."
            )
        if name is None:
            continue
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ValueError(
                f"names[{number}] is {name!r}: give a text of one line, or None for no name."
            )
        if len(name) > MAX_NAME:
            raise ValueError(
                f"names[{number}] has {len(name)} characters: at most {MAX_NAME} are kept."
            )
        if name in checked.values():
            raise ValueError(f"names gives {name!r} to two clusters: each needs one of its own.")
        checked[int(number)] = name
    return dict(sorted(checked.items()))
