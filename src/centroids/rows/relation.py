"""CSV, Parquet and JSON files as something DuckDB can select from.

A :class:`Relation` knows the columns of the files and how to write them in SQL. It reads cells;
which columns to use and what counts as an error is decided in `relation_table`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from centroids.rows.csv_layout import CsvLayout, find_ragged_row, read_layout
from centroids.rows.errors import InputError, MissingExtraError
from centroids.rows.numbers import number_sql
from centroids.rows.source import Source, SourceFile
from centroids.rows.table import Renamed

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Relation",
    "SourceColumn",
    "connect",
    "explaining",
    "first_line",
    "quote_name",
    "quote_text",
    "relation_of",
]

NUMBER_TYPES = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DOUBLE|DECIMAL.*)$")
TEXT_TYPES = re.compile(r"(VARCHAR|ENUM.*)$")
OTHER_TYPES = {
    "BOOLEAN": "true or false",
    "DATE": "dates",
    "TIME": "times",
    "TIMESTAMP": "times",
    "INTERVAL": "durations",
    "BLOB": "bytes",
    '"NULL"': "nothing",
}


@dataclass(frozen=True)
class SourceColumn:
    """A column of a file.

    Attributes
    ----------
    name : str
        As the user sees it.
    sql : str
        As DuckDB sees it, quoted.
    kind : str
        ``"number"``, ``"float32"``, ``"text"``, or words for what else it holds ("dates").
    decimal : {".", ","}
        The decimal sign of numbers in a column of texts.
    """

    name: str
    sql: str
    kind: str
    decimal: str = "."

    @property
    def as_number(self) -> str:
        """SQL for the column as a number; NULL where a text is none."""
        if self.kind == "float32":
            return self.sql
        if self.kind == "text":
            return number_sql(self.sql, self.decimal)
        return f"CAST({self.sql} AS DOUBLE)"


@dataclass(frozen=True)
class Relation:
    """Files DuckDB can read as one table.

    Attributes
    ----------
    source : Source
        The files.
    sql : str
        What stands behind ``FROM``.
    columns : tuple of SourceColumn
        All columns, in the order of the first file.
    layout : CsvLayout or None
        For CSV files: that of the first one.
    unfiltered : str
        What stands behind ``FROM`` when every row is wanted.
    numbered : str or None
        SQL for the numbers of the rows that a condition chose, counted from 1 in `unfiltered`.
    parts : tuple of str
        The same for each file alone.
    renamed : tuple of Renamed
        The columns that had the name of an earlier one.
    """

    source: Source
    sql: str
    columns: tuple[SourceColumn, ...]
    layout: CsvLayout | None = None
    unfiltered: str = ""
    numbered: str | None = None
    parts: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()


@contextmanager
def connect(n_jobs: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that lives in memory, keeps the order of rows and fetches no add-ons."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError(
            'reading and writing CSV, Parquet and JSON needs duckdb: pip install "centroids[cli]"'
        ) from error
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        # By default a ".tmp" folder would appear where the user stands.
        "temp_directory": "",
    }
    if n_jobs is not None and n_jobs > 0:
        # It would start as many at once; more than processors only wait for one another.
        config["threads"] = min(n_jobs, os.cpu_count() or 1)
    with duckdb.connect(":memory:", config=config) as connection:
        # After two seconds a bar would appear among our own words.
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET enable_progress_bar_print = false")
        yield connection


def relation_of(source: Source, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Describe the files of a source to DuckDB, every row of them."""
    if source.format == "csv":
        return _csv_relation(source)
    return _typed_relation(source, connection)


def _csv_relation(source: Source) -> Relation:
    """Describe CSV files; every column is read as text, so that no cell is lost or rounded."""
    layouts = [read_layout(f.path, f.readable, source.csv_format) for f in source.files]
    first = layouts[0]
    for file, layout in zip(source.files, layouts, strict=True):
        _refuse_other_columns(source, file, first.names, layout.names)
    parts = [_read_csv([f], lay, first) for f, lay in zip(source.files, layouts, strict=True)]
    runs = groupby(zip(source.files, layouts, strict=True), key=lambda pair: pair[1])
    selects = [_read_csv([file for file, _ in run], layout, first) for layout, run in runs]
    sql = selects[0] if len(selects) == 1 else f"({' UNION ALL '.join(selects)})"
    columns = tuple(
        SourceColumn(name, f"c{i}", "text", decimal)
        for i, (name, decimal) in enumerate(zip(first.names, first.decimals, strict=True))
    )
    renamed = tuple(Renamed(*pair) for pair in first.renamed)
    return Relation(
        source, sql, columns, first, unfiltered=sql, parts=tuple(parts), renamed=renamed
    )


def _read_csv(files: Sequence[SourceFile], layout: CsvLayout, first: CsvLayout) -> str:
    """Select the columns of CSV files of one layout, in the order of the first file."""
    types = ", ".join(f"'c{first.names.index(name)}': 'VARCHAR'" for name in layout.names)
    header = "true" if layout.has_header else "false"
    read = (
        f"read_csv({_quote_paths(files)}, auto_detect=false, header={header}, "
        f"delim={quote_text(layout.delimiter)}, quote='\"', escape='\"', columns={{{types}}})"
    )
    columns = ", ".join(f"c{i}" for i in range(len(first.names)))
    return f"(SELECT {columns} FROM {read})"


def _typed_relation(source: Source, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Describe Parquet files from their footers, JSON files from all of their rows."""
    described = []
    for file in source.files:
        sql = _read_typed(source, [file])
        with explaining(Relation(source, sql, ())):
            described.append(connection.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall())
        names = [name for name, *_ in described[-1]]
        _refuse_other_columns(source, file, [name for name, *_ in described[0]], names)
    sql = _read_typed(source, source.files)
    relation = Relation(source, sql, (), unfiltered=sql)
    with explaining(relation):
        rows = connection.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()
    columns = tuple(SourceColumn(name, quote_name(name), _kind(kind)) for name, kind, *_ in rows)
    parts = tuple(_read_typed(source, [file]) for file in source.files)
    renamed: tuple[Renamed, ...] = ()
    if source.format == "parquet":
        names = _names_in_parquet(source.files[0], connection)
        pairs = zip(columns, names, strict=False)
        renamed = tuple(Renamed(column.name, name) for column, name in pairs if column.name != name)
    return replace(relation, columns=columns, parts=parts, renamed=renamed)


def _names_in_parquet(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give the names that a footer has: DuckDB gives new ones to those that come twice."""
    sql = f"SELECT name, num_children FROM parquet_schema({_quote_paths([file])})"
    (_, n_columns), *elements = connection.execute(sql).fetchall()
    names = []
    open_children = 0  # of a column that is no single value: they follow it, level by level
    for name, n_children in elements:
        if open_children:
            open_children -= 1
        else:
            names.append(name)
        open_children += n_children or 0
    return names if len(names) == n_columns else []


def _read_typed(source: Source, files: Sequence[SourceFile]) -> str:
    options = ", union_by_name=true" if len(files) > 1 else ""
    if source.format == "parquet":
        return f"read_parquet({_quote_paths(files)}{options})"
    # All rows decide on the types, so that none is found later that does not fit.
    return f"read_json({_quote_paths(files)}, sample_size=-1{options})"


def _refuse_other_columns(
    source: Source, file: SourceFile, first: Sequence[str], names: Sequence[str]
) -> None:
    if set(names) == set(first):
        return
    different = [name for name in first if name not in names]
    has = "lacks" if different else "also has"
    name = (different or [name for name in names if name not in first])[0]
    raise InputError(
        f'{file.path} {has} the column "{name}" beside those of {source.files[0].path}; files '
        "that are read together need the same columns"
    )


@contextmanager
def explaining(relation: Relation) -> Iterator[None]:
    """Turn what DuckDB says about a file it cannot read into one line for the user."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        if "interrupted" not in str(error):
            raise
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(f"{relation.source}: {first_line(error)}") from error
    except duckdb.Error as error:
        raise InputError(_explain(relation, error)) from error


def quote_text(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Write a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: Exception) -> str:
    """Give the first line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _quote_paths(files: Sequence[SourceFile]) -> str:
    """Write paths as an SQL list, with the signs that DuckDB takes for a pattern shielded."""
    paths = (re.sub(r"([*?\[])", r"[\1]", str(file.readable.absolute())) for file in files)
    return f"[{', '.join(map(quote_text, paths))}]"


def _kind(duckdb_type: str) -> str:
    if duckdb_type == "FLOAT":
        return "float32"
    if NUMBER_TYPES.match(duckdb_type):
        return "number"
    if TEXT_TYPES.match(duckdb_type):
        return "text"
    plain = duckdb_type.split(" ")[0]
    return OTHER_TYPES.get(plain, f"values of type {duckdb_type[:40]}")


def _explain(relation: Relation, error: Exception) -> str:
    source, reason = relation.source, first_line(error)
    for file in source.files:
        reason = reason.replace(str(file.readable.absolute()), file.path.name)
    if relation.layout is None:
        kind = "Parquet" if source.format == "parquet" else "JSON"
        return f"{source} is damaged or no {kind} file ({reason}); write it again"
    for file in source.files:
        layout = read_layout(file.path, file.readable, source.csv_format)
        ragged = find_ragged_row(file.readable, layout)
        if ragged is not None:
            return f"{file.path}: {ragged}; correct that line"
    if any(word in str(error).lower() for word in ("utf-8", "unicode")):
        return (
            f"{source} is not UTF-8 text throughout ({reason}); save it as UTF-8, or name its "
            "encoding, such as --encoding latin-1 (CsvFormat in Python)"
        )
    return f"{source} is not well-formed CSV ({reason}); correct it or write it again"
