"""A short rule for the rows of each cluster: at most three conditions, each on another column.

A small decision tree tells the cluster's rows from the others; each of its nodes is a rule, and the
one with the best balance of coverage and precision (their harmonic mean, F1) is kept. Conditions
that hardly help are dropped, bounds are rounded, and what is left is measured on all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from centroids.describe.result import Condition, Rule

__all__ = ["find_rule"]

MAX_COLUMNS = 3
MAX_DEPTH = 6
SEARCH_ROWS = 5_000
"""Rows of the cluster, and as many of the others, on which a rule is searched."""
WORTH = 0.01
"""F1 that a condition has to add to be kept."""
ROUNDING_LOSS = 0.003
"""F1 that the rounding of one bound may cost."""
WORST = 0.5
"""F1 below which no rule is given."""

Bounds = dict[int, tuple[float | None, float | None]]


def find_rule(
    rows: NDArray[Any],
    is_own: NDArray[np.bool_],
    weights: NDArray[np.float64] | None,
    feature_names: Sequence[str],
    spread: NDArray[np.float64],
    random: np.random.Generator,
) -> Rule | None:
    """Find a rule for the rows of a cluster; None where there is none worth giving.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    is_own : ndarray of shape (n_samples,), bool
        Which rows belong to the cluster.
    weights : ndarray of shape (n_samples,) or None
    feature_names : sequence of str
    spread : ndarray of shape (n_features,)
        Standard deviation of each column, which says how finely its bounds are rounded.
    random : Generator
        Draws the rows that the rule is searched on.
    """
    sample, w = _sample(is_own, weights, random)
    if sample is None or w is None:
        return None
    few = np.asarray(rows[sample], dtype=np.float64)
    own = is_own[sample]

    def f1(bounds: Bounds) -> float:
        return _f1(*_score(few, own, w, bounds))

    best = max(_candidates(few, own, w), key=lambda bounds: (f1(bounds), -len(bounds)), default={})
    if not best or f1(best) < WORST:
        return None
    best = _rounded(_pruned(best, f1), f1, few, spread)
    conditions = tuple(_condition(j, best[j], feature_names[j]) for j in sorted(best))
    rule = Rule(" and ".join(c.text for c in conditions), conditions, 0.0, 0.0)
    coverage, precision = _measured(rule.matches(rows), is_own, weights)
    if _f1(coverage, precision) < WORST:
        return None
    return replace(rule, coverage=coverage, precision=precision)


def _sample(
    is_own: NDArray[np.bool_], weights: NDArray[np.float64] | None, random: np.random.Generator
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64] | None]:
    """Draw rows of the cluster and of the others, with weights that stand for all of them."""
    drawn, shares = [], []
    for side in (is_own, ~is_own):
        if weights is not None:
            side = side & (weights > 0)
        rows = np.flatnonzero(side)
        if not len(rows):
            return None, None
        total = float(len(rows) if weights is None else weights[rows].sum())
        if len(rows) > SEARCH_ROWS:
            rows = np.sort(random.choice(rows, SEARCH_ROWS, replace=False))
        w = np.ones(len(rows)) if weights is None else weights[rows]
        drawn.append(rows)
        shares.append(w * (total / w.sum()))
    return np.concatenate(drawn), np.concatenate(shares)


def _candidates(
    rows: NDArray[np.float64], is_own: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Iterator[Bounds]:
    """Yield the rule of every node of a tree on all columns, and of one on its best three."""
    rows32 = rows.astype(np.float32)  # what the tree compares
    if not np.isfinite(rows32).all():
        return
    balance = np.where(is_own, 0.5 / weights[is_own].sum(), 0.5 / weights[~is_own].sum())
    for balanced in (weights * balance, weights / weights.sum()):
        tree = DecisionTreeClassifier(max_depth=MAX_DEPTH, random_state=0, min_samples_leaf=2)
        tree.fit(rows32, is_own, sample_weight=balanced)
        yield from _boxes(tree.tree_)
        if rows.shape[1] > MAX_COLUMNS:
            top = np.argsort(-tree.feature_importances_, kind="stable")[:MAX_COLUMNS]
            tree.fit(rows32[:, top], is_own, sample_weight=balanced)
            for bounds in _boxes(tree.tree_):
                yield {int(top[j]): bound for j, bound in bounds.items()}


def _boxes(tree: Any) -> Iterator[Bounds]:
    """Yield the box of every node that has at most three columns."""
    stack: list[tuple[int, Bounds]] = [(0, {})]
    while stack:
        node, bounds = stack.pop()
        if 0 < len(bounds) <= MAX_COLUMNS:
            yield bounds
        if tree.children_left[node] < 0:
            continue
        j, at = int(tree.feature[node]), float(tree.threshold[node])
        low, high = bounds.get(j, (None, None))
        stack.append((tree.children_left[node], {**bounds, j: (low, at)}))
        stack.append((tree.children_right[node], {**bounds, j: (at, high)}))


def _pruned(bounds: Bounds, f1: Any) -> Bounds:
    """Drop conditions, the least useful first, as long as that costs next to nothing."""
    while True:
        now = f1(bounds)
        fewer: list[Bounds] = []
        for j, (low, high) in bounds.items():
            others = {i: bound for i, bound in bounds.items() if i != j}
            if others:
                fewer.append(others)
            if low is not None and high is not None:
                fewer += [{**bounds, j: (low, None)}, {**bounds, j: (None, high)}]
        best = max(fewer, key=f1, default=None)
        if best is None or f1(best) < now - WORTH:
            return bounds
        bounds = best


def _rounded(
    bounds: Bounds, f1: Any, rows: NDArray[np.float64], spread: NDArray[np.float64]
) -> Bounds:
    """Round every bound to the fewest digits that cost next to nothing."""
    for j, pair in bounds.items():
        column = rows[:, j]
        is_whole = bool((column == np.floor(column)).all())
        for side, bound in enumerate(pair):
            if bound is None:
                continue
            now = f1(bounds)
            options = [float(floor(bound))] if is_whole else _roundings(bound, float(spread[j]))
            for option in options:
                sides = list(bounds[j])
                sides[side] = option
                tried = {**bounds, j: (sides[0], sides[1])}
                if f1(tried) >= now - ROUNDING_LOSS:
                    bounds = tried
                    break
    return bounds


def _roundings(value: float, spread: float) -> list[float]:
    """Return a bound rounded to tenths of its column's spread, then finer and finer."""
    if not spread > 0:
        return [value]
    first = 1 - floor(log10(spread))
    return [*(round(value, digits) for digits in range(first - 1, first + 3)), value]


def _condition(feature: int, bounds: tuple[float | None, float | None], name: str) -> Condition:
    low, high = bounds
    if low is None:
        text = f"{name} <= {high:.7g}"
    elif high is None:
        text = f"{name} > {low:.7g}"
    else:
        text = f"{low:.7g} < {name} <= {high:.7g}"
    return Condition(feature, low, high, text)


def _score(
    rows: NDArray[np.float64],
    is_own: NDArray[np.bool_],
    weights: NDArray[np.float64],
    bounds: Mapping[int, tuple[float | None, float | None]],
) -> tuple[float, float]:
    caught = np.ones(len(rows), dtype=bool)
    for j, (low, high) in bounds.items():
        caught &= Condition(j, low, high, "").holds(rows[:, j])
    return _measured(caught, is_own, weights)


def _measured(
    caught: NDArray[np.bool_], is_own: NDArray[np.bool_], weights: NDArray[np.float64] | None
) -> tuple[float, float]:
    """Return coverage and precision."""
    w = np.ones(len(caught)) if weights is None else weights
    both = float(w[caught & is_own].sum())
    of_caught, of_own = float(w[caught].sum()), float(w[is_own].sum())
    return (both / of_own if of_own else 0.0), (both / of_caught if of_caught else 0.0)


def _f1(coverage: float, precision: float) -> float:
    total = coverage + precision
    return 2 * coverage * precision / total if total else 0.0
