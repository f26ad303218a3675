"""Each finding appears where it should, and not where it should not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from centroids import Findings, examine, read_table

RANDOM = np.random.default_rng(0)
PLAIN = RANDOM.normal(size=(500, 3))


def beside(*columns: Any) -> np.ndarray:
    """Columns beside three of noise; they are x4, x5, …."""
    return np.column_stack([PLAIN, *columns])


def kinds(findings: Findings) -> list[str]:
    return [finding.kind for finding in findings]


def only(findings: Findings, kind: str) -> Any:
    """The one finding of a kind."""
    (found,) = (finding for finding in findings if finding.kind == kind)
    return found


def test_plain_data_have_no_findings() -> None:
    assert kinds(examine(PLAIN, n_clusters=5)) == []
    assert "nothing stands in the way" in examine(PLAIN).summary()
    assert kinds(examine(load_iris().data, n_clusters=3)) == []


def test_a_constant_column_is_noted() -> None:
    found = only(examine(beside(np.full(500, 0.1))), "constant")
    assert (found.severity, found.columns) == ("note", ("x4",))


@pytest.mark.parametrize(
    "values",
    [np.arange(500), np.arange(500)[::-1] * 3.0 + 7, RANDOM.permutation(500) + 1000],
    ids=["counting up", "counting down", "shuffled without holes"],
)
def test_a_column_that_numbers_the_rows_is_found(values: np.ndarray) -> None:
    assert only(examine(beside(values), is_scaled=True), "id").columns == ("x4",)


def test_a_name_tells_an_id_from_an_amount() -> None:
    values = RANDOM.choice(10**6, size=500, replace=False)
    for name in ("customer_id", "ID", "userID", "Order No"):
        names = ["a", "b", "c", name]
        assert only(examine(beside(values), feature_names=names, is_scaled=True), "id").columns == (
            name,
        )
    for name in ("income", "humid", "acid", "paid"):
        names = ["a", "b", "c", name]
        assert "id" not in kinds(examine(beside(values), feature_names=names, is_scaled=True))


def test_fractions_doubles_and_few_rows_are_no_ids() -> None:
    for values in (np.linspace(0, 1, 500), np.repeat(np.arange(250), 2)):
        assert "id" not in kinds(examine(beside(values), is_scaled=True))
    assert "id" not in kinds(examine(np.arange(10.0)[:, None]))


@pytest.mark.parametrize(
    "values",
    [
        20_240_100 + RANDOM.integers(1, 29, size=500),
        1_700_000_000 + RANDOM.integers(0, 10**7, size=500),
        1_700_000_000_000 + RANDOM.integers(0, 10**10, size=500),
        1_700_000_000 + np.arange(500) * 60,
    ],
    ids=["days", "seconds", "milliseconds", "a minute each"],
)
def test_dates_written_as_numbers_are_found(values: np.ndarray) -> None:
    findings = examine(beside(values), is_scaled=True)
    assert only(findings, "date").columns == ("x4",)
    assert "id" not in kinds(findings)


def test_amounts_are_no_dates() -> None:
    for values in (20_241_350 + np.arange(500) % 7, RANDOM.integers(0, 10**6, size=500)):
        assert "date" not in kinds(examine(beside(values), is_scaled=True))


def test_the_column_that_decides_alone_is_named_with_what_scaling_changes() -> None:
    findings = examine(load_wine(as_frame=True).data)
    found = only(findings, "scale")
    assert found.columns == ("proline",)
    assert "99.8 %" in found.message
    assert "each of the 13 columns holds 7.7 %" in found.advice
    X = load_wine().data
    assert findings.shares["proline"] == pytest.approx(X.var(axis=0)[12] / X.var(axis=0).sum())
    scaled = examine(StandardScaler().fit_transform(X))
    assert "scale" not in kinds(scaled)
    assert list(scaled.shares.values()) == pytest.approx([1 / 13] * 13)
    assert "scale" not in kinds(examine(X, is_scaled=True))


def test_variances_keep_their_digits_far_from_zero() -> None:
    shares = examine(PLAIN + np.array([1e9, 0, 0])).shares
    assert shares["x1"] == pytest.approx(PLAIN.var(axis=0)[0] / PLAIN.var(axis=0).sum(), rel=1e-6)


def test_columns_that_say_the_same_are_found() -> None:
    found = only(examine(beside(-2 * PLAIN[:, 1] + 5)), "correlated")
    assert found.columns == ("x2", "x4")
    assert "correlation -1.0000" in found.message
    near = PLAIN[:, 1] + 0.2 * RANDOM.normal(size=500)
    assert "correlated" not in kinds(examine(beside(near)))


def test_missing_values_are_counted_by_column_and_row() -> None:
    X = PLAIN.copy()
    X[:10, 0] = np.nan
    X[5:8, 2] = np.nan
    found = only(examine(X), "missing")
    assert found.severity == "warning"
    assert found.columns == ("x1", "x3")
    assert '10 rows of 500 lack a value: "x1" (10), "x3" (3).' in found.message


def test_a_column_without_values_is_an_error() -> None:
    found = only(examine(beside(np.full(500, np.nan))), "missing")
    assert (found.severity, found.columns) == ("error", ("x4",))


def test_gaps_change_no_other_finding() -> None:
    X = PLAIN.copy()
    X[::7, 1] = np.nan
    assert kinds(examine(X)) == ["missing"]
    known = X[~np.isnan(X[:, 1]), 1]
    variances = np.array([X[:, 0].var(), known.var(), X[:, 2].var()])
    assert list(examine(X).shares.values()) == pytest.approx(list(variances / variances.sum()))


def test_skewed_amounts_are_noted_with_the_logarithm() -> None:
    found = only(examine(beside(np.exp(1.5 * PLAIN[:, 0]))), "skew")
    assert found.columns == ("x4",)
    assert "--log x4 (LogTransformer in Python)" in found.advice
    with_zeros = np.exp(1.5 * PLAIN[:, 0]) * (PLAIN[:, 1] > -1)
    assert "log1p" in only(examine(beside(with_zeros)), "skew").advice
    rare = np.zeros(500)
    rare[:5] = 1
    assert "skew" not in kinds(examine(beside(rare)))


def test_rows_that_will_own_a_cluster_are_named() -> None:
    X = PLAIN.copy()
    X[41, 1] = 200
    found = only(examine(X), "outliers")
    assert found.columns == ("x2",)
    assert "row 42 (counted from 1)" in found.message
    from centroids import KMeans

    labels = KMeans(2, random_state=0).fit_predict(X)
    assert np.bincount(labels).tolist() == [499, 1]
    assert "outliers" not in kinds(examine(RANDOM.normal(size=(5000, 3))))


def test_doubles_are_counted() -> None:
    X = np.vstack([PLAIN, PLAIN[:100], -PLAIN[:0]])
    assert "100 rows of 600" in only(examine(X), "duplicates").message
    assert "duplicates" not in kinds(examine(PLAIN))
    gaps = np.array([[0.0, np.nan], [-0.0, np.nan], [1.0, 2.0]])
    assert "1 row of 3" in only(examine(gaps), "duplicates").message


def test_too_few_rows_for_the_clusters() -> None:
    same = np.repeat(PLAIN[:3], 10, axis=0)
    assert only(examine(same, n_clusters=4), "few_rows").severity == "error"
    assert "few_rows" not in kinds(examine(same, n_clusters=3))
    assert only(examine(PLAIN[:20], n_clusters=6), "few_rows").severity == "warning"


@pytest.mark.parametrize("library", [pd, pl])
def test_a_data_frame_gives_names_and_texts(library: Any) -> None:
    frame = library.DataFrame(
        {"a": [1.0, None, 3.0], "town": ["Rome", "Oslo", "Bonn"], "day": ["2024-01-01"] * 3}
    )
    findings = examine(frame)
    assert only(findings, "missing").columns == ("a",)
    assert only(findings, "text").columns == ("town",)
    assert only(findings, "date").columns == ("day",)


def test_a_table_gives_names_texts_and_row_numbers(tmp_path: Path) -> None:
    lines = [f"{a:.6f},{b:.6f},word" for a, b, _ in PLAIN]
    lines[3] = ",1,word"
    lines[9] = "1,900,word"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,b,text", *lines]))
    kept = examine(read_table(path, missing="keep"))
    assert only(kept, "missing").columns == ("a",)
    assert only(kept, "text").columns == ("text",)
    assert "row 10 " in only(kept, "outliers").message
    dropped = examine(read_table(path, missing="drop"))
    assert "row 10 " in only(dropped, "outliers").message


def test_the_gravest_comes_first_and_all_is_plain_data() -> None:
    X = beside(np.full(500, np.nan), np.ones(500), 1e6 * RANDOM.normal(size=500))
    findings = examine(X)
    assert [finding.severity for finding in findings] == ["error", "warning", "note"]
    assert findings.of("note") == (findings[-1],)
    plain = findings.to_dict()
    assert plain["findings"][0]["columns"] == ["x4"]
    assert (plain["n_samples"], plain["n_features"]) == (500, 6)
    assert "1 error, 1 warning, 1 note" in findings.summary()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1.0, 2.0], "shape"),
        (np.zeros((0, 2)), "shape"),
        ([[1.0, np.inf]], "infinity, first at row 0, column 'x2'"),
        (pd.DataFrame({"a": ["x"]}), "no column of numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        examine(data)


def test_columns_that_had_the_name_of_another_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,a,b\n1,2,3,4\n9,6,7,5\n")
    finding = only(examine(read_table(tmp_path / "t.csv")), "renamed")
    assert (finding.severity, finding.columns) == ("warning", ("a_2", "b_2"))
    assert "2 columns have the name of an earlier one" in finding.message
    assert '"a_2" (was "a"), "b_2" (was "b")' in finding.message


def test_the_input_is_not_changed() -> None:
    X = beside(np.full(500, np.nan))
    before = X.copy()
    X.flags.writeable = False
    examine(X)
    np.testing.assert_array_equal(X, before)


def test_very_many_rows_are_counted_in_blocks_and_compared_in_a_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What concerns one row of many is found all the same; what was sampled is said."""
    X = beside(np.repeat(np.arange(250.0), 2), np.full(500, 3.0), 1e6 + PLAIN[:, 0])
    X = np.vstack([X, X[:100]])
    X[::9, 1] = np.nan
    X[417, 2] = 5000
    whole = examine(X)
    monkeypatch.setattr("centroids.rows.blocks.BLOCK_ROWS", 64)
    blocked = examine(X)
    assert [f.message for f in blocked] == [f.message for f in whole]
    assert blocked.shares == pytest.approx(whole.shares, rel=1e-12)
    monkeypatch.setattr("centroids.doctor.columns.MOST_CELLS", 600)
    monkeypatch.setattr("centroids.doctor.columns.FEWEST_IN_PART", 50)
    part = examine(X)
    assert "in 100 of the 600 rows" in only(part, "sample").message
    for kind in ("outliers", "missing", "constant", "correlated"):
        assert only(part, kind) == only(whole, kind)
