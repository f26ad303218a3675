"""The HTML page of a fit: gathers what the library knows of it and has it written."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import centroids
from centroids.cli._modelling import Split, clusterer_of

__all__ = ["REPORT_SUFFIXES", "write_fit_report"]

REPORT_SUFFIXES = (".html", ".htm")

# Beyond this, clustering samples anew takes longer than the rest of the report together.
MOST_ROWS_RESAMPLED = 200_000


def write_fit_report(
    path: Path,
    table: centroids.Table,
    split: Split,
    model: Any,
    matches: Mapping[str, centroids.LabelMatch],
    recorder: centroids.FitRecorder,
    random_state: int,
    jobs: int | None,
) -> None:
    """Write the page about a model fitted on the training rows of a table."""
    X = table.X[split.training]
    is_resampled = len(X) <= MOST_ROWS_RESAMPLED
    centroids.write_report(
        path,
        model=model,
        X=X,
        profile=centroids.profile(model, X, feature_names=table.columns),
        title=f"Clusters in {Path(str(table.source)).name}",
        k_choice=getattr(clusterer_of(model), "k_choice_", None),
        matches=matches,
        stability=centroids.stability(model, X, n_jobs=jobs) if is_resampled else None,
        replay=recorder,
        truth=None if table.truth is None else table.truth[split.training],
        reproduce={
            "command": shlex.join(["centroids", *sys.argv[1:]]),
            "centroids": centroids.__version__,
            "random state": random_state,
        },
    )
