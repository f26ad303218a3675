"""What of each class goes into a model file, and what has to hold before it is a model again.

Nothing is set on a loaded estimator that is not listed here, and nothing is believed: shapes have
to fit one another, numbers have to be finite and in range, parameters have to keep their rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from centroids.estimators import bisecting, kmeans, logarithms, mini_batch
from centroids.estimators import parameters as rule
from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.running_sums import RunningSums
from centroids.estimators.spread import QUANTILES
from centroids.estimators.stream import Stream

__all__ = ["STORABLE", "ArrayRule", "DamageError", "Storable", "require"]

Arrays = dict[str, NDArray[Any]]


class DamageError(Exception):
    """What is wrong with the inside of a model file."""


def require(is_right: bool, complaint: str) -> None:
    """Raise a DamageError unless all is right."""
    if not is_right:
        raise DamageError(complaint)


@dataclass(frozen=True)
class ArrayRule:
    """What an array has to be.

    Attributes
    ----------
    dtypes : tuple of str
        The types it may have.
    shape : tuple of str or int
        Letters stand for sizes that have to agree within a step: d columns, k clusters.
    is_required : bool
        Whether the estimator cannot do without.
    is_positive, is_not_negative : bool
        What holds for every number.
    """

    dtypes: tuple[str, ...]
    shape: tuple[str | int, ...]
    is_required: bool = False
    is_positive: bool = False
    is_not_negative: bool = False

    def check(self, name: str, array: NDArray[Any], sizes: dict[str, int]) -> None:
        """Raise a DamageError unless the array is right; learn the sizes not known yet."""
        is_right = array.dtype.name in self.dtypes and array.ndim == len(self.shape)
        for size, found in zip(self.shape, array.shape, strict=False):
            expected = sizes.setdefault(size, found) if isinstance(size, str) else size
            is_right = is_right and found == expected > 0
        require(is_right, f"{name} has the wrong shape or type")
        require(bool(np.isfinite(array).all()), f"{name} is not finite")
        if self.is_positive or self.is_not_negative:
            low = array.min()
            require(low > 0 or (low == 0 and not self.is_positive), f"{name} is out of range")


@dataclass(frozen=True)
class Storable:
    """What of a class goes into the file.

    Attributes
    ----------
    cls : type
        The class.
    arrays : mapping of str to ArrayRule
        Fitted arrays; of a clusterer, its centers come first.
    plain : mapping of str to callable
        Fitted attributes that JSON can hold, and what has to hold for each.
    parameters : mapping of str to Rule
        What its constructor parameters may be.
    inner : callable
        Returns further arrays of a fitted estimator, by name.
    finish : callable
        Is handed an estimator with its attributes set, and all arrays of its step: checks what goes
        beyond single arrays and sets what is derived.
    """

    cls: type[BaseEstimator]
    arrays: Mapping[str, ArrayRule]
    plain: Mapping[str, Callable[[Any], bool]]
    parameters: Mapping[str, rule.Rule]
    inner: Callable[[Any], Arrays] = field(default=lambda step: {})
    finish: Callable[[Any, Arrays], None] = field(default=lambda step, arrays: None)

    @property
    def is_clusterer(self) -> bool:
        """Whether it has clusters."""
        return issubclass(self.cls, NearestCenterModel)


FLOATS = ("float32", "float64")
CENTERS = ArrayRule(FLOATS, ("k", "d"), is_required=True)
COUNTS = ArrayRule(("int64",), ("k",), is_required=True, is_not_negative=True)
RADII = ArrayRule(("float64",), ("k", len(QUANTILES)), is_not_negative=True)
PER_COLUMN = ArrayRule(FLOATS, ("d",))


def _is_count(value: Any) -> bool:
    return rule.is_integer(value) and value >= 0


def _is_size(value: Any) -> bool:
    # Finite: the reader of the header refuses other numbers.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_history(value: Any) -> bool:
    if not isinstance(value, dict) or not all(
        isinstance(column, list) for column in value.values()
    ):
        return False
    columns = list(value.values())
    return all(
        len(column) == len(columns[0]) and all(_is_size(number) for number in column)
        for column in columns
    )


def _finish_centers(step: Any, arrays: Arrays) -> None:
    if hasattr(step, "radii_"):
        require(bool((np.diff(step.radii_, axis=1) >= 0).all()), "radii_ do not ascend")
    init = getattr(step, "init", None)
    if isinstance(init, np.ndarray):
        fits = init.ndim == 2 and init.shape[1] == step.n_features_in_ and np.isfinite(init).all()
        require(bool(fits), "the parameter init does not fit its columns")
    step._n_features_out = len(step.cluster_centers_)  # for get_feature_names_out


def _stream_of(step: Any) -> Arrays:
    state = step._stream.state
    return {"stream_sums": state.sums, "stream_weights": state.weights}


def _finish_mini_batch(step: Any, arrays: Arrays) -> None:
    _finish_centers(step, arrays)
    sizes = {"k": len(step.cluster_centers_), "d": step.n_features_in_}
    sums, weights = arrays["stream_sums"], arrays["stream_weights"]
    ArrayRule(("float64",), ("k", "d")).check("stream_sums", sums, sizes)
    ArrayRule(("float64",), ("k",), is_not_negative=True).check("stream_weights", weights, sizes)
    centers = step.cluster_centers_.astype(np.float64)
    dtype = step.cluster_centers_.dtype
    step._stream = Stream.after_fit(RunningSums(sums.copy(), weights.copy(), centers, dtype))


def _tree_of(step: Any) -> Arrays:
    tree = step._tree
    return {"tree_parts": tree.parts, "tree_labels": tree.labels, "tree_centers": tree.centers}


def _finish_bisecting(step: Any, arrays: Arrays) -> None:
    _finish_centers(step, arrays)
    sizes = {"d": step.n_features_in_}
    parts, labels = arrays["tree_parts"], arrays["tree_labels"]
    ArrayRule(("int64",), ("nodes", 2)).check("tree_parts", parts, sizes)
    ArrayRule(("int32",), ("nodes",)).check("tree_labels", labels, sizes)
    ArrayRule(("float64",), ("nodes", "d")).check("tree_centers", arrays["tree_centers"], sizes)
    is_leaf = (parts < 0).all(axis=1)
    inner, k = parts[~is_leaf], len(step.cluster_centers_)
    # Every node but the first is the part of one node before it, so the way down always ends.
    is_tree = (
        sorted(inner.ravel().tolist()) == list(range(1, len(parts)))
        and bool((inner > np.flatnonzero(~is_leaf)[:, None]).all())
        and sorted(labels[is_leaf].tolist()) == list(range(k))
        and bool((labels[~is_leaf] == -1).all())
    )
    require(is_tree, "the tree is none")
    leaves = arrays["tree_centers"][is_leaf].astype(step.cluster_centers_.dtype)
    is_same = np.array_equal(leaves, step.cluster_centers_[labels[is_leaf]])
    require(is_same, "the tree has other centers than the model")
    step._tree = bisecting._Tree(parts, labels, arrays["tree_centers"])


def _finish_scaler(step: Any, arrays: Arrays) -> None:
    require(hasattr(step, "mean_") or not step.with_mean, "mean_ is missing")
    require(hasattr(step, "scale_") or not step.with_std, "scale_ is missing")
    for name, is_used in (("mean_", step.with_mean), ("scale_", step.with_std)):
        if not hasattr(step, name) or (name == "scale_" and not is_used):
            setattr(step, name, None)
    if not hasattr(step, "var_"):
        step.var_ = None


def _statistics_of(step: Any) -> Arrays:
    """Return what an imputer fills in; a constant is kept as an object by scikit-learn."""
    try:
        kept: NDArray[Any] = step.statistics_
        values = kept if kept.dtype.name in FLOATS else kept.astype(np.float64)
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    if step.add_indicator or values.dtype.name not in FLOATS or not np.isfinite(values).all():
        raise TypeError(
            "cannot save this SimpleImputer: it must fill every column with a number and add no "
            "indicator columns; drop columns that have no value at all first"
        )
    return {"statistics_": values}


def _finish_logarithms(step: Any, arrays: Arrays) -> None:
    columns = step.columns_
    is_right = bool((np.diff(columns) > 0).all()) and columns[-1] < step.n_features_in_
    require(is_right, "its logarithms are of columns that it does not have")
    if isinstance(step.columns, np.ndarray):
        step.columns = columns.tolist()  # the file had the positions as floats


def _finish_imputer(step: Any, arrays: Arrays) -> None:
    require(step.add_indicator is False, "its imputer adds columns")
    statistics = step.statistics_
    # Fitted on rows without gaps, it has everything its version of scikit-learn wants it to have.
    step.fit(np.full((1, len(statistics)), 1 if step.missing_values == 0 else 0, statistics.dtype))
    step.statistics_ = statistics


_SCALER_RULES = dict.fromkeys(("copy", "with_mean", "with_std"), rule.FLAG)
_NUMBER = rule.Rule(lambda v: isinstance(v, (int, float)), "a number")
_IMPUTER_RULES = {
    "missing_values": _NUMBER,
    "strategy": rule.one_of("mean", "median", "most_frequent", "constant"),
    "fill_value": rule.either(rule.NONE, _NUMBER),
    "copy": rule.FLAG,
    "add_indicator": rule.FLAG,
    "keep_empty_features": rule.FLAG,
}
_FITTED = {"n_iter_": _is_count, "inertia_": _is_size}

STORABLE = {
    "KMeans": Storable(
        kmeans.KMeans,
        arrays={
            "cluster_centers_": CENTERS,
            "counts_": COUNTS,
            "radii_": RADII,
            "restarts_": ArrayRule(("float64",), ("runs",), is_not_negative=True),
        },
        plain={**_FITTED, "history_": _is_history, "has_timed_out_": _is_flag},
        parameters=kmeans._RULES,
        finish=_finish_centers,
    ),
    "MiniBatchKMeans": Storable(
        mini_batch.MiniBatchKMeans,
        arrays={
            "cluster_centers_": CENTERS,
            "counts_": ArrayRule(("int64",), ("k",), is_not_negative=True),
            "radii_": RADII,
        },
        plain={**_FITTED, "n_steps_": _is_count, "n_seen_": _is_count},
        parameters=mini_batch._RULES,
        inner=_stream_of,
        finish=_finish_mini_batch,
    ),
    "BisectingKMeans": Storable(
        bisecting.BisectingKMeans,
        arrays={"cluster_centers_": CENTERS, "counts_": COUNTS, "radii_": RADII},
        plain={"inertia_": _is_size},
        parameters=bisecting._RULES,
        inner=_tree_of,
        finish=_finish_bisecting,
    ),
    "StandardScaler": Storable(
        StandardScaler,
        arrays={
            "mean_": PER_COLUMN,
            "var_": ArrayRule(FLOATS, ("d",), is_not_negative=True),
            "scale_": ArrayRule(FLOATS, ("d",), is_positive=True),
            "n_samples_seen_": ArrayRule(("int32", "int64", *FLOATS), ("d",), is_not_negative=True),
        },
        plain={"n_samples_seen_": _is_size},  # a float where rows have weights
        parameters=_SCALER_RULES,
        finish=_finish_scaler,
    ),
    "LogTransformer": Storable(
        logarithms.LogTransformer,
        arrays={
            "columns_": ArrayRule(("int64",), ("logged",), is_required=True, is_not_negative=True)
        },
        plain={},
        parameters=logarithms.RULES,
        finish=_finish_logarithms,
    ),
    "SimpleImputer": Storable(
        SimpleImputer,
        arrays={"statistics_": ArrayRule(FLOATS, ("d",), is_required=True)},
        plain={},
        parameters=_IMPUTER_RULES,
        inner=_statistics_of,
        finish=_finish_imputer,
    ),
}
