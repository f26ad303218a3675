"""Types of the compiled module: C-contiguous float32 or float64 rows, float64 centers."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32] | NDArray[np.float64]
Values = NDArray[np.float32] | NDArray[np.float64]
Float64 = NDArray[np.float64]

X = TypeVar("X")

class Run(TypedDict):
    """One run of the loop."""

    labels: NDArray[np.int32]
    centers: Float64
    counts: NDArray[np.int64]
    inertia: float
    n_iter: int
    converged: bool
    timed_out: bool
    exception: BaseException | None
    history: Float64
    restarts: list[float]

class SparseRows:
    """Rows in compressed sparse form: columns ascend within a row."""

    def __init__(
        self, values: Values, columns: NDArray[np.int32], starts: NDArray[np.int64], n_cols: int
    ) -> None: ...

class _Problem(Generic[X]):
    first_bad: tuple[int, int] | None
    bad_range: tuple[str, int, int] | None
    mean_variance: float
    def __init__(self, x: X, weights: Float64 | None, n_threads: int) -> None: ...
    def seed(self, n_clusters: int, seeding: str, seed: int) -> NDArray[np.int64]: ...
    def fit(
        self,
        n_clusters: int,
        init: Float64 | None,
        seeding: str,
        seed: int,
        algorithm: str,
        max_iter: int,
        tol: float,
        max_time: float | None,
        on_iteration: Callable[[int, float, float, int, Float64], Any] | None,
        unit_centers: bool = False,
        search: str | None = None,
        number_by_size: bool | None = None,
    ) -> Run: ...
    def plan_bisecting(
        self,
        n_leaves: int,
        by_inertia: bool,
        seeding: str,
        n_starts: int,
        seed: int,
        draws: Float64,
        max_iter: int,
        tol: float,
        share: float,
        work_per_leaf: float,
    ) -> tuple[NDArray[np.int64], Float64, float, float]: ...

class Problem(_Problem[Rows]):
    """Rows kept alive for several runs."""

class SparseProblem(_Problem[SparseRows]):
    """The same for sparse rows."""

Totals = tuple[Float64, Float64, Float64, Float64, NDArray[np.int64]]
Candidates = tuple[NDArray[np.int64], Float64]

class Part:
    """One part of rows that are anywhere: what is done where its rows are."""

    n_candidates: int
    def __init__(
        self, x: Rows, weights: Float64 | None, first_row: int, n_all_rows: int, n_threads: int
    ) -> None: ...
    def moments(
        self, reference: Float64, is_weighted: bool
    ) -> tuple[Float64, Float64, Float64]: ...
    def extent(self, reference: Float64) -> tuple[float, float, int, int]: ...
    def first_bad(self) -> tuple[int, int] | None: ...
    def begin_seeding(self) -> None: ...
    def add_candidates(self, rows: NDArray[np.int64], values: Float64) -> Float64: ...
    def draw(self, seed: int, number: int, rate: float) -> Candidates: ...
    def in_shard(self, first_row: int, weight: float) -> Candidates: ...
    def candidate_weights(self, before: Float64) -> Float64: ...
    def begin_loop(self, n_clusters: int, origin: Float64 | None) -> None: ...
    def assign(self, centers: Float64, is_full: bool) -> int: ...
    def add_to(self, before: Totals) -> Totals: ...
    def squares(self, centers: Float64) -> Float64: ...
    def farthest(
        self, centers: Float64, n: int
    ) -> list[tuple[int, int, float, float, int, Float64]]: ...
    def renumber(self, order: NDArray[np.int32]) -> None: ...
    def labels(self) -> NDArray[np.int32]: ...

class PartsProblem(_Problem[Any]):
    """The same for rows in parts, which it reaches through a Python object."""

    def __init__(self, parts: Any, n_threads: int) -> None: ...
    def inertia(self, centers: Float64) -> float: ...

AnyRows = Rows | SparseRows

def assign(x: AnyRows, centers: Float64, n_threads: int) -> NDArray[np.int32]: ...
def nearest(
    x: AnyRows, centers: Float64, n_threads: int
) -> tuple[NDArray[np.int32], Float64, NDArray[np.int32], Float64]: ...
def measure_partitions(
    x: Rows,
    weights: Float64 | None,
    centers: Sequence[Float64],
    cluster_weights: Sequence[Float64] | None,
    n_threads: int,
) -> tuple[Float64, NDArray[np.int32], Float64, Float64, Float64, NDArray[np.int32]]: ...

class Sweep:
    """Fits for 1, 2, … clusters of the rows of a problem."""

    def __init__(
        self, problem: Problem, starts_afresh: bool, seed: int, max_iter: int, tol: float
    ) -> None: ...
    def extend(
        self, k_max: int, draws: Sequence[Float64], max_time: float | None
    ) -> tuple[list[tuple[Float64, Float64, float]], bool]: ...

def distances(x: AnyRows, centers: Float64, n_threads: int) -> Rows: ...
def inertia(
    x: AnyRows, centers: Float64, labels: NDArray[np.int32], weights: Float64 | None, n_threads: int
) -> float: ...
def cluster_sums(
    x: AnyRows, weights: Float64 | None, labels: NDArray[np.int32], n_clusters: int
) -> tuple[Float64, Float64, NDArray[np.int64]]: ...
def by_weight(
    centers: Float64, weights: Float64, counts: NDArray[np.int64]
) -> NDArray[np.int32]: ...
def unit_rows(x: AnyRows, n_threads: int) -> tuple[NDArray[Any], int]: ...
def first_bad(x: AnyRows, n_threads: int) -> tuple[int, int] | None: ...
def shard_rows(n_rows: int, n_features: int, n_clusters: int) -> int: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
