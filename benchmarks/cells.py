"""The cells: what is measured, as data. Nothing here computes anything."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cell:
    """One data set and one number of clusters.

    ``start_seed`` picks the K random rows the step starts from. It is 0 unless Lloyd's algorithm
    settles from there in fewer than the step's 25 iterations, which would time nothing.
    """

    n_samples: int
    n_features: int
    n_clusters: int
    dtype: str  # "f4" or "f8"
    shape: str = "gaussian"
    start_seed: int = 0

    @property
    def key(self) -> str:
        """Name for files, results and the command line, as in ``1Mx16-k20-f8``."""
        size = f"{short(self.n_samples)}x{self.n_features}-k{self.n_clusters}-{self.dtype}"
        return size if self.shape == "gaussian" else f"{self.shape}-{size}"


def short(number: int) -> str:
    """1000000 → ``1M``, 37500 → ``37500``."""
    for unit, suffix in ((10**6, "M"), (10**3, "k")):
        if number % unit == 0:
            return f"{number // unit}{suffix}"
    return str(number)


# Step: this many Lloyd iterations from the same K rows, tol=0.
STEP_ITERATIONS = 25
# Fit: scikit-learn's defaults.
FIT_TOL = 1e-4
FIT_MAX_ITER = 300

CELLS = (
    Cell(1_000, 4, 3, "f8", start_seed=7),
    Cell(37_500, 5, 5, "f8", start_seed=1),
    Cell(37_500, 5, 10, "f8", start_seed=7),
    Cell(1_000_000, 2, 50, "f8"),
    Cell(500_000, 3, 256, "f4"),
    Cell(1_000_000, 16, 20, "f8"),
    Cell(500_000, 32, 100, "f4"),
    Cell(60_000, 784, 10, "f4"),
    Cell(100_000, 384, 256, "f4"),
    Cell(100_000, 128, 1024, "f4"),
    Cell(300_000, 8, 1000, "f8"),
    Cell(10_000_000, 8, 8, "f4"),
)

# Other shapes of data, so that nothing is tuned to Gaussian blobs alone.
OTHER_SHAPES = (
    Cell(200_000, 16, 50, "f4", "heavytails"),
    Cell(100_000, 256, 256, "f4", "spectrum"),
    Cell(1_000_000, 1, 10, "f8", "gaussian"),
    Cell(500_000, 8, 100, "f4", "uniform"),
)

# Growth: one size moves, the two others stay at these values. With two clusters no start lasts
# 25 iterations; the plots show seconds per iteration, so that does no harm.
GROWTH_BASE = Cell(100_000, 16, 50, "f4")
GROWTH = {
    "n_samples": (
        replace(GROWTH_BASE, n_samples=1_000, start_seed=10),
        *(replace(GROWTH_BASE, n_samples=10**power) for power in range(4, 8)),
    ),
    "n_clusters": tuple(
        replace(GROWTH_BASE, n_clusters=k) for k in (2, 10, 50, 100, 1_000, 10_000)
    ),
    "n_features": tuple(replace(GROWTH_BASE, n_features=d) for d in (1, 4, 16, 64, 256, 1_024)),
}

# Small: many repeats in one process, because a process start costs ten thousand such fits.
SMALL = (Cell(150, 4, 3, "f8"),)

# Memory in bytes a row means something only where the rows outweigh everything else.
MEMORY = tuple(cell for cell in CELLS if cell.n_samples >= 50_000)


# The smoke test: every adapter, task and shape of data once. Its times mean nothing.
QUICK = {
    "cells": (Cell(1_000, 4, 3, "f8", start_seed=7), Cell(5_000, 128, 16, "f4")),
    "shapes": tuple(
        Cell(2_000, 8, 8, "f4", shape) for shape in ("heavytails", "spectrum", "uniform")
    ),
    "small": SMALL,
    "memory": (Cell(20_000, 16, 8, "f4"),),
    "growth": GROWTH["n_samples"][:2],
}
