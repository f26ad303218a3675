"""Fitted estimators to model files and back: data only, the same bits after loading.

What a model file holds (`model_file` says how it is packed). The header is a JSON object::

    library_version   the version of centroids that wrote it
    n_samples         number of rows the model was fitted on
    steps             list of one object per step; a scaler, if there is one, comes first
        name            name of the step in its pipeline; null for a bare estimator
        class           "KMeans" or "StandardScaler"
        params          constructor parameters; null where `not_stored` says why
        not_stored      parameters that are no data (a function, a generator), in words
        fitted          fitted numbers: n_iter_, inertia_, …
        n_features      number of columns
        feature_names   names of the columns the step was fitted on, or null

Arrays are called ``<step>/<name>`` with the step counted from 0: ``0/cluster_centers_``,
``0/counts_``, ``0/mean_``, …; a parameter that is an array is ``<step>/params/<name>``. A reader
passes over keys it does not know; a change that would mislead an old reader raises the format
version. Labels of the training rows are not stored: they are as long as the data, and ``predict``
gives them again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from centroids import __version__
from centroids.estimators.kmeans import KMeans
from centroids.estimators.plain_data import is_number_array, is_plain, to_plain
from centroids.model_file import ModelFileError, read_model, write_model

__all__ = ["load", "save"]

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Storable:
    """What of a class goes into the file.

    Attributes
    ----------
    cls : type
        The class.
    required : tuple of str
        Fitted arrays it cannot work without.
    per_feature : tuple of str
        Fitted arrays whose last dimension is n_features, those required included.
    others : tuple of str
        Other fitted attributes, arrays or plain data; each is stored if it is there.
    """

    cls: type[BaseEstimator]
    required: tuple[str, ...]
    per_feature: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def fitted(self) -> tuple[str, ...]:
        """All fitted attributes that are stored."""
        return (*self.per_feature, *self.others)


STORABLE = {
    "KMeans": Storable(
        KMeans,
        required=("cluster_centers_",),
        per_feature=("cluster_centers_",),
        others=("counts_", "n_iter_", "inertia_", "restarts_", "history_"),
    ),
    "StandardScaler": Storable(
        StandardScaler,
        required=(),  # one that neither shifts nor scales has no arrays
        per_feature=("mean_", "var_", "scale_"),
        others=("n_samples_seen_",),
    ),
}


def save(estimator: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to a file that holds data and no code.

    Parameters
    ----------
    estimator : KMeans or Pipeline
        A fitted ``KMeans``, or a fitted ``Pipeline`` of a ``StandardScaler`` and a ``KMeans``.
    path : path-like
        The file, usually ``*.safetensors``; one that exists is replaced once everything is
        written.

    Raises
    ------
    TypeError
        If `estimator` is anything else.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    InputError
        If the file cannot be written there.

    See Also
    --------
    load : the way back.

    Examples
    --------
    >>> import centroids
    >>> model = centroids.KMeans(2, random_state=0).fit([[0.0], [1.0], [10.0], [11.0]])
    >>> centroids.save(model, "two.safetensors")  # doctest: +SKIP
    >>> centroids.load("two.safetensors").predict([[2.0]])  # doctest: +SKIP
    """
    named_steps = _named_steps(estimator)
    for _, step in named_steps:
        check_is_fitted(step)
    arrays: Arrays = {}
    steps = []
    for i, (name, step) in enumerate(named_steps):
        header, own_arrays = _describe(step)
        steps.append({"name": name, **header})
        arrays |= {f"{i}/{key}": array for key, array in own_arrays.items()}
    clusterer = named_steps[-1][1]
    write_model(
        path,
        arrays,
        {
            "library_version": __version__,
            "n_samples": int(np.sum(clusterer.counts_)),
            "steps": steps,
        },
    )


def load(path: str | os.PathLike[str]) -> KMeans | Pipeline:
    """Read a model that `save` or ``KMeans.save`` wrote.

    ``predict``, ``transform`` and ``score`` give the same bits as before saving. The model has no
    ``labels_``: ``predict`` on the training rows gives them.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    KMeans or Pipeline
        Fitted. Parameters that are no data, such as a function given as ``init``, have their
        default value.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, no model, or from a newer version that this one cannot
        read.

    See Also
    --------
    save : the way there.
    """
    arrays, header = read_model(path)
    with _reporting_damage(Path(path)):
        steps = [
            (description["name"], _restore(description, _own(arrays, i)))
            for i, description in enumerate(header["steps"])
        ]
        kinds = [type(step).__name__ for _, step in steps]
        if kinds == ["KMeans"]:
            return steps[0][1]
        _require(kinds == ["StandardScaler", "KMeans"], f"its steps are {kinds}")
        scaler, clusterer = steps[0][1], steps[1][1]
        _require(scaler.n_features_in_ == clusterer.n_features_in_, "its steps do not fit together")
        return Pipeline(steps)


def _named_steps(estimator: BaseEstimator) -> list[tuple[str | None, Any]]:
    """Give the steps of a model that can be stored, with their names in the pipeline."""
    is_pipeline = type(estimator) is Pipeline
    steps = list(estimator.steps) if is_pipeline else [(None, estimator)]
    kinds = [type(step) for _, step in steps]
    if kinds != ([StandardScaler, KMeans] if is_pipeline else [KMeans]):
        names = " and ".join(kind.__name__ for kind in kinds)
        raise TypeError(
            f"cannot save a {f'Pipeline of {names}' if is_pipeline else names}; save a fitted "
            "KMeans, or a fitted Pipeline of a StandardScaler and a KMeans"
        )
    return steps


def _describe(step: Any) -> tuple[dict[str, Any], Arrays]:
    """Split a fitted step into a header that JSON can hold and arrays."""
    kind = type(step).__name__
    storable = STORABLE[kind]
    arrays: Arrays = {}
    params: dict[str, Any] = {}
    not_stored: dict[str, str] = {}
    for name, value in step.get_params(deep=False).items():
        params[name] = None
        if is_number_array(value):
            arrays[f"params/{name}"] = np.asarray(value, dtype=np.float64)
        elif is_plain(value):
            params[name] = to_plain(value)
        else:
            not_stored[name] = f"{type(value).__name__} is no data; the default stands in for it"
    fitted: dict[str, Any] = {}
    for name in filter(lambda name: hasattr(step, name), storable.fitted):
        value = getattr(step, name)
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif is_plain(value):
            fitted[name] = to_plain(value)
    names = getattr(step, "feature_names_in_", None)
    header = {
        "class": kind,
        "params": params,
        "not_stored": not_stored,
        "fitted": fitted,
        "n_features": int(step.n_features_in_),
        "feature_names": None if names is None else [str(name) for name in names],
    }
    return header, arrays


def _restore(description: Mapping[str, Any], arrays: Arrays) -> Any:
    """Build a fitted step; nothing is set that is not listed in `STORABLE`."""
    storable = STORABLE[description["class"]]
    known = storable.cls().get_params(deep=False)
    params = {
        name: value
        for name, value in description["params"].items()
        if name in known and name not in description["not_stored"]
    }
    params |= {name: arrays[f"params/{name}"] for name in known if f"params/{name}" in arrays}
    step: Any = storable.cls(**params)
    n_features = description["n_features"]
    _check_arrays(storable, arrays, n_features)
    fitted = {**description["fitted"], **arrays}
    for name in filter(fitted.__contains__, storable.fitted):
        setattr(step, name, fitted[name])
    step.n_features_in_ = n_features
    if isinstance(step, KMeans):
        n_clusters = step.cluster_centers_.shape[0]
        _require(arrays["counts_"].shape == (n_clusters,), "counts_ has the wrong shape")
        step._n_features_out = n_clusters  # for get_feature_names_out
    names = description["feature_names"]
    if names is not None:
        is_right = len(names) == n_features and all(isinstance(name, str) for name in names)
        _require(is_right, "its column names do not fit its arrays")
        step.feature_names_in_ = np.array(names, dtype=object)
    return step


def _check_arrays(storable: Storable, arrays: Arrays, n_features: Any) -> None:
    """Check the arrays that every use of the model relies on."""
    _require(type(n_features) is int and n_features > 0, "it does not tell its number of columns")
    for name in storable.required:
        _require(name in arrays, f"{name} is missing")
    for name in filter(arrays.__contains__, storable.per_feature):
        array = arrays[name]
        n_dimensions = 2 if name == "cluster_centers_" else 1
        is_right = array.ndim == n_dimensions and array.shape[-1] == n_features and array.size > 0
        _require(is_right and array.dtype.kind == "f", f"{name} has the wrong shape or type")
        _require(bool(np.isfinite(array).all()), f"{name} is not finite")


def _own(arrays: Arrays, step: int) -> Arrays:
    prefix = f"{step}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


class _DamageError(Exception):
    """What is wrong with the inside of a model file."""


def _require(is_right: bool, complaint: str) -> None:
    if not is_right:
        raise _DamageError(complaint)


@contextmanager
def _reporting_damage(path: Path) -> Iterator[None]:
    """Turn every surprise in the contents of a model file into one clear line."""
    try:
        yield
    except _DamageError as error:
        raise ModelFileError(f"{path} is damaged: {error}; save the model again") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelFileError(f"{path} is damaged: its header is not complete") from error
