"""Criteria for use alone: rows from users in, partitions and silhouettes out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from centroids import _core
from centroids.choosing_k.partition import Partition, measure
from centroids.rows.arrays import check_sample_weight
from centroids.rows.threads import n_threads as resolve_threads

__all__ = ["SilhouetteEstimate", "measure_partition", "sampled_silhouette", "squared_silhouette"]

Float64 = NDArray[np.float64]

FLOATS = (np.float64, np.float32)
BLOCK_VALUES = 4_000_000
# Two-sided 95 % of a normal distribution.
Z_95 = 1.959963984540054


class SilhouetteEstimate(NamedTuple):
    """A mean silhouette from some of the rows.

    Attributes
    ----------
    value : float
        The estimate.
    low, high : float
        Its 95 % confidence interval.
    n_rows : int
        Rows whose silhouette was computed, each against all rows.
    """

    value: float
    low: float
    high: float
    n_rows: int


def measure_partition(
    X: ArrayLike,
    centers: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    are_centers_of_these_rows: bool = True,
    n_jobs: int | None = None,
) -> Partition:
    """Give every row to its nearest center and sum up what criteria need.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    centers : array-like of shape (n_clusters, n_features)
        As in ``KMeans.cluster_centers_``.
    sample_weight : array-like of shape (n_samples,) or None, default=None
    are_centers_of_these_rows : bool, default=True
        Whether the centers are means of these rows. Valleys then see each row without its own pull
        on its center; rows that were held out need no such care.
    n_jobs : int or None, default=None
        Most threads to use, as in `KMeans`.

    Returns
    -------
    Partition

    Raises
    ------
    ValueError
        If X or centers hold NaN or infinity, or have other numbers of columns.
    """
    rows = check_array(X, dtype=FLOATS, order="C")
    places = check_array(centers, dtype=np.float64, order="C", input_name="centers")
    if places.shape[1] != rows.shape[1]:
        raise ValueError(f"centers have {places.shape[1]} columns, X has {rows.shape[1]}.")
    weights = check_sample_weight(sample_weight, rows.shape[0])
    threads = resolve_threads(n_jobs, rows.size * (len(places) + 4.0))
    of_clusters = None
    if are_centers_of_these_rows:
        labels = _core.assign(rows, places, threads)
        of_clusters = np.bincount(labels, weights, minlength=len(places)).astype(np.float64)
    return measure(rows, places, weights, threads, of_clusters)


def squared_silhouette(
    X: ArrayLike, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean silhouette for squared Euclidean distances, exact in time linear in the rows.

    The mean squared distance from x to the rows of a cluster is |x - c|^2 + v, with c its mean and
    v its variance (summed over columns), so no pairs of rows are needed (Gaido 2023,
    arXiv:2303.14102, as in Spark). A row alone in its cluster counts as 0.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    labels : array-like of shape (n_samples,)
        Cluster of each row, of any type.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        A row of weight w counts as w equal rows.

    Returns
    -------
    float
        Between -1 and 1.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or not one label for each row.
    """
    rows, codes, k = _labelled(X, labels)
    weights = check_sample_weight(sample_weight, len(rows))
    w = np.ones(len(rows)) if weights is None else weights
    total = np.bincount(codes, w, minlength=k).astype(np.float64)
    # About the common mean, large offsets cannot swallow the digits.
    rows = rows - np.average(rows, axis=0, weights=w)
    means = np.empty((k, rows.shape[1]))
    for t in range(rows.shape[1]):
        means[:, t] = np.bincount(codes, w * rows[:, t], minlength=k)
    means /= np.where(total > 0, total, 1.0)[:, None]
    own = np.square(rows - means[codes]).sum(axis=1)
    variances = np.bincount(codes, w * own, minlength=k) / np.where(total > 0, total, 1.0)
    values = np.zeros(len(rows))
    for begin in range(0, len(rows), block := max(1, BLOCK_VALUES // k)):
        part = slice(begin, begin + block)
        mean_squares = np.square(_core.distances(rows[part], means, 1)) + variances
        mean_squares[:, total == 0] = np.inf
        values[part] = _silhouettes(mean_squares, codes[part], w[part], total)
    return float(np.average(values, weights=w))


def sampled_silhouette(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    n_rows: int = 1000,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> SilhouetteEstimate:
    """Mean silhouette of a uniform sample of rows, each against all rows.

    That is (b - a) / max(a, b), from the mean distance a to the other rows of the own cluster and
    the least mean distance b to those of another one (P. J. Rousseeuw, "Silhouettes: a graphical
    aid to the interpretation and validation of cluster analysis", Journal of Computational and
    Applied Mathematics 20, 1987).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    labels : array-like of shape (n_samples,)
    n_rows : int, default=1000
        Rows to sample; with as many as X has, the value is exact and the interval empty.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        A row of weight w counts as w equal rows.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    SilhouetteEstimate
        With a 95 % confidence interval that counts the share of rows not looked at.

    Raises
    ------
    ValueError
        If `n_rows` is below 1, there are fewer than two clusters, or not one label for each row.
    """
    if n_rows < 1:
        raise ValueError(f"n_rows must be an int of at least 1. Got {n_rows!r} instead.")
    rows, codes, k = _labelled(X, labels)
    weights = check_sample_weight(sample_weight, len(rows))
    w = np.ones(len(rows)) if weights is None else weights
    counting = np.flatnonzero(w)
    n = len(counting)
    m = min(int(n_rows), n)
    chosen = np.sort(counting[check_random_state(random_state).permutation(n)[:m]])
    total = np.bincount(codes, w, minlength=k).astype(np.float64)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(k))
    rows_by_cluster = np.ascontiguousarray(rows[order])
    values = np.empty(m)
    for begin in range(0, m, block := max(1, BLOCK_VALUES // len(rows))):
        part = chosen[begin : begin + block]
        distances = _core.distances(rows[part], rows_by_cluster, 1)
        means = np.add.reduceat(distances * w[order], starts, axis=1)
        means /= np.where(total > 0, total, 1.0)
        means[:, total == 0] = np.inf
        values[begin : begin + block] = _silhouettes(means, codes[part], w[part], total)
    # A ratio of sums over the sample; its spread is that of what each row adds to it.
    value = float(np.average(values, weights=w[chosen]))
    parts = w[chosen] / w[chosen].mean() * (values - value)
    spread = float(parts.std(ddof=1)) if m > 1 else 1.0
    half = Z_95 * spread * float(np.sqrt((1 - m / n) / m))
    return SilhouetteEstimate(value, max(-1.0, value - half), min(1.0, value + half), m)


def _silhouettes(means: Float64, codes: NDArray[Any], w: Float64, total: Float64) -> Float64:
    """(b - a) / max(a, b) from mean distances to all clusters, the own one counting the row."""
    each = np.arange(len(codes))
    # A row of weight w stands for w rows; one of them is the row itself.
    others = total[codes] - np.minimum(w, 1.0)
    a = means[each, codes] * total[codes] / np.where(others > 0, others, 1.0)
    means = means.copy()
    means[each, codes] = np.inf
    b = means.min(axis=1)
    larger = np.maximum(a, b)
    is_known = (others > 0) & np.isfinite(b) & (larger > 0)
    values: Float64 = np.divide(b - a, larger, out=np.zeros(len(codes)), where=is_known)
    return values


def _labelled(X: ArrayLike, labels: ArrayLike) -> tuple[Float64, NDArray[np.intp], int]:
    rows = check_array(X, dtype=np.float64, order="C")
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    if codes.shape != (len(rows),):
        raise ValueError(f"labels has the shape {codes.shape}, X has {len(rows)} rows.")
    if len(names) < 2:
        raise ValueError("A silhouette needs at least two clusters; labels holds one.")
    return rows, codes, len(names)
