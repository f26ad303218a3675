"""CSV and Parquet files as something DuckDB can select from.

A :class:`Relation` knows the columns of one file and how to write them in SQL. It reads cells;
which columns to use and what counts as an error is decided in `files`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centroids.rows.csv_layout import CsvLayout, find_ragged_row, read_layout
from centroids.rows.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Relation",
    "SourceColumn",
    "connect",
    "csv_relation",
    "explaining",
    "parquet_relation",
    "quote_text",
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
    """

    name: str
    sql: str
    kind: str

    @property
    def as_number(self) -> str:
        """SQL for the column as a number; NULL where a text is none."""
        if self.kind == "float32":
            return self.sql
        if self.kind == "text":
            # A bare TRY_CAST is moved into the CSV reader by DuckDB 2.0, where it does not try.
            return f"TRY_CAST(nullif({self.sql}, '') AS DOUBLE)"
        return f"CAST({self.sql} AS DOUBLE)"


@dataclass(frozen=True)
class Relation:
    """A file DuckDB can read.

    Attributes
    ----------
    path : Path
        The file.
    sql : str
        What stands behind ``FROM``.
    columns : tuple of SourceColumn
        All columns, in the order of the file.
    layout : CsvLayout or None
        For CSV files.
    """

    path: Path
    sql: str
    columns: tuple[SourceColumn, ...]
    layout: CsvLayout | None = None


@contextmanager
def connect(n_jobs: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that lives in memory, keeps the order of rows and fetches no add-ons."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError(
            'reading and writing CSV and Parquet needs duckdb: pip install "centroids[cli]"'
        ) from error
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        # By default a ".tmp" folder would appear where the user stands.
        "temp_directory": "",
    }
    if n_jobs is not None and n_jobs > 0:
        config["threads"] = n_jobs
    with duckdb.connect(":memory:", config=config) as connection:
        yield connection


def csv_relation(path: Path) -> Relation:
    """Describe a CSV file; every column is read as text, so that no cell is lost or rounded."""
    layout = read_layout(path)
    types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(layout.names)))
    header = "true" if layout.has_header else "false"
    sql = (
        f"read_csv({_quote_path(path)}, auto_detect=false, header={header}, "
        f"delim={quote_text(layout.delimiter)}, quote='\"', escape='\"', columns={{{types}}})"
    )
    columns = tuple(SourceColumn(name, f"c{i}", "text") for i, name in enumerate(layout.names))
    return Relation(path, sql, columns, layout)


def parquet_relation(path: Path, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Describe a Parquet file from its footer."""
    relation = Relation(path, f"read_parquet({_quote_path(path)})", ())
    with explaining(relation):
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation.sql}").fetchall()
    columns = tuple(
        SourceColumn(name, quote_name(name), _kind(kind)) for name, kind, *_ in described
    )
    return Relation(path, relation.sql, columns)


@contextmanager
def explaining(relation: Relation) -> Iterator[None]:
    """Turn what DuckDB says about a file it cannot read into one line for the user."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(f"{relation.path}: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise InputError(_explain(relation, error)) from error


def quote_text(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Write a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _quote_path(path: Path) -> str:
    """Write a path as an SQL literal, with the signs that DuckDB takes for a pattern shielded."""
    return quote_text(re.sub(r"([*?\[])", r"[\1]", str(path.absolute())))


def _kind(duckdb_type: str) -> str:
    if duckdb_type == "FLOAT":
        return "float32"
    if NUMBER_TYPES.match(duckdb_type):
        return "number"
    if TEXT_TYPES.match(duckdb_type):
        return "text"
    plain = duckdb_type.split(" ")[0]
    return OTHER_TYPES.get(plain, f"values of type {duckdb_type[:40]}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _explain(relation: Relation, error: Exception) -> str:
    path, layout = relation.path, relation.layout
    reason = _first_line(error).replace(str(path.absolute()), path.name)
    if layout is None:
        return f"{path} is damaged or no Parquet file ({reason}); write it again"
    ragged = find_ragged_row(path, layout)
    if ragged is not None:
        return f"{path}: {ragged}; correct that line"
    if any(word in str(error).lower() for word in ("utf-8", "unicode")):
        return f"{path} is not UTF-8 text throughout ({reason}); save the file as UTF-8"
    return f"{path} is not well-formed CSV ({reason}); correct it or write it again"
