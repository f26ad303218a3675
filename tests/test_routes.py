"""Every way to compute a fit gives the same bits: algorithm, threads, instruction set, memory."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from centroids import _core

# Fits in a process of its own, and prints a digest of each result.
FITS = textwrap.dedent(
    """
    import hashlib, json, warnings
    import numpy as np
    from centroids import KMeans, _core

    def digest(model, X):
        bits = hashlib.sha256()
        for value in (model.labels_, model.cluster_centers_, np.float64(model.inertia_)):
            bits.update(value.tobytes())
        bits.update(model.nearest(X).labels.tobytes())
        return f"{bits.hexdigest()[:16]} {model.n_iter_}"

    def data(name, dtype):
        rng = np.random.default_rng(5)
        if name == "overlapping":
            return rng.normal(size=(20000, 6)).astype(dtype)
        if name == "separated":
            return (rng.normal(size=(30000, 3)) + 9 * rng.integers(0, 5, (30000, 1))).astype(dtype)
        if name == "wide":
            return rng.normal(size=(3000, 130)).astype(dtype)
        if name == "many":
            return rng.normal(size=(3000, 40)).astype(dtype)
        if name == "grid":
            return rng.integers(0, 12, (20000, 2)).astype(dtype)
        return (rng.normal(size=(20000, 4)) + 1e5).astype(dtype)

    CASES = {"overlapping": 13, "separated": 5, "wide": 8, "many": 200, "grid": 30, "offset": 9}
    results = {}
    for name, n_clusters in CASES.items():
        for dtype in (np.float32, np.float64):
            X = data(name, dtype)
            for weights in (None, np.random.default_rng(6).random(len(X))):
                for algorithm in ALGORITHMS:
                    for n_jobs in JOBS:
                        model = KMeans(n_clusters, random_state=0, max_iter=30, tol=0,
                                       algorithm=algorithm, n_jobs=n_jobs)
                        model.fit(X, sample_weight=weights)
                        kind = "plain" if weights is None else "weighted"
                        case = f"{name} {dtype.__name__} {kind}"
                        results.setdefault(case, {})[f"{algorithm} {n_jobs}"] = digest(model, X)
    print(json.dumps({"isa": _core.isa(), "results": results}))
    """
)


def run_fits(algorithms, jobs, fits=FITS, **environment):
    program = f"ALGORITHMS, JOBS = {algorithms!r}, {jobs!r}\n{fits}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def best_set():
    """All algorithms and numbers of threads, on the instruction set chosen by itself."""
    return run_fits(["brute_force", "hamerly", "auto"], [1, 2, 3, 8], CENTROIDS_ISA="")


def test_all_algorithms_and_numbers_of_threads_give_the_same_bits(best_set):
    for case, routes in best_set["results"].items():
        assert len(set(routes.values())) == 1, (case, routes)


def test_the_best_instruction_set_is_chosen_by_itself(best_set):
    assert best_set["isa"] == _core.available_isas()[0]


# The same for the other estimators, metrics, kinds of rows and starts.
OTHER_FITS = textwrap.dedent(
    """
    import hashlib, json
    import numpy as np
    import scipy.sparse as sp
    from centroids import BisectingKMeans, KMeans, MiniBatchKMeans, _core

    def digest(model):
        bits = hashlib.sha256()
        for value in (model.labels_, model.cluster_centers_, np.float64(model.inertia_)):
            bits.update(value.tobytes())
        return bits.hexdigest()[:16]

    rng = np.random.default_rng(7)
    dense = rng.normal(size=(9000, 10)) + 3 * rng.integers(0, 3, (9000, 1))
    sparse = sp.random(9000, 300, density=0.05, format="csr", random_state=8)
    weights = rng.integers(0, 4, 9000)
    results = {}
    for dtype in (np.float32, np.float64):
        X, S = dense.astype(dtype), sparse.astype(dtype)
        for n_jobs in JOBS:
            common = {"n_clusters": 9, "random_state": 0, "n_jobs": n_jobs}
            fits = {
                "random": KMeans(**common, init="random", n_init=2, max_iter=20).fit(X),
                "breathing": KMeans(**common, search="breathing").fit(X),
                "swap": KMeans(**common, search="swap").fit(X),
                "cosine": KMeans(**common, metric="cosine", search=None).fit(X),
                "sparse": KMeans(**common, search=None).fit(S, sample_weight=weights),
                "mini-batch": MiniBatchKMeans(**common, batch_size=5000).fit(X, None, weights),
                "bisecting": BisectingKMeans(**common).fit(X, None, weights),
            }
            for name, model in fits.items():
                results.setdefault(f"{name} {dtype.__name__}", []).append(digest(model))
    print(json.dumps({"isa": _core.isa(), "results": results}))
    """
)


# The sizes that benchmarks/cells.py measures, with fewer rows: columns and clusters decide which
# kernel and which filter does the work.
CELL_FITS = textwrap.dedent(
    """
    import hashlib, json
    import numpy as np
    from centroids import KMeans, _core

    CELLS = [(4, 3, "f8"), (5, 5, "f8"), (5, 10, "f8"), (2, 50, "f8"), (3, 256, "f4"),
             (16, 20, "f8"), (32, 100, "f4"), (784, 10, "f4"), (384, 256, "f4"),
             (128, 1024, "f4"), (8, 1000, "f8"), (8, 8, "f4")]

    def rows(d, k, dtype):
        # Twice as many overlapping components as clusters, as there.
        rng = np.random.default_rng([d, k])
        means = rng.normal(0, 3 * (2 * k) ** (1 / d) / np.sqrt(2 * d), (2 * k, d))
        scales = rng.uniform(0.7, 1.3, (2 * k, 1))
        chosen = rng.integers(0, 2 * k, max(3000, 4 * k))
        return (means[chosen] + scales[chosen] * rng.normal(size=(len(chosen), d))).astype(dtype)

    def excess(X, model):
        # By how much the rows are farther from the centers of their labels than from the nearest.
        X, centers = X.astype(float), model.cluster_centers_.astype(float)
        shift = centers.mean(axis=0)
        X, centers = X - shift, centers - shift
        squared = (X**2).sum(1)[:, None] - 2 * X @ centers.T + (centers**2).sum(1)
        own = squared[np.arange(len(X)), model.labels_]
        return float(((own - squared.min(1)) / squared.max(1)).max())

    results = {}
    for d, k, dtype in CELLS:
        ROWS = rows(d, k, dtype)
        for algorithm in ALGORITHMS:
            for n_jobs in JOBS:
                model = KMeans(k, init=ROWS[:k], n_init=1, max_iter=6, tol=0, search=None,
                               algorithm=algorithm, n_jobs=n_jobs).fit(ROWS)
                bits = hashlib.sha256()
                for value in (model.labels_, model.cluster_centers_, model.predict(ROWS)):
                    bits.update(value.tobytes())
                results.setdefault(f"{d} x {k} {dtype}", {})[f"{algorithm} {n_jobs}"] = [
                    bits.hexdigest()[:16], excess(ROWS, model)]
    print(json.dumps({"isa": _core.isa(), "results": results}))
    """
)


def run_other_fits(jobs, **environment):
    return run_fits([], jobs, OTHER_FITS, **environment)["results"]


def test_every_estimator_gives_the_same_bits_for_any_threads_and_instruction_set():
    best = run_other_fits([1, 2, 3, 4, 5, 6, 7, 8], CENTROIDS_ISA="")
    for case, routes in best.items():
        assert len(set(routes)) == 1, (case, routes)
    for isa in _core.available_isas():
        if isa != "baseline":  # it rounds products before it adds them
            for case, routes in run_other_fits([2], CENTROIDS_ISA=isa).items():
                assert set(routes) == set(best[case]), (isa, case)


@pytest.mark.parametrize("isa", _core.available_isas())
def test_each_instruction_set_can_be_forced_and_gives_the_same_bits(isa, best_set):
    forced = run_fits(["brute_force", "auto"], [1, 3], CENTROIDS_ISA=isa)
    assert forced["isa"] == isa
    for case, routes in forced["results"].items():
        assert len(set(routes.values())) == 1, (case, routes)
        if isa != "baseline":  # it rounds products before it adds them
            assert set(routes.values()) == set(best_set["results"][case].values()), case


def test_each_cell_has_brute_forces_labels_for_any_algorithm_threads_and_instruction_set():
    best = run_fits(["brute_force", "hamerly", "auto"], [1, 3], CELL_FITS, CENTROIDS_ISA="")
    for isa in _core.available_isas():
        forced = run_fits(["brute_force", "hamerly"], [2], CELL_FITS, CENTROIDS_ISA=isa)
        for cell, routes in forced["results"].items():
            digests = {digest for digest, _ in routes.values()}
            of_best = {digest for digest, _ in best["results"][cell].values()}
            assert len(digests) == len(of_best) == 1, (isa, cell)
            if isa != "baseline":  # it rounds products before it adds them
                assert digests == of_best, (isa, cell)
            rounding = 1e-6 if cell.endswith("f4") else 1e-14
            assert all(excess <= rounding for _, excess in routes.values()), (isa, cell)


def test_what_lies_in_fresh_memory_changes_no_bit(best_set):
    # glibc fills every new allocation with this byte: as numbers, large and negative.
    dirty = run_fits(["auto"], [1, 2], CENTROIDS_ISA="", MALLOC_PERTURB_="63")
    for case, routes in dirty["results"].items():
        assert set(routes.values()) == set(best_set["results"][case].values()), case


def test_an_unknown_instruction_set_is_refused_by_name():
    done = subprocess.run(
        [sys.executable, "-c", "from centroids import _core; _core.isa()"],
        env={**os.environ, "CENTROIDS_ISA": "mmx"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "CENTROIDS_ISA=mmx" in done.stderr
