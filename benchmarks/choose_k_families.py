"""Data with a known number of clusters: families, sizes and declared seeds.

A case is (family, K, columns, repetition) and nothing else; `rows_of` makes the same rows for it
on every machine. Repetitions below `FIRST_JUDGING` are for tuning the rule. Those from there on
judge it: nothing in the library may be chosen by looking at them.

Distances between the means are in units of the clusters' standard deviation along one column;
means lie as close together as the stated smallest distance allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]

FIRST_JUDGING = 100
# Those that judge it now; earlier ones judged the rules before, so their failures were seen.
JUDGING = range(106, 112)
TUNING = range(FIRST_JUDGING)

# (K, columns): small K are the most common question, large ones the hardest.
SIZES = (
    (2, 2), (2, 16), (3, 4), (4, 8), (5, 2), (6, 16), (8, 4), (8, 32), (10, 8),
    (12, 2), (15, 16), (16, 4), (20, 8), (24, 32), (30, 2),
)  # fmt: skip
WIDE_SIZES = ((2, 64), (4, 64), (8, 64), (12, 64), (16, 64), (24, 64))
MANY_SIZES = ((50, 2), (50, 8), (100, 8), (100, 16))
NULL_SIZES = (1, 2, 2, 4, 8, 16, 64)


@dataclass(frozen=True)
class Case:
    """One data set with a known answer."""

    family: str
    n_clusters: int
    n_features: int
    repetition: int

    @property
    def n_samples(self) -> int:
        """About 45 rows a cluster where there are many: deliberately few."""
        return int(np.clip(45 * self.n_clusters, 400, 4500))

    @property
    def seed(self) -> list[int]:
        """Seed of its rows."""
        family = sorted({**FAMILIES, **NULLS}).index(self.family)
        return [20_261_123, family, self.n_clusters, self.n_features, self.repetition]


def cases(repetitions: range, *, many: bool = False) -> Iterator[Case]:
    """List the cases of some repetitions; `many` adds K = 50 and 100."""
    for repetition in repetitions:
        for family in FAMILIES:
            sizes = WIDE_SIZES if family == "64 columns" else SIZES
            sizes = MANY_SIZES if family == "many clusters" else sizes
            if many or family != "many clusters":
                yield from (Case(family, k, d, repetition) for k, d in sizes)
        for family in NULLS:
            for i, d in enumerate(NULL_SIZES):
                yield Case(family, 1, d, len(NULL_SIZES) * repetition + i)


def rows_of(case: Case) -> Rows:
    """Make the rows of a case, in random order."""
    random = np.random.default_rng(case.seed)
    if case.n_clusters == 1:
        return NULLS[case.family](random, case.n_samples, case.n_features)
    rows = FAMILIES[case.family](random, case)
    return random.permutation(rows)


# ---------------------------------------------------------------- means and sizes


def _means(random: np.random.Generator, k: int, d: int, apart: float) -> Rows:
    """Means at least `apart` from each other, in a box that is as small as chance allows."""
    side = apart * max(1.0, 0.6 * k ** (1 / d))
    means = np.empty((0, d))
    while len(means) < k:
        for _ in range(200):
            mean = random.random((1, d)) * side
            if (np.linalg.norm(means - mean, axis=1) >= apart).all():
                means = np.vstack([means, mean])
                break
        else:
            side *= 1.1
            means = means * 1.1
    if d >= 16:  # in many columns a box holds its points far apart: bring them to the distance
        squared = ((means[:, None] - means) ** 2).sum(-1)
        means = means * apart / np.sqrt(squared[~np.eye(k, dtype=bool)].min())
    return means


def _even(case: Case) -> NDArray[np.int64]:
    sizes = np.full(case.n_clusters, case.n_samples // case.n_clusters)
    sizes[: case.n_samples - sizes.sum()] += 1
    return sizes


def _spherical(apart: float) -> Callable[[np.random.Generator, Case], Rows]:
    def draw(random: np.random.Generator, case: Case) -> Rows:
        means = _means(random, case.n_clusters, case.n_features, apart)
        centers = np.repeat(means, _even(case), axis=0)
        return centers + random.standard_normal(centers.shape)

    return draw


# ---------------------------------------------------------------- families


def _imbalance(random: np.random.Generator, case: Case) -> Rows:
    """The largest cluster has twelve times the rows of the smallest."""
    shares = np.geomspace(12, 1, case.n_clusters)
    sizes = np.maximum(1, np.round(shares / shares.sum() * case.n_samples)).astype(int)
    centers = np.repeat(_means(random, case.n_clusters, case.n_features, 6.0), sizes, axis=0)
    return centers + random.standard_normal(centers.shape)


def _spread(random: np.random.Generator, case: Case) -> Rows:
    """Standard deviations from 0.5 to 2."""
    means = _means(random, case.n_clusters, case.n_features, 10.0)
    spread = random.permutation(np.geomspace(0.5, 2, case.n_clusters))
    sizes = _even(case)
    noise = random.standard_normal((sizes.sum(), case.n_features))
    return np.repeat(means, sizes, axis=0) + noise * np.repeat(spread, sizes)[:, None]


def _anisotropic(random: np.random.Generator, case: Case) -> Rows:
    """Every cluster has its own directions; variances along them from 1/3 to 3."""
    d = case.n_features
    means = _means(random, case.n_clusters, d, 7.0)
    parts = []
    for mean, size in zip(means, _even(case), strict=True):
        rotation, _ = np.linalg.qr(random.standard_normal((d, d)))
        scale = np.geomspace(3, 1 / 3, d) ** 0.5
        parts.append(mean + random.standard_normal((size, d)) * scale @ rotation)
    return np.vstack(parts)


def _noise(random: np.random.Generator, case: Case) -> Rows:
    """15 % of the rows lie anywhere."""
    n_noise = int(0.15 * case.n_samples)
    rows = _spherical(8.0)(random, case)[random.permutation(case.n_samples)[n_noise:]]
    low, high = rows.min(axis=0), rows.max(axis=0)
    return np.vstack([rows, random.uniform(low, high, (n_noise, case.n_features))])


def _uniform_shaped(random: np.random.Generator, case: Case) -> Rows:
    """Cubes with sides of sqrt(12), of standard deviation 1."""
    centers = np.repeat(_means(random, case.n_clusters, case.n_features, 6.5), _even(case), axis=0)
    return centers + random.uniform(-(3**0.5), 3**0.5, centers.shape)


def _heavy_tails(random: np.random.Generator, case: Case) -> Rows:
    """Student's t with four degrees of freedom in every column."""
    centers = np.repeat(_means(random, case.n_clusters, case.n_features, 8.0), _even(case), axis=0)
    return centers + random.standard_t(4, centers.shape)


def _irrelevant(random: np.random.Generator, case: Case) -> Rows:
    """As many columns again that say nothing, with twice the clusters' standard deviation."""
    rows = _spherical(8.0)(random, case)
    return np.hstack([rows, 2 * random.standard_normal(rows.shape)])


FAMILIES: dict[str, Callable[[np.random.Generator, Case], Rows]] = {
    "separation 8": _spherical(8.0),
    "separation 5": _spherical(5.0),
    "separation 3.5": _spherical(3.5),
    "imbalance 12:1": _imbalance,
    "spread 1:4": _spread,
    "anisotropic": _anisotropic,
    "15 % noise": _noise,
    "uniform-shaped": _uniform_shaped,
    "heavy tails": _heavy_tails,
    "irrelevant columns": _irrelevant,
    "64 columns": _spherical(7.0),
    "many clusters": _spherical(6.0),
}


# ---------------------------------------------------------------- no clusters


def _gaussian(random: np.random.Generator, n: int, d: int) -> Rows:
    return random.standard_normal((n, d))


def _uniform(random: np.random.Generator, n: int, d: int) -> Rows:
    return random.random((n, d))


def _anisotropic_cloud(random: np.random.Generator, n: int, d: int) -> Rows:
    rotation, _ = np.linalg.qr(random.standard_normal((d, d)))
    return random.standard_normal((n, d)) * np.geomspace(3, 1, d) @ rotation


def _skewed(random: np.random.Generator, n: int, d: int) -> Rows:
    return random.exponential(size=(n, d))


def _heavy_cloud(random: np.random.Generator, n: int, d: int) -> Rows:
    return random.standard_normal((n, d)) * np.sqrt(4 / random.chisquare(4, (n, 1)))


NULLS: dict[str, Callable[[np.random.Generator, int, int], Rows]] = {
    "one Gaussian": _gaussian,
    "one uniform cube": _uniform,
    "one anisotropic cloud": _anisotropic_cloud,
    "one skewed cloud": _skewed,
    "one heavy-tailed cloud": _heavy_cloud,
}
