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
