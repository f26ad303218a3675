"""Columns that were not clustered: how frequent their values are in each cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.compare.contingency import encode_labels
from centroids.describe.result import CategoryShare

__all__ = ["category_shares"]

MAX_VALUES = 10
"""Values of a column that a card names."""


def category_shares(
    others: Mapping[str, Any] | None,
    labels: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    n_clusters: int,
) -> list[dict[str, tuple[CategoryShare, ...]]]:
    """Return, for each cluster, the most frequent values of each column, with their shares."""
    cards: list[dict[str, tuple[CategoryShare, ...]]] = [{} for _ in range(n_clusters)]
    for column, values in (others or {}).items():
        shares, names = _table(str(column), values, labels, weights, n_clusters)
        overall = shares.sum(axis=0) / shares.sum()
        for j, card in enumerate(cards):
            total = shares[j].sum()
            own = shares[j] / total if total else shares[j]
            top = np.argsort(-own, kind="stable")[:MAX_VALUES]
            card[str(column)] = tuple(
                CategoryShare(
                    names[v], float(own[v]), float(overall[v]), float(own[v] / overall[v])
                )
                for v in top.tolist()
                if own[v] > 0
            )
    return cards


def _table(
    column: str,
    values: Any,
    labels: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    n_clusters: int,
) -> tuple[NDArray[np.float64], list[Any]]:
    """Count the weight of each value in each cluster; rows without a value come last."""
    argument = f"others[{column!r}]"
    encoded = encode_labels(values, argument)
    if len(encoded.codes) != len(labels):
        raise ValueError(
            f"{argument} has {len(encoded.codes)} values, X has {len(labels)} rows: one "
            "value a row."
        )
    n_values = len(encoded.names) + 1
    codes = np.where(encoded.codes < 0, n_values - 1, encoded.codes)
    cells = labels.astype(np.int64) * n_values + codes
    table = np.bincount(cells, weights=weights, minlength=n_clusters * n_values)
    return table.reshape(n_clusters, n_values).astype(np.float64), [*encoded.names, None]
