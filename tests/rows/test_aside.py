"""Work in another thread: in order, with its errors, and ended when nobody waits for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import centroids
from centroids.rows.aside import in_thread


def test_items_come_in_order_from_another_thread() -> None:
    threads = set()

    def numbers() -> Iterator[int]:
        for i in range(100):
            threads.add(threading.get_ident())
            yield i

    assert list(in_thread(numbers, lambda: None)) == list(range(100))
    assert threads.isdisjoint({threading.get_ident()})


def test_an_error_is_raised_where_the_item_was_waited_for() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    items = in_thread(broken, lambda: None)
    assert next(items) == 1
    with pytest.raises(OSError, match="no more"):
        next(items)


def test_the_thread_ends_with_the_one_who_waits() -> None:
    before, is_interrupted = threading.active_count(), threading.Event()

    def endless() -> Iterator[int]:
        while True:
            yield 1

    items = in_thread(endless, is_interrupted.set)
    assert next(items) == 1
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


STREAMED = """
import sys, centroids
from centroids.rows import cells
cells.MOST_AT_ONCE = 0
print(centroids.read_table("t.parquet", truth="name").n_samples, flush=True)
print([name for name in ("pandas", "sklearn") if name in sys.modules], flush=True)
while True:
    centroids.read_table("t.parquet", truth="name")
"""


def test_a_stream_loads_no_data_frames_and_heeds_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    n = 300_000
    names = np.array(["a", None, "b"], dtype=object)[np.arange(n) % 3]
    centroids.write_table(tmp_path / "t.parquet", {"x": np.arange(n) / 7, "name": names})
    monkeypatch.setenv("PYTHONPATH", str(Path(centroids.__file__).resolve().parents[1]))
    with subprocess.Popen(
        [sys.executable, "-c", STREAMED],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
        assert said == [f"{n}\n", "[]\n"]
        assert "KeyboardInterrupt" in process.stderr.read()
