"""What sets the clusters apart: a heat map of differences, columns against clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.plots.canvas import AxesDisplay
from centroids.plots.fitted import cluster_names
from centroids.plots.palette import INK, diverging, text_color_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from centroids.describe import ClusterProfile

__all__ = ["ProfileDisplay", "signed"]

MOST_COLUMNS = 25
# Effects beyond are drawn in the full color; most of what is called large lies below.
FULL_COLOR_AT = 2.0


class ProfileDisplay(AxesDisplay):
    """How far each cluster's mean lies from the mean of all rows, column by column.

    In standard deviations of all rows: +1.4 is 1.4 of them above the mean. The columns that set the
    clusters apart most stand first.

    Parameters
    ----------
    effects : array-like of shape (n_clusters, n_features)
        Differences in standard deviations.
    feature_names : sequence of str
        Names of the columns.
    names : sequence of str or None, default=None
        Names of the clusters; None for one that has none.

    Attributes
    ----------
    effects : ndarray of shape (n_clusters, n_features)
        As given.
    order : ndarray of shape (n_features,)
        The columns as drawn: those with the largest effect in any cluster first.
    feature_names, names : tuple of str
    ax_ : matplotlib Axes
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from centroids import ProfileDisplay
    >>> display = ProfileDisplay([[0.1, 1.2], [-0.1, -1.2]], ["age", "income"])
    >>> [display.feature_names[j] for j in display.order]
    ['income', 'age']
    """

    def __init__(
        self,
        effects: ArrayLike,
        feature_names: Sequence[str],
        *,
        names: Sequence[str | None] | None = None,
    ) -> None:
        self.effects: NDArray[np.float64] = np.asarray(effects, dtype=np.float64)
        self.feature_names = tuple(feature_names)
        if self.effects.ndim != 2 or self.effects.shape[1] != len(self.feature_names):
            raise ValueError(
                f"effects has the shape {self.effects.shape} and feature_names "
                f"{len(self.feature_names)} names; give one row per cluster and one name per column"
            )
        self.names = cluster_names(names, len(self.effects))
        strength = np.nan_to_num(np.abs(self.effects)).max(axis=0)
        self.order: NDArray[np.intp] = np.argsort(-strength, kind="stable")

    @classmethod
    def from_profile(cls, profile: ClusterProfile) -> ProfileDisplay:
        """Take the effects of a finished profile.

        Parameters
        ----------
        profile : ClusterProfile
            Made by `profile`.

        Returns
        -------
        ProfileDisplay
        """
        cards = profile.clusters
        effects = np.array([card.effect for card in cards])
        return cls(effects, profile.feature_names, names=[card.name for card in cards])

    def plot(self, ax: Axes | None = None) -> ProfileDisplay:
        """Draw the heat map, with the numbers in it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ProfileDisplay
            This display, with `ax_` and `figure_`.
        """
        from matplotlib.colors import to_rgb

        ax = self._begin(ax)
        shown = self.order[:MOST_COLUMNS]
        effects = self.effects[:, shown].T
        colors = [[diverging(float(e), FULL_COLOR_AT) for e in row] for row in effects]
        ax.imshow([[to_rgb(color) for color in row] for row in colors], aspect="auto")
        n_columns, n_clusters = effects.shape
        font = 9 if n_clusters <= 12 else 6.5
        for i, j in np.ndindex(n_columns, n_clusters):
            ax.text(
                j, i, signed(float(effects[i, j])), ha="center", va="center",
                fontsize=font, color=text_color_on(colors[i][j]),
            )  # fmt: skip
        ax.set_xticks(range(n_clusters), [_short(name) for name in self.names])
        if any(len(name) > 3 for name in self.names):
            ax.tick_params(axis="x", rotation=45)
        ax.set_yticks(range(n_columns), [_short(self.feature_names[j], 28) for j in shown])
        ax.set_xticks(np.arange(n_clusters + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(n_columns + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", lw=1.5)
        ax.tick_params(which="both", length=0)
        ax.spines[:].set_visible(False)
        left_out = len(self.order) - n_columns
        more = f"\n{left_out} weaker columns left out" if left_out else ""
        ax.set_xlabel("cluster")
        ax.set_title(
            f"mean of the cluster against all rows, in sd{more}",
            fontsize=9, color=INK["muted"], loc="left",
        )  # fmt: skip
        return self

    def _size(self) -> tuple[float, float]:
        n_columns = min(len(self.order), MOST_COLUMNS)
        return max(5.6, 2.8 + 0.42 * len(self.effects)), 1.5 + 0.32 * n_columns


def signed(value: float, digits: int = 1) -> str:
    """Return a value with its sign."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _short(name: str, at_most: int = 14) -> str:
    return name if len(name) <= at_most else name[: at_most - 1] + "…"
