"""The claims of the tests left out of scikit-learn's suite, through public names (`borrowed`)."""

import numpy as np
import pytest
from borrowed import LEFT_OUT
from sklearn.datasets import make_blobs

from centroids import KMeans, MiniBatchKMeans

X, _ = make_blobs(n_samples=100, n_features=4, centers=5, random_state=0)


def test_every_test_left_out_has_one_instead():
    assert {name for names in LEFT_OUT.values() for name in names.values()} <= globals().keys()


@pytest.mark.parametrize(
    ("estimator", "init", "n_runs"),
    [
        (KMeans, "k-means++", 1),
        (KMeans, "random", 10),
        (KMeans, "callable", 10),
        (KMeans, "array", 1),
        (MiniBatchKMeans, "k-means++", 1),
        (MiniBatchKMeans, "random", 3),
        (MiniBatchKMeans, "callable", 3),
        (MiniBatchKMeans, "array", 0),  # nothing to run: the centers are given
    ],
)
def test_n_init_auto_counts_its_runs(estimator, init, n_runs, capsys):
    init = {"callable": lambda X, k, random_state: X[:k], "array": X[:5]}.get(init, init)
    estimator(5, init=init, n_init="auto", verbose=1, random_state=0).fit(X)
    told = "Initialization complete" if estimator is KMeans else "Inertia for init"
    assert capsys.readouterr().out.count(told) == n_runs


@pytest.mark.parametrize(
    ("batch_size", "init_size", "n_rows"), [(5, None, 15), (1, None, 30), (5, 101, 100)]
)
def test_init_size_bounds_the_rows_a_start_sees(batch_size, init_size, n_rows):
    seen = []

    def init(X, n_clusters, random_state):
        seen.append(X.shape[0])
        return X[:n_clusters]

    model = MiniBatchKMeans(10, init=init, batch_size=batch_size, init_size=init_size, n_init=1)
    model.fit(X)
    assert seen == [n_rows]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_weights_change_the_first_centers(init, seed):
    # A row this heavy is drawn first, so the first centers are no distance from it.
    weights = np.ones(100)
    weights[seed] = 1e12
    model = KMeans(5, init=init, n_init=1, max_iter=1, random_state=seed)
    assert model.fit(X, sample_weight=weights).history_["inertia"][0] < 1e8


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_rows_of_weight_zero_are_no_first_centers(init, seed):
    weights = np.zeros(100)
    weights[10 * np.arange(10)] = np.random.RandomState(seed).uniform(0.1, 1, size=10)
    model = KMeans(10, init=init, n_init=1, max_iter=1, random_state=seed)
    model.fit(X, sample_weight=weights)
    # All ten rows that count are first centers: nothing else was drawn.
    assert model.history_["inertia"][0] == pytest.approx(0, abs=1e-9)
