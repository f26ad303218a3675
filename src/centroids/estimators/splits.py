"""A tree of splits in two, grown by a strategy along a plan."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.random import sample_without_replacement

from centroids import _core
from centroids.rows.sparse import core_rows

__all__ = ["Growth", "Members", "Node", "Place", "grow"]


class Members(NamedTuple):
    """Rows and their weights."""

    rows: Any
    weights: NDArray[np.float64] | None

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def weight_of(self, chosen: NDArray[np.int64]) -> float:
        """Return how many rows those of these numbers count for."""
        return float(len(chosen) if self.weights is None else self.weights[chosen].sum())

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """Return those of these numbers; they themselves when these are all."""
        if len(chosen) == len(self):
            return self
        weights = None if self.weights is None else self.weights[chosen]
        return type(self)(self.rows[chosen], weights)

    def different(self) -> Self:
        """Return each different row once, with the weight of all its equals, in a fixed order."""
        table = self.rows.toarray() if sp.issparse(self.rows) else self.rows
        _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
        # NumPy 2.0.0 gives `which` another shape.
        counts = np.bincount(which.ravel(), self.weights, len(first))
        return type(self)(self.rows[first], counts.astype(np.float64))

    def sample(self, size: int, random: np.random.RandomState) -> Self:
        """Return so many of them, drawn at random."""
        drawn = sample_without_replacement(len(self), size, random_state=random)
        return self.take(np.sort(drawn))


class Place(NamedTuple):
    """A node of a plan.

    Attributes
    ----------
    parts : ndarray of shape (n_nodes, 2)
        Numbers of the two parts of each node of the plan; -1 where it is not split.
    centers : ndarray of shape (n_nodes, n_features), float64
    fewest_rows : float
        Of clusters with fewer rows the plan knows too little.
    number : int
        Of this node.
    """

    parts: NDArray[np.int64]
    centers: NDArray[np.float64]
    fewest_rows: float
    number: int = 0

    @property
    def is_split(self) -> bool:
        """Whether the plan goes on from here."""
        return bool(self.parts[self.number, 0] >= 0)

    @property
    def part_centers(self) -> NDArray[np.float64]:
        """Centers of the two parts."""
        first, second = self.parts[self.number]
        return np.stack([self.centers[first], self.centers[second]])

    def part(self, which: int) -> Place | None:
        """Return the place of a part, if the plan has one."""
        if not self.is_split:
            return None
        return self._replace(number=int(self.parts[self.number, which]))


@dataclass(eq=False)
class Node:
    """A cluster of the tree.

    Attributes
    ----------
    center : ndarray of shape (n_features,), float64
    rows : ndarray of int or None
        Numbers of its rows, until it is split.
    n_rows : int
    weight : float
    inertia : float
        Rounded: to compare clusters by.
    place : Place or None
        The same cluster in a plan.
    left, width : float
        Where it lies in the tree, from left to right: from ``left`` on in [0, 1).
    parts : pair of Node or None
    """

    center: NDArray[np.float64]
    rows: NDArray[np.int64] | None
    n_rows: int
    weight: float
    inertia: float
    place: Place | None = None
    left: float = 0.0
    width: float = 1.0
    parts: tuple[Node, Node] | None = None

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes, each before its parts: the same tree in the same order.

        The heavier part comes first. (To swap them would change who gets a row halfway.)
        """
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(sorted(node.parts or (), key=lambda part: (part.weight, *-part.center)))

    def leaves(self) -> Iterator[Node]:
        """Yield the nodes without parts, in the same order."""
        return (node for node in self.nodes() if node.parts is None)

    def inertia_of_leaves(self) -> float:
        """Return the sum of the leaves' inertias."""
        return sum(leaf.inertia for leaf in self.leaves())


@dataclass(frozen=True)
class Growth:
    """How a tree grows.

    Attributes
    ----------
    n_leaves : int
    size : callable
        ``size(node)``: the largest leaf is split next.
    run : callable
        ``run(members, node)``: a cluster split in two.
    threads : callable
        ``threads(rows)``: how many for a visit of these rows.
    """

    n_leaves: int
    size: Callable[[Node], float]
    run: Callable[[Members, Node], _core.Run]
    threads: Callable[[Any], int]


def grow(root: Node, members: Members, growth: Growth) -> None:
    """Split the largest leaf until there are enough, or none that can be split.

    Of equal ones the leftmost, as scikit-learn does.
    """
    queue, n_nodes, n_unsplit = [(0.0, root.left, 0, root)], 1, 0
    while queue and len(queue) + n_unsplit < growth.n_leaves:
        *_, node = heapq.heappop(queue)
        _split(node, members, growth)
        n_unsplit += node.parts is None
        for part in node.parts or ():
            # In deep trees, places are equal, too.
            heapq.heappush(queue, (-growth.size(part), part.left, n_nodes, part))
            n_nodes += 1


def _split(node: Node, members: Members, growth: Growth) -> None:
    if node.n_rows < 2:
        return
    assert node.rows is not None
    inside = members.take(node.rows)
    run = growth.run(inside, node)
    if run["counts"].all():  # or else all rows are equal
        node.parts = _parts(node, inside, run, growth)
        node.rows = None


def _parts(node: Node, members: Members, run: _core.Run, growth: Growth) -> tuple[Node, Node]:
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
            growth.threads(part.rows),
        ),
    )
    inertias[1 - small] = max(0.0, run["inertia"] - inertias[small])
    first, second = (
        Node(
            run["centers"][j],
            node.rows[inside[j]],
            len(inside[j]),
            members.weight_of(inside[j]),
            float(inertias[j]),
            node.place and node.place.part(j),
            node.left + j * node.width / 2,
            node.width / 2,
        )
        for j in (0, 1)
    )
    return first, second
