import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans, _core

ESTIMATORS = [KMeans, MiniBatchKMeans, BisectingKMeans]


def text_like(dtype=np.float64, n_samples=400, n_features=300, seed=0):
    """Rows of six topics, each with words of its own; two empty rows."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n_samples, n_features), dtype=dtype)
    for i in range(2, n_samples):
        words = (i % 6) * 50 + rng.choice(50, size=12)
        X[i, words] += rng.uniform(0.2, 1, size=12)
        X[i, rng.choice(n_features, size=3)] += 0.1
    return sp.csr_array(X)


def with_long_indices(X):
    X = X.copy()
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("n_clusters", [1, 2, 6, 40, 130])
def test_a_sparse_fit_is_the_dense_fit(dtype, init, n_clusters):
    X = text_like(dtype)
    weights = np.random.default_rng(1).uniform(0, 2, size=X.shape[0])
    settings = {"init": init, "n_init": 1, "tol": 0, "random_state": 3, "search": None}
    sparse = KMeans(n_clusters, **settings).fit(X, sample_weight=weights)
    dense = KMeans(n_clusters, **settings).fit(X.toarray(), sample_weight=weights)
    assert_array_equal(sparse.labels_, dense.labels_)
    assert sparse.cluster_centers_.dtype == dtype
    assert_allclose(sparse.cluster_centers_, dense.cluster_centers_, atol=1e-6)
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)
    assert sparse.n_iter_ == dense.n_iter_
    assert_allclose(sparse.history_["inertia"], dense.history_["inertia"], rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_search_spends_on_sparse_rows_what_it_spends_on_dense_ones(seed):
    rng = np.random.default_rng(0)
    X = np.zeros((600, 200))
    for row in X:  # 25 topics of four words
        row[rng.integers(25) * 4 + rng.choice(4, size=3, replace=False)] = rng.uniform(1, 2, 3)
        row[rng.integers(200, size=4)] += rng.uniform(0.2, 1, 4)
    plain, dense = (KMeans(12, search=s, random_state=seed).fit(X) for s in (None, "auto"))
    sparse = KMeans(12, random_state=seed).fit(sp.csr_array(X))
    assert dense.inertia_ < 0.999 * plain.inertia_
    assert_array_equal(sparse.labels_, dense.labels_)
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_labels_are_predict_and_inertia_is_minus_score(estimator, dtype):
    X = text_like(dtype)
    model = estimator(6, random_state=0).fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_
    assert_array_equal(model.predict(X.toarray()), model.labels_)
    assert_allclose(model.transform(X), model.transform(X.toarray()), atol=1e-6)


def test_nearest_agrees_with_dense():
    X = text_like()
    model = KMeans(6, random_state=0).fit(X)
    for sparse, dense in zip(model.nearest(X), model.nearest(X.toarray()), strict=True):
        assert_allclose(sparse, dense, atol=1e-12)


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array])
def test_every_sparse_container_gives_the_same_model(container):
    X = text_like()
    model = KMeans(6, random_state=0).fit(container(X))
    assert_array_equal(model.labels_, KMeans(6, random_state=0).fit(X).labels_)


def test_indices_of_64_bits_are_taken():
    X = text_like()
    model = KMeans(6, random_state=0).fit(with_long_indices(X))
    assert model.inertia_ == KMeans(6, random_state=0).fit(X).inertia_


def test_unsorted_and_repeated_entries_are_summed_and_the_input_left_alone():
    X = sp.csr_array(
        (np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 0, 0, 1]), np.array([0, 3, 4])), shape=(2, 2)
    )
    before = X.indices.copy()
    model = KMeans(2, init=[[5.0, 1.0], [0.0, 4.0]], n_init=1).fit(X)
    assert_array_equal(model.cluster_centers_, [[5.0, 1.0], [0.0, 4.0]])
    assert_array_equal(X.indices, before)


@pytest.mark.parametrize("n_jobs", [2, 3, 7])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_threads_change_no_bit(estimator, n_jobs):
    X = text_like(np.float32, n_samples=5000)
    one = estimator(20, random_state=0, n_jobs=1).fit(X)
    many = estimator(20, random_state=0, n_jobs=n_jobs).fit(X)
    assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    assert_array_equal(one.labels_, many.labels_)
    assert one.inertia_ == many.inertia_


SCRIPT = """
import sys, pickle
from centroids import KMeans
X = pickle.load(open(sys.argv[1], "rb"))
m = KMeans(20, random_state=0).fit(X)
sys.stdout.buffer.write(m.cluster_centers_.tobytes() + m.labels_.tobytes())
"""


def test_instruction_sets_change_no_bit(tmp_path):
    path = tmp_path / "X.pickle"
    path.write_bytes(pickle.dumps(text_like(np.float32, n_samples=1000)))
    outputs = {
        isa: subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)],
            env={**os.environ, "CENTROIDS_ISA": isa},
            capture_output=True,
            check=True,
        ).stdout
        for isa in _core.available_isas()
        if isa != "baseline"  # without fused multiply-add
    }
    assert len(set(outputs.values())) <= 1


def test_equal_rows_are_at_distance_zero_and_fill_no_cluster():
    X = sp.csr_array(np.repeat([[0.1, 0, 0], [0, 0.3, 0], [0, 0, 0.7]], 7, axis=0))
    with pytest.warns(UserWarning, match=r"distinct clusters \(3\) found smaller than"):
        model = KMeans(5, random_state=0).fit(X)
    assert set(model.labels_) == {0, 1, 2}
    assert model.inertia_ == 0
    assert_array_equal(model.transform(X).min(axis=1), 0)


def test_every_cluster_gets_rows_where_there_are_enough():
    X = text_like()
    far = np.full((6, X.shape[1]), 100.0)
    model = KMeans(6, init=far, n_init=1).fit(X)
    assert (model.counts_ > 0).all()


def test_distances_beyond_the_range_of_float32_skip_no_row():
    X = np.sort(np.random.default_rng(0).random((200, 1)), axis=0)
    start, far = X[:3], 2.0**130  # the same digits, 10^39 times as far apart
    plain = KMeans(3, init=start, tol=0).fit(sp.csr_array(X))
    scaled = KMeans(3, init=start * far, tol=0).fit(sp.csr_array(X * far))
    assert_array_equal(scaled.labels_, plain.labels_)
    assert_array_equal(scaled.cluster_centers_, plain.cluster_centers_ * far)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(bad):
    X = text_like()
    dense = X.toarray()
    dense[7, 11] = bad
    with pytest.raises(ValueError, match="row 7, column 11"):
        KMeans(3).fit(sp.csr_array(dense))
    model = KMeans(3).fit(X)
    with pytest.raises(ValueError, match="row 7, column 11"):
        model.predict(sp.csr_array(dense))


def test_weights_count_as_repeated_rows():
    X = text_like()
    weights = np.random.default_rng(0).integers(0, 4, size=X.shape[0])
    init = X[[10, 11, 12, 13, 14, 15]].toarray()
    repeated = X[np.repeat(np.arange(X.shape[0]), weights)]
    once = KMeans(6, init=init, n_init=1).fit(X, sample_weight=weights)
    many = KMeans(6, init=init, n_init=1).fit(repeated)
    assert_allclose(once.cluster_centers_, many.cluster_centers_, atol=1e-12)
    assert once.inertia_ == pytest.approx(many.inertia_, rel=1e-12)


def test_partial_fit_takes_sparse_batches():
    X = text_like()
    model = MiniBatchKMeans(6, random_state=0)
    for first in range(2, 400, 3):
        model.partial_fit(X[first : first + 3])
    assert len(set(model.predict(X[2:]))) == 6
    dense = MiniBatchKMeans(6, random_state=0)
    for first in range(2, 400, 3):
        dense.partial_fit(X[first : first + 3].toarray())
    assert_allclose(model.cluster_centers_, dense.cluster_centers_, atol=1e-12)


def test_wrong_structure_never_reaches_the_core():
    values, columns = np.ones(2), np.array([1, 0], dtype=np.int32)
    with pytest.raises(ValueError, match="columns must ascend"):
        _core.SparseRows(values, columns, np.array([0, 2]), 2)
    with pytest.raises(ValueError, match="columns must ascend"):
        _core.SparseRows(values, columns, np.array([0, 1, 2]), 1)
    with pytest.raises(ValueError, match="fewer entries"):
        _core.SparseRows(values, columns, np.array([0, 3]), 2)
    with pytest.raises(ValueError, match="descend"):
        _core.SparseRows(values, columns, np.array([0, 2, 1]), 2)


FAR = np.random.default_rng(0).normal(size=(300, 4)) + np.repeat([0, 10, 20], 100)[:, None]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("offset", [1e6, 1e8])
@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans, BisectingKMeans])
def test_sparse_rows_far_from_zero_are_measured_as_dense_ones(estimator, offset, columns, dtype):
    X = FAR + offset * (np.arange(4) < columns)
    new = X + np.random.default_rng(1).normal(0, 8, size=X.shape)
    X, new = X.astype(dtype), new.astype(dtype)
    model = estimator(3, random_state=0).fit(sp.csr_array(X))
    assert_array_equal(model.labels_, model.predict(sp.csr_array(X)))
    dense = estimator(3, random_state=0).fit(X)
    assert_array_equal(model.labels_, dense.labels_)
    assert model.inertia_ == pytest.approx(dense.inertia_, rel=1e-9)
    for rows in (X, new):
        assert_allclose(model.transform(sp.csr_array(rows)), model.transform(rows), rtol=1e-6)
        assert_array_equal(model.predict(sp.csr_array(rows)), model.predict(rows))
        assert model.score(sp.csr_array(rows)) == pytest.approx(model.score(rows), 1e-9)


@pytest.mark.parametrize("offset", [1e8, 1e10])
@pytest.mark.parametrize(
    "estimator",
    [
        BisectingKMeans(30, random_state=0),
        *(KMeans(30, search=s, random_state=0) for s in ("auto", "breathing", "swap")),
    ],
    ids=str,
)
def test_search_among_sparse_rows_far_from_zero_ends_where_it_ends_dense(estimator, offset):
    rng = np.random.default_rng(0)
    X = 8 * rng.normal(size=(30, 5))[rng.integers(30, size=600)] + rng.normal(size=(600, 5))
    X[:, 3:][rng.uniform(size=(600, 2)) < 0.5] = 0
    X[:, 0] += offset
    X[:, 1] = offset
    weights = rng.integers(0, 3, size=600)
    dense = clone(estimator).fit(X, sample_weight=weights)
    sparse = clone(estimator).fit(sp.csr_array(X), sample_weight=weights)
    assert_array_equal(sparse.labels_, dense.labels_)
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-9)


@pytest.mark.parametrize(("n", "offset"), [(600, 1e8), (2000, 1e9)])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("estimator", [KMeans, BisectingKMeans])
def test_a_row_of_zeros_blinds_nothing_among_rows_far_from_zero(estimator, form, n, offset):
    rng = np.random.default_rng(0)
    rows = 8 * rng.normal(size=(30, 5))[rng.integers(30, size=n)] + rng.normal(size=(n, 5))
    far = rows + np.array([offset, 0, 0, 0, 0])
    X = np.vstack([np.zeros(5), far])
    expected = estimator(30, random_state=0).fit(rows).inertia_
    ignored = estimator(30, random_state=0).fit(form(X), sample_weight=np.arange(n + 1) > 0)
    assert ignored.inertia_ < 1.03 * expected
    counted = estimator(31, random_state=0).fit(form(X))
    assert (counted.labels_ == counted.labels_[0]).sum() == 1
    assert counted.inertia_ < 1.03 * expected
    if estimator is KMeans:
        plain = KMeans(31, random_state=0, search=None).fit(form(X))
        assert plain.history_["inertia"][-1] >= plain.inertia_ * (1 - 1e-9)


@pytest.mark.parametrize("constant", [1e8, 1e9 + 0.1, 1e10])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("estimator", [KMeans, BisectingKMeans, MiniBatchKMeans])
def test_a_constant_column_changes_nothing_however_far_from_zero(estimator, form, constant):
    rng = np.random.default_rng(0)
    rows = 8 * rng.normal(size=(30, 4))[rng.integers(30, size=600)] + rng.normal(size=(600, 4))
    X = np.column_stack([np.full(600, constant), rows])
    without = estimator(30, random_state=0).fit(form(rows))
    model = estimator(30, random_state=0).fit(form(X))
    assert_array_equal(model.labels_, without.labels_)
    assert model.inertia_ == pytest.approx(without.inertia_, rel=1e-9)
    if estimator is KMeans:
        assert_allclose(model.history_["inertia"], without.history_["inertia"], rtol=1e-9)


@pytest.mark.parametrize("search", ["auto", "swap", "breathing"])
@pytest.mark.parametrize("seed", range(4))
def test_search_among_sparse_counts_is_not_led_by_rounding(search, seed):
    X = np.random.default_rng(seed).poisson(0.4, size=(500, 20)).astype(float)
    dense = KMeans(15, search=search, random_state=0).fit(X)
    sparse = KMeans(15, search=search, random_state=0).fit(sp.csr_array(X))
    assert_array_equal(sparse.labels_, dense.labels_)


def test_weighted_sparse_plans_are_the_dense_ones():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = np.round(rng.normal(size=(50, 5)) * 2**16) / 2**16 + [1000, 0, 0, 0, 0]
        weights = rng.integers(0, 3, 50).astype(float)
        dense = BisectingKMeans(20, random_state=0).fit(X, sample_weight=weights)
        sparse = BisectingKMeans(20, random_state=0).fit(sp.csr_array(X), sample_weight=weights)
        assert_array_equal(sparse.labels_, dense.labels_)


def test_rows_out_of_reach_have_a_label():
    model = KMeans(5, random_state=0).fit(1e100 * np.random.default_rng(0).normal(size=(200, 4)))
    far = sp.csr_array([[1e300] * 4, [1.0, 0, 0, 0]])
    assert (model.predict(far) >= 0).all()
    assert (model.nearest(far).labels >= 0).all()
    assert model.score(far) == -np.inf


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_weights_next_to_nothing_are_refused(estimator):
    X = sp.csr_array(FAR)
    with pytest.raises(ValueError, match=r"largest sample_weight is 1e-310.*Multiply"):
        estimator(3).fit(X, sample_weight=np.full(300, 1e-310))
    estimator(3).fit(X, sample_weight=np.full(300, 1e-280))


def test_inertia_far_from_zero_counts_distances_just_above_rounding():
    X = np.array([[1e9], [1e9 + 1e-3], [1e9 + 2e-3], [1e9 + 100]])
    expected = np.square(X[:3] - X[1]).sum()
    model = KMeans(2, random_state=0).fit(sp.csr_array(X))
    assert model.inertia_ == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e8 + 0.1])
def test_equal_sparse_rows_have_no_inertia(value):
    X = np.repeat([[value, 0, 0], [0, value, value]], 5000, axis=0)
    weights = np.random.default_rng(0).uniform(0.1, 1, size=10_000)
    for sample_weight in (None, weights):
        model = KMeans(2, random_state=0).fit(sp.csr_array(X), sample_weight=sample_weight)
        assert model.inertia_ == 0


def test_distances_of_sparse_rows_that_overflow_are_infinite():
    model = KMeans(2, random_state=0).fit(FAR)
    assert (model.transform(sp.csr_array([[1e200, 0, 0, 0]])) == np.inf).all()


@pytest.mark.parametrize("value", [0.1, 1e8])  # of 0.1, rounding leaves a variance
def test_equal_sparse_rows_have_no_digits_to_lose(value):
    KMeans(1).fit(sp.csr_array(np.full((7, 3), value)))  # a warning would be an error
