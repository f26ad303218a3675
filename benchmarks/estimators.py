"""Sparse rows, mini-batches and bisecting against scikit-learn: CPU time of one thread, as ratios.

    python -m benchmarks.estimators                      # all; tables on stdout
    python -m benchmarks.estimators sparse --small       # minutes less
    python -m benchmarks.estimators mini-batch --seeds 8
    python -m benchmarks.estimators mini-batch --cell 10Mx8-k8-f4 --limit 1   # at equal time
    python -m benchmarks.estimators mini-batch --stored  # the records kept in results/

Both libraries run in this process, one after the other for each seed, so the ratios hold on a
shared machine; single numbers of seconds do not. Records go to a JSON-lines file (--out).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import sklearn.cluster
from threadpoolctl import threadpool_limits

import centroids
from benchmarks.cells import CELLS, OTHER_SHAPES, Cell
from benchmarks.data import data_file

Record = dict[str, object]


@dataclass(frozen=True)
class Scope:
    """What of a part is measured, and how long scikit-learn may take."""

    seeds: int = 3
    small: bool = False  # small sizes only
    cells: tuple[str, ...] = ()  # keys of cells; empty: all
    limit: float | None = None  # in times of ours

    def has(self, cell: Cell, most_values: float = np.inf) -> bool:
        """Whether a cell is in it; one that is named is, whatever its size."""
        if self.cells:
            return cell.key in self.cells
        return cell.n_samples * cell.n_features <= (2_000_000 if self.small else most_values)


STEP_ITERATIONS = 25
STORED = Path(__file__).resolve().parent / "results" / "estimators.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="small sizes only")
    parser.add_argument("--cell", action="append", default=[], help="this cell only; repeatable")
    parser.add_argument(
        "--limit",
        type=float,
        help="mini-batch: end scikit-learn's batches after so many times our CPU time",
    )
    parser.add_argument("--out", type=Path, help="append the records to this file")
    parser.add_argument(
        "--stored", action="store_true", help=f"measure nothing: show {STORED.name}"
    )
    options = parser.parse_args()
    scope = Scope(options.seeds, options.small, tuple(options.cell), options.limit)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for part in options.parts:
            print(f"\n| {part} | scikit-learn | centroids | times faster | inertia / theirs |")
            print("|---|---|---|---|---|")
            if options.stored:
                print(*(line(record) for record in stored(part)), sep="\n")
                continue
            for record in PARTS[part](scope):
                record = {"part": part, **record}
                print(line(record), flush=True)
                if options.out:
                    with options.out.open("a") as file:
                        file.write(json.dumps(record) + "\n")


def stored(part: str) -> list[Record]:
    """Records of one part; none where it was not run."""
    lines = STORED.read_text().splitlines() if STORED.exists() else []
    return [record for record in map(json.loads, lines) if record["part"] == part]


def line(record: Record) -> str:
    """One line of the table."""
    theirs, ours = record["their_seconds"], record["our_seconds"]
    return (
        f"| {record['case']} | {theirs:.3g} s | {ours:.3g} s | {theirs / ours:.1f} "
        f"| {record['inertia_ratio']:.4f} |"
    )


def compared(
    case: str,
    theirs: Callable,
    ours: Callable,
    seeds: int,
    inertia: Callable[..., float] = float,
    limit: float | None = None,
) -> Record:
    """Means over the seeds; a call gets a seed, ``inertia`` what it returned, untimed.

    With a limit, theirs also gets the CPU seconds it may take: so many times those of ours.
    """
    seconds, inertias = np.empty((2, seeds)), np.empty((2, seeds))
    for seed in range(seeds):
        arguments = [seed]
        order = ((0, theirs), (1, ours))
        for who, call in order if limit is None else reversed(order):
            begin = time.process_time()
            result = call(*arguments)
            seconds[who, seed] = time.process_time() - begin
            inertias[who, seed] = inertia(result)
            if limit is not None:
                arguments.append(limit * seconds[who, seed])
    return {
        "case": case,
        "seeds": seeds,
        "their_seconds": float(seconds[0].mean()),
        "our_seconds": float(seconds[1].mean()),
        "inertia_ratio": float(inertias[1].mean() / inertias[0].mean()),
    }


# ---------------------------------------------------------------- sparse


def text_rows(n_samples: int, n_features: int, density: float, seed: int = 0) -> sp.csr_matrix:
    """Rows like tf-idf of texts: words by Zipf's law, half of them a topic's own, length one."""
    rng = np.random.default_rng(seed)
    n_topics = 80
    zipf = 1 / np.arange(1, n_features + 1)
    lengths = np.maximum(5, rng.poisson(1.2 * density * n_features, n_samples))
    row = np.repeat(np.arange(n_samples), lengths)
    word = rng.choice(n_features, len(row), p=zipf / zipf.sum())
    ranks = np.stack([rng.permutation(n_features) for _ in range(n_topics)])
    topic = rng.integers(0, n_topics, n_samples)[row]
    word = np.where(rng.random(len(row)) < 0.5, ranks[topic, word], word)
    counts = sp.csr_matrix((np.ones(len(row)), (row, word)), shape=(n_samples, n_features))
    counts.sum_duplicates()
    rarity = np.log(n_samples / np.maximum(1, np.bincount(counts.indices, minlength=n_features)))
    counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.maximum(lengths, 1e-300)) @ counts)


def sparse(scope: Scope) -> Iterator[Record]:
    """Texts: a step of 25 iterations from the same rows, a whole fit, and predict."""
    shape = (20_000, 10_000, 0.005) if scope.small else (100_000, 20_000, 0.005)
    k = 50
    for dtype in ("f4", "f8"):
        X = text_rows(*shape).astype(dtype)
        size = f"{X.shape[0]} x {X.shape[1]}, {X.nnz / np.prod(X.shape):.2%}, k={k}, {dtype}"
        start = X[np.random.default_rng(1).choice(X.shape[0], k, replace=False)].toarray()
        fixed = {"n_clusters": k, "init": start, "n_init": 1, "max_iter": STEP_ITERATIONS, "tol": 0}
        yield compared(
            f"step, {size}",
            lambda _, X=X, fixed=fixed: sklearn.cluster.KMeans(**fixed).fit(X).inertia_,
            lambda _, X=X, fixed=fixed: centroids.KMeans(**fixed, n_jobs=1).fit(X).inertia_,
            1,
        )
        yield compared(
            f"fit, {size}",
            lambda s, X=X: sklearn.cluster.KMeans(k, random_state=s).fit(X).inertia_,
            lambda s, X=X: centroids.KMeans(k, random_state=s, n_jobs=1).fit(X).inertia_,
            scope.seeds,
        )
        theirs = sklearn.cluster.KMeans(**fixed | {"max_iter": 1}).fit(X)
        ours = centroids.KMeans(**fixed | {"max_iter": 1}, n_jobs=1).fit(X)
        yield compared(
            f"score, {size}",
            lambda _, X=X, model=theirs: -model.score(X),
            lambda _, X=X, model=ours: -model.score(X),
            3,
        )


# ---------------------------------------------------------------- mini-batches


class TimedMiniBatchKMeans(sklearn.cluster.MiniBatchKMeans):
    """scikit-learn's, whose batches end at a time: its smallest ``max_iter`` may be too much.

    The labels of all rows come after, as in ours; so it takes a little longer than it may.
    """

    deadline = np.inf

    def _mini_batch_convergence(self, *args: object) -> bool:
        return super()._mini_batch_convergence(*args) or time.process_time() >= self.deadline

    def fit_within(self, X: np.ndarray, seconds: float) -> TimedMiniBatchKMeans:
        """Fit; look for convergence until so many CPU seconds have passed."""
        self.deadline = time.process_time() + seconds
        return self.fit(X)


def mini_batch(scope: Scope) -> Iterator[Record]:
    """Whole fits with default settings: less time and less inertia is less at equal time too.

    With a limit scikit-learn's batches end there, which shows the inertia at that time.
    """
    for cell in filter(scope.has, (*CELLS, *OTHER_SHAPES)):
        if scope.limit is None:
            yield compare_fits("MiniBatchKMeans", cell, scope.seeds)
            continue
        X, k = np.load(data_file(cell)), cell.n_clusters
        yield compared(
            f"{cell.key}, scikit-learn ended at {scope.limit:g} x our time",
            lambda s, seconds, X=X, k=k: TimedMiniBatchKMeans(k, random_state=s).fit_within(
                X, seconds
            ),
            lambda s, X=X, k=k: centroids.MiniBatchKMeans(k, random_state=s, n_jobs=1).fit(X),
            scope.seeds,
            lambda model, X=X: exact_inertia(X, model),
            scope.limit,
        )


def compare_fits(name: str, cell: Cell, seeds: int) -> Record:
    """Fits of the estimator of this name, with default settings, in both libraries."""
    X = np.load(data_file(cell))
    k = cell.n_clusters
    theirs, ours = getattr(sklearn.cluster, name), getattr(centroids, name)
    return compared(
        cell.key,
        lambda s: theirs(k, random_state=s).fit(X),
        lambda s: ours(k, random_state=s, n_jobs=1).fit(X),
        seeds,
        lambda model: exact_inertia(X, model),
    )


def exact_inertia(X: np.ndarray, model: object, block: int = 100_000) -> float:
    """Of all rows in float64: scikit-learn adds up float32 rows in float32."""
    centers = model.cluster_centers_.astype(np.float64)
    starts = range(0, len(X), block)
    parts = ((X[i : i + block] - centers[model.labels_[i : i + block]]).ravel() for i in starts)
    return float(sum(part @ part for part in parts))


# ---------------------------------------------------------------- bisecting


def bisecting(scope: Scope) -> Iterator[Record]:
    """Whole fits with default settings, by inertia; trees of many clusters are slow in both."""
    for cell in (*CELLS, *OTHER_SHAPES):
        if scope.has(cell, most_values=50_000_000) and cell.n_clusters <= 256:
            yield compare_fits("BisectingKMeans", cell, scope.seeds)


PARTS = {"sparse": sparse, "mini-batch": mini_batch, "bisecting": bisecting}

if __name__ == "__main__":
    main()
