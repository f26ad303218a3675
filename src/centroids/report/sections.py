"""Results as plain values, in the order and the words of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from centroids.plots.profile import FULL_COLOR_AT, ProfileDisplay, signed
from centroids.report.numbers import cell, quantity
from centroids.wording import count, rough_percent

if TYPE_CHECKING:
    from centroids.choosing_k import KChoice
    from centroids.compare import LabelMatch
    from centroids.describe import ClusterCard, ClusterProfile, Stability

__all__ = [
    "cards_of",
    "choice_of",
    "classes_of",
    "doctor_of",
    "heat_map_of",
    "reproduce_of",
    "rows_of",
    "stability_of",
]

Plain = dict[str, Any]

MOST_COLUMNS = 25
MOST_CONTRASTS, MOST_OF_MANY = 5, 3
MOST_VALLEYS = 12
MOST_CLASSES = 40
MOST_ROWS, MOST_VALUES = 5, 8
SEVERITY = {"error": "Problem", "warning": "Warning", "note": "Note"}


def title_of_cluster(card: ClusterCard) -> str:
    """Return the number of a cluster, with its name if it has one."""
    return f"Cluster {card.number}" + ("" if card.name is None else f": {card.name}")


def choice_of(choice: KChoice) -> Plain:
    """Return the verdict on the number of clusters and its reasons."""
    headline, *reasons = choice.summary().splitlines()
    valleys = [
        {
            "first": valley.first,
            "second": valley.second,
            "width": round(min(valley.ratio, 1.5) / 1.5 * 100, 1),
            "text": "over 150 %" if valley.ratio > 1.5 else rough_percent(valley.ratio),
            "is_separated": valley.is_separated,
        }
        for valley in choice.valleys[:MOST_VALLEYS]
    ]
    return {
        "headline": headline,
        "verdict": choice.verdict,
        "reasons": [_parted(reason) for reason in reasons],
        "valleys": valleys,
        "n_valleys": len(choice.valleys),
        "k_if_forced": choice.k_if_forced,
        "found_none": choice.k == 1,
        "votes": f"{len(choice.agreeing)} of "
        f"{sum(k is not None for k in choice.preferred.values())}",
    }


def _parted(reason: str) -> tuple[str, str]:
    """Part "Why 5: because" at the first colon, if what stands before it is short."""
    head, colon, rest = reason.partition(": ")
    return (head + colon.strip(), rest) if colon and len(head) <= 14 else ("", reason)


def cards_of(profile: ClusterProfile) -> list[Plain]:
    """Return what to print of each cluster."""
    return [
        {
            "number": card.number,
            "title": title_of_cluster(card),
            "name": card.name,
            "size": count(card.size, "row"),
            "share": rough_percent(card.share),
            "width": round(100 * card.share, 1),
            "sentence": _without_title(card.sentence),
            "rule": card.rule
            and {
                "text": card.rule.text,
                "coverage": rough_percent(card.rule.coverage),
                "precision": rough_percent(card.rule.precision),
            },
            "contrasts": _contrasts(card, profile),
            "categories": _categories(card),
            "n_outliers": card.n_outliers,
        }
        for card in profile.clusters
    ]


def _without_title(sentence: str) -> str:
    """Leave out "Cluster 2, 18 % of rows", which the card says above."""
    _, mark, rest = sentence.partition(" % of rows: ")
    return rest if mark else sentence


def _contrasts(card: ClusterCard, profile: ClusterProfile) -> list[Plain]:
    n_shown = MOST_CONTRASTS if len(profile.clusters) <= 12 else MOST_OF_MANY
    strongest = max((abs(float(e)) for e in np.nan_to_num(card.effect)), default=0.0)
    if strongest < 0.05:
        return []
    return [
        {
            "column": profile.feature_names[j],
            "median": quantity(float(card.median[j])),
            "overall": quantity(float(profile.overall_median[j])),
            "effect": signed(float(card.effect[j])),
            "is_above": card.effect[j] > 0,
            "width": round(min(abs(float(card.effect[j])) / 3, 1) * 50, 1),
        }
        for j in card.order[:n_shown]
    ]


def _categories(card: ClusterCard) -> list[Plain]:
    return [
        {
            "column": column,
            "values": [
                {
                    "value": "no value" if share.value is None else cell(share.value),
                    "share": rough_percent(share.share),
                    "overall": rough_percent(share.share_overall),
                }
                for share in shares[:3]
            ],
        }
        for column, shares in card.categories.items()
    ]


def heat_map_of(profile: ClusterProfile) -> Plain | None:
    """Return the differences of all clusters, strongest columns first; None for one cluster."""
    if len(profile.clusters) < 2:
        return None
    display = ProfileDisplay.from_profile(profile)
    shown = display.order[:MOST_COLUMNS].tolist()
    return {
        "numbers": [card.number for card in profile.clusters],
        "rows": [
            {
                "column": profile.feature_names[j],
                "cells": [_shade(float(effect)) for effect in display.effects[:, j]],
            }
            for j in shown
        ],
        "n_left_out": len(display.order) - len(shown),
    }


def _shade(effect: float) -> Plain:
    strength = 0.0 if not np.isfinite(effect) else min(1.0, abs(effect) / FULL_COLOR_AT)
    return {
        "text": signed(effect),
        "kind": "above" if effect > 0 else "below",
        "strength": round(100 * strength),
    }


def classes_of(matches: Mapping[str, LabelMatch]) -> list[Plain]:
    """Return the comparison with classes for each part of the rows."""
    return [_match(part, match) for part, match in matches.items()]


def _match(part: str, match: LabelMatch) -> Plain:
    n_scored = match.n_samples - match.n_missing
    counts = match.confusion
    of_class = np.maximum(counts.sum(axis=0), 1)
    return {
        "part": part,
        "sentences": _sentences(match),
        "agreeing": f"{n_scored - match.n_misses:,}",
        "n_scored": f"{n_scored:,}",
        "accuracy": rough_percent(match.accuracy),
        "misses": match.n_misses,
        "rand": f"{match.adjusted_rand:.3f}",
        "classes": [
            {"name": cell(name), "is_split": name in match.split}
            for name in match.classes[:MOST_CLASSES]
        ],
        "n_classes_left_out": max(0, len(match.classes) - MOST_CLASSES),
        "rows": [
            {
                "cluster": cell(cluster),
                "is_merged": cluster in match.merged,
                "own": cell(match.mapping[cluster]) if cluster in match.mapping else "none",
                "cells": [
                    {
                        "n": int(n),
                        "text": f"{n:,}" if n else "",
                        "strength": round(90 * n / total),
                        "is_own": match.mapping.get(cluster, _NOTHING) == name,
                    }
                    for n, total, name in zip(row, of_class, match.classes, strict=True)
                ][:MOST_CLASSES],
            }
            for cluster, row in zip(match.clusters, counts, strict=True)
        ],
    }


_NOTHING = object()


def _sentences(match: LabelMatch) -> list[str]:
    lines = [
        f"Cluster {cell(cluster)} merges "
        + _listed(
            [f"{cell(name)} ({rough_percent(share)} of its rows)" for name, share in shares.items()]
        )
        for cluster, shares in match.merged.items()
    ]
    lines += [
        f"Class {cell(name)} is split over "
        + _listed([f"cluster {cell(c)} ({rough_percent(share)})" for c, share in shares.items()])
        for name, shares in match.split.items()
    ]
    if len(lines) > 8:
        lines = [*lines[:7], f"and {len(lines) - 7} more merges and splits"]
    if match.n_missing:
        lines.append(f"{count(match.n_missing, 'row')} without a known class left out")
    return [line + "." for line in lines] or ["No classes are merged and none is split."]


def _listed(texts: Sequence[str], at_most: int = 6) -> str:
    shown = list(texts[:at_most])
    if len(texts) > at_most:
        shown.append(f"{len(texts) - at_most} more")
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def stability_of(stability: Stability) -> Plain:
    """Return how firmly each cluster comes back."""
    return {
        "summary": stability.summary().splitlines(),
        "clusters": [
            {
                "number": j,
                "value": "–" if not np.isfinite(value) else f"{value:.2f}",
                "width": round(100 * value, 1) if np.isfinite(value) else 0,
                "word": word,
            }
            for j, (value, word) in enumerate(
                zip(np.asarray(stability.jaccard).tolist(), stability.words, strict=True)
            )
        ],
    }


def doctor_of(findings: Sequence[Any]) -> list[Plain]:
    """Return what was noticed about the input, problems first."""
    order = list(SEVERITY)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    return [
        {
            "severity": finding.severity,
            "word": SEVERITY[finding.severity],
            "message": finding.message,
            "advice": finding.advice,
        }
        for finding in ranked
    ]


def rows_of(profile: ClusterProfile, X: Any) -> list[Plain]:
    """Return typical, borderline and far rows of each cluster with their values."""
    if hasattr(X, "tocsr"):
        return []
    table = np.asarray(X)
    tables = []
    for card in profile.clusters:
        columns = list(card.order[:MOST_VALUES])
        kinds = [
            ("Typical", "nearest to the center", card.representatives),
            ("On the border", "nearly as near to another center", card.borderline),
            ("Far away", "far from every center", card.outliers),
        ]
        groups = [
            {
                "title": title,
                "meaning": meaning,
                "rows": [
                    {
                        "row": f"{profile.numbers_of(rows[i]):,}",
                        "values": [cell(table[rows[i], j]) for j in columns],
                    }
                    for i in range(min(MOST_ROWS, len(rows)))
                ],
            }
            for title, meaning, rows in kinds
            if len(rows)
        ]
        if groups:
            tables.append(
                {
                    "number": card.number,
                    "title": title_of_cluster(card),
                    "columns": [profile.feature_names[j] for j in columns],
                    "n_left_out": len(profile.feature_names) - len(columns),
                    "groups": groups,
                }
            )
    return tables


def reproduce_of(reproduce: Mapping[str, Any]) -> list[Plain]:
    """Return how to get the same again, one entry per line."""
    entries = []
    for name, value in reproduce.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {item}" for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            text = " ".join(map(str, value))
        else:
            text = str(value)
        title = str(name).replace("_", " ")
        entries.append(
            {"name": title[:1].upper() + title[1:], "text": text, "is_code": name == "command"}
        )
    return entries
