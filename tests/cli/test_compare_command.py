"""``centroids compare`` and ``fit --align-to``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import centroids

Run = Callable[..., Any]


def write_groups(path: str, *groups: tuple[float, float, int]) -> None:
    random = np.random.default_rng(0)
    parts = [random.normal((a, b), 1, (n, 2)) for a, b, n in groups]
    a, b = np.vstack(parts).T
    centroids.write_table(path, {"a": a, "b": b})


@pytest.fixture
def models(run: Run, folder: Path) -> Path:
    """March has three groups; in April one has moved, one is new and the second has vanished."""
    write_groups("march.csv", (0, 0, 300), (30, 0, 200), (0, 30, 100))
    write_groups("april.csv", (0, 0, 100), (1, 29, 150), (60, 60, 50))
    run("fit", "march.csv", "-k", 3, "-o", "march.safetensors")
    run("fit", "april.csv", "-k", 3, "-o", "april.safetensors")
    return folder


def test_what_stayed_appeared_and_vanished(run: Run, models: Path) -> None:
    code, out, err = run("compare", "march.safetensors", "april.safetensors")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert "3 clusters before, 3 now: 2 stayed, 1 appeared, 1 vanished." in said
    assert "Cluster 0: moved" in said
    assert "50.0 % of the rows before, 33.3 % now" in said
    assert "Old cluster 1: vanished, it had 33.3 % of the rows." in said


def test_the_comparison_for_programs_is_that_of_align(run: Run, models: Path) -> None:
    result = run("compare", "march.safetensors", "april.safetensors", "--json").json
    new = centroids.load("april.safetensors")
    alignment = centroids.align(new, centroids.load("march.safetensors"))
    assert {k: v for k, v in result["alignment"].items() if k != "summary"} == alignment.to_dict()
    by_old = {entry["old"]: entry for entry in result["alignment"]["clusters"]}
    assert by_old[0]["moved"] < 0.5
    assert by_old[2]["grew"] == pytest.approx(0.5 / (1 / 6))
    assert by_old[None]["share_now"] == pytest.approx(1 / 6)
    assert [entry["old"] for entry in result["alignment"]["vanished"]] == [1]


def test_files_of_models_stay_as_they_are(run: Run, models: Path) -> None:
    before = {path: path.read_bytes() for path in models.iterdir()}
    run("compare", "march.safetensors", "april.safetensors", "march.csv")
    assert {path: path.read_bytes() for path in models.iterdir()} == before


def test_rows_show_which_changed_their_cluster(run: Run, models: Path) -> None:
    words = ("compare", "march.safetensors", "april.safetensors", "march.csv")
    rows = run(*words, "--json").json["rows"]
    assert rows["n_samples"] == 600
    # The 200 rows of the vanished group are all that go elsewhere.
    assert rows["n_changed"] == 200
    assert sum(rows["moves"][1]) == 200
    out = " ".join(run(*words).out.split())
    assert "200 rows of 600 (33.3 %) changed their cluster." in out
    assert "rows from old cluster 1 to cluster" in out


def test_a_model_is_its_own_match(run: Run, models: Path) -> None:
    words = ("compare", "march.safetensors", "march.safetensors", "march.csv", "--json")
    result = run(*words).json
    assert result["rows"]["n_changed"] == 0
    assert all(entry["moved"] == 0 for entry in result["alignment"]["clusters"])


def test_models_that_treat_gaps_differently_are_given_whole_rows(run: Run, models: Path) -> None:
    Path("gaps.csv").write_text("a,b\n0,0\n,30\n1,29\n")
    run("fit", "march.csv", "-k", 3, "--missing", "impute", "-o", "filling.safetensors")
    words = ("compare", "filling.safetensors", "april.safetensors", "gaps.csv", "--json")
    result = run(*words).json
    assert result["rows"]["n_samples"] == 2
    assert result["data"]["n_dropped"] == 1


def test_columns_in_another_order_are_found_by_name(run: Run, models: Path) -> None:
    run("fit", "march.csv", "-k", 3, "--columns", "b,a", "-o", "turned.safetensors")
    result = run("compare", "march.safetensors", "turned.safetensors", "march.csv", "--json").json
    assert result["rows"]["n_changed"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("march.safetensors", "Missing argument 'NEW'"),
        ("march.safetensors nowhere.safetensors", "nowhere.safetensors does not exist"),
        ("march.safetensors march.csv", "march.csv is damaged or no model file"),
        ("march.safetensors one.safetensors", "the old one has 2 columns, the new one 1"),
        ("march.safetensors april.safetensors none.csv", "none.csv does not exist"),
    ],
)
def test_wrong_use_is_one_line(run: Run, models: Path, words: str, message: str) -> None:
    run("fit", "march.csv", "-k", 2, "--columns", "a", "-o", "one.safetensors")
    code, out, err = run("compare", *words.split())
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_fit_is_not_aligned_with_a_model_of_other_columns(run: Run, models: Path) -> None:
    Path("other.csv").write_text("a,c\n1,2\n3,4\n9,9\n")
    code, out, err = run("fit", "other.csv", "-k", 2, "--align-to", "march.safetensors")
    assert (code, out) == (2, "")
    assert "that model has the columns a, b, and other.csv gives a, c" in err
    code, _, err = run("fit", "march.csv", "-k", 2, "--columns", "a", "--align-to",
                       "march.safetensors")  # fmt: skip
    assert code == 2
    assert "name the same ones with --columns" in err


def test_a_fit_is_aligned_by_the_names_of_columns(run: Run, models: Path) -> None:
    words = ("--columns", "b,a", "--align-to", "march.safetensors", "--json")
    result = run("fit", "march.csv", "-k", 3, *words).json
    assert all(entry["moved"] == 0 for entry in result["alignment"]["clusters"])
    assert [cluster["rows"] for cluster in result["clusters"]] == [300, 200, 100]


def test_a_fit_keeps_numbers_and_names_of_the_old_model(run: Run, models: Path) -> None:
    old = centroids.load("march.safetensors")
    old.name_clusters({0: "regulars", 2: "students"})
    centroids.save(old, "march.safetensors")
    words = ("april.csv", "-k", 3, "--align-to", "march.safetensors")
    result = run("fit", *words, "-o", "new.safetensors", "--labels", "l.csv", "--json").json
    assert [cluster["name"] for cluster in result["clusters"]] == ["regulars", None, "students"]
    assert result["clusters"][2]["rows"] == 150
    assert dict(centroids.load("new.safetensors").cluster_names_) == {0: "regulars", 2: "students"}
    lines = [line.split(",")[2:] for line in Path("l.csv").read_text().split()]
    assert lines[0] == ["cluster", "cluster_name"]
    assert lines[1] == ["0", "regulars"]
    assert lines[101] == ["2", "students"]
    assert lines[-1] == ["1", ""]
    out = run("fit", *words).out
    assert "2 stayed, 1 appeared, 1 vanished" in out
    assert "0 regulars" in out
    assert run("predict", "new.safetensors", "april.csv", "-o", "p.csv").code == 0
    assert Path("p.csv").read_text() == Path("l.csv").read_text()
