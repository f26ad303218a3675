"""``centroids blobs``: labelled practice data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._options import RandomState, Running
from centroids.cli._output import STDOUT, Payload, check_stdout, emit, place_of, working
from centroids.cli._words import print_whole
from centroids.wording import count

__all__ = ["blobs"]


@expanded
def blobs(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The file to write: .csv, .parquet or .npy; - is standard output.",
            show_default=False,
        ),
    ],
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Number of rows.")] = 50_000,
    centers: Annotated[int, typer.Option(metavar="N", min=1, help="Number of groups.")] = 5,
    features: Annotated[int, typer.Option(metavar="N", min=1, help="Number of columns.")] = 5,
    random_state: RandomState = 0,
    *,
    running: Running,
) -> None:
    """Write labelled practice data: round groups of rows, with their class.

    The columns are x1 … xd and the class y, a number from 0 up; in a .npy file the class is last.

    Example: [bold]centroids blobs practice.csv[/bold]
    """
    check_stdout(out, "OUT", running.as_json)
    centroids.check_table_output(out)
    with working("making rows", is_quiet=running.as_json):
        columns = _make(samples, centers, features, random_state)
        centroids.write_table(out, columns, n_jobs=running.jobs)
    result = {
        "command": "blobs",
        "file": str(out),
        "n_samples": samples,
        "n_centers": centers,
        "n_features": features,
        "random_state": random_state,
        "columns": list(columns),
        "truth": f"x{features + 1}" if out.suffix.lower() == ".npy" else "y",
    }
    emit(result, _show, running.as_json, out)


def _make(n_samples: int, n_centers: int, n_features: int, random_state: int) -> dict[str, Any]:
    from sklearn.datasets import make_blobs

    X, y = make_blobs(
        n_samples=n_samples, centers=n_centers, n_features=n_features, random_state=random_state
    )
    return {**{f"x{i + 1}": X[:, i] for i in range(n_features)}, "y": y}


def _show(result: Payload, console: Console) -> None:
    groups = count(result["n_centers"], "group")
    rows = count(result["n_samples"], "row")
    columns = count(result["n_features"], "column")
    file = result["file"]
    console.print(
        f"{rows} in {groups}, {columns} and the class {result['truth']}: {place_of(file)}"
    )
    if Path(file) != STDOUT:
        print_whole(
            console,
            f"Next: centroids fit {file} -k {result['n_centers']} "
            f"--truth {result['truth']} --holdout 0.25",
        )
