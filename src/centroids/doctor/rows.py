"""Checks of rows: doubles, rows far out, too few rows for the clusters asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from centroids.doctor.columns import Columns
from centroids.doctor.findings import Finding
from centroids.wording import count, percent

__all__ = ["check_duplicates", "check_few_rows", "check_outliers", "count_distinct"]

# A row this many times farther (squared) than rows are on average ...
FAR = 25.0
# ... is worth a word if all such rows together hold this part of the inertia of one cluster.
HEAVY = 0.05
FEW_PER_CLUSTER = 5
DOUBLE_SHARE = 0.01
MAX_ROWS_NAMED = 5
# Columns named as those in which rows are far out make up this part of the distance.
MAIN = 0.8


def count_distinct(columns: Columns) -> int:
    """Count the different rows of the part; rows that lack the same values are alike there."""
    part = columns.part
    rows = np.ascontiguousarray(np.where(np.isnan(part), np.inf, part) + part.dtype.type(0))
    # The zero made +0.0 of every -0.0.
    return len(np.unique(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1])))))


def check_duplicates(columns: Columns, n_distinct: int) -> Iterator[Finding]:
    """Find rows that come more than once."""
    n_rows = len(columns.part)
    n_doubles = n_rows - n_distinct
    if n_doubles <= DOUBLE_SHARE * n_rows:
        return
    yield Finding(
        "duplicates",
        "note",
        (),
        f"{count(n_doubles, 'row')} of {n_rows:,} ({percent(n_doubles / n_rows)}) "
        f"{'repeats' if n_doubles == 1 else 'repeat'} an earlier one in all columns of numbers.",
        "Right if they are different observations; if rows were copied, remove the copies, which "
        "pull the centers.",
    )


def check_few_rows(columns: Columns, n_distinct: int, n_clusters: int | None) -> Iterator[Finding]:
    """Say when there are too few rows for the clusters asked for."""
    n_samples = len(columns.X)
    if n_clusters is None:
        return
    if n_distinct < n_clusters:
        yield Finding(
            "few_rows",
            "error",
            (),
            f"There are {count(n_distinct, 'different row')}, fewer than {n_clusters} clusters.",
            f"Ask for {n_distinct} clusters or fewer.",
        )
    elif n_samples < FEW_PER_CLUSTER * n_clusters:
        yield Finding(
            "few_rows",
            "warning",
            (),
            f"{count(n_samples, 'row')} for {count(n_clusters, 'cluster')}: fewer than "
            f"{FEW_PER_CLUSTER} in each.",
            "Clusters of so few rows change with every row; ask for fewer.",
        )


def check_outliers(columns: Columns, *, is_scaled: bool) -> Iterator[Finding]:
    """Find rows so far out that they will get a cluster of their own.

    Splitting off a few far rows lowers the inertia by what they hold of it. `is_scaled`: measured
    in columns of variance 1, else in the columns as they are.
    """
    spread = columns.variances if is_scaled else np.ones_like(columns.variances)
    unit = np.where(spread > 0, spread, 1.0)
    distances = np.concatenate([(block**2 / unit).sum(axis=1) for block in columns.centered()])
    total = float(distances.sum())
    if total == 0 or len(distances) < FEW_PER_CLUSTER:
        return
    far = np.flatnonzero(distances > FAR * total / len(distances))
    held = float(distances[far].sum()) / total
    if not far.size or held < HEAVY:
        return
    farthest = far[np.argsort(-distances[far], kind="stable")]
    offsets = np.nan_to_num(columns.X[far] - columns.means)
    by_column = (offsets**2 / unit).sum(axis=0)
    deciding = np.argsort(-by_column, kind="stable")
    n_main = int(np.searchsorted(np.cumsum(by_column[deciding]), MAIN * by_column.sum())) + 1
    names = columns.named(deciding[: min(n_main, 3)])
    if columns.rows is not None:
        farthest = columns.rows[farthest]
    numbers = ", ".join(f"{row + 1:,}" for row in farthest[:MAX_ROWS_NAMED])
    more = f" and {len(far) - MAX_ROWS_NAMED:,} more" if len(far) > MAX_ROWS_NAMED else ""
    yield Finding(
        "outliers",
        "warning",
        names,
        f"{count(len(far), 'row')} ({percent(len(far) / len(distances))}) "
        f"{'lies' if len(far) == 1 else 'lie'} so far out, mostly in "
        f"{_and(names)}, that {'it holds' if len(far) == 1 else 'they hold'} {percent(held)} of "
        f"the squared distances and will own a cluster: {_row(len(far))} {numbers}{more} (counted "
        "from 1).",
        "Look at them first: correct or remove errors; transform a column that is skewed.",
    )


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(f'"{name}"' for name in names)


def _row(number: int) -> str:
    return "row" if number == 1 else "rows"
