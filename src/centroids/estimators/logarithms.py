"""`LogTransformer`: logarithms of columns before they are clustered, as a step of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from centroids.estimators import parameters as rule
from centroids.rows.arrays import check_rows
from centroids.rows.blocks import blocks_of
from centroids.rows.sparse import is_sparse

__all__ = ["LogTransformer", "check_positive"]


def _are_columns(value: Any) -> bool:
    """Whether a value names columns; an array of a model file has its positions as floats."""
    if isinstance(value, str) or not hasattr(value, "__len__") or not len(value):
        return False
    are_names = all(isinstance(item, str) for item in value)
    return are_names or all(
        isinstance(item, (int, float, np.integer, np.floating)) and item >= 0 and item == int(item)
        for item in value
    )


RULES = {
    "columns": rule.either(
        rule.NONE, rule.Rule(_are_columns, "a sequence of column names or of positions from 0")
    )
}


class LogTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Replace the values of some columns by their natural logarithm.

    For amounts of which ratios say more than differences, such as incomes and prices: most of them
    lie close together, a few far out. In a ``Pipeline`` it stands before a ``StandardScaler`` and
    behind a ``SimpleImputer``; `centroids.save` stores it with the model, and all that describes a
    model speaks in the units of the rows. The center of such a column is a geometric mean.

    Parameters
    ----------
    columns : sequence of str, sequence of int or None, default=None
        The columns, by name where rows are data frames, or by position counted from 0. None: all.

    Attributes
    ----------
    columns_ : ndarray of shape (n_columns,), int64
        Their positions, ascending.
    n_features_in_ : int
        Number of columns seen by ``fit``.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    See Also
    --------
    fit_preparation : fits the steps before a clusterer, block by block.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from centroids import KMeans, LogTransformer
    >>> income = np.array([[900.0], [1100], [9000], [11000], [90000], [110000]])
    >>> model = make_pipeline(LogTransformer(), KMeans(3, init=income[::2] * 0 + [[7], [9], [11]]))
    >>> model.fit_predict(income)
    array([0, 0, 1, 1, 2, 2], dtype=int32)
    >>> model[0].inverse_transform(model[-1].cluster_centers_).round()
    array([[  995.],
           [ 9950.],
           [99499.]])
    """

    columns_: NDArray[np.int64]
    n_features_in_: int

    def __init__(self, columns: Sequence[str] | Sequence[int] | None = None) -> None:
        self.columns = columns

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the columns; nothing is learned from the values, but each needs a logarithm.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN stands for a missing value.
        y : ignored
        sample_weight : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a column is not there, or holds a value that is not above 0.
        """
        rule.check_parameters(self, RULES)
        rows = self._checked(X, reset=True)
        self.columns_ = self._positions()
        check_positive(self, rows, self.columns_)
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the rows with the logarithms in place of the values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN stays NaN.

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If a value has no logarithm.
        """
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        check_positive(self, rows, self.columns_)
        return self._replaced(rows, np.log)

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return rows whose logarithms these are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, as `transform` gives them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return self._replaced(self._checked(X, reset=False), np.exp)

    def _checked(self, X: ArrayLike, *, reset: bool) -> NDArray[Any]:
        rows: NDArray[Any] = check_rows(self, X, reset=reset)
        if is_sparse(rows):
            raise TypeError("X is a sparse matrix: zeros have no logarithm; pass dense rows.")
        return rows

    def _positions(self) -> NDArray[np.int64]:
        n_features = self.n_features_in_
        if self.columns is None:
            return np.arange(n_features, dtype=np.int64)
        known = [str(name) for name in getattr(self, "feature_names_in_", ())]
        positions = set()
        for column in self.columns:
            if isinstance(column, str) and column not in known:
                has = f"X has {', '.join(known[:12])}" if known else "X is no data frame"
                raise ValueError(f"columns has {column!r}, but {has}.")
            position = known.index(column) if isinstance(column, str) else int(column)
            if position >= n_features:
                raise ValueError(f"columns has {position}, but X has {n_features} columns.")
            positions.add(position)
        return np.array(sorted(positions), dtype=np.int64)

    def _replaced(self, rows: NDArray[Any], function: Any) -> NDArray[Any]:
        replaced = rows.copy()
        # In float64 for float32 rows, too: one way to round, whatever NumPy has for their kind.
        replaced[:, self.columns_] = function(rows[:, self.columns_].astype(np.float64))
        return replaced


def check_positive(named: Any, rows: NDArray[Any], columns: NDArray[np.int64]) -> None:
    """Raise a ValueError that names the first value of some columns that has no logarithm.

    Parameters
    ----------
    named : estimator
        Its ``feature_names_in_``, if it has some, name the column.
    rows : ndarray of shape (n_samples, n_features)
        NaN passes.
    columns : ndarray of int64
        Positions of the columns.
    """
    start = 0
    for block in blocks_of(rows):
        is_bad = block[:, columns] <= 0
        if is_bad.any():
            row, i = divmod(int(np.argmax(is_bad)), len(columns))
            column = int(columns[i])
            names = getattr(named, "feature_names_in_", None)
            name = f"column {column}" if names is None else f"column {str(names[column])!r}"
            raise ValueError(
                f"X holds {block[row, column]:g} in row {start + row}, {name} (counted from 0): "
                "only values above 0 have a logarithm. Leave such rows or the column out; of "
                "amounts that can be 0, cluster np.log1p."
            )
        start += len(block)
