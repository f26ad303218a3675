"""``centroids fit``: cluster the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._findings import examine, warn_of
from centroids.cli._fit_result import (
    Fitted,
    Request,
    describe_fit,
    how_it_was_made,
    provenance_of,
)
from centroids.cli._fit_words import show_fit
from centroids.cli._groups import expanded
from centroids.cli._labelling import LabelsFile
from centroids.cli._matching import match_parts
from centroids.cli._modelling import (
    Split,
    clusterer_of,
    feature_names_of,
    name_features,
    rows_at,
    split_rows,
    weights_at,
    with_preparation,
)
from centroids.cli._options import (
    MODEL_SUFFIXES,
    ClusterCount,
    Data,
    Fitting,
    Labelling,
    Layout,
    Outputs,
    Preparation,
    Running,
    Selection,
    check_max_time,
    parse_holdout,
    parse_n_clusters,
)
from centroids.cli._output import (
    Payload,
    Work,
    check_stdout,
    collecting_warnings,
    emit,
    number,
    require_package,
    working,
)
from centroids.cli._reading import name_of, read_rows
from centroids.cli._reporting import REPORT_SUFFIXES, Rows, stability_payload, write_fit_report
from centroids.wording import count

__all__ = ["fit"]


@expanded
def fit(
    data: Data,
    *,
    k: ClusterCount = None,
    selection: Selection,
    preparation: Preparation,
    fitting: Fitting,
    outputs: Outputs,
    labelling: Labelling,
    layout: Layout,
    running: Running,
) -> None:
    """Cluster the rows of files.

    Columns of numbers are used; the others are left out and listed. What stands in the way of good
    clusters is said first, as `centroids doctor` does.

    Example: [bold]centroids fit customers.csv -k 5 --scale standard -o model.safetensors[/bold]

    Example: [bold]centroids fit practice.csv -k 5 --truth y --holdout 0.25 --labels out.csv[/bold]

    Example: [bold]centroids fit customers.csv -k auto --scale standard --missing impute --leave-out
    id --report groups.html[/bold]
    """
    n_clusters, holdout = parse_n_clusters(k), parse_holdout(fitting.holdout)
    check_max_time(fitting.max_time)
    check_stdout(outputs.labels, "--labels", running.as_json)
    _check_outputs(outputs, labelling)
    old_model = None if fitting.align_to is None else centroids.load(fitting.align_to)
    labels_file = None
    if outputs.labels is not None:
        has_names = old_model is not None and bool(clusterer_of(old_model).cluster_names_)
        labels_file = LabelsFile(outputs.labels, labelling, holdout > 0, has_names)
        labels_file.check(data)
    request = Request(
        data, n_clusters, holdout, old_model, labels_file,
        selection, preparation, fitting, outputs, layout, running,
    )  # fmt: skip
    emit(_run(request), show_fit, running.as_json, outputs.labels)


def _check_outputs(outputs: Outputs, labelling: Labelling) -> None:
    """Refuse outputs that cannot be written before any work is done."""
    if outputs.model is not None:
        centroids.check_output(outputs.model, MODEL_SUFFIXES)
    if outputs.report is not None:
        require_package("jinja2", "the report")
        centroids.check_output(outputs.report, REPORT_SUFFIXES)
    for is_asked, option in (
        (labelling.labels_only, "--labels-only"),
        (labelling.distances, "--distances"),
    ):
        if is_asked and outputs.labels is None:
            raise centroids.InputError(f"{option} says how to write labels; add --labels OUT")


def _run(request: Request) -> Payload:
    is_quiet, jobs = request.running.as_json, request.running.jobs
    with working(f"reading {name_of(request.data)}", is_quiet):
        missing = request.preparation.missing
        table = read_rows(
            request.data, request.selection, request.layout, missing, jobs,
            positive=request.preparation.logged,
        )  # fmt: skip
    if request.labels_file is not None:
        request.labels_file.check_beside(table)
    split = split_rows(table, request.holdout, request.fitting.random_state)
    _require_same_columns(table, request)
    training = rows_at(table, split.training)
    _require_rows(table, training, request)
    findings = examine(table, request.n_clusters, request.preparation, is_quiet)
    warn_of(findings.to_dict()["findings"], is_quiet)
    with collecting_warnings() as notes:
        fitted = _fit(request, table, split, training, findings)
        result = describe_fit(request, fitted)
    result["notes"] = notes
    stability = _write(request, fitted)
    result["stability"] = stability and stability_payload(stability)
    return result


def _require_same_columns(table: centroids.Table, request: Request) -> None:
    """Refuse an older model of other columns before the fit."""
    if request.old_model is None:
        return
    names, n_columns = feature_names_of(request.old_model), int(request.old_model.n_features_in_)
    is_other = names is not None and table.has_names and set(names) != set(table.columns)
    if is_other or n_columns != len(table.columns):
        had = f"the columns {', '.join(names)}" if names else f"{n_columns} columns"
        raise centroids.InputError(
            f"--align-to {request.fitting.align_to}: that model has {had}, and {table.source} "
            f"gives {', '.join(table.columns)}; name the same ones with --columns"
        )


def _require_rows(table: centroids.Table, X: NDArray[Any], request: Request) -> None:
    """Refuse rows that cannot be fitted: too few different ones, a column without any value."""
    for i, n_missing in enumerate(table.n_missing):
        if n_missing and np.isnan(X[:, i]).all():
            raise centroids.InputError(
                f'{table.source}: column "{table.columns[i]}" has no value in the rows to fit, so '
                "nothing can be filled in; name it with --leave-out"
            )
    if request.n_clusters == "auto":
        return
    n_distinct = centroids.count_distinct_rows(X, at_most=request.n_clusters)
    if n_distinct < request.n_clusters:
        where = " among those it is fitted on" if request.holdout else ""
        raise centroids.InputError(
            f"-k {request.n_clusters} is more than there are different rows: {table.source} has "
            f"{count(n_distinct, 'different row')}{where}; choose -k {n_distinct} or fewer"
        )


def _fit(
    request: Request,
    table: centroids.Table,
    split: Split,
    training: NDArray[Any],
    findings: centroids.Findings,
) -> Fitted:
    fitting, jobs = request.fitting, request.running.jobs
    kmeans = centroids.KMeans(
        n_clusters=request.n_clusters,
        n_init="auto" if fitting.n_init is None else fitting.n_init,
        max_iter=fitting.max_iter,
        random_state=fitting.random_state,
        n_jobs=jobs,
        max_time=fitting.max_time,
    )
    model = with_preparation(kmeans, request.preparation, table.columns)
    weights = weights_at(table, split.training)
    is_auto = request.n_clusters == "auto"
    what = "choosing K and fitting" if is_auto else f"fitting K = {request.n_clusters}"
    recorder = centroids.FitRecorder()
    with working(what, request.running.as_json) as work:
        keeps = recorder if request.outputs.report else None
        if work.is_shown or keeps is not None:
            kmeans.callback = _Listener(what, work, keeps, fitting.n_init)
        rows = centroids.fit_preparation(model, training, weights)
        clusterer = clusterer_of(model)
        clusterer.fit(rows, sample_weight=weights)
        clusterer.callback = None
        name_features(model, table)
        alignment = None
        if request.old_model is not None:
            alignment = centroids.align(model, request.old_model)
        if request.outputs.model is not None:
            clusterer.measure_radii(rows, weights)
        labels = np.empty(table.n_samples, dtype=clusterer.labels_.dtype)
        labels[split.training] = clusterer.labels_
        if split.heldout.size:
            heldout = centroids.prepare_rows(model, rows_at(table, split.heldout))
            labels[split.heldout] = clusterer.predict(heldout)
        matches = match_parts(table, split, labels)
    return Fitted(table, split, findings, model, labels, matches, alignment, recorder)


@dataclass
class _Listener:
    """Told of each iteration, and of each number of clusters tried."""

    what: str
    work: Work
    recorder: centroids.FitRecorder | None
    n_init: int | None

    def __call__(self, state: centroids.FitState) -> None:
        if self.recorder is not None:
            self.recorder(state)
        start = f"start {state.run} of {self.n_init}, " if self.n_init else ""
        text = f"{self.what}: {start}iteration {state.iteration}, inertia {number(state.inertia)}"
        # How many iterations a start takes is not known before; how many starts there are is.
        self.work.say(text, state.run - 1 if self.n_init else None, self.n_init)

    def on_k_tried(self, n_done: int, k_max: int) -> None:
        self.work.say(f"choosing K: {n_done} of up to {k_max} tried", n_done, k_max)


def _write(request: Request, fitted: Fitted) -> centroids.Stability | None:
    """Write the files that were asked for; the model first, which took longest to make.

    Returns how sure the clusters are, where there is a report.
    """
    outputs, table, jobs = request.outputs, fitted.table, request.running.jobs
    if outputs.model is not None:
        data = provenance_of(request, fitted)
        centroids.save(fitted.model, outputs.model, data=data)
    if request.labels_file is not None:
        with working("writing the labels", request.running.as_json):
            request.labels_file.write(table, fitted.model, fitted.labels, fitted.split, jobs)
    if outputs.report is None:
        return None
    with working("writing the report", request.running.as_json) as work:
        return write_fit_report(
            outputs.report,
            f"Clusters in {Path(str(table.source)).name}",
            Rows.of(table, jobs, fitted.split.training),
            fitted.model,
            k_choice=getattr(clusterer_of(fitted.model), "k_choice_", None),
            matches=fitted.matches,
            recorder=fitted.recorder,
            findings=fitted.findings,
            reproduce=how_it_was_made(request, fitted),
            jobs=jobs,
            work=work,
        )
