"""Run a selection of suites × cells × libraries × repeats and store every measurement.

``python -m benchmarks.run`` measures everything (hours); ``--quick`` is a smoke test of minutes.
Each measurement is a process of its own. The libraries take turns within every repeat, in an
order that rotates, so that drift of a shared machine hits all of them alike.
"""

import argparse
import datetime
import fnmatch
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import cells, machine, results
from benchmarks.data import cache_folder, data_file
from benchmarks.measure import build
from benchmarks.peak import measure_peaks
from benchmarks.peers import PEERS, parse_name

# Suite → its cells, and for each of its tasks how often: repeats of a step, seeds of a fit.
SUITES: dict[str, tuple[tuple[cells.Cell, ...], dict[str, int]]] = {
    "cells": (cells.CELLS, {"step": 3, "fit": 5}),
    "shapes": (cells.OTHER_SHAPES, {"step": 3, "fit": 5}),
    "small": (cells.SMALL, {"small-fit": 3, "small-predict": 3}),
    "memory": (cells.MEMORY, {"memory": 1}),
    "growth": (tuple(dict.fromkeys(sum(cells.GROWTH.values(), ()))), {"step": 2, "fit": 3}),
}


@dataclass(frozen=True)
class Measurement:
    suite: str
    task: str
    cell: cells.Cell
    peer: str
    seed: int
    rows: int | None = None  # the first rows only: memory is measured at two sizes


def main() -> int:
    options = parse_options()
    base = cache_folder() / "quick" if options.quick else None
    path = options.results or results.folder(base)
    results.describe_machine(path, measure_peaks(options.threads))
    done = finished(path, options.threads) if options.resume else set()
    plan = list(planned(options))
    failures = 0
    for number, item in enumerate(plan, 1):
        spec = asdict(item) | {"threads": options.threads}
        record_key = results.key(identity(spec))
        if record_key in done:
            continue
        if options.wait_idle:
            machine.wait_until_idle(options.wait_idle)
        record = measured(spec, options.timeout)
        failures += record is None
        if record:
            results.append(path, record)
        print(f"[{number}/{len(plan)}] {line(item, record)}", flush=True)
    print(f"results: {path.name}; failed: {failures}")
    return 1 if failures else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--tasks", nargs="+", help="step, fit, small-fit, small-predict, memory")
    parser.add_argument("--cells", nargs="+", default=["*"], help="patterns, as in '*-f8'")
    parser.add_argument(
        "--peers",
        nargs="+",
        default=list(PEERS),
        help="libraries; with options as in centroids:algorithm=elkan",
    )
    parser.add_argument("--threads", type=int, default=machine.usable_cpus())
    parser.add_argument("--repeats", type=int, help="instead of each task's own number")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds per measurement")
    parser.add_argument(
        "--wait-idle", type=float, default=0, help="wait up to so many seconds for a quiet machine"
    )
    parser.add_argument("--resume", action="store_true", help="skip what is measured already")
    parser.add_argument("--quick", action="store_true", help="smoke test: tiny cells, one repeat")
    parser.add_argument("--results", type=Path, help="folder for the results")
    options = parser.parse_args()
    try:
        for name in options.peers:
            parse_name(name)  # a typing error shall not wait for its turn
    except ValueError as error:
        parser.error(str(error))
    return options


def planned(options: argparse.Namespace) -> Iterator[Measurement]:
    """Every measurement of the selection, in the order in which it is made."""
    for suite in options.suites:
        suite_cells, tasks = SUITES[suite]
        if options.quick:
            suite_cells = cells.QUICK[suite]
        for task, usual_repeats in tasks.items():
            if options.tasks and task not in options.tasks:
                continue
            repeats = options.repeats or (1 if options.quick else usual_repeats)
            for cell in suite_cells:
                if any(fnmatch.fnmatch(cell.key, pattern) for pattern in options.cells):
                    yield from turns(suite, task, cell, options.peers, repeats)


def turns(
    suite: str, task: str, cell: cells.Cell, names: list[str], repeats: int
) -> Iterator[Measurement]:
    """One cell's measurements: in every repeat all libraries, each time another one first."""
    able = [name for name in names if is_able(name, task, cell)]
    sizes = (cell.n_samples, cell.n_samples // 2) if task == "memory" else (None,)
    for repeat in range(repeats):
        first = repeat % max(1, len(able))
        for name in able[first:] + able[:first]:
            for rows in sizes:
                yield Measurement(suite, task, cell, name, repeat, rows)


def is_able(name: str, task: str, cell: cells.Cell) -> bool:
    """Whether the library has this task and takes such rows."""
    peer = PEERS[parse_name(name)[0]]
    large_enough = (
        cell.n_features >= peer.fewest_features and cell.n_clusters >= peer.fewest_clusters
    )
    return large_enough and task.split("-")[0] in peer.tasks


def measured(spec: dict, timeout: float) -> results.Record | None:
    """Record of one measurement; None if it failed, a record with ``error`` if it took too long."""
    data_file(cells.Cell(**spec["cell"]))  # generated here: it must not count as the child's memory
    command = [sys.executable, "-m", "benchmarks.measure", json.dumps(spec)]
    stamp = {"suite": spec["suite"], "date": datetime.date.today().isoformat()}
    try:
        child = subprocess.run(
            command, cwd=results.HERE.parent, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return identity(spec) | stamp | {"error": f"more than {timeout:g} s"}
    if child.returncode:
        print(child.stderr.strip()[-2000:], file=sys.stderr)
        return None
    return stamp | json.loads(child.stdout.splitlines()[-1])


def identity(spec: dict) -> results.Record:
    """The fields of the future record that identify it."""
    cell = cells.Cell(**spec["cell"])
    fields = {name: spec[name] for name in ("suite", "task", "peer", "threads", "seed")}
    return fields | {"cell": cell.key, "n_samples": spec["rows"] or cell.n_samples}


def finished(path: Path, threads: int) -> set[tuple]:
    """Keys measured already; those of centroids only if the same build is still installed."""
    current = build("centroids")
    return {
        results.key(record)
        for record in results.select(results.load(path), threads=threads)
        if record.get("build") in (None, current)
    }


def line(item: Measurement, record: results.Record | None) -> str:
    """One line for the terminal."""
    text = f"{item.suite} {item.task} {item.cell.key} {item.peer} #{item.seed}:"
    if record is None or "error" in record:
        return f"{text} {record['error'] if record else 'FAILED'}"
    text += f" {record['seconds']:.4g} s"
    if "inertia" not in record:
        return text
    text += f", {record['n_iter']} iterations, inertia {record['inertia']:.8g}"
    text += f", {record['peak_bytes'] / record['n_samples']:.0f} B/row"
    if (record["others"] or 0) > 0.05:
        text += f", others took {record['others']:.0%} of the machine"
    if record["threads_used"] > 1.1 * record["threads"]:
        text += f", {record['threads_used']} THREADS"
    return text


if __name__ == "__main__":
    sys.exit(main())
