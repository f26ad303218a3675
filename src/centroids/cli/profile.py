"""``centroids profile``: say what the clusters of a model are."""

from __future__ import annotations

from typing import Any

from rich.console import Console

import centroids
from centroids.cli._modelling import data_payload, read_for_model
from centroids.cli._options import Columns, Data, Jobs, Json, Model, parse_columns
from centroids.cli._output import Payload, emit, working
from centroids.cli._words import print_data, print_whole

__all__ = ["profile"]


def profile(
    model: Model,
    data: Data,
    columns: Columns = None,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Say what each cluster of a fitted model is, in the units of the data.

    A sentence and a rule for every cluster, typical rows, rows nearly in another cluster, rows that
    belong nowhere, and the means of all columns.

    Example: [bold]centroids profile model.safetensors customers.csv[/bold]
    """
    fitted = centroids.load(model)
    with working(f"reading {data}", as_json):
        table = read_for_model(fitted, data, columns=parse_columns(columns), jobs=jobs)
    with working("describing", as_json):
        found = centroids.profile(fitted, table.X, feature_names=table.columns)
    result: dict[str, Any] = {
        "command": "profile",
        "model": str(model),
        "data": data_payload(table),
        "profile": found.to_dict(),
        "summary": found.summary().splitlines(),
    }
    emit(result, _show, as_json)


def _show(result: Payload, console: Console) -> None:
    print_data(console, result["data"])
    print_whole(console, "\n" + "\n".join(result["summary"]))
