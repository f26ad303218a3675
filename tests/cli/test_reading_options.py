"""Options that say which rows and columns are read, and how files are written."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import centroids

Run = Callable[..., Any]


def centers(result: Any) -> list[list[float]]:
    return sorted(cluster["center"] for cluster in result["clusters"])


@pytest.fixture
def gaps(folder: Path) -> Path:
    """Two groups in a and b; row 3 lacks a, and row 5 lacks b."""
    path = folder / "gaps.csv"
    path.write_text("name,a,b\np,1,1\nq,2,1\nr,,1\ns,10,9\nt,11,NA\nu,10,8\n")
    return path


def test_where_picks_rows_and_says_so(run: Run, groups: Path) -> None:
    code, out, _ = run("fit", groups.name, "-k", 2, "--where", "kind <> 'C'")
    assert code == 0
    assert "40 rows" in out
    assert "of 60 rows, those with kind <> 'C'" in out


@pytest.fixture
def same_names(folder: Path) -> Path:
    path = folder / "same.csv"
    path.write_text("a,b,a\n1,2,9\n2,2,9\n1,3,8\n9,8,1\n8,9,2\n9,9,1\n")
    return path


def test_columns_of_the_same_name_are_told_before_a_fit(run: Run, same_names: Path) -> None:
    code, _, err = run("fit", same_names, "-k", 2, "-o", "m.safetensors", "--report", "r.html")
    assert code == 0
    told = 'warning: 1 column has the name of an earlier one, and a new name here: "a_2" (was "a").'
    assert told in " ".join(err.split())
    assert "&#34;a_2&#34; (was &#34;a&#34;)" in Path("r.html").read_text()
    result = run("fit", same_names, "-k", 2, "--json")
    assert result.json["data"]["renamed"] == [{"column": "a_2", "in_file": "a"}]
    assert result.err == ""


@pytest.mark.parametrize("command", ["predict", "profile", "evaluate", "compare"])
def test_columns_of_the_same_name_are_told_when_a_model_reads_them(
    run: Run, same_names: Path, command: str
) -> None:
    run("fit", same_names, "-k", 2, "--leave-out", "b", "-o", "m.safetensors")
    words = {
        "predict": ("m.safetensors", same_names, "-o", "p.csv"),
        "profile": ("m.safetensors", same_names),
        "evaluate": ("m.safetensors", same_names, "--truth", "b"),
        "compare": ("m.safetensors", "m.safetensors", same_names),
    }[command]
    code, _, err = run(command, *words)
    assert code == 0
    assert '"a_2" (was "a")' in " ".join(err.split())
    assert run(command, *words, "--json").err == ""


def test_a_file_without_names_is_told(run: Run, folder: Path) -> None:
    """Years as headers look like a first row."""
    Path("t.csv").write_text("2019,2020\n1,2\n3,4\n9,9\n")
    told = "no names in the file: x1 is its first column, x2 its second, and so on"
    assert told in run("fit", "t.csv", "-k", 2).out
    assert run("fit", "t.csv", "-k", 2, "--json").json["data"]["has_names"] is False
    Path("t.csv").write_text("a,b\n1,2\n3,4\n9,9\n")
    assert told not in run("fit", "t.csv", "-k", 2).out


def test_columns_can_be_left_out(run: Run, groups: Path) -> None:
    result = run("fit", groups, "-k", 2, "--leave-out", "b,name", "--json").json
    assert result["data"]["columns"] == ["a"]
    assert {"column": "b", "reason": "not chosen"} in result["data"]["left_out"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--leave-out c", 'has no column "c"'),
        ("--leave-out nmae", 'did you mean "name"?'),
        ("--leave-out a --columns b", "both to be used and to be left out"),
        ("--leave-out a,b,name,kind", "no column besides those that are left out"),
        ("--weight kidn", 'did you mean "kind"?'),
        ("--weight name", 'column "name" holds "row0"; a weight is a number'),
        ("--where knd='A'", 'has no column "knd"; did you mean "kind"?'),
        ("--where a>", "--where 'a>'"),
        ("--where a>1000", "no row fulfils"),
        ("--where=", "--where is empty"),
        ("--separator ;;", "--separator ';;': give one character"),
        ("--encoding klingon", "--encoding 'klingon' is not known"),
        ("--decimal dot", "'dot' is not one of 'point', 'comma'"),
        ("--missing guess", "'guess' is not one of 'error', 'drop', 'impute'"),
        ("--distances", "--distances says how to write labels; add --labels OUT"),
        ("--align-to nowhere.safetensors", "nowhere.safetensors does not exist"),
        ("--labels l.npy --distances", ".npy has the clusters alone"),
    ],
)
def test_wrong_options_are_one_line(run: Run, groups: Path, words: str, message: str) -> None:
    code, out, err = run("fit", groups, "-k", 2, *words.split())
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_row_of_weight_three_counts_as_three_rows(run: Run, folder: Path) -> None:
    rows = [(0.0, 5.0, 1), (1.0, 9.0, 3), (20.0, 4.0, 2), (23.0, 1.0, 1)]
    lines = [f"{a},{b},{w}" for a, b, w in rows]
    Path("weighted.csv").write_text("\n".join(["a,b,w", *lines]) + "\n")
    lines = [f"{a},{b}" for a, b, w in rows for _ in range(w)]
    Path("repeated.csv").write_text("\n".join(["a,b", *lines]) + "\n")
    for scale in ("none", "standard"):
        words = ("-k", 2, "--scale", scale, "--json")
        weighted = run("fit", "weighted.csv", "--weight", "w", *words).json
        repeated = run("fit", "repeated.csv", *words).json
        np.testing.assert_allclose(centers(weighted), centers(repeated))
        assert weighted["training"]["inertia"] == pytest.approx(repeated["training"]["inertia"])
        assert weighted["training"]["inertia_per_row"] == pytest.approx(
            repeated["training"]["inertia_per_row"]
        )
        assert weighted["data"]["weight"] == "w"


def test_a_gap_is_an_error_that_names_the_remedy(run: Run, gaps: Path) -> None:
    code, _, err = run("fit", gaps, "-k", 2)
    assert code == 2
    assert 'row 3, column "a" is empty' in err
    assert "--missing drop or impute" in err


def test_dropped_rows_have_no_cluster_in_fit_and_predict(run: Run, gaps: Path) -> None:
    words = ("-k", 2, "--missing", "drop", "-o", "m.safetensors", "--labels", "l.csv")
    code, out, _ = run("fit", gaps, *words)
    assert code == 0
    assert "dropped: 2 rows that lack a value" in out
    assert run("predict", "m.safetensors", gaps, "-o", "p.csv").code == 0
    for name in ("l.csv", "p.csv"):
        clusters = [line.split(",")[-1] for line in Path(name).read_text().split()[1:]]
        assert [cluster == "" for cluster in clusters] == [False, False, True, False, True, False]
        assert clusters[0] == clusters[1] != clusters[3] == clusters[5]


def test_a_model_of_whole_rows_takes_new_rows_with_gaps_if_told_so(
    run: Run, groups: Path, gaps: Path
) -> None:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    words = ("predict", "m.safetensors", gaps, "-o", "p.csv")
    assert "--missing drop or impute" in run(*words).err
    result = run(*words, "--missing", "drop", "--json").json
    assert result["data"]["n_dropped"] == 2
    code, _, err = run(*words, "--missing", "impute")
    assert code == 2
    assert "the model has no values to fill in: use --missing drop" in err


def test_a_profile_counts_weights(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("a,w\n0,1\n1,3\n9,2\n10,2\n")
    run("fit", "t.csv", "-k", 2, "--weight", "w", "-o", "m.safetensors")
    found = run("profile", "m.safetensors", "t.csv", "--weight", "w", "--json").json
    means = sorted(card["mean"][0] for card in found["profile"]["clusters"])
    assert means == [0.75, 9.5]


def test_k_is_chosen_with_weights_and_gaps_as_in_the_fit(run: Run, groups: Path) -> None:
    lines = groups.read_text().split()
    weights = ["w", *("1" for _ in lines[1:])]
    text = [f"{line},{w}" for line, w in zip(lines, weights, strict=True)]
    text[3] = "row2,,-20,C,1"
    Path("t.csv").write_text("\n".join(text) + "\n")
    words = ("t.csv", "--weight", "w", "--missing", "impute", "--scale", "standard", "--json")
    chosen = run("choose-k", *words).json["choice"]
    fitted = run("fit", "-k", "auto", *words).json["choice"]
    assert chosen["k"] == fitted["k"] == 3


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_filled_gaps_are_medians_and_the_model_knows_them(run: Run, gaps: Path) -> None:
    words = ("-k", 2, "--missing", "impute", "--scale", "standard", "-o", "m.safetensors")
    result = run("fit", gaps, *words, "--json").json
    assert result["data"]["missing"] == {"a": 1, "b": 1}
    model = centroids.load("m.safetensors")
    np.testing.assert_array_equal(model[0].statistics_, [10.0, 1.0])
    assert model[-1].training_data_["missing"] == {"rule": "impute", "values": [10.0, 1.0]}
    Path("new.csv").write_text("b,a\n,1.5\n9,\n")
    assert run("predict", "m.safetensors", "new.csv", "-o", "p.csv").code == 0
    labels = np.array([line.split(",")[-1] for line in Path("p.csv").read_text().split()[1:]])
    expected = model.predict(np.array([[1.5, np.nan], [np.nan, 9.0]]))
    np.testing.assert_array_equal(labels.astype(int), expected)


def test_a_column_without_values_among_the_rows_to_fit_is_refused(run: Run, folder: Path) -> None:
    lines = ["a,b", *(f"{i}," for i in range(39)), "39,1"]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    found = []
    for seed in range(6):
        words = ("--missing", "impute", "--holdout", "0.5", "--random-state", seed)
        found.append(run("fit", "t.csv", "-k", 2, *words))
    assert {result.code for result in found} == {0, 2}
    assert all('column "b" has no value in the rows to fit' in r.err for r in found if r.code == 2)


def test_commas_semicolons_and_latin_1(run: Run, folder: Path) -> None:
    text = "ville;prix;âge\nNîmes;1.234,5;30\nAlès;1.236,5;31\nSète;7,5;60\nUzès;8,5;61\n"
    Path("t.csv").write_bytes(text.encode("latin-1"))
    words = ("--encoding", "latin-1", "--decimal", "comma", "--separator", "semicolon")
    result = run("fit", "t.csv", "-k", 2, *words, "--json").json
    assert centers(result) == [[8.0, 60.5], [1235.5, 30.5]]
    assert result["data"]["columns"] == ["prix", "âge"]


def test_several_files_and_patterns_are_one_table(run: Run, groups: Path) -> None:
    header, *lines = groups.read_text().splitlines()
    for i in range(3):
        Path(f"part{i}.csv").write_text("\n".join([header, *lines[20 * i : 20 * i + 20]]) + "\n")
    whole = run("fit", groups, "-k", 3, "--json").json
    for words in (["part0.csv", "part1.csv", "part2.csv"], ["part*.csv"]):
        result = run("fit", *words, "-k", 3, "--json").json
        assert result["clusters"] == whole["clusters"]
        assert result["data"]["file"] == "part0.csv and 2 more"


def test_json_and_parquet_are_read(run: Run, groups: Path) -> None:
    whole = run("fit", groups, "-k", 3, "--json").json
    table = centroids.read_table(groups)
    a, b = table.X.T
    centroids.write_table("t.parquet", {"a": a, "b": b})
    Path("t.json").write_text(
        "[" + ",".join(f'{{"a": {x}, "b": {y}}}' for x, y in table.X.tolist()) + "]"
    )
    for name in ("t.parquet", "t.json"):
        assert run("fit", name, "-k", 3, "--json").json["clusters"] == whole["clusters"]


def test_rows_come_through_a_pipe(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(centroids.__file__).resolve().parents[1]))
    done = subprocess.run(
        [sys.executable, "-m", "centroids", "fit", "-", "-k", "3", "--labels", "l.csv"],
        input=groups.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "standard input: 60 rows" in done.stdout
    assert len(Path("l.csv").read_text().split()) == 61


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input is empty"),
        (b"a,b\n1,x\n2,3\n4,5\n", 'standard input: row 1, column "b" holds "x"'),
        (b"PAR1 and no more", "standard input is damaged or no Parquet file"),
    ],
)
def test_messages_name_standard_input(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(content))
    monkeypatch.setattr("sys.stdin", stdin)
    code, _, err = run("fit", "-", "-k", 2)
    assert code == 2
    assert message in err


def test_an_array_comes_through_a_pipe(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    np.save(written, np.array([[1.0, 1.0], [2.0, 1.0], [9.0, 8.0]]))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(written.getvalue())))
    result = run("fit", "-", "-k", 2, "--labels", "l.csv", "--json").json
    assert centers(result) == [[1.5, 1.0], [9.0, 8.0]]
    assert Path("l.csv").read_text().split()[0] == "x1,x2,cluster"


@pytest.mark.parametrize("command", ["evaluate", "profile", "predict"])
def test_commands_with_a_model_take_the_same_options(run: Run, groups: Path, command: str) -> None:
    run("fit", groups, "-k", 3, "-o", "m.safetensors")
    text = groups.read_text().replace(",", ";").replace(".", ",")
    Path("other.csv").write_text(text)
    words = ["--where", "kind <> 'B'", "--separator", ";", "--decimal", "comma", "--json"]
    words += {"evaluate": ["--truth", "kind"], "predict": ["-o", "p.csv"]}.get(command, [])
    result = run(command, "m.safetensors", "other.csv", *words).json
    assert result["data"]["n_samples"] == 40
    assert result["data"]["where"] == "kind <> 'B'"
    if command == "evaluate":
        assert result["match"]["accuracy"] == 1.0


def test_advice_repeats_the_options_that_read_the_rows(run: Run, groups: Path) -> None:
    words = ("--leave-out", "name", "--where", "a > -100", "--scale", "standard")
    out = run("fit", groups, "-k", "auto", *words).out
    expected = f"choose-k {groups} --leave-out name --scale standard --where 'a > -100'"
    assert f"Evidence: centroids {expected}" in out
