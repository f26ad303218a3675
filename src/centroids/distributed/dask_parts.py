"""All parts of the rows, as the core reaches them: each method is one Dask computation.

Whatever scheduler Dask uses, parts are persisted: with ``distributed`` on the workers, otherwise in
this process. Centers go out as one object, and the totals of the clusters go from part to part in
row order, so that every sum is added as it is for rows in memory.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed, delayed
from numpy.typing import NDArray

from centroids import _core
from centroids.distributed import worker_part as on_worker
from centroids.distributed.dask_rows import DaskRows
from centroids.distributed.worker_part import Seeding, Step, Totals


class DaskParts:
    """Rows on workers, cut into parts (``core/parts/parts.hpp``).

    Parameters
    ----------
    data : DaskRows
        Rows and weights.
    n_clusters : int
    n_threads : int
        Threads that a task may use.
    """

    def __init__(self, data: DaskRows, n_clusters: int, n_threads: int) -> None:
        self.n_rows, self.n_features = data.shape
        self.is_f32 = data.dtype == np.float32
        self.is_weighted = data.weights is not None
        self.interruption: BaseException | None = None
        shard = _core.shard_rows(self.n_rows, self.n_features, n_clusters)
        rows, weights = data.cut_at(shard)
        self._sizes: tuple[int, ...] = rows.chunks[0]
        self._starts = np.cumsum((0, *self._sizes[:-1])).tolist()
        blocks = rows.to_delayed().ravel()
        weight_blocks = [None] * len(blocks) if weights is None else weights.to_delayed()
        make = delayed(on_worker.make_part, pure=False)
        parts = [
            make(block, w, start, self.n_rows, data.dtype.name, n_threads)
            for block, w, start in zip(blocks, weight_blocks, self._starts, strict=True)
        ]
        self._parts: tuple[Delayed, ...] = dask.persist(*parts)
        self._seeding = Seeding("")
        self._step: Step | None = None

    # ------------------------------------------------------------------ the summary

    def row(self, i: int) -> NDArray[np.float64]:
        """Return row i."""
        p = self._part_of(i)
        task = delayed(on_worker.row, pure=False)(self._parts[p], i - self._starts[p])
        return self._compute(task)[0]  # type: ignore[no-any-return]

    def first_with_weight(self) -> int:
        """Return the number of the first row whose weight is above 0; 0 where there is none."""
        found = [i for i in self._each(on_worker.first_with_weight) if i is not None]
        return min(found, default=0)

    def smallest_weight(self) -> float:
        """Return the smallest weight above 0; 1 without weights."""
        return min(self._each(on_worker.smallest_weight)) if self.is_weighted else 1.0

    def moments(self, reference: NDArray[np.float64], is_weighted: bool) -> Any:
        """Return weights, sums and sums of squares of each shard about a reference."""
        found = self._each(on_worker.moments, reference, is_weighted)
        return tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))

    def extent(self, reference: NDArray[np.float64]) -> tuple[float, float, int, int]:
        """Return the largest squared distance to the reference, and the value farthest from it."""
        found = self._each(on_worker.extent, reference)
        _, offset, row, col = max(found, key=lambda part: part[1])  # the first of equals
        return max(part[0] for part in found), offset, row, col

    def first_bad(self) -> tuple[int, int] | None:
        """Return where the first NaN or infinity is."""
        found = self._each(on_worker.first_bad)
        return next((cell for cell in found if cell is not None), None)

    # ------------------------------------------------------------------ k-means||

    def begin_seeding(self) -> None:
        """Forget all candidates."""
        self._seeding = Seeding(uuid.uuid4().hex)

    def add_candidates(
        self, rows: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Compare all rows with more candidates; return the potential of each shard."""
        batches = (*self._seeding.batches, (rows, values))
        self._seeding = replace(self._seeding, batches=batches)
        return np.concatenate(self._each(on_worker.add_candidates, _shared(self._seeding)))

    def draw(self, seed: int, number: int, rate: float) -> Any:
        """Draw candidates for one round."""
        found = self._each(on_worker.draw, _shared(self._seeding), seed, number, rate)
        return tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))

    def in_shard(self, first_row: int, weight: float) -> Any:
        """Return the row at which so much weight is passed, in the shard with this first row."""
        part, seeding = self._parts[self._part_of(first_row)], _shared(self._seeding)
        task = delayed(on_worker.in_shard, pure=False)(part, seeding, first_row, weight)
        return self._compute(task)[0]

    def candidate_weights(self, n_candidates: int) -> NDArray[np.float64]:
        """Return the weight of the rows nearest to each candidate."""
        add = delayed(on_worker.add_candidate_weights, pure=False)
        seeding, sums = _shared(self._seeding), _shared(np.zeros(n_candidates))
        for part in self._parts:
            sums = add(part, seeding, sums)
        return self._compute(sums)[0]  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ the loop

    def begin_loop(self, n_clusters: int, origin: NDArray[np.float64] | None) -> None:
        """Forget all labels."""
        self._step = Step(uuid.uuid4().hex, n_clusters, origin, number=0, previous=None)

    def assign(
        self, centers: NDArray[np.float64], is_full: bool, totals: Totals
    ) -> tuple[int, Totals]:
        """Label all rows; return how many labels changed, and the new totals."""
        step = self._next_step(centers=centers, is_full=is_full)
        take, carry = (delayed(f, pure=False) for f in (on_worker.take_step, on_worker.carry))
        taken = [take(part, step) for part in self._parts]
        carried = _shared(totals)
        for part, n_changed in zip(self._parts, taken, strict=True):
            carried = carry(part, step, n_changed, carried)
        new_totals, *changes = self._compute(carried, *taken)
        return sum(changes), new_totals

    def squares(self, centers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of squared distances to the centers of the labels, for each shard."""
        found = self._each(on_worker.squares, _shared(self._step), _shared(centers))
        return np.concatenate(found)

    def farthest(self, centers: NDArray[np.float64], n: int) -> list[Any]:
        """Return, of each part, the n rows farthest from the centers of their labels."""
        found = self._each(on_worker.farthest, _shared(self._step), _shared(centers), n)
        return [row for part in found for row in part]

    def renumber(self, order: NDArray[np.int32]) -> None:
        """Give number j to cluster ``order[j]``."""
        step = self._next_step(order=order)
        self._compute(*(delayed(on_worker.take_step, pure=False)(p, step) for p in self._parts))

    def labels(self) -> da.Array:
        """Return the labels, persisted where the rows are."""
        step = _shared(self._step)
        blocks = [
            da.from_delayed(delayed(on_worker.labels, pure=False)(part, step), (size,), np.int32)
            for part, size in zip(self._parts, self._sizes, strict=True)
        ]
        return da.concatenate(blocks).persist()

    # ------------------------------------------------------------------ Dask

    def _part_of(self, row: int) -> int:
        return int(np.searchsorted(self._starts, row, side="right")) - 1

    def _next_step(self, **changes: Any) -> Delayed:
        before = self._step
        assert before is not None
        previous = before.centers
        if before.order is not None:
            assert before.previous is not None  # clusters get new numbers after a visit
            previous = before.previous[before.order]
        self._step = Step(
            before.run, before.n_clusters, before.origin, before.number + 1, previous, **changes
        )
        return _shared(self._step)

    def _each(self, function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
        task = delayed(function, pure=False)
        return self._compute(*(task(part, *arguments) for part in self._parts))

    def _compute(self, *tasks: Delayed) -> tuple[Any, ...]:
        """Compute, in the face of a first Ctrl-C as well: it ends the fit, not the computation."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            try:
                return dask.compute(*tasks)  # type: ignore[no-any-return]
            except KeyboardInterrupt as interruption:
                if self.interruption is not None:
                    raise
                self.interruption = interruption
                return dask.compute(*tasks)  # type: ignore[no-any-return]


def _shared(value: Any) -> Delayed:
    """Return one object that many tasks use, sent once."""
    return delayed(value, name=f"shared-{uuid.uuid4().hex}", traverse=False)
