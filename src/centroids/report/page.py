"""`write_report`: results in, one HTML file out."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from centroids.plots.clusters import ClustersDisplay
from centroids.plots.iterations import FitRecorder, IterationsDisplay
from centroids.plots.palette import cluster_colors, text_color_on
from centroids.plots.silhouette import SilhouetteDisplay
from centroids.report import charts, sections
from centroids.rows.errors import MissingExtraError
from centroids.rows.output import check_output, whole_file
from centroids.wording import count, rough_percent

if TYPE_CHECKING:
    from centroids.choosing_k import KChoice
    from centroids.compare import LabelMatch
    from centroids.describe import ClusterProfile, Stability

__all__ = ["write_report"]

MOST_SHOWN = 1500
"""Rows on the map: more would only lie on each other, and every one costs bytes."""

JUST_SEEN = 0.005
"""Part of the map that a center has to move for a replay of the fit to show anything."""


def write_report(
    path: str | os.PathLike[str],
    *,
    model: Any,
    X: Any,
    profile: ClusterProfile,
    title: str | None = None,
    k_choice: KChoice | None = None,
    matches: Mapping[str, LabelMatch] | None = None,
    stability: Stability | None = None,
    findings: Sequence[Any] | None = None,
    replay: IterationsDisplay | FitRecorder | None = None,
    truth: Any = None,
    reproduce: Mapping[str, Any] | None = None,
) -> None:
    """Write one self-contained HTML page about a fitted model.

    The page needs no network and no other file. It has a section for everything that is given, and
    none for what is not. It needs the extra ``centroids[report]``.

    Parameters
    ----------
    path : path-like
        The file, ``*.html``; written whole or not at all.
    model : estimator
        The fitted model, or a pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        The rows that `profile` was made from, as the model takes them.
    profile : ClusterProfile
        What the clusters are (`centroids.profile`).
    title : str or None, default=None
        Heading of the page.
    k_choice : KChoice or None, default=None
        How the number of clusters was chosen (`choose_k`).
    matches : mapping of str to LabelMatch or None, default=None
        Clusters against known classes, by the name of the part of the rows they are about. The
        first marks rows of another class than most of their cluster on the map, if it is about as
        many rows as X has.
    stability : Stability or None, default=None
        How firmly the clusters come back.
    findings : sequence or None, default=None
        What was noticed about the input: each has `severity` ("note", "warning" or "error"),
        `message` and `advice`.
    replay : FitRecorder, IterationsDisplay or None, default=None
        The fit as it happened: the recorder that was the callback of the fit. An
        `IterationsDisplay` has to show the same rows as the map, so give it ``max_shown=1500``.
    truth : array-like of shape (n_samples,) or None, default=None
        Known class of each row, named when one points at a row on the map.
    reproduce : mapping of str to object or None, default=None
        How to get the same again: command, versions, seed.

    Raises
    ------
    InputError
        If the file cannot be written.
    MissingExtraError
        If jinja2 is not installed.
    ValueError
        If the arguments are not about the same rows and clusters.
    """
    path = check_output(path, (".html", ".htm"))
    template = _template()
    _check(model, X, profile, truth)
    context = _charts(model, X, profile, matches, replay, truth)
    context |= {
        "title": title or "What the clusters are",
        "facts": _facts(model, profile, k_choice),
        "n_clusters": len(profile.clusters),
        "cards": sections.cards_of(profile),
        "heat_map": sections.heat_map_of(profile),
        "choice": None if k_choice is None else sections.choice_of(k_choice),
        "elbow": None if k_choice is None else charts.elbow_chart(k_choice),
        "scores": None if k_choice is None else charts.score_chart(k_choice),
        "matches": sections.classes_of(matches or {}),
        "stability": None if stability is None else sections.stability_of(stability),
        "findings": sections.doctor_of(findings or ()),
        "rows": sections.rows_of(profile, X),
        "first_row": 0 if profile.row_numbers is None else 1,
        "reproduce": sections.reproduce_of(reproduce or {}),
        "colors": _colors(len(profile.clusters)),
    }
    html = template.render(context)
    with whole_file(path) as temporary:
        temporary.write_text(html, encoding="utf-8", errors="replace")


def _template() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError(
            'the report needs jinja2: pip install "centroids[report]"'
        ) from error
    folder = files("centroids.report")
    script = (folder / "page.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(str(folder)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals |= {
        "style": (folder / "page.css").read_text(encoding="utf-8"),
        "script": script,
        "script_hash": f"sha256-{digest}",
    }
    environment.filters |= {"percent": rough_percent, "breakable": _breakable}
    return environment.get_template("page.html")


def _breakable(name: Any) -> Any:
    """Let a line break behind the parts of a long name."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([_/.])(?=\w)", r"\1<wbr>", str(escape(name))))


def _clusterer_of(model: Any) -> Any:
    return model[-1] if hasattr(model, "steps") else model


def _check(model: Any, X: Any, profile: ClusterProfile, truth: Any) -> None:
    n_clusters = len(_clusterer_of(model).cluster_centers_)
    if len(profile.clusters) != n_clusters:
        raise ValueError(
            f"profile has {len(profile.clusters)} clusters and model {n_clusters}; make the "
            "profile from this model"
        )
    n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    if profile.n_samples != n_samples:
        raise ValueError(
            f"X has {n_samples:,} rows and profile was made from {profile.n_samples:,}; pass the "
            "same rows"
        )
    if truth is not None and len(truth) != n_samples:
        raise ValueError(f"truth has {len(truth):,} classes for {n_samples:,} rows; give one each")


def _charts(
    model: Any,
    X: Any,
    profile: ClusterProfile,
    matches: Mapping[str, LabelMatch] | None,
    replay: IterationsDisplay | FitRecorder | None,
    truth: Any,
) -> dict[str, Any]:
    """Ask the displays for their numbers, and place them."""
    names, features = [card.name for card in profile.clusters], profile.feature_names
    display = ClustersDisplay.from_estimator(
        model, X, max_shown=MOST_SHOWN, feature_names=features, names=names
    )
    first = next(iter((matches or {}).values()), None)
    is_about_x = first is not None and first.n_samples == profile.n_samples
    misses = (
        frozenset(first.majority_misses.tolist())
        if first is not None and is_about_x
        else frozenset()
    )
    classes = None if truth is None else np.asarray(truth, dtype=object)
    chart = charts.map_chart(display, profile.numbers_of(display.rows), misses, classes)
    if isinstance(replay, FitRecorder):
        replay = IterationsDisplay.from_recorder(
            replay, model, X, max_shown=MOST_SHOWN, feature_names=features, names=names
        )
    if replay is not None and not np.array_equal(replay.rows, display.rows):
        raise ValueError(
            f"replay shows other rows than the map; make it with max_shown={MOST_SHOWN}"
        )
    is_moving = replay is not None and len(names) > 1 and _moves(replay)
    silhouette = None
    if len(names) > 1:
        silhouette = charts.silhouette_chart(
            SilhouetteDisplay.from_estimator(model, X, names=names)
        )
    has_misses = any(point["is_miss"] for point in chart["points"])
    replayed = charts.replay_data(replay, chart) if replay is not None and is_moving else None
    return {"map": chart, "replay": replayed, "silhouette": silhouette, "has_misses": has_misses}


def _moves(replay: IterationsDisplay) -> bool:
    """Whether the centers of a fit move so far on the map that one sees it."""
    centers = np.array([frame.centers for frame in replay.frames])
    extent = np.ptp(replay.points, axis=0).max()
    return bool(np.abs(centers - centers[0]).max() > JUST_SEEN * extent)


def _facts(model: Any, profile: ClusterProfile, k_choice: KChoice | None) -> str:
    n_clusters = len(profile.clusters)
    parts = [
        count(profile.n_samples, "row"),
        count(len(profile.feature_names), "column"),
        count(n_clusters, "cluster"),
    ]
    if k_choice is None:
        parts[-1] += ", a number that was given"
    if any(abs(c.share - c.size / profile.n_samples) > 1e-9 for c in profile.clusters):
        parts.append("shares by the weights of the rows")
    if getattr(_clusterer_of(model), "has_timed_out_", False):
        parts.append("ended early by a time limit")
    return " · ".join(parts)


def _colors(n_clusters: int) -> list[tuple[str, str, str, str]]:
    light, dark = cluster_colors(n_clusters), cluster_colors(n_clusters, is_dark=True)
    return [
        (one, text_color_on(one), other, text_color_on(other))
        for one, other in zip(light, dark, strict=True)
    ]
