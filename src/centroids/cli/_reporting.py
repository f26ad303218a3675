"""The HTML page of a fit: gathers what the library knows of it and has it written."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import centroids
from centroids.cli._modelling import Split

__all__ = ["REPORT_SUFFIXES", "write_fit_report"]

REPORT_SUFFIXES = (".html", ".htm")

# Beyond this, clustering samples anew takes longer than the rest of the report together.
MOST_ROWS_RESAMPLED = 200_000


def write_fit_report(
    path: Path,
    table: centroids.Table,
    split: Split,
    model: Any,
    labels: NDArray[Any],
    recorder: centroids.FitRecorder,
    random_state: int,
) -> None:
    """Write the page about a model fitted on the training rows of a table."""
    X = table.X[split.training]
    kmeans = model[-1] if hasattr(model, "steps") else model
    is_resampled = len(X) <= MOST_ROWS_RESAMPLED
    centroids.write_report(
        path,
        model=model,
        X=X,
        profile=centroids.profile(model, X, feature_names=table.columns),
        title=f"Clusters in {Path(str(table.source)).name}",
        k_choice=getattr(kmeans, "k_choice_", None),
        matches=_matches(table, split, labels),
        stability=centroids.stability(model, X) if is_resampled else None,
        replay=recorder,
        truth=None if table.truth is None else table.truth[split.training],
        reproduce={
            "command": shlex.join(["centroids", *sys.argv[1:]]),
            "centroids": centroids.__version__,
            "random state": random_state,
        },
    )


def _matches(
    table: centroids.Table, split: Split, labels: NDArray[Any]
) -> dict[str, centroids.LabelMatch]:
    if table.truth is None:
        return {}
    match = centroids.match_labels(table.truth[split.training], labels[split.training])
    found = {"training rows": match}
    if split.heldout.size:
        found["held-out rows"] = match.score(table.truth[split.heldout], labels[split.heldout])
    return found
