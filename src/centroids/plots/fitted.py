"""What displays take from a fitted model: its rows, centers, labels, and the names to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.utils.validation import check_is_fitted

from centroids.estimators.learned import without_names
from centroids.estimators.logarithms import LogTransformer
from centroids.estimators.quotas import quotas
from centroids.rows.blocks import map_rows

__all__ = ["Fitted", "cluster_names", "sample_rows"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model of centers, with the rows in the space it measures distances in.

    Attributes
    ----------
    kmeans : estimator
        Has ``cluster_centers_``, ``predict`` and ``nearest``.
    rows : {ndarray, sparse matrix} of shape (n_samples, n_features)
        As `kmeans` sees them: scaled if the model is a pipeline that scales.
    labels : ndarray of shape (n_samples,)
    centers : ndarray of shape (n_clusters, n_features)
    before : tuple of transformer
        What was done to the rows before: gaps filled, columns scaled.
    feature_names : tuple of str
    """

    kmeans: Any
    rows: Any
    labels: NDArray[np.int32]
    centers: NDArray[np.float64]
    before: tuple[Any, ...]
    feature_names: tuple[str, ...]

    @classmethod
    def of(cls, model: Any, X: Any, feature_names: Sequence[str] | None = None) -> Fitted:
        """Take a model, or a pipeline that ends in one, apart."""
        is_pipeline = hasattr(model, "steps")
        kmeans = model[-1] if is_pipeline else model
        if not hasattr(kmeans, "nearest"):
            raise TypeError(
                f"estimator is a {type(kmeans).__name__}; pass a fitted KMeans, MiniBatchKMeans or "
                "BisectingKMeans, or a pipeline that ends in one"
            )
        check_is_fitted(kmeans)
        names = _names_of(model, X, feature_names, np.shape(X)[1])
        kmeans = without_names(kmeans)
        steps = [step for _, step in model.steps[:-1]] if is_pipeline else []
        before = tuple(without_names(step) for step in steps if hasattr(step, "transform"))
        rows = X if hasattr(X, "tocsr") else np.asarray(X)
        for step in before:
            is_dense = isinstance(rows, np.ndarray)
            rows = map_rows(rows, step.transform) if is_dense else step.transform(rows)
        labels = kmeans.predict(rows)
        centers = np.asarray(kmeans.cluster_centers_, dtype=np.float64)
        if getattr(kmeans, "metric", "euclidean") == "cosine":
            rows = _unit(rows)
        if len(names) != centers.shape[1]:
            names = tuple(f"x{j + 1}" for j in range(centers.shape[1]))
        return cls(kmeans, rows, labels, centers, before, names)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of these rows in each cluster."""
        return np.bincount(self.labels, minlength=len(self.centers)).astype(np.int64)

    @cached_property
    def nearest(self) -> Any:
        """Own and second center of each row (`centroids.Nearest`)."""
        return self.kmeans.nearest(self.rows)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the columns as `unscaled` shows them."""
        logged = {
            int(column)
            for step in self.before
            if isinstance(step, LogTransformer)
            for column in step.columns_
        }
        return tuple(f"ln {n}" if j in logged else n for j, n in enumerate(self.feature_names))

    def unscaled(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows of the model's space in the units they were given in, or their logarithms.

        Straight lines, such as those between clusters, stay straight.
        """
        # An imputer changes no units. What cannot be undone leaves the rows as the model sees them.
        kept = (SimpleImputer, LogTransformer)
        steps = [step for step in self.before if not isinstance(step, kept)]
        if not len(rows) or not all(hasattr(step, "inverse_transform") for step in steps):
            return rows
        for step in reversed(steps):
            rows = np.asarray(step.inverse_transform(rows), dtype=np.float64)
        return rows

    def dense(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some of the rows as a dense float64 array."""
        picked = self.rows[rows]
        picked = picked.toarray() if hasattr(picked, "toarray") else picked
        return np.asarray(picked, dtype=np.float64)


def _unit(rows: Any) -> Any:
    from sklearn.preprocessing import normalize

    return normalize(rows)


def _names_of(
    model: Any, X: Any, feature_names: Sequence[str] | None, n_features: int
) -> tuple[str, ...]:
    known = getattr(model, "feature_names_in_", None)
    columns = getattr(X, "columns", None)
    if known is not None and columns is not None and list(known) != list(columns):
        raise ValueError(
            f"X has the columns {list(columns)}, but the model was fitted on {list(known)}; pass "
            "these, in this order"
        )
    if feature_names is None:
        feature_names = columns if known is None else known
    if feature_names is None or len(feature_names) != n_features:
        return tuple(f"x{j + 1}" for j in range(n_features))
    return tuple(str(name) for name in feature_names)


def cluster_names(names: Sequence[str | None] | None, n_clusters: int) -> tuple[str, ...]:
    """Return what to print for each cluster: its number, and its name if it has one."""
    given = [None] * n_clusters if names is None else list(names)
    if len(given) != n_clusters:
        raise ValueError(f"names has {len(given)} entries for {n_clusters} clusters; give one each")
    return tuple(f"{j}" if name is None else f"{j} {name}" for j, name in enumerate(given))


def sample_rows(labels: NDArray[np.int32], n_clusters: int, at_most: int) -> NDArray[np.int64]:
    """Choose rows to show, ascending: the same each time, with small clusters kept.

    How many rows of each cluster: see `quotas`.
    """
    if len(labels) <= at_most:
        return np.arange(len(labels), dtype=np.int64)
    counts = np.bincount(labels, minlength=n_clusters)
    quota = quotas(counts, at_most)
    random = np.random.default_rng(0)
    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)])
    picked = [
        order[starts[j] : starts[j + 1]][random.choice(counts[j], quota[j], replace=False)]
        for j in range(n_clusters)
    ]
    return np.sort(np.concatenate(picked)).astype(np.int64)
