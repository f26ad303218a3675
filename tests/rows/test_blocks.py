"""Rows beyond memory: the same values from a temporary file, and nothing is left of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import InputError, KMeans, fit_preparation, prepare_rows, read_table, take_rows
from centroids.rows import blocks, cells
from centroids.rows.blocks import LIMIT_VARIABLE, Spool, count_missing, map_rows

N = 1000


@pytest.fixture
def spilling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Blocks of 64 rows, and a folder for what has no place in memory, which is everything."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 64)
    monkeypatch.setattr("centroids.estimators.preparing.BLOCK_ROWS", 64)
    monkeypatch.setenv(LIMIT_VARIABLE, "4000")
    return folder


def table(n: int = N) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(n, 3)) * [1, 10, 100]
    X[::7, 1] = np.nan
    return X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_spool_gives_what_it_got_from_memory_or_from_disk(
    spilling: Path, monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    X = table().astype(dtype)
    parts = np.array_split(X, 13)
    for limit, kind in (("1000000", np.ndarray), ("4000", np.memmap), ("0", np.memmap)):
        monkeypatch.setenv(LIMIT_VARIABLE, limit)
        spool = Spool(3, dtype)
        for part in parts:
            spool.append(part)
        rows = spool.finish()
        assert type(rows) is kind
        assert rows.dtype == dtype
        np.testing.assert_array_equal(rows, X)


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name (Linux)")
def test_the_file_never_has_a_name(spilling: Path) -> None:
    spool = Spool(3, np.float64)
    spool.append(table())
    assert list(spilling.iterdir()) == []
    rows = spool.finish()
    assert list(spilling.iterdir()) == []
    assert rows.shape == (N, 3)


def test_rows_are_picked_counted_and_converted_as_by_numpy(spilling: Path) -> None:
    X = table()
    picked = np.random.default_rng(1).permutation(N)[:700]
    taken = take_rows(X, picked)
    assert isinstance(taken, np.memmap)
    np.testing.assert_array_equal(taken, X[picked])
    np.testing.assert_array_equal(take_rows(X, X[:, 0] > 0), X[X[:, 0] > 0])
    assert take_rows(X, np.zeros(N, dtype=bool)).shape == (0, 3)
    np.testing.assert_array_equal(count_missing(X), np.isnan(X).sum(axis=0))
    np.testing.assert_array_equal(map_rows(X, lambda block: block[:, :2] * 2), X[:, :2] * 2)


def test_a_pipeline_is_fitted_in_blocks_as_scikit_learn_fits_it(spilling: Path) -> None:
    X, weights = table(), np.random.default_rng(2).integers(0, 3, N).astype(float)
    weights[:128] = 0  # no row of the first two blocks counts
    steps = SimpleImputer(strategy="median"), StandardScaler()
    model = make_pipeline(*steps, KMeans(3, random_state=0))
    rows = fit_preparation(model, X, weights)
    assert isinstance(rows, np.memmap)
    filled = SimpleImputer(strategy="median").fit(X)
    np.testing.assert_array_equal(model[0].statistics_, filled.statistics_)
    scaled = StandardScaler().fit(filled.transform(X), sample_weight=weights)
    np.testing.assert_allclose(model[1].mean_, scaled.mean_, rtol=1e-12)
    np.testing.assert_allclose(model[1].scale_, scaled.scale_, rtol=1e-12)
    np.testing.assert_array_equal(rows, model[:-1].transform(X))
    np.testing.assert_array_equal(prepare_rows(model, X), rows)
    assert fit_preparation(model[-1], X) is X
    assert prepare_rows(model[-1], X) is X


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_from_files_is_the_same_beyond_memory(
    spilling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / f"t{suffix}"
    columns = (
        "i / 3.0 AS a, CASE WHEN i % 7 = 0 THEN NULL ELSE sin(i) END AS b, "
        "CASE WHEN i % 5 = 0 THEN NULL ELSE 'k' || i % 4 END AS kind, i % 3 + 0.1 AS w, "
        "CASE WHEN i % 11 = 0 THEN NULL ELSE i % 4 END AS number"
    )
    duckdb.sql(f"COPY (SELECT {columns} FROM range({N}) t(i)) TO '{path}'")

    def read(truth: str, missing: Any) -> Any:
        return read_table(
            path, columns=["b", "a"], truth=truth, weight="w", missing=missing, where="w < 2"
        )

    for truth in ("kind", "number"):
        for missing in ("keep", "drop"):
            beyond = read(truth, missing)
            assert isinstance(beyond.X, np.memmap)
            with monkeypatch.context() as plenty:
                plenty.setenv(LIMIT_VARIABLE, "1000000")
                within = read(truth, missing)
                plenty.setattr(cells, "MOST_AT_ONCE", 0)
                plenty.setattr(cells, "MOST_CELLS", 0)
                plenty.setattr(cells, "LEAST_ROWS", 100)
                streamed = read(truth, missing)
            for other in (beyond, streamed):
                np.testing.assert_array_equal(other.X, within.X)
                np.testing.assert_array_equal(other.truth, within.truth)
                assert other.truth.dtype == within.truth.dtype
                np.testing.assert_array_equal(other.sample_weight, within.sample_weight)
                assert (other.n_missing, other.n_rows) == (within.n_missing, within.n_rows)


def test_an_error_in_the_middle_of_a_stream_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    monkeypatch.setattr(cells, "MOST_AT_ONCE", 0)
    path = tmp_path / "t.csv"
    lines = [f"{i},{i}" for i in range(300_000)]
    lines[250_000] = "1,2,3"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"t\.csv: .*row 250,?001"):
        read_table(path)


def test_a_limit_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "4 GB")
    with pytest.raises(InputError, match="CENTROIDS_ROWS_IN_MEMORY"):
        Spool(2, np.float64)


def test_a_full_disk_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    monkeypatch.setenv(LIMIT_VARIABLE, "0")
    with Path("/dev/full").open("wb") as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda prefix: full)
        with pytest.raises(OSError, match="TMPDIR"):
            Spool(3, np.float64).append(table())
        assert full.closed
