import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning

from centroids import BisectingKMeans
from centroids.estimators import bisecting

STRATEGIES = ["biggest_inertia", "largest_cluster"]
RNG = np.random.default_rng(0)
DATA = {
    "digits": (load_digits().data, 10),
    "blobs": (make_blobs(3000, 8, centers=12, random_state=3)[0], 12),
    "one cloud": (RNG.normal(size=(3000, 10)), 16),
    "square": (RNG.uniform(size=(3000, 2)), 30),
}


DRAWN = {
    **DATA,
    "heavy tails": (RNG.standard_t(2, size=(1500, 4)), 9),
    "many of one size": (make_blobs(300, 2, centers=9, random_state=1)[0], 60),
    "many rows": (make_blobs(35_000, 2, centers=25, cluster_std=1.5, random_state=2)[0], 8),
}


def both(X, n_clusters, **settings):
    return [
        cls(n_clusters, **settings).fit(X).inertia_
        for cls in (BisectingKMeans, sklearn.cluster.BisectingKMeans)
    ]


@pytest.mark.parametrize("init", ["random", "k-means++"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", DRAWN)
def test_no_tree_is_worse_than_scikit_learns_of_the_same_seed(name, strategy, init):
    X, n_clusters = DRAWN[name]
    settings = {"bisecting_strategy": strategy, "init": init}
    for seed in range(4):
        ours, theirs = both(X, n_clusters, **settings, random_state=seed)
        assert ours <= theirs * (1 + 1e-9)


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("init", ["random", "k-means++"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ["blobs", "many of one size"])
def test_the_first_tree_of_a_plan_is_scikit_learns(name, strategy, init, n_init, monkeypatch):
    monkeypatch.setattr(bisecting, "_SHARE", 0)
    monkeypatch.setattr(bisecting, "_WORK_PER_CLUSTER", 0)
    monkeypatch.setattr(bisecting, "_FEW_VALUES", 0)
    X, n_clusters = DRAWN[name]
    settings = {"bisecting_strategy": strategy, "init": init, "n_init": n_init, "tol": 0}
    for seed in range(3):
        ours, theirs = both(X, n_clusters, **settings, random_state=seed)
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_two_rows_are_those_that_numpy_draws():
    equal = np.full(7, 1 / 7)
    for seed in range(200):
        expected = np.random.RandomState(seed).choice(7, 2, replace=False, p=equal)
        drawn = bisecting._two_rows(7, None, np.random.RandomState(seed))
        assert_array_equal(drawn, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_labels_are_predict_and_inertia_is_minus_score(strategy, dtype):
    X = DATA["square"][0].astype(dtype)
    weights = np.random.default_rng(1).uniform(0, 2, size=len(X))
    model = BisectingKMeans(30, bisecting_strategy=strategy, random_state=0, tol=0)
    model.fit(X, sample_weight=weights)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    assert_array_equal(model.counts_, np.bincount(model.labels_))
    means = [np.average(X[model.labels_ == j], axis=0, weights=weights[model.labels_ == j])
             for j in range(30)]  # fmt: skip
    assert_allclose(model.cluster_centers_, means, rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_halfway_are_predicted_as_they_are_labelled(strategy):
    X = np.random.default_rng(4).integers(0, 6, size=(2000, 2)).astype(np.float32)
    for seed in range(4):
        model = BisectingKMeans(8, bisecting_strategy=strategy, random_state=seed).fit(X)
        assert_array_equal(model.predict(X), model.labels_)
        assert model.inertia_ == -model.score(X)


@pytest.mark.parametrize(
    ("strategy", "sizes"), [("largest_cluster", [2, 50, 50]), ("biggest_inertia", [1, 1, 100])]
)
def test_strategy_says_which_cluster_is_split(strategy, sizes):
    X = np.r_[np.zeros(50), np.full(50, 1.0), [100.0], [120.0]].reshape(-1, 1)
    model = BisectingKMeans(3, n_init=5, random_state=0, bisecting_strategy=strategy).fit(X)
    assert sorted(model.counts_) == sizes


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_row_of_weight_w_counts_as_w_rows(strategy):
    X = np.array([[0.0], [1.0], [2.0], [30.0], [36.0], [70.0]])
    weights = [9, 9, 1, 20, 20, 1]
    for seed in range(4):
        heavy, repeated = (
            BisectingKMeans(4, random_state=seed, bisecting_strategy=strategy) for _ in "ab"
        )
        heavy.fit(X, sample_weight=weights)
        repeated.fit(np.repeat(X, weights, axis=0))
        # The same clusters, whichever tree has led to them: two of equal rows may be drawn.
        assert_allclose(*(np.sort(one.cluster_centers_, axis=0) for one in (heavy, repeated)))
        assert_allclose(*(one.cluster_centers_[one.predict(X)] for one in (heavy, repeated)))
        assert heavy.inertia_ == pytest.approx(repeated.inertia_)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("init", ["random", "k-means++"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_small_tables_make_one_tree_in_any_order_and_with_weights_or_repeated(strategy, init, form):
    rng = np.random.default_rng(0)
    for seed in range(6):
        X = np.round(rng.normal(size=(60, 3)) * 2) + 9 * rng.integers(0, 3, (60, 1))
        weights, order = rng.integers(0, 5, 60), rng.permutation(60)
        settings = {"init": init, "bisecting_strategy": strategy, "random_state": seed}
        repeated = BisectingKMeans(8, **settings).fit(form(np.repeat(X, weights, axis=0)))
        weighted = BisectingKMeans(8, **settings).fit(form(X[order]), sample_weight=weights[order])
        assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-12)
        assert_array_equal(weighted.predict(X), repeated.predict(X))


def test_the_cluster_of_most_weight_is_the_largest():
    X = np.r_[np.linspace(0, 1, 50), [100.0, 101.0]].reshape(-1, 1)
    weights = np.r_[np.ones(50), [60.0, 60.0]]
    model = BisectingKMeans(3, bisecting_strategy="largest_cluster", random_state=0)
    assert_array_equal(model.fit(X, sample_weight=weights).counts_, [1, 1, 50])


def test_predict_goes_down_the_tree():
    # First {0, 6} | {20}, apart at 11.5; then {0} | {6}. By the leaves alone, 12 would go to 6.
    X = np.array([[0.0], [6.0], [20.0]])
    model = BisectingKMeans(3, random_state=0).fit(X)
    assert_array_equal(model.predict([[12.0], [2.9], [11.0]]), model.labels_[[2, 0, 1]])
    nearest = np.abs(12.0 - model.cluster_centers_.ravel()).argmin()
    assert model.cluster_centers_[nearest] == 6.0


def test_clusters_of_equal_rows_are_passed_over():
    X = np.r_[np.zeros(60), [10.0, 11.0, 20.0, 21.0]].reshape(-1, 1)
    model = BisectingKMeans(5, bisecting_strategy="largest_cluster", random_state=0).fit(X)
    assert sorted(model.counts_) == [1, 1, 1, 1, 60]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_of_weight_zero_have_no_say(strategy):
    X = DATA["square"][0]
    weights = np.arange(len(X)) % 3
    is_in = weights > 0
    model, alone = (BisectingKMeans(9, random_state=0, bisecting_strategy=strategy) for _ in "ab")
    model.fit(X, sample_weight=weights)
    alone.fit(X[is_in], sample_weight=weights[is_in])
    assert_array_equal(model.cluster_centers_, alone.cluster_centers_)
    assert_array_equal(model.labels_, alone.predict(X))
    assert_array_equal(model.counts_, np.bincount(model.labels_))


def test_rows_that_a_sample_misses_are_found():
    X = np.zeros((100_000, 1))
    X[[3, 70_000, 99_999]] = [[5.0], [7.0], [100.0]]
    model = BisectingKMeans(4, random_state=0).fit(X)
    assert sorted(model.counts_) == [1, 1, 1, 99_997]
    assert model.inertia_ == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_splits_that_lead_to_better_leaves_are_looked_for(strategy, monkeypatch):
    X, n_clusters = DATA["square"]

    def inertias():
        return np.array([
            BisectingKMeans(n_clusters, bisecting_strategy=strategy, random_state=seed, tol=0)
            .fit(X).inertia_ for seed in range(6)
        ])  # fmt: skip

    searched = inertias()
    monkeypatch.setattr(bisecting, "_SHARE", 0)
    monkeypatch.setattr(bisecting, "_WORK_PER_CLUSTER", 0)
    plain = inertias()
    assert (searched <= plain).all()
    assert searched.mean() < 0.98 * plain.mean()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_best_tree_that_many_starts_of_scikit_learn_find_is_found(strategy):
    # Blobs that a bad first split cuts in two: one fit in a few gets them all.
    X = make_blobs(1000, 2, centers=8, cluster_std=0.3, random_state=5)[0]
    theirs = min(
        sklearn.cluster.BisectingKMeans(8, bisecting_strategy=strategy, random_state=seed)
        .fit(X).inertia_ for seed in range(40)
    )  # fmt: skip
    for seed in range(4):
        model = BisectingKMeans(8, bisecting_strategy=strategy, random_state=seed).fit(X)
        assert model.inertia_ <= theirs * 1.001


@pytest.mark.parametrize("offset", [1e6, 1e8])
def test_rows_far_from_zero_are_split_as_well(offset):
    X, n_clusters = DATA["blobs"]
    near, far = (BisectingKMeans(n_clusters, random_state=0).fit(X + by) for by in (0, offset))
    assert_allclose(far.inertia_, near.inertia_, rtol=1e-3)


def test_fewer_distinct_rows_than_clusters_is_said_once():
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)") as record:
        model = BisectingKMeans(4, random_state=0).fit([[0.0], [0.0], [1.0], [1.0], [1.0]])
    assert len(record) == 1
    assert set(model.labels_) == {0, 1}
    assert model.cluster_centers_.shape == (2, 1)


@pytest.mark.parametrize("n_jobs", [2, 5])
def test_threads_change_no_bit(n_jobs):
    X = np.random.default_rng(0).normal(size=(40_000, 8))
    one = BisectingKMeans(8, random_state=0, n_jobs=1).fit(X)
    many = BisectingKMeans(8, random_state=0, n_jobs=n_jobs).fit(X)
    assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    assert_array_equal(one.labels_, many.labels_)


def test_a_tree_of_any_depth_can_be_pickled():
    X = 2.0 ** np.arange(900).reshape(-1, 1) ** 0.9
    model = BisectingKMeans(900, random_state=0, max_iter=2).fit(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.labels_)


def test_no_rows_give_no_labels_at_an_empty_branch():
    model = BisectingKMeans(4, random_state=0).fit(DATA["square"][0])
    assert model.predict([[0.0, 0.0]]).shape == (1,)


def test_sparse_rows_make_the_tree_of_dense_ones():
    rows = sp.random(200, 30, density=0.2, format="csr", random_state=1)
    sparse = BisectingKMeans(5, random_state=0).fit(rows)
    dense = BisectingKMeans(5, random_state=0).fit(rows.toarray())
    assert_array_equal(sparse.labels_, dense.labels_)
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)
