"""A tree of splits in two: grown by a strategy, then improved where a split has other optima.

The best split of a cluster need not lead to the best leaves. So each split keeps the other optima
that its starts ended in, and what lowers the inertia of the leaves is chosen among them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.random import sample_without_replacement

from centroids import _core
from centroids.rows.sparse import core_rows

__all__ = ["Growth", "Members", "Node", "Tree", "two_agree"]

# Relative: splits whose inertia differs by less are the same optimum, short of a few rows.
_SAME_OPTIMUM = 1e-4
# Work that other optima may take, for each cluster asked for: a fraction of a millisecond.
_WORK_PER_CLUSTER = 5_000
# What it costs to put the leaves together again, for each.
_WORK_PER_LEAF = 200


def two_agree(runs: list[_core.Run]) -> bool:
    """Whether two runs ended in the same optimum."""
    inertias = sorted(run["inertia"] for run in runs)
    return any(b <= a * (1 + _SAME_OPTIMUM) for a, b in pairwise(inertias))


class Members(NamedTuple):
    """Rows and their weights."""

    rows: Any
    weights: NDArray[np.float64] | None

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """Return those of these numbers; they themselves when these are all."""
        if len(chosen) == len(self):
            return self
        weights = None if self.weights is None else self.weights[chosen]
        return type(self)(self.rows[chosen], weights)

    def sample(self, size: int, random: np.random.RandomState) -> Self:
        """Return so many of them, drawn at random."""
        drawn = sample_without_replacement(len(self), size, random_state=random)
        return self.take(np.sort(drawn))

    @property
    def work(self) -> float:
        """What visiting them costs, in values, as if dense: sparse rows make the same tree."""
        return len(self) * (float(self.rows.shape[1]) + 4)


@dataclass(eq=False)
class Node:
    """A cluster of the tree.

    Attributes
    ----------
    center : ndarray of shape (n_features,), float64
    rows : ndarray of int or None
        Numbers of its rows, until it is split.
    n_rows : int
    inertia : float
        Rounded: to compare clusters by.
    splits : list of pairs of Node, or None
        What its starts ended in, best first; empty when it cannot be split, None before a try.
    chosen : int
        Which of them is the one.
    plan : Node or None
        A cluster of a sample's tree in the same place.
    """

    center: NDArray[np.float64]
    rows: NDArray[np.int64] | None
    n_rows: int
    inertia: float
    splits: list[tuple[Node, Node]] | None = None
    chosen: int = 0
    plan: Node | None = None

    @property
    def parts(self) -> tuple[Node, Node] | None:
        """The two parts, if it was split."""
        return self.splits[self.chosen] if self.splits else None

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes, each before its parts, from left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.parts or ()))


@dataclass(frozen=True)
class Growth:
    """How a tree grows.

    Attributes
    ----------
    n_leaves : int
    size : callable
        ``size(node)``: the largest leaf is split next.
    runs : callable
        ``runs(members, node)``: a cluster split in two from one or more starts.
    threads : callable
        ``threads(rows)``: how many for a visit of these rows.
    """

    n_leaves: int
    size: Callable[[Node], float]
    runs: Callable[[Members, Node], list[_core.Run]]
    threads: Callable[[Any], int]


class Tree:
    """Rows that are split again and again, from one cluster of all of them."""

    def __init__(self, members: Members, root: Node, growth: Growth) -> None:
        self._members = members
        self._growth = growth
        self.root = root
        self.work = 0.0
        self.leaves: list[Node] = []

    @property
    def inertia(self) -> float:
        """Of the leaves."""
        return sum(leaf.inertia for leaf in self.leaves)

    def grow(self) -> None:
        """Split the largest leaf until there are enough, or none that can be split."""
        self.leaves = []
        queue, n_nodes = [(0.0, 0, self.root)], 1
        while queue and len(queue) + len(self.leaves) < self._growth.n_leaves:
            _, _, node = heapq.heappop(queue)
            if node.splits is None:
                self._split(node)
            if node.parts is None:
                self.leaves.append(node)
            for part in node.parts or ():
                heapq.heappush(queue, (-self._growth.size(part), n_nodes, part))
                n_nodes += 1
        self.leaves += [node for _, _, node in queue]

    def improve(self) -> None:
        """Try the other optima of the splits, from the root down, and keep what helps."""
        most_work = self.work + _WORK_PER_CLUSTER * self._growth.n_leaves
        level = [self.root]
        while level:
            for node in sorted(level, key=lambda node: -node.inertia):
                best, least = node.chosen, self.inertia
                for other in range(len(node.splits or ())):
                    if other == best or self.work > most_work:
                        continue
                    node.chosen = other
                    self.work += _WORK_PER_LEAF * self._growth.n_leaves
                    self.grow()
                    if self.inertia < least:
                        best, least = other, self.inertia
                if node.chosen != best:
                    node.chosen = best
                    self.grow()
            level = [part for node in level for part in node.parts or () if part.splits]

    def _split(self, node: Node) -> None:
        node.splits = []
        if node.n_rows < 2:
            return
        assert node.rows is not None
        members = self._members.take(node.rows)
        self.work += members.work
        before = -1.0
        for run in sorted(self._growth.runs(members, node), key=lambda run: run["inertia"]):
            is_split = run["counts"].all()  # or else all rows are equal
            if is_split and run["inertia"] > before * (1 + _SAME_OPTIMUM):
                node.splits.append(self._parts(node, members, run))
                before = run["inertia"]
        if node.splits:
            node.rows = None

    def _parts(self, node: Node, members: Members, run: _core.Run) -> tuple[Node, Node]:
        assert node.rows is not None
        inside = [np.flatnonzero(run["labels"] == j) for j in (0, 1)]
        small = int(len(inside[1]) < len(inside[0]))
        part = members.take(inside[small])
        inertias = np.full(
            2,
            _core.inertia(
                core_rows(part.rows),
                run["centers"][[small]],
                np.zeros(len(part), dtype=np.int32),
                part.weights,
                self._growth.threads(part.rows),
            ),
        )
        inertias[1 - small] = max(0.0, run["inertia"] - inertias[small])
        plans = (node.plan and node.plan.parts) or (None, None)
        first, second = (
            Node(center, node.rows[rows], len(rows), float(inertia), plan=plan)
            for center, rows, inertia, plan in zip(
                run["centers"], inside, inertias, plans, strict=True
            )
        )
        return first, second
