"""Checks of columns: each takes the columns of numbers and gives what it finds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.doctor.findings import Finding, listed
from centroids.rows.blocks import blocks_of
from centroids.rows.table import BadCells, Renamed
from centroids.wording import count, percent, renamed_columns

__all__ = [
    "COLUMN_CHECKS",
    "Columns",
    "check_bad_cells",
    "check_part",
    "check_renamed",
    "check_scale",
    "check_texts",
]

DOMINANT = 0.9
MOSTLY_MISSING = 0.5
SKEWED = 3.0
SAME = 0.999
# In fewer, whole numbers are often all different by chance, and moments say little.
FEWEST_ROWS = 20
# Values are sorted and compared in up to so many cells; sums are taken over all.
MOST_CELLS, FEWEST_IN_PART = 1 << 22, 50_000
MOST_COLUMNS_COMPARED = 1000
ID_NAME = re.compile(r"(?i:(^|[_\W])(id|nr|no|key|index|idx|uuid|code|row|number)$)|[a-z]ID$")
DAY = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b")
LABEL_NAME = re.compile(
    r"(?i:(^|[\W_])(y|y_true|labels?|class(es)?|targets?|truth|clusters?|species|cultivar|diagnosis)$)"
)
MOST_CLASSES, FEW_ROWS_A_CLASS = 100, 5
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

    X: NDArray[Any]
    names: tuple[str, ...]
    rows: NDArray[np.intp] | None = None

    @property
    def n_missing(self) -> NDArray[np.int64]:
        """How many values each column lacks."""
        return self._first_pass[0]

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of the values that are there; 0 where there is none."""
        return self._first_pass[1]

    @property
    def is_constant(self) -> NDArray[np.bool_]:
        """Which columns have one value at most."""
        return self._first_pass[2]

    @cached_property
    def _first_pass(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
        n_features = self.X.shape[1]
        origin, has_origin = np.zeros(n_features), np.zeros(n_features, dtype=bool)
        n_missing, total = np.zeros(n_features, dtype=np.int64), np.zeros(n_features)
        is_constant = np.ones(n_features, dtype=bool)
        for block in self.blocks():
            is_gap = np.isnan(block)
            n_missing += is_gap.sum(axis=0)
            # Around the first value, so that a large offset costs no digits.
            new = ~has_origin & ~is_gap.all(axis=0)
            origin[new] = block[np.argmax(~is_gap, axis=0), np.arange(n_features)][new]
            has_origin |= new
            total += np.nansum(block - origin, axis=0)
            is_constant &= np.all((block == origin) | is_gap, axis=0)
        means = origin + total / np.maximum(len(self.X) - n_missing, 1)
        return n_missing, means, is_constant

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Go through all rows block by block, so that many of them need no copy in memory."""
        for block in blocks_of(self.X):
            yield np.asarray(block, dtype=np.float64)

    def centered(self) -> Iterator[NDArray[np.float64]]:
        """Go through the values around their mean; 0 where one is missing."""
        for block in self.blocks():
            yield np.nan_to_num(block - self.means, copy=False)

    @property
    def n_known(self) -> NDArray[np.int64]:
        """How many values each column has; 1 where it has none."""
        return np.maximum(len(self.X) - self.n_missing, 1)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variance of the values that are there; 0 in a constant column."""
        squares = np.zeros(self.X.shape[1])
        for block in self.centered():
            squares += np.einsum("ij,ij->j", block, block)
        variances: NDArray[np.float64] = squares / self.n_known
        variances[self.is_constant] = 0.0
        return variances

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Part of the variance that each column holds."""
        total = float(self.variances.sum())
        return self.variances / total if total > 0 else np.zeros_like(self.variances)

    @cached_property
    def part(self) -> NDArray[Any]:
        """All rows, or of very many a sample in their order, where values are sorted."""
        most = max(FEWEST_IN_PART, MOST_CELLS // self.X.shape[1])
        if len(self.X) <= most:
            return self.X
        chosen = np.random.default_rng(0).choice(len(self.X), most, replace=False)
        part: NDArray[Any] = self.X[np.sort(chosen)]
        return part

    def known(self, column: int) -> NDArray[np.float64]:
        """Give the values of a column that are there, in `part`."""
        values = self.part[:, column].astype(np.float64)
        return values[~np.isnan(values)] if self.n_missing[column] else values

    def named(self, columns: Sequence[int] | NDArray[np.intp]) -> tuple[str, ...]:
        """Give the names of columns."""
        return tuple(self.names[i] for i in columns)

    def where(self, is_such: Callable[[Columns, int], bool]) -> tuple[str, ...]:
        """Give the names of columns that are such."""
        return self.named([i for i in range(len(self.names)) if is_such(self, i)])


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
            f"{_they(names, 'has', 'have')} the same value in every row.",
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
            f"{_they(empty, 'has', 'have')} no value in any row.",
            f"Leave {_them(empty)} out.",
        )
    with_gaps = np.flatnonzero((columns.n_missing > 0) & (columns.n_missing < n_samples))
    if not with_gaps.size:
        return
    worst = with_gaps[np.argsort(-columns.n_missing[with_gaps], kind="stable")]
    counts = [f'"{columns.names[i]}" ({columns.n_missing[i]:,})' for i in worst[:6]]
    more = f" and {len(worst) - 6:,} more columns" if len(worst) > 6 else ""
    is_empty = columns.n_missing == n_samples
    n_rows = sum(int(np.isnan(block[:, ~is_empty]).any(axis=1).sum()) for block in columns.blocks())
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
    names = columns.where(_numbers_rows)
    if names:
        yield Finding(
            "id",
            "warning",
            names,
            f"{_they(names, 'looks like an identifier', 'look like identifiers')}: a different "
            "whole number in every row.",
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
    names = columns.where(
        lambda columns, i: not columns.is_constant[i] and _holds_times(columns.known(i))
    )
    if names:
        yield Finding(
            "date",
            "warning",
            names,
            f"{_they(names, 'holds', 'hold')} dates or times written as numbers.",
            "Distances between such numbers are seldom what you mean; make a number of them that "
            f"matters, such as an age in days, or leave {_them(names)} out (--leave-out).",
        )


def check_labels(columns: Columns) -> Iterator[Finding]:
    """Find columns that hold the classes that clusters are usually compared with."""
    names = columns.where(_holds_labels)
    if names:
        yield Finding(
            "labels",
            "warning",
            names,
            f"{_they(names, 'looks', 'look')} like known classes: few different whole numbers "
            "under such a name.",
            "Clustered with the other columns, the answer is among the questions; compare with it "
            f"(--truth {names[0]}) or leave {_them(names)} out (--leave-out).",
        )


def _holds_labels(columns: Columns, column: int) -> bool:
    name = columns.names[column]
    if not LABEL_NAME.search(name) or columns.is_constant[column]:
        return False
    if name.lower() == "y" and "x" in map(str.lower, columns.names):
        return False  # a place, not a class
    values = columns.known(column)
    if len(values) < FEWEST_ROWS or not _is_whole(values):
        return False
    return len(np.unique(values)) <= min(MOST_CLASSES, len(values) // FEW_ROWS_A_CLASS)


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
    spread = np.sqrt(np.where(is_varied, columns.variances, 1.0))
    cubes = np.zeros(len(columns.names))
    for block in columns.centered():
        block /= spread
        cubes += np.einsum("ij,ij,ij->j", block, block, block)
    skewness = cubes / columns.n_known
    found = [
        i
        for i in np.flatnonzero(np.abs(skewness) > SKEWED).tolist()
        # Of two values, one may well be rare: that is no tail.
        if len(columns.known(i)) >= FEWEST_ROWS and len(np.unique(columns.known(i))) > 2
    ]
    if found:
        names = columns.named(found)
        yield Finding(
            "skew",
            "note",
            names,
            f"{_they(names, 'is', 'are')} skewed: most rows lie close together, a few far out, "
            "and those few pull at the centers.",
            _against_skew(columns, found, skewness),
        )


def _against_skew(columns: Columns, found: Sequence[int], skewness: NDArray[np.float64]) -> str:
    """Say what helps: the logarithm where there is one, another one where there are zeros."""
    lowest = min(columns.known(i).min() for i in found)
    if lowest < 0 or not all(skewness[i] > 0 for i in found):
        return "Think about cutting off or transforming the far end."
    better = "The logarithm often describes such amounts better"
    if lowest > 0:
        names = ",".join(columns.named(found))
        return f"{better}: --log {shlex.quote(names)} (LogTransformer in Python)."
    return (
        f"{better}: make a column of it before (ln(1 + x) in SQL, numpy.log1p in Python), and "
        "cluster that one; --log takes columns in which every value is above 0."
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
    products = np.zeros((len(columns.names), len(columns.names)))
    for block in columns.centered():
        products += block.T @ block
    products = products[np.ix_(varied, varied)]
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
    others = "the other column holds"
    if n_varied > 2:
        others = f"the other {n_varied - 1:,} columns together hold"
    yield Finding(
        "scale",
        "warning",
        (name,),
        f'"{name}" holds {percent(share)} of the variance and decides the clusters almost alone; '
        f"{others} {percent(1 - share)}.",
        f"With --scale standard (StandardScaler in Python) each of the {n_varied} columns holds "
        f"{percent(1 / n_varied)}. Leave it only if all columns have the same unit.",
    )


COLUMN_CHECKS = (
    check_missing,
    check_ids,
    check_labels,
    check_dates,
    check_correlated,
    check_constant,
    check_skew,
)


def check_part(columns: Columns) -> Iterator[Finding]:
    """Say what was looked for in a part of the rows only."""
    if len(columns.part) < len(columns.X):
        yield Finding(
            "sample",
            "note",
            (),
            f"Identifiers, dates and repeated rows were looked for in {len(columns.part):,} of the "
            f"{len(columns.X):,} rows, drawn at random.",
            "Everything else was counted in all of them.",
        )


def check_renamed(renamed: Sequence[Renamed]) -> Iterator[Finding]:
    """Say which columns had the name of another one."""
    if renamed:
        names = tuple(name for name, _ in renamed)
        yield Finding("renamed", "warning", names, *renamed_columns(renamed))


def check_bad_cells(bad_cells: Sequence[BadCells]) -> Iterator[Finding]:
    """Say which columns of numbers hold something else here and there."""
    for name, n_bad, example, place in bad_cells:
        yield Finding(
            "not_numbers",
            "error",
            (name,),
            f'{count(n_bad, "cell")} of "{name}" {"is" if n_bad == 1 else "are"} not a finite '
            f"number: {example} in {place}{' first' if n_bad > 1 else ''}.",
            "A fit stops there: correct such cells, empty those that mean a missing value, or "
            "leave the column out (--leave-out).",
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
            f"{_they(dates, 'holds dates and is', 'hold dates and are')} not used.",
            "To use a date, make a number of it that matters, such as an age in days.",
        )
    texts = [name for name in examples if name not in dates]
    if texts:
        yield Finding(
            "text",
            "note",
            tuple(texts),
            f"{_they(texts, 'is', 'are')} not used: no numbers.",
            "Categories can describe the clusters afterwards; to cluster by them, encode them as "
            "numbers first.",
        )


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool(np.all(np.trunc(values) == values))


def _they(names: Sequence[str], is_so: str, are_so: str) -> str:
    return f"{listed(names)} {is_so if len(names) == 1 else are_so}"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
