"""``centroids profile``: say what the clusters of a model are."""

from __future__ import annotations

from typing import Any

from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._options import (
    Data,
    Layout,
    MissingInNewRows,
    Model,
    ModelColumns,
    Running,
    Weight,
)
from centroids.cli._output import Payload, emit, working
from centroids.cli._reading import data_payload, name_of, read_for_model
from centroids.cli._reporting import Rows
from centroids.cli._words import print_data, print_whole

__all__ = ["profile"]


@expanded
def profile(
    model: Model,
    data: Data,
    *,
    columns: ModelColumns = None,
    weight: Weight = None,
    missing: MissingInNewRows = None,
    layout: Layout,
    running: Running,
) -> None:
    """Say what each cluster of a fitted model is, in the units of the data.

    A sentence and a rule for every cluster, typical rows, rows nearly in another cluster, rows that
    belong nowhere, the means of all columns, and the shares of categories.

    Example: [bold]centroids profile model.safetensors customers.csv[/bold]
    """
    is_quiet = running.as_json
    fitted = centroids.load(model)
    with working(f"reading {name_of(data)}", is_quiet):
        table = read_for_model(
            fitted, data, layout, columns=columns, weight=weight, missing=missing, running=running
        )
    with working("describing", is_quiet):
        found = Rows.of(table, running.jobs).describe(fitted)
    result: dict[str, Any] = {
        "command": "profile",
        "model": str(model),
        "data": data_payload(table),
        "profile": found.to_dict(),
        "summary": found.summary().splitlines(),
    }
    emit(result, _show, is_quiet)


def _show(result: Payload, console: Console) -> None:
    print_data(console, result["data"])
    print_whole(console, "\n" + "\n".join(result["summary"]))
