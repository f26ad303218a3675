"""Are the clusters alike and spherical? Where they are, likelihood tells their number best.

A criterion of likelihood is as good as its model. That of `spherical_bic`, Gaussians with the same
variance in every direction, finds groups that overlap too much for valleys, but cuts up groups of
any other shape. So it is asked only where the clusters themselves bear the model out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from centroids.choosing_k.partition import Partition

__all__ = ["are_alike_and_spherical"]

Float64 = NDArray[np.float64]

# Variance of the squared distances to the center, over that of a spherical Gaussian. Overlapping
# neighbours cut tails off; variances along two columns that differ by a factor of 2.5 give 1.2.
LEAST_SHAPE, LARGEST_SHAPE = 0.6, 1.2
# Upper over lower quartile of the variances.
LARGEST_FACTOR = 1.5


def are_alike_and_spherical(partition: Partition) -> bool:
    """Whether most clusters look like spherical Gaussians of about the same variance.

    Most, weighed by their rows: some may still be two groups in one, or halves of one.
    """
    w, d = partition.weights, partition.n_features
    has_spread = (w > 1) & (partition.inertias > 0)
    if not has_spread.any():
        return False
    w, inertias = w[has_spread], partition.inertias[has_spread]
    # Squared distances of a spherical Gaussian have variance 2/d times their squared mean. Beyond
    # the range of numbers no shape is known, which is as if it were another one.
    with np.errstate(all="ignore"):
        shapes = d / 2 * (partition.fourth_powers[has_spread] / inertias * (w / inertias) - 1)
    if not LEAST_SHAPE <= _quantile(shapes, w, 0.5) <= LARGEST_SHAPE:
        return False
    variances = inertias / (w - 1)
    return _quantile(variances, w, 0.75) <= LARGEST_FACTOR * _quantile(variances, w, 0.25)


def _quantile(values: Float64, weights: Float64, share: float) -> float:
    """Smallest value that this share of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    at = np.searchsorted(cumulated, share * cumulated[-1])
    return float(values[order[min(at, len(order) - 1)]])
