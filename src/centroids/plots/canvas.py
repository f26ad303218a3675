"""What displays share: axes on screen, or a figure that goes straight into a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self

from centroids.rows.errors import MissingExtraError
from centroids.rows.output import check_output, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["AxesDisplay", "Display", "finish", "new_figure"]

SIZE_INCHES = (7.0, 4.4)
DOTS_PER_INCH = 160


@contextmanager
def _naming_the_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            'drawing needs matplotlib: pip install "centroids[plot]"'
        ) from error


def new_figure(size_inches: tuple[float, float]) -> Figure:
    """Make an empty figure of pyplot."""
    with _naming_the_extra():
        import matplotlib.pyplot as plt
    figure: Figure = plt.figure(figsize=size_inches, layout="constrained")
    return figure


class Display:
    """A picture of finished numbers; a subclass says how it is drawn."""

    figure_: Figure

    def save(self, path: str | os.PathLike[str]) -> None:
        """Draw into a figure of its own and write it as PNG, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file, ``*.png``.
        """
        path = check_output(path, (".png",))
        # Without a screen and without pyplot's state.
        with _naming_the_extra():
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        figure = Figure(figsize=self._size(), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        self._draw_in(figure)
        with whole_file(path) as temporary:
            figure.savefig(temporary, format="png")

    def _size(self) -> tuple[float, float]:
        """Return width and height of a figure of its own, in inches."""
        return SIZE_INCHES

    def _draw_in(self, figure: Figure) -> None:
        """Draw in an empty figure."""
        raise NotImplementedError


class AxesDisplay(Display):
    """A picture in one pair of axes."""

    ax_: Axes

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw in these axes, or in those of a new figure."""
        raise NotImplementedError

    def _begin(self, ax: Axes | None) -> Axes:
        """Return the axes to draw in, and keep them."""
        if ax is None:
            ax = new_figure(self._size()).add_subplot()
        self.ax_, self.figure_ = ax, ax.figure  # type: ignore[assignment]
        return ax

    def _draw_in(self, figure: Figure) -> None:
        self.plot(figure.add_subplot())


def finish(ax: Axes, grid: Literal["x", "y", "both"] | None = None) -> None:
    """Give axes the looks all displays share: two spines, a faint grid behind the marks."""
    if grid is not None:
        ax.grid(axis=grid, color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
