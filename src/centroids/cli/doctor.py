"""``centroids doctor``: what to know about rows and columns before they are clustered."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from centroids.cli._findings import examine, print_findings
from centroids.cli._groups import expanded
from centroids.cli._options import Data, Layout, Missing, Preparation, Running, Scale, Selection
from centroids.cli._output import Payload, emit, working
from centroids.cli._reading import data_payload, name_of, read_rows
from centroids.cli._words import print_data
from centroids.wording import count

__all__ = ["doctor"]


@expanded
def doctor(
    data: Data,
    *,
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            metavar="K",
            min=1,
            help="Say if rows are too few for so many clusters.",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        Scale, typer.Option(help="Judge the columns as `fit --scale` would use them.")
    ] = Scale.NONE,
    selection: Selection,
    layout: Layout,
    running: Running,
) -> None:
    """Say what to know about the rows and columns of a file before they are clustered.

    Identifiers, dates, columns that decide alone or say the same twice, missing values, rows far
    out, repeated rows: what it is, and what can be done. `fit` says the same before it starts.

    Example: [bold]centroids doctor customers.csv[/bold]

    Example: [bold]centroids doctor 'sales/*.parquet' --where "year = 2026" --json[/bold]
    """
    with working(f"reading {name_of(data)}", running.as_json):
        table = read_rows(data, selection, layout, Missing.IMPUTE, running.jobs, bad="keep")
    findings = examine(table, k, Preparation(scale=scale), running.as_json)
    result = {
        "command": "doctor",
        "data": data_payload(table),
        "scale": str(scale),
        **findings.to_dict(),
    }
    emit(result, _show, running.as_json)


def _show(result: Payload, console: Console) -> None:
    print_data(console, result["data"])
    findings = result["findings"]
    console.print()
    if not findings:
        console.print("Nothing stands in the way of clustering.")
        return
    print_findings(console, findings)
    grave = sum(finding["severity"] != "note" for finding in findings)
    if grave:
        console.print(f"\n{count(grave, 'thing')} to look at before the fit.")
