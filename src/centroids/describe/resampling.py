"""`stability`: whether the clusters would be found again in other rows of the same kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.estimators.kmeans import KMeans
from centroids.estimators.parts import take_apart
from centroids.rows.arrays import check_sample_weight

__all__ = ["Stability", "stability"]

# Hennig (2007), section 5: clusters of 0.75 and more are stable, below 0.6 not to be trusted.
STABLE, DOUBTFUL = 0.75, 0.6
METHODS = ("bootstrap", "half")


@dataclass(frozen=True, eq=False)
class Stability:
    """How well each cluster is found again in samples of the rows.

    Attributes
    ----------
    jaccard : ndarray of shape (n_clusters,)
        Mean over the samples of the similarity between the cluster and the one most like it in the
        sample: rows in both, divided by rows in either; between 0 and 1.
    words : tuple of str
        "stable" (0.75 and more), "doubtful", or "dissolves" (below 0.6), for each cluster.
    overall : float
        Mean of `jaccard`, each cluster counting by its rows.
    n_resamples : int
        Number of samples.
    method : str
        "bootstrap" or "half".
    """

    jaccard: NDArray[np.float64] = field(repr=False)
    words: tuple[str, ...]
    overall: float
    n_resamples: int
    method: str

    def summary(self) -> str:
        """Say it in sentences.

        Returns
        -------
        str
            Some lines of text.
        """
        kind = "bootstrap samples" if self.method == "bootstrap" else "halves of the rows"
        lines = [
            f"Clustered again in {self.n_resamples} {kind}: on average {self.overall:.2f} of 1 "
            "agree (Jaccard similarity; 1 = the same rows)."
        ]
        for word in dict.fromkeys(self.words):
            which = [str(j) for j, own in enumerate(self.words) if own == word]
            noun = "Cluster" if len(which) == 1 else "Clusters"
            verb = word if word == "dissolves" else f"is {word}"
            if len(which) > 1:
                verb = "dissolve" if word == "dissolves" else f"are {word}"
            lines.append(f"{noun} {', '.join(which)} {verb}.")
        return "\n".join(lines)


def stability(
    model: Any,
    X: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_resamples: int = 20,
    method: str = "bootstrap",
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Stability:
    """Say how sure the clusters are: cluster samples of the rows anew and compare.

    Each sample gets first centers of its own. Starting from the model's centers would be faster and
    would flatter it: a partition that one start in ten finds would pass for stable.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        Fitted; in a ``Pipeline``, a ``SimpleImputer``, a ``StandardScaler`` or both come first.
    X : array-like of shape (n_samples, n_features)
        The rows of the fit, or others of the same kind, in their own units.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row in the fits; the comparison counts rows.
    n_resamples : int, default=20
        Number of samples.
    method : {"bootstrap", "half"}, default="bootstrap"
        As many rows as there are, drawn with replacement, or half of them without.
    random_state : int, default=0
        Seed of the samples and of their first centers.
    n_jobs : int or None, default=None
        As in `KMeans`; changes no result.

    Returns
    -------
    Stability
        A similarity and a word for each cluster.

    Raises
    ------
    ValueError
        If columns or lengths do not fit, a parameter breaks its rule, or a sample has fewer rows
        than there are clusters.

    References
    ----------
    .. [1] C. Hennig, "Cluster-wise assessment of cluster stability", Computational Statistics &
       Data Analysis 52(1), 2007, sections 2 and 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from centroids import KMeans, stability
    >>> X = load_iris().data
    >>> stability(KMeans(2, random_state=0).fit(X), X).words
    ('stable', 'stable')
    """
    if method not in METHODS:
        raise ValueError(f"method must be 'bootstrap' or 'half', got {method!r}.")
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int) or n_resamples < 1:
        raise ValueError(f"n_resamples must be an int of at least 1, got {n_resamples!r}.")
    parts = take_apart(model)
    checked = parts.check_rows(X)
    weights = check_sample_weight(sample_weight, len(checked))
    labels = parts.nearest(checked).labels
    rows = parts.scaled(checked)
    n_clusters = len(parts.clusterer.cluster_centers_)
    metric = getattr(parts.clusterer, "metric", "euclidean")
    jaccard = np.zeros(n_clusters)
    for number in range(n_resamples):
        random = np.random.default_rng([random_state, number])
        sample = _draw(random, len(rows), method)
        fit = KMeans(n_clusters, random_state=number, n_jobs=n_jobs, metric=metric).fit(
            rows[sample], sample_weight=None if weights is None else weights[sample]
        )
        # Each row once, however often it was drawn.
        unique, first = np.unique(sample, return_index=True)
        jaccard += _best_jaccard(labels[unique], fit.labels_[first], n_clusters) / n_resamples
    sizes = np.bincount(labels, minlength=n_clusters)
    return Stability(
        jaccard=jaccard,
        words=tuple(_word(value) for value in jaccard),
        overall=float(jaccard @ sizes / sizes.sum()),
        n_resamples=n_resamples,
        method=method,
    )


def _draw(random: np.random.Generator, n: int, method: str) -> NDArray[np.int64]:
    if method == "bootstrap":
        return np.sort(random.integers(0, n, n))
    return np.sort(random.permutation(n)[: n // 2])


def _best_jaccard(
    labels: NDArray[np.int32], others: NDArray[np.int32], n_clusters: int
) -> NDArray[np.float64]:
    """Return for each cluster its similarity to the most similar other one; 0 if it has no row."""
    pairs = labels.astype(np.int64) * n_clusters + others
    both = np.bincount(pairs, minlength=n_clusters**2).reshape(n_clusters, n_clusters)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    best: NDArray[np.float64] = np.divide(
        both, either, where=either > 0, out=np.zeros(both.shape)
    ).max(axis=1)
    return best


def _word(jaccard: float) -> str:
    if jaccard >= STABLE:
        return "stable"
    return "doubtful" if jaccard >= DOUBTFUL else "dissolves"
