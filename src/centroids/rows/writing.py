"""Tables to files: CSV and Parquet through DuckDB, ``.npy`` through NumPy; whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.cells import Cells
from centroids.rows.errors import InputError
from centroids.rows.files import open_cells, refuse_changed
from centroids.rows.npy import map_npy
from centroids.rows.output import STDOUT, check_output, whole_output
from centroids.rows.relation import Relation, SourceColumn, connect, quote_name, quote_text
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
        The file to be written, or "-" for standard output, which gets CSV.
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
    path = Path(path)
    if path != STDOUT:
        check_output(path, TABLE_SUFFIXES)
    if beside is None:
        return path
    if beside.source.holds(path):
        raise InputError(f"{path} is the file that is read; give the output another name")
    if _suffix(path) == ".npy":
        raise InputError(
            f"{path}: .npy has no place for other columns; write .csv or .parquet, or the labels "
            "alone"
        )
    left_out = (column.name for column in beside.left_out)
    roles = filter(None, (beside.truth_name, beside.weight_name))
    taken = {name.lower() for name in (*beside.columns, *left_out, *roles)}
    for name in new_columns:
        # DuckDB does not tell names apart that differ in case only.
        if name.lower() in taken:
            raise InputError(
                f'{beside.source} has a column "{name}" already; rename it, or write the labels '
                "alone"
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
        The file; one that exists is replaced once everything is written. "-" is standard output,
        which gets CSV.
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
    with whole_output(path) as temporary:
        if _suffix(path) == ".npy":
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
    alone: bool = False,
    n_jobs: int | None = None,
) -> None:
    """Write all columns of a table's files, those left out included, with new ones beside them.

    The files of `table` are read again. Cells of a CSV file reach another CSV file as they are
    written, digit for digit, with the same separator and decimal sign; in a Parquet file, columns
    in which every cell is a number become numbers. Rows that were dropped because a value is
    missing stay in their place: the new columns are empty there.

    Parameters
    ----------
    path : path-like
        The CSV or Parquet file to write, which is none of the files of `table`; with `alone` also
        ``.npy``, in which whole numbers are -1 and others NaN for rows that were dropped. "-" is
        standard output, which gets CSV.
    table : Table
        The table, as `read_table` gave it.
    new_columns : mapping of str to ndarray of shape (n_samples,)
        What to put beside it, row by row.
    alone : bool, default=False
        Write the new columns alone.
    n_jobs : int, optional
        Number of threads; by default all.

    Raises
    ------
    InputError
        If the file cannot be written there, or a new column has the name of an old one, or the
        files of `table` have changed since they were read.
    """
    path = check_table_output(path, tuple(new_columns), None if alone else table)
    if table.source.holds(path):
        raise InputError(f"{path} is the file that is read; give the output another name")
    placed = {name: _in_place(values, table) for name, values in new_columns.items()}
    if _suffix(path) == ".npy":
        write_table(path, placed)
        return
    with whole_output(path) as temporary, _old_cells(table, n_jobs) as cells:
        query = _new_columns(cells, table, placed, path)
        if not alone:
            refuse_changed(table, cells.count())
            old = _old_columns(cells, path)
            query = (
                f"SELECT {old}, new.* FROM {cells.relation.sql} AS old "
                f"POSITIONAL JOIN ({query}) AS new"
            )
        layout = cells.relation.layout
        delimiter = layout.delimiter if layout else ","
        is_narrow = alone and len(placed) == 1
        _copy(cells.connection, query, path, temporary, delimiter, is_narrow=is_narrow)


@contextmanager
def _old_cells(table: Table, n_jobs: int | None) -> Iterator[Cells]:
    """Open what a table was read from."""
    if table.source.format != "npy":
        with open_cells(table.source, n_jobs) as cells:
            yield cells
        return
    array = map_npy(table.source.files[0].readable)
    names = [f"x{i}" for i in range(1, array.shape[1] + 1)]
    with connect(n_jobs) as connection:
        _register(connection, "old", {n: array[:, i] for i, n in enumerate(names)})
        columns = tuple(SourceColumn(name, quote_name(name), "number") for name in names)
        yield Cells(Relation(table.source, "old", columns), connection)


def _in_place(values: NDArray[Any], table: Table) -> NDArray[Any]:
    """Put values of the rows of a table where the files have these rows."""
    values = np.asarray(values)
    if table.rows is None:
        return values
    gap: Any = {"i": -1, "u": 0, "f": np.nan}.get(values.dtype.kind)
    placed = np.full(table.n_rows, gap, dtype=object if gap is None else values.dtype)
    placed[table.rows] = values
    return placed


def _new_columns(cells: Cells, table: Table, placed: Mapping[str, NDArray[Any]], path: Path) -> str:
    """Hand new columns to DuckDB and give the SQL that selects them, NULL for dropped rows."""
    columns = {f"v{i}": values for i, values in enumerate(placed.values())}
    is_used = np.ones(table.n_rows, dtype=bool)
    if table.rows is not None:
        is_used[:] = False
        is_used[table.rows] = True
    _register(cells.connection, "new_columns", {**columns, "is_used": is_used})
    layout = cells.relation.layout
    is_csv = _suffix(path) in (".csv", ".tsv")
    has_commas = is_csv and layout is not None and layout.decimal == ","
    selected = []
    for i, (name, values) in enumerate(placed.items()):
        value = f"v{i}"
        if has_commas and values.dtype.kind == "f":
            value = f"replace(CAST({value} AS VARCHAR), '.', ',')"
        selected.append(f"CASE WHEN is_used THEN {value} END AS {quote_name(name)}")
    return f"SELECT {', '.join(selected)} FROM new_columns"


def _old_columns(cells: Cells, path: Path) -> str:
    """Write the columns of files in SQL, with the types they are to have in the new file."""
    columns = cells.relation.columns
    if cells.relation.layout is None or _suffix(path) not in (".parquet", ".pq"):
        return ", ".join(f"{c.sql} AS {quote_name(c.name)}" for c in columns)
    types = cells.plainest_types(columns)
    return ", ".join(
        f"{'CAST(' + c.sql + ' AS BIGINT)' if kind == 'whole' else c.as_number} "
        f"AS {quote_name(c.name)}"
        if kind != "text"
        else f"{c.sql} AS {quote_name(c.name)}"
        for c, kind in zip(columns, types, strict=True)
    )


def _suffix(path: Path) -> str:
    """Give what tells the format of a file, or of standard output."""
    return ".csv" if path == STDOUT else path.suffix.lower()


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, NDArray[Any]]
) -> None:
    connection.register(name, {key: np.asarray(values) for key, values in columns.items()})


def _copy(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    temporary: Path,
    delimiter: str = ",",
    *,
    is_narrow: bool = False,
) -> None:
    """Write what a query selects; `is_narrow` where that is one column."""
    import duckdb

    # An empty line would be no row for most readers.
    gap = ", NULLSTR 'NA'" if is_narrow else ""
    options = {
        ".csv": f"FORMAT csv, HEADER true, DELIMITER {quote_text(delimiter)}{gap}",
        ".tsv": f"FORMAT csv, HEADER true, DELIMITER '\t'{gap}",
    }.get(_suffix(path), "FORMAT parquet")
    target = quote_text(str(temporary))
    try:
        connection.execute(f"COPY ({query}) TO {target} ({options}, USE_TMP_FILE false)")
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(temporary), path.name)
        raise OSError(f"{path} could not be written ({reason})") from error
