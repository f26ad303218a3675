"""The two metrics, each an object with one contract.

The core knows Euclidean distances only. A metric says how rows are prepared for it, whether means
are scaled to length one, and how its Euclidean distances become distances of the metric.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.rows.arrays import check_finite
from centroids.rows.sparse import core_rows, with_values


class Metric(Protocol):
    """What `KMeans` asks of a metric."""

    unit_centers: bool
    inertia_scale: float
    """The metric's inertia over the core's sum of squared Euclidean distances."""

    def prepare(self, estimator: Any, X: Any, n_threads: int) -> Any:
        """Return the rows whose Euclidean distances stand for the metric."""

    def distances(self, euclidean: NDArray[Any]) -> NDArray[Any]:
        """Return the metric's distances for the core's."""


class Euclidean:
    """Rows as they are."""

    unit_centers = False
    inertia_scale = 1.0

    def prepare(self, estimator: Any, X: Any, n_threads: int) -> Any:
        """Return X."""
        return X

    def distances(self, euclidean: NDArray[Any]) -> NDArray[Any]:
        """Return them as they are."""
        return euclidean


class Cosine:
    """Spherical K-Means: rows and centers of length one, where |x - c|^2 = 2 (1 - cos(x, c)).

    The distance is 1 - cos, as ``sklearn.metrics.pairwise.cosine_distances`` has it; inertia is its
    sum over the rows, the objective of Dhillon & Modha, "Concept Decompositions for Large Sparse
    Text Data Using Clustering", Machine Learning 42, 2001.
    """

    unit_centers = True
    inertia_scale = 0.5

    def prepare(self, estimator: Any, X: Any, n_threads: int) -> Any:
        """Return a copy of X with rows of length one."""
        check_finite(estimator, X, n_threads)
        values, first_without = _core.unit_rows(core_rows(X), n_threads)
        if first_without >= 0:
            raise ValueError(
                f"Input X has only zeros in row {first_without} (counted from 0): a row without a "
                "direction has no cosine. Drop such rows, or use metric='euclidean'."
            )
        return with_values(X, values)

    def distances(self, euclidean: NDArray[Any]) -> NDArray[Any]:
        """Return 1 - cos = |x - c|^2 / 2."""
        halves: NDArray[Any] = np.square(euclidean) * euclidean.dtype.type(0.5)
        return halves


METRICS: dict[str, Metric] = {"euclidean": Euclidean(), "cosine": Cosine()}
