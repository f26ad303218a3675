"""Tables from files: CSV, Parquet and JSON through DuckDB, ``.npy`` through NumPy.

Numeric columns become features; every other column is left out, with the reason. Nothing is
repaired or dropped in silence: a text among numbers, an infinite value and, unless the caller says
otherwise, a missing value is an :class:`~centroids.rows.errors.InputError` that names the file,
the row and the column.

Row 1 is the first row of data, below the header; blank lines of a CSV file do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.bad_cells import refuse_not_positive
from centroids.rows.blocks import blocks_of, take_rows
from centroids.rows.cells import Cells
from centroids.rows.columns import find_columns
from centroids.rows.csv_layout import CsvFormat
from centroids.rows.errors import InputError
from centroids.rows.npy import map_npy, table_from_npy
from centroids.rows.relation import connect, relation_of
from centroids.rows.relation_table import table_from_cells
from centroids.rows.request import Bad, Missing, ReadRequest
from centroids.rows.selection import count_rows, select_rows
from centroids.rows.source import DataFiles, Source, open_source
from centroids.rows.table import Table

__all__ = ["open_cells", "read_columns", "read_table"]


def read_table(
    data: DataFiles,
    *,
    columns: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
    truth: str | None = None,
    weight: str | None = None,
    where: str | None = None,
    missing: Missing = "error",
    bad: Bad = "error",
    positive: Sequence[str | int] = (),
    csv_format: CsvFormat | None = None,
    n_jobs: int | None = None,
) -> Table:
    """Read the numeric columns of CSV, Parquet, JSON or ``.npy`` files.

    Parameters
    ----------
    data : path-like or sequence of path-like
        A file, a pattern such as ``"data/*.parquet"``, several of them (one below the other, in
        this order), or ``"-"`` for standard input. The suffix tells the format: ``.csv``, ``.tsv``,
        ``.txt``, ``.json``, ``.ndjson``, ``.jsonl`` (all of them also with ``.gz`` behind),
        ``.parquet``, ``.pq`` or ``.npy``. The columns of a ``.npy`` file and of a CSV file without
        a header are called x1, x2, …
    columns : sequence of str, optional
        The features to use, in this order. By default all columns of numbers. A text column
        counts as one if at least half of its cells are numbers; it is then an error if not all
        of them are.
    leave_out : sequence of str, default=()
        Columns that are not features, such as identifiers; in place of `columns`.
    truth : str, optional
        A column that holds known classes; it is not a feature.
    weight : str, optional
        A column that holds the weights of the rows; it is not a feature.
    where : str, optional
        Which rows to take: an SQL condition over the columns of the files, such as
        ``"age >= 18 AND country = 'FR'"``.
    missing : {"error", "drop", "keep"}, default="error"
        What to do about missing values: refuse them, leave out the rows that have one, or keep
        them as NaN, for an imputer to fill in.
    bad : {"error", "keep"}, default="error"
        What to do about cells of a column of numbers that are neither numbers nor missing, and
        about infinite values: refuse them, or keep them as NaN and list them in `Table.bad_cells`,
        to look at a table before it is clustered.
    positive : sequence of str or int, default=()
        Features, by name or by position among them, in which a value that is not above 0 is an
        error, as it has no logarithm.
    csv_format : CsvFormat, optional
        How CSV files are written; found out by default.
    n_jobs : int, optional
        Number of threads; by default all.

    Returns
    -------
    Table
        Features, names, columns left out, classes and weights.

    Raises
    ------
    InputError
        If a file cannot be read or is not a table of numbers. The message names the row and the
        column.
    MissingExtraError
        If DuckDB is needed and not installed.
    """
    request = ReadRequest(columns, truth, weight, missing, leave_out, bad)
    source = open_source(data, csv_format, where)
    if source.format == "npy":
        table = table_from_npy(source, request)
    else:
        with open_cells(source, n_jobs) as cells:
            table = table_from_cells(cells, request)
            if where is not None:
                n_rows = count_rows(cells.relation, cells.connection)
                table = replace(table, n_rows_in_files=n_rows)
    if positive:
        _refuse_not_positive(table, _positions(table, positive), missing, n_jobs)
    return _without_gaps(table) if missing == "drop" else table


def read_columns(
    table: Table, names: Sequence[str], *, n_jobs: int | None = None
) -> dict[str, NDArray[Any]]:
    """Read other columns of a table's files, for its rows.

    Parameters
    ----------
    table : Table
        The table, as `read_table` gave it.
    names : sequence of str
        The columns, numbers or texts.
    n_jobs : int, optional
        Number of threads; by default all.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,)
        Numbers, or objects where None is a missing value.

    Raises
    ------
    InputError
        If a column is not there, or the files have changed.
    """
    source = table.source
    if source.format == "npy":
        array = map_npy(source.files[0].readable)
        known = [f"x{i}" for i in range(1, array.shape[1] + 1)]
        found = {known[i]: np.array(array[:, i]) for i in find_columns(source, known, names)}
    else:
        with open_cells(source, n_jobs) as cells:
            every = cells.relation.columns
            positions = find_columns(source, [column.name for column in every], names)
            found = cells.read_others([every[i] for i in positions]) if names else {}
    for values in found.values():
        refuse_changed(table, len(values))
    return found if table.rows is None else {n: v[table.rows] for n, v in found.items()}


def refuse_changed(table: Table, n_rows: int) -> None:
    """Raise an error if the files of a table have another number of rows by now."""
    if n_rows != table.n_rows:
        raise InputError(
            f"{table.source} had {table.n_rows:,} rows when it was read and has {n_rows:,} "
            "now; run again when nothing else writes to it"
        )


@contextmanager
def open_cells(source: Source, n_jobs: int | None) -> Iterator[Cells]:
    """Open the files of a source, with the rows that its condition chooses."""
    with connect(n_jobs) as connection:
        relation = relation_of(source, connection)
        if source.where is not None:
            relation = select_rows(relation, source.where, connection)
        yield Cells(relation, connection)


def _positions(table: Table, features: Sequence[str | int]) -> list[int]:
    """Find features by name or position; those that are not used are told apart from typos."""
    reasons = {column.name: column.reason for column in table.left_out}
    names = [feature for feature in features if isinstance(feature, str)]
    for feature in names:
        if feature in reasons:
            raise InputError(
                f'{table.source}: column "{feature}" is not among those to cluster '
                f"({reasons[feature]}), so no logarithm of it can be taken"
            )
    found = find_columns(table.source, table.columns, names)
    return [*found, *(feature for feature in features if isinstance(feature, int))]


def _refuse_not_positive(
    table: Table, columns: Sequence[int], missing: Missing, n_jobs: int | None
) -> None:
    """Raise an error that names the first value of some columns that is not above 0."""
    start, n_bad = 0, 0
    first: tuple[int, int] | None = None
    for block in blocks_of(table.X):
        is_bad = block[:, columns] <= 0
        if missing == "drop":
            is_bad &= ~np.isnan(block).any(axis=1, keepdims=True)
        if first is None and is_bad.any():
            row, i = divmod(int(np.argmax(is_bad)), len(columns))
            first = start + row, columns[i]
        n_bad += int(np.count_nonzero(is_bad))
        start += len(block)
    if first is None:
        return
    row, i = first
    path, number, text = table.source.files[0].path, row + 1, f"{table.X[row, i]:g}"
    if table.source.format != "npy":
        with open_cells(table.source, n_jobs) as cells:
            path, number = cells.place_of(row)
            names = [column.name for column in cells.relation.columns]
            column = cells.relation.columns[names.index(table.columns[i])]
            text = cells.text_at(column, row) or text
    refuse_not_positive((path, number), n_bad, table.columns[i], text)


def _without_gaps(table: Table) -> Table:
    """Leave out the rows in which a feature is missing."""
    if not any(table.n_missing):
        return table
    has_gap = [np.isnan(block).any(axis=1) for block in blocks_of(table.X)]
    rows = np.flatnonzero(~np.concatenate(has_gap))
    if not rows.size:
        worst = table.columns[int(np.argmax(table.n_missing))]
        raise InputError(
            f'{table.source}: every row has a missing value (most of them in column "{worst}"), so '
            "none is left; choose other columns, or fill the gaps in"
        )
    return replace(
        table,
        X=take_rows(table.X, rows),
        truth=None if table.truth is None else table.truth[rows],
        sample_weight=None if table.sample_weight is None else table.sample_weight[rows],
        rows=rows,
    )
