"""Reports made from numbers by hand."""

from types import SimpleNamespace

import numpy as np
from sklearn.datasets import make_blobs

from centroids import FitRecorder, KMeans, choose_k, match_labels, write_report

EVIL = "</script><img src=x onerror=alert(1)>'\"&{{ 7*7 }}"


def profile_by_hand(X, labels, feature_names, names=None):
    """The numbers of a `ClusterProfile`, in the plainest way."""
    mean, std = X.mean(axis=0), X.std(axis=0)
    cards = []
    for j in range(labels.max() + 1):
        rows = np.flatnonzero(labels == j)
        effect = (X[rows].mean(axis=0) - mean) / std
        order = tuple(np.argsort(-np.abs(effect), kind="stable").tolist())
        cards.append(
            SimpleNamespace(
                number=j,
                name=None if names is None else names[j],
                size=len(rows),
                share=len(rows) / len(X),
                mean=X[rows].mean(axis=0),
                median=np.median(X[rows], axis=0),
                std=X[rows].std(axis=0),
                effect=effect,
                order=order,
                sentence=f"Cluster {j}, 25 % of rows: Sentence of {j}.",
                rule=SimpleNamespace(text=f"{feature_names[0]} > 1", coverage=0.9, precision=0.8),
                categories={
                    feature_names[0]: (
                        SimpleNamespace(
                            value=feature_names[0], share=0.5, share_overall=0.25, lift=2.0
                        ),
                    )
                },
                representatives=rows[:2],
                borderline=rows[2:3],
                outliers=rows[:0],
                n_outliers=0,
                radius=1.0,
            )
        )
    return SimpleNamespace(
        feature_names=tuple(feature_names),
        n_samples=len(X),
        overall_mean=mean,
        overall_std=std,
        overall_median=np.median(X, axis=0),
        clusters=tuple(cards),
        row_numbers=None,
        numbers_of=lambda rows: rows,
    )


def finding(severity, message, advice="Do something."):
    return SimpleNamespace(severity=severity, columns=(), message=message, advice=advice)


def stability_by_hand(k):
    return SimpleNamespace(
        jaccard=np.linspace(1, 0.5, k), words=["stable"] * k, summary=lambda: "They come back."
    )


def make_report(path, *, k=4, n=400, feature_names=("a", "b", "c"), names=None, evil="", **more):
    """Write a report with everything in it, `evil` wherever a user's text goes."""
    X, y = make_blobs(n, len(feature_names), centers=4, cluster_std=2.0, random_state=3)
    recorder = FitRecorder()
    model = KMeans(k, init="random", n_init=1, random_state=1, callback=recorder).fit(X)
    classes = [f"class {v}{evil}" for v in y]
    settings = {
        "model": model,
        "X": X,
        "profile": profile_by_hand(X, model.labels_, feature_names, names),
        "title": f"Title{evil}",
        "k_choice": choose_k(X, k_max=6, random_state=0),
        "matches": {f"training rows{evil}": match_labels(classes, model.labels_)},
        "stability": stability_by_hand(k),
        "findings": [finding("note", f"A note{evil}"), finding("error", f"A problem{evil}", evil)],
        "replay": recorder,
        "truth": classes,
        "reproduce": {
            "command": f"centroids fit{evil}",
            "versions": {"centroids": evil},
            "seed": 0,
        },
    }
    write_report(path, **settings | more)
    return path
