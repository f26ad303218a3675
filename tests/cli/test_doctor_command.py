"""``centroids doctor``, and what `fit` says before it fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import centroids

Run = Callable[..., Any]


@pytest.fixture
def table(folder: Path) -> Path:
    """100 rows with an identifier, a gap, a column of large numbers and one of texts."""
    random = np.random.default_rng(0)
    lines = ["customer_id,age,income,city"]
    for i in range(100):
        age = "" if i == 41 else f"{random.normal(40, 9):.1f}"
        lines.append(f"{i + 1},{age},{random.normal(30_000, 9_000):.0f},{['Oslo', 'Rome'][i % 2]}")
    path = folder / "customers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_doctor_says_in_words_what_the_library_finds(run: Run, table: Path) -> None:
    code, out, err = run("doctor", table)
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    read = centroids.read_table(table, missing="keep")
    findings = centroids.examine(read)
    assert {"id", "missing", "scale", "text"} <= {finding.kind for finding in findings}
    for finding in findings:
        assert f"{finding.severity}: {finding.message} {finding.advice}" in said
    # A long path is broken where the line ends.
    assert "customers.csv:100rows" in "".join(out.split())


def test_the_doctor_for_programs_holds_every_finding(run: Run, table: Path) -> None:
    result = run("doctor", table, "--json").json
    read = centroids.read_table(table, missing="keep")
    assert result["command"] == "doctor"
    assert result["findings"] == centroids.examine(read).to_dict()["findings"]
    assert result["data"]["missing"] == {"age": 1}
    assert result["shares"]["income"] > 0.99


def test_scale_and_columns_change_what_the_doctor_finds(run: Run, table: Path) -> None:
    words = ("--scale", "standard", "--leave-out", "customer_id,city", "--json")
    kinds = {finding["kind"] for finding in run("doctor", table, *words).json["findings"]}
    assert "missing" in kinds
    assert not kinds & {"scale", "id"}


def test_a_sound_table_has_nothing_in_its_way(run: Run, folder: Path) -> None:
    run("blobs", "b.csv", "--samples", 200, "--random-state", 1)
    assert "Nothing stands in the way" in run("doctor", "b.csv", "--truth", "y").out


def test_too_few_rows_for_k_are_told(run: Run, table: Path) -> None:
    assert "fewer than 5 in each" in run("doctor", table, "-k", 50).out


def test_a_fit_tells_its_findings_on_stderr_before_the_result(run: Run, table: Path) -> None:
    code, out, err = run("fit", table, "-k", 2, "--missing", "impute")
    assert code == 0
    said = " ".join(err.split())
    assert 'warning: "customer_id" looks like an identifier' in said
    assert 'warning: "income" holds' in said
    assert "identifier" not in out


def test_a_fit_for_programs_is_silent_and_holds_its_findings(run: Run, table: Path) -> None:
    code, out, err = run("fit", table, "-k", 2, "--missing", "impute", "--json")
    assert (code, err) == (0, "")
    expected = run("doctor", table, "-k", 2, "--json").json["findings"]
    found = json.loads(out)["findings"]
    # What is missing is filled in here: worth a note, and the advice says that it is done.
    gap, expected_gap = (
        next(f for f in findings if f["kind"] == "missing") for findings in (found, expected)
    )
    assert (gap["severity"], expected_gap["severity"]) == ("note", "warning")
    assert "--missing impute" in gap["advice"]
    gap |= {"severity": "warning", "advice": expected_gap["advice"]}
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_findings_stand_in_the_report(run: Run, table: Path) -> None:
    pytest.importorskip("jinja2")
    run("fit", table, "-k", 2, "--missing", "drop", "--report", "r.html")
    page = Path("r.html").read_text()
    assert "Notes on the data" in page
    assert "looks like an identifier" in page
    assert "99 of 100 rows; 1 dropped for lack of a value" in page


def test_texts_among_numbers_are_a_finding_and_not_the_end(run: Run, folder: Path) -> None:
    rows = [f"{i * 7 % 31},{i * 5 % 23 / 2},w" for i in range(60)]
    rows[16], rows[40], rows[50] = "12,about 5,w", "12,inf,w", "12,,w"
    Path("t.csv").write_text("a,b,c\n" + "\n".join(rows) + "\n")
    code, out, err = run("doctor", "t.csv")
    said = " ".join(out.split())
    assert (code, err) == (0, "")
    assert 'error: 2 cells of "b" are not a finite number: "about 5" in row 17 of t.csv' in said
    (finding,) = (
        f for f in run("doctor", "t.csv", "--json").json["findings"] if f["kind"] == "not_numbers"
    )
    assert (finding["severity"], finding["columns"]) == ("error", ["b"])
    code, _, err = run("fit", "t.csv", "-k", 2)
    assert code == 2
    assert 'row 17, column "b" holds "about 5"' in err
    assert run("doctor", "t.csv", "--leave-out", "b").code == 0


def test_infinite_values_of_an_array_are_a_finding(run: Run, folder: Path) -> None:
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[7, 1] = np.inf
    np.save("t.npy", X)
    said = " ".join(run("doctor", "t.npy").out.split())
    assert '1 cell of "x2" is not a finite number: "inf" in row 8 of t.npy.' in said


def test_a_column_of_known_classes_is_pointed_out(run: Run, folder: Path) -> None:
    run("blobs", "b.csv", "--samples", 500)
    for words in (("doctor", "b.csv"), ("choose-k", "b.csv"), ("fit", "b.csv", "-k", 5)):
        done = run(*words)
        said = " ".join((done.out + done.err).split())
        assert '"y" looks like known classes' in said
        assert "--truth y" in said
    assert "known classes" not in run("doctor", "b.csv", "--truth", "y").out
    grid = {"x": np.arange(100.0) % 10, "y": np.arange(100.0) // 10}
    centroids.write_table("grid.csv", grid)
    assert "known classes" not in run("doctor", "grid.csv").out
