"""`examine`: a table in, findings out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from centroids.doctor.columns import (
    COLUMN_CHECKS,
    Columns,
    check_bad_cells,
    check_part,
    check_renamed,
    check_scale,
    check_texts,
)
from centroids.doctor.findings import Finding, Findings, in_order
from centroids.doctor.rows import (
    check_duplicates,
    check_few_rows,
    check_outliers,
    count_distinct,
)
from centroids.rows.bad_cells import find_bad_cell
from centroids.rows.sparse import is_sparse
from centroids.rows.table import Table

__all__ = ["examine"]


def examine(
    data: Any,
    *,
    n_clusters: int | None = None,
    is_scaled: bool = False,
    feature_names: Sequence[str] | None = None,
) -> Findings:
    """Say what to know about rows and columns before they are clustered.

    Looks for columns that are constant, number the rows, hold dates, say the same as another one
    or hold most of the variance; for missing values, doubles, skew and rows far out; and for
    columns that are no numbers. Nothing is changed and nothing is fitted. Every row is looked at;
    only identifiers, dates and doubles are looked for in a part of very many rows (about 4 million
    cells), which is then among the findings.

    Parameters
    ----------
    data : Table, data frame or array-like of shape (n_samples, n_features)
        What is to be clustered. NaN stands for a missing value.
    n_clusters : int or None, default=None
        How many clusters are to be made, to say if rows are too few for it.
    is_scaled : bool, default=False
        Whether the columns are to be scaled to variance 1 before they are clustered. No column can
        then decide alone, and far rows are judged in that unit.
    feature_names : sequence of str or None, default=None
        The names of the columns of an array; by default x1, x2, …

    Returns
    -------
    Findings
        The findings, the gravest first; ``print(findings.summary())`` says them.

    Raises
    ------
    ValueError
        If `data` is no table of numbers, or holds an infinite value.

    See Also
    --------
    profile : says what the clusters are, afterwards.

    Examples
    --------
    >>> from centroids import examine
    >>> findings = examine([[0.1, 1000], [0.9, 3000], [0.5, 2000]], feature_names=["x", "dollars"])
    >>> [(finding.kind, finding.columns) for finding in findings]
    [('scale', ('dollars',))]
    """
    columns, texts = _take(data, feature_names)
    found: list[Finding] = []
    for check in COLUMN_CHECKS:
        found += check(columns)
    n_distinct = count_distinct(columns)
    found += check_few_rows(columns, n_distinct, n_clusters)
    if not is_scaled:
        found += check_scale(columns)
    found += check_outliers(columns, is_scaled=is_scaled)
    found += check_duplicates(columns, n_distinct)
    found += check_texts(texts)
    found += check_bad_cells(data.bad_cells if isinstance(data, Table) else ())
    found += check_renamed(data.renamed if isinstance(data, Table) else ())
    found += check_part(columns)
    shares = dict(zip(columns.names, columns.shares.tolist(), strict=True))
    n_samples, n_features = columns.X.shape
    return Findings(in_order(found), n_samples, n_features, shares)


def _take(data: Any, feature_names: Sequence[str] | None) -> tuple[Columns, dict[str, str]]:
    """Give the columns of numbers, and an example or a reason for each of the others."""
    if isinstance(data, Table):
        texts = {name: why for name, why in data.left_out if why not in ("not chosen", "empty")}
        return _columns(data.X, data.columns, data.rows), texts
    if is_sparse(data):
        raise ValueError("examine takes dense rows; give it X.toarray() of some columns.")
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        return _from_frame(data)
    X = np.ma.filled(np.ma.asarray(data, dtype=np.float64), np.nan)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"data has the shape {X.shape}; examine takes rows and columns.")
    names = [f"x{i + 1}" for i in range(X.shape[1])] if feature_names is None else feature_names
    if len(names) != X.shape[1]:
        raise ValueError(f"feature_names has {len(names)} names, data has {X.shape[1]} columns.")
    return _columns(X, tuple(map(str, names))), {}


def _from_frame(frame: Any) -> tuple[Columns, dict[str, str]]:
    """Take the columns of numbers of a data frame of pandas or Polars."""
    numbers: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for name in frame.columns:
        values = frame[name]
        if _is_numeric(values):
            numbers[str(name)] = np.asarray(values.to_numpy(), dtype=np.float64)
        else:
            known = (value for value in values if value is not None and value == value)
            texts[str(name)] = str(next(known, ""))
    if not numbers or not len(frame):
        raise ValueError("the data frame has no rows, or no column of numbers to cluster.")
    return _columns(np.column_stack(list(numbers.values())), tuple(numbers)), texts


def _is_numeric(values: Any) -> bool:
    dtype = values.dtype
    if hasattr(dtype, "is_numeric"):  # Polars
        return bool(dtype.is_numeric())
    return getattr(dtype, "kind", "O") in "iuf"


def _columns(X: Any, names: tuple[str, ...], rows: Any = None) -> Columns:
    bad = find_bad_cell(X, may_miss=True)
    if bad is not None:
        raise ValueError(
            f"data holds infinity, first at row {bad.row}, column {names[bad.column]!r} (counted "
            "from 0); correct it, or set it to NaN where it is not known."
        )
    return Columns(X, names, rows)
