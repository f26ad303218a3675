"""Steps that commands share: split rows, match data to a model, describe both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._output import Payload

__all__ = [
    "Split",
    "check_labels_output",
    "clusterer_of",
    "data_payload",
    "name_features",
    "read_for_model",
    "split_rows",
]


class Split(NamedTuple):
    """Positions of the rows in each part; `heldout` is empty if nothing is held out."""

    training: NDArray[np.intp]
    heldout: NDArray[np.intp]
    is_stratified: bool


def split_rows(table: centroids.Table, holdout: float, random_state: int) -> Split:
    """Split as ``sklearn.model_selection.train_test_split`` does, by class if there are classes."""
    positions = np.arange(table.n_samples)
    if holdout == 0:
        return Split(positions, positions[:0], is_stratified=False)
    from sklearn.model_selection import train_test_split

    n_heldout = int(np.ceil(holdout * table.n_samples))
    if not 0 < n_heldout < table.n_samples:
        raise centroids.InputError(
            f"{table.source} has {table.n_samples} row(s), too few for --holdout {holdout:g}; "
            "drop --holdout"
        )
    classes = None if table.truth is None else _class_codes(table, n_heldout)
    training, heldout = train_test_split(
        positions, test_size=n_heldout, stratify=classes, random_state=random_state
    )
    return Split(training, heldout, is_stratified=classes is not None)


def _class_codes(table: centroids.Table, n_heldout: int) -> NDArray[np.intp]:
    """Give each class a number; rows without a class are one of their own."""
    truth = np.asarray(table.truth)
    if truth.dtype == object:
        truth = np.array(["" if name is None else str(name).strip() for name in truth])
    names, codes, counts = np.unique(truth, return_inverse=True, return_counts=True)
    single = [name for name, count in zip(names.tolist(), counts, strict=True) if count == 1]
    if single:
        raise centroids.InputError(
            f'{table.source}: class "{single[0]}" of column "{table.truth_name}" has one row only '
            "and cannot be in both parts of a split; drop --holdout, or choose another --truth"
        )
    if len(names) > min(n_heldout, table.n_samples - n_heldout):
        raise centroids.InputError(
            f'{table.source}: column "{table.truth_name}" has {len(names):,} classes, but one part '
            "of the split has fewer rows than that; change --holdout, or choose another --truth"
        )
    return codes


def clusterer_of(model: Any) -> Any:
    """Give the estimator of a model that may be a pipeline."""
    return model[-1] if hasattr(model, "steps") else model


def name_features(model: Any, table: centroids.Table) -> None:
    """Store the column names of a file in the model fitted on its rows, if the file has names."""
    if table.has_names:
        first = model[0] if hasattr(model, "steps") else model
        first.feature_names_in_ = np.array(table.columns, dtype=object)


def _feature_names(model: Any) -> list[str] | None:
    """Give the column names a model was fitted on; None if it was fitted on unnamed columns."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def read_for_model(
    model: Any,
    path: Path,
    *,
    columns: Sequence[str] | None,
    truth: str | None = None,
    jobs: int | None = None,
) -> centroids.Table:
    """Read the columns of a file that a model needs, in the order the model needs them.

    Columns are matched by name if both sides have names, else by position: then there must be
    just as many. Columns that the user names stand for those of the model, one by one.
    """
    names = _feature_names(model)
    n_features = int(model.n_features_in_)
    if columns is None and names is not None and path.suffix.lower() != ".npy":
        try:
            table = centroids.read_table(path, columns=names, truth=truth, n_jobs=jobs)
        except centroids.UnknownColumnError as error:
            if error.column not in names:
                raise
            raise centroids.InputError(
                f"data and model differ: the model needs the columns {_listed(names)}, and "
                f"{error}; rename it in the data, or say with --columns which columns to use"
            ) from error
        left_out = tuple(column._replace(reason="not in the model") for column in table.left_out)
        return replace(table, left_out=left_out)
    table = centroids.read_table(path, columns=columns, truth=truth, n_jobs=jobs)
    if len(table.columns) != n_features:
        needs = f"{n_features} columns" + (f" ({_listed(names)})" if names else "")
        raise centroids.InputError(
            f"data and model differ: the model needs {needs}, and {path} gives "
            f"{len(table.columns)} ({_listed(table.columns)}); name the right ones with --columns"
        )
    return table


def check_labels_output(out: Path, data: Path) -> None:
    """Refuse a place for labels that cannot be written, or that would replace the data."""
    centroids.check_table_output(out)
    if out.exists() and data.exists() and out.samefile(data):
        raise centroids.InputError(f"{out} is the file that is read; give the output another name")


def data_payload(table: centroids.Table) -> Payload:
    """Describe what was read."""
    return {
        "file": str(table.source),
        "n_samples": table.n_samples,
        "columns": list(table.columns),
        "left_out": [{"column": name, "reason": reason} for name, reason in table.left_out],
        "truth": table.truth_name,
    }


def _listed(names: Sequence[str], at_most: int = 12) -> str:
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
