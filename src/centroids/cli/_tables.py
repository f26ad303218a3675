"""Tables on a terminal: the clusters, and clusters against classes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from centroids.cli._output import Payload
from centroids.wording import count, percent

__all__ = ["plain_table", "print_clusters", "print_confusion"]

MAX_CLUSTERS_SHOWN = 30
MAX_CLASSES_NAMED = 3
MAX_NAME = 12
UNLIMITED = 100_000


def print_clusters(console: Console, clusters: Sequence[Payload], columns: Sequence[str]) -> None:
    """Print rows and share of each cluster, and its center if all columns fit on the line."""
    shown = clusters[:MAX_CLUSTERS_SHOWN]
    has_centers = bool(shown) and "center" in shown[0]
    wide = _clusters_table(shown, columns if has_centers else ())
    if _fits(console, wide):
        console.print(wide)
    else:
        console.print(_clusters_table(shown, ()))
        console.print(
            f"The {len(columns)} columns of the centers do not fit here; --json has them."
        )
    if len(shown) < len(clusters):
        console.print(_hidden(len(clusters) - len(shown)))


def print_confusion(console: Console, parts: Sequence[tuple[str, Payload]]) -> None:
    """Print rows per cluster and class: one table for each part, side by side if there is room.

    Parameters
    ----------
    console : Console
        Where to print.
    parts : sequence of (str, dict)
        A title ("training rows") and a match as plain data, see `_matching`. All parts have the
        clusters of the first one in the same order.
    """
    shown = _largest(parts[0][1]["confusion"])
    tables = [
        _confusion_table(title, match, shown, has_names=i == 0)
        for i, (title, match) in enumerate(parts)
    ]
    row = Table.grid(padding=(0, 3))
    row.add_row(*tables)
    if _fits(console, row):
        console.print(row)
    else:
        for i, (title, match) in enumerate(parts):
            if i:
                console.print()
            table = _confusion_table(title, match, shown, has_names=True)
            console.print(table if _fits(console, table) else _classes_table(title, match, shown))
    n_hidden = len(parts[0][1]["clusters"]) - len(shown)
    if n_hidden:
        console.print(_hidden(n_hidden))


def _hidden(n_clusters: int) -> str:
    return f"{count(n_clusters, 'smaller cluster')} not shown; --json has all."


def _clusters_table(clusters: Sequence[Payload], columns: Sequence[str]) -> Table:
    table = plain_table("cluster", "rows", "share", *map(_short, columns))
    for cluster in clusters:
        center = [_coordinate(value) for value in cluster["center"]] if columns else []
        name = cluster.get("name")
        table.add_row(
            str(cluster["cluster"]) + ("" if name is None else f" {_short(name)}"),
            f"{cluster['rows']:,}",
            percent(cluster["share"]),
            *center,
        )
    return table


def _confusion_table(title: str, match: Payload, shown: Sequence[int], *, has_names: bool) -> Table:
    """Clusters as rows, classes as columns; the largest class of each cluster stands out."""
    table = plain_table(*["cluster"] * has_names, *(_short(str(name)) for name in match["classes"]))
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    table.min_width = len(title)  # beside each other, tables need titles of one line each
    for i in shown:
        counts = match["confusion"][i]
        cells = [_cell(count, is_largest=count == max(counts)) for count in counts]
        table.add_row(*[str(match["clusters"][i])] * has_names, *cells)
    return table


def _classes_table(title: str, match: Payload, shown: Sequence[int]) -> Table:
    """Clusters as rows with their largest classes in words, for more classes than fit."""
    table = plain_table("cluster", "rows")
    table.add_column("largest classes")
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    for i in shown:
        counts = match["confusion"][i]
        order = sorted((j for j in range(len(counts)) if counts[j]), key=lambda j: -counts[j])
        named = [f"{_short(str(match['classes'][j]))} ({counts[j]:,})" for j in order]
        rest = len(named) - MAX_CLASSES_NAMED
        more = f" and {rest:,} more" if rest > 0 else ""
        table.add_row(
            str(match["clusters"][i]),
            f"{sum(counts):,}",
            ", ".join(named[:MAX_CLASSES_NAMED]) + more,
        )
    return table


def _cell(count: int, *, is_largest: bool) -> Text:
    if not count:
        return Text("·", style="dim")
    return Text(f"{count:,}", style="bold" if is_largest else "")


def _fits(console: Console, table: Table) -> bool:
    unlimited = console.options.update_width(UNLIMITED)
    return bool(Measurement.get(console, unlimited, table).maximum <= console.width)


def plain_table(*columns: str) -> Table:
    """Make an empty table of numbers with a line under its header and nothing else."""
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style=""
    )
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _largest(confusion: Sequence[Sequence[int]]) -> list[int]:
    """Positions of the largest clusters, in the order of the table."""
    by_size = sorted(range(len(confusion)), key=lambda i: -sum(confusion[i]))
    return sorted(by_size[:MAX_CLUSTERS_SHOWN])


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 4]}…{name[-3:]}"


def _coordinate(value: float) -> str:
    """Write a coordinate of a center: four digits, large ones without an exponent."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"
