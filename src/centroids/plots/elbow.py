"""Inertia against the number of clusters, with its sharpest bend marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.plots.canvas import AxesDisplay, finish
from centroids.plots.palette import CHOSEN, CURVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["ElbowDisplay"]


class ElbowDisplay(AxesDisplay):
    """The elbow plot: inertia for a range of numbers of clusters.

    Inertia always falls when clusters are added. It falls fast while each new cluster separates
    rows that lie apart, and slowly once new clusters cut groups in two. The bend between the two
    is a hint at the number of clusters, not a proof: data without any clusters has a curve, too.

    Parameters
    ----------
    n_clusters : array-like of shape (n_fits,)
        Numbers of clusters, ascending.
    inertia : array-like of shape (n_fits,)
        Inertia of the model with so many clusters.

    Attributes
    ----------
    n_clusters : ndarray of shape (n_fits,)
        Numbers of clusters.
    inertia : ndarray of shape (n_fits,)
        Inertia.
    bend : int or None
        Where the slope of log inertia changes most from falling fast to falling slowly; None with
        fewer than three points, or if the slope changes so nowhere.
    line_ : matplotlib Line2D
        The curve, once plotted.
    ax_ : matplotlib Axes
        The axes it is in.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from centroids import ElbowDisplay
    >>> display = ElbowDisplay([1, 2, 3, 4, 5], [900.0, 300.0, 80.0, 75.0, 71.0])
    >>> display.bend
    3
    """

    line_: Line2D

    def __init__(self, n_clusters: ArrayLike, inertia: ArrayLike) -> None:
        self.n_clusters: NDArray[np.int64] = np.asarray(n_clusters, dtype=np.int64)
        self.inertia: NDArray[np.float64] = np.asarray(inertia, dtype=np.float64)
        if self.n_clusters.ndim != 1 or self.n_clusters.shape != self.inertia.shape:
            raise ValueError(
                f"n_clusters has the shape {self.n_clusters.shape} and inertia "
                f"{self.inertia.shape}; give one inertia for each number of clusters"
            )
        if np.any(np.diff(self.n_clusters) <= 0):
            raise ValueError(f"n_clusters must ascend; got {self.n_clusters.tolist()}")
        self.bend = _sharpest_bend(self.n_clusters, self.inertia)

    def plot(self, ax: Axes | None = None, **line_kwargs: Any) -> ElbowDisplay:
        """Draw the curve and mark its bend.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **line_kwargs
            Passed to `matplotlib.axes.Axes.plot` for the curve.

        Returns
        -------
        ElbowDisplay
            This display, with `line_`, `ax_` and `figure_`.
        """
        ax = self._begin(ax)
        style: dict[str, Any] = {"color": CURVE, "marker": "o", "linewidth": 2}
        (self.line_,) = ax.plot(self.n_clusters, self.inertia, **(style | line_kwargs))
        ax.set(xlabel="number of clusters K", ylabel="inertia (sum of squared distances)")
        ax.set_ylim(bottom=0)
        ax.set_xticks(self.n_clusters)
        ax.yaxis.set_major_formatter("{x:,.10g}")
        finish(ax, grid="y")
        if self.bend is not None:
            self._mark_bend(ax, self.bend)
        return self

    def _mark_bend(self, ax: Axes, bend: int) -> None:
        height = float(self.inertia[self.n_clusters == bend][0])
        ax.axvline(bend, color=CHOSEN, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
        ax.plot([bend], [height], "o", color=CHOSEN, markersize=11, fillstyle="none", zorder=3)
        ax.annotate(
            f"K = {bend}: inertia {_rounded(height)}\nsharpest bend of log inertia",
            xy=(bend, 0.9),
            xycoords=("data", "axes fraction"),
            xytext=(8, 0),
            textcoords="offset points",
            va="top",
            color=CHOSEN,
        )


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _sharpest_bend(n_clusters: NDArray[np.int64], inertia: NDArray[np.float64]) -> int | None:
    """Find where the slope of log inertia rises most, from steep to flat."""
    # A perfect fit has inertia 0; what is left of it by rounding must not look like a cliff.
    floor = np.finfo(np.float64).eps * max(float(inertia.max(initial=0.0)), np.finfo(float).tiny)
    slope = np.diff(np.log(np.maximum(inertia, floor))) / np.diff(n_clusters)
    rise = np.diff(slope)
    if rise.size == 0 or rise.max() <= 0:
        return None
    return int(n_clusters[1 + np.argmax(rise)])
