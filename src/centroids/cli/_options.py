"""Arguments and options that commands share, and what a user may write in them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import centroids

__all__ = [
    "MODEL_SUFFIXES",
    "ClusterCount",
    "Columns",
    "Data",
    "Fitting",
    "Json",
    "Labelling",
    "Layout",
    "Missing",
    "MissingInNewRows",
    "Model",
    "ModelColumns",
    "Outputs",
    "Preparation",
    "RandomState",
    "Running",
    "Scale",
    "Selection",
    "Truth",
    "Weight",
    "check_max_time",
    "parse_columns",
    "parse_holdout",
    "parse_n_clusters",
]

MODEL_SUFFIXES = (".safetensors",)
SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}


class Scale(StrEnum):
    """Values of ``--scale``."""

    NONE = "none"
    STANDARD = "standard"


class Missing(StrEnum):
    """Values of ``--missing``."""

    ERROR = "error"
    DROP = "drop"
    IMPUTE = "impute"

    @property
    def when_reading(self) -> Literal["error", "drop", "keep"]:
        """What `centroids.read_table` is told: gaps to be filled in have to be kept."""
        rules: dict[Missing, Literal["error", "drop", "keep"]]
        rules = {Missing.ERROR: "error", Missing.DROP: "drop", Missing.IMPUTE: "keep"}
        return rules[self]


class Decimal(StrEnum):
    """Values of ``--decimal``."""

    POINT = "point"
    COMMA = "comma"


def _option(panel: str, *names: str, **settings: Any) -> Any:
    """Describe an option of a panel of the help; settings are typer's."""
    return typer.Option(*names, rich_help_panel=panel, show_default=False, **settings)


ROWS = "Rows and columns"
FILES = "How the files are written"
OUTPUT = "Output"

Data = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATA",
        help="The rows: .csv, .tsv, .parquet, .json or .npy; several files or a pattern such as "
        "'2026-*.csv' are read as one table; - is standard input.",
        show_default=False,
    ),
]
Model = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A model that `fit -o` wrote.", show_default=False),
]
ClusterCount = Annotated[
    str | None,
    typer.Option(
        "-k",
        metavar="K",
        help="Number of clusters; auto: chosen as `centroids choose-k` does.",
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    _option(
        ROWS,
        metavar="A,B,…",
        help="The columns to use, in this order. (default: all columns of numbers)",
    ),
]
ModelColumns = Annotated[
    str | None,
    _option(
        ROWS,
        "--columns",
        metavar="A,B,…",
        help="Columns that stand for those of the model, one by one. (default: those of the same "
        "name)",
    ),
]
Truth = Annotated[
    str | None,
    _option(
        ROWS,
        metavar="COLUMN",
        help="A column of known classes, compared with the clusters and not used to make them.",
    ),
]
Weight = Annotated[
    str | None,
    _option(
        ROWS,
        metavar="COLUMN",
        help="A column of weights: a row of weight 3 counts as three rows.",
    ),
]
MissingInNewRows = Annotated[
    Missing | None,
    _option(
        ROWS,
        "--missing",
        help="What to do about a row that lacks a value; impute only if the model was fitted so. "
        "(default: as in the fit)",
    ),
]
RandomState = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=2**32 - 1, help="The same N gives the same result."),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print everything as one JSON object, for programs."),
]


@dataclass(frozen=True)
class Selection:
    """Which columns and rows of the files are used, and what for."""

    columns: Columns = None
    leave_out: Annotated[
        str | None,
        _option(ROWS, metavar="A,B,…", help="Columns not to use, such as identifiers."),
    ] = None
    truth: Truth = None
    weight: Weight = None


@dataclass(frozen=True)
class Layout:
    """Which rows of the files are read, and how the files are written."""

    where: Annotated[
        str | None,
        _option(
            ROWS,
            metavar="SQL",
            help="Use the rows that fulfil a condition, such as \"age >= 18 AND country = 'FR'\".",
        ),
    ] = None
    separator: Annotated[
        str | None,
        _option(
            FILES,
            metavar="SIGN",
            help="What stands between two cells of a CSV file: any sign, tab or space. "
            "(default: found out)",
        ),
    ] = None
    decimal: Annotated[
        Decimal | None,
        _option(FILES, help="The decimal sign of a CSV file. (default: found out)"),
    ] = None
    encoding: Annotated[
        str | None,
        _option(
            FILES,
            metavar="NAME",
            help="The encoding of a CSV file, such as latin-1. (default: found out)",
        ),
    ] = None

    @property
    def csv_format(self) -> centroids.CsvFormat:
        """The same, as the library takes it."""
        decimal = {None: None, Decimal.POINT: ".", Decimal.COMMA: ","}[self.decimal]
        separator = SEPARATORS.get(self.separator or "", self.separator)
        try:
            return centroids.CsvFormat(separator, decimal, self.encoding)
        except centroids.InputError as error:
            raise centroids.InputError(
                str(error).replace("delimiter", "--separator").replace("encoding", "--encoding", 1)
            ) from error


@dataclass(frozen=True)
class Preparation:
    """What is done to the rows before they are clustered; the model remembers it."""

    scale: Annotated[
        Scale,
        typer.Option(
            rich_help_panel=ROWS,
            help="none: columns as they are, so that one with large numbers counts most; the same "
            "as KMeans in Python. standard: every column gets mean 0 and variance 1; choose it "
            "when columns have different units. The model remembers it.",
        ),
    ] = Scale.NONE
    log: Annotated[
        str | None,
        _option(
            ROWS,
            metavar="A,B,…",
            help="Columns of amounts whose natural logarithm is clustered: ratios count then, not "
            "differences. Every value has to be above 0. The model remembers it.",
        ),
    ] = None
    missing: Annotated[
        Missing,
        typer.Option(
            rich_help_panel=ROWS,
            help="A row that lacks a value is an error, dropped, or gets the median of the column. "
            "The model remembers it.",
        ),
    ] = Missing.ERROR

    @property
    def logged(self) -> list[str]:
        """The columns of ``--log``."""
        return parse_columns(self.log, "--log") or []


@dataclass(frozen=True)
class Fitting:
    """How the model is fitted and judged."""

    holdout: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Share of the rows to keep out of the fit and judge it by, such as 0.25; "
            "with --truth the same share of every class.",
        ),
    ] = "0"
    random_state: RandomState = 0
    n_init: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of starts; the best one wins. (default: 1)",
            show_default=False,
        ),
    ] = None
    max_iter: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most iterations of one start.")
    ] = 300
    max_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="End the fit after about so long, with the best model so far; reading and the "
            "report come on top. (default: no limit)",
            show_default=False,
        ),
    ] = None
    align_to: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD",
            help="An older model: clusters that are still there keep their numbers and names.",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True)
class Outputs:
    """What is written; nothing that is not asked for."""

    model: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="MODEL",
            rich_help_panel=OUTPUT,
            help="Write the model, *.safetensors: data only, no code.",
        ),
    ] = None
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="OUT",
            rich_help_panel=OUTPUT,
            help="Write all columns of DATA and the cluster of every row: .csv, .parquet; .npy has "
            "the clusters alone; - is standard output.",
        ),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="OUT",
            rich_help_panel=OUTPUT,
            help="Write an HTML page that works offline: what each cluster is, how sure that is, "
            "charts, and how the fit went.",
        ),
    ] = None


@dataclass(frozen=True)
class Labelling:
    """What the file of labels has besides the cluster."""

    labels_only: Annotated[
        bool,
        _option(OUTPUT, "--labels-only", help="Write the labels without the columns of DATA."),
    ] = False
    distances: Annotated[
        bool,
        _option(
            OUTPUT,
            "--distances",
            help="Write the distance of each row to its center as well, and its margin: how much "
            "farther the next center is (near 0: could be either).",
        ),
    ] = False


@dataclass(frozen=True)
class Running:
    """How the command works and prints."""

    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of threads; the result is the same for any. (default: all)",
            show_default=False,
        ),
    ] = None
    as_json: Json = False


def parse_columns(text: str | None, option: str = "--columns") -> list[str] | None:
    """Split ``a,b`` at its commas; a name with a comma in it stands between double quotes."""
    if text is None:
        return None
    names = next(csv.reader([text], skipinitialspace=True), [])
    names = [name.strip() for name in names]
    if not names or not all(names):
        raise centroids.InputError(f"{option} {text!r} has an empty name; write {option} a,b,c")
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


def check_max_time(seconds: float | None) -> None:
    """Refuse a ``--max-time`` that no fit could keep."""
    if seconds is not None and not 0 < seconds < math.inf:
        raise centroids.InputError(f"--max-time {seconds:g}: give seconds above 0, such as 60")


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
