"""The fit as it happens: where the centers were, iteration by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from centroids.plots.canvas import AxesDisplay, finish
from centroids.plots.clusters import SIZE_INCHES, draw_centers, frame_of
from centroids.plots.fitted import Fitted, cluster_names, sample_rows
from centroids.plots.maps import PlaneMap, Projection, map_of
from centroids.plots.palette import INK, cluster_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from centroids.estimators.runs import FitState

__all__ = ["FitRecorder", "IterationsDisplay"]

MOST_SHOWN = 1500


class FitRecorder:
    """A ``callback`` that keeps the centers of every iteration, for `IterationsDisplay`.

    It takes the memory of one set of centers for each iteration of each of the ``n_init`` runs.

    Attributes
    ----------
    runs : list of list of FitState
        What each run reported.

    Examples
    --------
    >>> from centroids import FitRecorder, KMeans
    >>> recorder = FitRecorder()
    >>> model = KMeans(2, random_state=0, callback=recorder).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> len(recorder.runs), len(recorder.runs[0]) == model.n_iter_
    (1, True)
    """

    def __init__(self) -> None:
        self.runs: list[list[FitState]] = []

    def __call__(self, state: FitState) -> None:
        """Keep the state of an iteration."""
        if state.iteration == 1:
            if state.run == 1:
                self.runs.clear()  # a new fit
            self.runs.append([])
        self.runs[-1].append(state)

    def run_of(self, model: Any) -> list[FitState]:
        """Return what the run reported that became the model.

        Parameters
        ----------
        model : KMeans
            Fitted with this recorder as its callback.

        Returns
        -------
        list of FitState

        Raises
        ------
        ValueError
            If none of the recorded runs is that of the model.
        """
        history = getattr(model, "history_", {}).get("inertia")
        for run in self.runs:
            if history is not None and [state.inertia for state in run] == list(history):
                return run
        raise ValueError(
            "the recorder did not record the fit of this model; fit it with callback=recorder"
        )


@dataclass(frozen=True, eq=False)
class Frame:
    """One state of the fit.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_axes)
        On the map.
    labels : ndarray of shape (n_shown,)
        Clusters of the rows shown, by the nearest of these centers.
    inertia : float
        Of all rows.
    share_moved : float or None
        Share of all rows that changed their cluster from the frame before; None in the last frame
        if that was not counted.
    is_after_search : bool
        Whether the run had ended before, and the local search that followed (`KMeans`, ``search``)
        came to these centers.
    """

    centers: NDArray[np.float64]
    labels: NDArray[np.int32]
    inertia: float
    share_moved: float | None
    is_after_search: bool = False


class IterationsDisplay(AxesDisplay):
    """The paths of the centers, from the first ones to where they came to rest.

    Made by `from_recorder`, or by `from_estimator`, which repeats the fit.

    Parameters
    ----------
    frames : sequence of Frame
        The states, the first centers first and those of the model last.
    points : ndarray of shape (n_shown, n_axes)
        Positions of the rows shown.
    axis_labels : sequence of str
        One for each axis.
    rows : ndarray of shape (n_shown,)
        Their numbers, from 0.
    n_samples : int
        Rows in all.
    names : sequence of str or None, default=None
        Names of the clusters.

    Attributes
    ----------
    frames : tuple of Frame
    points, axis_labels, rows, n_samples
        As given.
    names : tuple of str
    ax_ : matplotlib Axes
        The axes, once plotted.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from centroids import IterationsDisplay, KMeans
    >>> X = load_iris().data
    >>> display = IterationsDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.frames[0].inertia > display.frames[-1].inertia
    True
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        points: NDArray[np.float64],
        *,
        axis_labels: Sequence[str],
        rows: NDArray[np.int64],
        n_samples: int,
        names: Sequence[str | None] | None = None,
    ) -> None:
        self.frames = tuple(frames)
        self.points = points
        self.axis_labels = tuple(axis_labels)
        self.rows = rows
        self.n_samples = n_samples
        self.names = cluster_names(names, len(self.frames[0].centers))

    @classmethod
    def from_recorder(
        cls,
        recorder: FitRecorder,
        estimator: Any,
        X: Any,
        *,
        projection: Projection = "auto",
        max_shown: int = MOST_SHOWN,
        feature_names: Sequence[str] | None = None,
        names: Sequence[str | None] | None = None,
    ) -> IterationsDisplay:
        """Show the fit that a recorder listened to.

        Parameters
        ----------
        recorder : FitRecorder
            The ``callback`` of the fit.
        estimator : KMeans or Pipeline
            The fitted model.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows it was fitted on.
        projection : {"auto", "pca", "discriminant"}, default="auto"
            As in `ClustersDisplay.from_estimator`: the map of the final model.
        max_shown : int, default=1500
            Most rows to show.
        feature_names : sequence of str or None, default=None
            Names of the columns; by default those the model knows.
        names : sequence of str or None, default=None
            Names of the clusters.

        Returns
        -------
        IterationsDisplay
        """
        fitted = Fitted.of(estimator, X, feature_names)
        states = recorder.run_of(fitted.kmeans)
        plane = map_of(fitted, projection)
        rows = sample_rows(fitted.labels, len(fitted.centers), max_shown)
        shown = fitted.dense(rows)
        frames = _frames(states, fitted, plane, shown, fitted.labels[rows])
        points = plane.project(shown)
        return cls(
            frames,
            fitted.unscaled(points) if plane.method == "columns" else points,
            axis_labels=plane.axis_labels,
            rows=rows,
            n_samples=len(fitted.labels),
            names=names,
        )

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
    ) -> IterationsDisplay:
        """Repeat the fit of a model with a recorder, and show it.

        Parameters
        ----------
        estimator : KMeans or Pipeline
            Its settings are used; ``random_state`` has to be an int, or the fit would be another
            one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows it was fitted on.
        projection : {"auto", "pca", "discriminant"}, default="auto"
            As in `ClustersDisplay.from_estimator`: the map of the final model.
        max_shown : int, default=1500
            Most rows to show.
        feature_names : sequence of str or None, default=None
            Names of the columns; by default those the model knows.
        names : sequence of str or None, default=None
            Names of the clusters.

        Returns
        -------
        IterationsDisplay
        """
        from sklearn.base import clone

        recorder = FitRecorder()
        again = clone(estimator)
        (again[-1] if hasattr(again, "steps") else again).set_params(callback=recorder)
        again.fit(X)
        return cls.from_recorder(
            recorder,
            again,
            X,
            projection=projection,
            max_shown=max_shown,
            feature_names=feature_names,
            names=names,
        )

    def plot(self, ax: Axes | None = None, *, frame: int = -1) -> IterationsDisplay:
        """Draw the paths up to a frame, and the rows colored by the nearest center then.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        frame : int, default=-1
            Which frame; the last by default, 0 for the first centers.

        Returns
        -------
        IterationsDisplay
            This display, with `ax_` and `figure_`.
        """
        ax = self._begin(ax)
        number = range(len(self.frames))[frame]
        state = self.frames[number]
        colors = cluster_colors(len(state.centers))
        of_row = [colors[label] for label in state.labels]
        paths = np.array([f.centers for f in self.frames])
        points = self.points
        if points.shape[1] == 1:  # a strip: the axis upwards is time
            heights = np.random.default_rng(0).uniform(0, len(paths) - 1, len(points))
            points = np.column_stack([points[:, 0], heights])
            times = np.broadcast_to(np.arange(len(paths))[:, None, None], (*paths.shape[:2], 1))
            paths = np.concatenate([paths, times], axis=2)
            ax.set_ylabel("iteration")
            ax.locator_params(axis="y", integer=True)
        x, y = points.T
        ax.scatter(x, y, c=of_row, s=9, alpha=0.35, lw=0)
        for j, color in enumerate(colors):
            ax.plot(*paths[: number + 1, j].T, "-", color="white", lw=3.4, zorder=3)
            ax.plot(*paths[: number + 1, j].T, "-o", color=color, lw=1.5, ms=3, zorder=4)
            if number:
                ax.plot(*paths[0, j], "o", ms=8, mfc="white", mec=color, mew=1.6, zorder=4)
        draw_centers(ax, paths[number], colors)
        low, high = frame_of(points, paths.reshape(-1, paths.shape[2]))
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=self.axis_labels[0])
        if self.points.shape[1] == 2:
            ax.set_ylabel(self.axis_labels[1])
        n_iterations = sum(not f.is_after_search for f in self.frames) - 1
        when = f"after {number} of {n_iterations} iterations" if number else "first centers"
        if state.is_after_search:
            when = "after the search that followed the run"
        start = "; hollow: first centers" if number else ""
        ax.set_title(
            f"{when}, inertia {state.inertia:,.6g}{start}",
            fontsize=9, color=INK["muted"], loc="left",
        )  # fmt: skip
        finish(ax)
        return self

    def _size(self) -> tuple[float, float]:
        return SIZE_INCHES


def _frames(
    states: Sequence[FitState],
    fitted: Fitted,
    plane: PlaneMap,
    shown: NDArray[np.float64],
    final_labels: NDArray[np.int32],
) -> list[Frame]:
    tracked = _tracked([state.centers for state in states], fitted.centers)
    frames = []
    for state, centers in zip(states, tracked, strict=True):
        labels = cdist(shown, centers, "sqeuclidean").argmin(axis=1).astype(np.int32)
        share = None if state.iteration == 1 else state.share_moved
        frames.append(Frame(_placed(centers, fitted, plane), labels, state.inertia, share))
    if not tracked or not np.array_equal(tracked[-1], fitted.centers):
        last = _placed(fitted.centers, fitted, plane)
        is_after_search = bool(tracked) and _is_a_leap(states[-1], tracked[-1], fitted.centers)
        inertia = float(fitted.kmeans.inertia_)
        frames.append(Frame(last, final_labels, inertia, None, is_after_search))
    return frames


def _is_a_leap(state: FitState, centers: NDArray[np.float64], final: NDArray[np.float64]) -> bool:
    """Whether the last centers are not those that the last iteration of the run moved to."""
    gap = float(np.square(centers - final).sum())
    return gap > 1.001 * state.center_shift + 1e-12 * float(np.square(final).sum())


def _placed(centers: NDArray[np.float64], fitted: Fitted, plane: PlaneMap) -> NDArray[np.float64]:
    positions = plane.project(centers)
    return fitted.unscaled(positions) if plane.method == "columns" else positions


def _tracked(
    centers: Sequence[NDArray[np.float64]], final: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Give the clusters of each iteration the numbers of the model, from the last to the first.

    A seeded run numbers its clusters by size when it is nearly settled. From one iteration to the
    next the numbering is followed by the assignment with the shortest way for all centers together.
    """
    following, tracked = final, []
    for before in reversed(centers):
        _, order = linear_sum_assignment(cdist(following, before, "sqeuclidean"))
        following = before[order]
        tracked.append(following)
    return tracked[::-1]
