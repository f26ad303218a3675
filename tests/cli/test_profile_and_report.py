"""``centroids profile`` and ``centroids fit --report``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import centroids

Run = Callable[..., Any]


def test_a_profile_says_what_each_cluster_is(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 3, "--scale", "standard", "-o", "m.safetensors")
    code, out, err = run("profile", "m.safetensors", groups)
    assert (code, err) == (0, "")
    for number in range(3):
        assert f"Cluster {number}, 33 % of rows:" in out
    assert "Rule: a" in out or "Rule: b" in out


def test_a_profile_for_programs_is_that_of_the_library(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    found = run("profile", "m.safetensors", groups, "--json").json["profile"]
    model = centroids.load("m.safetensors")
    table = centroids.read_table(groups, columns=["a", "b"])
    expected = centroids.profile(
        model,
        table.X,
        feature_names=["a", "b"],
        others=centroids.read_columns(table, ["kind"]),  # "name" has too many values
        row_numbers=range(1, 61),
    )
    assert found == expected.to_dict()
    assert min(min(card["representatives"]) for card in found["clusters"]) >= 1


@pytest.mark.parametrize("k", [3, "auto"])
def test_a_fit_writes_its_report(run: Run, groups: Path, k: object) -> None:
    pytest.importorskip("jinja2")
    words = ("-k", k, "--truth", "kind", "--holdout", "0.25", "--report", "r.html")
    code, out, err = run("fit", groups, *words)
    assert (code, err) == (0, "")
    assert "Report: r.html" in out
    page = Path("r.html").read_text()
    assert "Clusters in groups.csv" in page
    assert "held-out rows" in page
    assert "stable" in page


def test_the_page_says_which_rows_it_is_about(run: Run, groups: Path) -> None:
    pytest.importorskip("jinja2")
    lines = groups.read_text().split()
    weighted = [f"{line},{w}" for line, w in zip(lines, ["w", *"123" * 20], strict=True)]
    Path("t.csv").write_text("\n".join(weighted) + "\n")
    words = ("--weight", "w", "--where", "kind <> 'B'", "--report", "r.html")
    assert run("fit", "t.csv", "-k", 2, *words).code == 0
    page = Path("r.html").read_text()
    assert "40 rows · 2 columns · 2 clusters" in page
    assert "shares by the weights of the rows" in page
    assert "20 rows, 75 %" in page
    assert "40 of 60 rows" in page
    assert "rows are counted among those that fulfil it" in page
    run("fit", groups, "-k", 3, "--report", "r.html")
    assert "by the weights" not in Path("r.html").read_text()


def test_a_report_that_cannot_be_written_is_refused_before_any_work(run: Run, groups: Path) -> None:
    code, out, err = run("fit", groups, "-k", 3, "--report", "r.txt", "-o", "m.safetensors")
    assert code == 2
    assert out == ""
    assert "r.txt" in err
    assert not Path("m.safetensors").exists()


def test_page_words_and_data_say_which_part_of_many_rows_stability_was_measured_on(
    run: Run, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jinja2")
    monkeypatch.setattr("centroids.cli._reporting.MOST_ROWS_DRAWN", 30)
    words = ("fit", groups, "-k", 3, "--report", "r.html")
    said = "20 times, 30 of 60 rows were drawn"
    code, out, _ = run(*words)
    assert code == 0
    assert said in " ".join(out.split())
    assert said in Path("r.html").read_text()
    found = run(*words, "--json").json["stability"]
    assert (found["n_drawn"], found["n_samples"], found["keeps_small"]) == (30, 60, True)
    assert said in found["summary"][0]
    assert run("fit", groups, "-k", 3, "--json").json["stability"] is None


def test_a_page_about_too_few_rows_to_draw_from_says_so(run: Run, folder: Path) -> None:
    pytest.importorskip("jinja2")
    Path("t.csv").write_text("a,b\n1,2\n2,3\n9,9\n")
    assert run("fit", "t.csv", "-k", 2, "--report", "r.html").code == 0
    assert "not measured: fewer than two rows for each cluster" in Path("r.html").read_text()


def test_a_fit_that_starts_where_the_choice_ended_has_nothing_to_replay(
    run: Run, groups: Path
) -> None:
    pytest.importorskip("jinja2")
    out = run("fit", groups, "-k", "auto", "--report", "r.html").out
    assert "iteration" not in out
    assert 'id="replay"' not in Path("r.html").read_text()
    run("blobs", "b.csv", "--samples", 600, "--centers", 4)
    out = run("fit", "b.csv", "-k", 9, "--truth", "y", "--report", "r.html").out
    assert "iteration" in out
    assert 'id="replay"' in Path("r.html").read_text()
