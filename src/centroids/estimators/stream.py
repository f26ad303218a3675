"""A stream of batches: a short memory until there are clusters, running sums from there on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.estimators.light_clusters import MOVED, LightClusters
from centroids.estimators.running_sums import RunningSums
from centroids.estimators.runs import MOST_ITERATIONS, Start, check_init, is_given, run_plain
from centroids.rows.sparse import core_rows, is_sparse, new_problem

if TYPE_CHECKING:
    from centroids.estimators.mini_batch import MiniBatchKMeans


# What is kept is clustered again when it has grown by this factor: a stream that comes row by row
# would else pay for all of it with each row.
_GROWTH = 1.1


@dataclass
class Stream:
    """What `MiniBatchKMeans.partial_fit` remembers between its calls.

    Attributes
    ----------
    dtype : dtype
        Of the rows.
    random : RandomState
    state : RunningSums or None
        None until ``n_clusters`` different rows were seen.
    kept : list of (rows, weights)
        Batches that are still clustered together, without rows of weight zero; empty once
        ``init_size`` rows were seen.
    n_kept : int
        Rows in ``kept``.
    n_clustered : int
        Rows that were kept when they were last clustered.
    light : LightClusters
    """

    dtype: np.dtype[Any]
    random: np.random.RandomState
    state: RunningSums | None = None
    is_keeping: bool = True
    kept: list[tuple[Any, NDArray[np.float64]]] = field(default_factory=list)
    n_kept: int = 0
    n_clustered: int = 0
    light: LightClusters = field(default_factory=lambda: LightClusters(0.0))

    @classmethod
    def new(cls, dtype: np.dtype[Any], random: np.random.RandomState) -> Stream:
        """Return a stream without rows."""
        return cls(dtype, random)

    @classmethod
    def after_fit(cls, state: RunningSums) -> Stream:
        """Return a stream that goes on where ``fit`` ended."""
        return cls(state.dtype, np.random.RandomState(0), state, is_keeping=False)

    def with_batch(
        self, rows: Any, weights: NDArray[np.float64] | None, model: MiniBatchKMeans
    ) -> Stream:
        """Return the stream with one batch more; this one stays as it is."""
        longer = replace(
            self,
            state=self.state and self.state.copy(),
            kept=list(self.kept),
            light=replace(self.light),
        )
        longer._take(rows, weights, model)
        return longer

    def _take(self, rows: Any, weights: NDArray[np.float64] | None, model: MiniBatchKMeans) -> None:
        if self.state is not None and len(self.state.weights) != model.n_clusters:
            raise ValueError(
                f"n_clusters={model.n_clusters}, but this stream has {len(self.state.weights)} "
                "clusters: set it back, or begin anew with fit or a clone."
            )
        if self.state is None and is_given(model.init):
            self.state = RunningSums.empty(
                check_init(model.init, rows, model.n_clusters), self.dtype
            )
            self.is_keeping = False
        if self.is_keeping:
            self._keep(rows, weights, model)
        else:
            self._add(rows, weights, model)

    def _keep(self, rows: Any, weights: NDArray[np.float64] | None, model: MiniBatchKMeans) -> None:
        w = np.ones(rows.shape[0]) if weights is None else weights
        self.kept.append((rows[w > 0], w[w > 0]))  # copies
        self.n_kept += int(np.count_nonzero(w))
        is_last = self.n_kept >= model._resolve_init_size(2**62)
        if self.state is not None and self.n_kept < _GROWTH * self.n_clustered and not is_last:
            self._add(rows, weights, model)
        elif self.n_kept >= model.n_clusters:
            self._cluster_kept(model)
        if is_last and self.state is not None:
            self.kept = []
            self.is_keeping = False

    def _cluster_kept(self, model: MiniBatchKMeans) -> None:
        """Cluster what is kept anew; without effect while too few rows differ."""
        kept, weights = self._all_kept()
        run = model._cluster(kept, weights, len(weights), self.random)
        if not run["counts"].all():  # fewer different rows than clusters
            self.kept = [_merged(kept, weights)]
            self.n_kept = self.kept[0][0].shape[0]
            return
        if self.state is not None:
            run = self._with_old_numbers(run, kept, weights, model)
        self.state = RunningSums.empty(run["centers"], self.dtype)
        self.state.add(kept, weights, run["labels"])
        self.n_clustered = self.n_kept

    def _all_kept(self) -> tuple[Any, NDArray[np.float64]]:
        weights = np.concatenate([w for _, w in self.kept])
        parts = [rows for rows, _ in self.kept]
        if not any(is_sparse(part) for part in parts):
            return np.concatenate(parts), weights
        from scipy.sparse import csr_array, vstack

        return vstack([csr_array(part) for part in parts], format="csr"), weights

    def _with_old_numbers(
        self, run: _core.Run, rows: Any, weights: NDArray[np.float64], model: MiniBatchKMeans
    ) -> _core.Run:
        """Return the better of this run and one from the old centers, with the old numbers."""
        from scipy.optimize import linear_sum_assignment

        assert self.state is not None
        old_centers = self.state.centers
        max_iter = min(int(model.max_iter), MOST_ITERATIONS)
        problem = new_problem(rows, weights, 1)
        continued = run_plain(problem, len(old_centers), Start(old_centers), max_iter=max_iter)
        if continued["counts"].all() and continued["inertia"] <= run["inertia"]:
            return continued
        squares = np.square(old_centers[:, None, :] - run["centers"][None, :, :]).sum(axis=2)
        _, partner = linear_sum_assignment(squares)
        run["centers"] = run["centers"][partner]
        run["labels"] = np.argsort(partner).astype(np.int32)[run["labels"]]
        return run

    def _add(self, rows: Any, weights: NDArray[np.float64] | None, model: MiniBatchKMeans) -> None:
        assert self.state is not None
        state = self.state
        threads = model._threads(rows, model.n_clusters)
        state.add(rows, weights, _core.assign(core_rows(rows), state.centers, threads))
        state.move_centers()
        self.light.ratio = model.reassignment_ratio
        if self.light.look(state, rows, weights, self.random, threads) is not None:
            model._say(MOVED)


def _merged(rows: Any, weights: NDArray[np.float64]) -> tuple[Any, NDArray[np.float64]]:
    """Equal rows as one row with the sum of their weights: the memory of a stream stays small."""
    if is_sparse(rows):
        entries = [
            (rows.indices[a:b].tobytes(), rows.data[a:b].tobytes())
            for a, b in pairwise(rows.indptr)
        ]
        numbers = {entry: number for number, entry in enumerate(dict.fromkeys(entries))}
        which = np.array([numbers[entry] for entry in entries])
        _, first = np.unique(which, return_index=True)
        return rows[first], np.asarray(np.bincount(which, weights), dtype=np.float64)
    unique, which = np.unique(rows, axis=0, return_inverse=True)
    return unique, np.asarray(np.bincount(which.ravel(), weights), dtype=np.float64)
