"""docs/choosing-k.md from the stored results of benchmarks/choose_k.py.

    python -m benchmarks.choose_k_page

Every number on the page is computed from the records in results/choose_k; nothing is typed in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks.choose_k_families import FIRST_JUDGING

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "choose_k"
PAGE = HERE.parent / "docs" / "choosing-k.md"
Record = dict[str, object]
FAILURE_COLUMNS = ("family", "truth", "n_features", "repetition", "k", "runner_up", "verdict")
PUBLIC_COLUMNS = ("repetition", "family", "truth", "k", "runner_up", "verdict")
TITLES = {
    "simplified_silhouette": "simplified silhouette",
    "calinski_harabasz": "Calinski–Harabasz",
    "davies_bouldin": "Davies–Bouldin",
    "wb_index": "WB index",
    "xie_beni": "Xie–Beni",
    "centroid_dunn": "centroid Dunn",
    "bic": "BIC, one variance per cluster",
    "log_inertia_bend": "bend of log inertia",
    "jump": "jump",
    "isolated": "isolated clusters",
    "isolated_held_out": "isolated clusters, held out",
}


def load(name: str) -> list[Record]:
    """Records of one file; none where it was not run."""
    path = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def interval(right: int, n: int) -> str:
    """95 % interval of a share (Wilson 1927), in percent."""
    z, p = 1.96, right / n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{100 * low:.1f}–{100 * high:.1f}"


def share(records: Iterable[Record], answer: Callable[[Record], object]) -> tuple[int, int]:
    """Right answers and all."""
    rights = [answer(r) == r["truth"] for r in records]
    return sum(rights), len(rights)


def percent(counts: tuple[int, int]) -> str:
    """Share in percent, or nothing of nothing."""
    right, n = counts
    return f"{100 * right / n:.1f}" if n else "–"


def chosen(record: Record) -> object:
    """Answer of choose_k."""
    return record["k"]


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Format as Markdown, numbers to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def goals(judged: list[Record], classics: list[Record], public: list[Record]) -> str:
    """The goals, and what was measured."""
    many, one = by_structure(judged)
    rows = [
        [name, goal, f"{percent(c)} % ({c[0]} of {c[1]})", interval(*c)]
        for name, goal, c in (
            ("K ≥ 2 recovered, all families", "≥ 97 %", share(many, chosen)),
            ("K = 1 recognised", "≥ 98 %", share(one, chosen)),
            ("answers called “clear” that are right", "≥ 98 %", share(clear(judged), chosen)),
            ("K-Means-shaped, well-known families", "≥ 95 %", share(shaped(classics), chosen)),
            ("K-Means-shaped public sets, seen in tuning", "≥ 95 %", share(shaped(public), chosen)),
        )
        if c[1]
    ]
    return table(["", "goal", "measured", "95 % interval"], [*rows, *cost_rows(judged)])


def cost_rows(judged: list[Record]) -> list[list[str]]:
    """Cost over the plain sweep: of all cases together, and by case."""
    of = timed(judged)
    ratios = np.array([r["seconds"] / r["plain_seconds"] for r in of])
    total, plain = (sum(r[k] for r in of) for k in ("seconds", "plain_seconds"))
    low, high = np.percentile(ratios, [5, 95])
    within = f"median {np.median(ratios):.1f} ×, 90 % of them {low:.1f}–{high:.1f} ×"
    return [
        ["cost over the plain sweep, all cases together", "≤ 3 ×", f"{total / plain:.2f} ×", ""],
        ["the same, case by case", "≤ 3 ×", within, ""],
    ]


def costs_by_size(judged: list[Record]) -> str:
    """Costs of small and larger sets: medians, and how many stay within three plain sweeps."""
    rows = []
    for name, low, high in (
        ("400 rows", 0, 400),
        ("to 1,000 rows", 401, 1000),
        ("more", 1001, np.inf),
    ):
        of = [r for r in timed(judged) if low <= r["n_samples"] <= high]
        own, plain = (np.array([r[k] for r in of]) for k in ("seconds", "plain_seconds"))
        medians = [f"{1000 * np.median(values):.0f}" for values in (plain, own)]
        within = percent((int((own <= 3 * plain).sum()), len(of)))
        rows.append([name, str(len(of)), *medians, f"{np.median(own / plain):.1f}", within])
    header = ["", "cases", "plain sweep, ms", "choose_k, ms", "ratio", "cases within 3 ×, %"]
    return table(header, rows)


def timed(records: list[Record]) -> list[Record]:
    """Those whose cost was measured, too."""
    return [r for r in records if r["plain_seconds"]]


def repetitions(records: list[Record]) -> str:
    """Repetitions of some records, in words."""
    numbers = sorted({r["repetition"] for r in records if r["truth"] > 1})
    return ", ".join(map(str, numbers))


def by_structure(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """Those with several clusters, and those with one."""
    return [r for r in records if r["truth"] > 1], [r for r in records if r["truth"] == 1]


def shaped(records: list[Record]) -> list[Record]:
    """Sets in which K-Means with the true K finds the true groups."""
    return [r for r in records if r["family"] == "K-Means-shaped"]


def clear(records: list[Record]) -> list[Record]:
    """Answers called clear."""
    return [r for r in records if r["verdict"] == "clear"]


def counted(records: list[Record]) -> str:
    """Right answers of all, in words."""
    right, n = share(records, chosen)
    return f"{right} of {n}"


def classics_table(classics: list[Record]) -> str:
    """Well-known families: truth and the answers on their sets."""
    rows = []
    for name in dict.fromkeys(r["set"] for r in classics):
        of = [r for r in classics if r["set"] == name]
        kinds = {str(r["family"]) for r in of}
        answers = ", ".join(f"{r['k']} ({r['verdict']})" for r in of)
        wrong = sum(r["k"] != r["truth"] for r in of)
        kind = kinds.pop() if len(kinds) == 1 else "some K-Means-shaped"
        rows.append([name, kind, str(of[0]["truth"]), answers, f"{wrong} differ" if wrong else ""])
    return table(["set", "", "K", "answers", ""], rows)


def families(judged: list[Record]) -> str:
    """Recovery by family, beside the best that one criterion alone reaches there."""
    rows = []
    for family in dict.fromkeys(r["family"] for r in judged):
        of = [r for r in judged if r["family"] == family]
        alone = {name: share(of, lambda r, name=name: r["preferred"][name])[0] for name in TITLES}
        best = max(alone, key=alone.get)
        single = f"{percent((alone[best], len(of)))} ({TITLES[best]})" if alone[best] else "0.0"
        c = share(of, chosen)
        rows.append([str(family), f"{percent(c)} ({c[0]} of {c[1]})", single])
    return table(["family", "choose_k, % right", "best single criterion there"], rows)


def methods(peers: list[Record]) -> str:
    """choose_k, its criteria alone and other tools, on the same sets."""
    many, one = ([r for r in peers if (r["truth"] > 1) == is_many] for is_many in (True, False))
    by_size = [
        [r for r in many if low <= r["truth"] <= high] for low, high in ((2, 6), (8, 16), (20, 100))
    ]
    answers: dict[str, Callable[[Record], object]] = {"**choose_k**": chosen}
    for name in peers[0]["peers"]:
        answers[name] = lambda r, name=name: r["peers"][name]
    for name, title in TITLES.items():
        answers[f"{title} alone, our sweep"] = lambda r, name=name: r["preferred"][name]
    rows = [
        [name, *(percent(share(part, answer)) for part in (many, *by_size, one))]
        for name, answer in answers.items()
    ]
    return table(["", "K ≥ 2", "K = 2–6", "K = 8–16", "K = 20–100", "K = 1"], rows)


def verdicts(judged: list[Record]) -> str:
    """How often each verdict is right."""
    rows = []
    for verdict in ("clear", "likely", "ambiguous", "no clusters"):
        of = [r for r in judged if r["verdict"] == verdict]
        c = share(of, chosen)
        two = sum(r["truth"] in (r["k"], r["runner_up"]) for r in of)
        rows.append([verdict, str(len(of)), percent(c), percent((two, len(of)))])
    return table(["verdict", "answers", "right, %", "K or runner-up right, %"], rows)


def failures(judged: list[Record]) -> str:
    """Every wrong answer."""
    rows = [
        [*(str(r[k]) for k in FAILURE_COLUMNS), f"{r['margin']:.2f}"]
        for r in judged
        if r["k"] != r["truth"]
    ]
    header = ["family", "K", "columns", "repetition", "answer", "runner-up", "verdict", "margin"]
    return table(header, rows)


def public_table(public: list[Record]) -> str:
    """Public sets, one by one."""
    rows = [
        [*(str(r[k]) for k in PUBLIC_COLUMNS), "" if r["k"] == r["truth"] else "differs"]
        for r in public
    ]
    return table(["set", "", "reference K", "answer", "runner-up", "verdict", ""], rows)


def large_table(large: list[Record]) -> str:
    """A million rows."""
    rows = [
        [
            f"{r['n_samples']:,} × {r['n_features']}",
            "seen" if r["is_seen"] else "new",
            *(str(r[k]) for k in ("truth", "k", "runner_up", "verdict")),
            *(f"{r[k]:.1f}" for k in ("seconds", "final_seconds")),
            f"{r['adjusted_rand']:.4f}",
        ]
        for r in large
    ]
    header = ["rows × columns", "", "K", "answer", "runner-up", "verdict"]
    return table([*header, "CPU s", "one fit, CPU s", "adjusted Rand"], rows)


def page() -> str:
    """The whole page."""
    judged, before, peers = map(load, ("judging", "judging_before", "peers"))
    classics, public, large = map(load, ("classics", "public", "large"))
    text = (HERE / "choose_k_page.md").read_text()
    n_failed = sum(r["k"] != r["truth"] for r in judged)
    values = {
        "FIRST": str(FIRST_JUDGING),
        "REPETITIONS": repetitions(judged),
        "N_TIMED": str(len(timed(judged))),
        "BEFORE": repetitions(before),
        "N_MANY": str(sum(r["truth"] > 1 for r in judged)),
        "N_ONE": str(sum(r["truth"] == 1 for r in judged)),
        "N_PEERS": str(len(peers)),
        "N_FAILED": str(n_failed),
        "BEFORE_MANY": counted(by_structure(before)[0]),
        "BEFORE_ONE": counted(by_structure(before)[1]),
        "BEFORE_CLEAR": counted(clear(before)),
        "GOALS": goals(judged, classics, public),
        "COSTS": costs_by_size(judged),
        "CLASSICS": classics_table(classics),
        "N_CLASSICS": str(len(shaped(classics))),
        "FAMILIES": families(judged),
        "METHODS": methods(peers) if peers else "",
        "VERDICTS": verdicts(judged),
        "FAILURES": failures(judged),
        "PUBLIC": public_table(public) if public else "",
        "LARGE": large_table(large) if large else "",
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
