"""``centroids compare``: what changed from an old model to a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._modelling import clusterer_of, feature_names_of, logged_of
from centroids.cli._options import Layout, Missing, MissingInNewRows, ModelColumns, Running
from centroids.cli._output import Payload, collecting_warnings, emit, number, working
from centroids.cli._reading import data_payload, missing_rule_of, name_of, read_for_model
from centroids.cli._words import alignment_payload, print_alignment, print_data, print_notes
from centroids.wording import count, percent

__all__ = ["compare"]

MAX_MOVES_SHOWN = 10


@expanded
def compare(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="The model of before.", show_default=False)
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The model of now.", show_default=False)
    ],
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DATA",
            help="Rows to give to both models, to see which change their cluster.",
            show_default=False,
        ),
    ] = None,
    *,
    columns: ModelColumns = None,
    missing: MissingInNewRows = None,
    layout: Layout,
    running: Running,
) -> None:
    """Say what changed from one model to the next: what moved, grew, appeared and vanished.

    Clusters are matched by their centers. The numbers are those of OLD wherever a cluster is still
    there; the files stay as they are (`fit --align-to` keeps the numbers for good).

    Example: [bold]centroids compare march.safetensors april.safetensors[/bold]

    Example: [bold]centroids compare march.safetensors april.safetensors april.csv --json[/bold]
    """
    before, now = centroids.load(old), centroids.load(new)
    alignment = centroids.align(now, before)
    result: Payload = {
        "command": "compare",
        "old": str(old),
        "new": str(new),
        "alignment": alignment_payload(alignment),
        "data": None,
        "rows": None,
        "notes": [],
    }
    if data:
        with working(f"reading {name_of(data)}", running.as_json):
            table = read_for_model(
                before,
                data,
                layout,
                columns=columns,
                missing=missing or _rule_for_both(before, now),
                positive=[_order(before, now)[column] for column in logged_of(now)],
                running=running,
            )
        with working("predicting", running.as_json), collecting_warnings() as notes:
            result["data"] = data_payload(table)
            result["rows"] = _moves(before, now, alignment, table)
        result["notes"] = notes
    emit(result, _show, running.as_json)


def _rule_for_both(before: Any, now: Any) -> Missing:
    """Give what can be done about missing values so that both models can take the rows."""
    rules = {missing_rule_of(before), missing_rule_of(now)}
    return rules.pop() if len(rules) == 1 else Missing.DROP


def _moves(
    before: Any, now: Any, alignment: centroids.Alignment, table: centroids.Table
) -> Payload:
    """Count the rows that both models put into the same cluster, and where the others went."""
    rows = centroids.prepare_rows(before, table.X)
    rows_now = centroids.prepare_rows(now, _in_order(table, before, now))
    old_one, new_one = clusterer_of(before), clusterer_of(now)
    old, new = old_one.predict(rows), new_one.predict(rows_now)
    number_now = np.array([-1 if j is None else j for _, j in sorted(alignment.mapping.items())])
    n_old, n_new = (len(clusterer_of(m).cluster_centers_) for m in (before, now))
    table_of_moves = np.zeros((n_old, n_new), dtype=np.int64)
    np.add.at(table_of_moves, (old, new), 1)
    return {
        "n_samples": table.n_samples,
        "n_changed": int(np.count_nonzero(number_now[old] != new)),
        "moves": table_of_moves.tolist(),
        "inertia_old": -float(old_one.score(rows)),
        "inertia_new": -float(new_one.score(rows_now)),
    }


def _order(before: Any, now: Any) -> list[int]:
    """Give the positions that the columns of the new model have in the old one."""
    names_before, names_now = feature_names_of(before), feature_names_of(now)
    if names_before is None or names_now is None:
        return list(range(int(now.n_features_in_)))
    return [names_before.index(name) for name in names_now]


def _in_order(table: centroids.Table, before: Any, now: Any) -> NDArray[Any]:
    """Give the rows with their columns as the new model has them."""
    order = _order(before, now)
    is_same = order == list(range(len(order)))
    return table.X if is_same else np.ascontiguousarray(table.X[:, order])


def _show(result: Payload, console: Console) -> None:
    print_alignment(console, result["alignment"])
    rows = result["rows"]
    if rows is None:
        return
    console.print()
    print_data(console, result["data"])
    console.print(
        f"\n{count(rows['n_changed'], 'row')} of {rows['n_samples']:,} "
        f"({percent(rows['n_changed'] / rows['n_samples'])}) changed their cluster."
    )
    _show_moves(console, rows["moves"], result["alignment"])
    console.print(
        f"\nInertia of these rows: {number(rows['inertia_old'])} with the old model, "
        f"{number(rows['inertia_new'])} with the new one, each in its own units."
    )
    print_notes(console, result["notes"])


def _show_moves(console: Console, moves: list[list[int]], alignment: Payload) -> None:
    """List the largest groups of rows that changed their cluster."""
    stayed = {(entry["old"], entry["cluster"]) for entry in alignment["clusters"]}
    groups = [
        (n_rows, old, new)
        for old, row in enumerate(moves)
        for new, n_rows in enumerate(row)
        if n_rows and (old, new) not in stayed
    ]
    groups.sort(key=lambda group: (-group[0], group[1:]))
    for n_rows, old, new in groups[:MAX_MOVES_SHOWN]:
        console.print(f"  {count(n_rows, 'row')} from old cluster {old} to cluster {new}")
    if len(groups) > MAX_MOVES_SHOWN:
        console.print(f"  … and {count(len(groups) - MAX_MOVES_SHOWN, 'smaller group')}")
