"""`profile`: what each cluster of a fitted model is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.describe.categories import category_shares
from centroids.describe.landmarks import Landmarks, find_landmarks
from centroids.describe.result import CategoryShare, ClusterCard, ClusterProfile, Rule
from centroids.describe.rules import find_rule
from centroids.describe.statistics import Statistics, measure
from centroids.describe.words import sentence_of, title_of
from centroids.estimators.parameters import check_arguments, integer_from
from centroids.estimators.parts import ModelParts, take_apart
from centroids.estimators.spread import QUANTILES, distance_quantiles, rows_by_cluster
from centroids.rows.arrays import check_sample_weight

__all__ = ["profile"]


def profile(
    model: Any,
    X: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
    others: Mapping[str, ArrayLike] | None = None,
    n_representatives: int = 5,
    n_borderline: int = 10,
    n_outliers: int = 10,
    row_numbers: ArrayLike | None = None,
    random_state: int = 0,
) -> ClusterProfile:
    """Describe the clusters of a fitted model: what sets each apart, and which rows to look at.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        Fitted; in a ``Pipeline``, a ``SimpleImputer``, a `LogTransformer` and a ``StandardScaler``,
        or some of them, come first, in this order.
    X : array-like of shape (n_samples, n_features)
        The rows to describe, in their own units: what ``model.predict`` takes. Usually the rows of
        the fit. Gaps are filled as the model fills them.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row. A row of weight w counts as w equal rows; rows of weight 0 are never
        named.
    feature_names : sequence of str or None, default=None
        Names of the columns; None: those of the model or of `X`, else x1, x2, ...
    others : mapping of str to sequence, or None, default=None
        Columns that were not clustered, such as text, by name: one value a row.
    n_representatives, n_borderline, n_outliers : int, default=5, 10, 10
        How many rows of each kind a card names at most.
    row_numbers : array-like of int of shape (n_samples,) or None, default=None
        The number of each row in the file it comes from, counted from 1; words, reports and
        `ClusterProfile.to_dict` use it. None: rows are counted from 0, by position in `X`.
    random_state : int, default=0
        Draws the rows that rules are searched on, in clusters of more than 5,000 rows; what a rule
        catches is measured on all rows.

    Returns
    -------
    ClusterProfile
        With a `ClusterCard` per cluster.

    Raises
    ------
    ValueError
        If columns, names or lengths do not fit.

    See Also
    --------
    stability : says how sure the clusters are.
    match_labels : compares the clusters with known classes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from centroids import KMeans, profile
    >>> X = load_iris(as_frame=True).data
    >>> cards = profile(KMeans(3, random_state=0).fit(X), X).clusters
    >>> print(cards[1].sentence)
    Cluster 1, 33 % of rows: petal length (cm) low (-1.3 sd), petal width (cm) low (-1.3 sd), \
sepal length (cm) low (-1.0 sd)
    >>> cards[1].rule.coverage, cards[1].rule.precision
    (1.0, 1.0)
    """
    given = {
        "n_representatives": n_representatives,
        "n_borderline": n_borderline,
        "n_outliers": n_outliers,
    }
    check_arguments("profile", given, dict.fromkeys(given, integer_from(0)))
    parts = take_apart(model)
    rows = parts.check_rows(X)
    weights = check_sample_weight(sample_weight, len(rows))
    names = _feature_names(feature_names, parts, X, rows.shape[1])
    n_wanted = (int(n_representatives), int(n_borderline), int(n_outliers))
    n_clusters = len(parts.clusterer.cluster_centers_)
    places = parts.nearest(rows)
    members = rows_by_cluster(places.labels, n_clusters)
    statistics = measure(rows, places.labels, members, weights)
    categories = category_shares(others, places.labels, weights, n_clusters)
    radii = distance_quantiles(members, places.distances, weights)
    counted = members if weights is None else [own[weights[own] > 0] for own in members]
    landmarks = find_landmarks(parts, rows, places, counted, radii, n_wanted)
    rules = [
        find_rule(
            rows,
            places.labels == j,
            weights,
            names,
            statistics.overall_std,
            np.random.default_rng([random_state, j]),
        )
        for j in range(n_clusters)
    ]
    given_names = dict(getattr(parts.clusterer, "cluster_names_", {}))
    effects = _effects(statistics)
    cards = [
        _card(
            j, given_names.get(j), len(members[j]), names, statistics, effects[j], categories[j],
            landmarks[j], rules[j], float(radii[j, QUANTILES.index(0.99)]),
        )
        for j in range(n_clusters)
    ]  # fmt: skip
    return ClusterProfile(
        feature_names=names,
        n_samples=len(rows),
        overall_mean=statistics.overall_mean,
        overall_std=statistics.overall_std,
        overall_median=statistics.overall_median,
        clusters=tuple(cards),
        row_numbers=_row_numbers(row_numbers, len(rows)),
    )


def _card(
    number: int,
    name: str | None,
    size: int,
    names: Sequence[str],
    statistics: Statistics,
    effect: NDArray[np.float64],
    categories: dict[str, tuple[CategoryShare, ...]],
    landmarks: Landmarks,
    rule: Rule | None,
    radius: float,
) -> ClusterCard:
    share = float(statistics.weight[number] / statistics.weight.sum())
    order = tuple(np.argsort(-np.abs(effect), kind="stable").tolist())
    ordered = [(names[j], float(effect[j])) for j in order]
    return ClusterCard(
        number=number,
        name=name,
        size=size,
        share=share,
        mean=statistics.mean[number],
        median=statistics.median[number],
        std=statistics.std[number],
        effect=effect,
        order=order,
        sentence=sentence_of(title_of(number, name), size, share, ordered, categories),
        rule=rule,
        categories=categories,
        representatives=landmarks.representatives,
        borderline=landmarks.borderline,
        outliers=landmarks.outliers,
        n_outliers=landmarks.n_outliers,
        radius=radius,
    )


def _effects(statistics: Statistics) -> NDArray[np.float64]:
    """Return (mean - overall mean) / overall std; 0 where a column is constant."""
    spread = statistics.overall_std
    differences = statistics.mean - statistics.overall_mean
    # A constant column has a spread of a few last digits of its mean at most.
    is_varied = spread > 1e-12 * np.abs(statistics.overall_mean)
    effects = np.where(np.isnan(differences), np.nan, 0.0)
    return np.divide(differences, spread, out=effects, where=is_varied)


def _feature_names(
    given: Sequence[str] | None, parts: ModelParts, X: Any, n_features: int
) -> tuple[str, ...]:
    if given is None:
        columns = getattr(X, "columns", None)
        default = [f"x{j + 1}" for j in range(n_features)]
        given = parts.feature_names or (default if columns is None else columns)
    names = tuple(str(name) for name in given)
    if len(names) != n_features:
        raise ValueError(
            f"feature_names has {len(names)} names, X has {n_features} columns: one name a column."
        )
    return names


def _row_numbers(given: ArrayLike | None, n_samples: int) -> NDArray[np.int64] | None:
    if given is None:
        return None
    numbers = np.asarray(given)
    if numbers.shape != (n_samples,) or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"row_numbers must be one whole number for each of the {n_samples} rows of X; got "
            f"{numbers.dtype} of shape {numbers.shape}."
        )
    return numbers.astype(np.int64)
