"""Local search after a run: ``KMeans(search=...)``."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, load_iris, make_blobs

from centroids import KMeans


def many_blobs(n_clusters=40, seed=0):
    return make_blobs(2000, centers=n_clusters, cluster_std=0.4, random_state=seed)[0]


@pytest.mark.parametrize("search", ["swap", "breathing"])
@pytest.mark.parametrize("seed", range(6))
def test_no_search_ends_above_the_plain_run_from_the_same_seed(seed, search):
    X = many_blobs()
    plain = KMeans(40, search=None, random_state=seed).fit(X)
    searched = KMeans(40, search=search, random_state=seed).fit(X)
    assert searched.inertia_ <= plain.inertia_


@pytest.mark.parametrize("search", ["swap", "breathing"])
def test_a_search_finds_what_plain_runs_miss(search):
    X = many_blobs()
    plain = [KMeans(40, search=None, random_state=s).fit(X).inertia_ for s in range(10)]
    searched = [KMeans(40, search=search, random_state=s).fit(X).inertia_ for s in range(10)]
    assert np.median(searched) < 0.99 * np.median(plain)
    assert np.median(searched) <= min(plain) * 1.001  # one search, ten restarts


def test_from_every_seed_breathing_finds_the_planted_groups():
    X, y = make_blobs(2000, centers=40, cluster_std=0.1, random_state=0)
    planted = sum(((X[y == j] - X[y == j].mean(axis=0)) ** 2).sum() for j in range(40))
    for seed in range(10):
        model = KMeans(40, search="breathing", init="random", random_state=seed).fit(X)
        assert model.inertia_ <= planted * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_clusters", [5, 40])
def test_the_default_never_ends_above_the_plain_run_from_the_same_seed(n_clusters, seed):
    X = many_blobs()
    plain = KMeans(n_clusters, search=None, random_state=seed).fit(X)
    default = KMeans(n_clusters, random_state=seed).fit(X)
    assert default.inertia_ <= plain.inertia_


def test_the_default_finds_what_the_best_of_ten_plain_runs_misses():
    X = many_blobs()
    default = [KMeans(40, random_state=s).fit(X).inertia_ for s in range(5)]
    restarts = [
        KMeans(40, search=None, n_init=10, random_state=s).fit(X).inertia_ for s in range(5)
    ]
    assert np.median(default) < np.median(restarts)


def five_blobs(n_samples=20_000):
    return make_blobs(n_samples, n_features=5, centers=5, random_state=0)[0]


def test_many_rows_a_cluster_are_searched_in_a_sample_and_judged_by_all():
    # Three clusters of five groups: half of the plain runs end 18 % above the others.
    X = five_blobs()
    plain = np.array([KMeans(3, search=None, random_state=s).fit(X).inertia_ for s in range(12)])
    default = [KMeans(3, random_state=s).fit(X) for s in range(12)]
    inertias = np.array([model.inertia_ for model in default])
    assert np.count_nonzero(plain > 1.1 * plain.min()) >= 4
    assert np.count_nonzero(inertias > 1.001 * plain.min()) <= 1
    assert (inertias <= plain).all()
    for model in default:
        assert np.array_equal(model.labels_, model.predict(X))
        assert model.inertia_ == -model.score(X)


def test_what_a_sample_finds_is_the_same_for_every_number_of_threads_and_form():
    X = five_blobs()
    models = [KMeans(7, random_state=3, n_jobs=n).fit(X) for n in (1, 2, 5)]
    for model in models[1:]:
        assert model.cluster_centers_.tobytes() == models[0].cluster_centers_.tobytes()
        assert np.array_equal(model.labels_, models[0].labels_)
    sparse = KMeans(7, random_state=3).fit(csr_array(X))
    assert sparse.inertia_ == pytest.approx(models[0].inertia_, rel=1e-9)


def test_the_default_is_plain_from_given_centers():
    X = many_blobs()
    default, plain = (KMeans(40, init=X[:40], **o).fit(X) for o in ({}, {"search": None}))
    assert np.array_equal(default.cluster_centers_, plain.cluster_centers_)


@pytest.mark.parametrize("search", ["auto", "swap", "breathing"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_breathing_gives_the_same_bits_for_every_number_of_threads(dtype, search):
    X = load_digits().data.astype(dtype)
    models = [
        KMeans(30, search=search, random_state=3, n_jobs=n, algorithm=a).fit(X)
        for n, a in [(1, "brute_force"), (2, "auto"), (3, "hamerly")]
    ]
    for other in models[1:]:
        assert np.array_equal(models[0].labels_, other.labels_)
        assert np.array_equal(models[0].cluster_centers_, other.cluster_centers_)
        assert models[0].inertia_ == other.inertia_


def test_a_searched_model_is_as_consistent_as_any_other():
    X = load_iris().data
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    model = KMeans(10, search="breathing", random_state=0).fit(X, sample_weight=weights)
    assert np.array_equal(model.labels_, model.predict(X))
    assert model.inertia_ == -model.score(X, sample_weight=weights)
    assert np.array_equal(model.counts_, np.bincount(model.labels_, minlength=10))
    sizes = np.bincount(model.labels_, weights)
    assert list(sizes) == sorted(sizes, reverse=True)
    for j, center in enumerate(model.cluster_centers_):
        is_in = model.labels_ == j
        np.testing.assert_allclose(center, np.average(X[is_in], axis=0, weights=weights[is_in]))


def test_a_run_cut_off_by_max_iter_is_left_as_it_is():
    X = many_blobs()
    plain = KMeans(40, search=None, max_iter=2, random_state=0).fit(X)
    searched = KMeans(40, search="breathing", max_iter=2, random_state=0).fit(X)
    assert np.array_equal(plain.cluster_centers_, searched.cluster_centers_)


def test_one_cluster_and_equal_rows_need_no_search():
    assert KMeans(1, search="breathing").fit([[0.0], [2.0]]).inertia_ == 2.0
    assert KMeans(2, search="breathing").fit([[1.0, 1.0]] * 3 + [[2.0, 2.0]] * 3).inertia_ == 0.0


def test_max_time_ends_the_search_with_a_whole_model():
    X = many_blobs()
    model = KMeans(40, search="breathing", max_time=1e-3, random_state=0).fit(X)
    assert np.array_equal(model.labels_, model.predict(X))


@pytest.mark.parametrize("search", ["auto", "swap", "breathing"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_sparse_rows_and_cosine_are_searched_as_well(make, metric, search):
    X = make(np.abs(many_blobs()))
    plain, searched = (
        KMeans(40, metric=metric, search=how, random_state=0, n_jobs=1).fit(X)
        for how in (None, search)
    )
    assert searched.inertia_ < plain.inertia_
    assert np.array_equal(searched.labels_, searched.predict(X))
    assert searched.inertia_ == -searched.score(X)
    again = KMeans(40, metric=metric, search=search, random_state=0, n_jobs=3).fit(X)
    assert np.array_equal(again.cluster_centers_, searched.cluster_centers_)


def test_iterations_and_history_are_those_of_the_run_from_the_seed():
    X = load_iris().data
    plain, searched = (KMeans(3, search=s, random_state=1).fit(X) for s in (None, "auto"))
    assert searched.n_iter_ == plain.n_iter_
    assert searched.history_ == plain.history_
