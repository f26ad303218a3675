"""A `LabelMatch` as plain data, and the sentences a command says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._modelling import Split
from centroids.cli._output import Payload
from centroids.wording import count, percent

__all__ = ["HELD_OUT", "TRAINING", "match_parts", "match_payload", "match_sentences"]

# Parts of the rows, as a reader is told of them.
TRAINING, HELD_OUT = "training rows", "held-out rows"
MAX_MISSES_LISTED = 100
MAX_MISSES_NAMED = 5
MAX_SENTENCES = 6
MAX_PARTS = 6


def match_parts(
    table: centroids.Table, split: Split, labels: NDArray[Any]
) -> dict[str, centroids.LabelMatch]:
    """Compare clusters with classes in each part of the rows; the mapping is the training rows'."""
    if table.truth is None:
        return {}
    match = centroids.match_labels(table.truth[split.training], labels[split.training])
    matches = {TRAINING: match}
    if split.heldout.size:
        matches[HELD_OUT] = match.score(table.truth[split.heldout], labels[split.heldout])
    return matches


def match_payload(match: centroids.LabelMatch, rows: NDArray[Any] | None = None) -> Payload:
    """Turn a match into plain data.

    Parameters
    ----------
    match : LabelMatch
        Clusters against classes.
    rows : ndarray of shape (n_samples,), optional
        Position in the file of each row compared, counted from 0; the rows of the file in order
        by default. Misses are given as row numbers of the file, counted from 1.
    """
    misses = match.misses if rows is None else np.sort(rows[match.misses])
    return {
        "n_rows": int(match.confusion.sum()),
        "n_without_class": int(match.n_missing),
        "clusters": list(map(_plain, match.clusters)),
        "classes": list(map(_plain, match.classes)),
        "confusion": match.confusion.tolist(),
        "mapping": _pairs(match.mapping),
        "majority_mapping": _pairs(match.majority_mapping),
        "accuracy": float(match.accuracy),
        "n_misses": int(match.n_misses),
        "first_misses": [int(row) + 1 for row in misses[:MAX_MISSES_LISTED]],
        "majority_accuracy": float(match.majority_accuracy),
        "n_majority_misses": int(match.n_majority_misses),
        "purity": float(match.purity),
        "merged": [
            {"cluster": _plain(cluster), "classes": _shares("class", shares)}
            for cluster, shares in match.merged.items()
        ],
        "split": [
            {"class": _plain(name), "clusters": _shares("cluster", shares)}
            for name, shares in match.split.items()
        ],
        "adjusted_rand": float(match.adjusted_rand),
        "adjusted_mutual_info": float(match.adjusted_mutual_info),
        "v_measure": float(match.v_measure),
    }


def match_sentences(match: Payload, rows: str) -> Iterator[str]:
    """Say how well clusters and classes agree; `rows` names the rows ("training rows")."""
    if match["n_without_class"]:
        yield f"{count(match['n_without_class'], 'row')} without a class: not compared."
    yield _agreement(match, rows)
    if match["n_majority_misses"] != match["n_misses"]:
        yield (
            f"{rows}, with every cluster named after its largest class: "
            f"{percent(match['majority_accuracy'])} agree, "
            f"{count(match['n_majority_misses'], 'miss', 'misses')}."
        )


def merge_sentences(match: Payload) -> Iterator[str]:
    """Say which classes share a cluster and which are broken over several."""
    merged = [
        f"Merged: cluster {entry['cluster']} holds {_listed('class', entry['classes'])}."
        for entry in match["merged"]
    ]
    split = [
        f"Split: class {entry['class']} lies in {_listed('cluster', entry['clusters'])}."
        for entry in match["split"]
    ]
    for sentences in (merged, split):
        yield from sentences[:MAX_SENTENCES]
        if len(sentences) > MAX_SENTENCES:
            yield f"… and {len(sentences) - MAX_SENTENCES:,} more like it."
    if not merged and not split:
        yield "No classes share a cluster, and no class is split."


def _agreement(match: Payload, rows: str) -> str:
    n_right = match["n_rows"] - match["n_misses"]
    text = (
        f"{rows}: {n_right:,} of {match['n_rows']:,} lie in the cluster of their class "
        f"({percent(match['accuracy'])}), {count(match['n_misses'], 'miss', 'misses')}"
    )
    named = match["first_misses"] if match["n_misses"] <= MAX_MISSES_NAMED else []
    if not named:
        return f"{text}."
    listed = ", ".join(f"{row:,}" for row in named)
    return f"{text}: row{'s' * (len(named) > 1)} {listed}, counted from 1."


def _listed(what: str, shares: list[Payload]) -> str:
    parts = [f"{what} {entry[what]} ({percent(entry['share'])})" for entry in shares]
    if len(parts) > MAX_PARTS:
        return f"{', '.join(parts[:MAX_PARTS])} and {len(parts) - MAX_PARTS:,} more"
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _pairs(mapping: Mapping[Any, Any]) -> list[Payload]:
    return [{"cluster": _plain(key), "class": _plain(value)} for key, value in mapping.items()]


def _shares(what: str, shares: Mapping[Any, float]) -> list[Payload]:
    return [{what: _plain(key), "share": float(share)} for key, share in shares.items()]


def _plain(name: Any) -> Any:
    """Give a class or cluster name a type that JSON has."""
    if isinstance(name, np.generic):
        name = name.item()
    return name if isinstance(name, bool | int | float | str) else str(name)
