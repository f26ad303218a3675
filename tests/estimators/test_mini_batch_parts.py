"""The steps of mini-batches: what is searched, when centers of light clusters move."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from centroids import MiniBatchKMeans, _core
from centroids.estimators import first_rows
from centroids.estimators.batches import is_worth_an_iteration
from centroids.estimators.light_clusters import LightClusters
from centroids.estimators.running_sums import RunningSums


def state_of(X, centers):
    state = RunningSums.empty(np.array(centers, dtype=np.float64), X.dtype)
    state.add(X, None, _core.assign(X, state.centers, 1))
    state.move_centers()
    return state


@pytest.fixture
def two_groups_and_an_outlier():
    """Rows, and centers: one for both groups, two for an outlier of five rows and nothing."""
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(4000, 2)) + 8 * rng.integers(0, 2, (4000, 1))
    return np.vstack([groups, np.full((5, 2), 60.0)])


def test_a_light_cluster_moves_where_the_batch_gains(two_groups_and_an_outlier):
    X = two_groups_and_an_outlier
    state = state_of(X, [[4, 4], [60, 60], [59, 59.5]])
    moved = LightClusters(0.01).look(state, X[:500], None, np.random.RandomState(0), 1)
    assert moved == 2  # the one without rows: nothing is lost
    assert np.abs(state.centers[moved]).max() < 13
    assert state.weights[moved] == 0


def test_a_light_cluster_stays_where_its_rows_would_lose_more(two_groups_and_an_outlier):
    X = np.vstack([two_groups_and_an_outlier, np.full((5, 2), 400.0)])
    state = state_of(X, [[4, 4], [400, 400]])
    before = state.centers.copy()
    random = np.random.RandomState(0)
    # No row of the batch belongs to the light cluster: the batch alone would give it up.
    assert LightClusters(0.01).look(state, X[:500], None, random, 1) is None
    assert_array_equal(state.centers, before)


def test_looks_in_vain_become_rarer():
    X = np.repeat([[0.0], [100.0]], [999, 1], axis=0)
    state = state_of(X, X[[0, -1]])
    light, random = LightClusters(0.01), np.random.RandomState(0)
    X = X + 0.001 * np.random.default_rng(0).normal(size=X.shape)
    patience = []
    for _ in range(12):
        assert light.look(state, X, None, random, 1) is None
        patience.append(light.patience)
    assert patience == [2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("n_samples", "n_features", "n_clusters", "is_searched"),
    [
        (1_000, 4, 3, True),  # over in a moment
        (500_000, 32, 100, True),  # less than a visit of all rows
        (60_000, 784, 10, False),
        (100_000, 384, 256, False),
        (100_000, 16, 1000, False),  # three rows a cluster say too little
    ],
)
def test_first_rows_are_searched_where_that_is_cheap(
    n_samples, n_features, n_clusters, is_searched
):
    rows = np.broadcast_to(np.float32(0), (min(3072, n_samples), n_features))
    runs = first_rows.FirstRuns(n_clusters, "k-means++", 1, 100, None, 1)
    assert first_rows._is_worth_searching(rows, runs, n_samples) is is_searched


@pytest.mark.parametrize(
    ("n_samples", "n_features", "n_clusters", "is_worth"),
    [
        (37_500, 5, 10, True),  # over in a moment
        (60_000, 784, 10, False),
        (1_000_000, 16, 20, True),
        (100_000, 384, 256, True),
    ],
)
def test_an_iteration_follows_the_batches_where_it_gains(
    n_samples, n_features, n_clusters, is_worth
):
    rows = np.broadcast_to(np.float32(0), (n_samples, n_features))
    assert is_worth_an_iteration(rows, n_clusters, 3072) is is_worth


def test_labels_are_predict_without_the_last_iteration_too():
    X = np.random.default_rng(0).normal(size=(30_000, 400)).astype(np.float32)
    X[:10_000, 0] += 10
    model = MiniBatchKMeans(10, random_state=0).fit(X)
    assert not is_worth_an_iteration(X, 10, 3072)
    assert_array_equal(model.labels_, model.predict(X))
    assert model.inertia_ == -model.score(X)
    assert_array_equal(model.counts_, np.bincount(model.labels_, minlength=10))
    assert (np.diff(model.counts_) <= 0).all()


def test_no_center_is_spent_on_a_few_outliers():
    rng = np.random.default_rng(1)
    centers = rng.uniform(-10, 10, size=(10, 6))
    X = centers[rng.integers(0, 10, 20_000)] + rng.normal(size=(20_000, 6))
    X[::4000] *= 5
    inertias = [MiniBatchKMeans(10, random_state=s).fit(X).inertia_ for s in range(3)]
    best = MiniBatchKMeans(10, init=centers).fit(X).inertia_
    assert min(inertias) <= 1.02 * best
