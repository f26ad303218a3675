"""`KChoice`: the number of clusters, with everything that speaks for and against it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.choosing_k.clouds import null_band
from centroids.choosing_k.decide import Verdict, isolated_share, second_level
from centroids.choosing_k.explain import summary_of
from centroids.choosing_k.gate import Gate
from centroids.choosing_k.valleys import Valley

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from centroids.estimators.kmeans import KMeans
    from centroids.plots.k_choice import KChoiceDisplay

__all__ = ["KChoice"]


@dataclass(frozen=True, eq=False)
class KChoice:
    """A number of clusters, chosen with evidence and doubt (`choose_k`).

    Attributes
    ----------
    k : int
        The number of clusters; 1 where no clusters were found.
    k_if_forced : int
        The best number from 2, for those who need a partition anyway; equal to `k` unless that
        is 1.
    runner_up : int or None
        The other number to consider: the next best from 2, or the next level where
        `has_two_levels`; None where nothing speaks for another.
    verdict : {"clear", "likely", "ambiguous", "no clusters"}
        How sure the choice is. "ambiguous": `k_if_forced` or `runner_up`.
    margin : float
        Score of `k_if_forced` over the score of `runner_up`, between 0 and 3.
    table : dict of str to ndarray
        One entry per number of clusters in every column: n_clusters, inertia, held_out_inertia,
        each criterion, isolated, isolated_held_out (clusters that valleys separate from all
        their neighbours), votes, score. Ready for ``pandas.DataFrame``.
    preferred : dict of str to int or None
        The number of clusters that each criterion prefers; None: nothing, or it was not asked, as
        its model does not hold (`spherical_bic`, where clusters are not alike and spherical).
    valleys : list of Valley
        Between neighbouring clusters of `estimator`, the least separated first.
    merge : Valley or None
        The two clusters of `estimator` that one cluster fewer would join.
    split : Valley or None
        The two clusters that one cluster more would make of one.
    gate : Gate
        Whether there are clusters at all.
    estimator : KMeans
        Fitted on all rows with `k_if_forced` clusters, numbered by decreasing size: plain Lloyd
        from the best centers of the sweep, without local search.
    n_samples, n_samples_used : int
        Rows given, and rows that the choice was made on.
    choices_by_sample : list of int
        The best number on each disjoint sample; one entry where all rows were used.
    is_settled_on_all_rows : bool
        Whether the samples left two neighbouring numbers open, and the valley that tells them apart
        was counted on all rows.
    smallest_share : float or None
        Clusters with a smaller share of the rows may have been missed; None where all rows were
        used.
    has_timed_out : bool
        Whether `max_time` ended the search.
    cautions : list of str
        What to look at.
    spread : ndarray of shape (n_features,)
        Standard deviations of the rows along their principal axes, ascending.
    """

    k: int
    k_if_forced: int
    runner_up: int | None
    verdict: Verdict
    margin: float
    table: dict[str, NDArray[Any]] = field(repr=False)
    preferred: dict[str, int | None] = field(repr=False)
    valleys: list[Valley] = field(repr=False)
    merge: Valley | None = field(repr=False)
    split: Valley | None = field(repr=False)
    gate: Gate = field(repr=False)
    estimator: KMeans = field(repr=False)
    n_samples: int = field(repr=False)
    n_samples_used: int = field(repr=False)
    choices_by_sample: list[int] = field(repr=False)
    is_settled_on_all_rows: bool = field(repr=False)
    smallest_share: float | None = field(repr=False)
    has_timed_out: bool = field(repr=False)
    cautions: list[str] = field(repr=False)
    spread: NDArray[np.float64] = field(repr=False)

    @property
    def agreeing(self) -> list[str]:
        """Names of the criteria that prefer `k_if_forced`."""
        return [name for name, k in self.preferred.items() if k == self.k_if_forced]

    @property
    def dissenting(self) -> dict[str, int]:
        """What the other criteria prefer."""
        return {n: k for n, k in self.preferred.items() if k is not None and k != self.k_if_forced}

    @property
    def isolated_share(self) -> NDArray[np.float64]:
        """Per number of clusters, the share that valleys isolate, in-sample and held out."""
        return isolated_share(self.table)

    @property
    def has_two_levels(self) -> bool:
        """Whether every criterion of variance asks for more clusters: groups within groups."""
        return second_level(self.preferred, self.k_if_forced) is not None

    def summary(self) -> str:
        """Explain the choice in plain sentences: why this K, why not one fewer or one more.

        Returns
        -------
        str
        """
        return summary_of(self)

    def plot(self, figure: Figure | None = None) -> KChoiceDisplay:
        """Draw the evidence: the elbow, the criteria, and the valleys.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            Where to draw; a new one by default.

        Returns
        -------
        KChoiceDisplay
        """
        # By name, as pictures stand above this layer.
        display_class = import_module("centroids.plots.k_choice").KChoiceDisplay
        display: KChoiceDisplay = display_class(self, self.null_band())
        return display.plot(figure)

    def null_band(self) -> NDArray[np.float64] | None:
        """Inertia of clouds without clusters that spread like the rows; computed when asked for.

        Returns
        -------
        ndarray of shape (2, k_max) or None
            Lowest and highest for 1, 2, … clusters, relative to that of one cluster; None where
            all rows are the same.
        """
        return null_band(self.spread, self.n_samples_used, len(self.table["n_clusters"]))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the model as plain data that JSON can hold.

        Numbers that are not finite become None.

        Returns
        -------
        dict of str to object
        """
        plain = {
            name: _plain(getattr(self, name))
            for name in self.__dataclass_fields__
            if name not in ("estimator", "spread", "gate", "merge", "split", "valleys")
        }
        for name in ("merge", "split"):
            valley = getattr(self, name)
            plain[name] = None if valley is None else _plain(valley._asdict())
        plain["valleys"] = [_plain(valley._asdict()) for valley in self.valleys]
        plain["gate"] = _plain(vars(self.gate))
        plain["counts"] = self.estimator.counts_.tolist()
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
