"""The machine's limits, measured: what ``of the limit`` in the tables refers to."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ("-std=c++20", "-O3", "-march=native", "-ffp-contract=fast", "-pthread", "-Wno-psabi")


def measure_peaks(threads: int) -> dict[str, object]:
    """FMA peak by dtype in GFLOP/s and reading in GB/s, on so many threads; {} without a compiler.

    The fastest of several rounds, so that others who use the machine lower it little.
    """
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
        run = subprocess.run([program, str(threads)], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)
