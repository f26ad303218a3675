"""``centroids fit``: what it prints, what it writes, and that both are the public API's numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

import centroids

Run = Callable[..., Any]


def test_the_model_is_the_one_that_python_fits(run: Run, groups: Path) -> None:
    result = run("fit", groups, "-k", 3, "--truth", "kind", "-o", "m.safetensors", "--json").json
    table = centroids.read_table(groups, truth="kind")
    model = centroids.KMeans(3, random_state=0).fit(table.X)
    assert result["training"]["inertia"] == model.inertia_
    assert [cluster["center"] for cluster in result["clusters"]] == model.cluster_centers_.tolist()
    loaded = centroids.load("m.safetensors")
    assert loaded.cluster_centers_.tobytes() == model.cluster_centers_.tobytes()
    assert loaded.feature_names_in_.tolist() == ["a", "b"]


def test_words_tell_what_was_read_and_found(run: Run, groups: Path) -> None:
    code, out, err = run("fit", groups.name, "-k", 3, "--truth", "kind")
    assert (code, err) == (0, "")
    assert "groups.csv: 60 rows, 2 columns: a, b" in out
    assert 'left out: name (text, such as "row0")' in out
    assert "K = 3: inertia" in out
    assert "60 of 60 lie in the cluster of their class (100 %), 0 misses." in out
    assert "No classes share a cluster, and no class is split." in out


def test_everything_printed_is_in_the_json(run: Run, groups: Path) -> None:
    words = ("fit", groups.name, "-k", 2, "--truth", "kind", "--holdout", 0.25)
    result, out = run(*words, "--json").json, run(*words).out
    assert f"inertia {result['training']['inertia']:,.2f}" in out
    assert f"{result['training']['n_samples']} rows to fit" in out
    assert f"{result['heldout']['n_samples']} rows held out" in out
    for cluster in result["clusters"]:
        assert f"{cluster['center'][0]:.4g}" in out
    for part in ("training", "heldout"):
        for row in result[part]["match"]["confusion"]:
            assert all(str(count) in out for count in row if count)
    merged = result["training"]["match"]["merged"][0]
    assert f"Merged: cluster {merged['cluster']} holds class" in out


def test_a_fit_that_time_cut_short_says_so_everywhere(run: Run, groups: Path) -> None:
    words = ("fit", groups.name, "-k", 3, "--max-time", 1e-9)
    out = run(*words, "--report", "r.html", "-o", "m.safetensors").out
    assert "--max-time was 1e-09 seconds, which ended the fit early" in out
    page = Path("r.html").read_text()
    assert "ended early by a time limit" in page
    assert "1e-09 seconds, which ended the fit early" in page
    assert centroids.load("m.safetensors").has_timed_out_ is True
    model = run(*words, "--json").json["model"]
    assert (model["max_time"], model["has_timed_out"]) == (1e-9, True)


def test_a_fit_with_time_enough_is_the_one_without_a_limit(run: Run, groups: Path) -> None:
    words = ("fit", groups.name, "-k", 3, "-o", "m.safetensors", "--report", "r.html")
    limited = run(*words, "--max-time", 600)
    assert "early" not in limited.out
    page = Path("r.html").read_text()
    assert "600 seconds, not reached" in page
    assert "early" not in page.partition("</style>")[2].partition("<script")[0]
    assert centroids.load("m.safetensors").has_timed_out_ is False
    assert run(*words).out == limited.out


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_time_that_no_fit_could_keep_is_refused(run: Run, groups: Path, seconds: str) -> None:
    code, out, err = run("fit", groups, "-k", 3, "--max-time", seconds)
    assert (code, out) == (2, "")
    assert err == f"centroids: --max-time {seconds}: give seconds above 0, such as 60\n"


def test_holdout_is_the_stratified_split_of_sklearn(run: Run, groups: Path) -> None:
    result = run(
        "fit", groups, "-k", 3, "--truth", "kind", "--holdout", 0.25, "--labels", "out.csv",
        "--random-state", 7, "--json",
    ).json  # fmt: skip
    assert result["split"] == {"holdout": 0.25, "is_stratified": True}
    assert (result["training"]["n_samples"], result["heldout"]["n_samples"]) == (45, 15)
    table = centroids.read_table(groups, truth="kind")
    training, heldout = train_test_split(
        np.arange(60), test_size=0.25, stratify=table.truth, random_state=7
    )
    model = centroids.KMeans(3, random_state=7).fit(table.X[training])
    assert result["training"]["inertia"] == model.inertia_
    assert result["heldout"]["inertia"] == -model.score(table.X[heldout])
    written = centroids.read_table("out.csv", columns=["cluster"], truth="part")
    np.testing.assert_array_equal(written.X[:, 0], model.predict(table.X))
    assert written.truth is not None
    assert set(np.flatnonzero(written.truth == "held-out")) == set(heldout)


def test_holdout_without_classes_is_not_stratified(run: Run, groups: Path) -> None:
    result = run("fit", groups, "-k", 3, "--holdout", 0.5, "--json").json
    assert result["split"]["is_stratified"] is False
    assert result["heldout"]["n_samples"] == 30
    assert "match" not in result["training"]


def test_rows_without_a_class_are_fitted_but_not_compared(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("a,y\n" + "1,p\n1.1,p\n9,q\n9.1,q\n" * 5 + "5,\n5.1,\n")
    result = run("fit", "t.csv", "-k", 2, "--truth", "y", "--holdout", 0.25, "--json").json
    parts = [result["training"], result["heldout"]]
    assert sum(part["n_samples"] for part in parts) == 22
    assert sum(part["match"]["n_rows"] for part in parts) == 20
    assert sum(part["match"]["n_without_class"] for part in parts) == 2
    out = run("fit", "t.csv", "-k", 2, "--truth", "y").out
    assert "2 rows without a class: not compared." in out


def test_misses_are_row_numbers_of_the_file(run: Run, folder: Path) -> None:
    rows = ["1,p", "1.1,p", "9,q", "9.1,q"] * 10
    rows[6] = "9,p"
    Path("t.csv").write_text("a,y\n" + "\n".join(rows) + "\n")
    out = run("fit", "t.csv", "-k", 2, "--truth", "y").out
    assert "1 miss: row 7, counted from 1." in " ".join(out.split())
    result = run("fit", "t.csv", "-k", 2, "--truth", "y", "--holdout", 0.5, "--json").json
    misses = [row for p in ("training", "heldout") for row in result[p]["match"]["first_misses"]]
    assert misses == [7]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_scaling_is_part_of_the_model(run: Run, folder: Path) -> None:
    random = np.random.default_rng(0)
    group = np.repeat([0, 1], 50)
    income, age = random.normal(30_000, 9_000, 100), random.normal(20 + 40 * group, 2)
    centroids.write_table("t.csv", {"income": income, "age": age, "old": group})
    plain = run("fit", "t.csv", "-k", 2, "--truth", "old", "--json").json
    words = ("fit", "t.csv", "-k", 2, "--truth", "old", "--scale", "standard")
    scaled = run(*words, "-o", "m.safetensors", "--json").json
    assert plain["training"]["match"]["accuracy"] < 0.8
    assert scaled["training"]["match"]["accuracy"] == 1.0
    scale = next(found for found in plain["findings"] if found["kind"] == "scale")
    assert scale["columns"] == ["income"]
    assert "--scale standard" in scale["advice"]
    assert scaled["findings"] == []
    # Centers are in the units of the file, and so are the rows a model is asked about.
    ages = sorted(cluster["center"][1] for cluster in scaled["clusters"])
    assert ages == pytest.approx([20, 60], abs=1)
    model = centroids.load("m.safetensors")
    np.testing.assert_array_equal(
        model.predict(np.array([[30_000.0, 20.0], [30_000.0, 60.0]]))
        == model.predict(np.array([[10_000.0, 21.0], [60_000.0, 59.0]])),
        True,
    )
    assert "in scaled units" in run(*words).out


def test_a_loaded_scaled_model_names_its_columns(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 3, "--scale", "standard", "-o", "m.safetensors")
    assert centroids.load("m.safetensors").feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_labels_stand_beside_all_columns(run: Run, groups: Path, suffix: str) -> None:
    run("fit", groups, "-k", 3, "--columns", "a", "--labels", f"out{suffix}")
    table = centroids.read_table(f"out{suffix}", columns=["cluster"], truth="name")
    assert [name for name, _ in table.left_out] == ["a", "b", "kind"]
    assert table.truth is not None
    assert table.truth.tolist() == [f"row{i}" for i in range(60)]


def test_labels_alone(run: Run, groups: Path) -> None:
    labels = centroids.KMeans(3, random_state=0).fit(centroids.read_table(groups).X).labels_
    run("fit", groups, "-k", 3, "--labels", "out.csv", "--labels-only")
    assert Path("out.csv").read_text() == "cluster\n" + "".join(f"{k}\n" for k in labels)
    run("fit", groups, "-k", 3, "--labels", "out.npy")
    np.testing.assert_array_equal(np.load("out.npy"), labels)


def test_npy_in_and_out(run: Run, folder: Path) -> None:
    np.save("t.npy", np.array([[1.0, 1], [1, 2], [9, 9], [9, 8]], dtype=np.float32))
    words = ("fit", "t.npy", "-k", 2, "-o", "m.safetensors", "--labels", "out.csv")
    assert run(*words).code == 0
    assert Path("out.csv").read_text().splitlines()[0] == "x1,x2,cluster"
    model = centroids.load("m.safetensors")
    assert not hasattr(model, "feature_names_in_")
    assert model.cluster_centers_.dtype == np.float32


def test_the_same_command_gives_the_same_bytes_for_any_number_of_threads(
    run: Run, groups: Path
) -> None:
    contents = set()
    for jobs in (1, 2, 3):
        words = ("fit", groups, "-k", 3, "-o", "m.safetensors", "--labels", "out.csv")
        assert run(*words, "--jobs", jobs).code == 0
        centers = centroids.load("m.safetensors").cluster_centers_.tobytes()
        contents.add((centers, Path("out.csv").read_bytes()))
    assert len(contents) == 1


def test_more_starts_never_make_it_worse(run: Run, groups: Path) -> None:
    one = run("fit", groups, "-k", 9, "--json").json
    many = run("fit", groups, "-k", 9, "--n-init", 20, "--json").json
    assert many["training"]["inertia"] <= one["training"]["inertia"]
    assert many["model"]["n_init"] == 20


def test_an_existing_model_is_replaced(run: Run, groups: Path) -> None:
    for k in (2, 3):
        assert run("fit", groups, "-k", k, "-o", "m.safetensors").code == 0
    assert centroids.load("m.safetensors").n_clusters == 3
    assert sorted(path.name for path in groups.parent.iterdir()) == ["groups.csv", "m.safetensors"]


@pytest.mark.parametrize("n_features", [1, 3, 40])
def test_wide_tables_stay_within_the_terminal(run: Run, folder: Path, n_features: int) -> None:
    run("blobs", "t.csv", "--samples", 300, "--centers", 14, "--features", n_features)
    code, out, _ = run("fit", "t.csv", "-k", 35, "--truth", "y", "--holdout", 0.25)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out.replace("… and", "")
    assert "5 smaller clusters" in out


def test_names_in_brackets_are_printed_as_they_are(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("[red]a,b[/]\n" + "1,2\n3,4\n" * 3)
    out = run("fit", "t.csv", "-k", 2).out
    assert "2 columns: [red]a, b[/]" in out


def test_a_fit_that_runs_out_of_iterations_says_nothing_false(run: Run, groups: Path) -> None:
    result = run("fit", groups, "-k", 5, "--max-iter", 1, "--json").json
    assert result["model"]["n_iter"] == 1
    assert result["model"]["max_iter"] == 1


def test_titles_of_tables_beside_each_other_have_one_line(run: Run, groups: Path) -> None:
    out = run("fit", groups, "-k", 3, "--truth", "kind", "--holdout", "0.25").out
    (line,) = (line for line in out.splitlines() if line.startswith("Rows fitted   "))
    assert line.split("Rows fitted")[1].strip() == "Rows held out"


def test_large_coordinates_are_printed_without_an_exponent(run: Run, folder: Path) -> None:
    Path("m.csv").write_text("income,share\n" + "150000,0.000012345\n" * 5 + "98765.4,1\n" * 4)
    out = run("fit", "m.csv", "-k", 2).out
    assert "150,000" in out
    assert "98,765" in out
    assert "1.234e-05" in out
