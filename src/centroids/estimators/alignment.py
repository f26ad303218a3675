"""`align`: a new model takes over the cluster numbers and names of an old one.

Clusters are matched by their centers, in the units of the old model: the assignment with the lowest
sum of distances (H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research
Logistics Quarterly 2, 1955). A distance counts up to the distance between the old center and its
nearest neighbour, so that one cluster that turned up far away does not push all others along; a
cluster that moved farther than that is not the same any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.parts import ModelParts, take_apart
from centroids.estimators.spread import QUANTILES
from centroids.wording import percent

__all__ = ["Alignment", "OldModel", "align"]

Unit = Literal["radius", "spread"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """How the clusters of a new model relate to those of an old one (`align`).

    Attributes
    ----------
    mapping : dict of int to int or None
        Old number to new number; None where the cluster has vanished. They differ only where the
        new model has fewer clusters than the old number needs.
    moved : dict of int to float
        By new number, for clusters that were there before: how far the center moved, in units of
        the old cluster.
    unit : {"radius", "spread"}
        That unit: the distance that held 99 % of the old cluster's rows ("radius", where
        ``measure_radii`` stored it), or the root mean square distance of all rows to their center.
    grew : dict of int to float
        By new number: share of the rows now over the share before. Empty where a model does not
        know its ``counts_``.
    appeared : tuple of int
        New numbers of clusters that were not there before.
    vanished : tuple of int
        Old numbers of clusters that are not there any more.
    names : dict of int to str
        Names of the clusters, by new number.
    lost_names : dict of int to str
        Names of the clusters that vanished, by old number.
    share_before, share_now : dict of int to float
        Shares of the rows, by old and by new number.
    """

    mapping: dict[int, int | None]
    moved: dict[int, float]
    unit: Unit
    grew: dict[int, float]
    appeared: tuple[int, ...]
    vanished: tuple[int, ...]
    names: dict[int, str]
    lost_names: dict[int, str] = field(repr=False)
    share_before: dict[int, float] = field(repr=False)
    share_now: dict[int, float] = field(repr=False)

    def summary(self) -> str:
        """Say in plain sentences what moved, grew, appeared and vanished.

        Returns
        -------
        str
        """
        return "\n".join(_sentences(self))

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data that JSON can hold, one entry for each cluster.

        Returns
        -------
        dict of str to object
            ``clusters``: number, old number, name, how far it moved (None where that cannot be
            told), how much it grew, its share of the rows before and now. ``vanished``: old number,
            name, share before.
        """
        before = {new: old for old, new in self.mapping.items() if new is not None}
        return {
            "unit": self.unit,
            "clusters": [
                {
                    "cluster": new,
                    "old": before.get(new),
                    "name": self.names.get(new),
                    "moved": _finite(self.moved.get(new)),
                    "grew": _finite(self.grew.get(new)),
                    "share_before": self.share_before.get(before.get(new, -1)),
                    "share_now": self.share_now.get(new),
                }
                for new in sorted({*self.moved, *self.appeared})
            ],
            "vanished": [
                {
                    "old": old,
                    "name": self.lost_names.get(old),
                    "share_before": self.share_before.get(old),
                }
                for old in self.vanished
            ],
        }


@dataclass(frozen=True, eq=False)
class OldModel:
    """What has to be known of a model to align another with it: copied, so it may be fitted anew.

    Attributes
    ----------
    parts : ModelParts
        Its steps.
    centers : ndarray of shape (n_clusters, n_features)
        In the space the model works in.
    counts : ndarray or None
        Rows of each cluster.
    units : ndarray of shape (n_clusters,)
        The unit of movement of each cluster.
    unit : {"radius", "spread"}
    names : dict of int to str
    feature_names : list of str or None
    """

    parts: ModelParts
    centers: NDArray[np.float64]
    counts: NDArray[np.int64] | None
    units: NDArray[np.float64]
    unit: Unit
    names: dict[int, str]
    feature_names: list[str] | None

    @classmethod
    def of(cls, model: Any, argument: str = "old_model") -> OldModel:
        """Take note of a fitted model."""
        parts = take_apart(model, argument).frozen()
        clusterer = parts.clusterer
        centers = np.array(clusterer.cluster_centers_, dtype=np.float64)
        counts = getattr(clusterer, "counts_", None)
        radii = getattr(clusterer, "radii_", None)
        if radii is not None:
            units = radii[:, QUANTILES.index(0.99)]
        else:
            n_samples = 0 if counts is None else int(counts.sum())
            squares = clusterer.inertia_ / clusterer._metric.inertia_scale
            units = np.full(len(centers), np.sqrt(squares / n_samples) if n_samples else np.nan)
        return cls(
            parts,
            centers,
            counts,
            units,
            "spread" if radii is None else "radius",
            dict(clusterer.cluster_names_),
            parts.feature_names,
        )

    def check_columns_of(self, clusterer: NearestCenterModel) -> None:
        """Refuse an estimator that has just learned of other columns."""
        names = getattr(clusterer, "feature_names_in_", None)
        self.check_columns(
            int(clusterer.n_features_in_), None if names is None else list(map(str, names))
        )

    def check_columns(self, n_features: int, names: list[str] | None) -> list[int]:
        """Return where each column of the old model stands among those of the new one."""
        n_before = int(self.parts.first.n_features_in_)
        if n_features != n_before:
            raise ValueError(
                f"The models differ: the old one has {n_before} columns, the new one {n_features}. "
                "Clusters can be matched in the same columns only."
            )
        if names is None or self.feature_names is None:
            return list(range(n_features))
        missing = [name for name in self.feature_names if name not in names]
        if missing:
            raise ValueError(
                f"The models differ: the new one has no column {missing[0]!r} (it has "
                f"{', '.join(names[:12])}). Clusters can be matched in the same columns only."
            )
        return [names.index(name) for name in self.feature_names]


def align(model: Any, old_model: Any) -> Alignment:
    """Give the clusters of a model the numbers and the names they have in an old model.

    The model is changed: ``cluster_centers_``, ``labels_``, ``counts_`` and all else that goes by
    cluster are numbered anew. The numbers of clusters may differ. A cluster keeps its number, and
    its name, as long as it has moved less far than its nearest neighbour was away; others have
    vanished, and what cannot be matched has appeared.

    Rows that are exactly as near to two centers go to the lower number: where such rows exist,
    ``labels_`` of the training rows may differ from ``predict`` on them. ``fit(X, align_to=...)``
    looks at the rows again and has no such gap.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        The new model, fitted; it takes over numbers and names. In a ``Pipeline``, a
        ``SimpleImputer``, a `LogTransformer` and a ``StandardScaler``, or some of them, come first.
    old_model : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        The old model, fitted on the same columns, of any of these kinds. Centers are compared in
        the units that it works in.

    Returns
    -------
    Alignment
        What moved, grew, appeared and vanished.

    Raises
    ------
    ValueError
        If the models have different columns.

    See Also
    --------
    KMeans.name_clusters : gives clusters their names.

    Examples
    --------
    >>> from centroids import KMeans, align
    >>> old = KMeans(2, random_state=0).fit([[0.0], [1.0], [2.0], [10.0], [11.0]])
    >>> old = old.name_clusters({0: "low", 1: "high"})
    >>> new = KMeans(3, random_state=0).fit([[1.0], [10.0], [11.0], [12.0], [30.0], [31.0]])
    >>> alignment = align(new, old)
    >>> new.cluster_centers_.ravel()
    array([ 1. , 11. , 30.5])
    >>> dict(new.cluster_names_)
    {0: 'low', 1: 'high'}
    >>> alignment.appeared
    (2,)
    """
    return align_parts(take_apart(model), OldModel.of(old_model))


def align_parts(parts: ModelParts, old: OldModel) -> Alignment:
    """Align the steps of a model with an old one."""
    clusterer = parts.clusterer
    columns = old.check_columns(int(parts.first.n_features_in_), parts.feature_names)
    now = old.parts.scaled(_with_logarithms(parts.centers()[:, columns], old))
    if clusterer._metric.unit_centers or old.parts.clusterer._metric.unit_centers:
        now = now / np.maximum(np.linalg.norm(now, axis=1, keepdims=True), 1e-300)
    gaps = np.sqrt(np.square(old.centers[:, None] - now).sum(axis=2))
    partners = _match(old.centers, gaps)
    order = _numbering(partners, len(now))
    number = {current: i for i, current in enumerate(order)}
    mapping = {i: number[partners[i]] if i in partners else None for i in range(len(gaps))}
    own_names = dict(clusterer.cluster_names_)
    names = {j: old.names[i] for i, j in mapping.items() if j is not None and i in old.names}
    for current, name in own_names.items():
        if number[current] not in names and name not in names.values():
            names[number[current]] = name
    clusterer._renumber(np.array(order))
    clusterer._cluster_names = dict(sorted(names.items()))
    before, after = _shares(old.counts), _shares(getattr(clusterer, "counts_", None))
    kept = {i: j for i, j in mapping.items() if j is not None}
    return Alignment(
        mapping=mapping,
        moved={j: _ratio(float(gaps[i, order[j]]), float(old.units[i])) for i, j in kept.items()},
        unit=old.unit,
        grew={j: _ratio(after[j], before[i]) for i, j in kept.items() if after and before},
        appeared=tuple(sorted(set(range(len(now))) - set(kept.values()))),
        vanished=tuple(i for i, j in mapping.items() if j is None),
        names=dict(clusterer._cluster_names),
        lost_names={i: old.names[i] for i, j in mapping.items() if j is None and i in old.names},
        share_before=before,
        share_now=after,
    )


def _with_logarithms(centers: NDArray[np.float64], old: OldModel) -> NDArray[np.float64]:
    """Return centers once the old model can take the logarithms it wants of them."""
    logged = [] if old.parts.logarithms is None else old.parts.logarithms.columns_
    for column in logged:
        if (centers[:, column] <= 0).any():
            raise ValueError(
                "The models differ: the old one takes the logarithm of column "
                f"{column if old.feature_names is None else repr(old.feature_names[column])}, and "
                f"the new one has a center at {centers[:, column].min():g} there. Fit the new one "
                "with logarithms as well."
            )
    return centers


def _match(old: NDArray[np.float64], gaps: NDArray[np.float64]) -> dict[int, int]:
    """Match old clusters with new ones; those that moved too far have no partner."""
    apart = np.sqrt(np.square(old[:, None] - old).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    reach = apart.min(axis=1) if len(old) > 1 else np.full(1, np.inf)
    costs = np.minimum(gaps, reach[:, None])
    rows, columns = linear_sum_assignment(costs)
    return {
        int(i): int(j)
        for i, j in zip(rows, columns, strict=True)
        if gaps[i, j] < reach[i] or gaps[i, j] == 0
    }


def _numbering(partners: dict[int, int], n_clusters: int) -> list[int]:
    """Return which of the current clusters gets each number."""
    order: dict[int, int] = {i: j for i, j in partners.items() if i < n_clusters}
    waiting = [j for i, j in sorted(partners.items()) if i >= n_clusters]
    waiting += [j for j in range(n_clusters) if j not in partners.values()]
    for number in range(n_clusters):
        if number not in order:
            order[number] = waiting.pop(0)
    return [order[number] for number in range(n_clusters)]


def _shares(counts: NDArray[np.int64] | None) -> dict[int, float]:
    if counts is None or not counts.sum():
        return {}
    return dict(enumerate((counts / counts.sum()).tolist()))


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _ratio(value: float, unit: float) -> float:
    return value / unit if unit else (0.0 if not value else float("inf"))


def _sentences(found: Alignment) -> Iterator[str]:
    n_before, n_now = len(found.mapping), len(found.moved) + len(found.appeared)
    yield (
        f"{n_before} clusters before, {n_now} now: {len(found.moved)} stayed, "
        f"{len(found.appeared)} appeared, {len(found.vanished)} vanished."
    )
    unit = {
        "radius": "the distance that held 99 % of the old cluster's rows",
        "spread": "the typical (root mean square) distance of the old rows to their center",
    }[found.unit]
    if found.moved:
        yield f"Moved: how far the center moved, 1 being {unit}."
    for old, new in found.mapping.items():
        if new is None:
            continue
        number = "" if new == old else f" (before: {old})"
        yield (
            f"{_title(new, found.names)}{number}: moved {_short(found.moved[new])}"
            f"{_growth(found.share_before.get(old), found.share_now.get(new))}."
        )
    for new in found.appeared:
        share = found.share_now.get(new)
        yield f"{_title(new, found.names)}: new" + (_rows(share, ", {} of the rows") + ".")
    for old in found.vanished:
        share = found.share_before.get(old)
        title = _title(old, found.lost_names).replace("Cluster", "Old cluster", 1)
        yield f"{title}: vanished" + (_rows(share, ", it had {} of the rows") + ".")


def _title(number: int, names: dict[int, str]) -> str:
    return f'Cluster {number} "{names[number]}"' if number in names else f"Cluster {number}"


def _short(value: float) -> str:
    return "less than 0.01" if 0 < value < 0.01 else f"{value:.2g}"


def _growth(before: float | None, now: float | None) -> str:
    if before is None or now is None:
        return ""
    return f", {percent(before)} of the rows before, {percent(now)} now"


def _rows(share: float | None, words: str) -> str:
    return "" if share is None else words.format(percent(share))
