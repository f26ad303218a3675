"""ONE measurement in a process of its own; prints one line of JSON.

``python -m benchmarks.measure '{"task": "step", "peer": "faiss", "cell": {…}, "threads": 2,
"seed": 0}'``. Whatever loads NumPy is imported inside functions: the number of threads must be in
the environment before.
"""

import ctypes
import gc
import hashlib
import importlib.util
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cells import STEP_ITERATIONS, Cell
from benchmarks.machine import Watch

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.peers import Outcome, Peer

WARM_UP = Cell(2_000, 32, 8, "f4")
# A call shorter than this is repeated in the process and the median taken.
ENOUGH_SECONDS = 0.5
MOST_REPEATS = 200


def main() -> None:
    spec = json.loads(sys.argv[1])
    limit_threads(spec["threads"])
    print(json.dumps(measure(spec)))


def limit_threads(threads: int) -> None:
    """Bind every runtime to this many threads; must run before any of them is loaded."""
    if "numpy" in sys.modules:
        raise RuntimeError("NumPy is loaded already, its BLAS has chosen its threads")
    for runtime in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{runtime}_NUM_THREADS"] = str(threads)


def measure(spec: dict) -> dict:
    """Record of one task of one library on one cell."""
    import numpy as np

    from benchmarks.data import data_file
    from benchmarks.peers import make_peer

    cell = Cell(**spec["cell"])
    peer = make_peer(spec["peer"], spec["threads"])
    # Read, not mapped: pages of a mapped file would count as memory of the fit that touches them.
    rows = np.load(data_file(cell))[: spec.get("rows") or cell.n_samples]
    if cell.dtype not in peer.dtypes:
        rows = rows.astype(peer.dtypes[0])
    warm_up(peer, rows.dtype.str[1:])
    task = measure_small if spec["task"].startswith("small") else measure_fit
    record = {key: spec[key] for key in ("task", "peer", "threads", "seed")}
    record |= {"cell": cell.key, "n_samples": len(rows), "n_features": cell.n_features}
    record |= {"n_clusters": cell.n_clusters, "dtype": cell.dtype, "dtype_used": rows.dtype.str[1:]}
    record |= task(peer, rows, cell, spec)
    record |= {"versions": versions(peer), "build": build(peer.packages[0])}
    return record


def warm_up(peer: "Peer", dtype: str) -> None:
    """Load libraries, start threads, choose kernels: none of that belongs to a fit."""
    import numpy as np

    generator = np.random.default_rng(0)
    shape = (WARM_UP.n_samples, WARM_UP.n_features)
    rows = generator.standard_normal(shape).astype(dtype)
    peer.step(rows, rows[: WARM_UP.n_clusters].copy(), 5)()
    if "fit" in peer.tasks:
        peer.fit(rows, WARM_UP.n_clusters, 0)()


def measure_fit(peer: "Peer", rows: "np.ndarray", cell: Cell, spec: dict) -> dict:
    """Time, memory, iterations and inertia of a step, a fit, or (once) a fit for its memory."""
    from benchmarks.data import start_centers

    if spec["task"] == "step":
        call = peer.step(rows, start_centers(rows, cell), STEP_ITERATIONS)
    else:
        call = peer.fit(rows, cell.n_clusters, spec["seed"])
    gc.collect()
    baseline = start_peak()
    watch = Watch()
    seconds, outcome = timed(call)
    threads_used = watch.cpu_seconds() / seconds
    peak = peak_bytes() - baseline  # of the first call: later ones may reuse what it freed
    all_seconds = [seconds]
    while sum(all_seconds) < ENOUGH_SECONDS and len(all_seconds) < MOST_REPEATS:
        seconds, outcome = timed(call)
        all_seconds.append(seconds)
    record = {
        "seconds": statistics.median(all_seconds),
        "fastest_seconds": min(all_seconds),
        "repeats": len(all_seconds),
        "centers_seconds": outcome.centers_seconds,
        "threads_used": round(threads_used, 2),
        "others": watch.others(),
        "peak_bytes": peak,
        "n_iter": None if outcome.n_iter is None else int(outcome.n_iter),
    }
    return record | quality(rows, outcome)


def measure_small(peer: "Peer", rows: "np.ndarray", cell: Cell, spec: dict) -> dict:
    """Median time of a tiny fit or a one-row predict over many repeats in this process."""
    from sklearn.utils import check_array

    if spec["task"] == "small-fit":
        call = peer.fit(rows, cell.n_clusters, spec["seed"])
        checked = rows
    else:
        call = peer.predict_one(rows, cell.n_clusters)
        checked = rows[:1]
    return {
        "seconds": median_seconds(call),
        # What scikit-learn's checks of the input alone cost: nobody who uses them can be faster.
        "check_seconds": median_seconds(lambda: check_array(checked)),
    }


def timed(call: Callable[[], "Outcome"]) -> tuple[float, "Outcome"]:
    begin = time.perf_counter()
    outcome = call()
    return time.perf_counter() - begin, outcome


def median_seconds(call: Callable[[], object], budget: float = 2.0) -> float:
    """Median of at least 20 and at most 5,000 calls."""
    all_seconds: list[float] = []
    deadline = time.perf_counter() + budget
    while len(all_seconds) < 20 or (time.perf_counter() < deadline and len(all_seconds) < 5_000):
        begin = time.perf_counter()
        call()
        all_seconds.append(time.perf_counter() - begin)
    return statistics.median(all_seconds)


def quality(rows: "np.ndarray", outcome: "Outcome") -> dict:
    """Inertia of the centers in float64, and by how much the library's labels exceed it."""
    import numpy as np

    centers = np.asarray(outcome.centers, dtype=np.float64)
    labels = np.asarray(outcome.labels).ravel()
    half_norms = 0.5 * np.einsum("kd,kd->k", centers, centers)
    nearest_total = labelled_total = 0.0
    block = max(1, 8_000_000 // (len(centers) + rows.shape[1]))
    for begin in range(0, len(rows), block):
        x = rows[begin : begin + block].astype(np.float64)
        nearest = np.argmin(half_norms - x @ centers.T, axis=1)
        nearest_total += squared_distances(x, centers[nearest])
        labelled_total += squared_distances(x, centers[labels[begin : begin + block]])
    return {
        "inertia": nearest_total,
        "labels_excess": labelled_total / nearest_total - 1.0 if nearest_total else 0.0,
        "n_clusters_found": len(np.unique(labels)),
    }


def squared_distances(x: "np.ndarray", y: "np.ndarray") -> float:
    """Sum over the rows of |x − y|², from differences: nothing cancels."""
    difference = x - y
    return float((difference * difference).sum())


def start_peak() -> int:
    """Set the process's memory peak back to what it holds now; returns that, in bytes."""
    if sys.platform == "linux":
        # Freed memory that malloc keeps would hide what the fit allocates.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda pad: 0)(0)
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """Largest resident size since start_peak.

    Linux: VmHWM. ru_maxrss cannot be set back and starts with the parent's size before exec.
    """
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def versions(peer: "Peer") -> dict[str, object]:
    """Versions of the library and of the thread pools and BLAS it brought (which decide much)."""
    from threadpoolctl import threadpool_info

    texts = []
    for pool in threadpool_info():
        named = (pool["prefix"], pool["version"], pool.get("architecture"))
        texts.append(" ".join(str(part) for part in named if part))
    return {"python": platform.python_version(), **peer.versions(), "pools": sorted(texts)}


def build(package: str) -> str | None:
    """Fingerprint of centroids' installed files: its version stays while its code changes."""
    spec = importlib.util.find_spec(package) if package == "centroids" else None
    if spec is None or spec.origin is None:
        return None
    digest = hashlib.sha256()
    for path in sorted(Path(spec.origin).parent.rglob("*")):
        if path.suffix in {".py", ".so", ".pyd"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    main()
