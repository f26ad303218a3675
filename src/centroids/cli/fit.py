"""``centroids fit``: cluster the rows of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray

import centroids
from centroids.cli._fit_words import show_fit
from centroids.cli._matching import HELD_OUT, TRAINING, match_parts, match_payload
from centroids.cli._modelling import (
    Split,
    check_labels_output,
    clusterer_of,
    data_payload,
    name_features,
    split_rows,
)
from centroids.cli._options import (
    MODEL_SUFFIXES,
    Columns,
    Data,
    Jobs,
    Json,
    LabelsOnly,
    RandomState,
    Scale,
    parse_columns,
    parse_holdout,
    parse_n_clusters,
)
from centroids.cli._output import (
    Payload,
    collecting_warnings,
    emit,
    number,
    percent,
    plural,
    working,
)
from centroids.cli._reporting import REPORT_SUFFIXES, write_fit_report

__all__ = ["fit"]

DOMINANT_SHARE = 0.9


@dataclass(frozen=True)
class Request:
    """What the user asked for; see the options of `fit`."""

    data: Path
    n_clusters: int | Literal["auto"]
    truth: str | None
    holdout: float
    scale: Scale
    columns: list[str] | None
    random_state: int
    n_init: int | None
    max_iter: int
    jobs: int | None
    model_out: Path | None
    labels_out: Path | None
    labels_only: bool
    report_out: Path | None

    @property
    def new_columns(self) -> tuple[str, ...]:
        """The columns that the labels file has besides those of the data."""
        return ("cluster", "part") if self.holdout else ("cluster",)


def fit(
    data: Data,
    k: Annotated[
        str | None,
        typer.Option(
            "-k",
            metavar="K",
            help="Number of clusters; auto: chosen as `centroids choose-k` does.",
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="A column of known classes, compared with the clusters and not used to make them.",
        ),
    ] = None,
    holdout: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Share of the rows to keep out of the fit and judge it by, such as 0.25; "
            "with --truth the same share of every class.",
        ),
    ] = "0",
    scale: Annotated[
        Scale,
        typer.Option(
            help="none: columns as they are, so that one with large numbers counts most; the same "
            "as KMeans in Python. standard: every column gets mean 0 and variance 1; choose it "
            "when columns have different units. The model remembers it.",
        ),
    ] = Scale.NONE,
    columns: Columns = None,
    random_state: RandomState = 0,
    n_init: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of starts; the best one wins. (default: 1)",
            show_default=False,
        ),
    ] = None,
    max_iter: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most iterations of one start.")
    ] = 300,
    jobs: Jobs = None,
    model_out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="MODEL", help="Write the model: a .safetensors file."
        ),
    ] = None,
    labels_out: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="OUT",
            help="Write all columns of DATA and the cluster of every row: .csv, .parquet; .npy has "
            "the clusters alone.",
        ),
    ] = None,
    labels_only: LabelsOnly = False,
    report_out: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="OUT",
            help="Write an HTML page that works offline: what each cluster is, how sure that is, "
            "charts, and how the fit went.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Cluster the rows of a file.

    Columns of numbers are used; the others are left out and listed.

    Example: [bold]centroids fit customers.csv -k 5 --scale standard -o model.safetensors[/bold]

    Example: [bold]centroids fit practice.csv -k 5 --truth y --holdout 0.25 --labels out.csv[/bold]

    Example: [bold]centroids fit customers.csv -k auto --scale standard --report groups.html[/bold]
    """
    request = Request(
        data=data,
        n_clusters=parse_n_clusters(k),
        truth=truth,
        holdout=parse_holdout(holdout),
        scale=scale,
        columns=parse_columns(columns),
        random_state=random_state,
        n_init=n_init,
        max_iter=max_iter,
        jobs=jobs,
        model_out=model_out,
        labels_out=labels_out,
        labels_only=labels_only,
        report_out=report_out,
    )
    emit(_run(request, is_quiet=as_json), show_fit, as_json)


def _run(request: Request, is_quiet: bool) -> Payload:
    _check_outputs(request)
    with working(f"reading {request.data}", is_quiet):
        table = _read(request)
    split = split_rows(table, request.holdout, request.random_state)
    X = table.X[split.training] if request.holdout else table.X
    _require_distinct_rows(X, request)
    model = _make_model(request)
    is_auto = request.n_clusters == "auto"
    what = "choosing K and fitting" if is_auto else f"fitting K = {request.n_clusters}"
    recorder = centroids.FitRecorder()
    with working(what, is_quiet) as tell, collecting_warnings() as notes:
        clusterer_of(model).callback = _listener(
            what, tell, recorder if request.report_out else None
        )
        model.fit(X)
        clusterer_of(model).callback = None
        labels = _labels(model, table, split)
        matches = match_parts(table, split, labels)
        result = _describe(request, table, split, model, labels, matches)
    result["notes"] = [*_scale_notes(X, table.columns, request.scale), *notes]
    _write(request, table, split, model, labels)
    if request.report_out is not None:
        with working("writing the report", is_quiet):
            write_fit_report(
                request.report_out,
                table,
                split,
                model,
                matches,
                recorder,
                request.random_state,
                request.jobs,
            )
    return result


def _check_outputs(request: Request) -> None:
    """Refuse outputs that cannot be written before any work is done."""
    if request.model_out is not None:
        centroids.check_output(request.model_out, MODEL_SUFFIXES)
    if request.report_out is not None:
        centroids.check_output(request.report_out, REPORT_SUFFIXES)
    if request.labels_out is not None:
        check_labels_output(request.labels_out, request.data)
    elif request.labels_only:
        raise centroids.InputError("--labels-only says how to write labels; add --labels OUT")


def _read(request: Request) -> centroids.Table:
    table = centroids.read_table(
        request.data, columns=request.columns, truth=request.truth, n_jobs=request.jobs
    )
    if request.labels_out is not None and not _is_alone(request):
        centroids.check_table_output(request.labels_out, request.new_columns, table)
    return table


def _is_alone(request: Request) -> bool:
    return request.labels_only or str(request.labels_out).lower().endswith(".npy")


def _require_distinct_rows(X: NDArray[Any], request: Request) -> None:
    if request.n_clusters == "auto":
        return
    n_distinct = centroids.count_distinct_rows(X, at_most=request.n_clusters)
    if n_distinct < request.n_clusters:
        where = " among those it is fitted on" if request.holdout else ""
        raise centroids.InputError(
            f"-k {request.n_clusters} is more than there are different rows: {request.data} has "
            f"{plural(n_distinct, 'different row')}{where}; choose -k {n_distinct} or fewer"
        )


def _make_model(request: Request) -> Any:
    kmeans = centroids.KMeans(
        n_clusters=request.n_clusters,
        n_init="auto" if request.n_init is None else request.n_init,
        max_iter=request.max_iter,
        random_state=request.random_state,
        n_jobs=request.jobs,
    )
    if request.scale is Scale.NONE:
        return kmeans
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), kmeans)


def _listener(
    what: str, tell: Callable[[str], None] | None, recorder: centroids.FitRecorder | None
) -> Callable[[centroids.FitState], None] | None:
    """Return what is called after each iteration; None if nobody wants to know."""
    if tell is None and recorder is None:
        return None

    def listen(state: centroids.FitState) -> None:
        if recorder is not None:
            recorder(state)
        if tell is not None:
            inertia = number(state.inertia)
            tell(f"{what}: start {state.run}, iteration {state.iteration}, inertia {inertia}")

    return listen


def _labels(model: Any, table: centroids.Table, split: Split) -> NDArray[Any]:
    """Give the cluster of every row of the file, in its order."""
    found = clusterer_of(model).labels_
    labels = np.empty(table.n_samples, dtype=found.dtype)
    labels[split.training] = found
    if split.heldout.size:
        labels[split.heldout] = model.predict(table.X[split.heldout])
    return labels


def _describe(
    request: Request,
    table: centroids.Table,
    split: Split,
    model: Any,
    labels: NDArray[Any],
    matches: Mapping[str, centroids.LabelMatch],
) -> Payload:
    kmeans = clusterer_of(model)
    centers = kmeans.cluster_centers_
    if kmeans is not model:
        centers = model[0].inverse_transform(centers)
    counts = np.bincount(labels[split.training], minlength=len(centers))
    training: Payload = {"n_samples": len(split.training), "inertia": float(kmeans.inertia_)}
    heldout: Payload | None = None
    if split.heldout.size:
        inertia = -float(model.score(table.X[split.heldout]))
        heldout = {"n_samples": len(split.heldout), "inertia": inertia}
    for part in filter(None, (training, heldout)):
        part["inertia_per_row"] = part["inertia"] / part["n_samples"]
    if TRAINING in matches:
        training["match"] = match_payload(matches[TRAINING], split.training)
    if heldout is not None and HELD_OUT in matches:
        heldout["match"] = match_payload(matches[HELD_OUT], split.heldout)
    return {
        "command": "fit",
        "data": data_payload(table),
        "split": {"holdout": request.holdout, "is_stratified": split.is_stratified},
        "choice": _choice(kmeans),
        "model": {
            "n_clusters": len(centers),
            "n_iter": int(kmeans.n_iter_),
            "scale": str(request.scale),
            "random_state": request.random_state,
            "n_init": "auto" if request.n_init is None else request.n_init,
            "max_iter": request.max_iter,
        },
        "clusters": [
            {
                "cluster": i,
                "rows": int(counts[i]),
                "share": int(counts[i]) / len(split.training),
                "center": [float(value) for value in centers[i]],
            }
            for i in range(len(centers))
        ],
        "training": training,
        "heldout": heldout,
        "files": {
            "model": None if request.model_out is None else str(request.model_out),
            "labels": None if request.labels_out is None else str(request.labels_out),
            "report": None if request.report_out is None else str(request.report_out),
        },
    }


def _choice(kmeans: Any) -> Payload | None:
    """Describe how the number of clusters was chosen; None where the user gave it."""
    choice = getattr(kmeans, "k_choice_", None)
    if choice is None:
        return None
    return {**choice.to_dict(), "summary": choice.summary().splitlines()}


def _scale_notes(X: NDArray[Any], columns: tuple[str, ...], scale: Scale) -> list[str]:
    """Warn of a column that decides the clusters alone because its numbers are large."""
    if scale is not Scale.NONE or len(columns) < 2:
        return []
    variances = np.array([np.var(X[:, i], dtype=np.float64) for i in range(len(columns))])
    total, largest = float(variances.sum()), int(np.argmax(variances))
    if total == 0 or variances[largest] <= DOMINANT_SHARE * total:
        return []
    return [
        f'column "{columns[largest]}" carries {percent(variances[largest] / total)} of the '
        "variance and decides the clusters almost alone; --scale standard makes all columns count "
        "the same"
    ]


def _write(
    request: Request, table: centroids.Table, split: Split, model: Any, labels: NDArray[Any]
) -> None:
    if request.labels_out is not None:
        new: dict[str, NDArray[Any]] = {"cluster": labels}
        if split.heldout.size:
            new["part"] = np.full(table.n_samples, "training", dtype=object)
            new["part"][split.heldout] = "held-out"
        if request.labels_out.suffix.lower() == ".npy":
            centroids.write_table(request.labels_out, {"cluster": labels})
        elif request.labels_only:
            centroids.write_table(request.labels_out, new, n_jobs=request.jobs)
        else:
            centroids.write_beside(request.labels_out, table, new, n_jobs=request.jobs)
    if request.model_out is not None:
        name_features(model, table)
        centroids.save(model, request.model_out)
