"""``centroids choose-k``: choose the number of clusters for the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import centroids
from centroids.cli._findings import examine, warn_of
from centroids.cli._groups import expanded
from centroids.cli._modelling import with_preparation
from centroids.cli._options import (
    Data,
    Layout,
    Preparation,
    RandomState,
    Running,
    Selection,
    check_max_time,
)
from centroids.cli._output import Payload, emit, number, require_package, working
from centroids.cli._reading import data_payload, name_of, read_rows, same_rows
from centroids.cli._tables import plain_table
from centroids.cli._words import print_data, print_whole

__all__ = ["choose_k"]

# Numbers of clusters shown to either side of the answer.
NEIGHBOURS_SHOWN = 6


@expanded
def choose_k(
    data: Data,
    *,
    k_max: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            min=1,
            help="Largest number of clusters to try. (default: grows as the data ask for it)",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw the evidence.", show_default=False),
    ] = None,
    max_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Answer after about so long with what is known by then. (default: no limit)",
            show_default=False,
        ),
    ] = None,
    random_state: RandomState = 0,
    selection: Selection,
    preparation: Preparation,
    layout: Layout,
    running: Running,
) -> None:
    """Choose the number of clusters, with evidence and doubt.

    Says "clear", "likely", "ambiguous" or "no clusters", and why not one fewer or one more.

    Example: [bold]centroids choose-k customers.csv --scale standard --plot evidence.png[/bold]
    """
    is_quiet, jobs = running.as_json, running.jobs
    if plot is not None:
        require_package("matplotlib", "the picture")
        centroids.check_output(plot, (".png",))
    check_max_time(max_time)
    with working(f"reading {name_of(data)}", is_quiet):
        table = read_rows(
            data, selection, layout, preparation.missing, jobs, positive=preparation.logged
        )
    findings = examine(table, None, preparation, is_quiet).to_dict()["findings"]
    warn_of(findings, is_quiet, said=("scale",))
    with working("choosing K", is_quiet) as work:

        def report(n_done: int, limit: int) -> None:
            work.say(f"choosing K: {n_done} of up to {limit} tried", n_done, limit)

        choice = centroids.choose_k(
            centroids.fit_preparation(
                with_preparation(centroids.KMeans(), preparation, table.columns),
                table.X,
                table.sample_weight,
            ),
            k_max=k_max,
            sample_weight=table.sample_weight,
            random_state=random_state,
            n_jobs=jobs,
            max_time=max_time,
            callback=report,
            feature_names=table.columns,
        )
    if plot is not None:
        with working("drawing", is_quiet):
            centroids.KChoiceDisplay(choice, choice.null_band()).save(plot)
    result = {
        "command": "choose-k",
        "data": data_payload(table),
        "findings": findings,
        "scale": str(preparation.scale),
        "log": preparation.logged,
        "same_rows": same_rows(data, selection, preparation, layout),
        "random_state": random_state,
        "choice": choice.to_dict(),
        "summary": choice.summary().splitlines(),
        "file": None if plot is None else str(plot),
    }
    emit(result, _show, is_quiet)


def _show(result: Payload, console: Console) -> None:
    choice = result["choice"]
    print_data(console, result["data"], result["log"])
    headline, *sentences = result["summary"]
    console.print(f"\n{headline}\n", style="bold")
    for sentence in sentences:
        console.print(sentence)
    if choice["k_if_forced"] > 1:
        console.print()
        console.print(_scores(choice))
        console.print(
            "isolated: clusters that a valley of the density separates from all neighbours; "
            "score: isolated share and votes of the criteria, 3 at most."
        )
    if result["file"]:
        print_whole(console, f"\nPicture: {result['file']}")
    if choice["k"] > 1:
        print_whole(console, f"\nNext: centroids fit {result['same_rows']} -k {choice['k']}")


def _scores(choice: Payload) -> Table:
    """Tabulate the numbers of clusters around the answer; the answer stands out."""
    columns = choice["table"]
    best = choice["k_if_forced"]
    shown = {1, best, choice["runner_up"]} | set(
        range(best - NEIGHBOURS_SHOWN, best + NEIGHBOURS_SHOWN + 1)
    )
    table = plain_table("K", "inertia", "isolated", "on rows held out", "score")
    for i, k in enumerate(columns["n_clusters"]):
        if k not in shown:
            continue
        isolated = [columns[name][i] for name in ("isolated", "isolated_held_out")]
        counts = ["", ""] if k == 1 else [str(count) for count in isolated]
        score = f"{columns['score'][i]:.2f}" if columns["score"][i] else "·"
        table.add_row(
            str(k),
            number(columns["inertia"][i]),
            *counts,
            score,
            style="bold" if k == best else "",
        )
    return table
