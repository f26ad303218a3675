"""Criteria for the number of clusters: functions that know their name, range and direction.

Two kinds. A criterion *of a partition* takes one `Partition` (`measure` makes it from rows and
centers, weights included), or a `Stack` of many; a criterion *of a curve* takes the inertias for
1, 2, … clusters. All come from the same few sums, for nothing beyond one assignment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.choosing_k.partition import Partition, Stack

__all__ = ["CURVE_CRITERIA", "PARTITION_CRITERIA", "Criterion", "best_n_clusters"]

Float64 = NDArray[np.float64]

# A number for a partition, an array for a stack of them.
Values = Any

Direction = Literal["highest", "lowest"]

TINY = float(np.finfo(np.float64).tiny)
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Criterion:
    """A criterion: call it, or ask what it is.

    Attributes
    ----------
    name : str
        Its name in tables, such as "davies_bouldin".
    title : str
        Its name in sentences.
    best : {"highest", "lowest"}
        Which value to look for.
    range : tuple of float
        Lowest and highest possible value.
    from_k : int
        Smallest number of clusters it is defined for; with 1 it can say "no clusters".
    cost : str
        What it costs beyond the fit, with n rows, d columns, k clusters.
    source : str
        Where it comes from.
    """

    function: Callable[..., float | Float64]
    name: str
    title: str
    best: Direction
    range: tuple[float, float]
    from_k: int
    cost: str
    source: str

    def __call__(self, *args: object, **kwargs: object) -> Values:
        """Compute it."""
        if args and isinstance(args[0], Partition) and args[0].n_clusters < self.from_k:
            raise ValueError(
                f"{self.name} needs at least {self.from_k} clusters; this partition has "
                f"{args[0].n_clusters}."
            )
        # What overflows is infinite; of a stack, numbers of clusters below from_k are nothing.
        with np.errstate(all="ignore"):
            value = self.function(*args, **kwargs)
        return value if isinstance(value, np.ndarray) else float(value)


PARTITION_CRITERIA: dict[str, Criterion] = {}
CURVE_CRITERIA: dict[str, Criterion] = {}


def _criterion(  # one keyword for each thing a criterion knows of itself
    registry: dict[str, Criterion],
    title: str,
    best: Direction,
    limits: tuple[float, float],
    source: str,
    from_k: int = 2,
    cost: str = "O(k d)",
) -> Callable[[Callable[..., float | Float64]], Criterion]:
    def wrap(function: Callable[..., float | Float64]) -> Criterion:
        criterion = Criterion(
            function, function.__name__, title, best, limits, from_k, cost, source
        )
        criterion.__dict__["__doc__"] = function.__doc__
        registry[criterion.name] = criterion
        return criterion

    return wrap


def best_n_clusters(
    criterion: Criterion, values: Float64, n_clusters: NDArray[np.int64]
) -> int | None:
    """Return the number of clusters with the best value, the smallest on ties; None without any.

    Parameters
    ----------
    criterion : Criterion
    values : ndarray of shape (n,)
        NaN where the criterion is not defined.
    n_clusters : ndarray of shape (n,)

    Returns
    -------
    int or None
    """
    is_known = np.isfinite(values) & (n_clusters >= criterion.from_k)
    if not is_known.any():
        return None
    values, n_clusters = values[is_known], n_clusters[is_known]
    best = np.argmax(values) if criterion.best == "highest" else np.argmin(values)
    return int(n_clusters[best])


# ---------------------------------------------------------------- of a partition


@_criterion(
    PARTITION_CRITERIA,
    "simplified silhouette",
    "highest",
    (0, 1),
    "Hruschka, Campello & de Castro, Information Sciences 176(13), 2006",
)
def simplified_silhouette(partition: Partition | Stack) -> Values:
    """Mean over the rows of 1 - a / b: own distance over distance to the second nearest center."""
    return partition.total(partition.silhouettes) / partition.weight


@_criterion(
    PARTITION_CRITERIA,
    "Calinski–Harabasz",
    "highest",
    (0, np.inf),
    "Calinski & Harabasz, Communications in Statistics 3(1), 1974",
)
def calinski_harabasz(partition: Partition | Stack) -> Values:
    """Return (B / (k - 1)) / (W / (n - k)): variance between the clusters over variance within."""
    k, n = partition.n_clusters, partition.weight
    within = _floored(partition.inertia, EPS * partition.inertia_between)
    return partition.inertia_between / (k - 1) * np.maximum(n - k, 0.0) / within


@_criterion(
    PARTITION_CRITERIA,
    "Davies–Bouldin",
    "lowest",
    (0, np.inf),
    "Davies & Bouldin, IEEE PAMI 1(2), 1979",
    cost="O(k² d)",
)
def davies_bouldin(partition: Partition | Stack) -> Values:
    """Mean over the clusters of the worst (r_i + r_j) / |c_i - c_j|, r the mean own distance."""
    return partition.total(partition.similarities) / partition.n_clusters


@_criterion(
    PARTITION_CRITERIA,
    "WB index",
    "lowest",
    (0, np.inf),
    "Zhao & Fränti, Data & Knowledge Engineering 92, 2014",
)
def wb_index(partition: Partition | Stack) -> Values:
    """Return k W / B: the number of clusters times inertia within over inertia between."""
    between = _floored(partition.inertia_between, EPS * partition.inertia)
    return partition.n_clusters * partition.inertia / between


@_criterion(
    PARTITION_CRITERIA,
    "Xie–Beni",
    "lowest",
    (0, np.inf),
    "Xie & Beni, IEEE PAMI 13(8), 1991",
    cost="O(k² d)",
)
def xie_beni(partition: Partition | Stack) -> Values:
    """Mean squared own distance over the smallest squared distance between centers."""
    nearest = partition.lowest(partition.nearest_center_distances)
    return partition.inertia / partition.weight / np.maximum(nearest * nearest, TINY)


@_criterion(
    PARTITION_CRITERIA,
    "centroid Dunn",
    "highest",
    (0, np.inf),
    "after Dunn, Journal of Cybernetics 4(1), 1974, with centers in place of rows",
    cost="O(k² d)",
)
def centroid_dunn(partition: Partition | Stack) -> Values:
    """Return the smallest distance between centers over the largest mean own distance."""
    nearest = partition.lowest(partition.nearest_center_distances)
    return nearest / _floored(partition.highest(partition.radii), EPS * nearest)


@_criterion(
    PARTITION_CRITERIA,
    "own over nearest center",
    "lowest",
    (0, np.inf),
    "the rows of a good K are far closer to their own center than centers are to each other",
    cost="O(k² d)",
)
def own_over_nearest(partition: Partition | Stack) -> Values:
    """Mean over the rows of the own distance over the distance from that center to the nearest."""
    floor = partition.for_clusters(EPS * partition.highest(partition.radii))
    nearest = _floored(partition.nearest_center_distances, floor)
    return partition.total(partition.distances / nearest) / partition.weight


@_criterion(
    PARTITION_CRITERIA,
    "BIC, one variance per cluster",
    "highest",
    (-np.inf, np.inf),
    "after Pelleg & Moore, ICML 2000, with one spherical variance per cluster",
    from_k=1,
)
def bic(partition: Partition | Stack) -> Values:
    """Return log-likelihood of spherical Gaussians minus log(n) / 2 per free parameter.

    sum_j n_j (log(n_j / n) - d/2 (log(2 pi v_j) + 1)) - (k (d + 2) - 1) / 2 log n, where
    v_j = inertia_j / (d n_j). A cluster without spread gets a small part of the mean variance.
    """
    k, d, n = partition.n_clusters, partition.n_features, partition.weight
    w = np.maximum(partition.weights, TINY)
    floor = 1e-6 * (partition.inertia + partition.inertia_between) / (n * d)
    variance = _floored(partition.inertias / (d * w), partition.for_clusters(floor))
    share = w / partition.for_clusters(n)
    fit = w * (np.log(share) - d / 2 * (np.log(2 * np.pi * variance) + 1))
    return partition.total(fit) - (k * (d + 2) - 1) / 2 * np.log(n)


@_criterion(
    PARTITION_CRITERIA,
    "BIC of equal spheres",
    "highest",
    (-np.inf, np.inf),
    "after Pelleg & Moore, ICML 2000, with one variance for all, and each mean resting on its rows",
    from_k=1,
)
def spherical_bic(partition: Partition | Stack) -> Values:
    """Return log-likelihood of equal spherical Gaussians minus log(rows) / 2 per free parameter.

    sum_j n_j log(n_j / n) - d n / 2 (log(2 pi v) + 1) - d / 2 sum_j log n_j - k / 2 log n, where
    v = inertia / (d n). The mean of a cluster is known from the n_j rows there, not from all n, so
    many columns or clusters do not outweigh what the rows say.
    """
    k, d, n = partition.n_clusters, partition.n_features, partition.weight
    w = np.maximum(partition.weights, TINY)
    variance = _floored(partition.inertia, 1e-6 * partition.inertia_between) / (n * d)
    of_clusters = w * np.log(w / partition.for_clusters(n)) - d / 2 * np.log(np.maximum(w, 1.0))
    fit = -d * n / 2 * (np.log(2 * np.pi * variance) + 1)
    return partition.total(of_clusters) + fit - k / 2 * np.log(n)


def _floored(value: Any, floor: Any) -> Any:
    """Give the value, or what rounding may leave of nothing beside it."""
    return np.maximum(np.maximum(value, floor), TINY)


# ---------------------------------------------------------------- of a curve


@_criterion(
    CURVE_CRITERIA,
    "bend of log inertia",
    "highest",
    (-np.inf, np.inf),
    "second difference of log inertia: the elbow in a form that no scale changes",
    cost="O(k)",
)
def log_inertia_bend(inertias: ArrayLike, n_features: int) -> Float64:
    """Per number of clusters: the drop of log inertia up to it, less the drop after it.

    Parameters
    ----------
    inertias : array-like of shape (k_max,)
        Inertia for 1, 2, … clusters.
    n_features : int
        Not used; curves have one signature.

    Returns
    -------
    ndarray of shape (k_max,)
        NaN at both ends.
    """
    logs = _logs(inertias)
    bend = np.full(len(logs), np.nan)
    if len(logs) > 2:
        bend[1:-1] = logs[:-2] - 2 * logs[1:-1] + logs[2:]
    return bend


@_criterion(
    CURVE_CRITERIA,
    "jump",
    "highest",
    (-np.inf, np.inf),
    "Sugar & James, JASA 98(463), 2003",
    from_k=1,
    cost="O(k)",
)
def jump(inertias: ArrayLike, n_features: int) -> Float64:
    """Per number of clusters: the rise of (inertia / inertia of one cluster)^(-d/2).

    Parameters
    ----------
    inertias : array-like of shape (k_max,)
        Inertia for 1, 2, … clusters.
    n_features : int
        The exponent is half of it: many columns make late drops count.

    Returns
    -------
    ndarray of shape (k_max,)
        Relative to the largest transformed inertia, so that no exponent overflows.
    """
    logs = _logs(inertias)
    power = -n_features / 2 * logs
    transformed = np.exp(power - power.max())
    return np.diff(transformed, prepend=0.0)


def _logs(inertias: ArrayLike) -> Float64:
    """Logarithms; what rounding leaves of zero counts as the same small number. NaN stays NaN."""
    values = np.asarray(inertias, dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    largest = float(np.max(values, initial=0.0, where=~np.isnan(values)))
    logs: Float64 = np.log(np.maximum(values, max(EPS * largest, TINY)))
    return logs
