"""``where``: an SQL condition that chooses rows, over the columns as the user knows them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from centroids.rows.cells import Cells, seems_numeric
from centroids.rows.columns import did_you_mean
from centroids.rows.errors import InputError
from centroids.rows.relation import Relation, explaining, first_line, quote_name

if TYPE_CHECKING:
    import duckdb

__all__ = ["count_rows", "select_rows"]

UNKNOWN_COLUMN = re.compile(r'Referenced column "(.+?)" (was )?not found')


def select_rows(relation: Relation, where: str, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Give a relation with the rows that fulfil a condition, in their order.

    In the condition, a column of a CSV file is one of numbers if at least half of its first cells
    are numbers, else one of texts.
    """
    if not where.strip():
        raise InputError(
            '--where is empty (where= in Python): give a condition, such as "age >= 18", or drop it'
        )
    # A comment at the end of the condition must not hide the bracket.
    condition = f"(\n{where}\n)"
    if relation.layout is None:
        visible, columns = relation.unfiltered, "*"
    else:
        visible, columns = _with_names(relation, connection)
    sql = f"(SELECT {columns} FROM {visible} WHERE {condition})"
    numbered = (
        f"(SELECT row FROM (SELECT *, row_number() OVER () AS row FROM {visible}) "
        f"WHERE {condition})"
    )
    chosen = replace(relation, sql=sql, numbered=numbered)
    _check(chosen, where, connection)
    return chosen


def _with_names(relation: Relation, connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """Put the user's names beside the cells; give that in SQL, and how to select the cells."""
    names = [column.name.lower() for column in relation.columns]
    hidden = "cell"
    while any(name.startswith(hidden) for name in names):
        hidden += "_"
    inner = [f"{column.sql} AS {hidden}{i}" for i, column in enumerate(relation.columns)]
    numeric = _are_numeric(relation, connection)
    for i, (column, is_numeric) in enumerate(zip(relation.columns, numeric, strict=True)):
        if names[i] not in names[:i]:  # SQL does not tell "X" and "x" apart: the first one counts
            value = column.as_number if is_numeric else column.sql
            inner.append(f"{value} AS {quote_name(column.name)}")
    outer = [f"{hidden}{i} AS {column.sql}" for i, column in enumerate(relation.columns)]
    return f"(SELECT {', '.join(inner)} FROM {relation.unfiltered})", ", ".join(outer)


def count_rows(relation: Relation, connection: duckdb.DuckDBPyConnection) -> int:
    """Count the rows, those that a condition leaves out included."""
    with explaining(relation):
        found = connection.execute(f"SELECT count(*) FROM {relation.unfiltered}").fetchall()
    return int(found[0][0])


def _check(relation: Relation, where: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Try a condition on all rows; what is wrong with it becomes one line."""
    import duckdb

    try:
        found = connection.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except (
        duckdb.BinderException,
        duckdb.ParserException,
        duckdb.CatalogException,
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
        duckdb.SyntaxException,
    ) as error:
        reason = first_line(error)
        unknown = UNKNOWN_COLUMN.search(str(error))
        names = [column.name for column in relation.columns]
        if unknown:
            hint = did_you_mean(unknown[1], names)
            reason = f'{relation.source} has no column "{unknown[1]}"{hint}'
        raise InputError(
            f"--where {where!r} (where= in Python) is not a condition on its columns: {reason}"
        ) from error
    except duckdb.Error:
        with explaining(relation):
            raise
    if not found[0][0]:
        raise InputError(f"{relation.source}: no row fulfils --where {where!r} (where= in Python)")


def _are_numeric(relation: Relation, connection: duckdb.DuckDBPyConnection) -> list[bool]:
    """Tell which columns of a CSV file are columns of numbers, by their first cells."""
    columns = relation.columns
    heads = Cells(relation, connection).head(columns)
    return [
        any(head) and seems_numeric(head, column.decimal)
        for column, head in zip(columns, heads, strict=True)
    ]
