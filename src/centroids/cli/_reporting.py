"""The HTML page of a fit: gathers what the library knows of it and has it written."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._modelling import clusterer_of, positions_in_file, rows_at, weights_at
from centroids.cli._output import Payload, Work

__all__ = [
    "REPORT_SUFFIXES",
    "Rows",
    "categories_of",
    "has_categories",
    "stability_payload",
    "write_fit_report",
]

REPORT_SUFFIXES = (".html", ".htm")

# Of more rows, each resample is a part: clustering it twice is to take no longer than the fit.
MOST_ROWS_DRAWN = 50_000
TOO_FEW = "not measured: fewer than two rows for each cluster"
# Texts with more values are names or notes, which say nothing about a group.
MOST_CATEGORIES = 50
# Beyond this, reading the texts takes longer and more memory than the fit.
MOST_ROWS_WITH_TEXTS = 2_000_000


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows a page is about.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    columns : tuple of str
    row_numbers : ndarray of shape (n_samples,)
        The number of each row for a reader, counted from 1.
    sample_weight, truth : ndarray of shape (n_samples,) or None
    categories : dict of str to ndarray of shape (n_samples,)
        Columns of texts with few values.
    """

    X: NDArray[Any]
    columns: tuple[str, ...]
    row_numbers: NDArray[np.int64]
    sample_weight: NDArray[np.float64] | None = None
    truth: NDArray[Any] | None = None
    categories: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, table: centroids.Table, jobs: int | None, positions: NDArray[np.intp] | None = None
    ) -> Rows:
        """Take the rows of a table, or those at some positions."""
        if positions is None:
            positions = np.arange(table.n_samples)
        categories = categories_of(table, jobs)
        return cls(
            X=rows_at(table, positions),
            columns=table.columns,
            row_numbers=positions_in_file(table, positions) + 1,
            sample_weight=weights_at(table, positions),
            truth=None if table.truth is None else table.truth[positions],
            categories={name: values[positions] for name, values in categories.items()},
        )

    def describe(self, model: Any) -> centroids.ClusterProfile:
        """Say what the clusters of a model are, in these rows."""
        return centroids.profile(
            model,
            self.X,
            sample_weight=self.sample_weight,
            feature_names=self.columns,
            others=self.categories,
            row_numbers=self.row_numbers,
        )


def categories_of(table: centroids.Table, jobs: int | None) -> dict[str, NDArray[Any]]:
    """Read the columns that were not clustered and have few values, to describe clusters by."""
    others = [name for name, why in table.left_out if why != "empty"]
    if not others or not has_categories(table):
        return {}
    columns = centroids.read_columns(table, others, n_jobs=jobs)
    return {
        name: values
        for name, values in columns.items()
        if 2 <= _count_values(values) <= MOST_CATEGORIES
    }


def has_categories(table: centroids.Table) -> bool:
    """Whether columns that were not clustered are read, to describe clusters by them."""
    return table.n_rows <= MOST_ROWS_WITH_TEXTS


def _count_values(values: NDArray[Any]) -> int:
    if values.dtype == object:
        return len(set(values.tolist()) - {None})
    return len(np.unique(values[~np.isnan(values)]))


def write_fit_report(
    path: Path,
    title: str,
    rows: Rows,
    model: Any,
    *,
    k_choice: centroids.KChoice | None,
    matches: Mapping[str, centroids.LabelMatch],
    recorder: centroids.FitRecorder,
    findings: Sequence[centroids.Finding],
    reproduce: Mapping[str, Any],
    jobs: int | None,
    work: Work,
) -> centroids.Stability | None:
    """Write the page about a model fitted on some rows; return how sure its clusters are."""
    work.say("writing the report: what the clusters are")
    profile = rows.describe(model)
    work.say("writing the report: how sure that is")
    stability = _stability_of(model, rows, jobs)
    work.say("writing the report: the page")
    centroids.write_report(
        path,
        model=model,
        X=rows.X,
        profile=profile,
        title=title,
        k_choice=k_choice,
        matches=matches,
        stability=stability,
        findings=findings,
        replay=recorder,
        truth=rows.truth,
        reproduce={
            "command": shlex.join(["centroids", *sys.argv[1:]]),
            "version": f"centroids {centroids.__version__}",
            **reproduce,
            "stability": TOO_FEW if stability is None else None,
        },
    )
    return stability


def _stability_of(model: Any, rows: Rows, jobs: int | None) -> centroids.Stability | None:
    """Say which clusters come back; None where rows are too few to draw from."""
    if len(rows.X) < 2 * clusterer_of(model).cluster_centers_.shape[0]:
        return None
    return centroids.stability(
        model,
        rows.X,
        sample_weight=rows.sample_weight,
        max_samples=MOST_ROWS_DRAWN,
        n_jobs=jobs,
    )


def stability_payload(stability: centroids.Stability) -> Payload:
    """Turn how sure the clusters are into plain data."""
    return {**stability.to_dict(), "summary": stability.summary().splitlines()}
