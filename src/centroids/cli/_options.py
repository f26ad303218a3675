"""Arguments and options that commands share, and what a user may write in them."""

from __future__ import annotations

import csv
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

import centroids

__all__ = [
    "Columns",
    "Data",
    "Jobs",
    "Json",
    "LabelsOnly",
    "Model",
    "RandomState",
    "Scale",
    "parse_columns",
    "parse_holdout",
    "parse_n_clusters",
]

MODEL_SUFFIXES = (".safetensors",)


class Scale(StrEnum):
    """Values of ``--scale``."""

    NONE = "none"
    STANDARD = "standard"


Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="The rows: a .csv, .parquet or .npy file.", show_default=False
    ),
]
Model = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A model that `fit -o` wrote.", show_default=False),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="A,B,…",
        help="The columns to use, in this order. (default: all columns of numbers)",
        show_default=False,
    ),
]
RandomState = Annotated[
    int,
    typer.Option(
        "--random-state",
        metavar="N",
        min=0,
        help="The same N gives the same result.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Number of threads; the result is the same for any. (default: all)",
        show_default=False,
    ),
]
LabelsOnly = Annotated[
    bool,
    typer.Option("--labels-only", help="Write the labels alone, without the columns of DATA."),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print everything as one JSON object, for programs."),
]


def parse_columns(text: str | None) -> list[str] | None:
    """Split ``a,b`` at its commas; a name with a comma in it stands between double quotes."""
    if text is None:
        return None
    names = next(csv.reader([text], skipinitialspace=True), [])
    names = [name.strip() for name in names]
    if not names or not all(names):
        raise centroids.InputError(f"--columns {text!r} has an empty name; write --columns a,b,c")
    return names


def parse_n_clusters(text: str | None) -> int | Literal["auto"]:
    """Read ``-k``."""
    if text is None:
        raise centroids.InputError("say how many clusters to make, for example -k 5 or -k auto")
    if text.strip().lower() == "auto":
        return "auto"
    try:
        n_clusters = int(text)
    except ValueError:
        n_clusters = 0
    if n_clusters < 1:
        raise centroids.InputError(
            f"-k {text}: the number of clusters is a whole number from 1 up, for example -k 5, "
            "or auto"
        )
    return n_clusters


def parse_holdout(text: str) -> float:
    """Read ``--holdout``."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise centroids.InputError(
            f"--holdout {text}: the share of rows to hold out lies between 0 and 1, such as 0.25"
        )
    return share
