"""``centroids choose-k`` and ``centroids fit -k auto``: three answers everybody should know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import centroids
from centroids.cli._output import Work

Run = Callable[..., Any]

# Data, words of the command, verdict, what the first sentence says.
ANSWERS = {
    "blobs": (["blobs.csv", "--truth", "y"], "clear", "K = 5, clearly."),
    "cloud": (["cloud.npy"], "no clusters", "No separated clusters found (K = 1)."),
    "iris": (["iris.csv"], "ambiguous", "Ambiguous: K = 2 or 3"),
}


@pytest.fixture
def data(run: Run, folder: Path) -> Path:
    """Practice blobs, one Gaussian cloud, and the iris flowers."""
    run("blobs", "blobs.csv", "--samples", 2000)
    np.save("cloud.npy", np.random.default_rng(0).normal(size=(800, 3)))
    iris = load_iris()
    names = [name.split(" (")[0].replace(" ", "_") for name in iris.feature_names]
    columns = dict(zip(names, iris.data.T, strict=True))
    centroids.write_table("iris.csv", {**columns, "species": iris.target_names[iris.target]})
    return folder


@pytest.mark.parametrize(("words", "verdict", "sentence"), ANSWERS.values(), ids=ANSWERS.keys())
def test_choose_k_says_its_verdict_in_words_and_as_json(
    run: Run, data: Path, words: list[str], verdict: str, sentence: str
) -> None:
    code, out, err = run("choose-k", *words)
    assert (code, err) == (0, "")
    assert sentence in out
    assert max(map(len, out.splitlines())) <= 80
    result = run("choose-k", *words, "--json").json
    assert result["choice"]["verdict"] == verdict
    assert result["summary"][0].startswith(sentence)


@pytest.mark.parametrize(("words", "verdict", "sentence"), ANSWERS.values(), ids=ANSWERS.keys())
def test_fit_auto_is_the_choice_of_choose_k(
    run: Run, data: Path, words: list[str], verdict: str, sentence: str
) -> None:
    code, out, err = run("fit", *words, "-k", "auto")
    assert (code, err) == (0, "")
    assert sentence in out
    fitted = run("fit", *words, "-k", "auto", "--json").json
    chosen = run("choose-k", *words, "--json").json
    assert fitted["choice"]["verdict"] == verdict
    assert fitted["model"]["n_clusters"] == chosen["choice"]["k"]


def test_advice_of_choose_k_is_a_command_that_works(run: Run, data: Path) -> None:
    words = ("--columns", "x1,x2,x3", "--truth", "y", "--scale", "standard")
    out = run("choose-k", "blobs.csv", *words).out
    advice = next(line for line in out.splitlines() if line.startswith("Next: centroids "))
    assert advice == f"Next: centroids fit blobs.csv {' '.join(words)} -k 5"
    assert run(*advice.removeprefix("Next: centroids ").split()).code == 0


def test_no_clusters_come_with_no_advice_to_fit(run: Run, data: Path) -> None:
    assert "Next:" not in run("choose-k", "cloud.npy").out


def test_a_model_of_fit_auto_is_saved_and_predicts(run: Run, data: Path) -> None:
    run(
        "fit",
        "blobs.csv",
        "--truth",
        "y",
        "-k",
        "auto",
        "--scale",
        "standard",
        "-o",
        "m.safetensors",
    )
    result = run("predict", "m.safetensors", "blobs.csv", "-o", "out.csv", "--json").json
    assert len(result["clusters"]) == 5


def test_a_picture_is_drawn(run: Run, data: Path) -> None:
    pytest.importorskip("matplotlib")
    result = run("choose-k", "iris.csv", "--plot", "evidence.png", "--json").json
    assert result["file"] == "evidence.png"
    assert Path("evidence.png").read_bytes().startswith(b"\x89PNG")


def test_an_unscaled_column_is_named(run: Run, folder: Path) -> None:
    random = np.random.default_rng(0)
    income, age = random.normal(30_000, 9_000, 300), random.normal(40, 10, 300)
    centroids.write_table("t.csv", {"age": age, "income": income})
    out = " ".join(run("choose-k", "t.csv").out.split())
    assert "Column 'income' holds over 99.9 % of the variance" in out
    assert "--scale standard" in out
    assert "of the variance" not in run("choose-k", "t.csv", "--scale", "standard").out


def test_k_max_bounds_the_range(run: Run, data: Path) -> None:
    result = run("choose-k", "blobs.csv", "--truth", "y", "--k-max", 4, "--json").json
    assert result["choice"]["table"]["n_clusters"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--plot", "evidence.svg"], "end it in .png"),
        (["--max-time", "0"], "--max-time 0: give seconds above 0"),
        (["--truth", "kind"], 'no column "kind"'),
    ],
)
def test_wrong_use_is_one_line(run: Run, data: Path, words: list[str], message: str) -> None:
    code, out, err = run("choose-k", "iris.csv", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_fit_auto_shows_how_many_numbers_of_clusters_were_tried(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Work, "is_shown", True)
    monkeypatch.setattr(Work, "say", lambda _, *words: said.append(words))
    assert run("fit", "cloud.npy", "-k", "auto").code == 0
    text, done, limit = next(words for words in said if words[0].startswith("choosing K: "))
    assert text == f"choosing K: {done} of up to {limit} tried"
