"""What `centroids fit` was asked for and came to, and that as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._labelling import LabelsFile
from centroids.cli._matching import HELD_OUT, TRAINING, match_payload
from centroids.cli._modelling import (
    Split,
    clusterer_of,
    original_centers,
    positions_in_file,
    rows_at,
    weights_at,
)
from centroids.cli._options import (
    Fitting,
    Layout,
    Missing,
    Outputs,
    Preparation,
    Running,
    Selection,
)
from centroids.cli._output import Payload
from centroids.cli._reading import data_payload, same_rows
from centroids.cli._reporting import has_categories
from centroids.cli._words import alignment_payload
from centroids.wording import count

__all__ = ["CUT_SHORT", "Fitted", "Request", "describe_fit", "how_it_was_made", "provenance_of"]

CUT_SHORT = (
    "which ended the fit early: more time may give a lower inertia, and a second run other clusters"
)


@dataclass(frozen=True)
class Request:
    """What the user asked for; see the options of `fit`."""

    data: list[Path]
    n_clusters: int | Literal["auto"]
    holdout: float
    old_model: Any
    labels_file: LabelsFile | None
    selection: Selection
    preparation: Preparation
    fitting: Fitting
    outputs: Outputs
    layout: Layout
    running: Running


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit came to."""

    table: centroids.Table
    split: Split
    findings: centroids.Findings
    model: Any
    labels: NDArray[Any]
    matches: Mapping[str, centroids.LabelMatch]
    alignment: centroids.Alignment | None
    recorder: centroids.FitRecorder


def describe_fit(request: Request, fitted: Fitted) -> Payload:
    """Give everything that is printed of a fit as plain data."""
    split, kmeans = fitted.split, clusterer_of(fitted.model)
    fitting, preparation = request.fitting, request.preparation
    heldout = None
    if split.heldout.size:
        weights = weights_at(fitted.table, split.heldout)
        rows = centroids.prepare_rows(fitted.model, rows_at(fitted.table, split.heldout))
        score = kmeans.score(rows, sample_weight=weights)
        heldout = _part(fitted, HELD_OUT, split.heldout, -float(score))
    return {
        "command": "fit",
        "data": data_payload(fitted.table),
        "findings": fitted.findings.to_dict()["findings"],
        "split": {"holdout": request.holdout, "is_stratified": split.is_stratified},
        "same_rows": same_rows(request.data, request.selection, preparation, request.layout),
        "choice": _choice(kmeans),
        "model": {
            "n_clusters": len(kmeans.cluster_centers_),
            "n_iter": int(kmeans.n_iter_),
            "scale": str(preparation.scale),
            "log": preparation.logged,
            "missing": str(preparation.missing),
            "random_state": fitting.random_state,
            "n_init": "auto" if fitting.n_init is None else fitting.n_init,
            "max_iter": fitting.max_iter,
            "max_time": fitting.max_time,
            "has_timed_out": kmeans.has_timed_out_,
        },
        "clusters": _clusters(fitted),
        "training": _part(fitted, TRAINING, split.training, float(kmeans.inertia_)),
        "heldout": heldout,
        "alignment": fitted.alignment and alignment_payload(fitted.alignment),
        "stability": None,
        "notes": [],
        "files": {
            name: None if path is None else str(path)
            for name, path in vars(request.outputs).items()
        },
    }


def _part(fitted: Fitted, name: str, positions: NDArray[np.intp], inertia: float) -> Payload:
    """Describe the rows to fit, or those that were held out."""
    weights = weights_at(fitted.table, positions)
    n_counted = len(positions) if weights is None else float(weights.sum())
    part: Payload = {
        "n_samples": len(positions),
        "inertia": inertia,
        "inertia_per_row": inertia / n_counted if n_counted else 0.0,
    }
    if name in fitted.matches:
        in_file = positions_in_file(fitted.table, positions)
        part["match"] = match_payload(fitted.matches[name], in_file)
    return part


def _clusters(fitted: Fitted) -> list[Payload]:
    """Describe each cluster by its rows among those fitted, and its center."""
    training, names = fitted.split.training, clusterer_of(fitted.model).cluster_names_
    centers = original_centers(fitted.model)
    sizes = np.bincount(fitted.labels[training], minlength=len(centers)).tolist()
    return [
        {
            "cluster": i,
            "name": names.get(i),
            "rows": size,
            "share": size / len(training),
            "center": centers[i].tolist(),
        }
        for i, size in enumerate(sizes)
    ]


def _choice(kmeans: Any) -> Payload | None:
    """Describe how the number of clusters was chosen; None where the user gave it."""
    choice = getattr(kmeans, "k_choice_", None)
    if choice is None:
        return None
    return {**choice.to_dict(), "summary": choice.summary().splitlines()}


def provenance_of(request: Request, fitted: Fitted) -> Payload:
    """Tell what the model was made from; docs/reference/model_file.md has the keys."""
    table, missing = fitted.table, request.preparation.missing
    rule: Payload = {"rule": str(missing)}
    if missing is Missing.IMPUTE:
        rule["values"] = fitted.model[0].statistics_.tolist()
    n_used = len(fitted.split.training)
    sampling = None
    if request.holdout:
        sampling = f"a random part; {request.holdout:.4g} of the rows were held out"
    return {
        "file": str(table.source),
        "rows": table.n_rows_in_files,
        "rows_used": n_used,
        "sampling": sampling,
        "where": request.layout.where,
        "weight": table.weight_name,
        "missing": rule,
        "left_out": [{"column": name, "reason": reason} for name, reason in table.left_out],
    }


def how_it_was_made(request: Request, fitted: Fitted) -> Payload:
    """Say for the report which rows were used, and how."""
    table, n_used, where = fitted.table, len(fitted.split.training), request.layout.where
    rows = f"{n_used:,} of {count(table.n_rows_in_files, 'row')}"
    if table.n_dropped:
        rows += f"; {table.n_dropped:,} dropped for lack of a value"
    if request.holdout:
        rows += f"; {len(fitted.split.heldout):,} held out"
    filled = sum(table.n_missing) if request.preparation.missing is Missing.IMPUTE else 0
    return {
        "rows": rows,
        "condition": where and f"{where} (rows are counted among those that fulfil it)",
        "weights": table.weight_name and f"column {table.weight_name}",
        "missing values": f"{filled:,} replaced by the median of their column" if filled else None,
        "columns of text": None if has_categories(table) else "not described: too many rows",
        "logarithms": ", ".join(request.preparation.logged) or None,
        "scale": str(request.preparation.scale),
        "random state": request.fitting.random_state,
        "time limit": _time_limit(request.fitting.max_time, fitted),
    }


def _time_limit(seconds: float | None, fitted: Fitted) -> str | None:
    """Say what a limit did; the same command need not give the same model where it did."""
    if seconds is None:
        return None
    if not clusterer_of(fitted.model).has_timed_out_:
        return f"{seconds:g} seconds, not reached"
    return f"{seconds:g} seconds, {CUT_SHORT}"
