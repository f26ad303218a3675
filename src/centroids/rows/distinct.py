"""How many different rows there are, as far as one needs to know."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

__all__ = ["count_distinct_rows"]

BLOCK_ROWS = 4096


def count_distinct_rows(X: NDArray[Any], at_most: int) -> int:
    """Count the different rows of `X`, up to a limit.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    at_most : int
        Stop here; for `n_clusters` this is usually after the first few thousand rows.

    Returns
    -------
    int
        The number of different rows, or `at_most` if there are more.
    """
    seen: set[bytes] = set()
    for start in range(0, X.shape[0], BLOCK_ROWS):
        # Equal values have equal bytes once minus zero is gone.
        block = X[start : start + BLOCK_ROWS] + X.dtype.type(0)
        values, width = block.tobytes(), max(1, block.itemsize * block.shape[1])
        seen.update(values[at : at + width] for at in range(0, len(values), width))
        if len(seen) >= at_most:
            return at_most
    return len(seen)
