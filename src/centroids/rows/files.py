"""Tables from files: CSV and Parquet through DuckDB, ``.npy`` through NumPy.

Numeric columns become features; every other column is left out, with the reason. Nothing is
repaired or dropped in silence: a text among numbers, a missing or an infinite value is an
:class:`~centroids.rows.errors.InputError` that names the file, the row and the column.

Row 1 is the first row of data, below the header; blank lines of a CSV file do not count.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from centroids.rows.cells import Cells
from centroids.rows.columns import did_you_mean
from centroids.rows.errors import InputError
from centroids.rows.npy import table_from_npy
from centroids.rows.relation import Relation, connect, csv_relation, parquet_relation
from centroids.rows.relation_table import table_from_cells
from centroids.rows.table import LeftOut, Table

if TYPE_CHECKING:
    import duckdb

__all__ = ["LeftOut", "Table", "open_relation", "read_table"]

CSV_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    truth: str | None = None,
    n_jobs: int | None = None,
) -> Table:
    """Read the numeric columns of a CSV, Parquet or ``.npy`` file.

    Parameters
    ----------
    path : path-like
        The file; its suffix tells the format: ``.csv``, ``.tsv``, ``.txt`` (also with ``.gz``
        behind), ``.parquet``, ``.pq`` or ``.npy``. The columns of a ``.npy`` file and of a CSV
        file without a header are called x1, x2, …
    columns : sequence of str, optional
        The features to use, in this order. By default all columns of numbers. A text column
        counts as one if at least half of its cells are numbers; it is then an error if not all
        of them are.
    truth : str, optional
        A column that holds known classes; it is not a feature.
    n_jobs : int, optional
        Number of threads; by default all.

    Returns
    -------
    Table
        Features, names, columns left out and classes.

    Raises
    ------
    InputError
        If the file cannot be read or is not a table of finite numbers. The message names the
        row and the column.
    MissingExtraError
        If the file is CSV or Parquet and DuckDB is not installed.
    """
    path = _existing(path)
    if path.suffix.lower() == ".npy":
        return table_from_npy(path, columns, truth)
    file_format(path)
    with connect(n_jobs) as connection:
        relation = open_relation(path, connection)
        return table_from_cells(Cells(relation, connection), columns, truth)


def open_relation(path: Path, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Describe a CSV or Parquet file to DuckDB."""
    if file_format(path) == "csv":
        return csv_relation(path)
    return parquet_relation(path, connection)


def file_format(path: Path) -> str:
    """Tell "csv" or "parquet" by the suffix."""
    is_packed = path.suffix.lower() == ".gz"
    suffix = Path(path.stem).suffix.lower() if is_packed else path.suffix.lower()
    if suffix in CSV_SUFFIXES:
        return "csv"
    if suffix in PARQUET_SUFFIXES and not is_packed:
        return "parquet"
    raise InputError(
        f"{path}: the suffix is not one of a known format; save the data as .csv, .parquet or .npy"
    )


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if not path.exists():
        neighbours = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = did_you_mean(path.name, [entry.name for entry in neighbours])
        raise InputError(f"{path} does not exist{hint or '; check the path'}")
    if not path.is_file():
        raise InputError(f"{path} is not an ordinary file; save the data to a file first")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no permission to read it")
    return path
