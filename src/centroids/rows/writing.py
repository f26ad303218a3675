"""Tables to files: CSV and Parquet through DuckDB, ``.npy`` through NumPy; whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.errors import InputError
from centroids.rows.files import open_relation
from centroids.rows.npy import map_npy
from centroids.rows.output import check_output, whole_file
from centroids.rows.relation import Relation, connect, explaining, quote_name, quote_text
from centroids.rows.table import Table

if TYPE_CHECKING:
    import duckdb

__all__ = ["TABLE_SUFFIXES", "check_table_output", "write_beside", "write_table"]

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".npy")


def check_table_output(
    path: str | os.PathLike[str], new_columns: tuple[str, ...] = (), beside: Table | None = None
) -> Path:
    """Refuse an output that `write_table` or `write_beside` could not write, before any work.

    Parameters
    ----------
    path : path-like
        The file to be written.
    new_columns : tuple of str, optional
        The names of the columns to be put beside those of `beside`.
    beside : Table, optional
        The table whose file the new columns are put beside.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    InputError
        If the file cannot be written there, or if a new column is in the table already.
    """
    path = check_output(path, TABLE_SUFFIXES)
    if beside is None:
        return path
    if path.exists() and path.samefile(beside.path):
        raise InputError(f"{path} is the file that is read; give the output another name")
    if path.suffix.lower() == ".npy":
        raise InputError(
            f"{path}: .npy has no place for other columns; write .csv or .parquet, or the labels "
            "alone"
        )
    left_out = (column.name for column in beside.left_out)
    truth = () if beside.truth_name is None else (beside.truth_name,)
    taken = {name.lower() for name in (*beside.columns, *left_out, *truth)}
    for name in new_columns:
        # DuckDB does not tell names apart that differ in case only.
        if name.lower() in taken:
            raise InputError(
                f'{beside.path} has a column "{name}" already; rename it, or write the labels alone'
            )
    return path


def write_table(
    path: str | os.PathLike[str],
    columns: Mapping[str, NDArray[Any]],
    *,
    n_jobs: int | None = None,
) -> None:
    """Write columns to a CSV, Parquet or ``.npy`` file, as its suffix says.

    Parameters
    ----------
    path : path-like
        The file; one that exists is replaced once everything is written.
    columns : mapping of str to ndarray of shape (n_samples,)
        The columns in order. A ``.npy`` file loses the names; one column is written as a
        one-dimensional array.
    n_jobs : int, optional
        Number of threads; by default all.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    path = check_table_output(path)
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".npy":
            arrays = list(columns.values())
            with temporary.open("wb") as file:
                np.save(file, arrays[0] if len(arrays) == 1 else np.column_stack(arrays))
            return
        with connect(n_jobs) as connection:
            _register(connection, "columns", columns)
            _copy(connection, "SELECT * FROM columns", path, temporary)


def write_beside(
    path: str | os.PathLike[str],
    table: Table,
    new_columns: Mapping[str, NDArray[Any]],
    *,
    n_jobs: int | None = None,
) -> None:
    """Write all columns of a table's file, those left out included, with new ones beside them.

    The file of `table` is read again. Cells of a CSV file reach another CSV file as they are
    written, digit for digit; in a Parquet file, columns in which every cell is a number become
    numbers.

    Parameters
    ----------
    path : path-like
        The CSV or Parquet file to write, which is not the file of `table`.
    table : Table
        The table, as `read_table` gave it.
    new_columns : mapping of str to ndarray of shape (n_samples,)
        What to put beside it, row by row.
    n_jobs : int, optional
        Number of threads; by default all.

    Raises
    ------
    InputError
        If the file cannot be written there, or a new column has the name of an old one, or the
        file of `table` has changed since it was read.
    """
    path = check_table_output(path, tuple(new_columns), table)
    with whole_file(path) as temporary, connect(n_jobs) as connection:
        _register(connection, "new_columns", new_columns)
        if table.path.suffix.lower() == ".npy":
            array = map_npy(table.path)
            names = [f"x{i}" for i in range(1, array.shape[1] + 1)]
            _register(connection, "old", {n: array[:, i] for i, n in enumerate(names)})
            relation = Relation(table.path, "old", ())
            old_columns = ", ".join(quote_name(name) for name in names)
        else:
            relation = open_relation(table.path, connection)
            old_columns = _old_columns(connection, relation, path)
        _refuse_changed(connection, relation, table)
        query = f"SELECT {old_columns}, new_columns.* FROM {relation.sql} AS old "
        _copy(connection, query + "POSITIONAL JOIN new_columns", path, temporary)


def _old_columns(connection: duckdb.DuckDBPyConnection, relation: Relation, path: Path) -> str:
    """Write the columns of a file in SQL, with the types they are to have in the new file."""
    if relation.layout is None or path.suffix.lower() not in (".parquet", ".pq"):
        return ", ".join(f"{c.sql} AS {quote_name(c.name)}" for c in relation.columns)
    tests = ", ".join(
        # "007" and the like are codes: they stay text.
        f"bool_and({c.as_number} IS NOT NULL AND NOT ({c.sql} >= '00' AND {c.sql} < '0:')) "
        f"FILTER ({c.sql} IS NOT NULL), "
        f"bool_and(isfinite({c.as_number}) AND NOT contains({c.sql}, '.') "
        f"AND NOT contains(lower({c.sql}), 'e') AND length({c.sql}) < 19)"
        for c in relation.columns
    )
    with explaining(relation):
        found = connection.execute(f"SELECT {tests} FROM {relation.sql}").fetchall()[0]
    types = [
        "VARCHAR" if not is_number else "BIGINT" if is_whole else "DOUBLE"
        for is_number, is_whole in zip(found[0::2], found[1::2], strict=True)
    ]
    return ", ".join(
        f"CAST({column.sql} AS {kind}) AS {quote_name(column.name)}"
        for column, kind in zip(relation.columns, types, strict=True)
    )


def _refuse_changed(
    connection: duckdb.DuckDBPyConnection, relation: Relation, table: Table
) -> None:
    with explaining(relation):
        n_samples = connection.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()[0][0]
    if n_samples != table.n_samples:
        raise InputError(
            f"{table.path} had {table.n_samples:,} rows when it was read and has {n_samples:,} "
            "now; run again when nothing else writes to it"
        )


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, NDArray[Any]]
) -> None:
    connection.register(name, {key: np.asarray(values) for key, values in columns.items()})


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, temporary: Path) -> None:
    import duckdb

    options = {
        ".csv": "FORMAT csv, HEADER true",
        ".tsv": "FORMAT csv, HEADER true, DELIMITER '\t'",
    }.get(path.suffix.lower(), "FORMAT parquet")
    target = quote_text(str(temporary))
    try:
        connection.execute(f"COPY ({query}) TO {target} ({options}, USE_TMP_FILE false)")
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(temporary), path.name)
        raise OSError(f"{path} could not be written ({reason})") from error
