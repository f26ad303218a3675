"""What `fit` and `predict` write of each row: cluster, distance, margin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import centroids

Run = Callable[..., Any]


def written(path: str, *names: str) -> list[np.ndarray]:
    table = centroids.read_table(path, columns=names)
    return list(table.X.T)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("scale", ["none", "standard"])
def test_distance_and_margin_are_those_of_the_model(
    run: Run, groups: Path, suffix: str, scale: str
) -> None:
    out = f"l{suffix}"
    words = ("--scale", scale, "--labels", out, "--distances", "-o", "m.safetensors")
    assert run("fit", groups, "-k", 3, *words).code == 0
    a, b, cluster, distance, margin = written(out, "a", "b", "cluster", "distance", "margin")
    model = centroids.load("m.safetensors")
    X = np.column_stack([a, b])
    every = np.sort(model.transform(X), axis=1)
    np.testing.assert_array_equal(cluster, model.predict(X))
    np.testing.assert_allclose(distance, every[:, 0])
    np.testing.assert_allclose(margin, every[:, 1] - every[:, 0])


def test_predict_writes_what_fit_writes(run: Run, groups: Path) -> None:
    words = ("-k", 3, "--labels", "l.csv", "--distances", "-o", "m.safetensors")
    run("fit", groups, *words)
    assert run("predict", "m.safetensors", groups, "-o", "p.csv", "--distances").code == 0
    assert Path("p.csv").read_text() == Path("l.csv").read_text()


def test_all_columns_are_kept_in_parquet(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 3, "--labels", "l.parquet")
    table = centroids.read_table("l.parquet", columns=["a", "b", "cluster"])
    assert {column.name for column in table.left_out} == {"name", "kind"}
    assert table.n_samples == 60


def test_labels_only_can_have_distances(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 3, "--labels", "l.csv", "--labels-only", "--distances")
    assert Path("l.csv").read_text().split()[0] == "cluster,distance,margin"


def test_one_cluster_has_no_margin(run: Run, groups: Path) -> None:
    run("fit", groups, "-k", 1, "--labels", "l.csv", "--labels-only", "--distances")
    rows = [line.split(",") for line in Path("l.csv").read_text().split()[1:]]
    assert {row[2] for row in rows} <= {"", "nan"}


def test_a_column_of_that_name_is_not_replaced(run: Run, folder: Path) -> None:
    Path("t.csv").write_text("a,margin\n1,2\n3,4\n9,9\n")
    code, _, err = run("fit", "t.csv", "-k", 2, "--labels", "l.csv", "--distances")
    assert code == 2
    assert 't.csv has a column "margin" already' in err
    assert not Path("l.csv").exists()
