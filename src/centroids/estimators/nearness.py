"""`nearest`: own and second center of rows, for every model."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from centroids.estimators.nearest_center import Nearest
from centroids.estimators.parts import take_apart

__all__ = ["nearest"]


def nearest(model: Any, X: ArrayLike) -> Nearest:
    """Return the cluster and the next best center of each row, with their distances.

    As ``KMeans.nearest``, but rows may have gaps and their own units where the model is a pipeline
    that fills gaps and scales, and the label is the one that ``predict`` gives, which for
    `BisectingKMeans` need not be the nearest center.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        Fitted; in a ``Pipeline``, a ``SimpleImputer``, a `LogTransformer` and a ``StandardScaler``,
        or some of them, come first, in this order.
    X : array-like of shape (n_samples, n_features)
        Rows, as ``model.predict`` takes them.

    Returns
    -------
    Nearest
        Labels, distances, second labels, second distances; distances in the units that the model
        works in, so in standard deviations behind a scaler.

    See Also
    --------
    profile : says which rows are typical, on the border or far out.

    Examples
    --------
    >>> from centroids import KMeans, nearest
    >>> model = KMeans(2, random_state=0).fit([[0.0], [2.0], [10.0], [12.0]])
    >>> near = nearest(model, [[1.0], [6.5]])
    >>> near.second_distances - near.distances
    array([10.,  1.])
    """
    parts = take_apart(model)
    return parts.nearest(parts.check_rows(X))
