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
    assert "customers.csv: 100 rows" in said


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
    assert "99 of 100 rows; 1 that lack a value were dropped" in page
