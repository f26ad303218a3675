"""Cells of a CSV or Parquet file as arrays, in one pass; further passes only to explain errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.aside import in_thread
from centroids.rows.errors import MissingExtraError
from centroids.rows.numbers import MISSING_MARKERS, is_missing, is_number
from centroids.rows.relation import Relation, SourceColumn, explaining, quote_text

if TYPE_CHECKING:
    import duckdb
    import pyarrow

__all__ = ["Cells", "as_classes", "example_text", "seems_numeric"]

HEAD_ROWS = 1000
# A batch of rows has about so many cells, and not fewer rows than this.
MOST_CELLS, LEAST_ROWS = 1 << 20, 1 << 11
# Up to so many cells are read at once: loading Arrow takes longer.
MOST_AT_ONCE = 1 << 23
PACKED = 20
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Cells:
    """The cells of a relation, read over a connection."""

    relation: Relation
    connection: duckdb.DuckDBPyConnection

    def read(
        self, features: Sequence[SourceColumn], others: Sequence[SourceColumn] = ()
    ) -> Iterator[tuple[NDArray[Any], list[NDArray[Any]]]]:
        """Read block by block: features as numbers, NaN where there is none; others as they are.

        Features are float32 if all of them are. What comes of the others is for `as_classes`.
        """
        dtype = np.float32 if all(c.kind == "float32" for c in features) else np.float64
        selected = []
        for i, column in enumerate(features):
            nan = f"CAST('nan' AS {'FLOAT' if column.kind == 'float32' else 'DOUBLE'})"
            selected.append(f"coalesce({column.as_number}, {nan}) AS v{i}")
        for i, column in enumerate(others):
            is_numeric = column.kind in ("number", "float32")
            plain = column.sql if is_numeric else f"CAST({column.sql} AS VARCHAR)"
            selected.append(f"{plain} AS o{i}")
        sql = f"SELECT {', '.join(selected)} FROM {self.relation.sql}"
        for columns in self._whole(sql) if self._is_small() else self._stream(sql):
            block = np.empty((len(columns[0]), len(features)), dtype=dtype)
            for i, values in enumerate(columns[: len(features)]):
                block[:, i] = values
            yield block, columns[len(features) :]

    def read_others(self, columns: Sequence[SourceColumn]) -> dict[str, NDArray[Any]]:
        """Read columns as they are, by name."""
        batches = [found for _, found in self.read([], columns)]
        return {
            column.name: as_classes([found[i] for found in batches]) if batches else np.empty(0)
            for i, column in enumerate(columns)
        }

    def _is_small(self) -> bool:
        """Whether all cells may be read at once, so that Arrow need not be loaded."""
        source = self.relation.source
        if source.format == "parquet":
            rows = self._query(f"SELECT count(*) FROM {self.relation.unfiltered}")[0][0]
            return int(rows) * len(self.relation.columns) <= MOST_AT_ONCE
        # A cell and the sign behind it have two bytes at least; packed, much less.
        n_cells = sum(
            file.readable.stat().st_size * (PACKED if file.readable.suffix == ".gz" else 1) / 2
            for file in source.files
        )
        return n_cells <= MOST_AT_ONCE

    def _whole(self, sql: str) -> Iterator[list[NDArray[Any]]]:
        with explaining(self.relation):
            columns = list(self.connection.execute(sql).fetchnumpy().values())
        if len(columns[0]):
            yield columns

    def _stream(self, sql: str) -> Iterator[list[NDArray[Any]]]:
        """Run a query and hand its rows over as they come, so that they need not all be there."""
        try:
            import pyarrow
        except ImportError as error:
            raise MissingExtraError(
                'reading files of this size needs pyarrow: pip install "centroids[cli]"'
            ) from error
        most = max(LEAST_ROWS, MOST_CELLS // len(self.relation.columns))

        def read() -> Iterator[pyarrow.RecordBatch]:
            found = self.connection.sql(sql)
            # Until DuckDB 1.3 it had another name.
            yield from (getattr(found, "to_arrow_reader", None) or found.fetch_record_batch)(most)

        with explaining(self.relation):
            try:
                for batch in in_thread(read, self.connection.interrupt):
                    yield [_to_numpy(column) for column in batch.columns]
            except (pyarrow.ArrowException, OSError) as error:
                raise _as_duckdb_error(error) from error

    def head(self, columns: Sequence[SourceColumn]) -> list[list[str | None]]:
        """Read the first rows of text columns: one list per column."""
        selected = ", ".join(f"CAST({column.sql} AS VARCHAR)" for column in columns)
        rows = self._query(f"SELECT {selected} FROM {self.relation.sql} LIMIT {HEAD_ROWS}")
        return [[row[i] for row in rows] for i in range(len(columns))]

    def text_at(self, column: SourceColumn, row: int) -> str | None:
        """Read one cell as text; `row` counts from 0."""
        found = self._query(
            f"SELECT CAST(cell AS VARCHAR) FROM (SELECT {column.sql} AS cell, row_number() OVER () "
            f"AS row FROM {self.relation.sql}) WHERE row = {row + 1}"
        )
        text = found[0][0] if found else None
        return None if text is None else str(text)

    def count_texts(self, column: SourceColumn) -> tuple[int, int, str | None]:
        """Count texts that are no numbers, count numbers, and give the first such text."""
        n_texts, n_known, example = self._query(
            f"SELECT count(*) FILTER ({_is_text(column)}), count(*) FILTER ({_is_known(column)}), "
            f"first({column.sql}) FILTER ({_is_text(column)}) FROM {self.relation.sql}"
        )[0]
        return int(n_texts), int(n_known - n_texts), example

    def first_text(self, columns: Sequence[SourceColumn]) -> tuple[int, int, int] | None:
        """Find the first cell that is neither a number nor missing: row, column, how many."""
        tests = ", ".join(
            f"min(row) FILTER ({_is_text(c)}), count(*) FILTER ({_is_text(c)})" for c in columns
        )
        found = self._query(
            f"SELECT {tests} FROM (SELECT *, row_number() OVER () AS row FROM {self.relation.sql})"
        )[0]
        rows = [(row - 1, i) for i, row in enumerate(found[0::2]) if row is not None]
        return (*min(rows), sum(found[1::2])) if rows else None

    def place_of(self, row: int) -> tuple[Path, int]:
        """Give the file of a row and its number there, counted from 1; `row` counts from 0."""
        number = row + 1
        relation = self.relation
        if relation.numbered is not None:
            number = int(self._query(f"{relation.numbered[1:-1]} LIMIT 1 OFFSET {row}")[0][0])
        files = relation.source.files
        for file, part in zip(files[:-1], relation.parts, strict=False):
            n_rows = int(self._query(f"SELECT count(*) FROM {part}")[0][0])
            if number <= n_rows:
                return file.path, number
            number -= n_rows
        return files[-1].path, number

    def count(self) -> int:
        """Count the rows."""
        return int(self._query(f"SELECT count(*) FROM {self.relation.sql}")[0][0])

    def plainest_types(self, columns: Sequence[SourceColumn]) -> list[str]:
        """Tell what all cells of each column of texts are: "whole" numbers, "number" or "text"."""
        tests = ", ".join(
            # "007" and the like are codes: they stay text.
            f"bool_and({c.as_number} IS NOT NULL AND NOT ({c.sql} >= '00' AND {c.sql} < '0:')) "
            f"FILTER ({c.sql} IS NOT NULL), "
            f"bool_and(isfinite({c.as_number}) AND NOT regexp_matches({c.sql}, '[.,eE]') "
            f"AND length({c.sql}) < 19)"
            for c in columns
        )
        found = self._query(f"SELECT {tests} FROM {self.relation.sql}")[0]
        return [
            "text" if not is_number else "whole" if is_whole else "number"
            for is_number, is_whole in zip(found[0::2], found[1::2], strict=True)
        ]

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with explaining(self.relation):
            rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return rows


def seems_numeric(cells: Sequence[str | None], decimal: str = ".") -> bool:
    """Whether at least half of the cells that say something are numbers."""
    known = [cell for cell in cells if cell is not None and not is_missing(cell)]
    return sum(is_number(cell, decimal) for cell in known) * 2 >= len(known)


def example_text(cells: Sequence[str | None], decimal: str = ".") -> str | None:
    """Pick the first cell that is neither missing nor a number."""
    texts = (cell for cell in cells if not is_missing(cell) and not is_number(cell or "", decimal))
    return next(texts, None)


def _is_known(column: SourceColumn) -> str:
    markers = ", ".join(quote_text(marker) for marker in sorted(MISSING_MARKERS))
    return f"{column.sql} IS NOT NULL AND lower(trim({column.sql})) NOT IN ({markers})"


def _is_text(column: SourceColumn) -> str:
    return f"{_is_known(column)} AND {column.as_number} IS NULL"


def _as_duckdb_error(error: Exception) -> Exception:
    """Give what DuckDB said in the middle of a stream, which Arrow wraps up, as DuckDB says it."""
    import duckdb

    is_interrupt = "INTERRUPT" in str(error).upper()
    kind: type[Exception] = duckdb.InterruptException if is_interrupt else duckdb.Error
    return kind(str(error))


def _to_numpy(column: pyarrow.Array) -> NDArray[Any]:
    """Give a column of Arrow as DuckDB gives it to NumPy: NULLs are NaN or masked.

    Arrow's own ``to_numpy`` and whatever fills NULLs would load pandas, which takes long.
    """
    import pyarrow

    if pyarrow.types.is_decimal(column.type):
        column = column.cast(pyarrow.float64())
    is_floating = pyarrow.types.is_floating(column.type)
    is_number = is_floating or pyarrow.types.is_integer(column.type)
    if is_number and not column.null_count:
        return np.from_dlpack(column)
    if is_floating:
        return np.from_dlpack(column.fill_null(np.nan))
    if is_number:
        whole = np.from_dlpack(column.fill_null(0))
        return np.ma.MaskedArray(whole, np.array(column.is_null().to_pylist()))
    return np.array([*column.to_pylist(), None], dtype=object)[:-1]


def as_classes(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join parts of a column as classes of their plainest type: whole numbers if all are such."""
    join: Any = np.ma.concatenate
    values: NDArray[Any] = join(parts) if len(parts) > 1 else parts[0]
    if isinstance(values, np.ma.MaskedArray):
        is_missing_class = np.ma.getmaskarray(values)
        values = np.ma.getdata(values)
        if is_missing_class.any():
            values = values.astype(object)
            values[is_missing_class] = None
    if values.dtype != object:
        return values
    known = {value for value in values if isinstance(value, str) and value.strip()}
    if known and all(map(WHOLE_NUMBER.fullmatch, known)):
        number = {value: int(value) for value in known}
        values = np.array([number.get(value) for value in values], dtype=object)
        if not any(value is None for value in values):
            return values.astype(np.int64)
    return values
