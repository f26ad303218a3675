"""First centers come from the distributions they promise."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix
from scipy.stats import chi2_contingency, chisquare

from centroids import KMeans, _core

# Far below any chance that the fixed seeds below could give, were the distributions equal.
UNLIKELY = 1e-4

X = np.array([[0.0, 0], [1, 0], [0, 2], [5, 5], [6, 5], [9, 0], [9.5, 1]])
WEIGHTS = np.array([1.0, 0, 4, 0.5, 2, 1, 1])


def greedy_kmeans_plus_plus(X, n_clusters, weights, rng):
    """Arthur & Vassilvitskii (2007) with 2 + ln K candidates a step: slow and obvious."""
    n_candidates = 2 + int(np.log(n_clusters))
    seeds = [rng.choice(len(X), p=weights / weights.sum())]
    nearest = ((X - X[seeds[0]]) ** 2).sum(axis=1)
    while len(seeds) < n_clusters:
        mass = weights * nearest
        candidates = rng.choice(len(X), size=n_candidates, p=mass / mass.sum())
        updated = [np.minimum(nearest, ((X - X[c]) ** 2).sum(axis=1)) for c in candidates]
        best = int(np.argmin([weights @ u for u in updated]))
        seeds.append(candidates[best])
        nearest = updated[best]
    return seeds


def frequencies(draws):
    """Count sequences of rows."""
    sequences, counts = np.unique(np.asarray(draws), axis=0, return_counts=True)
    return dict(zip(map(tuple, sequences.tolist()), counts.tolist(), strict=True))


def assert_same_distribution(ours, theirs):
    a, b = frequencies(ours), frequencies(theirs)
    table = np.array([[a.get(s, 0), b.get(s, 0)] for s in a.keys() | b.keys()])
    rare = table.sum(axis=1) < 10
    table = np.vstack([table[~rare], table[rare].sum(axis=0) + 1])
    assert chi2_contingency(table).pvalue > UNLIKELY


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("n_clusters", [2, 3, 4])
def test_kmeans_plus_plus_draws_as_the_plain_method_does(weights, n_clusters):
    rng = np.random.default_rng(n_clusters)
    mass = np.ones(len(X)) if weights is None else weights
    theirs = [greedy_kmeans_plus_plus(X, n_clusters, mass, rng) for _ in range(5000)]
    for dtype in (np.float32, np.float64):
        problem = _core.Problem(X.astype(dtype), weights, 1)
        ours = [problem.seed(n_clusters, "k-means++", seed) for seed in range(8000)]
        assert_same_distribution(ours, theirs)


def test_random_seeding_draws_every_pair_of_rows_alike():
    problem = _core.Problem(X, None, 1)
    pairs = [tuple(sorted(problem.seed(2, "random", seed).tolist())) for seed in range(8000)]
    counts = list(frequencies(pairs).values())
    assert len(counts) == 21
    assert chisquare(counts).pvalue > UNLIKELY


def test_weighted_random_seeding_draws_in_proportion_without_replacement():
    problem = _core.Problem(X, WEIGHTS, 1)
    ours = [problem.seed(3, "random", seed) for seed in range(8000)]
    rng = np.random.default_rng(0)
    p = WEIGHTS / WEIGHTS.sum()
    theirs = [rng.choice(len(X), size=3, replace=False, p=p) for _ in range(8000)]
    # NumPy's draws without replacement follow the same law one by one, so their sets do.
    assert_same_distribution(np.sort(ours, axis=1), np.sort(theirs, axis=1))


@pytest.mark.parametrize("n_clusters", [2, 3])
def test_kmeans_parallel_draws_a_weight_as_often_as_equal_rows(n_clusters):
    counts = np.array([1, 3, 4, 1, 2, 1, 6])
    repeated = np.repeat(X, counts, axis=0)
    weighted = _core.Problem(X, counts.astype(float), 1)
    plain = _core.Problem(repeated, None, 1)
    ours = [np.sort(weighted.seed(n_clusters, "k-means||", seed)) for seed in range(4000)]
    source = np.repeat(np.arange(len(X)), counts)
    theirs = [
        np.sort(source[plain.seed(n_clusters, "k-means||", seed)]) for seed in range(4000, 8000)
    ]
    assert_same_distribution(ours, theirs)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_kmeans_parallel_finds_every_well_separated_group(kind):
    rng = np.random.default_rng(4)
    places = 100.0 * rng.permutation(np.arange(2000))[: 40 * 3].reshape(40, 3)
    rows = np.repeat(places, rng.integers(5, 400, size=40), axis=0)
    rows += rng.normal(size=rows.shape)
    group = np.argmin(((rows[:, None] - places) ** 2).sum(axis=2), axis=1)
    if kind == "dense":
        problem = _core.Problem(rows, None, 2)
    else:
        csr = csr_matrix(rows)
        sparse = _core.SparseRows(csr.data, csr.indices, csr.indptr.astype(np.int64), 3)
        problem = _core.SparseProblem(sparse, None, 2)
    for seed in range(20):
        assert len(set(group[problem.seed(40, "k-means||", seed)])) == 40


def test_kmeans_parallel_starts_as_well_as_kmeans_plus_plus():
    rows = np.random.default_rng(5).normal(size=(5000, 4))
    mean = {
        init: np.mean(
            [
                KMeans(60, init=init, search=None, random_state=s).fit(rows).inertia_
                for s in range(8)
            ]
        )
        for init in ("k-means++", "k-means||")
    }
    assert mean["k-means||"] == pytest.approx(mean["k-means++"], rel=0.01)


def test_kmeans_parallel_finds_rows_that_rounding_cannot_tell_apart():
    # All distances vanish in the rounding errors of the scores; rows are distinct all the same.
    rows = (2.0**20 + np.arange(300.0) / 8)[:, None].astype(np.float32) * np.ones(2, np.float32)
    rows[:, 1] = 1e4 * np.arange(300)
    for seed in range(5):
        seeds = _core.Problem(rows, None, 1).seed(300, "k-means||", seed)
        assert_array_equal(np.sort(seeds), np.arange(300))


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_rows_of_weight_zero_are_no_first_centers(init):
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(60, 2)), np.ones(60)
    weights[::2] = 0
    problem = _core.Problem(rows, weights, 1)
    for seed in range(100):
        assert (problem.seed(30, init, seed) % 2 == 1).all()


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_weights_change_the_first_centers(init):
    rows = np.array([[0.0], [1.0], [2.0], [3.0]])
    heavy = _core.Problem(rows, np.array([1e-9, 1.0, 1e-9, 1e-9]), 1)
    assert all(heavy.seed(1, init, seed)[0] == 1 for seed in range(200))
    plain = _core.Problem(rows, None, 1)
    assert {plain.seed(1, init, seed)[0] for seed in range(200)} == {0, 1, 2, 3}


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_first_centers_are_different_rows(init):
    rows = np.random.default_rng(1).normal(size=(500, 3))
    problem = _core.Problem(rows, None, 2)
    for seed in range(20):
        assert len(set(problem.seed(100, init, seed).tolist())) == 100


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_the_number_of_threads_changes_no_seed(init):
    for shape in ((60000, 3), (4000, 120)):
        rows = np.random.default_rng(2).normal(size=shape).astype(np.float32)
        seeds = [_core.Problem(rows, None, n).seed(25, init, 7) for n in (1, 2, 3, 8)]
        for other in seeds[1:]:
            assert_array_equal(other, seeds[0])


def test_a_seeded_fit_starts_from_these_rows():
    rows = np.random.default_rng(3).normal(size=(300, 2))
    first = []
    model = KMeans(5, random_state=1, max_iter=1, callback=first.append).fit(rows)
    seeds = _core.Problem(rows, None, 1).seed(5, "k-means++", 1 << 32)
    again = KMeans(5, init=rows[seeds], max_iter=1).fit(rows)
    assert first[0].inertia == pytest.approx(again.history_["inertia"][0], rel=1e-12)
    assert_array_equal(
        np.sort(model.cluster_centers_, axis=0), np.sort(again.cluster_centers_, axis=0)
    )
