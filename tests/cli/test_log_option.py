"""``--log``: logarithms of columns, from the fit to new rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import centroids

Run = Callable[..., Any]


@pytest.fixture
def incomes(folder: Path) -> Path:
    """100 rows in two groups of incomes, and a column of texts; in ``incomes.csv``."""
    random = np.random.default_rng(0)
    lines = ["name,age,income"]
    for i in range(100):
        income = np.exp(random.normal(7 + 3 * (i % 2), 0.4))
        lines.append(f"row{i},{random.normal(40, 2):.4f},{income:.4f}")
    path = folder / "incomes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_model_is_the_pipeline_of_python(run: Run, incomes: Path) -> None:
    words = ("fit", incomes, "-k", 2, "--log", "income", "-o", "m.safetensors")
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert "logarithms of: income (centers are geometric means)" in out
    assert "(with the logarithms)" in out
    table = centroids.read_table(incomes)
    model = make_pipeline(centroids.LogTransformer([1]), centroids.KMeans(2, random_state=0)).fit(
        table.X
    )
    loaded = centroids.load("m.safetensors")
    assert loaded[-1].cluster_centers_.tobytes() == model[-1].cluster_centers_.tobytes()
    result = run(*words, "--json").json
    assert result["model"]["log"] == ["income"]
    centers = [cluster["center"] for cluster in result["clusters"]]
    np.testing.assert_allclose(centers, model[0].inverse_transform(model[-1].cluster_centers_))


def test_centers_are_in_the_units_of_the_file_behind_a_scaler_too(run: Run, incomes: Path) -> None:
    words = ("fit", incomes, "-k", 2, "--log", "income", "--scale", "standard", "--labels", "l.csv")
    result = run(*words, "--json").json
    table = centroids.read_table("l.csv", columns=["income", "cluster"])
    for cluster in result["clusters"]:
        own = table.X[table.X[:, 1] == cluster["cluster"], 0]
        np.testing.assert_allclose(cluster["center"][1], np.exp(np.log(own).mean()))


def test_new_rows_are_treated_as_those_of_the_fit(run: Run, incomes: Path) -> None:
    words = ("--log", "income", "--scale", "standard", "--labels", "l.csv", "-o", "m.safetensors")
    assert run("fit", incomes, "-k", 2, *words).code == 0
    assert run("predict", "m.safetensors", incomes, "-o", "p.csv").code == 0
    assert Path("p.csv").read_text() == Path("l.csv").read_text()


def test_the_report_says_it(run: Run, incomes: Path) -> None:
    assert run("fit", incomes, "-k", 2, "--log", "income", "--report", "r.html").code == 0
    page = Path("r.html").read_text()
    assert "<dt>Logarithms</dt><dd>income</dd>" in page


def test_findings_are_about_the_logarithms(run: Run, incomes: Path) -> None:
    plain = run("fit", incomes, "-k", 2, "--json").json["findings"]
    logged = run("fit", incomes, "-k", 2, "--log", "income", "--json").json["findings"]
    assert "scale" in {finding["kind"] for finding in plain}
    assert "scale" not in {finding["kind"] for finding in logged}


def test_choose_k_takes_them_and_hands_them_on(run: Run, incomes: Path) -> None:
    code, out, _ = run("choose-k", incomes.name, "--log", "income", "--scale", "standard")
    assert code == 0
    assert "logarithms of: income" in out
    assert "centroids fit incomes.csv --scale standard --log income -k 2" in out


@pytest.mark.parametrize("value", ["0", "-3.5"])
def test_a_value_without_logarithm_is_named(run: Run, incomes: Path, value: str) -> None:
    run("fit", incomes, "-k", 2, "--log", "income", "-o", "m.safetensors")
    lines = incomes.read_text().splitlines()
    for row in (7, 9):
        lines[row] = f"x,40,{value}"
    Path("new.csv").write_text("\n".join(lines) + "\n")
    told = f'new.csv: row 7, column "income" holds "{value}", which is not above 0 and has no'
    for words in (
        ("fit", "new.csv", "-k", 2, "--log", "income", "-o", "n.safetensors"),
        ("choose-k", "new.csv", "--log", "income"),
        ("predict", "m.safetensors", "new.csv", "-o", "p.csv"),
        ("profile", "m.safetensors", "new.csv"),
    ):
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert told in err
        assert "(1 more cell like it)" in err
        assert err.count("\n") == 1
    assert not Path("n.safetensors").exists()
    assert not Path("p.csv").exists()
    words = ("predict", "m.safetensors", "new.csv", "-o", "p.csv", "--where", "income::DOUBLE > 0")
    assert run(*words).code == 0


def test_models_are_compared_on_rows_that_both_can_take(run: Run, incomes: Path) -> None:
    run("fit", incomes, "-k", 2, "-o", "old.safetensors")
    run("fit", incomes, "-k", 2, "--columns", "income,age", "--log", "income",
        "-o", "new.safetensors")  # fmt: skip
    assert run("compare", "old.safetensors", "new.safetensors", incomes).code == 0
    Path("zero.csv").write_text("age,income\n40,1200\n41,0\n")
    for models in (("old", "new"), ("new", "old")):
        files = (f"{name}.safetensors" for name in models)
        code, _, err = run("compare", *files, "zero.csv")
        assert code == 2
        assert 'zero.csv: row 2, column "income" holds "0"' in err


def test_rows_that_are_dropped_need_no_logarithm(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("a,b\n1,\n0,\n2,3\n9,4\n8,5\n")
    assert run("fit", "t.csv", "-k", 2, "--log", "a", "--missing", "drop").code == 0
    code, _, err = run("fit", "t.csv", "-k", 2, "--log", "a", "--missing", "impute")
    assert code == 2
    assert 't.csv: row 2, column "a" holds "0"' in err


def test_rows_of_several_files_and_of_npy_files_are_named(run: Run, folder: Path) -> None:
    Path("a.csv").write_text("a,b\n1,1\n2,1\n")
    Path("b.csv").write_text("a,b\n3,1\n0,1\n")
    assert 'b.csv: row 2, column "a"' in run("fit", "a.csv", "b.csv", "-k", 2, "--log", "a").err
    np.save("t.npy", np.array([[1.0, 5], [2, 0], [3, 1]]))
    err = run("fit", "t.npy", "-k", 2, "--log", "x2").err
    assert 't.npy: row 2, column "x2" holds "0"' in err


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("incme", 'has no column "incme"; did you mean "income"?'),
        ("name", 'column "name" is not among those to cluster (text, such as "row0")'),
        ("income,income", 'column "income" is named twice'),
        ("income,", "--log 'income,' has an empty name"),
    ],
)
def test_columns_that_cannot_be_used_are_told(
    run: Run, incomes: Path, log: str, message: str
) -> None:
    code, out, err = run("fit", incomes, "-k", 2, "--log", log)
    assert (code, out) == (2, "")
    assert message in err
