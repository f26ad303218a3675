"""Rows of many columns on a plane.

Two ways to choose the plane, both orthogonal projections, so that distances on the map are never
longer than in truth:

* *principal components*: the directions in which the rows spread most;
* *discriminant*: the directions in which the centers spread most, weighted by the size of their
  clusters (the orthogonal centroid method: Park, Jeon & Rosen, "Lower dimensional representation of
  text data based on centroids and least squares", BIT 43, 2003). Where the centers fill less than a
  plane, the direction in which the rows spread most beside them is the second.

Data with one or two columns is shown as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from centroids.plots.fitted import Fitted

__all__ = ["PlaneMap", "Projection", "map_of", "voronoi_cells"]

Float64 = NDArray[np.float64]
Projection = Literal["auto", "pca", "discriminant"]

MOST_REGIONS = 100
"""Beyond so many clusters regions are too small to see."""
HONEST_SHARE = 0.95
"""Regions are drawn where at least this share of the rows lies in the region of its cluster."""
# Rows for the axes of spread of very wide or sparse data.
MOST_VALUES = 4_000_000


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """A map of at most two axes.

    Attributes
    ----------
    axes : ndarray of shape (n_features, n_axes)
        Orthonormal directions.
    origin : ndarray of shape (n_features,)
        What lies at 0.
    method : {"columns", "pca", "discriminant"}
    shares : tuple of float
        What each axis shows of the variance (pca) or of the variance between the centers
        (discriminant); empty for columns as they are.
    axis_labels : tuple of str
    """

    axes: Float64
    origin: Float64
    method: Literal["columns", "pca", "discriminant"]
    shares: tuple[float, ...]
    axis_labels: tuple[str, ...]

    def project(self, rows: Float64) -> Float64:
        """Return the positions of rows on the map, of shape (n_rows, n_axes)."""
        return (rows - self.origin) @ self.axes


def map_of(fitted: Fitted, projection: Projection = "auto") -> PlaneMap:
    """Choose the map for a fitted model."""
    if projection not in ("auto", "pca", "discriminant"):
        raise ValueError(f"projection must be 'auto', 'pca' or 'discriminant'; got {projection!r}")
    n_features = fitted.centers.shape[1]
    if n_features <= 2:
        axes, origin = np.eye(n_features), np.zeros(n_features)
        return PlaneMap(axes, origin, "columns", (), fitted.axis_names)
    if projection == "pca" or (projection == "auto" and len(fitted.centers) == 1):
        axes, shares, origin = _principal(fitted)
        labels = tuple(f"component {i + 1} ({_share(s, 'variance')})" for i, s in enumerate(shares))
        return PlaneMap(axes, origin, "pca", shares, labels)
    axes, shares, origin = _discriminant(fitted)
    kinds = [
        f"discriminant {i + 1} ({_share(s, 'center spread')})"
        if s > 0
        else f"direction {i + 1} (spread within clusters)"
        for i, s in enumerate(shares)
    ]
    return PlaneMap(axes, origin, "discriminant", shares, tuple(kinds))


def _share(share: float, what: str) -> str:
    percent = f"{100 * share:.0f}" if share < 0.995 or share > 1 - 1e-9 else "over 99"
    return f"{percent} % of {what}"


def _rows_for_spread(fitted: Fitted) -> Float64:
    n_samples, n_features = fitted.rows.shape
    at_most = max(1000, MOST_VALUES // n_features)
    step = -(-n_samples // at_most)
    return fitted.dense(np.arange(0, n_samples, step, dtype=np.int64))


def _principal(fitted: Fitted) -> tuple[Float64, tuple[float, ...], Float64]:
    rows = _rows_for_spread(fitted)
    origin = rows.mean(axis=0)
    directions, squares = _spread(rows - origin)
    return directions, tuple(squares.tolist()), origin


def _spread(centered: Float64, n_axes: int = 2) -> tuple[Float64, Float64]:
    """Return the directions of largest spread, and their shares of the whole."""
    if centered.shape[1] <= 1000:
        values, vectors = np.linalg.eigh(centered.T @ centered)
        values, vectors = values[::-1][:n_axes], vectors[:, ::-1][:, :n_axes]
    else:
        from sklearn.utils.extmath import randomized_svd

        _, singular, right = randomized_svd(centered, n_axes, random_state=0)
        values, vectors = singular**2, right.T
    total = float(np.square(centered).sum())
    shares = np.clip(values, 0, None) / total if total > 0 else np.zeros(n_axes)
    return _with_fixed_signs(vectors), shares


def _discriminant(fitted: Fitted) -> tuple[Float64, tuple[float, ...], Float64]:
    weights = fitted.counts / fitted.counts.sum()
    origin = weights @ fitted.centers
    scaled = (fitted.centers - origin) * np.sqrt(weights)[:, None]
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    squares = np.square(singular)
    total = float(squares.sum())
    n_real = int(np.count_nonzero(squares[:2] > 1e-20 * max(total, 1e-300)))
    axes = right[:n_real].T
    shares = [float(s) / total for s in squares[:n_real]]
    if n_real < 2:
        rows = _rows_for_spread(fitted) - origin
        beside = rows - (rows @ axes) @ axes.T
        more, _ = _spread(beside, 2 - n_real)
        axes = np.concatenate([axes, more], axis=1)
        shares += [0.0] * (2 - n_real)
    return _with_fixed_signs(axes), tuple(shares), origin


def _with_fixed_signs(axes: Float64) -> Float64:
    """Turn each direction so that its largest entry is positive: a direction has no sign."""
    largest = axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])]
    return axes * np.where(largest < 0, -1.0, 1.0)


def voronoi_cells(
    centers: Float64, low: Sequence[float] | Float64, high: Sequence[float] | Float64
) -> list[Float64]:
    """Cut a box into what is nearest to each center: one polygon each, empty if outside."""
    (x0, y0), (x1, y1) = low, high
    box = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)
    cells = []
    for j, center in enumerate(centers):
        cell = box
        for i, other in enumerate(centers):
            if i != j and len(cell):
                cell = _cut(cell, center, other)
        cells.append(cell)
    return cells


def _cut(polygon: Float64, center: Float64, other: Float64) -> Float64:
    """Keep what is nearer to `center` than to `other` (Sutherland and Hodgman's clipping)."""
    normal = other - center
    inside = (polygon - (center + other) / 2) @ normal  # below 0: nearer to `center`
    kept: list[Float64] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if inside[i] <= 0:
            kept.append(polygon[i])
        if inside[i] * inside[j] < 0:
            weight = inside[i] / (inside[i] - inside[j])
            kept.append(polygon[i] + weight * (polygon[j] - polygon[i]))
    return np.array(kept).reshape(-1, 2)
