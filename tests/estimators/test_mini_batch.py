import pickle

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score

from centroids import KMeans, MiniBatchKMeans


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(20_000, 5, centers=7, cluster_std=1.0, random_state=3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inertia_is_near_that_of_kmeans(blobs, dtype):
    X = blobs[0].astype(dtype)
    model = MiniBatchKMeans(7, random_state=0).fit(X)
    assert model.inertia_ <= 1.01 * KMeans(7, random_state=0).fit(X).inertia_
    assert model.cluster_centers_.dtype == dtype


@pytest.mark.parametrize("n_clusters", [5, 20, 60])
@pytest.mark.parametrize("kind", ["blobs", "square", "heavy tails", "line"])
def test_inertia_is_no_higher_than_scikit_learns(kind, n_clusters):
    rng = np.random.default_rng(4)
    X = {
        "blobs": make_blobs(20_000, 6, centers=2 * n_clusters, random_state=1)[0],
        "square": rng.uniform(size=(20_000, 2)),
        "heavy tails": rng.standard_t(3, size=(20_000, 4)),
        "line": rng.normal(size=(20_000, 1)) + 7 * rng.integers(0, n_clusters, (20_000, 1)),
    }[kind]
    ours, theirs = (
        np.mean([cls(n_clusters, random_state=seed).fit(X).inertia_ for seed in range(4)])
        for cls in (MiniBatchKMeans, sklearn.cluster.MiniBatchKMeans)
    )
    assert ours <= theirs


def test_labels_are_predict_and_inertia_is_minus_score(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0).fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_
    assert_array_equal(model.counts_, np.bincount(model.labels_))
    assert (np.diff(model.counts_) <= 0).all()
    assert model.n_seen_ == len(X)


def test_clusters_are_numbered_by_weight(blobs):
    X, _ = blobs
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    model = MiniBatchKMeans(7, random_state=0).fit(X, sample_weight=weights)
    sizes = np.bincount(model.labels_, weights)
    assert (np.diff(sizes) <= 0).all()
    assert (np.diff(model.counts_) > 0).any()  # other numbers than without weights


def test_clusters_of_one_size_are_numbered_by_center():
    X = np.repeat([[5.0, 0.0], [-3.0, 1.0], [-3.0, 0.0], [9.0, 9.0]], [4, 4, 4, 5], axis=0)
    for seed in range(8):
        model = MiniBatchKMeans(4, batch_size=5, random_state=seed).fit(X)
        assert_array_equal(model.counts_, [5, 4, 4, 4])
        assert_array_equal(model.cluster_centers_, [[9, 9], [-3, 0], [-3, 1], [5, 0]])


def test_rows_between_two_centers_are_labeled_as_predict_does():
    # Whole numbers in one column: in some of these fits a row lies as near to two centers.
    n_between = 0
    for seed in (528, 537, 540):
        random = np.random.default_rng(seed)
        n, k = random.integers(60, 300), int(random.integers(3, 12))
        X = random.integers(0, 8 + seed % 20, size=(n, 1)).astype(float)
        settings = {"init": "random", "n_init": 1, "batch_size": 10, "init_size": k, "max_iter": 1}
        model = MiniBatchKMeans(k, **settings, random_state=seed).fit(X)
        assert_array_equal(model.predict(X), model.labels_)
        first, second = np.sort(model.transform(X), axis=1).T[:2]
        n_between += np.count_nonzero(first == second)
    assert n_between


def test_without_labels_inertia_is_an_estimate(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0, compute_labels=False).fit(X)
    assert not hasattr(model, "labels_")
    assert model.inertia_ == pytest.approx(-model.score(X), rel=0.1)


@pytest.mark.parametrize("n_jobs", [2, 5])
def test_threads_change_no_bit(blobs, n_jobs):
    X, _ = blobs
    one = MiniBatchKMeans(7, batch_size=6000, random_state=0, n_jobs=1).fit(X)
    many = MiniBatchKMeans(7, batch_size=6000, random_state=0, n_jobs=n_jobs).fit(X)
    assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    assert_array_equal(one.labels_, many.labels_)


def test_rows_of_weight_zero_do_not_count(blobs):
    X, _ = blobs
    outliers = np.full((500, 5), 1e4)
    weights = np.r_[np.ones(len(X)), np.zeros(500)]
    model = MiniBatchKMeans(7, random_state=0).fit(np.vstack([X, outliers]), sample_weight=weights)
    assert np.abs(model.cluster_centers_).max() < 100
    assert model.inertia_ <= 1.01 * KMeans(7, random_state=0).fit(X).inertia_


def test_weights_pull_the_centers(blobs):
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    model = MiniBatchKMeans(2, random_state=0).fit(X, sample_weight=[3, 1, 1, 3])
    assert_allclose(np.sort(model.cluster_centers_.ravel()), [0.25, 10.75])


def test_fewer_distinct_rows_than_clusters_is_said_once():
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)") as record:
        model = MiniBatchKMeans(4, random_state=0).fit([[0.0], [0.0], [1.0], [1.0], [1.0]])
    assert len(record) == 1
    assert set(model.labels_) == {0, 1}


# ---- partial_fit


@pytest.mark.parametrize("batch_size", [1, 3, 100, 5000])
def test_a_stream_of_any_batch_size_finds_the_clusters(blobs, batch_size):
    X, truth = blobs
    X, truth = X[:5000], truth[:5000]
    model = MiniBatchKMeans(7, random_state=0, init_size=200)
    for first in range(0, len(X), batch_size):
        model.partial_fit(X[first : first + batch_size])
    assert model.n_seen_ == 5000
    assert model.n_steps_ == -(-5000 // batch_size)
    assert adjusted_rand_score(truth, model.predict(X)) > 0.95
    assert -model.score(X) <= 1.05 * KMeans(7, random_state=0).fit(X).inertia_


def test_a_model_is_there_once_enough_rows_differ():
    model = MiniBatchKMeans(3, random_state=0)
    for row in ([0.0], [1.0], [1.0], [0.0]):
        model.partial_fit([row])
        assert not hasattr(model, "cluster_centers_")
    with pytest.raises(NotFittedError, match="the 4 rows that partial_fit has seen hold fewer"):
        model.predict([[0.0]])
    model.partial_fit([[7.0]])
    assert_array_equal(np.sort(model.cluster_centers_.ravel()), [0.0, 1.0, 7.0])
    assert model.n_seen_ == 5


@pytest.mark.parametrize("form", [np.array, csr_array])
def test_a_stream_of_equal_rows_stays_small(form):
    model = MiniBatchKMeans(3, random_state=0)
    for _ in range(300):
        model.partial_fit(form([[1.0, 2.0], [3.0, 4.0]]))
    assert len(pickle.dumps(model)) < 20_000
    model.partial_fit(form([[5.0, 6.0]]))
    assert_array_equal(np.sort(model.cluster_centers_[:, 0]), [1.0, 3.0, 5.0])
    assert -model.score(form([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])) == 0


def test_numbers_of_clusters_stay_while_the_stream_goes_on(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0).partial_fit(X[:300])
    before = model.predict(X[:300])
    for first in range(300, 6000, 300):
        model.partial_fit(X[first : first + 300])
    assert (model.predict(X[:300]) == before).mean() > 0.95


def test_no_cluster_is_lost_in_a_stream_that_drifts():
    rng = np.random.default_rng(0)
    model = MiniBatchKMeans(5, random_state=0, init_size=50)
    for step in range(200):
        model.partial_fit(rng.normal(size=(20, 2)) + step)
    assert len(np.unique(model.cluster_centers_, axis=0)) == 5


def test_partial_fit_goes_on_after_fit(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0).fit(X)
    before = model.cluster_centers_.copy()
    model.partial_fit(X[:3])
    assert model.n_seen_ == len(X) + 3
    assert_allclose(model.cluster_centers_, before, atol=0.01)
    assert_array_equal(model.labels_, model.predict(X[:3]))


def test_given_centers_need_no_rows_kept():
    model = MiniBatchKMeans(2, init=[[0.0], [10.0]]).partial_fit([[1.0]])
    assert_array_equal(model.cluster_centers_, [[1.0], [10.0]])


def test_given_centers_are_not_written_to(capsys):
    X = np.repeat([[0.0], [10.0]], 50, axis=0)
    init = np.array([[5.0], [1000.0]])  # the second has no row in the first batch, and moves
    init.flags.writeable = False
    model = MiniBatchKMeans(2, init=init, random_state=0, verbose=1).fit(X)
    assert "Reassigning 1 cluster centers" in capsys.readouterr().out
    assert_array_equal(np.sort(model.cluster_centers_, axis=0), [[0], [10]])


def test_weighted_rows_count_as_repeated_ones_in_a_stream():
    once = MiniBatchKMeans(2, init=[[0.0], [10.0]])
    many = clone(once)
    once.partial_fit([[1.0], [2.0], [9.0]], sample_weight=[2, 1, 3])
    many.partial_fit([[1.0], [1.0], [2.0], [9.0], [9.0], [9.0]])
    assert_allclose(once.cluster_centers_, many.cluster_centers_)


def test_a_pickled_stream_goes_on_the_same(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0).partial_fit(X[:100])
    copy = pickle.loads(pickle.dumps(model))
    for stream in (model, copy):
        stream.partial_fit(X[100:5000]).partial_fit(X[5000:9000])
    assert_array_equal(model.cluster_centers_, copy.cluster_centers_)


@pytest.mark.parametrize("init", ["k-means++", [[0.0], [10.0]]])
def test_a_batch_of_rows_without_weight_changes_nothing(init):
    model = MiniBatchKMeans(2, init=init, random_state=0)
    model.partial_fit([[5.0], [6.0]], sample_weight=[0, 0])
    model.partial_fit([[1.0], [9.0]])
    model.partial_fit([[77.0]], sample_weight=[0])
    assert_array_equal(np.sort(model.cluster_centers_.ravel()), [1.0, 9.0])
    assert model.n_seen_ == 5


@pytest.mark.parametrize("form", [np.array, csr_array])
@pytest.mark.parametrize(
    ("dtype", "batch_dtype", "size"),
    [
        (np.float32, np.float32, 1e19),
        (np.float32, np.float64, 1e40),
        (np.float64, np.float64, -1e300),
    ],
)
def test_a_batch_whose_squares_overflow_is_refused_and_the_stream_goes_on(
    form, dtype, batch_dtype, size
):
    rows = np.arange(12, dtype=dtype).reshape(6, 2)
    model = MiniBatchKMeans(2, random_state=0).partial_fit(form(rows))
    before = model.cluster_centers_.copy()
    with pytest.raises(ValueError, match=r"row 1, column 0 .*overflow.*StandardScaler"):
        model.partial_fit(form(np.array([[0, 1], [size, 1]], dtype=batch_dtype)))
    assert_array_equal(model.cluster_centers_, before)
    assert model.partial_fit(form(rows)).n_seen_ == 12


def test_a_batch_that_fails_leaves_the_stream_as_it_was(blobs):
    X, _ = blobs

    def init(X, n_clusters, random_state):
        if is_failing:
            raise KeyboardInterrupt
        return X[:n_clusters]

    streams = [MiniBatchKMeans(7, init=init, n_init=1, random_state=0) for _ in range(2)]
    for first in range(0, 200, 20):
        for stream, is_tried_twice in zip(streams, (True, False), strict=True):
            is_failing = is_tried_twice
            if is_failing and first < 100:
                with pytest.raises(KeyboardInterrupt):
                    stream.partial_fit(X[first : first + 20])
            is_failing = False
            stream.partial_fit(X[first : first + 20])
    assert streams[0].n_seen_ == streams[1].n_seen_ == 200
    assert_array_equal(streams[0].cluster_centers_, streams[1].cluster_centers_)


def test_another_number_of_clusters_is_refused_within_a_stream(blobs):
    X, _ = blobs
    model = MiniBatchKMeans(7, random_state=0).fit(X).set_params(n_clusters=9)
    with pytest.raises(ValueError, match=r"n_clusters=9, but this stream has 7 clusters"):
        model.partial_fit(X[:50])
    assert_array_equal(model.set_params(n_clusters=7).partial_fit(X).labels_, model.predict(X))


def test_too_small_an_init_size_is_said_once(blobs):
    model = MiniBatchKMeans(7, init_size=3, random_state=0)
    with pytest.warns(RuntimeWarning, match="init_size=3 should be larger") as caught:
        model.partial_fit(blobs[0][:10])
    assert [warning.filename for warning in caught] == [__file__]
    model.partial_fit(blobs[0][10:20])  # warnings are errors here


def test_weights_of_any_size_overflow_nothing(blobs):
    X = blobs[0][:500]
    weights = 10.0 ** np.random.default_rng(0).integers(-200, 200, len(X))
    model = MiniBatchKMeans(7, random_state=0).fit(X, sample_weight=weights)
    assert np.isfinite(model.cluster_centers_).all()


def test_numbers_past_64_bits_are_taken_at_their_word(blobs):
    X = blobs[0][:500]
    model = MiniBatchKMeans(7, max_iter=10**30, batch_size=10**30, random_state=0).fit(X)
    assert_array_equal(model.labels_, model.predict(X))
    stream = MiniBatchKMeans(7, max_iter=10**30, random_state=0)
    for first in range(0, 500, 100):
        stream.partial_fit(X[first : first + 100])
    assert len(set(stream.predict(X))) == 7


def test_wrong_parameters_are_named():
    with pytest.raises(ValueError, match=r"'batch_size' .* Got 0 instead"):
        MiniBatchKMeans(batch_size=0).partial_fit([[1.0]])
    with pytest.raises(ValueError, match="row 1, column 0"):
        MiniBatchKMeans(2).partial_fit([[1.0], [np.nan]])
