"""``centroids demo``: the reference experiment, end to end.

50,000 rows around 5 centers, split by class; K-Means with K = 5, 4 and 10; inertia for K = 1 … 12;
K chosen without being told; a report.
This file computes and writes files; `_demo_words` says what one sees.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

import centroids
from centroids.cli._demo_words import show_demo
from centroids.cli._groups import expanded
from centroids.cli._matching import HELD_OUT, TRAINING, match_payload
from centroids.cli._options import Running
from centroids.cli._output import (
    Payload,
    collecting_warnings,
    emit,
    require_package,
    tracked,
    working,
)
from centroids.cli._reporting import Rows, write_fit_report

__all__ = ["demo"]

N_CLASSES = 5
CHOICES_OF_K = (N_CLASSES, 4, 10)
ELBOW_RANGE = tuple(range(1, 13))
HOLDOUT = 0.25
DATA_SEED, SPLIT_SEED, FIT_SEED = 0, 50, 10
MAX_ITER = 500
N_INIT = 10  # one start may end in a poorer optimum, and the elbow would show a dent


class Part(NamedTuple):
    """Some rows with their classes."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]


@expanded
def demo(
    output: Annotated[
        Path,
        typer.Option("--output", metavar="DIR", help="Folder for the files; made if missing."),
    ] = Path("demo"),
    *,
    running: Running,
) -> None:
    """Run the reference experiment: K-Means where the answer is known.

    Fits K = 5, 4 and 10 to three quarters of 50,000 rows around 5 centers, and K = 1 … 12.

    Compares clusters with classes, chooses K, and writes rows with clusters, models, the elbow plot
    and a report to look at in a browser.

    Example: [bold]centroids demo --output somewhere[/bold]
    """
    _check(output)
    training, heldout = _make_parts()
    jobs, is_quiet = running.jobs, running.as_json
    recorder = centroids.FitRecorder()
    with collecting_warnings() as notes:
        models = {
            k: _fit(training.X, k, jobs, recorder if k == N_CLASSES else None)
            for k in tracked(sorted({*ELBOW_RANGE, *CHOICES_OF_K}), "fitting K = 1 … 12", is_quiet)
        }
        matches = {k: _match(models[k], training, heldout) for k in CHOICES_OF_K}
        experiments = [_judge(models[k], matches[k], training, heldout) for k in CHOICES_OF_K]
        with working("choosing K", is_quiet):
            choice = centroids.choose_k(training.X, random_state=FIT_SEED, n_jobs=jobs)
    inertia = [float(models[k].inertia_) for k in ELBOW_RANGE]
    elbow = centroids.ElbowDisplay(ELBOW_RANGE, inertia)
    files = _write(output, training, heldout, models, elbow)
    files["report"] = "report.html"
    with working("writing the report", is_quiet) as work:
        _write_report(
            output / files["report"],
            training,
            heldout,
            models[N_CLASSES],
            k_choice=choice,
            matches=matches[N_CLASSES],
            recorder=recorder,
            jobs=jobs,
            work=work,
        )
    result = {
        "command": "demo",
        **_settings(training, heldout),
        "experiments": experiments,
        "choice": {**choice.to_dict(), "summary": choice.summary().splitlines()},
        "elbow": {"n_clusters": list(ELBOW_RANGE), "inertia": inertia, "bend": elbow.bend},
        "notes": notes,
        "folder": str(output),
        "files": files,
    }
    emit(result, show_demo, is_quiet)


def _check(output: Path) -> None:
    """Refuse before any work what would fail at its end."""
    for package in ("duckdb", "matplotlib", "jinja2"):
        require_package(package, "the demo")
    if output.is_dir():
        centroids.check_output(output / "elbow.png")
    elif output.exists():
        raise centroids.InputError(f"{output} is a file; name a folder with --output")
    else:
        centroids.check_output(output)


def _make_parts() -> tuple[Part, Part]:
    from sklearn.datasets import make_blobs
    from sklearn.model_selection import train_test_split

    X, y = make_blobs(n_samples=50_000, centers=N_CLASSES, n_features=5, random_state=DATA_SEED)
    X_training, X_heldout, y_training, y_heldout = train_test_split(
        X, y, test_size=HOLDOUT, stratify=y, random_state=SPLIT_SEED
    )
    return Part(X_training, y_training), Part(X_heldout, y_heldout)


def _rows(part: Part) -> Rows:
    """Give a part as a reader of the report finds it in its file."""
    return Rows(part.X, _names(part), np.arange(1, len(part.y) + 1), truth=part.y)


def _names(part: Part) -> tuple[str, ...]:
    return tuple(f"x{i + 1}" for i in range(part.X.shape[1]))


def _fit(
    X: NDArray[np.float64],
    n_clusters: int,
    jobs: int | None,
    recorder: centroids.FitRecorder | None,
) -> centroids.KMeans:
    model = centroids.KMeans(
        n_clusters=n_clusters,
        n_init=N_INIT,
        max_iter=MAX_ITER,
        random_state=FIT_SEED,
        n_jobs=jobs,
        callback=recorder,
    )
    model.fit(X).callback = None
    return model


def _match(
    model: centroids.KMeans, training: Part, heldout: Part
) -> dict[str, centroids.LabelMatch]:
    """Compare clusters with classes; the held-out rows are judged by the training rows' names."""
    match = centroids.match_labels(training.y, model.labels_)
    return {TRAINING: match, HELD_OUT: match.score(heldout.y, model.predict(heldout.X))}


def _judge(
    model: centroids.KMeans,
    matches: dict[str, centroids.LabelMatch],
    training: Part,
    heldout: Part,
) -> Payload:
    """Say how a model does on both parts."""
    heldout_inertia = -float(model.score(heldout.X))
    return {
        "n_clusters": int(model.cluster_centers_.shape[0]),
        "inertia": float(model.inertia_),
        "n_iter": int(model.n_iter_),
        "inertia_per_row": float(model.inertia_) / len(training.y),
        "heldout_inertia": heldout_inertia,
        "heldout_inertia_per_row": heldout_inertia / len(heldout.y),
        "training": match_payload(matches[TRAINING]),
        "heldout": match_payload(matches[HELD_OUT]),
    }


def _settings(training: Part, heldout: Part) -> Payload:
    """Say what the experiment is of: rows, their split, and how they are fitted."""
    return {
        "data": {
            "n_samples": len(training.y) + len(heldout.y),
            "n_features": training.X.shape[1],
            "n_classes": len(np.unique(training.y)),
            "random_state": DATA_SEED,
        },
        "split": {
            "holdout": HOLDOUT,
            "random_state": SPLIT_SEED,
            "n_training": len(training.y),
            "n_heldout": len(heldout.y),
            "training_classes": _ends(training.y),
            "heldout_classes": _ends(heldout.y),
        },
        "fit": {"random_state": FIT_SEED, "max_iter": MAX_ITER, "n_init": N_INIT},
    }


def _ends(y: NDArray[np.int64]) -> Payload:
    return {"first": y[:3].tolist(), "last": y[-3:].tolist()}


def _write(
    output: Path,
    training: Part,
    heldout: Part,
    models: dict[int, centroids.KMeans],
    elbow: centroids.ElbowDisplay,
) -> Payload:
    output.mkdir(exist_ok=True)
    files: dict[str, Any] = {"elbow": "elbow.png", "models": {}}
    elbow.save(output / files["elbow"])
    for name, part in (("training", training), ("heldout", heldout)):
        columns: dict[str, NDArray[Any]] = dict(zip(_names(part), part.X.T, strict=True))
        columns["y"] = part.y
        columns |= {f"k{k}": models[k].predict(part.X) for k in sorted(CHOICES_OF_K)}
        files[name] = f"{name}.csv"
        centroids.write_table(output / files[name], columns)
    for k in sorted(CHOICES_OF_K):
        models[k].feature_names_in_ = np.array(_names(training), dtype=object)
        files["models"][str(k)] = f"k{k}.safetensors"
        centroids.save(models[k], output / files["models"][str(k)])
    return files


def _write_report(
    path: Path, training: Part, heldout: Part, model: centroids.KMeans, **found: Any
) -> None:
    write_fit_report(
        path,
        f"The reference experiment: K = {N_CLASSES}",
        _rows(training),
        model,
        findings=centroids.examine(training.X, n_clusters=N_CLASSES),
        reproduce={
            "rows": f"{len(training.y):,} to fit, {len(heldout.y):,} held out",
            "random state": f"{DATA_SEED} for the rows, {SPLIT_SEED} for the split, {FIT_SEED} "
            "for the fits",
            "starts": N_INIT,
        },
        **found,
    )
