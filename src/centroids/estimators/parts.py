"""A fitted model taken apart: what fills gaps, takes logarithms and scales, and what clusters.

The one place that knows which models can be described, aligned and stored: an estimator of this
package, alone or as the last step of a ``Pipeline`` after a ``SimpleImputer``, a `LogTransformer`
and a ``StandardScaler``, or some of them, in this order.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from centroids.estimators.learned import without_names
from centroids.estimators.logarithms import LogTransformer, check_positive
from centroids.estimators.nearest_center import Nearest, NearestCenterModel
from centroids.rows.arrays import check_finite, check_rows
from centroids.rows.blocks import blocks_of, map_rows
from centroids.rows.sparse import is_sparse, to_dense

__all__ = ["ModelParts", "own_and_second", "take_apart"]


@dataclass(frozen=True, eq=False)
class ModelParts:
    """The steps of a fitted model.

    Attributes
    ----------
    imputer : SimpleImputer or None
    logarithms : LogTransformer or None
    scaler : StandardScaler or None
    clusterer : NearestCenterModel
    """

    imputer: Any
    logarithms: Any
    scaler: Any
    clusterer: NearestCenterModel

    @property
    def steps(self) -> list[Any]:
        """The steps that are there, in order."""
        every = (self.imputer, self.logarithms, self.scaler, self.clusterer)
        return [step for step in every if step is not None]

    @property
    def first(self) -> Any:
        """The step that users hand their rows to."""
        return self.steps[0]

    @property
    def converters(self) -> list[Any]:
        """The steps that change the units of rows; they take and give arrays."""
        return [without_names(step) for step in (self.logarithms, self.scaler) if step is not None]

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns the model was fitted on."""
        names = getattr(self.first, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    def frozen(self) -> ModelParts:
        """Return the steps as they are now: fitting the model again leaves these as they were."""
        every = (self.imputer, self.logarithms, self.scaler, self.clusterer)
        return ModelParts(*(copy.copy(step) for step in every))

    def check_rows(self, X: Any) -> NDArray[Any]:
        """Return rows in their own units, gaps filled as the model fills them.

        Column names are compared where both the model and `X` have them.
        """
        first, is_frame = self.first, hasattr(X, "columns")
        if self.feature_names is None and is_frame:
            X = np.asarray(X)
        elif not is_frame:
            first = without_names(first)
        rows: NDArray[Any] = check_rows(first, X, reset=False)
        if is_sparse(rows):
            raise TypeError("X is a sparse matrix: pass dense rows, for example X.toarray().")
        if self.imputer is not None:
            rows = map_rows(rows, without_names(self.imputer).transform)
        check_finite(self.first, rows, 1)
        if self.logarithms is not None:
            check_positive(self.first, rows, self.logarithms.columns_)
        return rows

    def scaled(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return checked rows in the units that the clusterer works in."""
        for step in self.converters:
            rows = map_rows(rows, step.transform)
        return rows

    def nearest(self, rows: NDArray[Any]) -> Nearest:
        """Return own and second center of checked rows, with distances in the clusterer's units.

        The label is the one that ``predict`` gives, which for `BisectingKMeans` need not be the
        nearest center; then the nearest is the second.
        """
        clusterer = without_names(self.clusterer)
        if not self.converters:
            return own_and_second(clusterer, rows)
        blocks = [own_and_second(clusterer, self.scaled(block)) for block in blocks_of(rows)]
        return Nearest(*map(np.concatenate, zip(*blocks, strict=True)))

    def distances(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the distance of checked rows to every center: for a few rows only."""
        distances: NDArray[Any] = without_names(self.clusterer).transform(self.scaled(rows))
        return distances

    def centers(self) -> NDArray[np.float64]:
        """Return the centers in the units of the rows."""
        centers = np.asarray(self.clusterer.cluster_centers_, dtype=np.float64)
        for step in reversed(self.converters):
            centers = step.inverse_transform(centers)
        return centers


def take_apart(model: Any, argument: str = "model") -> ModelParts:
    """Take a fitted model apart.

    Raises
    ------
    TypeError
        If it is none of the models described above.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    steps = [step for step in steps if step is not None and not isinstance(step, str)]
    *before, clusterer = steps or [None]
    imputer, logarithms, scaler = (
        before.pop(0) if before and isinstance(before[0], kind) else None
        for kind in (SimpleImputer, LogTransformer, StandardScaler)
    )
    if before or not isinstance(clusterer, NearestCenterModel):
        found = (
            f"a Pipeline of {', '.join(type(step).__name__ for step in steps)}"
            if isinstance(model, Pipeline)
            else f"{type(model).__name__}"
        )
        raise TypeError(
            f"{argument} must be a fitted KMeans, MiniBatchKMeans or BisectingKMeans, or a "
            "Pipeline of a SimpleImputer, a LogTransformer, a StandardScaler (or some of them, in "
            "this order) and such a model; "
            f"got {found}."
        )
    parts = ModelParts(imputer, logarithms, scaler, clusterer)
    for step in parts.steps:
        check_is_fitted(step)
    return parts


def own_and_second(clusterer: NearestCenterModel, rows: Any) -> Nearest:
    """Return own and second center of rows; the own is the one that ``predict`` gives."""
    places = clusterer.nearest(rows)
    labels = clusterer.predict(rows) if _has_own_rule(clusterer) else places.labels
    other = np.flatnonzero(labels != places.labels)
    if not len(other):
        return places
    gaps = to_dense(rows[other]) - clusterer.cluster_centers_[labels[other]].astype(np.float64)
    distances, seconds = places.distances.copy(), places.second_labels.copy()
    second_distances = places.second_distances.copy()
    distances[other] = np.sqrt(np.square(gaps).sum(axis=1))
    seconds[other], second_distances[other] = places.labels[other], places.distances[other]
    return Nearest(labels, distances, seconds, second_distances)


def _has_own_rule(clusterer: NearestCenterModel) -> bool:
    return type(clusterer)._labels_of is not NearestCenterModel._labels_of
