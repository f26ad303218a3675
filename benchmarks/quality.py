"""How low the inertia gets, and in what time: one start, many starts, local search.

``python -m benchmarks.quality --data DIR`` measures the sets of DIR: ``manifest.json`` names them
(``{name: {"ks": [...], "best_sse": {k: sse}}}``), ``NAME.npz`` holds ``X``. Without ``--data``,
sets that scikit-learn ships or makes. Records go to ``benchmarks/results/quality.json``, beside
those of other methods and cases; ``python -m benchmarks.quality_page`` makes docs/quality.md.

All methods get the same float64 rows and seeds and take turns on one thread; time is processor
time of this process. Inertia is computed here, in float64, from the centers that a method returns.
A peer that is not installed is left out.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import numpy as np  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results" / "quality.json"
Fit = Callable[[np.ndarray, int, int], np.ndarray]  # rows, number of clusters, seed -> centers


class Case(NamedTuple):
    name: str
    rows: np.ndarray
    n_clusters: int
    best_known: float | None


def centroids(**options: Any) -> Fit:
    from centroids import KMeans

    return lambda X, k, seed: (
        KMeans(k, random_state=seed, n_jobs=1, **options).fit(X).cluster_centers_
    )


def scikit_learn(n_init: int) -> Fit:
    from sklearn.cluster import KMeans

    return lambda X, k, seed: KMeans(k, n_init=n_init, random_state=seed).fit(X).cluster_centers_


def bkmeans() -> Fit:
    from bkmeans import BKMeans

    return lambda X, k, seed: BKMeans(n_clusters=k, random_state=seed).fit(X).cluster_centers_


def flspp() -> Fit:
    from flspp import FLSpp

    return lambda X, k, seed: FLSpp(n_clusters=k, random_state=seed).fit(X).cluster_centers_


# Method → (curve it is a point of, module it needs, how to make it).
METHODS: dict[str, tuple[str, str, Callable[[], Fit]]] = {
    "scikit-learn": ("scikit-learn", "sklearn", lambda: scikit_learn(1)),
    "scikit-learn, n_init=10": ("scikit-learn", "sklearn", lambda: scikit_learn(10)),
    "scikit-learn, n_init=100": ("scikit-learn", "sklearn", lambda: scikit_learn(100)),
    "bkmeans": ("bkmeans", "bkmeans", bkmeans),
    "FLS++": ("FLS++", "flspp", flspp),
    "centroids, search=None": ("centroids", "centroids", lambda: centroids(search=None)),
    "centroids": ("centroids", "centroids", centroids),
    "centroids, search='swap'": ("centroids", "centroids", lambda: centroids(search="swap")),
    "centroids, search='breathing'": (
        "centroids",
        "centroids",
        lambda: centroids(search="breathing"),
    ),
}


def inertia(X: np.ndarray, centers: np.ndarray) -> float:
    total = 0.0
    for block in np.array_split(X, max(1, X.size * len(centers) // 10_000_000)):
        squared = np.full(len(block), np.inf)
        for center in centers.astype(np.float64):
            np.minimum(squared, ((block - center) ** 2).sum(axis=1), out=squared)
        total += float(squared.sum())
    return total


def cases_in(folder: Path, skip: list[str]) -> Iterator[Case]:
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest.items():
        if name in skip:
            continue
        with np.load(folder / f"{name}.npz") as file:
            X = np.ascontiguousarray(file["X"], dtype=np.float64)
        for k in entry["ks"]:
            yield Case(name, X, k, entry.get("best_sse", {}).get(str(k)))


def cases_of_scikit_learn(skip: list[str]) -> Iterator[Case]:
    from sklearn import datasets

    shipped = {
        "iris": datasets.load_iris().data,
        "wine": datasets.load_wine().data,
        "breast_cancer": datasets.load_breast_cancer().data,
        "digits": datasets.load_digits().data,
        "blobs": datasets.make_blobs(5000, centers=50, cluster_std=0.3, random_state=0)[0],
    }
    for name, X in shipped.items():
        for k in () if name in skip else (10, 50):
            yield Case(name, np.ascontiguousarray(X, dtype=np.float64), k, None)


def measure(case: Case, fits: dict[str, Fit], seeds: range) -> list[dict[str, Any]]:
    records = []
    for seed in seeds:
        for method, fit in fits.items():
            start = time.process_time()
            centers = fit(case.rows, case.n_clusters, seed)
            seconds = time.process_time() - start
            records.append(
                {
                    "case": f"{case.name}, K={case.n_clusters}",
                    "method": method,
                    "seed": seed,
                    "inertia": inertia(case.rows, centers),
                    "seconds": round(seconds, 6),
                }
            )
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with manifest.json and NAME.npz")
    parser.add_argument("--skip", nargs="*", default=[], help="names of sets to leave out")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    fits = {m: METHODS[m][2]() for m in options.methods if find_spec(METHODS[m][1])}
    for fit in fits.values():  # what is loaded once is not measured
        fit(np.random.default_rng(0).normal(size=(100, 2)), 3, 0)
    cases = (
        cases_in(options.data, options.skip)
        if options.data
        else cases_of_scikit_learn(options.skip)
    )
    stored = {"best_known": {}, "records": []}
    if options.output.exists():
        stored = json.loads(options.output.read_text())
    best_known, records = stored["best_known"], stored["records"]
    for case in cases:
        new = measure(case, fits, range(options.seeds))
        replaced = {(r["case"], r["method"]) for r in new}
        records = [r for r in records if (r["case"], r["method"]) not in replaced] + new
        best_known[new[0]["case"]] = case.best_known
        text = json.dumps({"best_known": best_known, "records": records}, indent=0)
        options.output.write_text(text + "\n")
        print(new[0]["case"], flush=True)


if __name__ == "__main__":
    main()
