"""Fitted estimators to model files and back: data only, the same bits after loading.

What a model file holds is written in docs/reference/model_file.md, how it is packed in
`model_file`, what has to hold before it is a model again in `storable`. A reader passes over keys
it does not know; a change that would mislead an old reader raises the format version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from centroids import __version__
from centroids.estimators import parameters as rule
from centroids.estimators.nearest_center import NearestCenterModel, check_cluster_names
from centroids.estimators.plain_data import is_number_array, is_plain, to_plain
from centroids.estimators.spread import QUANTILES
from centroids.estimators.storable import STORABLE, DamageError, require
from centroids.model_file import ModelFileError, read_model, write_model

__all__ = ["load", "save"]

Arrays = dict[str, NDArray[Any]]

BEFORE = ("SimpleImputer", "LogTransformer", "StandardScaler")
"""The steps that may stand before a clusterer in a pipeline: some of them, in this order."""


def save(
    estimator: BaseEstimator,
    path: str | os.PathLike[str],
    *,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted model to a file that holds data and no code.

    Cluster names (``name_clusters``) and radii (``measure_radii``) are part of the file.

    Parameters
    ----------
    estimator : KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
        A fitted model. In a ``Pipeline``, a ``SimpleImputer``, a `LogTransformer` and a
        ``StandardScaler``, or some of them, come first, in this order.
    path : path-like
        The file, usually ``*.safetensors``; one that exists is replaced once everything is
        written.
    data : mapping or None, default=None
        What is worth knowing of the training data: plain data that JSON can hold, with text keys.
        `load` gives it back as ``training_data_`` of the clusterer, and what was loaded is saved
        again. Keys that tools of this package know: docs/reference/model_file.md.

    Raises
    ------
    TypeError
        If `estimator` is anything else, or `data` is not plain data.
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
    clusterer = named_steps[-1][1]
    arrays: Arrays = {}
    steps = []
    for i, (name, step) in enumerate(named_steps):
        header, own_arrays = _describe(step)
        steps.append({"name": name, **header})
        arrays |= {f"{i}/{key}": array for key, array in own_arrays.items()}
    data = getattr(clusterer, "training_data_", None) if data is None else data
    write_model(
        path,
        arrays,
        {
            "library_version": __version__,
            "n_samples": _n_samples(clusterer),
            "steps": steps,
            "cluster_names": {str(j): name for j, name in clusterer.cluster_names_.items()},
            "radius_quantiles": list(QUANTILES),
            "data": None if data is None else _checked_data(data),
        },
    )


def load(path: str | os.PathLike[str]) -> NearestCenterModel | Pipeline:
    """Read a model that `save` or ``KMeans.save`` wrote.

    ``predict``, ``transform`` and ``score`` give the same bits as before saving. The model has no
    ``labels_``: ``predict`` on the training rows gives them.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    KMeans, MiniBatchKMeans, BisectingKMeans or Pipeline
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
        descriptions = header["steps"]
        require(isinstance(descriptions, list), "its steps are no list")
        kinds = [description["class"] for description in descriptions]
        require(bool(kinds) and all(kind in STORABLE for kind in kinds), f"its steps are {kinds}")
        is_bare = len(kinds) == 1
        fits = STORABLE[kinds[-1]].is_clusterer and (is_bare or _may_stand_before(kinds[:-1]))
        require(fits, f"its steps are {kinds}")
        steps = [
            _restore(description, _own(arrays, i)) for i, description in enumerate(descriptions)
        ]
        sizes = {step.n_features_in_ for step in steps}
        require(len(sizes) == 1, "its steps do not fit together")
        _restore_clusters(steps[-1], header)
        if is_bare:
            return steps[0]
        names = [description["name"] for description in descriptions]
        is_right = all(isinstance(name, str) and name and "__" not in name for name in names)
        require(is_right and len(set(names)) == len(names), "its steps have no proper names")
        return Pipeline(list(zip(names, steps, strict=True)))


def _named_steps(estimator: BaseEstimator) -> list[tuple[str | None, Any]]:
    """Give the steps of a model that can be stored, with their names in the pipeline."""
    is_pipeline = type(estimator) is Pipeline
    steps = list(estimator.steps) if is_pipeline else [(None, estimator)]
    kinds = [type(step).__name__ for _, step in steps]
    stored = [STORABLE.get(kind) for kind in kinds]
    is_known = all(
        kind is not None and type(step) is kind.cls
        for kind, (_, step) in zip(stored, steps, strict=True)
    )
    last = stored[-1] if stored else None
    is_model = is_known and last is not None and last.is_clusterer
    if not is_model or (is_pipeline and not _may_stand_before(kinds[:-1])):
        names = ", ".join(kinds)
        raise TypeError(
            f"cannot save a {f'Pipeline of {names}' if is_pipeline else names}; save a fitted "
            "KMeans, MiniBatchKMeans or BisectingKMeans, or a fitted Pipeline of a SimpleImputer, "
            "a LogTransformer, a StandardScaler (or some of them, in this order) and such a model"
        )
    return steps


def _may_stand_before(kinds: list[str]) -> bool:
    """Whether these are some of the steps that may stand before a clusterer, in their order."""
    return bool(kinds) and kinds == [kind for kind in BEFORE if kind in kinds]


def _n_samples(clusterer: Any) -> int:
    if hasattr(clusterer, "counts_"):
        return int(np.sum(clusterer.counts_))
    return int(clusterer.n_seen_)  # mini-batches without labels


def _checked_data(data: Any) -> Any:
    if not isinstance(data, Mapping) or not is_plain(data):
        raise TypeError(
            "data must be a mapping with text keys that holds plain data: text, finite numbers, "
            "True, False, None, and lists and mappings of these"
        )
    return to_plain(data)


def _describe(step: Any) -> tuple[dict[str, Any], Arrays]:
    """Split a fitted step into a header that JSON can hold and arrays."""
    kind = type(step).__name__
    storable = STORABLE[kind]
    arrays: Arrays = dict(storable.inner(step))
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
    for name in sorted({*storable.arrays, *storable.plain} - arrays.keys()):
        value = getattr(step, name, None)
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif value is not None and is_plain(value):
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
    step: Any = storable.cls(**_restored_params(storable, description, arrays))
    n_features = description["n_features"]
    require(type(n_features) is int and n_features > 0, "it does not tell its number of columns")
    step.n_features_in_ = n_features
    sizes = {"d": n_features}
    for name, array_rule in storable.arrays.items():
        if name in arrays:
            array_rule.check(name, arrays[name], sizes)
            setattr(step, name, arrays[name])
        else:
            require(not array_rule.is_required, f"{name} is missing")
    fitted = description["fitted"]
    for name in filter(fitted.__contains__, storable.plain):
        require(storable.plain[name](fitted[name]), f"{name} is out of range")
        setattr(step, name, fitted[name])
    storable.finish(step, arrays)
    names = description["feature_names"]
    if names is not None:
        is_right = len(names) == n_features and all(isinstance(name, str) for name in names)
        require(is_right, "its column names do not fit its arrays")
        for name in names:
            name.encode()  # half a character is none
        step.feature_names_in_ = np.array(names, dtype=object)
    return step


def _restored_params(
    storable: Any, description: Mapping[str, Any], arrays: Arrays
) -> dict[str, Any]:
    """Return the parameters that the class knows, once they keep their rules."""
    known = storable.cls().get_params(deep=False)
    params = {
        name: value
        for name, value in description["params"].items()
        if name in known and name not in description["not_stored"]
    }
    params |= {name: arrays[f"params/{name}"] for name in known if f"params/{name}" in arrays}
    try:
        rule.check_parameters(storable.cls(**params), storable.parameters)
    except ValueError as error:
        raise DamageError(f"a parameter is wrong: {error}") from error
    return params


def _restore_clusters(clusterer: Any, header: Mapping[str, Any]) -> None:
    """Set what goes by cluster but belongs to no step, and what is known of the data."""
    if hasattr(clusterer, "counts_"):
        is_right = header["n_samples"] == int(clusterer.counts_.sum())
        require(is_right, "it does not agree with itself on its number of rows")
    elif hasattr(clusterer, "n_seen_"):
        require(header["n_samples"] == clusterer.n_seen_, "its number of rows is wrong")
    if hasattr(clusterer, "radii_") and header.get("radius_quantiles") != list(QUANTILES):
        del clusterer.radii_
    names = {int(number): name for number, name in header.get("cluster_names", {}).items()}
    if names:
        clusterer._cluster_names = check_cluster_names(names, len(clusterer.cluster_centers_))
    data = header.get("data")
    require(data is None or isinstance(data, dict), "what it says of its data is no mapping")
    if data is not None:
        clusterer.training_data_ = data


def _own(arrays: Arrays, step: int) -> Arrays:
    prefix = f"{step}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


@contextmanager
def _reporting_damage(path: Path) -> Iterator[None]:
    """Turn every surprise in the contents of a model file into one clear line."""
    try:
        yield
    except DamageError as error:
        words = " ".join(str(error).split())[:300]
        raise ModelFileError(f"{path} is damaged: {words}; save the model again") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise ModelFileError(f"{path} is damaged: its header is not complete") from error
