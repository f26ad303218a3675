"""The gate for one cluster: valleys must be deeper than those of data without clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids import _core
from centroids.choosing_k.clouds import gaussian_cloud, uniform_box
from centroids.choosing_k.partition import measure
from centroids.choosing_k.sweep import MAX_ITER, RELATIVE_TOL
from centroids.choosing_k.valleys import Valleys, pooled, valleys_of
from centroids.estimators.runs import Start, run_plain

__all__ = ["Gate", "look_for_structure"]

Float64 = NDArray[np.float64]

# Clouds cut into 2, 3 or 8 had pooled ratios from 0.66 up (tuning repetitions).
DEEP_RATIO = 0.5
DEEP_P, SIGNIFICANT = 0.01, 0.01
# Pieces of one cloud that look like equal spheres had ratios from 0.87 up (tuning repetitions).
SPHERES_P = 0.1
N_NULLS = 8
# Clearly below what clouds of the same shape give: by three standard deviations and a fifth, or by
# two fifths, where few rows make clouds scatter.
N_DEVIATIONS, BELOW_NULL, FAR_BELOW_NULL = 3.0, 0.8, 0.6


@dataclass(frozen=True)
class Gate:
    """Whether there are clusters at all.

    Attributes
    ----------
    has_clusters : bool
    ratio : float
        Held-out rows between neighbouring centers over rows near the weaker center, over
        all pairs.
    p_value : float
        Chance of so few rows between, if the density were level.
    null_ratio : float or None
        Mean ratio of clouds without clusters; None where they were not needed.
    """

    has_clusters: bool
    ratio: float
    p_value: float
    null_ratio: float | None


def look_for_structure(
    X: NDArray[Any], held: list[Valleys], are_spheres: bool, seed: int, n_threads: int
) -> Gate:
    """Compare pooled held-out valleys with level density and, if in doubt, with clouds.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, for clouds of the same shape.
    held : list of Valleys
        Of the rows held out, at the number of clusters in question.
    are_spheres : bool
        Whether the clusters look like equal spherical Gaussians, and likelihood asks for just so
        many. A shallow valley will do then: few clouds come apart into spheres.
    seed : int
    n_threads : int
    """
    ratio, p_value = pooled(*held)
    is_deep = ratio < DEEP_RATIO and p_value < DEEP_P
    is_enough = are_spheres and ratio < BELOW_NULL and p_value < SPHERES_P
    if is_deep or is_enough:
        return Gate(True, ratio, p_value, None)
    if p_value >= SIGNIFICANT or ratio >= BELOW_NULL:
        return Gate(False, ratio, p_value, None)
    random = np.random.default_rng([seed, 2])
    by_kind = [
        np.array(
            [_null_ratio(draw, X, held[0].n_clusters, random, n_threads) for _ in range(N_NULLS)]
        )
        for draw in (gaussian_cloud, uniform_box)
    ]
    lowest_mean = min(float(ratios.mean()) for ratios in by_kind)
    is_below = all(ratio < r.mean() - N_DEVIATIONS * r.std(ddof=1) for r in by_kind)
    has_clusters = ratio < FAR_BELOW_NULL * lowest_mean or (
        is_below and ratio < BELOW_NULL * lowest_mean
    )
    return Gate(has_clusters, ratio, p_value, lowest_mean)


def _null_ratio(
    draw: Callable[..., Float64],
    X: NDArray[Any],
    k: int,
    random: np.random.Generator,
    n_threads: int,
) -> float:
    """Pooled held-out ratio of a cloud, cut by one fit from k-means++."""
    cloud = draw(X, random)
    half = (len(cloud) + 1) // 2
    problem = _core.Problem(cloud[:half], None, n_threads)
    tol = RELATIVE_TOL * problem.mean_variance
    start = Start(seed=int(random.integers(2**32)))
    run = run_plain(problem, k, start, max_iter=MAX_ITER, tol=tol)
    held = measure(cloud[half:], run["centers"], None, n_threads)
    return min(pooled(valleys_of(held)).ratio, 10.0)
