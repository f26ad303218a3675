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
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from centroids.choosing_k.partition import Partition

__all__ = ["Valley", "Valleys", "list_valleys", "valleys_of"]

Float64 = NDArray[np.float64]

# Bins of a profile, bins in a window, and where windows between the centers start: a fourth of the
# way, a third (the one half way), five twelfths.
N_BINS, WINDOW = 16, 4
BETWEEN = slice(5, 8)

# A pair counts as one group when its valley is no deeper than this, or could well be chance.
FLAT_RATIO = 0.8
CHANCE = 0.3


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
    """

    n_clusters: int
    pairs: NDArray[np.int32]
    middle: Float64
    peak: Float64

    @cached_property
    def ratios(self) -> Float64:
        """Rows between over rows near the weaker center; infinite where that has none."""
        ratios: Float64 = np.divide(
            self.middle, self.peak, out=np.full(len(self.peak), np.inf), where=self.peak > 0
        )
        return ratios

    @cached_property
    def p_values(self) -> Float64:
        """P(B <= middle) for a binomial B of middle + peak draws, each between or at the peak."""
        return binomial_tail(self.middle, self.peak)

    @cached_property
    def are_separated(self) -> NDArray[np.bool_]:
        """Per pair: whether its valley is deep enough, and not likely chance."""
        return (self.ratios <= FLAT_RATIO) & (self.p_values <= CHANCE)

    @cached_property
    def are_isolated(self) -> NDArray[np.bool_]:
        """Per cluster: whether a valley separates it from every neighbour."""
        isolated = np.ones(self.n_clusters, dtype=bool)
        isolated[self.pairs[~self.are_separated].ravel()] = False
        return isolated if len(self.pairs) else np.zeros(self.n_clusters, dtype=bool)

    def joined(self, other: Valleys) -> Valleys:
        """Put the pairs of another partition beside these, for pooled counts."""
        return Valleys(
            self.n_clusters,
            np.vstack([self.pairs, other.pairs]),
            np.concatenate([self.middle, other.middle]),
            np.concatenate([self.peak, other.peak]),
        )

    @property
    def n_isolated(self) -> int:
        """Number of clusters that a valley separates from every neighbour."""
        return int(np.count_nonzero(self.are_isolated))

    @property
    def pooled_ratio(self) -> float:
        """Rows between over rows near the weaker center, over all pairs; infinite without any."""
        peak = float(self.peak.sum())
        return float(self.middle.sum()) / peak if peak > 0 else np.inf

    @property
    def pooled_p_value(self) -> float:
        """Chance of so few rows between, over all pairs, if the density were level."""
        return float(binomial_tail(self.middle.sum(), self.peak.sum()))


def valleys_of(partition: Partition, rows_per_weight: float = 1.0) -> Valleys:
    """Take the counts from a measured partition.

    Parameters
    ----------
    partition : Partition
    rows_per_weight : float, default=1.0
        What turns weights into numbers of rows, for what is likely chance.
    """
    cumulated = np.zeros((len(partition.profiles), N_BINS + 1))
    np.cumsum(partition.profiles * rows_per_weight, axis=1, out=cumulated[:, 1:])
    # Rows in each window of a third of the line: [-1/6, 1/6], …, [5/6, 7/6].
    windows = cumulated[:, WINDOW:] - cumulated[:, :-WINDOW]
    return Valleys(
        partition.n_clusters,
        partition.pairs,
        windows[:, BETWEEN].min(axis=1),
        np.minimum(windows[:, 0], windows[:, -1]),
    )


def binomial_tail(middle: Float64 | float, peak: Float64 | float) -> Float64:
    """P(B <= middle) for B ~ Binomial(middle + peak, 1/2), continuous in both (incomplete beta)."""
    return np.asarray(betainc(np.maximum(peak, 1e-300), np.asarray(middle) + 1.0, 0.5))


def list_valleys(valleys: Valleys) -> list[Valley]:
    """List the pairs, the least separated first."""
    order = np.lexsort((valleys.p_values, valleys.ratios))[::-1]
    return [
        Valley(
            int(valleys.pairs[p, 0]),
            int(valleys.pairs[p, 1]),
            float(valleys.ratios[p]),
            float(valleys.middle[p]),
            float(valleys.peak[p]),
            float(valleys.p_values[p]),
            bool(valleys.are_separated[p]),
        )
        for p in order
    ]
