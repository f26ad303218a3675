"""Cells of a CSV or Parquet file as arrays, in one pass; further passes only to explain errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.csv_layout import MISSING_MARKERS, is_missing, is_number
from centroids.rows.relation import Relation, SourceColumn, explaining, quote_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["Cells", "example_text", "seems_numeric"]

HEAD_ROWS = 1000
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Cells:
    """The cells of a relation, read over a connection."""

    relation: Relation
    connection: duckdb.DuckDBPyConnection

    def read(
        self, features: Sequence[SourceColumn], truth: SourceColumn | None
    ) -> tuple[dict[str, NDArray[Any]], NDArray[Any] | None]:
        """Read features by name, as numbers, NaN where there is none; and the truth as it is."""
        selected = [f"{column.as_number} AS v{i}" for i, column in enumerate(features)]
        if truth is not None:
            is_number_column = truth.kind in ("number", "float32")
            plain = truth.sql if is_number_column else f"CAST({truth.sql} AS VARCHAR)"
            selected.append(f"{plain} AS truth")
        with explaining(self.relation):
            arrays = self.connection.execute(
                f"SELECT {', '.join(selected)} FROM {self.relation.sql}"
            ).fetchnumpy()
        values = {column.name: _with_nan(arrays.pop(f"v{i}")) for i, column in enumerate(features)}
        return values, None if truth is None else _classes(arrays["truth"])

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
        markers = ", ".join(quote_text(marker) for marker in sorted(MISSING_MARKERS))
        is_known = f"{column.sql} IS NOT NULL AND lower(trim({column.sql})) NOT IN ({markers})"
        is_text = f"{is_known} AND {column.as_number} IS NULL"
        n_texts, n_known, example = self._query(
            f"SELECT count(*) FILTER ({is_text}), count(*) FILTER ({is_known}), "
            f"first({column.sql}) FILTER ({is_text}) FROM {self.relation.sql}"
        )[0]
        return int(n_texts), int(n_known - n_texts), example

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with explaining(self.relation):
            rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return rows


def seems_numeric(cells: Sequence[str | None]) -> bool:
    """Whether at least half of the cells that say something are numbers."""
    known = [cell for cell in cells if cell is not None and not is_missing(cell)]
    return sum(map(is_number, known)) * 2 >= len(known)


def example_text(cells: Sequence[str | None]) -> str | None:
    """Pick the first cell that is neither missing nor a number."""
    texts = (cell for cell in cells if not is_missing(cell) and not is_number(cell or ""))
    return next(texts, None)


def _with_nan(values: NDArray[Any]) -> NDArray[Any]:
    """Replace the NULLs, which DuckDB hands over as a mask, by NaN."""
    if isinstance(values, np.ma.MaskedArray):
        filled: NDArray[Any] = np.ma.filled(values, np.nan)
        return filled
    return values


def _classes(values: NDArray[Any]) -> NDArray[Any]:
    """Give classes their plainest type: whole numbers where all of them read as such."""
    if isinstance(values, np.ma.MaskedArray):
        is_missing_class = np.ma.getmaskarray(values)
        values = np.ma.getdata(values).astype(object)
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
