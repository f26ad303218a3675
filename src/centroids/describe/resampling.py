"""`stability`: which clusters come back when the rows are drawn again.

After C. Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics & Data
Analysis 52, 2007: each resample is clustered anew, every cluster is compared with the most similar
one found there (Jaccard: rows in both over rows in either), and the mean over the resamples is its
stability. Section 3 has the thresholds: from 0.75 a cluster is valid and stable, from 0.6 it
indicates a pattern, but which rows belong to it is doubtful; below, it is not to be trusted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from centroids.describe.words import title_of
from centroids.estimators import parameters as rule
from centroids.estimators.bisecting import BisectingKMeans
from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.parts import take_apart
from centroids.estimators.quotas import quotas
from centroids.estimators.spread import rows_by_cluster
from centroids.rows.arrays import check_sample_weight

__all__ = ["Stability", "stability"]

STABLE, DOUBTFUL = 0.75, 0.6
Method = Literal["bootstrap", "half"]
_RULES = {
    "n_resamples": rule.integer_from(1),
    "method": rule.one_of("bootstrap", "half"),
    "max_samples": rule.either(rule.NONE, rule.integer_from(1)),
    "random_state": rule.integer_from(0),
}
SMALL_KEPT = (
    " Small clusters got more than their share of the rows drawn, which then counted for less, so "
    "that every cluster is seen."
)


@dataclass(frozen=True, eq=False)
class Stability:
    """How often each cluster comes back when the rows are drawn again (`stability`).

    Attributes
    ----------
    jaccard : ndarray of shape (n_clusters,)
        Mean similarity of each cluster to the most similar one of each resample: 1 where the same
        rows come together every time, NaN for a cluster without rows.
    words : tuple of {"stable", "doubtful", "dissolves"}
        From 0.75 stable, from 0.6 doubtful, below that the cluster dissolves (Hennig 2007); empty
        for a cluster without rows.
    overall : float
        Mean of `jaccard`, by the weight of the clusters.
    word : {"stable", "doubtful", "dissolves"}
        `overall` in words.
    n_resamples : int
        How often the rows were drawn.
    method : {"bootstrap", "half"}
        How they were drawn.
    n_samples, n_drawn : int
        Rows given, and rows drawn each time.
    keeps_small : bool
        Whether rows of small clusters were drawn more often than others, and counted less each, so
        that a part of the rows shows every cluster.
    names : tuple of str or None
        Names of the clusters, where they have some.
    """

    jaccard: NDArray[np.float64]
    words: tuple[str, ...]
    overall: float
    word: str
    n_resamples: int
    method: Method
    n_samples: int
    n_drawn: int
    keeps_small: bool
    names: tuple[str | None, ...] = field(repr=False)

    def summary(self) -> str:
        """Say in plain sentences which clusters are stable.

        Returns
        -------
        str
        """
        how = "with replacement" if self.method == "bootstrap" else "without replacement"
        lines = [
            f"Overall {self.word} ({self.overall:.2f}): {self.n_resamples} times, "
            f"{self.n_drawn:,} of {self.n_samples:,} rows were drawn {how} and clustered again."
            + (SMALL_KEPT if self.keeps_small else ""),
            "1: a cluster came back with the same rows each time; from 0.75 it is stable, from 0.6 "
            "doubtful, below that it dissolves.",
        ]
        for word in ("stable", "doubtful", "dissolves", ""):
            own = [
                f"{title_of(j, self.names[j])[1:]} ({self.jaccard[j]:.2f})"
                for j in range(len(self.words))
                if self.words[j] == word
            ]
            if own:
                head = {"": "No rows", "dissolves": "Dissolving"}.get(word, word.capitalize())
                lines.append(f"{head}: {', '.join('c' + title for title in own)}.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data, for JSON.

        Returns
        -------
        dict
            Per cluster its similarity (None without rows) and its word, the overall ones, and how
            the rows were drawn.
        """
        return {
            "overall": self.overall,
            "word": self.word,
            "clusters": [
                {"cluster": j, "jaccard": None if np.isnan(value) else value, "word": word}
                for j, (value, word) in enumerate(
                    zip(self.jaccard.tolist(), self.words, strict=True)
                )
            ],
            "n_resamples": self.n_resamples,
            "method": self.method,
            "n_samples": self.n_samples,
            "n_drawn": self.n_drawn,
            "keeps_small": self.keeps_small,
        }


def stability(
    model: Any,
    X: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_resamples: int = 20,
    method: Method = "bootstrap",
    max_samples: int | None = 100_000,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Stability:
    """Measure which clusters come back when the rows are drawn again.

    Each resample is clustered from the model's centers and from a fresh start, and the partition
    with the lower inertia is compared with the model. Warm starts alone would flatter a model: they
    hardly leave the optimum they start in, even where the rows have many others as good (four
    clusters cut out of one Gaussian cloud in five dimensions: 0.86 by warm starts, 0.41 with fresh
    ones). Fresh starts alone would blame the clusters for starts that failed. Scaling and the
    filling of gaps stay those of the model.

    A stable cluster is not thereby a real one: a model with too few clusters is often stable.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        Fitted, as in `profile`.
    X : array-like of shape (n_samples, n_features)
        The rows of the fit, in their own units.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row. Rows are drawn whatever their weight, and keep it.
    n_resamples : int, default=20
        How often to draw.
    method : {"bootstrap", "half"}, default="bootstrap"
        Draw as many rows as there are with replacement, or half of them without.
    max_samples : int or None, default=100_000
        Most rows to draw each time; None: no limit. Fewer rows make a harder test. Below the limit
        small clusters keep at least a ``2 n_clusters``-th part of the rows drawn, or all of their
        rows, with weights that make up for it.
    random_state : int, default=0
        Seed of the draws and of the fresh starts.
    n_jobs : int or None, default=None
        Threads of each fit, as in `KMeans`.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If an argument is out of range, or X has fewer rows than the model has clusters.

    See Also
    --------
    profile : says what the clusters are.
    choose_k : says how many there are.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from centroids import KMeans, stability
    >>> X = load_iris().data
    >>> stability(KMeans(2, random_state=0).fit(X), X).words
    ('stable', 'stable')
    """
    given = {
        "n_resamples": n_resamples,
        "method": method,
        "max_samples": max_samples,
        "random_state": random_state,
    }
    rule.check_arguments("stability", given, _RULES)
    parts = take_apart(model)
    rows = parts.check_rows(X)
    weights = check_sample_weight(sample_weight, len(rows))
    labels = parts.nearest(rows).labels
    n_clusters = len(parts.clusterer.cluster_centers_)
    n_wanted = len(rows) if method == "bootstrap" else -(-len(rows) // 2)
    n_drawn = n_wanted if max_samples is None else min(n_wanted, max_samples)
    if n_drawn < 2 * n_clusters:
        raise ValueError(
            f"X has {len(rows)} rows, of which {n_drawn} are drawn each time: too few for "
            f"{n_clusters} clusters. At least {2 * n_clusters} are needed."
        )
    random = np.random.default_rng(random_state)
    strata = _strata(labels, weights, n_clusters if n_drawn < n_wanted else 1)
    found = np.full((n_resamples, n_clusters), np.nan)
    for i in range(n_resamples):
        drawn, times, stand_for = _draw(strata, n_drawn, method, random)
        own = stand_for if weights is None else stand_for * weights[drawn]
        seed = int(random.integers(2**32))
        new = _cluster_again(parts.clusterer, parts.scaled(rows[drawn]), times * own, seed, n_jobs)
        found[i] = _best_jaccard(labels[drawn], new, own, n_clusters)
    shares = np.bincount(labels, weights=weights, minlength=n_clusters).astype(np.float64)
    drawing = Drawing(method, len(rows), n_drawn, len(strata) > 1)
    return _result(found, shares, drawing, parts.clusterer)


class Drawing(NamedTuple):
    """How rows are drawn; see `Stability`."""

    method: Method
    n_samples: int
    n_drawn: int
    keeps_small: bool


def _result(
    found: NDArray[np.float64],
    shares: NDArray[np.float64],
    drawing: Drawing,
    clusterer: NearestCenterModel,
) -> Stability:
    is_found = ~np.isnan(found)
    n_found = is_found.sum(axis=0)
    sums = np.where(is_found, found, 0.0).sum(axis=0)
    jaccard = np.divide(sums, n_found, out=np.full(len(sums), np.nan), where=n_found > 0)
    known = n_found > 0
    overall = float(np.average(jaccard[known], weights=shares[known]))
    names = dict(getattr(clusterer, "cluster_names_", {}))
    return Stability(
        jaccard=jaccard,
        words=tuple(map(_word, jaccard.tolist())),
        overall=overall,
        word=_word(overall),
        n_resamples=len(found),
        **drawing._asdict(),
        names=tuple(names.get(j) for j in range(len(jaccard))),
    )


def _word(jaccard: float) -> str:
    if np.isnan(jaccard):
        return ""
    return "stable" if jaccard >= STABLE else "doubtful" if jaccard >= DOUBTFUL else "dissolves"


def _strata(
    labels: NDArray[np.int32], weights: NDArray[np.float64] | None, n_strata: int
) -> list[NDArray[np.int64]]:
    """Return the rows with weight: all together, or by cluster."""
    eligible = np.arange(len(labels)) if weights is None else np.flatnonzero(weights)
    if n_strata == 1:
        return [eligible]
    return [eligible[own] for own in rows_by_cluster(labels[eligible], n_strata)]


def _draw(
    strata: list[NDArray[np.int64]], n_drawn: int, method: Method, random: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw rows; return each once, ascending, with how often it was drawn and what it stands for.

    From one stratum as many as are wanted; from several so many of each that small ones show. A row
    then stands for the rows of its stratum over those drawn from it, relative to one that stands
    for itself.
    """
    counts = np.array([len(own) for own in strata])
    n_each = quotas(counts, n_drawn) if len(strata) > 1 else np.array([n_drawn])
    parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    for own, n in zip(strata, n_each.tolist(), strict=True):
        if method == "half":
            drawn = random.choice(own, min(n, len(own)), replace=False)
            times = np.ones(len(drawn), dtype=np.int64)
        else:
            drawn, times = np.unique(random.choice(own, n) if n else own[:0], return_counts=True)
        stands_for = len(own) / n if len(strata) > 1 and n else 1.0
        parts.append((drawn, times.astype(np.float64), np.full(len(drawn), stands_for)))
    rows, times, stand_for = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(rows, kind="stable")
    return rows[order], times[order], stand_for[order]


def _cluster_again(
    model: NearestCenterModel,
    rows: NDArray[Any],
    weights: NDArray[np.float64],
    seed: int,
    n_jobs: int | None,
) -> NDArray[np.int32]:
    """Cluster rows as the model does; return the labels of the best of all starts."""
    centers = model.cluster_centers_
    fresh: Any = clone(model).set_params(
        n_clusters=len(centers), random_state=seed, n_jobs=n_jobs, verbose=0, n_init=1
    )
    for name in ("callback", "max_time"):
        if name in fresh.get_params(deep=False):
            fresh.set_params(**{name: None})
    if not isinstance(fresh.init, str):
        fresh.set_params(init="k-means++")
    fits = [fresh]
    if not isinstance(model, BisectingKMeans):  # which has no first centers of all clusters
        fits.append(clone(fresh).set_params(init=centers, n_init=1))
    with warnings.catch_warnings():
        # A resample may have fewer distinct rows than there are clusters: that is an answer, too.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit in fits:
            fit.fit(rows, sample_weight=weights)
    labels: NDArray[np.int32] = min(fits, key=lambda fit: fit.inertia_).labels_
    return labels


def _best_jaccard(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    n_clusters: int,
) -> NDArray[np.float64]:
    """Return for each old cluster its Jaccard similarity to the most similar new one.

    |A and B| / |A or B|, by the weight of the distinct rows drawn; NaN for a cluster without rows.
    """
    cells = old.astype(np.int64) * n_clusters + new
    both = np.bincount(cells, weights=weights, minlength=n_clusters**2).astype(np.float64)
    both = both.reshape(n_clusters, n_clusters)
    size_old, size_new = both.sum(axis=1), both.sum(axis=0)
    either = size_old[:, None] + size_new - both
    similarity = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    best: NDArray[np.float64] = np.where(size_old > 0, similarity.max(axis=1), np.nan)
    return best
