"""Valleys: how far the density falls between neighbouring clusters.

The rows of two neighbouring clusters are projected on the line between their centers and counted
in windows of a third of its length: around either center, and in three places between them. Where
there are two groups, one of the three has fewer rows than either center, and not always the one
half way: beside a large group the valley lies nearer to the small one. A distribution with one
peak has in none of them fewer rows than around the lower of the two ends. Counted on rows that had
no part in placing the centers, this tells clusters from pieces of one cloud.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from centroids.choosing_k.partition import Partition, Stack, stacked

__all__ = [
    "Pooled",
    "Valley",
    "Valleys",
    "is_surely_deep",
    "list_valleys",
    "pooled",
    "valley_of_pair",
    "valleys_of",
    "valleys_of_each",
]

Float64 = NDArray[np.float64]

# Bins of a profile, bins in a window, and where windows between the centers start: a fourth of the
# way, a third (the one half way), five twelfths.
N_BINS, WINDOW = 16, 4
BETWEEN = slice(5, 8)

# A pair counts as one group when its valley is no deeper than this, or could well be chance.
FLAT_RATIO = 0.8
CHANCE = 0.3
SURE = 0.01


class Valley(NamedTuple):
    """The density between two neighbouring clusters.

    Attributes
    ----------
    first, second : int
        The clusters.
    ratio : float
        Rows between the centers, where they are fewest, over the rows near the weaker of the two
        centers: 0 for an empty gap, 1 or more where nothing separates them.
    n_middle : float
        Rows between the centers, where they are fewest.
    n_peak : float
        Rows near the weaker center.
    p_value : float
        Chance of so few rows between, or fewer, if the density were level.
    is_separated : bool
        Whether the valley is deep enough, and not likely chance.
    """

    first: int
    second: int
    ratio: float
    n_middle: float
    n_peak: float
    p_value: float
    is_separated: bool


@dataclass(frozen=True, eq=False)
class Valleys:
    """Counts along the lines between all neighbouring clusters of a partition.

    Attributes
    ----------
    n_clusters : int
    pairs : ndarray of shape (n_pairs, 2)
    middle : ndarray of shape (n_pairs,)
        Rows between the centers, where they are fewest.
    peak : ndarray of shape (n_pairs,)
        Rows near the weaker of the two centers.
    ratios : ndarray of shape (n_pairs,)
        Rows between over rows near the weaker center; infinite where that has none.
    p_values : ndarray of shape (n_pairs,)
        P(B <= middle) for a binomial B of middle + peak draws, each between or at the peak.
    are_separated : ndarray of shape (n_pairs,)
        Whether the valley is deep enough, and not likely chance.
    are_isolated : ndarray of shape (n_clusters,)
        Whether a valley separates the cluster from every neighbour; not without any.
    n_isolated : int
        Number of isolated clusters.
    """

    n_clusters: int
    pairs: NDArray[np.int32]
    middle: Float64
    peak: Float64
    ratios: Float64
    p_values: Float64
    are_separated: NDArray[np.bool_]
    are_isolated: NDArray[np.bool_]
    n_isolated: int


class Pooled(NamedTuple):
    """All valleys of some partitions taken together.

    Attributes
    ----------
    ratio : float
        Rows between over rows near the weaker center; infinite without any.
    p_value : float
        Chance of so few rows between, if the density were level.
    """

    ratio: float
    p_value: float


def pooled(*parts: Valleys) -> Pooled:
    """Pool the counts of all pairs."""
    middle = float(np.concatenate([valleys.middle for valleys in parts]).sum())
    peak = float(np.concatenate([valleys.peak for valleys in parts]).sum())
    return Pooled(middle / peak if peak > 0 else np.inf, float(binomial_tail(middle, peak)))


def valleys_of(partition: Partition, rows_per_weight: float = 1.0) -> Valleys:
    """Take the counts from a measured partition.

    Parameters
    ----------
    partition : Partition
    rows_per_weight : float, default=1.0
        What turns weights into numbers of rows, for what is likely chance.

    Returns
    -------
    Valleys
    """
    return valleys_of_each(stacked([partition]), rows_per_weight)[0]


def valleys_of_each(stack: Stack, rows_per_weight: float = 1.0) -> list[Valleys]:
    """Do `valleys_of` for many partitions at once: most have few pairs."""
    profiles = stack.profiles * rows_per_weight
    cumulated = np.zeros((len(profiles), N_BINS + 1))
    np.cumsum(profiles, axis=1, out=cumulated[:, 1:])
    # Rows in each window of a third of the line: [-1/6, 1/6], …, [5/6, 7/6].
    windows = cumulated[:, WINDOW:] - cumulated[:, :-WINDOW]
    middle = windows[:, BETWEEN].min(axis=1)
    peak = np.minimum(windows[:, 0], windows[:, -1])
    ratios = np.divide(middle, peak, out=np.full(len(peak), np.inf), where=peak > 0)
    p_values = binomial_tail(middle, peak)
    are_separated = (ratios <= FLAT_RATIO) & (p_values <= CHANCE)
    are_isolated = _are_isolated(stack, are_separated)
    n_isolated = np.add.reduceat(are_isolated, stack.firsts, dtype=np.int64).tolist()
    listed, pair, cluster = [], 0, 0
    for k, n_pairs, n in zip(stack.n_clusters, stack.n_pairs, n_isolated, strict=True):
        of_pairs = slice(pair, pair := pair + n_pairs)
        listed.append(
            Valleys(
                int(k),
                stack.pairs[of_pairs],
                middle[of_pairs],
                peak[of_pairs],
                ratios[of_pairs],
                p_values[of_pairs],
                are_separated[of_pairs],
                are_isolated[cluster : (cluster := cluster + k)],
                n,
            )
        )
    return listed


def _are_isolated(stack: Stack, are_separated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell the clusters of all partitions, one after the other, that no pair ties to another."""
    isolated: NDArray[np.bool_] = stack.for_clusters(stack.n_pairs > 0)
    pairs = stack.pairs + np.repeat(stack.firsts, stack.n_pairs)[:, None]
    isolated[pairs[~are_separated]] = False
    return isolated


def binomial_tail(middle: Float64 | float, peak: Float64 | float, level: float = 1.0) -> Float64:
    """P(B <= middle) of middle + peak draws that fall `level` : 1 between and at the peak.

    Continuous in both counts (incomplete beta function).
    """
    at_peak = 1 / (1 + level)
    return np.asarray(betainc(np.maximum(peak, 1e-300), np.asarray(middle) + 1.0, at_peak))


def is_surely_deep(valley: Valley) -> bool:
    """Whether chance alone would hardly make a valley of `FLAT_RATIO` look as deep as this."""
    return float(binomial_tail(valley.n_middle, valley.n_peak, FLAT_RATIO)) < SURE


def list_valleys(valleys: Valleys) -> list[Valley]:
    """List the pairs, the least separated first.

    Parameters
    ----------
    valleys : Valleys

    Returns
    -------
    list of Valley
    """
    order = np.lexsort((valleys.p_values, valleys.ratios))[::-1]
    return [valley_of_pair(valleys, int(p)) for p in order]


def valley_of_pair(valleys: Valleys, pair: int) -> Valley:
    """Pick out one pair by its place."""
    return Valley(
        int(valleys.pairs[pair, 0]),
        int(valleys.pairs[pair, 1]),
        float(valleys.ratios[pair]),
        float(valleys.middle[pair]),
        float(valleys.peak[pair]),
        float(valleys.p_values[pair]),
        bool(valleys.are_separated[pair]),
    )
