"""Well-known families for clustering, drawn anew: sets that no rule of choose_k has seen.

    python -m benchmarks.choose_k_classics --out results/choose_k/classics.jsonl

The S, A, Birch, G2, Dim and Unbalance sets of Fränti & Sieranoja (Applied Intelligence 48, 2018)
are public, and the rule was tuned with some of them in view. Here their families are generated as
the paper describes them, from seeds of their own, beside two sets of scikit-learn. A set counts as
K-Means-shaped when K-Means with the true K finds the true groups (adjusted Rand index from 0.8).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from benchmarks.choose_k import choose, keep, print_tables
from centroids import KMeans

SEED, REPETITIONS, SHAPED = 20_261_127, range(3), 0.8
Labelled = tuple[np.ndarray, np.ndarray]


def _around(random: np.random.Generator, means: np.ndarray, sizes: object, sd: object) -> Labelled:
    """Spherical Gaussian groups; `sizes` and `sd` for all groups or for each."""
    labels = np.repeat(np.arange(len(means)), np.broadcast_to(sizes, len(means)))
    spread = np.broadcast_to(sd, len(means))[labels, None]
    return means[labels] + spread * random.standard_normal((len(labels), means.shape[1])), labels


def _spread_out(random: np.random.Generator, k: int, d: int, apart: float) -> np.ndarray:
    """Means in the unit cube, at least `apart` from each other."""
    means = random.random((1, d))
    while len(means) < k:
        mean = random.random((1, d))
        if (np.linalg.norm(means - mean, axis=1) >= apart).all():
            means = np.vstack([means, mean])
    return means


def _overlapping(share: float) -> Callable[[np.random.Generator], Labelled]:
    """S sets: 15 groups, with this share of the rows nearer to the mean of another group."""

    def draw(random: np.random.Generator) -> Labelled:
        means = _spread_out(random, 15, 2, 0.15)
        seed = int(random.integers(2**32))
        low, high = 0.001, 0.2
        for _ in range(30):
            sd = (low + high) / 2
            rows, labels = _around(np.random.default_rng(seed), means, 333, sd)
            nearest = ((rows[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
            low, high = (sd, high) if (nearest != labels).mean() < share else (low, sd)
        return rows, labels

    return draw


def _a_set(k: int) -> Callable[[np.random.Generator], Labelled]:
    """A sets: k round groups of 150 rows, about as close together whatever k."""
    side = np.sqrt(k)
    return lambda random: _around(random, side * _spread_out(random, k, 2, 0.7 / side), 150, 0.14)


def _dim(d: int) -> Callable[[np.random.Generator], Labelled]:
    """Dim sets: 16 groups far apart in many columns, 1,024 rows."""
    return lambda random: _around(random, random.random((16, d)), 64, 0.05)


def _g2(d: int, sd: float) -> Callable[[np.random.Generator], Labelled]:
    """G2 sets: two groups of 1,024 rows, 100 apart in each column."""
    means = np.array([[500.0], [600.0]]) * np.ones(d)
    return lambda random: _around(random, means, 1024, sd)


def _birch_grid(random: np.random.Generator) -> Labelled:
    """Birch 1: 100 groups of 1,000 rows on a grid; a standard deviation is a quarter of a step."""
    means = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
    return _around(random, means, 1000, 0.25)


def _birch_curve(random: np.random.Generator) -> Labelled:
    """Birch 2: 100 groups of 1,000 rows along a sine."""
    t = np.arange(100.0)
    means = np.stack([t, 8 * np.sin(t * 2 * np.pi / 25)], axis=1)
    return _around(random, means, 1000, 0.25)


def _unbalanced(random: np.random.Generator) -> Labelled:
    """Unbalance: three dense groups of 2,000 rows, five wider ones of 100 far from them."""
    dense = random.random((1, 2)) + np.array([[0, 0], [1.5, 0], [0.75, 1.3]])
    wide = np.array([[9.0, -2], [9, 3], [12, 0.5], [15, -2], [15, 3]]) + random.random((5, 2))
    return _around(random, np.vstack([dense, wide]), [2000] * 3 + [100] * 5, [0.2] * 3 + [0.5] * 5)


FAMILIES: dict[str, Callable[[np.random.Generator], Labelled]] = {
    "S, 1 % overlap": _overlapping(0.01),
    "S, 3 % overlap": _overlapping(0.03),
    "S, 8 % overlap": _overlapping(0.08),
    "S, 15 % overlap": _overlapping(0.15),
    **{f"A, K = {k}": _a_set(k) for k in (20, 35, 50)},
    **{f"Dim, {d} columns": _dim(d) for d in (32, 256)},
    **{f"G2, {d} columns, sd {sd}": _g2(d, sd) for d in (2, 8, 32, 128) for sd in (20, 40)},
    "Birch, grid": _birch_grid,
    "Birch, sine": _birch_curve,
    "Unbalance": _unbalanced,
}


def sets() -> Iterator[tuple[str, int, Labelled]]:
    """Name, repetition, rows and groups of every set."""
    for index, (name, draw) in enumerate(FAMILIES.items()):
        for repetition in REPETITIONS:
            yield name, repetition, draw(np.random.default_rng([SEED, index, repetition]))
    for name, load in (("digits", load_digits), ("breast cancer", load_breast_cancer)):
        rows, labels = load(return_X_y=True)
        yield name, 0, (rows, labels)
        yield f"{name}, scaled", 0, (StandardScaler().fit_transform(rows), labels)


def main() -> None:
    """Run all of them once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    def records() -> Iterator[dict[str, object]]:
        for name, repetition, (rows, labels) in sets():
            k = len(np.unique(labels))
            model = KMeans(k, n_init=5, random_state=0, n_jobs=1).fit(rows)
            index = adjusted_rand_score(labels, model.labels_)
            yield {
                "set": name,
                "family": "K-Means-shaped" if index >= SHAPED else "other shapes",
                "n_features": rows.shape[1],
                "repetition": repetition,
                "adjusted_rand": round(index, 4),
                **choose(rows, k, {}),
            }

    print_tables(keep(args.out, records()))


if __name__ == "__main__":
    main()
