"""``python -m benchmarks.quality_page``: records of quality.py → docs/quality.md, picture."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.quality import METHODS, RESULTS

DOCS = Path(__file__).resolve().parents[1] / "docs"
REFERENCE = "scikit-learn"

INTRODUCTION = """\
# How low the inertia gets

Local search against more starts ([what local optima are](explanation/optima.md)). Every number
comes from `benchmarks/quality.py`; records are in `benchmarks/results/quality.json`. The sets are
public ones that papers on clustering use (Gagolewski's benchmark suite with those of Fränti &
Sieranoja, UCI, TSPLIB, Fritzke's; 4,000 word vectors of 300 columns). All methods get the same
float64 rows and seeds and take turns on one thread; inertia is computed in float64 from the centers
they return. (scikit-learn with `n_init=100`, and `search='breathing'` on the large sets, were run
after the others, on a busy machine; scikit-learn, `search=None` and the default once more, last, in
turns on a quiet one.)

The *excess* is what the inertia lies above the lowest known: the lowest of earlier long runs of
scikit-learn and bkmeans, or of any run here. Per case (a set and a K) the median of {n_seeds}
seeds, then the mean over the cases. Time is processor time, summed over the cases.
"""


class Summary(NamedTuple):
    excess: float  # mean over the cases, percent
    excess_of_earlier: float  # the same over what was known before these runs
    worst: float
    seconds: float


def main() -> None:
    stored = json.loads(RESULTS.read_text())
    runs: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for record in stored["records"]:
        runs[record["case"]][record["method"]].append(record)
    earlier = stored["best_known"]
    lowest = {
        case: min(
            [r["inertia"] for records in methods.values() for r in records]
            + [earlier[case] or float("inf")]
        )
        for case, methods in runs.items()
    }
    n_seeds = len(next(iter(runs.values()))[REFERENCE])
    text = INTRODUCTION.format(n_seeds=n_seeds)
    everywhere = in_all(runs)
    text += f"\n## All {len(runs)} cases\n\n"
    text += table({m: summarize(m, runs, lowest, earlier) for m in everywhere})
    most = max(len(of_case) for of_case in runs.values())
    compared = {case: of_case for case, of_case in runs.items() if len(of_case) == most}
    methods = in_all(compared)
    summaries = {m: summarize(m, compared, lowest, earlier) for m in methods}
    draw(summaries)
    text += f"\n## {len(compared)} cases, all methods\n\n"
    text += "![Mean excess against time](images/quality.svg)\n\n" + table(summaries)
    text += "\n## Lower than known before\n\n" + new_records(runs, earlier)
    text += "\n## Case by case\n\nMedian excess in percent.\n\n" + cases(runs, lowest)
    notes = RESULTS.with_name("quality_notes.md")
    if notes.exists():
        text += "\n" + notes.read_text()
    (DOCS / "quality.md").write_text(text)


def in_all(runs: dict[str, dict[str, list[dict[str, float]]]]) -> list[str]:
    return [m for m in METHODS if all(m in of_case for of_case in runs.values())]


def percent(value: float, base: float) -> float:
    return 100 * (value / base - 1)


def median_excess(records: list[dict[str, float]], base: float) -> float:
    return percent(median(r["inertia"] for r in records), base)


def summarize(method, runs, lowest, earlier) -> Summary:  # type: ignore[no-untyped-def]
    excess = [median_excess(of_case[method], lowest[case]) for case, of_case in runs.items()]
    over_earlier = [
        median_excess(of_case[method], earlier[case] or lowest[case])
        for case, of_case in runs.items()
    ]
    seconds = sum(median(r["seconds"] for r in of_case[method]) for of_case in runs.values())
    return Summary(fmean(excess), fmean(over_earlier), max(excess), seconds)


def table(summaries: dict[str, Summary]) -> str:
    lines = [
        "| method | mean excess, % | over the lowest known before, % | worst case, % | time, s |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {m} | {s.excess:.2f} | {s.excess_of_earlier:.2f} | {s.worst:.2f} | {s.seconds:.1f} |"
        for m, s in summaries.items()
    ]
    return "\n".join(lines) + "\n"


def new_records(runs, earlier) -> str:  # type: ignore[no-untyped-def]
    lines = ["| case | known before | found | by | lower by, % |", "|---|---|---|---|---|"]
    for case, of_case in runs.items():
        best = min((r for records in of_case.values() for r in records), key=lambda r: r["inertia"])
        if earlier[case] and best["inertia"] < earlier[case] * (1 - 1e-6):
            lines.append(
                f"| {case} | {earlier[case]:.10g} | {best['inertia']:.10g} "
                f"| {best['method']}, seed {best['seed']} "
                f"| {-percent(best['inertia'], earlier[case]):.3f} |"
            )
    return "\n".join(lines) + "\n"


def cases(runs, lowest) -> str:  # type: ignore[no-untyped-def]
    methods = [m for m in METHODS if any(m in of_case for of_case in runs.values())]
    lines = [f"| case | {' | '.join(methods)} |", "|---" * (len(methods) + 1) + "|"]
    for case, of_case in runs.items():
        row = [
            f"{max(0.0, median_excess(of_case[m], lowest[case])):.2f}" if m in of_case else ""
            for m in methods
        ]
        lines.append(f"| {case} | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def draw(summaries: dict[str, Summary]) -> None:
    curves: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for method, s in summaries.items():
        curves[METHODS[method][0]].append((s.seconds, s.excess, method))
    plt.rcParams["svg.hashsalt"] = "quality"
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curves.items():
        points.sort()
        axes.plot([p[0] for p in points], [p[1] for p in points], "o-", label=name)
        for seconds, excess, method in points:
            setting = method.removeprefix(name).removeprefix(", ") or "default"
            axes.annotate(
                setting, (seconds, excess), (4, 4), textcoords="offset points", fontsize=8
            )
    axes.set(
        xscale="log", yscale="log", xlabel="processor time of all cases, s", ylabel="mean excess, %"
    )
    axes.legend()
    (DOCS / "images").mkdir(exist_ok=True)
    figure.savefig(DOCS / "images" / "quality.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
