"""``centroids choose-k``: choose the number of clusters for the rows of a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import centroids
from centroids.cli._modelling import data_payload
from centroids.cli._options import Columns, Data, Jobs, Json, RandomState, Scale, parse_columns
from centroids.cli._output import Payload, emit, number, working
from centroids.cli._tables import plain_table
from centroids.cli._words import print_data, print_whole

__all__ = ["choose_k"]

# Numbers of clusters shown to either side of the answer.
NEIGHBOURS_SHOWN = 6


def choose_k(
    data: Data,
    k_max: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            min=1,
            help="Largest number of clusters to try. (default: grows as the data ask for it)",
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="A column of known classes: left out of the rows."),
    ] = None,
    scale: Annotated[
        Scale,
        typer.Option(help="none: columns as they are. standard: mean 0 and variance 1 for each."),
    ] = Scale.NONE,
    columns: Columns = None,
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
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Choose the number of clusters, with evidence and doubt.

    Says "clear", "likely", "ambiguous" or "no clusters", and why not one fewer or one more.

    Example: [bold]centroids choose-k customers.csv --scale standard --plot evidence.png[/bold]
    """
    if plot is not None:
        centroids.check_output(plot, (".png",))
    if max_time is not None and not max_time > 0:
        raise centroids.InputError(f"--max-time {max_time:g}: give seconds above 0")
    with working(f"reading {data}", as_json):
        table = centroids.read_table(data, columns=parse_columns(columns), truth=truth, n_jobs=jobs)
    with working("choosing K", as_json) as tell:

        def report(n_done: int, limit: int) -> None:
            if tell is not None:
                tell(f"choosing K: {n_done} of {limit} numbers of clusters tried")

        choice = centroids.choose_k(
            _scaled(table.X, scale),
            k_max=k_max,
            random_state=random_state,
            n_jobs=jobs,
            max_time=max_time,
            callback=report,
            feature_names=table.columns,
        )
    if plot is not None:
        with working("drawing", as_json):
            centroids.KChoiceDisplay(choice, choice.null_band()).save(plot)
    result = {
        "command": "choose-k",
        "data": data_payload(table),
        "scale": str(scale),
        "same_rows": _same_rows(truth, columns, scale),
        "random_state": random_state,
        "choice": choice.to_dict(),
        "summary": choice.summary().splitlines(),
        "file": None if plot is None else str(plot),
    }
    emit(result, _show, as_json)


def _same_rows(truth: str | None, columns: str | None, scale: Scale) -> list[str]:
    """Give the words with which other commands read the same rows."""
    words = [] if truth is None else ["--truth", shlex.quote(truth)]
    words += [] if columns is None else ["--columns", shlex.quote(columns)]
    return words if scale is Scale.NONE else [*words, "--scale", str(scale)]


def _scaled(X: NDArray[Any], scale: Scale) -> NDArray[Any]:
    if scale is Scale.NONE:
        return X
    from sklearn.preprocessing import StandardScaler

    scaled: NDArray[Any] = StandardScaler().fit_transform(X)
    return scaled


def _show(result: Payload, console: Console) -> None:
    choice = result["choice"]
    print_data(console, result["data"])
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
        file, again = result["data"]["file"], " ".join(["", *result["same_rows"]])
        print_whole(console, f"\nNext: centroids fit {file} -k {choice['k']}{again}")


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
