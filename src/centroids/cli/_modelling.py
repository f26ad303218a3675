"""Steps that commands share: split rows, make and fit a model, look into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._options import Missing, Preparation, Scale

__all__ = [
    "Split",
    "clusterer_of",
    "feature_names_of",
    "logged_of",
    "name_features",
    "original_centers",
    "positions_in_file",
    "rows_at",
    "split_rows",
    "weights_at",
    "with_preparation",
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


def rows_at(table: centroids.Table, positions: NDArray[np.intp]) -> NDArray[Any]:
    """Give some rows; the table's own array if it is all of them."""
    if len(positions) == table.n_samples:
        return table.X
    taken: NDArray[Any] = centroids.take_rows(table.X, positions)
    return taken


def weights_at(table: centroids.Table, positions: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Give the weights of some rows; None if every row counts the same."""
    return None if table.sample_weight is None else table.sample_weight[positions]


def positions_in_file(table: centroids.Table, positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the positions that rows of a table have among the rows of its files."""
    return positions if table.rows is None else table.rows[positions]


def with_preparation(kmeans: Any, preparation: Preparation, columns: Sequence[str]) -> Any:
    """Put before a clusterer what fills gaps, takes logarithms and scales, as far as asked for.

    `columns` are those of the rows.
    """
    steps = _steps_before(preparation, columns)
    if not steps:
        return kmeans
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps, kmeans)


def _steps_before(preparation: Preparation, columns: Sequence[str]) -> list[Any]:
    steps: list[Any] = []
    if preparation.missing is Missing.IMPUTE:
        from sklearn.impute import SimpleImputer

        steps.append(SimpleImputer(strategy="median"))
    if preparation.log:
        steps.append(centroids.LogTransformer([columns.index(n) for n in preparation.logged]))
    if preparation.scale is Scale.STANDARD:
        from sklearn.preprocessing import StandardScaler

        steps.append(StandardScaler())
    return steps


def _is_imputer(step: Any) -> bool:
    return type(step).__name__ == "SimpleImputer"


def clusterer_of(model: Any) -> Any:
    """Give the estimator of a model that may be a pipeline."""
    return model[-1] if hasattr(model, "steps") else model


def logged_of(model: Any) -> list[int]:
    """Give the positions of the columns of which a model takes the logarithm."""
    steps = [step for _, step in getattr(model, "steps", ())]
    logs = (step.columns_ for step in steps if isinstance(step, centroids.LogTransformer))
    return [int(column) for columns in logs for column in columns]


def original_centers(model: Any) -> NDArray[np.float64]:
    """Give the centers of a model in the units of the file."""
    centers: NDArray[np.float64] = clusterer_of(model).cluster_centers_
    for _, step in reversed(getattr(model, "steps", ())[:-1]):
        if not _is_imputer(step):
            centers = step.inverse_transform(centers)
    return centers


def name_features(model: Any, table: centroids.Table) -> None:
    """Store the column names of a file in the model fitted on its rows, if the file has names."""
    if table.has_names:
        first = model[0] if hasattr(model, "steps") else model
        first.feature_names_in_ = np.array(table.columns, dtype=object)


def feature_names_of(model: Any) -> list[str] | None:
    """Give the column names a model was fitted on; None if it was fitted on unnamed columns."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]
