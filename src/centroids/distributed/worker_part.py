"""One part of the rows, on the worker that holds it, and what tasks do with it.

Dask may move a part to another worker, run a task twice, or build a lost part anew. So what a part
remembers from task to task (labels, bounds, candidates) is a cache: it is not sent along, and each
task says what the part has to know, and so how to get there from nothing. Labels are a function of
rows and centers; the centers of the visit before give back the labels of the visit before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core

Totals = tuple[Any, ...]
"""What the core carries from part to part: sums, weights, their errors, counts."""


@dataclass(frozen=True)
class Seeding:
    """The candidates so far, batch by batch: row numbers and values."""

    run: str
    batches: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of a loop: a visit of the rows with new centers, or new numbers for the clusters.

    Attributes
    ----------
    run : str
        Names the loop.
    number : int
        From 1.
    previous : ndarray or None
        The centers that the rows were compared with before this step.
    centers : ndarray or None
        The centers of this visit.
    order : ndarray or None
        Cluster ``order[j]`` gets the number j.
    """

    run: str
    n_clusters: int
    origin: NDArray[np.float64] | None
    number: int
    previous: NDArray[np.float64] | None
    centers: NDArray[np.float64] | None = None
    is_full: bool = True
    order: NDArray[np.int32] | None = None


@dataclass
class WorkerPart:
    """Rows and weights of a part, and the core's object for them.

    Attributes
    ----------
    rows : ndarray of shape (n, n_features)
    weights : ndarray of shape (n,) or None
    first_row : int
        Its number among all rows.
    """

    rows: NDArray[Any]
    weights: NDArray[np.float64] | None
    first_row: int
    n_all_rows: int
    n_threads: int
    core: _core.Part = field(init=False, repr=False)
    run: str = ""
    n_done: int = 0  # batches of candidates, or steps of the loop
    n_changed: int = 0
    potential: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        # What has come over the wire may start at any byte.
        self.rows = np.require(self.rows, requirements=["C", "A"])
        if self.weights is not None:
            self.weights = np.require(self.weights, np.float64, requirements=["C", "A"])
        self.core = _core.Part(
            self.rows, self.weights, self.first_row, self.n_all_rows, self.n_threads
        )

    def __reduce__(self) -> tuple[Any, ...]:
        own = (self.rows, self.weights, self.first_row, self.n_all_rows, self.n_threads)
        return (WorkerPart, own)

    def __sizeof__(self) -> int:
        """Tell Dask what it would cost to move: the rows, their weights, labels and bounds."""
        weights = 0 if self.weights is None else self.weights.nbytes
        return int(self.rows.nbytes + weights + 12 * len(self.rows))

    def seeded(self, seeding: Seeding) -> _core.Part:
        """Return the core's object once it knows all these candidates."""
        if self.run != seeding.run:
            self.core.begin_seeding()
            self.run, self.n_done = seeding.run, 0
        for rows, values in seeding.batches[self.n_done :]:
            self.potential = self.core.add_candidates(rows, values)
            self.n_done += 1
        return self.core

    def at(self, step: Step) -> _core.Part:
        """Return the core's object as this step leaves it."""
        if (self.run, self.n_done) == (step.run, step.number):
            return self.core
        if (self.run, self.n_done) != (step.run, step.number - 1):
            self.run, self.n_done = "", 0
            self.core.begin_loop(step.n_clusters, step.origin)
            if step.previous is not None:
                self.core.assign(step.previous, True)
        if step.order is not None:
            self.core.renumber(step.order)
        else:
            assert step.centers is not None
            self.n_changed = self.core.assign(step.centers, step.is_full)
        self.run, self.n_done = step.run, step.number
        return self.core


def make_part(
    block: Any, weights: Any, first_row: int, n_all_rows: int, dtype: str, n_threads: int
) -> WorkerPart:
    """Return a part of these rows, which are a block of a Dask array."""
    if not isinstance(block, np.ndarray):
        raise TypeError(
            f"centroids.distributed takes dense rows; a block of X is a {type(block).__name__}."
        )
    rows = np.asarray(block, dtype=dtype)
    return WorkerPart(rows, weights, first_row, n_all_rows, n_threads)


def row(part: WorkerPart, i: int) -> NDArray[np.float64]:
    """Return row i of the part."""
    values: NDArray[np.float64] = part.rows[i].astype(np.float64)
    return values


def first_with_weight(part: WorkerPart) -> int | None:
    """Return the number of the first row whose weight is above 0."""
    assert part.weights is not None
    found = np.flatnonzero(part.weights > 0)
    return part.first_row + int(found[0]) if len(found) else None


def smallest_weight(part: WorkerPart) -> float:
    """Return the smallest weight above 0."""
    assert part.weights is not None
    return float(np.min(part.weights, initial=np.inf, where=part.weights > 0))


def moments(part: WorkerPart, reference: NDArray[np.float64], is_weighted: bool) -> Any:
    """Return weights, sums and sums of squares of each shard."""
    return part.core.moments(reference, is_weighted)


def extent(part: WorkerPart, reference: NDArray[np.float64]) -> tuple[float, float, int, int]:
    """Return how far rows and values lie from a reference."""
    return part.core.extent(reference)


def first_bad(part: WorkerPart) -> tuple[int, int] | None:
    """Return where the first NaN or infinity is."""
    return part.core.first_bad()


def add_candidates(part: WorkerPart, seeding: Seeding) -> NDArray[np.float64]:
    """Return the potential of each shard once all candidates are known."""
    part.seeded(seeding)
    assert part.potential is not None
    return part.potential


def draw(part: WorkerPart, seeding: Seeding, seed: int, number: int, rate: float) -> Any:
    """Draw candidates for one round."""
    return part.seeded(seeding).draw(seed, number, rate)


def in_shard(part: WorkerPart, seeding: Seeding, first_row: int, weight: float) -> Any:
    """Return the row at which so much weight is passed, in the shard with this first row."""
    return part.seeded(seeding).in_shard(first_row, weight)


def add_candidate_weights(
    part: WorkerPart, seeding: Seeding, before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add the weights of the rows nearest to each candidate."""
    return part.seeded(seeding).candidate_weights(before)


def take_step(part: WorkerPart, step: Step) -> int:
    """Take a step; return how many labels changed."""
    part.at(step)
    return part.n_changed


def carry(part: WorkerPart, step: Step, taken: int, totals: Totals) -> Totals:
    """Add what a visit has found to the totals of the parts before."""
    return part.at(step).add_to(totals)


def squares(part: WorkerPart, step: Step, centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squared distances to the centers of the labels, for each shard."""
    return part.at(step).squares(centers)


def farthest(part: WorkerPart, step: Step, centers: NDArray[np.float64], n: int) -> Any:
    """Return the n rows farthest from the centers of their labels."""
    return part.at(step).farthest(centers, n)


def labels(part: WorkerPart, step: Step) -> NDArray[np.int32]:
    """Return the label of each row."""
    return part.at(step).labels()
