"""A fitted model taken apart: what fills gaps, what scales, and what clusters.

The one place that knows which models can be described, aligned and stored: an estimator of this
package, alone or as the last step of a ``Pipeline`` after a ``SimpleImputer``, a ``StandardScaler``
or both, in this order.
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
    scaler : StandardScaler or None
    clusterer : NearestCenterModel
    """

    imputer: Any
    scaler: Any
    clusterer: NearestCenterModel

    @property
    def first(self) -> Any:
        """The step that users hand their rows to."""
        steps = (self.imputer, self.scaler, self.clusterer)
        return next(step for step in steps if step is not None)

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns the model was fitted on."""
        names = getattr(self.first, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    def frozen(self) -> ModelParts:
        """Return the steps as they are now: fitting the model again leaves these as they were."""
        return ModelParts(
            *(copy.copy(step) for step in (self.imputer, self.scaler, self.clusterer))
        )

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
        return rows

    def scaled(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return checked rows in the units that the clusterer works in."""
        if self.scaler is None:
            return rows
        return map_rows(rows, without_names(self.scaler).transform)

    def nearest(self, rows: NDArray[Any]) -> Nearest:
        """Return own and second center of checked rows, with distances in the clusterer's units.

        The label is the one that ``predict`` gives, which for `BisectingKMeans` need not be the
        nearest center; then the nearest is the second.
        """
        clusterer = without_names(self.clusterer)
        if self.scaler is None:
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
        if self.scaler is not None:
            centers = without_names(self.scaler).inverse_transform(centers)
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
    imputer = before.pop(0) if before and isinstance(before[0], SimpleImputer) else None
    scaler = before.pop(0) if before and isinstance(before[0], StandardScaler) else None
    if before or not isinstance(clusterer, NearestCenterModel):
        found = (
            f"a Pipeline of {', '.join(type(step).__name__ for step in steps)}"
            if isinstance(model, Pipeline)
            else f"{type(model).__name__}"
        )
        raise TypeError(
            f"{argument} must be a fitted KMeans, MiniBatchKMeans or BisectingKMeans, or a "
            "Pipeline of a SimpleImputer, a StandardScaler (or one of them) and such a model; "
            f"got {found}."
        )
    for step in filter(None, (imputer, scaler, clusterer)):
        check_is_fitted(step)
    return ModelParts(imputer, scaler, clusterer)


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
