"""Means, standard deviations and medians of every column, per cluster and over all rows.

A row of weight w counts as w rows everywhere. Extra memory: about 100 bytes a row of the largest
cluster, whatever the number of columns and clusters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids import _core

__all__ = ["Statistics", "measure"]

Floats = NDArray[np.float64]
COLUMNS_AT_ONCE = 8


class Statistics(NamedTuple):
    """Of every column; those of clusters without weight are NaN.

    Attributes
    ----------
    weight : ndarray of shape (n_clusters,)
    mean, std, median : ndarray of shape (n_clusters, n_features)
    overall_mean, overall_std, overall_median : ndarray of shape (n_features,)
    """

    weight: Floats
    mean: Floats
    std: Floats
    median: Floats
    overall_mean: Floats
    overall_std: Floats
    overall_median: Floats


def measure(
    rows: NDArray[Any],
    labels: NDArray[np.int32],
    members: list[NDArray[np.int64]],
    weights: Floats | None,
) -> Statistics:
    """Measure every column.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
    members : list of ndarray of int64
        The rows of each cluster.
    weights : ndarray of shape (n_samples,) or None
    """
    n_clusters, n_features = len(members), rows.shape[1]
    sums, weight, _ = _core.cluster_sums(rows, weights, labels, n_clusters)
    mean = np.full((n_clusters, n_features), np.nan)
    std, median = mean.copy(), mean.copy()
    is_there = weight > 0
    mean[is_there] = sums[is_there] / weight[is_there, None]
    for j in np.flatnonzero(is_there):
        own = None if weights is None else weights[members[j]]
        for columns in _column_blocks(n_features):
            block = np.ascontiguousarray(rows[members[j], columns].T, dtype=np.float64)
            offsets = block - mean[j, columns, None]
            # The mean as it was rounded may be off by its last digit: take that out.
            shift = np.average(offsets, axis=1, weights=own)
            squares = np.average(np.square(offsets, out=offsets), axis=1, weights=own)
            mean[j, columns] += shift
            std[j, columns] = np.sqrt(np.maximum(squares - np.square(shift), 0.0))
            median[j, columns] = medians(block, own)
    share = weight[is_there] / weight.sum()
    overall_mean = share @ mean[is_there]
    between = np.square(mean[is_there] - overall_mean)
    overall_std = np.sqrt(share @ (np.square(std[is_there]) + between))
    overall_median = np.empty(n_features)
    for columns in _column_blocks(n_features, 1):
        column = np.ascontiguousarray(rows[:, columns].T, dtype=np.float64)
        overall_median[columns] = medians(column, weights)
    return Statistics(weight, mean, std, median, overall_mean, overall_std, overall_median)


def medians(block: Floats, weights: Floats | None) -> Floats:
    """Return the median of each row of a block; the block may be reordered.

    With weights, the middle of the sorted values when each stands there as often as its weight
    says: the mean of two values where the middle falls between them.
    """
    if weights is None:
        plain: Floats = np.median(block, axis=1, overwrite_input=True)
        return plain
    result = np.empty(len(block))
    for i, values in enumerate(block):
        order = np.argsort(values, kind="stable")
        order = order[weights[order] > 0]
        mass = np.cumsum(weights[order])
        half, slack = mass[-1] / 2, 1e-12 * mass[-1]
        low = np.searchsorted(mass, half - slack)
        high = np.searchsorted(mass, half + slack, side="right")
        result[i] = (values[order[low]] + values[order[min(high, len(order) - 1)]]) / 2
    return result


def _column_blocks(n_features: int, width: int = COLUMNS_AT_ONCE) -> list[slice]:
    return [slice(j, min(j + width, n_features)) for j in range(0, n_features, width)]
