"""Results → a page of docs and its plots. Losses are in bold; nothing is left out.

``python -m benchmarks.render`` takes this machine's results, ``python -m benchmarks.render FOLDER``
those of another; ``--page`` and ``--title`` make another page than docs/performance.md. What the
numbers mean is written by hand into notes.md beside the results.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks import results
from benchmarks.cells import STEP_ITERATIONS
from benchmarks.peers import PEERS
from benchmarks.plots import draw_growth
from benchmarks.results import Record
from benchmarks.summary import (
    LIBRARIES,
    OURS,
    REFERENCE,
    Row,
    disturbance,
    geometric_mean,
    library_of,
    memory,
    roofline,
    rows,
)

DOCS = Path(__file__).resolve().parents[1] / "docs"
INTEL = "scikit-learn-intelex"
FASTEST = "fastest peer"
# Task → compared with → (goal in every cell, goal of the geometric mean).
GOALS: dict[str, dict[str, tuple[float | None, float | None]]] = {
    "step": {REFERENCE: (2, 3), FASTEST: (1, None)},
    "fit": {REFERENCE: (5, 10), INTEL: (2, None), FASTEST: (None, None)},
    "small": {REFERENCE: (5, None)},
}
INERTIA_GOAL = 0.005
MEMORY_GOAL = 32

INTRODUCTION = """\
# Performance

Every number on this page comes from `make bench`; the measurements are in `benchmarks/results` as
data, the way each library is called in `benchmarks/peers.py`.

Each measurement is a process of its own, with a warm-up before. All libraries get the same rows,
the same dtype and the same number of threads, use all rows, and take turns. Times are medians.
Inertia is recomputed in float64 outside of the libraries, from the centers they return; it stands
beside every time as the excess over scikit-learn's. Ratios say how many times faster centroids is:
**bold** is a loss, ▽ is below the goal.

Cells read rows × columns - clusters - dtype. Data: twice as many overlapping Gaussian components as
clusters, with unequal weights; *heavytails*: Student's t with three degrees of freedom around the
same means; *spectrum*: variance that decays over hidden directions; *uniform*: no clusters at all.
"""

STEP_TEXT = f"""\
{STEP_ITERATIONS} iterations from the same random rows as centers, `tol=0`, labels included; in
seconds. Iterations are given where a library stopped earlier or counts otherwise. *Of the limit*:
the larger of 2 · rows · clusters · columns flops at the measured FMA peak and one read of the rows
at the measured bandwidth, per iteration, over our time; passes that skip rows can exceed 100 %.
"""

FIT_TEXT = """\
Each library's own k-means++ with `n_init=1` to convergence (`tol=1e-4`, `max_iter=300`); median
of five seeds unless the notes below say otherwise; seconds, iterations, inertia. centroids runs
with `search=None`; it ends by the same rule as scikit-learn, and large fits get there in fewer
iterations ([0016](decisions/0016-refined-start.md), [0017](decisions/0017-momentum.md)). The last
column compares our inertia with the lowest of the peers'; bold is more than 0.5 % above.
"""

SMALL_TEXT = """\
Microseconds. *Checks* is what scikit-learn's `check_array` alone costs on the same input.
"""

MEMORY_TEXT = f"""\
Peak resident memory above the input, in bytes a row: what each further row costs (the slope
between half of the rows and all of them), in brackets the whole peak divided by the rows. Goal:
{MEMORY_GOAL} bytes a row, plus O(clusters · columns) per thread.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", help="folder with results")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page and plots go")
    parser.add_argument("--page", default="performance", help="name of the page")
    parser.add_argument("--title", default="Performance", help="its heading")
    options = parser.parse_args()
    path = options.results or results.folder()
    records = results.load(path)
    if not records:
        raise SystemExit("no results there: run python -m benchmarks.run first")
    options.docs.mkdir(parents=True, exist_ok=True)
    plots = draw_growth(records, options.docs)
    description = json.loads((path / "machine.json").read_text())
    notes = path / "notes.md"
    text = page(records, description, plots, notes.read_text() if notes.exists() else "")
    text = text.replace("# Performance", f"# {options.title}", 1)
    (options.docs / f"{options.page}.md").write_text(text)


def page(records: list[Record], description: Record, plots: list[Path], notes: str) -> str:
    """The whole page."""
    peaks = description.get("peaks") or {}
    parts = [INTRODUCTION, machine_section(records, description)]
    for suite, title in (("cells", ""), ("shapes", " on other shapes of data")):
        for task, text in (("step", STEP_TEXT), ("fit", FIT_TEXT)):
            table = rows(records, suite, task)
            if table:
                parts.append(f"## {task.capitalize()}{title}\n\n{text}")
                parts += [comparison(table, task, peaks), algorithms(table, task)]
    parts += [small_section(records), memory_section(records), growth_section(plots)]
    parts += [remarks_section(records), notes]
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def machine_section(records: list[Record], description: Record) -> str:
    """What it was measured on and with."""
    disturbed, total, worst = disturbance(records)
    dates = sorted({record["date"] for record in records})
    threads = sorted({record["threads"] for record in records})
    lines = [
        f"- {description['cpu']} (family {description['family']}, model {description['model']}), "
        f"{description['cores']} cores, {description['memory_gb']} GB; "
        f"threads used: {', '.join(map(str, threads))}",
        f"- {', '.join(description['caches'])}; {' '.join(description['isa'])}",
        f"- {description['system']}, Python {description['python']}",
        f"- {', '.join(versions(records))}",
        f"- measured {dates[0]} to {dates[-1]}; others took more than 5 % of the machine in "
        f"{disturbed} of {total} measurements (at worst {worst:.0%})",
    ]
    peaks = description.get("peaks") or {}
    if peaks:
        gflops = ", ".join(f"{value:g} ({dtype})" for dtype, value in peaks["fma_gflops"].items())
        bandwidth = f"{peaks['read_gbytes']:g}"
        lines.append(f"- measured: FMA peak {gflops} GFLOP/s, reading {bandwidth} GB/s")
    return "## Machine\n\n" + "\n".join(lines) + "\n"


def versions(records: list[Record]) -> list[str]:
    """Every library's version, once."""
    found = {}
    for record in records:
        for name, version in record.get("versions", {}).items():
            if name not in {"python", "pools"}:
                found[name] = f"{name} {version}"
    return sorted(found.values())


def comparison(table: list[Row], task: str, peaks: Record) -> str:
    """Table of one task: a line per cell, the geometric means below."""
    goals = GOALS[task]
    with_roofline = task == "step" and any(roofline(r, STEP_ITERATIONS, peaks) for r in table)
    header = ["cell", *LIBRARIES, *(f"× {name}" for name in goals)]
    lines = []
    for row in table:
        cells = [row.cell, *(entry_text(row, library, task) for library in LIBRARIES)]
        cells += [ratio_text(row, name, goals[name][0]) for name in goals]
        if task == "fit":
            cells.append(worst_excess_text(row))
        if with_roofline:
            share = roofline(row, STEP_ITERATIONS, peaks)
            cells.append(f"{share:.0%}" if share else "–")
        lines.append(cells)
    means = ["geometric mean", *("" for _ in LIBRARIES)]
    for name, (_, goal) in goals.items():
        values = [r for r in (_ratio(row, name)[0] for row in table) if r]
        mean = geometric_mean(values)
        means.append(f"{mean:.2f}{below(mean, goal)}" if mean else "–")
    if task == "fit":
        header.append("inertia over the lowest")
        means.append("")
    if with_roofline:
        header.append("of the limit")
        means.append("")
    return markdown(header, [*lines, means])


def algorithms(table: list[Row], task: str) -> str:
    """What the choice of the algorithm costs, where algorithms were forced."""
    forced = sorted({name for row in table for name in row.entries if name.startswith(f"{OURS}:")})
    if not forced:
        return ""
    lines = []
    for row in table:
        times = [entry_text(row, name, task) for name in (OURS, *forced)]
        ratios = [row.ratio(name) for name in forced if row.ratio(name)]
        lines.append([row.cell, *times, f"{min(ratios):.2f}" if ratios else "–"])
    header = ["cell", OURS, *(name.partition(":")[2] for name in forced), "× best forced"]
    return markdown(header, lines)


def entry_text(row: Row, library: str, task: str) -> str:
    """Time, iterations and inertia of one library; ° is float32 instead of float64."""
    entry = row.entries.get(library)
    if entry is None:
        return "–"
    parts = [f"{entry.seconds:.3g}" + ("" if entry.same_dtype else "°")]
    if entry.peer != library:
        parts[0] += "ᵛ"
    if entry.n_iter is not None and (task == "fit" or entry.n_iter != STEP_ITERATIONS):
        parts.append(f"{entry.n_iter:g} it.")
    excess = row.excess(library)
    if excess is not None and library != REFERENCE:
        parts.append(excess_text(excess))
    return " · ".join(parts)


def excess_text(excess: float) -> str:
    """Percent, or a power of ten where percent would show zeros only."""
    if excess == 0:
        return "="
    return f"{excess:+.2%}" if abs(excess) >= 5e-5 else f"{excess:+.0e}"


def worst_excess_text(row: Row) -> str:
    """By how much our inertia exceeds the lowest of the peers'; bold is more than the goal."""
    found = [row.excess(OURS, over=library) for library in LIBRARIES if library != OURS]
    worst = max((excess for excess in found if excess is not None), default=None)
    if worst is None:
        return "–"
    return f"**{excess_text(worst)}**" if worst > INERTIA_GOAL else excess_text(worst)


def ratio_text(row: Row, name: str, goal: float | None) -> str:
    ratio, library = _ratio(row, name)
    if ratio is None:
        return "–"
    text = f"{ratio:.2f}"
    if ratio < 1:
        text = f"**{text}**"
    text += below(ratio, goal)
    return f"{text} ({library})" if name == FASTEST else text


def below(value: float, goal: float | None) -> str:
    return " ▽" if goal and value < goal else ""


def small_section(records: list[Record]) -> str:
    lines = []
    goal = GOALS["small"][REFERENCE][0]
    for task, title in (("small-fit", "fit"), ("small-predict", "predict one row")):
        for row in rows(records, "small", task):
            checks = [e.check_seconds for e in row.entries.values() if e.check_seconds]
            times = [
                f"{row.entries[library].seconds * 1e6:.3g}" if library in row.entries else "–"
                for library in LIBRARIES
            ]
            check = f"{min(checks) * 1e6:.3g}" if checks else "–"
            lines.append([f"{title}, {row.cell}", *times, check, ratio_text(row, REFERENCE, goal)])
    if not lines:
        return ""
    header = ["", *LIBRARIES, "checks", f"× {REFERENCE}"]
    return f"## Small inputs\n\n{SMALL_TEXT}\n" + markdown(header, lines)


def memory_section(records: list[Record]) -> str:
    table = memory(records)
    if not table:
        return ""
    lines = []
    for cell, peers in table.items():
        texts = []
        for library in LIBRARIES:
            if library not in peers:
                texts.append("–")
                continue
            whole, slope = peers[library]
            mark = " ▽" if library == OURS and slope > MEMORY_GOAL else ""
            texts.append(f"{slope:.1f} ({whole:.1f}){mark}")
        lines.append([cell, *texts])
    return f"## Memory\n\n{MEMORY_TEXT}\n" + markdown(["cell", *LIBRARIES], lines)


def growth_section(plots: list[Path]) -> str:
    if not plots:
        return ""
    images = "\n\n".join(f"![Growth of the time of a {p.stem[7:]}]({p.name})" for p in plots)
    return f"## Growth\n\nOne size moves, the two others stay.\n\n{images}\n"


def remarks_section(records: list[Record]) -> str:
    """How the peers differ, and what could not be measured."""
    lines = [
        "- ° computed in float32, because the library knows nothing else: not counted as a peer",
        "- ᵛ a variant of the library was faster: "
        + ", ".join(f"`{name}` ({p.remark})" for name, p in PEERS.items() if p.variant_of),
    ]
    lines += [
        f"- {name}: {peer.remark}"
        for name, peer in PEERS.items()
        if peer.remark and not peer.variant_of
    ]
    lines += [
        f"- {library_of(r['peer'])}, {r['suite']}, {r['task']}, {r['cell']}: {r['error']}"
        for r in records
        if "error" in r
    ]
    return "## Remarks\n\n" + "\n".join(lines) + "\n"


def markdown(header: list[str], lines: Iterable[list[str]]) -> str:
    """A table; numbers to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    join: Callable[[list[str]], str] = lambda cells: f"| {' | '.join(cells)} |"  # noqa: E731
    return "\n".join(map(join, [header, rule, *lines])) + "\n"


def _ratio(row: Row, name: str) -> tuple[float | None, str | None]:
    library = row.fastest_peer() if name == FASTEST else name
    return (row.ratio(library) if library else None), library


if __name__ == "__main__":
    main()
