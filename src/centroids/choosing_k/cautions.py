"""Cautions: what about the data or the range deserves a look before the answer is used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.estimators.kmeans import KMeans
from centroids.rows.distinct import count_distinct_rows
from centroids.wording import rough_percent

__all__ = ["cautions_of"]

DOMINANT_SHARE = 0.9
# Smaller than both is tiny; of dozens of clusters all have small shares.
TINY_SHARE, TINY_SHARE_OF_MEAN = 0.01, 0.2
TINY_ROWS = 5
DUPLICATE_SHARE = 0.3
ROWS_PER_CLUSTER = 10
LOOKED_AT = 2_000


def cautions_of(
    X: NDArray[Any],
    estimator: KMeans,
    table: dict[str, NDArray[Any]],
    k_max: int | None,
    names: list[str] | None,
) -> list[str]:
    """List what to look at, in sentences.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows the choice was made on.
    estimator : KMeans
        Fitted on all rows.
    table : dict of str to ndarray
        One row per number of clusters.
    k_max : int or None
        The limit that the caller gave.
    names : list of str or None
        Names of the columns.
    """
    found = [
        _dominant_column(X, names),
        _tiny_clusters(estimator.counts_),
        _duplicates(X),
        _edge(len(estimator.counts_), table, k_max),
        _few_rows(len(X), len(estimator.counts_)),
    ]
    return [caution for caution in found if caution]


def _dominant_column(X: NDArray[Any], names: list[str] | None) -> str | None:
    if X.shape[1] < 2:
        return None
    variances = X.var(axis=0, dtype=np.float64)
    total = float(variances.sum())
    column = int(np.argmax(variances))
    share = float(variances[column]) / total if total > 0 else 0.0
    if share <= DOMINANT_SHARE:
        return None
    name = f"column {column} (counted from 0)" if names is None else f"column {names[column]!r}"
    return (
        f"{name[0].upper()}{name[1:]} holds {rough_percent(share)} of the variance, so it alone "
        "decides: scale the columns (StandardScaler; --scale standard) unless their units are "
        "comparable."
    )


def _tiny_clusters(counts: NDArray[np.int64]) -> str | None:
    n_rows = int(counts.sum())
    limit = max(TINY_ROWS, min(TINY_SHARE, TINY_SHARE_OF_MEAN / len(counts)) * n_rows)
    tiny = [int(count) for count in counts if count < limit]
    if not tiny or len(counts) < 2:
        return None
    sizes = ", ".join(map(str, tiny[:5])) + (", …" if len(tiny) > 5 else "")
    what = "1 cluster is" if len(tiny) == 1 else f"{len(tiny)} clusters are"
    return f"{what} tiny ({sizes} of {n_rows:,} rows): perhaps outliers rather than groups."


def _duplicates(X: NDArray[Any]) -> str | None:
    # A few thousand rows tell; sorting all would take longer than the choice.
    X = X[:LOOKED_AT]
    share = 1 - count_distinct_rows(X, len(X)) / len(X) if len(X) > 1 else 0.0
    if share <= DUPLICATE_SHARE:
        return None
    return (
        f"{rough_percent(share)} of the rows repeat another row: repeated values look like "
        "clusters without being any."
    )


def _edge(k: int, table: dict[str, NDArray[Any]], k_max: int | None) -> str | None:
    largest = int(table["n_clusters"][-1])
    if k_max is None or largest < 2:
        return None
    if k == largest:
        return f"K = {k} is the end of the range that was tried: allow a larger k_max."
    if np.argmax(table["votes"]) == largest - 1:
        return (
            f"More criteria prefer {largest} than any other number, and it is the end of the range "
            "that was tried: allow a larger k_max."
        )
    return None


def _few_rows(n_rows: int, k: int) -> str | None:
    if k < 2 or n_rows >= ROWS_PER_CLUSTER * k:
        return None
    return f"There are only {n_rows / k:.1f} rows for each cluster: too few to be sure."
