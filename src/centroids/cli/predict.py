"""``centroids predict``: give new rows their cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

import centroids
from centroids.cli._modelling import (
    check_labels_output,
    clusterer_of,
    data_payload,
    read_for_model,
)
from centroids.cli._options import Columns, Data, Jobs, Json, LabelsOnly, Model, parse_columns
from centroids.cli._output import Payload, collecting_warnings, emit, number, plural, working
from centroids.cli._tables import print_clusters
from centroids.cli._words import print_data, print_notes, print_whole

__all__ = ["predict"]


def predict(
    model: Model,
    data: Data,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Write all columns of DATA and the cluster of every row: .csv, .parquet; .npy has "
            "the clusters alone.",
            show_default=False,
        ),
    ],
    columns: Columns = None,
    labels_only: LabelsOnly = False,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Give every row of a file the cluster of a fitted model.

    The columns of the model are found by their names; other columns do not matter.

    Example: [bold]centroids predict model.safetensors new.csv -o labelled.csv[/bold]
    """
    is_alone = labels_only or out.suffix.lower() == ".npy"
    check_labels_output(out, data)
    chosen = parse_columns(columns)
    fitted = centroids.load(model)
    with working(f"reading {data}", as_json):
        table = read_for_model(fitted, data, columns=chosen, jobs=jobs)
    if not is_alone:
        centroids.check_table_output(out, ("cluster",), table)
    with working("predicting", as_json), collecting_warnings() as notes:
        labels = fitted.predict(table.X)
        inertia = -float(fitted.score(table.X))
    if is_alone:
        centroids.write_table(out, {"cluster": labels}, n_jobs=jobs)
    else:
        centroids.write_beside(out, table, {"cluster": labels}, n_jobs=jobs)
    result = {
        "command": "predict",
        "model": str(model),
        "data": data_payload(table),
        "inertia": inertia,
        "inertia_per_row": inertia / table.n_samples,
        "clusters": _sizes(labels, fitted),
        "notes": notes,
        "file": str(out),
    }
    emit(result, _show, as_json)


def _sizes(labels: NDArray[Any], model: Any) -> list[Payload]:
    n_clusters = len(clusterer_of(model).cluster_centers_)
    counts = np.bincount(labels, minlength=n_clusters).tolist()
    return [
        {"cluster": i, "rows": count, "share": count / len(labels)}
        for i, count in enumerate(counts)
    ]


def _show(result: Payload, console: Console) -> None:
    print_data(console, result["data"])
    console.print(f"\nInertia per row: {number(result['inertia_per_row'])}\n")
    print_clusters(console, result["clusters"], ())
    print_notes(console, result["notes"])
    rows = plural(result["data"]["n_samples"], "row")
    print_whole(console, f"\n{rows} with their cluster: {result['file']}")
