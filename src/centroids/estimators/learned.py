"""What an estimator has learned: replaced whole, or not at all; and taken away in a copy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PRIVATE = ("_cluster_names", "_n_features_out", "_stream", "_tree")


def forget(model: Any, *names: str) -> None:
    """Take attributes away from a model, as far as it has them."""
    for name in names:
        vars(model).pop(name, None)


def without_names(model: Any) -> Any:
    """Return a model, or a step before it, that takes and gives arrays and asks for no names."""
    plain = copy.copy(model)
    forget(plain, "feature_names_in_", "_sklearn_output_config")
    return plain


@contextmanager
def kept_on_error(model: Any) -> Iterator[None]:
    """Give the model back all that it had learned when an exception comes out."""
    before = _learned(model)
    try:
        yield
    except BaseException:
        forget(model, *_learned(model))
        vars(model).update(before)
        raise


@contextmanager
def learned_anew(model: Any) -> Iterator[None]:
    """Begin with nothing learned: no half of two models, whatever becomes of the fit."""
    with kept_on_error(model):
        forget(model, *_learned(model))
        yield


def _learned(model: Any) -> dict[str, Any]:
    return {
        name: value for name, value in vars(model).items() if name.endswith("_") or name in _PRIVATE
    }
