"""``centroids evaluate``: compare the clusters of a model with known classes."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer
from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._matching import match_payload
from centroids.cli._modelling import clusterer_of, positions_in_file
from centroids.cli._options import Data, Layout, MissingInNewRows, Model, ModelColumns, Running
from centroids.cli._output import Payload, collecting_warnings, emit, number, working
from centroids.cli._reading import data_payload, name_of, read_for_model
from centroids.cli._words import print_data, print_matches, print_notes

__all__ = ["evaluate"]


@expanded
def evaluate(
    model: Model,
    data: Data,
    *,
    truth: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="The column of known classes.", show_default=False),
    ],
    columns: ModelColumns = None,
    missing: MissingInNewRows = None,
    layout: Layout,
    running: Running,
) -> None:
    """Compare the clusters of a fitted model with known classes.

    Says which cluster stands for which class, which classes share a cluster, and which are split.

    Example: [bold]centroids evaluate model.safetensors labelled.csv --truth y[/bold]
    """
    is_quiet = running.as_json
    fitted = centroids.load(model)
    with working(f"reading {name_of(data)}", is_quiet):
        table = read_for_model(
            fitted, data, layout, columns=columns, missing=missing, truth=truth, running=running
        )
    with working("comparing", is_quiet), collecting_warnings() as notes:
        clusterer, rows = clusterer_of(fitted), centroids.prepare_rows(fitted, table.X)
        labels, inertia = clusterer.predict(rows), -float(clusterer.score(rows))
        match = centroids.match_labels(table.truth, labels)
    result = {
        "command": "evaluate",
        "model": str(model),
        "data": data_payload(table),
        "inertia": inertia,
        "inertia_per_row": inertia / table.n_samples,
        "match": match_payload(match, positions_in_file(table, np.arange(table.n_samples))),
        "notes": notes,
    }
    emit(result, _show, is_quiet)


def _show(result: Payload, console: Console) -> None:
    match = result["match"]
    print_data(console, result["data"])
    console.print(f"\nInertia per row: {number(result['inertia_per_row'])}")
    print_matches(console, [("All rows", match)])
    console.print(
        f"\nAdjusted Rand index {match['adjusted_rand']:.4f}, adjusted mutual information "
        f"{match['adjusted_mutual_info']:.4f}, V-measure {match['v_measure']:.4f} "
        "(1 = the same groups, near 0 = no relation)."
    )
    print_notes(console, result["notes"])
