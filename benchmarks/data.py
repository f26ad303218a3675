"""The rows of a cell: generated once, kept as .npy files outside of the repository.

Every shape is a function of (generator, cell) that returns ``draw(n)``, the next n rows; the
file is written block by block, so that ten million rows need no memory here.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.cells import Cell

VERSION = 1  # part of the file name: raise it whenever the generated numbers change
BLOCK_VALUES = 4_000_000

Draw = Callable[[int], np.ndarray]


def cache_folder() -> Path:
    """Where generated data lives: CENTROIDS_BENCH_CACHE or ~/.cache/centroids-bench."""
    return Path(os.environ.get("CENTROIDS_BENCH_CACHE") or "~/.cache/centroids-bench").expanduser()


def data_file(cell: Cell) -> Path:
    """Path of the cell's rows; generates them when they are not there yet."""
    path = cache_folder() / f"{cell.key}-v{VERSION}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # A half-written file must never be taken for data.
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            _write(cell, unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def start_centers(rows: np.ndarray, cell: Cell) -> np.ndarray:
    """K random rows, the same ones for every library."""
    generator = np.random.default_rng([cell.start_seed, 17])
    chosen = generator.choice(len(rows), cell.n_clusters, replace=False)
    return np.ascontiguousarray(rows[chosen])


def _write(cell: Cell, path: Path) -> None:
    generator = np.random.default_rng([cell.n_samples, cell.n_features, cell.n_clusters])
    draw = GENERATORS[cell.shape](generator, cell)
    shape = (cell.n_samples, cell.n_features)
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=cell.dtype, shape=shape)
    block = max(1, BLOCK_VALUES // cell.n_features)
    for begin in range(0, cell.n_samples, block):
        end = min(begin + block, cell.n_samples)
        rows[begin:end] = draw(end - begin)
    rows.flush()


def _components(generator: np.random.Generator, cell: Cell) -> tuple[np.ndarray, ...]:
    """Means, scales and cumulated weights of 2 K overlapping components.

    Neighbouring means lie about three standard deviations apart whatever the number of columns:
    m points of spread s in d dimensions are some s · √(2d) · m^(-1/d) from their neighbour.
    """
    n_components = 2 * cell.n_clusters
    d = cell.n_features
    spread = 3.0 * n_components ** (1 / d) / np.sqrt(2 * d)
    means = generator.normal(0.0, spread, (n_components, d)).astype(cell.dtype)
    scales = generator.uniform(0.7, 1.3, n_components).astype(cell.dtype)
    weights = generator.dirichlet(np.full(n_components, 2.0))
    return means, scales, np.cumsum(weights)


def _gaussian(generator: np.random.Generator, cell: Cell) -> Draw:
    means, scales, cumulated = _components(generator, cell)

    def draw(n: int) -> np.ndarray:
        component = np.searchsorted(cumulated, generator.random(n) * cumulated[-1])
        rows = generator.standard_normal((n, cell.n_features), dtype=means.dtype)
        rows *= scales[component, None]
        rows += means[component]
        return rows

    return draw


def _heavy_tails(generator: np.random.Generator, cell: Cell) -> Draw:
    """Multivariate t with three degrees of freedom: a few rows lie very far out."""
    means, scales, cumulated = _components(generator, cell)

    def draw(n: int) -> np.ndarray:
        component = np.searchsorted(cumulated, generator.random(n) * cumulated[-1])
        rows = generator.standard_normal((n, cell.n_features), dtype=means.dtype)
        stretch = np.sqrt(3.0 / generator.chisquare(3, n)).astype(means.dtype)
        rows *= (scales[component] * stretch)[:, None]
        rows += means[component]
        return rows

    return draw


def _spectrum(generator: np.random.Generator, cell: Cell) -> Draw:
    """Variance that decays over hidden directions, as embeddings and images have it."""
    blobs = _gaussian(generator, cell)
    decay = (1.0 + np.arange(cell.n_features)) ** -0.75
    rotation, _ = np.linalg.qr(generator.standard_normal((cell.n_features, cell.n_features)))
    mixing = (decay[:, None] * rotation).astype(cell.dtype)
    return lambda n: blobs(n) @ mixing


def _uniform(generator: np.random.Generator, cell: Cell) -> Draw:
    """No clusters at all: bounds and pruning have the least to hold on to."""
    dtype = np.dtype(cell.dtype)
    return lambda n: generator.random((n, cell.n_features), dtype=dtype)


GENERATORS: dict[str, Callable[[np.random.Generator, Cell], Draw]] = {
    "gaussian": _gaussian,
    "heavytails": _heavy_tails,
    "spectrum": _spectrum,
    "uniform": _uniform,
}
