"""How often is K found? choose_k on families with a known answer, and what it costs.

    python -m benchmarks.choose_k                        # judging repetitions, table on stdout
    python -m benchmarks.choose_k --repetitions 0 4      # tuning
    python -m benchmarks.choose_k --data FOLDER          # public sets (NAME.npz and manifest.json);
                                                         # or the variable CENTROIDS_PUBLIC_DATA
    python -m benchmarks.choose_k --peers                # other tools, where they are installed
    python -m benchmarks.choose_k --renew PEERS.jsonl    # our answers of today beside theirs

Records go to a JSON-lines file (--out), one a case, and everything printed is computed from them.
Costs are ratios within one run: choose_k over one k-means++ fit for each K of the same range.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.choose_k_families import JUDGING, Case, cases, rows_of
from centroids import KMeans, choose_k

Record = dict[str, object]
TURNS = 3


def run_case(case: Case, peers: dict[str, Callable], is_timed: bool) -> Record:
    """Choose K for one case, and time it, if asked, against the plain sweep of the same range."""
    rows = rows_of(case)
    return {
        "family": case.family,
        "n_features": case.n_features,
        "repetition": case.repetition,
        **choose(rows, case.n_clusters, peers, is_timed),
    }


def renewed(record: Record) -> Record:
    """Answer of choose_k today, beside those of the peers, which take hours, as they were."""
    case = Case(*(record[k] for k in ("family", "truth", "n_features", "repetition")))
    return run_case(case, {}, is_timed=False) | {"peers": record["peers"]}


def choose(
    rows: np.ndarray, truth: int, peers: dict[str, Callable], is_timed: bool = True
) -> Record:
    """Answer of choose_k and of the peers for one data set."""
    choice = choose_k(rows, random_state=0, n_jobs=1)
    k_max = int(choice.table["n_clusters"][-1])
    seconds, plain = (None, None)
    if is_timed and choice.smallest_share is None:
        seconds, plain = costs(rows, k_max)
    return {
        "n_samples": len(rows),
        "truth": truth,
        "k": choice.k,
        "k_if_forced": choice.k_if_forced,
        "runner_up": choice.runner_up,
        "verdict": choice.verdict,
        "margin": round(choice.margin, 4),
        "gate_ratio": min(choice.gate.ratio, 1e9),
        "gate_p_value": choice.gate.p_value,
        "k_max": k_max,
        "preferred": choice.preferred,
        "seconds": seconds,
        "plain_seconds": plain,
        "peers": {name: peer(rows, k_max) for name, peer in peers.items()},
    }


def costs(rows: np.ndarray, k_max: int) -> tuple[float, float]:
    """CPU seconds of choose_k and of one k-means++ fit for each number of clusters.

    The least of several turns each, side by side: on a busy machine the others measure the others.
    """

    def seconds(run: Callable[[], object]) -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    def plain_sweep() -> None:
        for k in range(1, k_max + 1):
            KMeans(k, search=None, n_init=1, random_state=0, n_jobs=1).fit(rows)

    turns = [
        (seconds(lambda: choose_k(rows, random_state=0, n_jobs=1)), seconds(plain_sweep))
        for _ in range(TURNS)
    ]
    return min(own for own, _ in turns), min(plain for _, plain in turns)


def public_sets(folder: Path, largest: int) -> Iterator[tuple[str, dict, np.ndarray]]:
    """Sets of the folder with a known K, as float64 rows."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, about in manifest.items():
        if about["kmeans_shaped"] is not None and about["k_true"] > 0 and about["d"] <= largest:
            yield name, about, np.load(folder / f"{name}.npz")["X"].astype(np.float64)


# ---------------------------------------------------------------- tables


def recovery(records: list[Record], answer: Callable[[Record], object]) -> dict[str, str]:
    """Share of right answers by family, and the totals."""
    by_family: dict[str, list[bool]] = defaultdict(list)
    for record in records:
        right = answer(record) == record["truth"]
        by_family[str(record["family"])].append(right)
        by_family["K = 1" if record["truth"] == 1 else "K ≥ 2"].append(right)
    return {
        name: f"{100 * np.mean(rights):.1f} ({sum(rights)}/{len(rights)})"
        for name, rights in by_family.items()
    }


def print_tables(records: list[Record]) -> None:
    """Print recovery, the reliability of verdicts, costs, and every failure."""
    answers: dict[str, Callable[[Record], object]] = {
        "choose_k": lambda r: r["k"],
        "choose_k, forced to K ≥ 2": lambda r: r["k_if_forced"],
    }
    for name in records[0]["preferred"]:
        answers[name] = lambda r, name=name: r["preferred"][name]
    for name in records[0]["peers"]:
        answers[name] = lambda r, name=name: r["peers"][name]
    tables = {name: recovery(records, answer) for name, answer in answers.items()}
    families = list(dict.fromkeys(f for table in tables.values() for f in table))
    print("| | " + " | ".join(families) + " |")
    print("|---" * (len(families) + 1) + "|")
    for name, table in tables.items():
        shares = [table[f].split()[0] if name != "choose_k" else table[f] for f in families]
        print(f"| {name} | " + " | ".join(shares) + " |")
    print_verdicts(records)
    print_costs(records)
    for r in records:
        if r["k"] != r["truth"]:
            keys = ("family", "truth", "n_features", "repetition", "k", "k_if_forced")
            more = ("runner_up", "verdict", "margin", "gate_ratio", "gate_p_value")
            print(*(r[key] for key in keys), *(r[key] for key in more))


def print_verdicts(records: list[Record]) -> None:
    """Print how often each verdict is right, and how often the truth is among the best two."""
    for verdict in ("clear", "likely", "ambiguous", "no clusters"):
        of = [r for r in records if r["verdict"] == verdict]
        right = sum(r["k"] == r["truth"] for r in of)
        in_two = sum(r["truth"] in (r["k"], r["runner_up"]) for r in of)
        share = f"{100 * right / len(of):.1f} %" if of else "-"
        print(f"{verdict}: {right} of {len(of)} right ({share}), {in_two} in the best two")


def print_costs(records: Iterable[Record]) -> None:
    """Print the cost against the plain sweep of the same range, summed and by case."""
    timed = [r for r in records if r["plain_seconds"]]
    if timed:
        total, plain = (sum(r[k] for r in timed) for k in ("seconds", "plain_seconds"))
        ratios = np.array([r["seconds"] / r["plain_seconds"] for r in timed])
        print(
            f"cost: {total:.1f} s over {plain:.1f} s of plain sweeps = {total / plain:.2f}; "
            f"by case median {np.median(ratios):.2f}, 95 % {np.percentile(ratios, 95):.2f}"
        )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--repetitions", nargs=2, type=int, default=(JUDGING.start, JUDGING.stop))
    add("--many", action="store_true", help="K = 50 and 100, too")
    add("--peers", action="store_true")
    add("--untimed", action="store_true", help="answers only, no costs")
    add("--every", type=int, default=1, help="every Nth case only: for slow peers")
    add("--data", type=Path, default=os.environ.get("CENTROIDS_PUBLIC_DATA"))
    add("--only-data", action="store_true")
    add("--out", type=Path)
    add("--renew", type=Path, help="a file of records, which is written anew")
    args = parser.parse_args()
    if args.renew:
        records = [renewed(json.loads(line)) for line in args.renew.read_text().splitlines()]
        args.renew.unlink()
        print_tables(keep(args.renew, records))
        return
    peers: dict[str, Callable] = {}
    if args.peers:
        from benchmarks.choose_k_peers import available_peers

        peers = available_peers()
    if not args.only_data:
        listed = islice(cases(range(*args.repetitions), many=args.many), 0, None, args.every)
        print_tables(keep(args.out, (run_case(case, peers, not args.untimed) for case in listed)))
    if args.data:
        public = (
            {"family": "K-Means-shaped" if about["kmeans_shaped"] else "other shapes"}
            | {"n_features": about["d"], "repetition": name}
            | choose(rows, about["k_true"], peers)
            for name, about, rows in public_sets(Path(args.data), 100)
        )
        print_tables(keep(args.out, public))


def keep(path: Path | None, records: Iterable[Record]) -> list[Record]:
    """Collect records, and append each to the file as soon as it is there."""
    kept = []
    for record in records:
        kept.append(record)
        if path:
            with path.open("a") as file:
                file.write(json.dumps(record, default=float) + "\n")
    return kept


if __name__ == "__main__":
    main()
