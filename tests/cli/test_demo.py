"""``centroids demo`` is the reference experiment, meets its facts and says what one sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import centroids
from centroids.cli import main

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def folder_of_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "files"


@pytest.fixture(scope="module")
def result(folder_of_demo: Path) -> Any:
    """The result of one run of the demo, which other tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("sys.stdout.write", written.append)
        assert main(["demo", "--output", str(folder_of_demo), "--json"]) == 0
    return json.loads("".join(written))


def experiment(result: Any, n_clusters: int) -> Any:
    return next(e for e in result["experiments"] if e["n_clusters"] == n_clusters)


def test_the_split_is_the_reference_split(result: Any) -> None:
    split = result["split"]
    assert (split["n_training"], split["n_heldout"]) == (37_500, 12_500)
    assert split["training_classes"] == {"first": [1, 1, 1], "last": [4, 2, 2]}
    assert split["heldout_classes"] == {"first": [0, 1, 2], "last": [2, 2, 0]}


@pytest.mark.parametrize(("n_clusters", "inertia"), [(5, 187_689.83), (4, 400_226.55)])
def test_inertia_is_that_of_the_reference(result: Any, n_clusters: int, inertia: float) -> None:
    assert round(experiment(result, n_clusters)["inertia"], 2) == inertia


def test_five_clusters_are_the_five_classes_but_for_one_row(result: Any) -> None:
    five = experiment(result, 5)
    assert five["training"]["n_misses"] == 1
    assert five["training"]["merged"] == five["training"]["split"] == []
    assert [sum(row) for row in zip(*five["heldout"]["confusion"], strict=True)] == [2500] * 5


def test_four_clusters_merge_two_classes(result: Any) -> None:
    four = experiment(result, 4)
    merged = [
        {share["class"] for share in entry["classes"]} for entry in four["training"]["merged"]
    ]
    assert merged == [{2, 4}]
    assert four["training"]["n_misses"] == 7_500


def test_ten_clusters_split_classes_and_merge_none(result: Any) -> None:
    ten = experiment(result, 10)
    assert ten["training"]["merged"] == []
    pieces = [len(entry["clusters"]) for entry in ten["training"]["split"]]
    assert sum(pieces) + (5 - len(pieces)) == 10
    assert ten["training"]["n_majority_misses"] < 5


def test_held_out_rows_are_judged_by_the_names_from_the_training_rows(result: Any) -> None:
    for entry in result["experiments"]:
        assert entry["heldout"]["mapping"] == entry["training"]["mapping"]
        assert entry["heldout"]["clusters"] == entry["training"]["clusters"]


def test_inertia_falls_with_every_cluster_and_bends_at_five(result: Any) -> None:
    elbow = result["elbow"]
    assert elbow["n_clusters"] == list(range(1, 13))
    assert np.all(np.diff(elbow["inertia"]) < 0)
    assert elbow["bend"] == 5


def test_files_hold_rows_clusters_models_and_the_picture(result: Any, folder_of_demo: Path) -> None:
    names = {path.name for path in folder_of_demo.iterdir()}
    assert names == {
        "elbow.png", "report.html", "training.csv", "heldout.csv",
        "k4.safetensors", "k5.safetensors", "k10.safetensors",
    }  # fmt: skip
    assert (folder_of_demo / "elbow.png").read_bytes().startswith(b"\x89PNG")
    columns = ["x1", "x2", "x3", "x4", "x5"]
    for part, n_samples in (("training", 37_500), ("heldout", 12_500)):
        path = folder_of_demo / f"{part}.csv"
        table = centroids.read_table(path, columns=columns, truth="y")
        assert table.n_samples == n_samples
        for k in (4, 5, 10):
            model = centroids.load(folder_of_demo / f"k{k}.safetensors")
            labels = centroids.read_table(path, columns=[f"k{k}"]).X[:, 0]
            model_labels = centroids.KMeans.predict(_nameless(model), table.X)
            np.testing.assert_array_equal(model_labels, labels)
            match = centroids.match_labels(table.truth, labels.astype(int))
            if part == "training":
                assert match.n_misses == experiment(result, k)["training"]["n_misses"]


def test_choosing_k_finds_the_classes(result: Any) -> None:
    assert (result["choice"]["k"], result["choice"]["verdict"]) == (5, "clear")


def test_the_report_is_about_five_clusters_and_both_parts(folder_of_demo: Path) -> None:
    page = (folder_of_demo / "report.html").read_text()
    assert "The reference experiment: K = 5" in page
    assert "37,500 rows · 5 columns · 5 clusters" in page
    assert "K = 5, clearly." in page
    assert "37,499 of 37,500 rows agree" in page
    assert "of 12,500 rows agree" in page
    assert 'id="replay"' in page
    assert len(page) < 3_000_000


def _nameless(model: Any) -> Any:
    del model.feature_names_in_
    return model


def test_words_say_what_one_sees_within_80_columns(run: Run, folder: Path) -> None:
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    text = " ".join(out.split())
    for words in (
        "37,500 training rows to fit and 12,500 held-out rows",
        "Inertia 187,689.83 on the training rows",
        "Every class has a cluster of its own. Misses: 1 of 37,500 training rows",
        "Inertia 400,226.55 on the training rows",
        "Merged: classes 2 and 4 share cluster",
        "Split: class",
        "the elbow is at K = 5, the number of groups that are in the data.",
        "Written to demo:",
    ):
        assert words in text
    advice = next(line for line in out.splitlines() if line.startswith("Next: centroids "))
    assert run(*advice.removeprefix("Next: centroids ").split()).code == 0


def test_an_earlier_demo_is_replaced(run: Run, folder: Path) -> None:
    (folder / "demo").mkdir()
    (folder / "demo" / "k5.safetensors").write_text("old")
    (folder / "demo" / "mine.txt").write_text("mine")
    assert run("demo", "--jobs", 1).code == 0
    assert centroids.load("demo/k5.safetensors").n_clusters == 5
    assert (folder / "demo" / "mine.txt").read_text() == "mine"
