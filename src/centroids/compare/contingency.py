"""Two columns of labels → one table of counts, and the indices that need the table alone.

Here live the reading of label columns (any type, with gaps) and the chance-corrected indices. What
must not live here: which cluster stands for which class, and words; both are in `compare`, the only
caller. No function loops over rows in Python, and data frames are recognised by what they offer, so
that neither pandas nor polars is imported.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

MISSING = -1
"""The code of a row without a label."""


@dataclass(frozen=True, eq=False)
class LabelCodes:
    """One column of labels as integers.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,), int64
        Position of each row's label in `names`; `MISSING` where there is none.
    names : tuple of hashable, length n_names
        The distinct labels as plain Python values.
    """

    codes: NDArray[np.int64]
    names: tuple[Hashable, ...]

    def aligned_to(self, names: Sequence[Hashable]) -> LabelCodes:
        """Return the labels numbered as in `names`, with those that are not in there at the end."""
        known = set(names)
        order = (*names, *(name for name in self.names if name not in known))
        position = {name: i for i, name in enumerate(order)}
        # The extra last entry is what the code -1 picks.
        lookup = np.array([*(position[name] for name in self.names), MISSING], dtype=np.int64)
        return LabelCodes(lookup[self.codes], order)


def encode_labels(y: Any, argument: str) -> LabelCodes:
    """Turn a column of labels into codes.

    Names come in the order of the categories where the column has an order of its own (pandas
    ``Categorical``, polars ``Enum``), else sorted; where types are mixed, numbers come first.
    None, NaN, NaT, ``pandas.NA``, masked entries and blank strings are missing. Whole floats become
    integers, because a gap in a column of integers turns them all into floats.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Array, masked array, list, tuple, or a pandas, polars or Arrow column.
    argument : str
        Its name in the caller's signature, for the error messages.

    Returns
    -------
    LabelCodes

    Raises
    ------
    ValueError
        If `y` is not 1-D, is empty, or holds something that cannot be a label (a list, a dict).
    """
    column = _as_column(y, argument)
    labels = _encode_numbers(column) if column.dtype.kind in "biufmM" else None
    if labels is None:
        labels = _encode_objects(column.tolist(), argument)
    present = set(labels.names)
    own_order = [name for name in _categories(y) if name in present]
    return labels.aligned_to(own_order) if own_order else labels


def _categories(y: Any) -> list[Hashable]:
    """Return the categories of a pandas or polars column that has them in an order of its own."""
    dtype = getattr(y, "dtype", None)
    # Not those of a polars Categorical: shared by the whole process, in order of appearance.
    has_order = type(dtype).__name__ in {"CategoricalDtype", "Enum"}
    return list(getattr(dtype, "categories", ())) if has_order else []


def _as_column(y: Any, argument: str) -> NDArray[Any]:
    if isinstance(y, np.ma.MaskedArray):
        y = y.tolist()  # with None for what is masked
    # Without dtype=object NumPy would turn ["a", nan, 1] into three strings.
    column = np.asarray(y) if hasattr(y, "__array__") else np.asarray(y, dtype=object)
    if column.ndim != 1:
        got = f"shape {column.shape}" if column.ndim else f"a single {type(y).__name__}"
        raise ValueError(
            f"{argument} must be 1-D, one label per row, got {got}; pass one column or a list"
        )
    if column.size == 0:
        raise ValueError(f"{argument} is empty; pass at least one row")
    return column


def _encode_numbers(column: NDArray[Any]) -> LabelCodes:
    """Encode booleans, integers, floats, dates and durations."""
    is_known = ~np.isnan(column)  # NaT counts as NaN
    known = column[is_known]
    if known.dtype.kind == "f" and _are_whole(known):
        known = known.astype(np.int64)
    if known.size and np.can_cast(known.dtype, np.int64) and known.dtype.kind in "biu":
        names, codes_of_known = _unique_integers(known)
    else:
        names, codes_of_known = np.unique(known, return_inverse=True)
    codes = np.full(column.size, MISSING, dtype=np.int64)
    codes[is_known] = codes_of_known
    # tolist() would turn nanosecond dates into bare integers.
    return LabelCodes(codes, tuple(names if names.dtype.kind in "mM" else names.tolist()))


def _are_whole(values: NDArray[Any]) -> bool:
    is_exact = np.abs(values.astype(np.float64)) < 2.0**53
    return bool(is_exact.all() and (values == np.trunc(values)).all())


def _unique_integers(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return what ``np.unique(values, return_inverse=True)`` does, by counting where it can."""
    low, high = int(values.min()), int(values.max())
    if high - low > values.size + 1000:
        names, codes = np.unique(values, return_inverse=True)
        return names, codes.astype(np.int64, copy=False)
    offsets = values.astype(np.int64) - low
    is_present = np.bincount(offsets) > 0
    names = (np.flatnonzero(is_present) + low).astype(values.dtype)
    return names, (np.cumsum(is_present, dtype=np.int64) - 1)[offsets]


def _encode_objects(values: list[Any], argument: str) -> LabelCodes:
    """Encode strings and mixtures by hashing; only the distinct values are looked at in Python."""
    try:
        distinct = dict.fromkeys(values)
    except TypeError:
        row = next(row for row, value in enumerate(values) if not _is_hashable(value))
        raise ValueError(
            f"{argument} holds a {type(values[row]).__name__} in row {row}; "
            "pass a number, a string, a boolean or a date as the label of each row"
        ) from None
    plain = {value: _plain(value) for value in distinct if not _is_missing(value)}
    names = tuple(_sorted(dict.fromkeys(plain.values())))
    position = {name: i for i, name in enumerate(names)}
    code_of = {value: position[plain[value]] if value in plain else MISSING for value in distinct}
    codes = np.fromiter(map(code_of.__getitem__, values), dtype=np.int64, count=len(values))
    return LabelCodes(codes, names)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_missing(value: Any) -> bool:
    if isinstance(value, str | bytes):
        return not value.strip()
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA refuses to be true or false
        return True


def _plain(value: Any) -> Hashable:
    """Return a NumPy scalar as a Python value, and a whole float as an integer."""
    if isinstance(value, np.generic) and value.dtype.kind not in "mM":
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value  # type: ignore[no-any-return]


def _sorted(names: Iterable[Any]) -> list[Any]:
    names = list(names)
    try:
        return sorted(names)
    except TypeError:  # mixed types: numbers, then the rest as text

        def key(name: Any) -> tuple[int, Any, str]:
            is_number = isinstance(name, Real)
            return (0, name, "") if is_number else (1, 0, f"{type(name).__name__} {name}")

        return sorted(names, key=key)


def count_table(row_labels: LabelCodes, column_labels: LabelCodes) -> NDArray[np.int64]:
    """Count the samples for each pair of labels.

    Parameters
    ----------
    row_labels, column_labels : LabelCodes
        Two columns of equal length. Samples that miss either label are not counted.

    Returns
    -------
    ndarray of shape (n_row_names, n_column_names), int64
    """
    shape = len(row_labels.names), len(column_labels.names)
    is_known = (row_labels.codes >= 0) & (column_labels.codes >= 0)
    cells = (row_labels.codes * shape[1] + column_labels.codes)[is_known]
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(np.int64, copy=False)


@dataclass(frozen=True)
class AgreementIndices:
    """How far two partitions of the same rows agree, whatever their groups are called.

    Attributes
    ----------
    adjusted_rand, adjusted_mutual_info : float
        1 for the same partition, 0 on average for random ones; may be negative.
    v_measure : float
        Between 0 and 1; not corrected for chance, so it grows with the number of clusters.
    """

    adjusted_rand: float
    adjusted_mutual_info: float
    v_measure: float


def agreement_indices(table: NDArray[np.int64]) -> AgreementIndices:
    """Compute the indices from a table of counts, at a cost that hardly depends on the rows.

    Parameters
    ----------
    table : ndarray of shape (n_clusters, n_classes), int64
        Counts of at least one sample; empty rows and columns are allowed and change nothing.

    Returns
    -------
    AgreementIndices

    Notes
    -----
    scikit-learn's values from the table alone; its expected mutual information sums over every
    possible count, which takes seconds from about 10^7 rows on.

    References
    ----------
    L. Hubert, P. Arabie, "Comparing partitions", Journal of Classification 2, 1985,
    doi:10.1007/BF01908075. N. X. Vinh, J. Epps, J. Bailey, "Information theoretic measures for
    clusterings comparison", JMLR 11, 2010 (the AMI with the arithmetic mean). A. Rosenberg,
    J. Hirschberg, "V-Measure", EMNLP-CoNLL 2007.
    """
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    if np.count_nonzero(table) == table.shape[0] == table.shape[1]:
        return AgreementIndices(1.0, 1.0, 1.0)  # the same partition: no 0 / 0 below
    a, b = table.sum(axis=1), table.sum(axis=0)
    entropies = _entropy(a) + _entropy(b)
    shared = _mutual_information(table, a, b)
    by_chance = _expected_mutual_information(a, b)
    return AgreementIndices(
        adjusted_rand=_adjusted_rand(table, a, b),
        adjusted_mutual_info=(shared - by_chance) / (entropies / 2 - by_chance),
        v_measure=min(2 * shared / entropies, 1.0),
    )


def _adjusted_rand(table: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    # Python integers: products of pair counts leave int64 from about 60,000 rows on.
    n = int(a.sum())
    together = int((table * table).sum())
    pairs_in_a, pairs_in_b = int((a * a).sum()), int((b * b).sum())
    both, only_a, only_b = together - n, pairs_in_a - together, pairs_in_b - together
    neither = n * n - together - only_a - only_b
    numerator = 2 * (both * neither - only_a * only_b)
    denominator = (both + only_a) * (only_a + neither) + (both + only_b) * (only_b + neither)
    return numerator / denominator


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def _mutual_information(
    table: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]
) -> float:
    """Return Σ n_ij/n · log(n · n_ij / (a_i b_j)), in nats."""
    n = a.sum()
    i, j = np.nonzero(table)
    count = table[i, j]
    terms = count / n * np.log((count / a[i]) * (n / b[j]))
    return max(float(terms.sum()), 0.0)


def _expected_mutual_information(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Return the mean mutual information over all tables with margins `a` and `b`.

    n_ij is hypergeometric (Vinh et al. 2010, eq. 24a). Only counts within ten standard deviations
    (and 30, for the Poisson-like tail of small means) are summed: the rest weighs less than a
    float64 rounding error. Equal margins share their sum.
    """
    n = float(a.sum())
    sizes_a, repeats_a = np.unique(a.astype(np.float64), return_counts=True)
    sizes_b, repeats_b = np.unique(b.astype(np.float64), return_counts=True)
    expected = 0.0
    for size, repeats in zip(sizes_a, repeats_a, strict=True):
        mean = size * sizes_b / n
        spread = 10 * np.sqrt(mean * (1 - size / n) * (1 - sizes_b / n)) + 30
        low = np.maximum(np.floor(mean - spread), np.maximum(0, size + sizes_b - n))[:, None]
        high = np.minimum(np.ceil(mean + spread), np.minimum(size, sizes_b))[:, None]
        count = np.minimum(low + np.arange((high - low).max() + 1), high)
        rest_a, rest_b = size - count, sizes_b[:, None] - count
        # log P up to a constant, which cancels below
        weight = -(
            gammaln(count + 1)
            + gammaln(rest_a + 1)
            + gammaln(rest_b + 1)
            + gammaln(n - size - rest_b + 1)
        )
        weight = np.exp(weight - weight.max(axis=1, keepdims=True))
        weight[low + np.arange(weight.shape[1]) > high] = 0.0
        log_ratio = np.log(np.maximum(count, 1) / mean[:, None])
        information = (weight * count * log_ratio).sum(axis=1) / weight.sum(axis=1)
        expected += float(repeats * (repeats_b * information).sum()) / n
    return expected
