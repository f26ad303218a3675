"""Where displays draw: axes on screen, or a figure that goes straight into a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from centroids.rows.errors import MissingExtraError
from centroids.rows.output import check_output, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["finish", "new_axes", "new_figure", "save_drawing", "save_figure"]

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


def new_axes(size_inches: tuple[float, float] = SIZE_INCHES) -> Axes:
    """Make axes in a new figure of pyplot."""
    ax: Axes = new_figure(size_inches).add_subplot()
    return ax


def new_figure(size_inches: tuple[float, float]) -> Figure:
    """Make an empty figure of pyplot."""
    with _naming_the_extra():
        import matplotlib.pyplot as plt
    figure: Figure = plt.figure(figsize=size_inches, layout="constrained")
    return figure


def save_figure(path: str | os.PathLike[str], draw: Callable[[Axes], Any]) -> None:
    """Let `draw` fill axes and write them as PNG, without a screen and without pyplot's state."""
    save_drawing(path, lambda figure: draw(figure.add_subplot()), SIZE_INCHES)


def save_drawing(
    path: str | os.PathLike[str], draw: Callable[[Figure], Any], size_inches: tuple[float, float]
) -> None:
    """Let `draw` fill a figure and write it as PNG, without a screen and without pyplot's state."""
    path = check_output(path, (".png",))
    with _naming_the_extra():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=size_inches, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png")


def finish(ax: Axes, grid: Literal["x", "y", "both"] | None = None) -> None:
    """Give axes the looks all displays share: two spines, a faint grid behind the marks."""
    if grid is not None:
        ax.grid(axis=grid, color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
