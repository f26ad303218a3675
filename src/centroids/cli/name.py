"""``centroids name``: give the clusters of a model names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import centroids
from centroids.cli._groups import expanded
from centroids.cli._modelling import clusterer_of
from centroids.cli._options import MODEL_SUFFIXES, Json, Model
from centroids.cli._output import Payload, emit
from centroids.cli._words import print_whole

__all__ = ["name"]


@expanded
def name(
    model: Model,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NUMBER=NAME",
            help="Names, such as 0=regulars 1='late payers'; 0= takes a name away.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Write another file. (default: MODEL gets the names)",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give the clusters of a model names, or list the names they have.

    Names stand beside the numbers in everything that is printed, drawn and written, and
    `fit --align-to` carries them on to the next model.

    Example: [bold]centroids name model.safetensors 0=regulars 1='late payers'[/bold]
    """
    target = model if out is None else out
    given = _parse(names or [])
    fitted = centroids.load(model)
    clusterer = clusterer_of(fitted)
    if given:
        _check_numbers(given, len(clusterer.cluster_centers_))
        centroids.check_output(target, MODEL_SUFFIXES)
        clusterer.name_clusters(given)
        centroids.save(fitted, target)
    result = {
        "command": "name",
        "model": str(model),
        "clusters": [
            {"cluster": i, "name": clusterer.cluster_names_.get(i)}
            for i in range(len(clusterer.cluster_centers_))
        ],
        "file": str(target) if given else None,
    }
    emit(result, _show, as_json)


def _parse(texts: Sequence[str]) -> dict[int, str | None]:
    """Read ``0=regulars``."""
    names: dict[int, str | None] = {}
    for text in texts:
        number, sign, given = text.partition("=")
        if not sign or not number.strip().isdecimal():
            raise centroids.InputError(
                f"{text!r} names no cluster; write its number and its name, such as 0=regulars"
            )
        if int(number) in names:
            raise centroids.InputError(f"cluster {int(number)} is named twice; name it once")
        names[int(number)] = given.strip() or None
    return names


def _check_numbers(names: Mapping[int, str | None], n_clusters: int) -> None:
    for number, name in names.items():
        if number >= n_clusters:
            raise centroids.InputError(
                f"{number}={name or ''}: the model has the clusters 0 to {n_clusters - 1}"
            )


def _show(result: Payload, console: Console) -> None:
    for cluster in result["clusters"]:
        console.print(f"{cluster['cluster']}: {cluster['name'] or '(no name)'}")
    if result["file"]:
        print_whole(console, f"\nModel: {result['file']}")
