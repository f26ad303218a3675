"""Checks of columns: each takes the columns of numbers and gives what it finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from centroids.doctor.findings import Finding, listed
from centroids.wording import count, percent

__all__ = ["COLUMN_CHECKS", "Columns", "check_scale", "check_texts"]

DOMINANT = 0.9
MOSTLY_MISSING = 0.5
SKEWED = 3.0
SAME = 0.999
# In fewer, whole numbers are often all different by chance, and moments say little.
FEWEST_ROWS = 20
MOST_COLUMNS_COMPARED = 1000
ID_NAME = re.compile(r"(?i:(^|[_\W])(id|nr|no|key|index|idx|uuid|code|row|number)$)|[a-z]ID$")
DAY = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b")
# 1980 and 2040, as days and in seconds since 1970
DAYS = (19_000_101, 21_001_231)
SECONDS = (315_532_800, 2_208_988_800)


@dataclass(frozen=True)
class Columns:
    """Columns of numbers, with NaN where a value is missing, and what the checks share.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The values, finite or NaN.
    names : tuple of str
        The names of the columns.
    rows : ndarray of shape (n_samples,) or None
        The positions of the rows in what the user has, if they are not all there.
    """

    X: NDArray[np.float64]
    names: tuple[str, ...]
    rows: NDArray[np.intp] | None = None

    @cached_property
    def n_missing(self) -> NDArray[np.intp]:
        """How many values each column lacks."""
        n_missing: NDArray[np.intp] = np.isnan(self.X).sum(axis=0)
        return n_missing

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """Mean of the values that are there; 0 where there is none."""
        n_known = len(self.X) - self.n_missing
        # Around the first value, so that a large offset costs no digits.
        total = np.nansum(self.X - self.origin, axis=0)
        means: NDArray[np.float64] = self.origin + total / np.maximum(n_known, 1)
        return means

    @cached_property
    def origin(self) -> NDArray[np.float64]:
        """A value of each column; 0 where there is none."""
        first = np.argmax(~np.isnan(self.X), axis=0)
        origin: NDArray[np.float64] = np.nan_to_num(self.X[first, np.arange(self.X.shape[1])])
        return origin

    @cached_property
    def centered(self) -> NDArray[np.float64]:
        """The values around their mean; 0 where one is missing."""
        centered: NDArray[np.float64] = np.nan_to_num(self.X - self.means)
        return centered

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variance of the values that are there; 0 in a constant column."""
        n_known = np.maximum(len(self.X) - self.n_missing, 1)
        variances: NDArray[np.float64]
        variances = np.einsum("ij,ij->j", self.centered, self.centered) / n_known
        variances[self.is_constant] = 0.0
        return variances

    @cached_property
    def is_constant(self) -> NDArray[np.bool_]:
        """Which columns have one value at most."""
        is_constant: NDArray[np.bool_]
        is_constant = np.all((self.origin == self.X) | np.isnan(self.X), axis=0)
        return is_constant

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Part of the variance that each column holds."""
        total = float(self.variances.sum())
        return self.variances / total if total > 0 else np.zeros_like(self.variances)

    def known(self, column: int) -> NDArray[np.float64]:
        """Give the values of a column that are there."""
        values = self.X[:, column]
        return values[~np.isnan(values)] if self.n_missing[column] else values

    def named(self, columns: Sequence[int] | NDArray[np.intp]) -> tuple[str, ...]:
        """Give the names of columns."""
        return tuple(self.names[i] for i in columns)


def check_constant(columns: Columns) -> Iterator[Finding]:
    """Find columns with one value in all rows."""
    names = columns.named(
        np.flatnonzero(columns.is_constant & (columns.n_missing < len(columns.X)))
    )
    if names:
        yield Finding(
            "constant",
            "note",
            names,
            f"{listed(names)} {'has' if len(names) == 1 else 'have'} the same value in every row.",
            f"Such a column separates nothing; leave {_them(names)} out (--leave-out).",
        )


def check_missing(columns: Columns) -> Iterator[Finding]:
    """Count missing values column by column."""
    n_samples = len(columns.X)
    empty = columns.named(np.flatnonzero(columns.n_missing == n_samples))
    if empty:
        yield Finding(
            "missing",
            "error",
            empty,
            f"{listed(empty)} {'has' if len(empty) == 1 else 'have'} no value in any row.",
            "Leave it out." if len(empty) == 1 else "Leave them out.",
        )
    with_gaps = np.flatnonzero((columns.n_missing > 0) & (columns.n_missing < n_samples))
    if not with_gaps.size:
        return
    worst = with_gaps[np.argsort(-columns.n_missing[with_gaps], kind="stable")]
    counts = [f'"{columns.names[i]}" ({columns.n_missing[i]:,})' for i in worst[:6]]
    more = f" and {len(worst) - 6:,} more columns" if len(worst) > 6 else ""
    n_rows = int(np.isnan(columns.X[:, with_gaps]).any(axis=1).sum())
    is_grave = bool(np.any(columns.n_missing > MOSTLY_MISSING * n_samples))
    yield Finding(
        "missing",
        "warning",
        columns.named(worst),
        f"{count(n_rows, 'row')} of {n_samples:,} {'lacks' if n_rows == 1 else 'lack'} a value: "
        f"{', '.join(counts)}{more}.",
        "K-Means needs every value: drop such rows, or fill in the median of the column "
        "(--missing drop or impute; SimpleImputer in Python)."
        + (" Leave out columns of which more than half is missing." if is_grave else ""),
    )


def check_ids(columns: Columns) -> Iterator[Finding]:
    """Find columns that number the rows."""
    found = [i for i in range(len(columns.names)) if _numbers_rows(columns, i)]
    if found:
        names = columns.named(found)
        is_one = len(names) == 1
        yield Finding(
            "id",
            "warning",
            names,
            f"{listed(names)} {'looks like an identifier' if is_one else 'look like identifiers'}: "
            "a different whole number in every row.",
            "A number that only names a row means nothing to K-Means; leave "
            f"{_them(names)} out (--leave-out).",
        )


def _numbers_rows(columns: Columns, column: int) -> bool:
    values = columns.known(column)
    if len(values) < FEWEST_ROWS or not _is_whole(values) or _holds_times(values):
        return False
    in_order = np.sort(values)
    if not np.all(np.diff(in_order) > 0):
        return False
    counts_up = bool(np.array_equal(values, in_order) or np.array_equal(values[::-1], in_order))
    has_no_holes = in_order[-1] - in_order[0] == len(values) - 1
    return counts_up or has_no_holes or ID_NAME.search(columns.names[column]) is not None


def check_dates(columns: Columns) -> Iterator[Finding]:
    """Find columns of numbers that stand for days or points in time."""
    found = [
        i
        for i in range(len(columns.names))
        if not columns.is_constant[i] and _holds_times(columns.known(i))
    ]
    if found:
        names = columns.named(found)
        yield Finding(
            "date",
            "warning",
            names,
            f"{listed(names)} {'holds' if len(names) == 1 else 'hold'} dates or times written as "
            "numbers.",
            "Distances between such numbers are seldom what you mean; make a number of them that "
            f"matters, such as an age in days, or leave {_them(names)} out (--leave-out).",
        )


def _holds_times(values: NDArray[np.float64]) -> bool:
    if not values.size or not _is_whole(values):
        return False
    low, high = values.min(), values.max()
    if low >= DAYS[0] and high <= DAYS[1]:
        month, day = values // 100 % 100, values % 100
        return bool(np.all((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)))
    return any(
        low >= SECONDS[0] * unit and high <= SECONDS[1] * unit for unit in (1, 1e3, 1e6, 1e9)
    )


def check_skew(columns: Columns) -> Iterator[Finding]:
    """Find columns in which most rows lie close together and a few far out."""
    is_varied = columns.variances > 0
    scaled = columns.centered / np.sqrt(np.where(is_varied, columns.variances, 1.0))
    n_known = np.maximum(len(columns.X) - columns.n_missing, 1)
    skewness = np.einsum("ij,ij,ij->j", scaled, scaled, scaled) / n_known
    found = [
        i
        for i in np.flatnonzero(np.abs(skewness) > SKEWED).tolist()
        # Of two values, one may well be rare: that is no tail.
        if len(columns.known(i)) >= FEWEST_ROWS and len(np.unique(columns.known(i))) > 2
    ]
    if found:
        names = columns.named(found)
        is_positive = all(columns.known(i).min() >= 0 and skewness[i] > 0 for i in found)
        yield Finding(
            "skew",
            "note",
            names,
            f"{listed(names)} {'is' if len(names) == 1 else 'are'} skewed: most rows lie close "
            "together, a few far out, and those few pull at the centers.",
            "The logarithm (log1p) often describes such amounts better."
            if is_positive
            else "Think about cutting off or transforming the far end.",
        )


def check_correlated(columns: Columns) -> Iterator[Finding]:
    """Find columns that say the same as another one."""
    varied = np.flatnonzero(columns.variances > 0)
    if len(columns.X) < FEWEST_ROWS:
        return
    if len(varied) > MOST_COLUMNS_COMPARED:
        yield Finding(
            "correlated",
            "note",
            (),
            f"Among {len(varied):,} columns, pairs that say the same were not looked for.",
            f"Examine up to {MOST_COLUMNS_COMPARED:,} columns at a time.",
        )
        return
    scaled = columns.centered[:, varied]
    products = scaled.T @ scaled
    norms = np.sqrt(np.diag(products))
    correlation = products / np.outer(norms, norms)
    pairs = [
        (varied[i], varied[j], correlation[i, j])
        for i, j in combinations(range(len(varied)), 2)
        if abs(correlation[i, j]) > SAME
    ]
    if pairs:
        names = columns.named(sorted({int(i) for pair in pairs for i in pair[:2]}))
        first, second, value = pairs[0]
        more = f" and {count(len(pairs) - 1, 'more pair')}" if len(pairs) > 1 else ""
        yield Finding(
            "correlated",
            "warning",
            names,
            f'"{columns.names[first]}" and "{columns.names[second]}"{more} say the same '
            f"(correlation {value:.4f}).",
            "What stands in two columns counts twice; keep one of them.",
        )


def check_scale(columns: Columns) -> Iterator[Finding]:
    """Find a column that decides alone because its numbers are large."""
    n_varied = int(np.count_nonzero(columns.variances))
    largest = int(np.argmax(columns.shares))
    share = float(columns.shares[largest])
    if n_varied < 2 or share <= DOMINANT:
        return
    name = columns.names[largest]
    yield Finding(
        "scale",
        "warning",
        (name,),
        f'"{name}" holds {percent(share)} of the variance and decides the clusters almost alone; '
        f"the other {count(n_varied - 1, 'column')} together hold {percent(1 - share)}.",
        f"With --scale standard (StandardScaler in Python) each of the {n_varied} columns holds "
        f"{percent(1 / n_varied)}. Leave it only if all columns have the same unit.",
    )


COLUMN_CHECKS = (
    check_missing,
    check_ids,
    check_dates,
    check_correlated,
    check_constant,
    check_skew,
)


def check_texts(examples: dict[str, str]) -> Iterator[Finding]:
    """Say which columns are no numbers; `examples` has a value or a reason for each."""
    dates = [
        name for name, example in examples.items() if DAY.search(example) or "dates" in example
    ]
    if dates:
        yield Finding(
            "date",
            "note",
            tuple(dates),
            f"{listed(dates)} {'holds' if len(dates) == 1 else 'hold'} dates and is not used."
            if len(dates) == 1
            else f"{listed(dates)} hold dates and are not used.",
            "To use a date, make a number of it that matters, such as an age in days.",
        )
    texts = [name for name in examples if name not in dates]
    if texts:
        yield Finding(
            "text",
            "note",
            tuple(texts),
            f"{listed(texts)} {'is' if len(texts) == 1 else 'are'} not used: no numbers.",
            "Categories can describe the clusters afterwards; to cluster by them, encode them as "
            "numbers first.",
        )


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool(np.all(np.trunc(values) == values))


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
