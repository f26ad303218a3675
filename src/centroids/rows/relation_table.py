"""The cells of files become a table: choose columns, read them once, refuse what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centroids.rows.bad_cells import (
    find_bad_cell,
    first_bad_weight,
    quoted,
    refuse_bad_cell,
    refuse_empty_truth,
)
from centroids.rows.blocks import Spool, blocks_of, count_missing, map_rows
from centroids.rows.cells import Cells, as_classes, example_text, seems_numeric
from centroids.rows.columns import split_columns
from centroids.rows.errors import InputError
from centroids.rows.relation import SourceColumn
from centroids.rows.request import ReadRequest
from centroids.rows.source import Source
from centroids.rows.table import BadCells, LeftOut, Table

__all__ = ["table_from_cells"]

NUMERIC_KINDS = ("number", "float32")


def table_from_cells(cells: Cells, request: ReadRequest) -> Table:
    """Read the features, the truth and the weights of CSV, Parquet or JSON files.

    Missing values are NaN in the table; `request.missing` is not applied yet, except that "error"
    refuses them.
    """
    source, every = cells.relation.source, cells.relation.columns
    roles = split_columns(source, [column.name for column in every], request)
    features = [every[i] for i in roles.features]
    weight = None if roles.weight is None else every[roles.weight]
    truth = None if roles.truth is None else every[roles.truth]
    _refuse_other_kinds(source, [] if weight is None else [weight])
    reasons: dict[str, str] = {}
    if request.columns is None:
        features, read, reasons = _read_numeric(cells, features, weight, truth)
    else:
        _refuse_other_kinds(source, features)
        read = _read(cells, features, weight, truth)
    if weight is not None and read.weights is not None:
        _check_weights(cells, weight, read.weights)

    bad_cells: tuple[BadCells, ...] = ()
    if request.bad == "keep":
        bad_cells = _bad_cells(cells, features, read)
        read = _without_infinity(read) if bad_cells else read
    if request.bad == "error" or request.missing == "error":
        _refuse_bad(cells, features, read, may_miss=request.missing != "error")
    refuse_empty_truth(source, request.truth, read.classes)
    chosen = {column.name for column in features} | {request.truth, request.weight}
    return Table(
        source=source,
        X=read.X,
        columns=tuple(column.name for column in features),
        left_out=tuple(
            LeftOut(column.name, reasons.get(column.name, "not chosen"))
            for column in every
            if column.name not in chosen
        ),
        truth=read.classes,
        truth_name=request.truth,
        sample_weight=read.weights,
        weight_name=request.weight,
        has_names=cells.relation.layout is None or cells.relation.layout.has_header,
        renamed=cells.relation.renamed,
        n_missing=tuple(read.n_missing.tolist()),
        bad_cells=bad_cells,
        n_rows=len(read.X),
        n_rows_in_files=len(read.X),
    )


class _Read(NamedTuple):
    """What the cells of chosen columns are.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    n_missing : ndarray of shape (n_features,)
    weights, classes : ndarray of shape (n_samples,) or None
    """

    X: NDArray[Any]
    n_missing: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    classes: NDArray[Any] | None


def _read(
    cells: Cells,
    features: Sequence[SourceColumn],
    weight: SourceColumn | None,
    truth: SourceColumn | None,
) -> _Read:
    """Read the columns in one pass; the features may go to disk on their way."""
    others = [] if truth is None else [truth]
    if weight is not None:
        others.append(replace(weight, sql=weight.as_number, kind="number"))
    spool: Spool | None = None
    n_missing = np.zeros(len(features), dtype=np.int64)
    found: list[list[NDArray[Any]]] = [[] for _ in others]
    for X, columns in cells.read(features, others):
        spool = spool or Spool(len(features), X.dtype)
        spool.append(X)
        n_missing += np.isnan(X).sum(axis=0)
        for parts, column in zip(found, columns, strict=True):
            parts.append(column)
    if spool is None:
        raise InputError(
            f"{cells.relation.source} has no rows; it needs at least one row of values"
        )
    weights = None
    if weight is not None:
        parts = [np.ma.filled(part.astype(np.float64), np.nan) for part in found.pop()]
        weights = np.concatenate(parts)
    return _Read(spool.finish(), n_missing, weights, as_classes(found[0]) if found else None)


def _read_numeric(
    cells: Cells,
    columns: Sequence[SourceColumn],
    weight: SourceColumn | None,
    truth: SourceColumn | None,
) -> tuple[list[SourceColumn], _Read, dict[str, str]]:
    """Read the columns that hold numbers; give the reason for each of the others."""
    source = cells.relation.source
    reasons = _not_numeric(cells, columns)
    features = _without(columns, reasons, source)
    read = _read(cells, features, weight, truth)
    spoiled = _spoiled(cells, features, read)
    if spoiled:
        reasons |= spoiled
        features = _without(features, reasons, source)
        read = _read(cells, features, weight, truth)
    return features, read, reasons


def _not_numeric(cells: Cells, columns: Sequence[SourceColumn]) -> dict[str, str]:
    """Give the reason for each column whose type or first rows show that it holds no numbers."""
    reasons = {c.name: c.kind for c in columns if c.kind not in (*NUMERIC_KINDS, "text")}
    texts = [column for column in columns if column.kind == "text"]
    for column, head in zip(texts, cells.head(texts) if texts else (), strict=True):
        if not seems_numeric(head, column.decimal):
            reasons[column.name] = _text_reason(example_text(head, column.decimal))
    return reasons


def _spoiled(cells: Cells, columns: Sequence[SourceColumn], read: _Read) -> dict[str, str]:
    """Give the reason for each column that turned out to be empty, or to be mostly text.

    A column with fewer texts than numbers is not among them: those texts are errors.
    """
    reasons = {}
    for column, n_bad in zip(columns, read.n_missing.tolist(), strict=True):
        is_text = column.kind == "text"
        n_texts, n_numbers, example = cells.count_texts(column) if is_text and n_bad else (0, 1, "")
        if n_bad == len(read.X) and not n_texts:
            reasons[column.name] = "empty"
        elif n_texts > n_numbers:
            reasons[column.name] = _text_reason(example)
    return reasons


def _refuse_bad(
    cells: Cells,
    features: Sequence[SourceColumn],
    read: _Read,
    *,
    may_miss: bool,
) -> None:
    """Refuse texts and infinities; missing values too, unless they may be there."""
    bad = find_bad_cell(read.X, may_miss=may_miss)
    found = None if bad is None else (bad.row, bad.column, bad.n_bad)
    if may_miss and found is None:
        suspects = [
            i for i, column in enumerate(features) if column.kind == "text" and read.n_missing[i]
        ]
        text = cells.first_text([features[i] for i in suspects]) if suspects else None
        found = None if text is None else (text[0], suspects[text[1]], text[2])
    if found is not None:
        row, i, n_bad = found
        column = features[i]
        text_there = cells.text_at(column, row)
        refuse_bad_cell(cells.place_of(row), n_bad, column.name, text_there, column.decimal)


def _bad_cells(cells: Cells, features: Sequence[SourceColumn], read: _Read) -> tuple[BadCells, ...]:
    """List the columns that hold texts or infinite values among their numbers."""
    found = []
    n_infinite = np.zeros(len(features), dtype=np.int64)
    for block in blocks_of(read.X):
        n_infinite += np.isinf(block).sum(axis=0)
    for i, column in enumerate(features):
        first, n_bad = [], int(n_infinite[i])
        if n_bad:
            values = read.X[:, i]
            first.append(int(np.argmax(np.isinf(values))))
        text = cells.first_text([column]) if column.kind == "text" and read.n_missing[i] else None
        if text is not None:
            first.append(text[0])
            n_bad += text[2]
        if first:
            row = min(first)
            path, number = cells.place_of(row)
            example = quoted(cells.text_at(column, row) or "")
            found.append(BadCells(column.name, n_bad, example, f"row {number:,} of {path.name}"))
    return tuple(found)


def _without_infinity(read: _Read) -> _Read:
    """Set infinite values to NaN."""
    X = map_rows(read.X, lambda block: np.where(np.isinf(block), np.nan, block))
    return read._replace(X=X.astype(read.X.dtype, copy=False), n_missing=count_missing(X))


def _check_weights(cells: Cells, column: SourceColumn, weights: NDArray[np.float64]) -> None:
    row = first_bad_weight(weights)
    if row is not None:
        path, number = cells.place_of(row)
        text = cells.text_at(column, row)
        what = "is empty" if not (text or "").strip() else f"holds {quoted(text or '')}"
        raise InputError(
            f'{path}: row {number}, column "{column.name}" {what}; a weight is a number from 0 up'
        )
    if not weights.any():
        raise InputError(
            f'{cells.relation.source}: column "{column.name}" is 0 in every row; at least one row '
            "has to count"
        )


def _text_reason(example: str | None) -> str:
    return "text" if example is None else f"text, such as {quoted(example)}"


def _without(
    columns: Sequence[SourceColumn], reasons: dict[str, str], source: Source
) -> list[SourceColumn]:
    """Keep the columns there is no reason against; at least one has to stay."""
    kept = [column for column in columns if column.name not in reasons]
    if not kept:
        listed = ", ".join(f"{name} ({reason})" for name, reason in list(reasons.items())[:5])
        more = f" and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        raise InputError(f"{source} has no numeric column to cluster: {listed}{more}")
    return kept


def _refuse_other_kinds(source: Source, columns: Sequence[SourceColumn]) -> None:
    for column in columns:
        if column.kind not in (*NUMERIC_KINDS, "text"):
            raise InputError(
                f'{source}: column "{column.name}" holds {column.kind}, not numbers; leave it out'
            )
