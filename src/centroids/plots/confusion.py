"""Clusters against known classes: a table of counts in which merges and splits stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from centroids.plots.canvas import AxesDisplay
from centroids.plots.palette import FALLING, INK, RISING, mixed, text_color_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from centroids.compare import LabelMatch

__all__ = ["ConfusionDisplay"]

MOST_NAMED = 14


class ConfusionDisplay(AxesDisplay):
    """How many rows of each class lie in each cluster.

    A cell is dark if it holds much of its class. A frame marks the class a cluster is named after
    one-to-one. Orange names are clusters that hold several classes (*merged*), and classes that lie
    in several clusters (*split*).

    Parameters
    ----------
    match : LabelMatch
        A finished comparison (`match_labels`).

    Attributes
    ----------
    match : LabelMatch
    ax_ : matplotlib Axes
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from centroids import ConfusionDisplay, match_labels
    >>> display = ConfusionDisplay(match_labels(["a", "a", "b"], [1, 1, 0]))
    >>> display.match.n_misses
    0
    """

    def __init__(self, match: LabelMatch) -> None:
        self.match = match

    def plot(self, ax: Axes | None = None) -> ConfusionDisplay:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ConfusionDisplay
            This display, with `ax_` and `figure_`.
        """
        from matplotlib.colors import to_rgb
        from matplotlib.patches import Rectangle

        ax = self._begin(ax)
        match, counts = self.match, self.match.confusion
        shares = counts / np.maximum(counts.sum(axis=0), 1)
        colors = [[mixed("#ffffff", FALLING, 0.9 * share) for share in row] for row in shares]
        ax.imshow([[to_rgb(color) for color in row] for row in colors], aspect="auto")
        n_clusters, n_classes = counts.shape
        if n_classes <= 30:
            font = 9 if n_classes <= 12 else 6.5
            for i, j in zip(*np.nonzero(counts), strict=True):
                ax.text(
                    j, i, f"{counts[i, j]:,}", ha="center", va="center", fontsize=font,
                    color=text_color_on(colors[i][j]),
                )  # fmt: skip
        position = {name: j for j, name in enumerate(match.classes)}
        for i, cluster in enumerate(match.clusters):
            if cluster in match.mapping:
                corner = (position[match.mapping[cluster]] - 0.47, i - 0.46)
                ax.add_patch(Rectangle(corner, 0.94, 0.92, fill=False, ec=INK["text"], lw=1.1))
        ax.set_xticks(range(n_classes), [_short(name) for name in match.classes])
        if max(len(_short(name)) for name in match.classes) * n_classes > 60:
            ax.tick_params(axis="x", rotation=90 if n_classes > 12 else 40)
        ax.set_yticks(range(n_clusters), [_short(name) for name in match.clusters])
        for tick, name in zip(ax.get_yticklabels(), match.clusters, strict=True):
            _emphasise(tick, name in match.merged)
        for tick, name in zip(ax.get_xticklabels(), match.classes, strict=True):
            _emphasise(tick, name in match.split)
        ax.set(
            xlabel=self._axis_label("class", "split"), ylabel=self._axis_label("cluster", "merged")
        )
        ax.tick_params(length=0)
        ax.spines[:].set_color(INK["line"])
        ax.set_title(
            f"{match.n_samples - match.n_missing - match.n_misses:,} of "
            f"{match.n_samples - match.n_missing:,} rows agree, one class per cluster",
            fontsize=9, color=INK["muted"], loc="left",
        )  # fmt: skip
        return self

    def _axis_label(self, what: str, state: str) -> str:
        n = len(self.match.split if state == "split" else self.match.merged)
        return f"{what} (orange: {state})" if n else what

    def _size(self) -> tuple[float, float]:
        n_clusters, n_classes = self.match.confusion.shape
        return max(5.0, 1.8 + 0.55 * n_classes), max(3.2, 1.6 + 0.34 * n_clusters)


def _emphasise(tick: object, is_special: bool) -> None:
    if is_special:
        tick.set(color=RISING, fontweight="bold")  # type: ignore[attr-defined]


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= MOST_NAMED else text[: MOST_NAMED - 1] + "…"
