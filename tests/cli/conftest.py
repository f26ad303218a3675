"""Running the command line inside the test process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("duckdb")

from centroids.cli import main


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``centroids`` with words and give exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CENTROIDS_TRACEBACK", "")
    monkeypatch.delenv("CENTROIDS_TRACEBACK")

    def run(*words: object) -> Result:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def groups(folder: Path) -> Path:
    """60 rows in three far groups with a name, two numbers and their class; in ``groups.csv``."""
    random = np.random.default_rng(0)
    lines = ["name,a,b,kind"]
    for i in range(60):
        group = i % 3
        a, b = random.normal(20 * group, 1), random.normal(-10 * group, 1)
        lines.append(f"row{i},{a:.6f},{b:.6f},{'ABC'[group]}")
    path = folder / "groups.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
