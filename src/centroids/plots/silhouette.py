"""How much nearer rows lie to their own center than to the next: one block of bars per cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centroids.plots.canvas import AxesDisplay, finish
from centroids.plots.fitted import Fitted, cluster_names
from centroids.plots.palette import INK, cluster_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SilhouetteDisplay"]

# Lines of the outline of one cluster; more cannot be told apart.
MOST_STEPS = 200
# Of the height of the picture: so that the smallest cluster can be seen.
LEAST_HEIGHT, GAP = 0.008, 0.012


class SilhouetteDisplay(AxesDisplay):
    """The silhouette plot, from distances to centers.

    The *simplified* silhouette of a row is ``1 - a / b``: `a` is its distance to its own center,
    `b` that to the second nearest. Near 1 the row lies deep in its cluster, at 0 half way between
    two. It is exact and takes linear time; the classical silhouette, from distances between all
    pairs of rows, takes quadratic time and has mostly lower values.

    Every cluster is a block. Its height is its share of the rows; its outline are the values of its
    rows, in order. Of large clusters the outline shows every so-and-so-many-th value.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Silhouette of each row.
    labels : array-like of shape (n_samples,)
        Its cluster, from 0.
    names : sequence of str or None, default=None
        Names of the clusters; None for one that has none.

    Attributes
    ----------
    outlines : list of ndarray
        For each cluster its values in falling order, thinned out to 200 at most.
    counts : ndarray of shape (n_clusters,)
        Rows in each cluster.
    means : ndarray of shape (n_clusters,)
        Mean value of each cluster, over all its rows; NaN where it has none.
    mean : float
        Mean over all rows.
    names : tuple of str
    ax_ : matplotlib Axes
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from centroids import KMeans, SilhouetteDisplay
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> model = KMeans(2, random_state=0).fit(X)
    >>> round(SilhouetteDisplay.from_estimator(model, X).mean, 3)
    0.95
    """

    def __init__(
        self, values: ArrayLike, labels: ArrayLike, *, names: Sequence[str | None] | None = None
    ) -> None:
        values = np.asarray(values, dtype=np.float64)
        codes = np.asarray(labels)
        if values.ndim != 1 or values.shape != codes.shape or not len(values):
            raise ValueError(
                f"values has the shape {values.shape} and labels {codes.shape}; give one of each "
                "for every row"
            )
        n_clusters = int(codes.max()) + 1 if names is None else len(names)
        self.names = cluster_names(names, n_clusters)
        self.counts: NDArray[np.int64] = np.bincount(codes, minlength=n_clusters).astype(np.int64)
        sums = np.bincount(codes, weights=values, minlength=n_clusters)
        self.means: NDArray[np.float64] = np.full(n_clusters, np.nan)
        np.divide(sums, self.counts, out=self.means, where=self.counts > 0)
        self.mean = float(values.mean())
        order = np.lexsort((-values, codes))
        ends = np.cumsum(self.counts)
        self.outlines = [
            _thinned(values[order[end - count : end]])
            for end, count in zip(ends.tolist(), self.counts.tolist(), strict=True)
        ]

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, names: Sequence[str | None] | None = None
    ) -> SilhouetteDisplay:
        """Compute the values of rows for a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted model of at least two centers, or a pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows as the model takes them.
        names : sequence of str or None, default=None
            Names of the clusters.

        Returns
        -------
        SilhouetteDisplay

        Raises
        ------
        ValueError
            If the model has one cluster.
        """
        fitted = Fitted.of(estimator, X)
        n_clusters = len(fitted.centers)
        if n_clusters < 2:
            raise ValueError(
                "estimator has one cluster; a silhouette needs a second to compare with"
            )
        near = fitted.nearest
        values = np.zeros(len(near.labels))
        apart = near.second_distances > 0
        np.divide(near.distances, near.second_distances, out=values, where=apart)
        values = np.where(apart, 1 - values, 0.0)
        return cls(values, near.labels, names=[None] * n_clusters if names is None else names)

    def plot(self, ax: Axes | None = None) -> SilhouetteDisplay:
        """Draw the blocks, the first cluster on top.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        SilhouetteDisplay
            This display, with `ax_` and `figure_`.
        """
        ax = self._begin(ax)
        middles = []
        for (top, bottom), outline, color in zip(
            self.blocks(), self.outlines, cluster_colors(len(self.names)), strict=True
        ):
            middles.append((top + bottom) / 2)
            if len(outline):
                levels = np.linspace(top, bottom, len(outline) + 1)
                ax.fill_betweenx(
                    levels, 0, np.append(outline, outline[-1]), step="post", color=color, lw=0
                )
        ax.axvline(self.mean, color=INK["text"], lw=1.2, ls=(0, (4, 3)))
        ax.text(
            self.mean, 1.0, f"mean {self.mean:.2f} ", transform=ax.get_xaxis_transform(),
            ha="right", va="bottom", fontsize=9, color=INK["text"],
        )  # fmt: skip
        # Names would lie on each other where many small clusters follow.
        n_lines = ax.get_window_extent().height / (1.25 * 9 * ax.figure.dpi / 72)
        labelled = _spaced(middles, 1 / max(n_lines, 1))
        ax.set_yticks([middles[j] for j in labelled], [self.names[j] for j in labelled])
        ax.tick_params(axis="y", length=0, labelsize=9)
        lowest = min((float(o.min()) for o in self.outlines if len(o)), default=0.0)
        ax.set(ylim=(1, 0), xlim=(min(0.0, lowest), 1), ylabel="cluster")
        ax.set_xlabel("simplified silhouette, from distances to centers (1 = deep in its cluster)")
        finish(ax, grid="x")
        ax.spines["left"].set_visible(False)
        return self

    def blocks(self) -> list[tuple[float, float]]:
        """Return where each cluster begins and ends in a picture of height 1, from the top.

        Returns
        -------
        list of (float, float)
        """
        n_clusters = len(self.counts)
        gap = min(GAP, 0.3 / n_clusters)
        shares = np.maximum(self.counts / self.counts.sum(), min(LEAST_HEIGHT, 0.5 / n_clusters))
        heights = shares / shares.sum() * (1 - gap * (n_clusters + 1))
        tops = gap + np.concatenate([[0.0], np.cumsum(heights + gap)[:-1]])
        return [(float(t), float(t + h)) for t, h in zip(tops, heights, strict=True)]


def _thinned(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(ordered) <= MOST_STEPS:
        return ordered
    steps: NDArray[np.float64] = ordered[
        np.linspace(0, len(ordered) - 1, MOST_STEPS).round().astype(int)
    ]
    return steps


def _spaced(middles: Sequence[float], least: float) -> list[int]:
    kept: list[int] = []
    for j, middle in enumerate(middles):
        if not kept or middle - middles[kept[-1]] >= least:
            kept.append(j)
    return kept
