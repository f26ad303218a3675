"""`ClusterProfile` and its parts: what the clusters of a model are, as finished numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from centroids.describe.words import summary_of

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["CategoryShare", "ClusterCard", "ClusterProfile", "Condition", "Rule"]

Floats = NDArray[np.float64]
RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class Condition:
    """One condition of a `Rule`: ``low < value <= high`` in one column.

    Attributes
    ----------
    feature : int
        Number of the column, from 0.
    low, high : float or None
        Bounds in the units of the column; None where there is no bound on that side.
    text : str
        The condition in words.
    """

    feature: int
    low: float | None
    high: float | None
    text: str

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values of the column meet the condition.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples,), bool
        """
        is_met = np.ones(len(values), dtype=bool)
        if self.low is not None:
            is_met &= values > self.low
        if self.high is not None:
            is_met &= values <= self.high
        return is_met


@dataclass(frozen=True)
class Rule:
    """A short rule that describes a cluster: every condition has to hold.

    Attributes
    ----------
    text : str
        The rule in words.
    conditions : tuple of Condition
        At most three, each on another column.
    coverage : float
        Share of the cluster's rows that the rule catches.
    precision : float
        Share of the rows it catches that belong to the cluster.
    """

    text: str
    conditions: tuple[Condition, ...]
    coverage: float
    precision: float

    def matches(self, X: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows the rule catches.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows in their own units.

        Returns
        -------
        ndarray of shape (n_samples,), bool
        """
        caught = np.ones(len(X), dtype=bool)
        for condition in self.conditions:
            caught &= condition.holds(X[:, condition.feature])
        return caught


@dataclass(frozen=True)
class CategoryShare:
    """How frequent a value of a column that was not clustered is in a cluster.

    Attributes
    ----------
    value : hashable or None
        The value; None stands for rows without one.
    share : float
        Its share of the cluster's rows.
    share_overall : float
        Its share of all rows.
    lift : float
        ``share / share_overall``: above 1 it is more frequent in the cluster than elsewhere.
    """

    value: Any
    share: float
    share_overall: float
    lift: float


@dataclass(frozen=True, eq=False)
class ClusterCard:
    """What one cluster is (`profile`). Numbers are in the units of the rows that were given.

    Attributes
    ----------
    number : int
        Its number, as in ``labels_``.
    name : str or None
        The name a user gave it (``name_clusters``).
    size : int
        Its rows.
    share : float
        Its share of the rows, or of their weight where weights were given; between 0 and 1.
    mean, median, std : ndarray of shape (n_features,)
        Of each column, over its rows. NaN where it has none.
    effect : ndarray of shape (n_features,)
        ``(mean - overall mean) / overall std``, in standard deviations of all rows; 0 in a
        constant column.
    order : tuple of int
        The columns by the size of their effect, largest first.
    sentence : str
        What sets it apart, in words.
    rule : Rule or None
        A short rule for its rows; None where none describes it better than badly.
    categories : dict of str to tuple of CategoryShare
        For each column that was not clustered, its most frequent values in the cluster.
    representatives : ndarray of int64
        The rows nearest to its center, nearest first; rows are counted from 0.
    borderline : ndarray of int64
        Its rows for which the second center is nearly as near as the own, the closest first.
    outliers : ndarray of int64
        The farthest of its rows that lie far from every center, farthest first; often none. Far
        from a center: farther than the third quartile of its rows' distances plus three times
        their interquartile range.
    n_outliers : int
        How many such rows there are in all.
    radius : float
        Distance to the center that holds 99 % of its rows, in the space the model works in.
    """

    number: int
    name: str | None
    size: int
    share: float
    mean: Floats = field(repr=False)
    median: Floats = field(repr=False)
    std: Floats = field(repr=False)
    effect: Floats = field(repr=False)
    order: tuple[int, ...] = field(repr=False)
    sentence: str
    rule: Rule | None
    categories: dict[str, tuple[CategoryShare, ...]] = field(repr=False)
    representatives: RowNumbers = field(repr=False)
    borderline: RowNumbers = field(repr=False)
    outliers: RowNumbers = field(repr=False)
    n_outliers: int
    radius: float


@dataclass(frozen=True, eq=False)
class ClusterProfile:
    """What the clusters of a model are (`profile`).

    Attributes
    ----------
    feature_names : tuple of str
        Names of the clustered columns.
    n_samples : int
        Rows that were looked at.
    overall_mean, overall_std, overall_median : ndarray of shape (n_features,)
        Of each column, over all rows.
    clusters : tuple of ClusterCard
        One per cluster, by number.
    row_numbers : ndarray of shape (n_samples,) or None
        The number of each row in its file, counted from 1; None: rows are counted from 0.
    """

    feature_names: tuple[str, ...]
    n_samples: int
    overall_mean: Floats = field(repr=False)
    overall_std: Floats = field(repr=False)
    overall_median: Floats = field(repr=False)
    clusters: tuple[ClusterCard, ...] = field(repr=False)
    row_numbers: RowNumbers | None = field(default=None, repr=False)

    def numbers_of(self, rows: RowNumbers) -> RowNumbers:
        """Return the numbers that rows have for a reader.

        Parameters
        ----------
        rows : ndarray of int64
            Rows counted from 0, such as the representatives of a card.

        Returns
        -------
        ndarray of int64
        """
        return rows if self.row_numbers is None else self.row_numbers[rows]

    def summary(self) -> str:
        """Describe every cluster in plain sentences, with a table of the means.

        Returns
        -------
        str
        """
        return summary_of(self)

    def to_frame(
        self, library: Literal["pandas", "polars"] = "pandas"
    ) -> pandas.DataFrame | polars.DataFrame:
        """Return a data frame with one row per cluster.

        Parameters
        ----------
        library : {"pandas", "polars"}, default="pandas"
            Which kind of data frame; the library has to be installed.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame
            Columns cluster, name, size, share; mean, median, std and effect of each feature, as
            ``"<feature> mean"``; radius, sentence, and the rule with its coverage and precision.

        Raises
        ------
        ValueError
            If `library` is neither.
        """
        columns = self._columns()
        if library == "polars":
            import polars

            return polars.DataFrame(columns, strict=False)
        if library != "pandas":
            raise ValueError(f"library must be 'pandas' or 'polars', got {library!r}.")
        import pandas

        return pandas.DataFrame(columns)

    def _columns(self) -> dict[str, list[Any]]:
        cards = self.clusters
        columns: dict[str, list[Any]] = {
            "cluster": [card.number for card in cards],
            "name": [card.name for card in cards],
            "size": [card.size for card in cards],
            "share": [card.share for card in cards],
        }
        for j, feature in enumerate(self.feature_names):
            for what in ("mean", "median", "std", "effect"):
                columns[f"{feature} {what}"] = [float(getattr(card, what)[j]) for card in cards]
        columns["radius"] = [card.radius for card in cards]
        columns["sentence"] = [card.sentence for card in cards]
        for what in ("text", "coverage", "precision"):
            name = "rule" if what == "text" else f"rule {what}"
            columns[name] = [getattr(card.rule, what, None) for card in cards]
        return columns

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold.

        Numbers that are not finite become None; rows have their `row_numbers`.

        Returns
        -------
        dict of str to object
        """
        plain: dict[str, Any] = to_plain(self)
        del plain["row_numbers"]
        for card, entry in zip(self.clusters, plain["clusters"], strict=True):
            for what in ("representatives", "borderline", "outliers"):
                entry[what] = self.numbers_of(getattr(card, what)).tolist()
        return plain


def to_plain(value: Any) -> Any:
    """Turn results into what JSON can hold; numbers that are not finite become None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
