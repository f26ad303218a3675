"""``centroids name``: names that stand beside the numbers everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import centroids

Run = Callable[..., Any]


@pytest.fixture
def model(run: Run, groups: Path) -> str:
    run("fit", groups, "-k", 3, "--scale", "standard", "-o", "m.safetensors")
    return "m.safetensors"


def test_names_are_kept_in_the_model(run: Run, model: str) -> None:
    code, out, err = run("name", model, "0=regulars", "2=late payers")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == ["0: regulars", "1: (no name)", "2: late payers"]
    assert dict(centroids.load(model)[-1].cluster_names_) == {0: "regulars", 2: "late payers"}
    assert run("name", model, "0=").code == 0
    assert dict(centroids.load(model)[-1].cluster_names_) == {2: "late payers"}


def test_names_are_listed_without_writing(run: Run, model: str) -> None:
    run("name", model, "1=x")
    before = Path(model).read_bytes()
    result = run("name", model, "--json").json
    assert result["clusters"][1] == {"cluster": 1, "name": "x"}
    assert result["file"] is None
    assert Path(model).read_bytes() == before


def test_another_file_can_get_the_names(run: Run, model: str) -> None:
    before = Path(model).read_bytes()
    assert run("name", model, "0=a=b", "-o", "named.safetensors").code == 0
    assert Path(model).read_bytes() == before
    assert dict(centroids.load("named.safetensors")[-1].cluster_names_) == {0: "a=b"}


def test_names_stand_in_words_and_labels(run: Run, model: str, groups: Path) -> None:
    run("name", model, "0=regulars")
    assert 'Cluster 0 "regulars", 33 % of rows' in run("profile", model, groups).out
    assert "0 regulars" in run("predict", model, groups, "-o", "p.csv").out
    header, *rows = (line.split(",")[-2:] for line in Path("p.csv").read_text().split())
    assert header == ["cluster", "cluster_name"]
    assert {tuple(row) for row in rows} == {("0", "regulars"), ("1", ""), ("2", "")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("regulars", "'regulars' names no cluster"),
        ("x=regulars", "'x=regulars' names no cluster"),
        ("3=regulars", "3=regulars: the model has the clusters 0 to 2"),
        ("0=a 1=a", "to two clusters"),
        ("0=a 0=b", "cluster 0 is named twice"),
        ("0=a -o out.csv", "end it in .safetensors"),
    ],
)
def test_wrong_names_are_one_line_and_change_nothing(
    run: Run, model: str, words: str, message: str
) -> None:
    before = Path(model).read_bytes()
    code, out, err = run("name", model, *words.split())
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert Path(model).read_bytes() == before
