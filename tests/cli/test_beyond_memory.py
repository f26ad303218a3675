"""Files whose rows do not fit into memory: the same results, and no file is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import centroids

pytest.importorskip("pyarrow")

Run = Callable[..., Any]
LIMIT = "CENTROIDS_ROWS_IN_MEMORY"
SPILLED = {LIMIT: "0"}


@pytest.fixture
def wide(folder: Path) -> Path:
    """Rows in several blocks, with gaps, a text and classes."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 3, 70_000)
    a = kind * 5 + random.normal(size=len(kind))
    b = 1000 * random.normal(size=len(kind))
    b[::50] = np.nan
    names = np.array(["x", "y", "z"], dtype=object)[kind]
    c = np.exp(random.normal(size=len(kind)))
    centroids.write_table("t.parquet", {"a": a, "b": b, "c": c, "kind": names})
    return folder / "t.parquet"


def test_model_labels_and_numbers_are_the_same_beyond_memory(
    run: Run, wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that makes a copy of rows: gaps, logarithms, scaling, rows held out, all outputs."""
    fit = ("--scale", "standard", "--missing", "impute", "--truth", "kind", "--holdout", "0.25")
    fit = (*fit, "--log", "c")
    temporary = wide.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    results = []
    for name, limit in (("within", "1000000000"), ("beyond", "0")):
        monkeypatch.setenv(LIMIT, limit)
        table = centroids.read_table(wide, columns=["a"])
        assert isinstance(table.X, np.memmap) == (name == "beyond")
        model, labels = f"{name}.safetensors", f"{name}.csv"
        done = run("fit", wide, "-k", 3, *fit, "-o", model, "--labels", labels, "--json")
        assert done.code == 0, done.err
        new = run("predict", model, wide, "-o", f"{name}.parquet", "--distances", "--json")
        judged = run("evaluate", model, wide, "--truth", "kind", "--json")
        said = [part.out.replace(name, "") for part in (done, new, judged)]
        files = [Path(f).read_bytes() for f in (model, labels, f"{name}.parquet")]
        results.append((said, files))
    assert results[0] == results[1]
    assert list(temporary.iterdir()) == []


def test_a_report_is_the_same_beyond_memory(
    run: Run, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jinja2")
    pages = []
    for limit in ("1000000000", "0"):
        monkeypatch.setenv(LIMIT, limit)
        words = ("fit", groups, "-k", "auto", "--scale", "standard", "--report", "r.html")
        assert run(*words).code == 0
        pages.append(Path("r.html").read_text())
    assert pages[0] == pages[1]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name (Linux)")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_fit_that_was_stopped(wide: Path, number: signal.Signals) -> None:
    temporary = wide.parent / "temporary"
    temporary.mkdir()
    package = str(Path(centroids.__file__).resolve().parents[1])
    words = ("fit", str(wide), "-k", "300", "--missing", "drop", "--n-init", "999")
    process = subprocess.Popen(
        [sys.executable, "-m", "centroids", *words, "-o", "m.safetensors"],
        env={**os.environ, **SPILLED, "TMPDIR": str(temporary), "PYTHONPATH": package},
        cwd=wide.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    deadline = time.monotonic() + 60
    while str(temporary) not in maps.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    is_mapped = str(temporary) in maps.read_text()
    process.send_signal(number)
    process.wait(timeout=60)
    assert is_mapped
    assert list(temporary.iterdir()) == []
    assert not Path("m.safetensors").exists()
