"""Rows worth looking at: typical ones, those on the border, and those that belong nowhere."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids.estimators.nearest_center import Nearest
from centroids.estimators.parts import ModelParts
from centroids.estimators.spread import fences, outside

__all__ = ["Landmarks", "find_landmarks"]

RowNumbers = NDArray[np.int64]


class Landmarks(NamedTuple):
    """Row numbers of one cluster, and how many outliers there are in all."""

    representatives: RowNumbers
    borderline: RowNumbers
    outliers: RowNumbers
    n_outliers: int


def find_landmarks(
    parts: ModelParts,
    rows: NDArray[Any],
    places: Nearest,
    members: list[RowNumbers],
    radii: NDArray[np.float64],
    n_wanted: tuple[int, int, int],
) -> list[Landmarks]:
    """Find the landmarks of each cluster.

    Parameters
    ----------
    parts : ModelParts
    rows : ndarray of shape (n_samples, n_features)
        In their own units.
    places : Nearest
        Own and second center of each row.
    members : list of ndarray of int64
        The rows of each cluster that have weight.
    radii : ndarray of shape (n_clusters, n_quantiles)
    n_wanted : tuple of int
        How many representatives, borderline rows and outliers to name.
    """
    is_outside = outside(places, fences(radii), lambda block: parts.distances(rows[block]))
    margins = places.second_distances - places.distances
    found = []
    for own in members:
        far = own[is_outside[own]]
        has_border = len(own) > 0 and np.isfinite(margins[own[0]])
        found.append(
            Landmarks(
                _lowest(places.distances, own, n_wanted[0]),
                _lowest(margins, own, n_wanted[1] if has_border else 0),
                _lowest(-places.distances, far, n_wanted[2]),
                len(far),
            )
        )
    return found


def _lowest(values: NDArray[np.float64], rows: RowNumbers, n: int) -> RowNumbers:
    """Return the n rows with the lowest values, lowest first; the first rows on ties."""
    n = min(n, len(rows))
    if n == 0:
        return np.empty(0, dtype=np.int64)
    own = values[rows]
    near = np.flatnonzero(own <= np.partition(own, n - 1)[n - 1])
    order = np.argsort(own[near], kind="stable")
    return rows[near[order[:n]]].astype(np.int64, copy=False)
