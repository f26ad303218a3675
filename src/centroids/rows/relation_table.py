"""The cells of files become a table: choose columns, read them once, refuse what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.bad_cells import find_bad_cell, quoted, refuse_bad_cell, refuse_empty_truth
from centroids.rows.cells import Cells, example_text, seems_numeric
from centroids.rows.columns import split_columns
from centroids.rows.errors import InputError
from centroids.rows.relation import SourceColumn
from centroids.rows.request import ReadRequest
from centroids.rows.source import Source
from centroids.rows.table import LeftOut, Table

__all__ = ["table_from_cells"]

NUMERIC_KINDS = ("number", "float32")


def table_from_cells(cells: Cells, request: ReadRequest) -> Table:
    """Read the features, the truth and the weights of CSV, Parquet or JSON files.

    Missing values are NaN in the table; `request.missing` is not applied yet, except that "error"
    refuses them.
    """
    source, every = cells.relation.source, cells.relation.columns
    names = [column.name for column in every]
    roles = split_columns(source, names, request)
    features = [every[i] for i in roles.features]
    reasons: dict[str, str] = {}
    if request.columns is None:
        reasons = _not_numeric(cells, features)
        features = _without(features, reasons, source)
    else:
        _refuse_other_kinds(source, features)
    weight = [] if roles.weight is None else [every[roles.weight]]
    _refuse_other_kinds(source, weight)

    others = [] if roles.truth is None else [every[roles.truth]]
    values, classes = cells.read([*features, *weight], others)
    if not len(values[features[0].name]):
        raise InputError(f"{source} has no rows; it needs at least one row of values")
    if request.columns is None:
        reasons |= _spoiled(cells, features, values)
        features = _without(features, reasons, source)
    weights = _weights(cells, weight[0], values) if weight else None

    X = _stack(values, features)
    n_missing = np.isnan(X).sum(axis=0)
    _refuse_bad(cells, features, X, n_missing, may_miss=request.missing != "error")
    truth = classes[request.truth] if request.truth is not None else None
    refuse_empty_truth(source, request.truth, truth)
    chosen = {column.name for column in features} | {request.truth, request.weight}
    return Table(
        source=source,
        X=X,
        columns=tuple(column.name for column in features),
        left_out=tuple(
            LeftOut(column.name, reasons.get(column.name, "not chosen"))
            for column in every
            if column.name not in chosen
        ),
        truth=truth,
        truth_name=request.truth,
        sample_weight=weights,
        weight_name=request.weight,
        has_names=cells.relation.layout is None or cells.relation.layout.has_header,
        n_missing=tuple(n_missing.tolist()),
        n_rows=len(X),
        n_rows_in_files=len(X),
    )


def _not_numeric(cells: Cells, columns: Sequence[SourceColumn]) -> dict[str, str]:
    """Give the reason for each column whose type or first rows show that it holds no numbers."""
    reasons = {c.name: c.kind for c in columns if c.kind not in (*NUMERIC_KINDS, "text")}
    texts = [column for column in columns if column.kind == "text"]
    for column, head in zip(texts, cells.head(texts) if texts else (), strict=True):
        if not seems_numeric(head, column.decimal):
            reasons[column.name] = _text_reason(example_text(head, column.decimal))
    return reasons


def _spoiled(
    cells: Cells, columns: Sequence[SourceColumn], values: dict[str, NDArray[Any]]
) -> dict[str, str]:
    """Give the reason for each column that turned out to be empty, or to be mostly text.

    A column with fewer texts than numbers is not among them: those texts are errors.
    """
    reasons = {}
    for column in columns:
        numbers = values[column.name]
        n_bad = int(np.count_nonzero(np.isnan(numbers)))
        is_text = column.kind == "text"
        n_texts, n_numbers, example = cells.count_texts(column) if is_text and n_bad else (0, 1, "")
        if n_bad == len(numbers) and not n_texts:
            reasons[column.name] = "empty"
        elif n_texts > n_numbers:
            reasons[column.name] = _text_reason(example)
    return reasons


def _refuse_bad(
    cells: Cells,
    features: Sequence[SourceColumn],
    X: NDArray[Any],
    n_missing: NDArray[np.intp],
    *,
    may_miss: bool,
) -> None:
    """Refuse texts and infinities; missing values too, unless they may be there."""
    bad = find_bad_cell(X, may_miss=may_miss)
    found = None if bad is None else (bad.row, bad.column, bad.n_bad)
    if may_miss and found is None:
        suspects = [
            i for i, column in enumerate(features) if column.kind == "text" and n_missing[i]
        ]
        text = cells.first_text([features[i] for i in suspects]) if suspects else None
        found = None if text is None else (text[0], suspects[text[1]], text[2])
    if found is not None:
        row, i, n_bad = found
        column = features[i]
        text_there = cells.text_at(column, row)
        refuse_bad_cell(cells.place_of(row), n_bad, column.name, text_there, column.decimal)


def _weights(
    cells: Cells, column: SourceColumn, values: dict[str, NDArray[Any]]
) -> NDArray[np.float64]:
    weights = values.pop(column.name).astype(np.float64)
    is_bad = ~(np.isfinite(weights) & (weights >= 0))
    if is_bad.any():
        row = int(np.argmax(is_bad))
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
    return weights


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


def _stack(
    values: dict[str, NDArray[Any]], features: Sequence[SourceColumn]
) -> NDArray[np.float64] | NDArray[np.float32]:
    """Put the columns side by side, letting go of each one once it is copied."""
    n_samples = len(values[features[0].name])
    is_single = all(column.kind == "float32" for column in features)
    X = np.empty((n_samples, len(features)), dtype=np.float32 if is_single else np.float64)
    for i, column in enumerate(features):
        X[:, i] = values.pop(column.name)
    return X
