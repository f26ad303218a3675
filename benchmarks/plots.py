"""Growth of time with each size, as PNG files."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.cells import GROWTH, GROWTH_BASE
from benchmarks.results import Record
from benchmarks.summary import LIBRARIES, OURS, Row, rows

SIZES = tuple(GROWTH)
# Okabe and Ito's palette: told apart by colour-blind readers too; markers carry it in print.
STYLES = dict(zip(LIBRARIES, ("#D55E00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7"), strict=True))
MARKERS = dict(zip(LIBRARIES, "osD^v", strict=True))


def draw_growth(records: list[Record], folder: Path) -> list[Path]:
    """One figure per task with a panel per size; returns the files written."""
    written = []
    for task in ("step", "fit"):
        table = rows(records, "growth", task)
        if not table:
            continue
        figure = Figure(figsize=(13, 4.2), layout="constrained")
        panels = figure.subplots(1, len(SIZES))
        for panel, size in zip(panels, SIZES, strict=True):
            _draw_panel(panel, size, task, table)
        panels[0].set_ylabel("seconds per iteration" if task == "step" else "seconds")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        path = folder / f"growth-{task}.png"
        figure.savefig(path, dpi=130, metadata={"Software": None})
        written.append(path)
    return written


def series(size: str, table: list[Row]) -> list[Row]:
    """Rows in which only this size differs from the base cell, by that size."""
    fixed = [name for name in SIZES if name != size]
    chosen = [r for r in table if all(getattr(r, f) == getattr(GROWTH_BASE, f) for f in fixed)]
    return sorted(chosen, key=lambda row: getattr(row, size))


def _draw_panel(panel: Axes, size: str, task: str, table: list[Row]) -> None:
    for library in LIBRARIES:
        points = [
            (getattr(row, size), _height(row, library, task))
            for row in series(size, table)
            if library in row.entries
        ]
        if points:
            panel.loglog(
                *zip(*points, strict=True),
                color=STYLES[library],
                marker=MARKERS[library],
                linewidth=2.5 if library == OURS else 1.3,
                label=library,
            )
    fixed = (f"{name} = {getattr(GROWTH_BASE, name):,}" for name in SIZES if name != size)
    panel.set_title(", ".join(fixed), fontsize=9)
    panel.set_xlabel(size)
    panel.grid(visible=True, which="major", alpha=0.3)


def _height(row: Row, library: str, task: str) -> float:
    entry = row.entries[library]
    # Some starts settle before the step's last iteration, not at the same one in every library.
    return entry.seconds / (entry.n_iter or 1) if task == "step" else entry.seconds
