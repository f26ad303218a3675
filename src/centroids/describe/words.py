"""A profile in words. Reads finished numbers, computes nothing new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor, isfinite, log10
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from centroids.wording import count, rough_percent

if TYPE_CHECKING:
    from centroids.describe.result import CategoryShare, ClusterCard, ClusterProfile, Rule

__all__ = ["sentence_of", "summary_of", "title_of"]

VERY, PLAIN, SLIGHT = 1.5, 0.5, 0.2
"""Effects, in standard deviations, from which a column is very high, high, slightly high."""
MAX_NAMED = 3
MAX_FEATURES = 30
MAX_CLUSTERS = 8
MAX_LINE = 100
FEW_ROWS = 10
"""Clusters of fewer rows are counted, and nothing is said of their categories."""
TELLING = 0.15
"""What a category's share of a cluster has to be above its share of all rows to be named."""
SMALLEST = 0.01
"""The smallest share of a cluster that a category is listed with."""


def title_of(number: int, name: str | None) -> str:
    """Name a cluster in a sentence."""
    return f"Cluster {number}" if name is None else f'Cluster {number} "{name}"'


def sentence_of(
    title: str,
    size: int,
    share: float,
    effects: Sequence[tuple[str, float]],
    categories: Mapping[str, Sequence[CategoryShare]],
) -> str:
    """Say what sets a cluster apart.

    Parameters
    ----------
    title : str
    size : int
    share : float
    effects : sequence of (str, float)
        Columns and their effects, the largest first.
    categories : mapping of str to sequence of CategoryShare
    """
    if size == 0:
        return f"{title}: no rows."
    notable = [(n, e) for n, e in effects if abs(e) >= PLAIN] or [
        (n, e) for n, e in effects if abs(e) >= SLIGHT
    ]
    parts = [f"{name} {_degree(effect)}" for name, effect in notable[:MAX_NAMED]]
    parts = parts or ["near the mean of all rows in every column"]
    found = _telling_category(categories) if size >= FEW_ROWS else None
    if found is not None:
        column, value = found
        parts.append(
            f"{column} {'missing' if value.value is None else value.value} "
            f"({rough_percent(value.share)}, {rough_percent(value.share_overall)} of all rows)"
        )
    how_many = f"{rough_percent(share)} of rows" if size >= FEW_ROWS else count(size, "row")
    return f"{title}, {how_many}: {', '.join(parts)}"


def _degree(effect: float) -> str:
    size = abs(effect)
    how = "very " if size >= VERY else "" if size >= PLAIN else "slightly "
    return f"{how}{'high' if effect > 0 else 'low'} ({effect:+.1f} sd)"


def _telling_category(
    categories: Mapping[str, Sequence[CategoryShare]],
) -> tuple[str, CategoryShare] | None:
    """Find the value whose share differs most from its share of all rows, if it does."""
    values = [(column, value) for column, shares in categories.items() for value in shares]
    best = max(values, key=lambda item: item[1].share - item[1].share_overall, default=None)
    is_telling = best is not None and best[1].share - best[1].share_overall >= TELLING
    return best if is_telling else None


def summary_of(profile: ClusterProfile) -> str:
    """Describe every cluster."""
    n_clusters, n_features = len(profile.clusters), len(profile.feature_names)
    lines = [
        f"{count(n_clusters, 'cluster')} of {count(profile.n_samples, 'row')}, "
        f"{count(n_features, 'column')}.",
        "sd: standard deviations of all rows, above (+) or below (-) the mean of all rows.",
        f"Rows are counted from {'0' if profile.row_numbers is None else '1'}.",
    ]
    for card in profile.clusters:
        lines += ["", *_wrapped(card.sentence, "")]
        for detail in _details(card, profile):
            lines += _wrapped(detail, "  ")
    return "\n".join([*lines, "", *_means(profile)])


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(
        text,
        MAX_LINE,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _details(card: ClusterCard, profile: ClusterProfile) -> Iterator[str]:
    if card.size == 0:
        return
    if card.size >= FEW_ROWS:
        yield f"{count(card.size, 'row')}; 99 % of them within {card.radius:.3g} of the center."
    if card.rule is not None:
        yield f"Rule: {_rule(card.rule)}."
    for column, values in card.categories.items():
        shares = ", ".join(
            f"{'missing' if v.value is None else v.value} "
            f"({rough_percent(v.share)}, {v.lift:.1f} times its share of all rows)"
            for v in values[:MAX_NAMED]
            if v.share >= SMALLEST
        )
        if shares:
            yield f"{column}: {shares}."
    yield f"Typical rows: {_rows(profile, card.representatives)}."
    if len(card.borderline):
        yield f"Nearest to another cluster: {_rows(profile, card.borderline)}."
    if card.n_outliers:
        more = card.n_outliers - min(card.n_outliers, len(card.outliers[:5]))
        yield f"Far from every center: {_rows(profile, card.outliers)}" + (
            f" and {more:,} more." if more > 0 else "."
        )


def _rule(rule: Rule) -> str:
    return (
        f"{rule.text} (catches {rough_percent(rule.coverage)} of the cluster; "
        f"{rough_percent(rule.precision)} of the rows it catches belong to it)"
    )


def _rows(profile: ClusterProfile, rows: Any) -> str:
    return ", ".join(str(row) for row in profile.numbers_of(rows[:5]).tolist())


def _means(profile: ClusterProfile) -> list[str]:
    """Return a table of means: a line per column, the most telling columns and first clusters."""
    cards = profile.clusters[:MAX_CLUSTERS]
    telling = [
        max((abs(float(card.effect[j])) for card in cards if card.size), default=0.0)
        for j in range(len(profile.feature_names))
    ]
    features = sorted(range(len(telling)), key=lambda j: -telling[j])[:MAX_FEATURES]
    table = [["mean of", "all rows", *(str(card.number) for card in cards)]]
    for j in sorted(features):
        spread = float(profile.overall_std[j])
        values = [profile.overall_mean[j], *(card.mean[j] for card in cards)]
        table.append([profile.feature_names[j], *(short(float(v), spread) for v in values)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    left = [
        (len(profile.feature_names) - len(features), "columns"),
        (len(profile.clusters) - len(cards), "clusters"),
    ]
    hidden = " and ".join(f"{n:,} {what}" for n, what in left if n)
    return [*lines, f"({hidden} not shown; to_frame() has all)"] if hidden else lines


def short(value: float, spread: float) -> str:
    """Return a number with the digits that matter beside the spread of its column."""
    if not isfinite(value):
        return "-"
    if not spread > 0:
        return f"{value:.6g}"
    digits = 2 - floor(log10(spread))
    if not -15 < digits < 8:
        return f"{value:.3g}"
    return f"{round(value, digits):z.{max(digits, 0)}f}"
