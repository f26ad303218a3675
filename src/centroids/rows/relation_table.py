"""A CSV or Parquet file becomes a table: choose columns, read them once, refuse what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.bad_cells import find_bad_cell, quoted, refuse_bad_cell, refuse_empty_truth
from centroids.rows.cells import Cells, example_text, seems_numeric
from centroids.rows.columns import split_columns
from centroids.rows.errors import InputError
from centroids.rows.relation import SourceColumn
from centroids.rows.table import LeftOut, Table

__all__ = ["table_from_cells"]

NUMERIC_KINDS = ("number", "float32")


def table_from_cells(cells: Cells, columns: Sequence[str] | None, truth: str | None) -> Table:
    """Read the features and the truth of a CSV or Parquet file."""
    relation = cells.relation
    path, every = relation.path, relation.columns
    used, truth_column = split_columns(path, [column.name for column in every], columns, truth)
    candidates = [every[i] for i in used]
    reasons: dict[str, str] = {}
    if columns is None:
        reasons = _not_numeric(cells, candidates)
        candidates = _without(candidates, reasons, path)
    else:
        _refuse_other_kinds(path, candidates)

    values, classes = cells.read(candidates, None if truth_column is None else every[truth_column])
    if not len(values[candidates[0].name]):
        raise InputError(f"{path} has no rows; it needs at least one row of values")
    features = candidates
    if columns is None:
        reasons |= _spoiled(cells, candidates, values)
        features = _without(candidates, reasons, path)

    X = _stack(values, features)
    bad = find_bad_cell(X)
    if bad is not None:
        column = features[bad.column]
        refuse_bad_cell(path, bad, column.name, cells.text_at(column, bad.row))
    refuse_empty_truth(path, truth, classes)
    chosen = tuple(column.name for column in features)
    return Table(
        path=path,
        X=X,
        columns=chosen,
        left_out=tuple(
            LeftOut(column.name, reasons.get(column.name, "not chosen"))
            for column in every
            if column.name not in chosen and column.name != truth
        ),
        truth=classes,
        truth_name=truth,
        has_names=relation.layout is None or relation.layout.has_header,
    )


def _not_numeric(cells: Cells, columns: Sequence[SourceColumn]) -> dict[str, str]:
    """Give the reason for each column whose type or first rows show that it holds no numbers."""
    reasons = {c.name: c.kind for c in columns if c.kind not in (*NUMERIC_KINDS, "text")}
    texts = [column for column in columns if column.kind == "text"]
    for column, head in zip(texts, cells.head(texts) if texts else (), strict=True):
        if not seems_numeric(head):
            reasons[column.name] = _text_reason(example_text(head))
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


def _text_reason(example: str | None) -> str:
    return "text" if example is None else f"text, such as {quoted(example)}"


def _without(
    columns: Sequence[SourceColumn], reasons: dict[str, str], path: Path
) -> list[SourceColumn]:
    """Keep the columns there is no reason against; at least one has to stay."""
    kept = [column for column in columns if column.name not in reasons]
    if not kept:
        listed = ", ".join(f"{name} ({reason})" for name, reason in list(reasons.items())[:5])
        more = f" and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        raise InputError(f"{path} has no numeric column to cluster: {listed}{more}")
    return kept


def _refuse_other_kinds(path: Path, columns: Sequence[SourceColumn]) -> None:
    for column in columns:
        if column.kind not in (*NUMERIC_KINDS, "text"):
            raise InputError(
                f'{path}: column "{column.name}" holds {column.kind}, not numbers; leave it out'
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
