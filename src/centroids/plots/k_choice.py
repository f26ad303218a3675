"""The evidence for a number of clusters: elbow, criteria, and valleys side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.plots.canvas import Display, finish, new_figure
from centroids.plots.palette import CHOSEN, CURVE, HELD_OUT, RUNNER_UP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from centroids.choosing_k import KChoice

__all__ = ["KChoiceDisplay"]

FAINT = "0.75"
SIZE_INCHES = (13.0, 4.8)
# Pairs shown in the panel of valleys, the least separated first.
MOST_PAIRS = 12
# In front of the dashed line, whatever K it marks.
LEGEND: dict[str, Any] = {
    "facecolor": "white", "edgecolor": "none", "framealpha": 1, "fontsize": 8,
}  # fmt: skip


class KChoiceDisplay(Display):
    """Three pictures of one choice of K.

    Left, the elbow in a form where its bend means something: log inertia against log K, beside the
    fall that data without clusters shows. Middle, the score of every K and how many clusters a
    valley isolates. Right, how far the density falls between neighbouring clusters.

    Parameters
    ----------
    choice : KChoice
        A finished choice.
    null_band : ndarray of shape (2, k_max) or None, default=None
        Lowest and highest inertia of clouds without clusters for 1, 2, … clusters, relative to that
        of one cluster (`KChoice.null_band`).

    Attributes
    ----------
    choice : KChoice
    axes_ : ndarray of shape (3,)
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure they are in.
    """

    axes_: Any

    def __init__(self, choice: KChoice, null_band: NDArray[np.float64] | None = None) -> None:
        self.choice = choice
        self.null_band = null_band

    def plot(self, figure: Figure | None = None) -> KChoiceDisplay:
        """Draw the three panels.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            An empty figure to draw in; a new one by default.

        Returns
        -------
        KChoiceDisplay
            This display, with `axes_` and `figure_`.
        """
        self.figure_ = new_figure(SIZE_INCHES) if figure is None else figure
        self.axes_ = self.figure_.subplots(1, 3)
        self.figure_.suptitle(_headline(self.choice), fontweight="bold")
        _elbow(self.axes_[0], self.choice, self.null_band)
        _scores(self.axes_[1], self.choice)
        _valleys(self.axes_[2], self.choice)
        for ax in self.axes_:
            finish(ax)
        return self

    def _size(self) -> tuple[float, float]:
        return SIZE_INCHES

    def _draw_in(self, figure: Figure) -> None:
        self.plot(figure)


def _headline(choice: KChoice) -> str:
    return choice.summary().splitlines()[0]


def _elbow(ax: Axes, choice: KChoice, null_band: NDArray[np.float64] | None) -> None:
    from matplotlib.ticker import LogLocator

    ks, inertia = choice.table["n_clusters"], choice.table["inertia"]
    is_positive = inertia > inertia[0] * 1e-12
    ks, inertia = ks[is_positive], inertia[is_positive]
    held_out = choice.table["held_out_inertia"][is_positive]
    if len(ks) == 0:
        ax.text(0.5, 0.5, "all rows are the same", ha="center", transform=ax.transAxes)
        return
    if null_band is not None:
        low, high = null_band[:, : len(ks)] * inertia[0]
        ax.fill_between(ks, low, high, color="0.88", label="clouds without clusters")
    ax.plot(ks, held_out, "o--", color=HELD_OUT, ms=3, lw=1, label="held-out rows")
    ax.plot(ks, inertia, "o-", color=CURVE, ms=4, label="all rows used")
    _mark(ax, choice)
    ax.set(xscale="log", yscale="log", xlabel="number of clusters K", ylabel="inertia")
    ax.set_title("Elbow: a bend below the grey band")
    ticks = [k for k in (1, 2, 3, 5, 10, 20, 50, 100, 200) if k <= ks[-1]]
    ax.set_xticks(ticks, [str(k) for k in ticks])
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter("{x:,.10g}")
    ax.legend(**LEGEND, loc="lower left")


def _scores(ax: Axes, choice: KChoice) -> None:
    ks = choice.table["n_clusters"]
    share = np.where(ks > 1, choice.isolated_share, 0.0)
    votes = choice.table["score"] - np.where(choice.table["votes"] > 0, share, 0.0)
    votes = np.where(ks > 1, np.maximum(votes, 0), 0.0)
    ax.bar(ks, share, color=HELD_OUT, width=0.8, label="clusters isolated by valleys (share)")
    ax.bar(ks, votes, bottom=share, color=CURVE, width=0.8, label="votes of the criteria")
    _mark(ax, choice, height=0.84)
    n_agree, n_known = len(choice.agreeing), sum(k is not None for k in choice.preferred.values())
    ax.set_title(f"Score: {n_agree} of {n_known} criteria prefer {choice.k_if_forced}")
    ax.set(xlabel="number of clusters K", ylabel="score (3 at most)", ylim=(0, 4.2))
    ax.set_yticks([0, 1, 2, 3])
    ax.locator_params(axis="x", integer=True)
    ax.legend(**LEGEND, loc="upper center")


def _valleys(ax: Axes, choice: KChoice) -> None:
    shown = choice.valleys[:MOST_PAIRS]
    if not shown:
        ax.text(0.5, 0.5, "no neighbouring clusters", ha="center", transform=ax.transAxes)
        ax.set_axis_off()
        return
    ratios = np.array([min(valley.ratio, 1.5) for valley in shown])
    colors = [CURVE if valley.is_separated else CHOSEN for valley in shown]
    heights = np.arange(len(shown))[::-1]
    ax.barh(heights, 1.0, color="0.93", height=0.7)
    ax.barh(heights, ratios, color=colors, height=0.7)
    for height, ratio, valley in zip(heights, ratios, shown, strict=True):
        text = f"{100 * valley.ratio:.0f} %" if valley.ratio < 1.5 else "≥ 150 %"
        ax.text(max(ratio, 1.0) + 0.03, height, text, va="center", fontsize=8)
    ax.axvline(1.0, color="0.4", lw=1, ls=":")
    names = [f"{valley.first}–{valley.second}" for valley in shown]
    ax.set_yticks(heights, names)
    ax.set(xlim=(0, 1.75), xlabel="density between / at the weaker center", ylabel="clusters")
    ax.set_xticks([0, 0.5, 1.0, 1.5], ["0", "50 %", "100 %", "150 %"])
    more = len(choice.valleys) - len(shown)
    which = f"the {len(shown)} shallowest of {len(choice.valleys)}" if more else "all pairs"
    n_flat = sum(not valley.is_separated for valley in choice.valleys)
    state = f"{n_flat} without a valley (orange)" if n_flat else "every pair has one"
    ax.set_title(f"Valleys at K = {choice.k_if_forced}, {which}:\n{state}", fontsize=11)


def _mark(ax: Axes, choice: KChoice, height: float = 0.97) -> None:
    """Mark the choice and, where the answer is in doubt, the runner-up."""
    if choice.runner_up is not None and choice.verdict in ("ambiguous", "likely"):
        ax.axvline(choice.runner_up, color=RUNNER_UP, lw=1.2, ls=":", zorder=0)
    if choice.k_if_forced > 1:
        is_forced = choice.k == 1
        ax.axvline(
            choice.k_if_forced, color=FAINT if is_forced else CHOSEN, lw=1.4, ls="--", zorder=0
        )
        ax.annotate(
            f"{'if forced, ' if is_forced else ''}K = {choice.k_if_forced}",
            xy=(choice.k_if_forced, height),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color="0.4" if is_forced else CHOSEN,
            va="top",
        )
