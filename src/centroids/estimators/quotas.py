"""How many rows of each cluster a sample takes, so that small clusters are in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["quotas"]


def quotas(counts: NDArray[Any], at_most: int) -> NDArray[np.int64]:
    """Share a sample of at most `at_most` rows out among clusters of given sizes.

    Every cluster gets its share, but at least a ``2 n_clusters``-th part of `at_most`, or all of
    its rows where it has fewer.
    """
    counts = counts.astype(np.int64)
    if counts.sum() <= at_most:
        return counts
    least = np.minimum(counts, max(1, at_most // (2 * len(counts))))
    left = max(0, at_most - int(least.sum()))
    rest = counts - least
    shared: NDArray[np.int64] = least + (rest * (left / max(1, int(rest.sum())))).astype(np.int64)
    return shared
