"""``-`` as an output: rows on standard output, and nothing else there."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_predict_writes_the_same_rows_as_to_a_file_and_words_to_stderr(
    run: Run, groups: Path
) -> None:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    to_file = run("predict", "m.safetensors", groups, "-o", "p.csv", "--distances")
    code, out, err = run("predict", "m.safetensors", groups, "-o", "-", "--distances")
    assert code == 0
    assert out == Path("p.csv").read_text()
    assert err == to_file.out.replace("p.csv", "standard output")
    assert sorted(os.listdir()) == ["groups.csv", "m.safetensors", "p.csv"]


def test_labels_of_a_fit_can_go_there_beside_a_model_file(run: Run, groups: Path) -> None:
    words = ("fit", groups, "-k", 3, "-o", "m.safetensors", "--labels-only", "--labels", "-")
    code, out, err = run(*words)
    assert code == 0
    run("predict", "m.safetensors", groups, "--labels-only", "-o", "l.csv")
    assert out == Path("l.csv").read_text()
    assert "Labels: standard output" in err


def test_rows_keep_the_separator_and_the_decimal_sign_they_came_with(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a;b\n1,5;x\n2,5;y\n9,0;z\n"
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(text.encode())))
    monkeypatch.setattr("sys.stdin", stdin)
    out = run("fit", "-", "-k", 2, "--labels", "-", "--distances").out
    assert out.splitlines()[:2] == ["a;b;cluster;distance;margin", "1,5;x;0;0,5;7,0"]


def test_practice_data_can_be_piped_into_a_fit(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("blobs", "-", "--samples", 90, "--centers", 3)
    assert made.code == 0
    assert "Next" not in made.err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(made.out.encode())))
    result = run("fit", "-", "-k", 3, "--truth", "y", "--json").json
    assert result["data"]["n_samples"] == 90
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("predict", "m.safetensors", "groups.csv", "-o", "-"), "-o"),
        (("fit", "groups.csv", "-k", 2, "--labels", "-"), "--labels"),
        (("blobs", "-"), "OUT"),
    ],
)
def test_rows_and_json_cannot_share_the_stream(
    run: Run, groups: Path, words: tuple[object, ...], option: str
) -> None:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    code, out, err = run(*words, "--json")
    assert (code, out) == (2, "")
    assert err.startswith(f"centroids: {option} - and --json both write to standard output")


def test_nothing_is_written_there_when_the_rows_cannot_be(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("a,cluster\n1,2\n3,4\n9,9\n")
    code, out, err = run("fit", "t.csv", "-k", 2, "--labels", "-")
    assert (code, out) == (2, "")
    assert 't.csv has a column "cluster" already' in err


def test_a_file_of_that_name_is_left_alone(run: Run, groups: Path) -> None:
    Path("-").write_text("mine")
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    assert run("predict", "m.safetensors", groups, "-o", "-").out.startswith("name,a,b")
    assert Path("-").read_text() == "mine"
