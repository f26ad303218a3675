"""``centroids predict``: give new rows their cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._labelling import LabelsFile
from centroids.cli._modelling import clusterer_of
from centroids.cli._options import (
    Data,
    Labelling,
    Layout,
    MissingInNewRows,
    Model,
    ModelColumns,
    Running,
)
from centroids.cli._output import (
    Payload,
    check_stdout,
    collecting_warnings,
    emit,
    number,
    place_of,
    working,
)
from centroids.cli._reading import data_payload, name_of, read_for_model
from centroids.cli._tables import print_clusters
from centroids.cli._words import print_data, print_notes, print_whole
from centroids.wording import count

__all__ = ["predict"]


@expanded
def predict(
    model: Model,
    data: Data,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Write all columns of DATA and the cluster of every row: .csv, .parquet; .npy has "
            "the clusters alone; - is standard output.",
            show_default=False,
        ),
    ],
    columns: ModelColumns = None,
    missing: MissingInNewRows = None,
    labelling: Labelling,
    layout: Layout,
    running: Running,
) -> None:
    """Give every row of files the cluster of a fitted model.

    The columns of the model are found by their names; other columns do not matter. Missing values
    are treated as in the fit: an error, no cluster for the row, or the median of the column.

    Example: [bold]centroids predict model.safetensors new.csv -o labelled.csv[/bold]

    Example: [bold]centroids predict model.safetensors 'new/*.parquet' -o labelled.parquet
    --distances[/bold]

    Example: [bold]curl https://example.org/new.csv | centroids predict model.safetensors - -o - |
    head[/bold]
    """
    is_quiet, jobs = running.as_json, running.jobs
    check_stdout(out, "-o", is_quiet)
    fitted = centroids.load(model)
    names = clusterer_of(fitted).cluster_names_
    file = LabelsFile(out, labelling, has_names=bool(names))
    file.check(data)
    with working(f"reading {name_of(data)}", is_quiet):
        table = read_for_model(
            fitted, data, layout, columns=columns, missing=missing, running=running
        )
    file.check_beside(table)
    with working("predicting", is_quiet), collecting_warnings() as notes:
        clusterer, rows = clusterer_of(fitted), centroids.prepare_rows(fitted, table.X)
        labels, inertia = clusterer.predict(rows), -float(clusterer.score(rows))
        file.write(table, fitted, labels, jobs=jobs)
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
    emit(result, _show, is_quiet, out)


def _sizes(labels: NDArray[Any], model: Any) -> list[Payload]:
    clusterer = clusterer_of(model)
    sizes = np.bincount(labels, minlength=len(clusterer.cluster_centers_)).tolist()
    return [
        {
            "cluster": i,
            "name": clusterer.cluster_names_.get(i),
            "rows": size,
            "share": size / len(labels),
        }
        for i, size in enumerate(sizes)
    ]


def _show(result: Payload, console: Console) -> None:
    print_data(console, result["data"])
    console.print(f"\nInertia per row: {number(result['inertia_per_row'])}\n")
    print_clusters(console, result["clusters"], ())
    print_notes(console, result["notes"])
    rows = count(result["data"]["n_samples"], "row")
    print_whole(console, f"\n{rows} with their cluster: {place_of(result['file'])}")
