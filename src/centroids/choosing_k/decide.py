"""From evidence to a ranking: criteria vote, isolated clusters weigh, margins become words.

The rule was found on data with known answers (benchmarks/choose_k.py, repetitions for tuning) and
is judged on others; docs/choosing-k.md shows both. Every part of it is free of scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from centroids.choosing_k.criteria import CURVE_CRITERIA, PARTITION_CRITERIA, best_n_clusters
from centroids.choosing_k.valleys import Valley, is_surely_deep

__all__ = [
    "VOTERS",
    "Ranking",
    "Verdict",
    "isolated_share",
    "merge_rankings",
    "needs_all_rows",
    "prefer_split",
    "rank",
    "second_level",
    "settle",
    "verdict_of",
]

Float64 = NDArray[np.float64]
Verdict = Literal["clear", "likely", "ambiguous", "no clusters"]
Table = dict[str, NDArray[Any]]

# Votes by criterion; jump, BIC and the highest numbers of isolated clusters count as two.
VOTERS = {
    "simplified_silhouette": 1.0,
    "calinski_harabasz": 1.0,
    "davies_bouldin": 1.0,
    "wb_index": 1.0,
    "xie_beni": 1.0,
    "centroid_dunn": 1.0,
    "bic": 2.0,
    "log_inertia_bend": 1.0,
    "jump": 2.0,
    "isolated": 2.0,
    "isolated_held_out": 2.0,
}
# What is only asked where the clusters look like its model, and what its vote counts there: nearly
# half of all votes.
MODEL_VOTER, MODEL_WEIGHT = "spherical_bic", 6.0
# Part of all rows in the share of isolated clusters; those held out are half as many.
IN_SAMPLE = 0.7
# All votes together weigh twice as much as the share of isolated clusters.
VOTES_WEIGHT = 2.0

# When a valley inside one cluster decides between two close numbers.
SPLIT_MARGIN, SPLIT_RATIO, SPLIT_P = 0.75, 0.5, 0.05

# What these prefer explains the variance best, whatever the valleys say.
VARIANCE_CRITERIA = ("calinski_harabasz", "wb_index", "bic", "jump")

# Margins over the runner-up, calibrated on the tuning repetitions.
CLEAR_MARGIN = 1.0
LIKELY_MARGIN = 0.5


@dataclass(frozen=True, eq=False)
class Ranking:
    """Numbers of clusters, scored.

    Attributes
    ----------
    scores : ndarray of shape (k_max,)
        Score of 1, 2, … clusters, 0 where nothing speaks for it.
    votes : ndarray of shape (k_max,)
        Weight of the criteria that prefer each number.
    preferred : dict of str to int or None
        What each criterion prefers; None: nothing, or its model does not hold.
    is_settled : bool
        Whether the valley that the best number hangs on was looked at on all rows.
    """

    scores: Float64
    votes: Float64
    preferred: dict[str, int | None]
    is_settled: bool = False

    @property
    def best(self) -> int:
        """The number of clusters with the highest score, the smallest on ties, at least 2."""
        return int(np.argmax(self.scores[1:])) + 2 if len(self.scores) > 1 else 1

    @property
    def runner_up(self) -> int | None:
        """The next best number of clusters from 2; None where nothing speaks for another."""
        others = self.scores.copy()
        others[[0, self.best - 1]] = 0.0
        return int(np.argmax(others)) + 1 if others.any() else None

    @property
    def margin(self) -> float:
        """Score of the best over the score of the runner-up."""
        second = 0.0 if self.runner_up is None else float(self.scores[self.runner_up - 1])
        return float(self.scores[self.best - 1]) - second


def rank(
    table: Table, up_to: int, does_model_hold: Callable[[int], bool] = lambda _: False
) -> Ranking:
    """Let every criterion vote, within 1 … `up_to`, and score what was voted for.

    score(k) = isolated(k) / k, 0.7 in-sample + 0.3 held-out, + 2 votes(k) / all votes.

    Parameters
    ----------
    table : dict of str to ndarray
    up_to : int
    does_model_hold : callable
        Whether the clusters at some number of them look like the model of `MODEL_VOTER`. It votes
        where they do at the number that it prefers and at the one that the others do: groups of
        another shape, cut into pieces, look like spheres at the first alone.
    """
    ks = table["n_clusters"]
    asked = slice(0, up_to)
    votes = np.zeros(len(ks))
    preferred = {name: _preferred(name, table, asked) for name in VOTERS}
    for name, weight in VOTERS.items():
        if (k := preferred[name]) is not None:
            votes[k - 1] += weight
    ranking = Ranking(_scores(table, votes, sum(VOTERS.values())), votes, preferred)
    k = _preferred(MODEL_VOTER, table, asked)
    if k is None or k < 2 or not all(map(does_model_hold, {k, ranking.best})):
        return replace(ranking, preferred=preferred | {MODEL_VOTER: None})
    votes[k - 1] += MODEL_WEIGHT
    scores = _scores(table, votes, sum(VOTERS.values()) + MODEL_WEIGHT)
    return Ranking(scores, votes, preferred | {MODEL_VOTER: k})


def _scores(table: Table, votes: Float64, all_votes: float) -> Float64:
    scores = isolated_share(table) + VOTES_WEIGHT * votes / all_votes
    scores[votes == 0] = 0.0
    # One cluster is never isolated: whether there are any is for the gate to say.
    scores[0] = 0.0
    return scores


def isolated_share(table: Table) -> Float64:
    """Share of the clusters that valleys isolate, for every number of clusters."""
    isolated = IN_SAMPLE * table["isolated"] + (1 - IN_SAMPLE) * table["isolated_held_out"]
    share: Float64 = isolated / table["n_clusters"]
    return share


def _preferred(name: str, table: Table, asked: slice) -> int | None:
    ks, values = table["n_clusters"][asked], table[name][asked]
    if name in ("isolated", "isolated_held_out"):
        return int(ks[np.argmax(values)]) if values.any() else None
    criterion = PARTITION_CRITERIA.get(name) or CURVE_CRITERIA[name]
    return best_n_clusters(criterion, values.astype(np.float64), ks)


def prefer_split(ranking: Ranking, split: Valley | None) -> Ranking:
    """Let the runner-up win where the best number leaves two groups in one cluster.

    With a small margin, a larger runner-up and a deep, significant valley in the cluster that one
    more center would split, the votes miss a small group that the counts see.

    Parameters
    ----------
    ranking : Ranking
    split : Valley or None
        Between the two clusters that one more center makes of one.
    """
    best, second = ranking.best, ranking.runner_up
    if split is None or second is None or second < best or ranking.margin >= SPLIT_MARGIN:
        return ranking
    if split.ratio >= SPLIT_RATIO or split.p_value >= SPLIT_P:
        return ranking
    return _exchanged(ranking, best, second)


def _exchanged(ranking: Ranking, one: int, other: int) -> Ranking:
    scores = ranking.scores.copy()
    scores[[one - 1, other - 1]] = scores[[other - 1, one - 1]]
    return replace(ranking, scores=scores)


def needs_all_rows(ranking: Ranking) -> int | None:
    """Return the larger of two neighbouring numbers that the votes leave open, if they do.

    Whether it is right hangs on one valley, that of the two clusters which the smaller joins. Of
    dozens of clusters a sample has too few rows each to see it; all rows together have enough.
    """
    best, second = ranking.best, ranking.runner_up
    if second is None or abs(best - second) != 1 or ranking.margin >= LIKELY_MARGIN:
        return None
    return max(best, second)


def settle(ranking: Ranking, larger: int, valley: Valley | None) -> Ranking:
    """Let the valley, counted on all rows, decide between `larger` and one less.

    Where it is neither surely deep nor flat the ranking stays as it is.
    """
    if valley is None or (valley.is_separated and not is_surely_deep(valley)):
        return ranking
    wanted = larger if valley.is_separated else larger - 1
    if ranking.best != wanted:
        ranking = _exchanged(ranking, larger, larger - 1)
    return replace(ranking, is_settled=True)


def merge_rankings(rankings: list[Ranking]) -> Ranking:
    """Average the scores and votes of rankings of several samples of the same rows."""
    k_max = max(len(r.scores) for r in rankings)
    scores, votes = np.zeros(k_max), np.zeros(k_max)
    for ranking in rankings:
        scores[: len(ranking.scores)] += ranking.scores / len(rankings)
        votes[: len(ranking.votes)] += ranking.votes / len(rankings)
    return Ranking(scores, votes, rankings[0].preferred)


def second_level(preferred: dict[str, int | None], best: int) -> int | None:
    """Return the next number of clusters where every criterion of variance asks for more.

    Valleys separate groups, variance finds parts of them: with iris, two groups of three species.
    The smallest number that one of these criteria prefers is the next level; None where one of them
    is content with `best`.
    """
    asked = [preferred.get(name) for name in VARIANCE_CRITERIA]
    levels = [k for k in asked if k is not None and k > best]
    return min(levels) if len(levels) == len(asked) else None


def verdict_of(ranking: Ranking, do_samples_agree: bool) -> Verdict:
    """Put the margin in a word; with a second level to choose from there is always doubt."""
    if second_level(ranking.preferred, ranking.best) is not None:
        return "ambiguous"
    if ranking.margin >= CLEAR_MARGIN and do_samples_agree:
        return "clear"
    is_likely = ranking.margin >= LIKELY_MARGIN or ranking.is_settled
    return "likely" if is_likely else "ambiguous"
