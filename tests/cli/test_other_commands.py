"""``centroids blobs``, ``predict`` and ``evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs

import centroids

Run = Callable[..., Any]


@pytest.fixture
def model(run: Run, groups: Path) -> Path:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    return groups.parent / "m.safetensors"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy"])
def test_blobs_are_those_of_sklearn(run: Run, folder: Path, suffix: str) -> None:
    words = ("--samples", 200, "--centers", 4, "--features", 3, "--random-state", 5)
    result = run("blobs", f"t{suffix}", *words, "--json").json
    X, y = make_blobs(n_samples=200, centers=4, n_features=3, random_state=5)
    table = centroids.read_table(f"t{suffix}", truth=result["truth"])
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.truth, y)
    assert table.columns == ("x1", "x2", "x3")
    assert result["truth"] == ("x4" if suffix == ".npy" else "y")


def test_blobs_say_what_to_do_next(run: Run, folder: Path) -> None:
    code, out, err = run("blobs", "t.csv", "--samples", 90, "--centers", 3)
    assert (code, err) == (0, "")
    assert "90 rows in 3 groups, 5 columns and the class y: t.csv" in out
    advice = next(line for line in out.splitlines() if line.startswith("Next: centroids "))
    assert run(*advice.removeprefix("Next: centroids ").split()).code == 0


def test_predict_gives_the_labels_of_the_model(run: Run, groups: Path, model: Path) -> None:
    result = run("predict", model, groups, "-o", "out.csv", "--json").json
    expected = centroids.KMeans(3, random_state=0).fit(centroids.read_table(groups).X)
    table = centroids.read_table("out.csv", columns=["cluster"])
    np.testing.assert_array_equal(table.X[:, 0], expected.labels_)
    assert [name for name, _ in table.left_out] == ["name", "a", "b", "kind"]
    assert result["inertia"] == expected.inertia_
    assert [cluster["rows"] for cluster in result["clusters"]] == expected.counts_.tolist()
    assert result["data"]["left_out"][0] == {"column": "name", "reason": "not in the model"}


def test_predict_finds_columns_by_name(run: Run, groups: Path, model: Path) -> None:
    Path("other.csv").write_text("more,b,a\n0,-20,40\n0,0,0\n0,-10,20\n")
    run("predict", model, "other.csv", "-o", "out.npy")
    names = {(0, 0): 0, (20, -10): 1, (40, -20): 2}
    loaded = centroids.load(model)
    of_group = {}
    for i, center in enumerate(loaded.cluster_centers_):
        of_group[names[tuple(np.round(center, -1).astype(int).tolist())]] = i
    assert np.load("out.npy").tolist() == [of_group[2], of_group[0], of_group[1]]


def test_predict_takes_other_columns_when_they_are_named(
    run: Run, groups: Path, model: Path
) -> None:
    Path("other.csv").write_text("u,v\n0,0\n40,-20\n")
    Path("same.csv").write_text("a,b\n0,0\n40,-20\n")
    assert run("predict", model, "other.csv", "-o", "o.npy", "--columns", "u,v").code == 0
    assert run("predict", model, "same.csv", "-o", "s.npy").code == 0
    np.testing.assert_array_equal(np.load("o.npy"), np.load("s.npy"))


def test_npy_rows_are_matched_by_position(run: Run, groups: Path, model: Path) -> None:
    np.save("t.npy", centroids.read_table(groups).X)
    assert run("predict", model, "t.npy", "-o", "a.npy").code == 0
    assert run("predict", model, groups, "-o", "b.npy").code == 0
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


def test_a_model_without_names_counts_columns(run: Run, groups: Path) -> None:
    np.save("t.npy", centroids.read_table(groups).X)
    assert run("fit", "t.npy", "-k", 3, "-o", "m.safetensors").code == 0
    assert run("predict", "m.safetensors", groups, "-o", "out.csv").code == 0
    code, _, err = run("predict", "m.safetensors", groups, "-o", "out.csv", "--columns", "b")
    assert code == 2
    assert "the model needs 2 columns, and" in err


def test_predict_with_a_scaled_model_takes_the_units_of_the_file(run: Run, groups: Path) -> None:
    words = ("fit", groups, "-k", 3, "--scale", "standard", "-o", "m.safetensors")
    fitted = run(*words, "--labels", "l.npy", "--json").json
    predicted = run("predict", "m.safetensors", groups, "-o", "p.npy", "--json").json
    np.testing.assert_array_equal(np.load("l.npy"), np.load("p.npy"))
    assert predicted["inertia"] == fitted["training"]["inertia"]


def test_evaluate_compares_with_classes(run: Run, groups: Path, model: Path) -> None:
    result = run("evaluate", model, groups, "--truth", "kind", "--json").json
    match = result["match"]
    assert match["accuracy"] == match["purity"] == match["adjusted_rand"] == 1.0
    assert match["n_misses"] == 0
    assert match["classes"] == ["A", "B", "C"]
    assert sorted(pair["class"] for pair in match["mapping"]) == ["A", "B", "C"]
    code, out, _ = run("evaluate", model, groups, "--truth", "kind")
    assert code == 0
    assert "60 of 60 lie in the cluster of their class" in out
    assert "Adjusted Rand index 1.0000" in out


@pytest.mark.parametrize(("k", "words"), [(2, "Merged: cluster "), (4, "Split: class ")])
def test_evaluate_tells_merged_and_split_classes(
    run: Run, groups: Path, k: int, words: str
) -> None:
    run("fit", groups, "-k", k, "-o", "m.safetensors")
    assert words in run("evaluate", "m.safetensors", groups, "--truth", "kind").out
