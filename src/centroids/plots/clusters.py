"""The clusters on a map: rows, centers with their numbers, regions where they tell the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.plots.canvas import AxesDisplay, finish
from centroids.plots.fitted import Fitted, cluster_names, sample_rows
from centroids.plots.maps import HONEST_SHARE, MOST_REGIONS, Projection, map_of, voronoi_cells
from centroids.plots.palette import INK, cluster_colors, text_color_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClustersDisplay"]

SIZE_INCHES = (7.0, 5.6)
MOST_SHOWN = 4000
N_BINS = 60


class ClustersDisplay(AxesDisplay):
    """Rows and centers in two dimensions.

    Two columns are shown as they are, one column as a histogram. More columns are projected on a
    plane; the axes say how much of the whole it shows. Regions are what lies nearest to each center
    *on the map*. They are drawn where at least 95 % of the rows lie in the region of their own
    cluster, and left out where they would mislead.

    Made by `from_estimator`.

    Parameters
    ----------
    points : ndarray of shape (n_shown, n_axes)
        Positions of the rows shown; one or two axes.
    labels : ndarray of shape (n_shown,)
        Their clusters, from 0.
    centers : ndarray of shape (n_clusters, n_axes)
        Positions of the centers.
    axis_labels : sequence of str
        One for each axis.
    rows : ndarray of shape (n_shown,)
        The numbers of the rows shown, from 0.
    n_samples : int
        Rows in all.
    regions : list of ndarray of shape (n_corners, 2) or None, default=None
        A polygon for each cluster.
    region_share : float or None, default=None
        Share of the rows shown whose cluster is that of the nearest center on the map.
    names : sequence of str or None, default=None
        Names of the clusters.

    Attributes
    ----------
    points, labels, centers, axis_labels, rows, n_samples, regions, region_share
        As given.
    names : tuple of str
    ax_ : matplotlib Axes
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from centroids import ClustersDisplay, KMeans
    >>> X = load_iris().data
    >>> display = ClustersDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.axis_labels[0]
    'discriminant 1 (98 % of center spread)'
    >>> display.region_share
    1.0
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        labels: NDArray[np.int32],
        centers: NDArray[np.float64],
        *,
        axis_labels: Sequence[str],
        rows: NDArray[np.int64],
        n_samples: int,
        regions: list[NDArray[np.float64]] | None = None,
        region_share: float | None = None,
        names: Sequence[str | None] | None = None,
    ) -> None:
        self.points = points
        self.labels = labels
        self.centers = centers
        self.axis_labels = tuple(axis_labels)
        self.rows = rows
        self.n_samples = n_samples
        self.regions = regions
        self.region_share = region_share
        self.names = cluster_names(names, len(centers))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        projection: Projection = "auto",
        max_shown: int = MOST_SHOWN,
        feature_names: Sequence[str] | None = None,
        names: Sequence[str | None] | None = None,
    ) -> ClustersDisplay:
        """Put the rows of a fitted model on a map.

        Parameters
        ----------
        estimator : estimator
            A fitted model of centers, or a pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows as the model takes them.
        projection : {"auto", "pca", "discriminant"}, default="auto"
            For more than two columns: the plane in which the rows spread most ("pca"), or that in
            which the centers do ("discriminant"). "auto" is the latter where there are two or more
            clusters.
        max_shown : int, default=4000
            Most rows to show. Of more rows a sample is shown that keeps small clusters; it is the
            same each time.
        feature_names : sequence of str or None, default=None
            Names of the columns; by default those the model knows.
        names : sequence of str or None, default=None
            Names of the clusters.

        Returns
        -------
        ClustersDisplay
        """
        fitted = Fitted.of(estimator, X, feature_names)
        plane = map_of(fitted, projection)
        rows = sample_rows(fitted.labels, len(fitted.centers), max_shown)
        labels = fitted.labels[rows]
        points, centers = plane.project(fitted.dense(rows)), plane.project(fitted.centers)
        share, regions = _honest_regions(points, labels, centers)
        if plane.method == "columns":  # in their own units
            points, centers = fitted.unscaled(points), fitted.unscaled(centers)
            regions = regions and [fitted.unscaled(region) for region in regions]
        return cls(
            points,
            labels,
            centers,
            axis_labels=plane.axis_labels,
            rows=rows,
            n_samples=len(fitted.labels),
            regions=regions,
            region_share=share,
            names=names,
        )

    def plot(self, ax: Axes | None = None) -> ClustersDisplay:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ClustersDisplay
            This display, with `ax_` and `figure_`.
        """
        ax = self._begin(ax)
        if self.points.shape[1] == 1:
            self._plot_histogram(ax)
        else:
            self._plot_map(ax)
        n_shown = len(self.rows)
        if n_shown < self.n_samples:
            ax.set_title(
                f"{n_shown:,} of {self.n_samples:,} rows shown, small clusters kept",
                fontsize=9, color=INK["muted"], loc="left",
            )  # fmt: skip
        finish(ax)
        return self

    def _size(self) -> tuple[float, float]:
        return SIZE_INCHES

    def _plot_map(self, ax: Axes) -> None:
        colors = cluster_colors(len(self.centers))
        if self.regions is not None:
            for region, color in zip(self.regions, colors, strict=True):
                if len(region):
                    ax.fill(*region.T, color=color, alpha=0.08, lw=0)
                    ax.plot(*np.vstack([region, region[:1]]).T, color=INK["line"], lw=0.7)
        size = float(np.clip(12000 / max(len(self.points), 1), 5, 28))
        of_row = np.array(colors, dtype=object)[self.labels]
        # In a shuffled order, lest the last cluster hide the others.
        order = np.random.default_rng(0).permutation(len(self.points))
        x, y = self.points[order].T
        ax.scatter(x, y, c=of_row[order].tolist(), s=size, alpha=0.65, lw=0)
        draw_centers(ax, self.centers, colors)
        low, high = frame_of(self.points, self.centers)
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.set(xlabel=self.axis_labels[0], ylabel=self.axis_labels[1])

    def _plot_histogram(self, ax: Axes) -> None:
        colors = cluster_colors(len(self.centers))
        edges = np.histogram_bin_edges(self.points[:, 0], bins=N_BINS)
        values = [self.points[self.labels == j, 0] for j in range(len(self.centers))]
        ax.hist(values, bins=list(edges), stacked=True, color=colors)
        top = ax.get_ylim()[1]
        ax.set_ylim(0, top * 1.14)
        centers = np.column_stack([self.centers[:, 0], np.full(len(self.centers), top * 1.06)])
        for x in self.centers[:, 0]:
            ax.axvline(x, color=INK["muted"], lw=0.8, ls=":", ymax=0.92, zorder=0)
        draw_centers(ax, centers, colors)
        ax.set(xlabel=self.axis_labels[0], ylabel="rows")


def draw_centers(ax: Axes, centers: NDArray[np.float64], colors: Sequence[str]) -> None:
    """Draw each center as a disc with the number of its cluster."""
    font = 9.0 if len(centers) <= 12 else 7.0
    for j, (center, color) in enumerate(zip(centers, colors, strict=True)):
        ax.annotate(
            f"{j}", xy=tuple(center), ha="center", va="center", fontsize=font, fontweight="bold",
            color=text_color_on(color), zorder=5, annotation_clip=True,
            bbox={"boxstyle": "circle,pad=0.28", "fc": color, "ec": "white", "lw": 1.4},
        )  # fmt: skip


def frame_of(
    points: NDArray[np.float64], centers: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a box around everything, with a margin."""
    everything = np.vstack([points, centers])
    low, high = everything.min(axis=0), everything.max(axis=0)
    extent = high - low
    margin = 0.05 * np.where(extent > 0, extent, np.maximum(extent.max(), 1.0))
    return low - margin, high + margin


def _honest_regions(
    points: NDArray[np.float64], labels: NDArray[np.int32], centers: NDArray[np.float64]
) -> tuple[float | None, list[NDArray[np.float64]] | None]:
    """Return the share of the rows that lie in their region, and the regions if it is high."""
    if points.shape[1] < 2 or not 2 <= len(centers) <= MOST_REGIONS:
        return None, None
    nearest = np.argmin(
        np.square(centers).sum(axis=1) - 2 * (points @ centers.T), axis=1
    )  # |p|^2 is the same for all centers
    share = float(np.mean(nearest == labels))
    if share < HONEST_SHARE:
        return share, None
    return share, voronoi_cells(centers, *frame_of(points, centers))
