"""What every fit promises, on data of every shape: exact, deterministic, consistent, K clusters."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from centroids import KMeans

ALGORITHMS = ["auto", "brute_force", "hamerly"]
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Problem:
    """Rows, weights, and how to cluster them; ``repr`` is what a failing example prints."""

    seed: int
    kind: str
    dtype: type
    n_samples: int
    n_features: int
    n_clusters: int
    weights: str

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        shape = self.n_samples, self.n_features
        if self.kind == "grid":  # duplicates and exact ties
            X = rng.integers(0, 3, shape)
        elif self.kind == "blobs":
            X = rng.normal(size=shape) + 20 * rng.integers(0, 4, (self.n_samples, 1))
        elif self.kind == "offset":
            X = rng.normal(size=shape) + (1e4 if self.dtype == np.float32 else 1e8)
        elif self.kind == "far groups":  # of rows so near to each other that float32 hardly tells
            width, apart = 10.0 ** rng.integers(-3, 2), 10.0 ** rng.integers(2, 5)
            X = width * rng.normal(size=shape) + apart * rng.integers(0, 3, (self.n_samples, 1))
        elif self.kind == "outlier":
            X = rng.normal(size=shape)
            X[rng.integers(self.n_samples)] = 1e6
        else:
            X = rng.normal(size=shape)
        self.X = X.astype(self.dtype)
        self.sample_weight = {
            "none": None,
            "integers": rng.integers(0, 4, self.n_samples).astype(float),
            "reals": rng.random(self.n_samples) * 10,
        }[self.weights]
        if self.sample_weight is not None and not self.sample_weight.any():
            self.sample_weight[0] = 1
        self.init = self.X[rng.integers(0, self.n_samples, self.n_clusters)]

    @property
    def counted_rows(self):
        """The rows that count, once each."""
        used = slice(None) if self.sample_weight is None else self.sample_weight > 0
        return np.unique(self.X[used], axis=0)

    def fit(self, **parameters):
        """Fit, without the warning of too few distinct rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = KMeans(self.n_clusters, **{"random_state": self.seed, **parameters})
            return model.fit(self.X, sample_weight=self.sample_weight)


@st.composite
def problems(
    draw, kinds=("normal", "blobs", "grid", "offset", "far groups", "outlier"), weights=None
):
    n_samples = draw(st.integers(1, 80))
    return Problem(
        seed=draw(st.integers(0, 2**31)),
        kind=draw(st.sampled_from(kinds)),
        dtype=draw(st.sampled_from([np.float32, np.float64])),
        n_samples=n_samples,
        n_features=draw(st.integers(1, 7)),
        n_clusters=draw(st.integers(1, min(n_samples, 12))),
        weights=draw(st.sampled_from(weights or ("none", "integers", "reals"))),
    )


starts = st.sampled_from(["k-means++", "k-means||", "random", "array"])


def start_of(problem, start):
    return {"init": problem.init} if start == "array" else {"init": start, "n_init": 1}


def squared_distances(X, centers):
    """The slow, obvious way, in float64."""
    gaps = X[:, np.newaxis].astype(np.float64) - centers[np.newaxis].astype(np.float64)
    return (gaps**2).sum(axis=2)


def assert_nearest(X, centers, labels):
    """No center is nearer than the row's own by more than the rounding error of two scores.

    A score is |c - s|^2 / 2 - (x - s).(c - s) in the dtype of the rows, s the median center.
    """
    squared = squared_distances(X, centers)
    rows, nearest = np.arange(len(X)), squared.argmin(axis=1)
    shift = np.sort(centers, axis=0)[(len(centers) - 1) // 2]
    row_norms = np.sqrt(squared_distances(X, shift[np.newaxis]).ravel())
    norms = np.sqrt(squared_distances(centers, shift[np.newaxis]).ravel())
    norms = np.maximum(norms[labels], norms[nearest])
    error = (X.shape[1] + 4) * np.finfo(X.dtype).eps * norms * (row_norms + norms)
    assert (squared[rows, labels] - squared[rows, nearest] <= 2 * error).all()


def assert_same_bits(a, b):
    assert_array_equal(a.labels_, b.labels_)
    assert a.cluster_centers_.tobytes() == b.cluster_centers_.tobytes()
    assert np.float64(a.inertia_).tobytes() == np.float64(b.inertia_).tobytes()
    assert a.n_iter_ == b.n_iter_


# ---------------------------------------------------------------- consistent


@many
@given(problems(), starts, st.sampled_from(ALGORITHMS))
def test_labels_equal_predict_and_nearest_of_the_training_rows(problem, start, algorithm):
    model = problem.fit(algorithm=algorithm, **start_of(problem, start))
    assert_array_equal(model.labels_, model.predict(problem.X))
    assert_array_equal(model.labels_, model.nearest(problem.X).labels)
    assert model.labels_.dtype == np.int32


@many
@given(problems(), starts)
def test_inertia_is_exactly_minus_score_and_the_sum_of_squares(problem, start):
    model = problem.fit(**start_of(problem, start))
    assert model.inertia_ == -model.score(problem.X, sample_weight=problem.sample_weight)
    own = squared_distances(problem.X, model.cluster_centers_)[
        np.arange(problem.n_samples), model.labels_
    ]
    weights = 1.0 if problem.sample_weight is None else problem.sample_weight
    assert_allclose(model.inertia_, (weights * own).sum(), rtol=1e-12, atol=0)


@many
@given(problems(), starts)
def test_counts_and_history_describe_the_result(problem, start):
    model = problem.fit(**start_of(problem, start))
    assert_array_equal(model.counts_, np.bincount(model.labels_, minlength=problem.n_clusters))
    assert model.counts_.dtype == np.int64
    assert {len(column) for column in model.history_.values()} == {model.n_iter_}
    assert model.history_["n_changed"][0] == problem.n_samples
    assert model.cluster_centers_.shape == (problem.n_clusters, problem.n_features)
    assert model.cluster_centers_.dtype == problem.dtype


@many
@given(
    problems(kinds=("normal", "blobs"), weights=("integers",)),
    st.sampled_from(["rows", "one row", "far away"]),  # the last two start with empty clusters
    st.sampled_from([1, 300]),
    st.sampled_from([0, 1e-2]),
)
def test_a_row_of_weight_w_counts_as_w_rows(problem, start, max_iter, tol):
    assume(len(problem.counted_rows) >= problem.n_clusters)
    init = np.random.default_rng(0).permutation(problem.counted_rows)[: problem.n_clusters]
    if start != "rows":
        init[1:] = init[0] if start == "one row" else 1e3
    weighted = problem.fit(init=init, max_iter=max_iter, tol=tol)
    plain = KMeans(problem.n_clusters, init=init, max_iter=max_iter, tol=tol)
    plain.fit(np.repeat(problem.X, problem.sample_weight.astype(int), axis=0))
    rtol = 1e-5 if problem.dtype == np.float32 else 1e-10
    assert_allclose(weighted.cluster_centers_, plain.cluster_centers_, rtol=rtol, atol=rtol)
    assert_allclose(weighted.inertia_, plain.inertia_, rtol=rtol, atol=rtol)


# ---------------------------------------------------------------- exact


@many
@given(problems(), starts, st.sampled_from(ALGORITHMS))
def test_every_row_belongs_to_its_nearest_center(problem, start, algorithm):
    model = problem.fit(algorithm=algorithm, **start_of(problem, start))
    assert_nearest(problem.X, model.cluster_centers_, model.labels_)


@some
@given(problems(kinds=("normal", "blobs", "outlier")), starts)
def test_a_converged_fit_is_a_fixed_point_of_lloyds_algorithm(problem, start):
    model = problem.fit(tol=0, max_iter=1000, **start_of(problem, start))
    weights = np.ones(problem.n_samples) if problem.sample_weight is None else problem.sample_weight
    scale = np.abs(problem.X).max()
    eps = np.finfo(problem.dtype).eps
    for j, center in enumerate(model.cluster_centers_):
        own = model.labels_ == j
        if weights[own].sum() > 0:
            mean = np.average(problem.X[own].astype(np.float64), axis=0, weights=weights[own])
            assert_allclose(center, mean, rtol=2 * eps, atol=4e-16 * scale * problem.n_samples)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_iteration_has_the_inertia_of_scikit_learns(dtype, weighted):
    rtol = {np.float32: 1e-6, np.float64: 1e-12}[dtype]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = (rng.normal(size=(400, 6)) + 4 * rng.integers(0, 3, (400, 1))).astype(dtype)
        weights = rng.random(400) if weighted else None
        parameters = {"n_clusters": 7, "init": X[:7], "n_init": 1, "max_iter": 1}
        ours = KMeans(**parameters).fit(X, sample_weight=weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs = sklearn.cluster.KMeans(**parameters).fit(X, sample_weight=weights)
        assert_allclose(ours.inertia_, theirs.inertia_, rtol=rtol)
        assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-4), (np.float64, 1e-8)])
@pytest.mark.parametrize("tol", [0, 1e-4])
def test_a_whole_fit_reaches_the_inertia_of_scikit_learns(dtype, rtol, tol):
    for seed in range(10):
        rng = np.random.default_rng(100 + seed)
        X = (rng.normal(size=(900, 4)) + 3 * rng.integers(0, 4, (900, 1))).astype(dtype)
        parameters = {"n_clusters": 6, "init": X[:6], "n_init": 1, "tol": tol}
        ours = KMeans(**parameters).fit(X)
        theirs = sklearn.cluster.KMeans(**parameters).fit(X)
        assert_allclose(ours.inertia_, theirs.inertia_, rtol=rtol)
        if dtype == np.float64:
            assert ours.n_iter_ == theirs.n_iter_
            assert_array_equal(ours.labels_, theirs.labels_)


# ---------------------------------------------------------------- deterministic


@some
@given(problems(), st.sampled_from(["k-means++", "k-means||", "random"]))
def test_the_same_random_state_gives_the_same_bits(problem, init):
    first = problem.fit(init=init, n_init=2)
    for algorithm in ALGORITHMS:
        assert_same_bits(first, problem.fit(init=init, n_init=2, algorithm=algorithm))


def test_other_random_states_give_other_starts():
    X = np.random.default_rng(0).random((500, 2))
    inertias = {KMeans(20, random_state=seed, max_iter=1).fit(X).inertia_ for seed in range(10)}
    assert len(inertias) == 10


def test_a_random_state_instance_moves_on_from_fit_to_fit():
    X = np.random.default_rng(0).random((500, 2))
    state = np.random.RandomState(3)
    first, second = (KMeans(20, random_state=state).fit(X).inertia_ for _ in range(2))
    assert first != second
    assert first == KMeans(20, random_state=np.random.RandomState(3)).fit(X).inertia_


@some
@given(problems())
def test_clusters_of_a_seeded_fit_are_numbered_by_size_then_by_center(problem):
    model = problem.fit()
    sizes = np.bincount(model.labels_, problem.sample_weight, problem.n_clusters)
    is_empty, centers = model.counts_ == 0, model.cluster_centers_.tolist()
    if problem.weights == "reals":  # not equal to the last bit, where summed in another order
        sizes, centers = sizes.round(9), [[]] * len(sizes)
    keys = list(zip(-sizes, is_empty, centers, strict=True))
    n_filled = np.count_nonzero(~is_empty)
    assert keys[:n_filled] == sorted(keys[:n_filled])
    assert not is_empty[:n_filled].any()


def test_given_centers_keep_their_order():
    X = np.array([[0.0], [1.0], [10.0], [11.0], [12.0], [30.0]])
    model = KMeans(3, init=[[30.0], [0.0], [11.0]]).fit(X)
    assert_array_equal(model.cluster_centers_, [[30.0], [0.5], [11.0]])


# ---------------------------------------------------------------- K clusters


@many
@given(problems(), starts, st.sampled_from([1, 300]))
def test_there_are_k_clusters_or_as_many_as_distinct_rows(problem, start, max_iter):
    model = problem.fit(max_iter=max_iter, **start_of(problem, start))
    n_found = np.count_nonzero(model.counts_)
    assert_array_equal(np.unique(model.labels_), np.arange(n_found))
    n_distinct = len(problem.counted_rows)
    assert n_found >= min(n_distinct, problem.n_clusters)
    if problem.sample_weight is None:
        assert n_found == min(n_distinct, problem.n_clusters)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "array"])
def test_too_few_distinct_rows_give_one_message_with_their_number(init):
    X = np.repeat([[0.0, 1.0], [2.0, 3.0], [5.0, 5.0]], 6, axis=0)
    start = X[[0, 1, 2, 6, 7, 12, 13]] if init == "array" else init
    with pytest.warns(ConvergenceWarning, match=r"clusters \(3\).*n_clusters \(7\)") as record:
        model = KMeans(7, init=start, n_init=1, random_state=0).fit(X)
    assert len(record) == 1
    assert_array_equal(np.unique(model.labels_), [0, 1, 2])
    assert_array_equal(model.labels_, model.predict(X))
    assert model.inertia_ == 0


@pytest.mark.parametrize("n_samples", [1, 2, 7, 64, 65, 200])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_as_many_clusters_as_rows_makes_each_row_a_center(n_samples, init):
    X = np.random.default_rng(n_samples).normal(size=(n_samples, 3)).astype(np.float32)
    model = KMeans(n_samples, init=init, n_init=1, random_state=0).fit(X)
    assert model.inertia_ == 0
    assert_array_equal(model.counts_, np.ones(n_samples))
    assert_array_equal(np.unique(model.cluster_centers_, axis=0), np.unique(X, axis=0))


def test_rows_that_differ_in_the_last_bit_are_distinct():
    # Distances of one unit in the last place, far from zero: K clusters for every K.
    X = np.full((16, 2), 1e5)
    X[:, 0] += np.arange(16) * np.spacing(1e5)
    for n_clusters in range(7, 17):
        model = KMeans(n_clusters, random_state=0).fit(X)
        assert len(np.unique(model.labels_)) == n_clusters


# ---------------------------------------------------------------- right at scale


def test_thirty_million_float32_rows_in_one_cluster_are_all_counted():
    # Counters and sums in float32 stop at 2**24.
    n_samples = 30_000_000
    X = np.zeros((n_samples, 1), dtype=np.float32)
    X[1::2] = 1
    X[-1] = 1000
    model = KMeans(2, init=[[0.4], [900.0]], max_iter=2, n_jobs=2).fit(X)
    assert_array_equal(model.counts_, [n_samples - 1, 1])
    n_ones = n_samples // 2 - 1
    mean = n_ones / (n_samples - 1)
    assert model.cluster_centers_[0, 0] == np.float32(mean)
    assert_allclose(model.inertia_, n_ones * (1 - mean), rtol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "offset"), [(np.float32, 1e6), (np.float64, 1e6), (np.float64, 1e8)]
)
def test_an_offset_costs_no_digits(dtype, offset):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(3000, 3)) + 10 * rng.integers(0, 4, (3000, 1)) + offset).astype(dtype)
    model = KMeans(4, random_state=0, tol=0).fit(X)
    assert_nearest(X, model.cluster_centers_, model.labels_)
    exact = X.astype(np.longdouble)
    own = np.longdouble(0)
    for j, center in enumerate(model.cluster_centers_):
        rows = exact[model.labels_ == j]
        assert_allclose(center, rows.mean(axis=0).astype(float), rtol=np.finfo(dtype).eps)
        own += ((rows - center) ** 2).sum()
    assert_allclose(model.inertia_, float(own), rtol=1e-12)
    # Lloyd's algorithm on the same rows, shifted exactly, finds the same clusters.
    shifted = KMeans(4, init=model.cluster_centers_ - dtype(offset), tol=0).fit(X - dtype(offset))
    assert (shifted.labels_ != model.labels_).mean() < 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e5, 1e8, 1e12])
def test_one_row_far_away_spoils_no_other_label(dtype, far):
    rng = np.random.default_rng(1)
    X = (rng.normal(size=(4000, 3)) + 8 * rng.integers(0, 5, (4000, 1))).astype(dtype)
    X[17] = far
    model = KMeans(6, random_state=0, n_init=2).fit(X)
    assert_nearest(X, model.cluster_centers_, model.labels_)


def test_values_are_numbered_in_64_bits():
    try:
        X = np.zeros((2**25 + 64, 64), dtype=np.float32)  # 8 GB that are never written
    except MemoryError:
        pytest.skip("8 GB cannot be reserved")
    X[-64:] = 1 + 8 * (np.arange(64) % 2)[:, np.newaxis]  # the values from number 2**31 on
    model = KMeans(2, init=np.array([[0.0], [9.0]]).repeat(64, axis=1), max_iter=1).fit(X)
    assert_array_equal(model.counts_, [2**25 + 32, 32])
    mean = 32 / (2**25 + 32)
    assert_array_equal(model.cluster_centers_, np.float32([[mean], [9]]).repeat(64, axis=1))
    assert_allclose(model.inertia_, 64 * 32 * (1 - mean), rtol=1e-6)
    assert_array_equal(np.flatnonzero(model.labels_), np.arange(2**25 + 1, 2**25 + 64, 2))
    X[-1, -1] = np.nan
    with pytest.raises(ValueError, match=f"row {2**25 + 63}, column 63"):
        model.predict(X)


# ---------------------------------------------------------------- out of range


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_rows_whose_squares_overflow_are_refused_with_row_and_column(dtype, size):
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(dtype)
    X[7, 2] = size
    with pytest.raises(ValueError, match=r"row 7, column 2 .*overflow.*StandardScaler"):
        KMeans(3).fit(X)
    assert KMeans(3, random_state=0).fit(X / dtype(np.sqrt(size))).inertia_ >= 0


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e-22), (np.float64, 1e-310)])
def test_rows_whose_squares_vanish_are_refused_with_row_and_column(dtype, size):
    X = np.zeros((50, 3), dtype=dtype)
    X[7, 2] = size
    with pytest.raises(ValueError, match=r"row 7, column 2 .*vanish"):
        KMeans(2).fit(X)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float32, 1e-16), (np.float32, 1e16), (np.float64, 1e-140), (np.float64, 1e145)],
)
def test_small_and_large_rows_cluster_as_rows_of_order_one_do(dtype, scale):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3)) + 20 * rng.integers(0, 4, (400, 1))
    plain = KMeans(4, random_state=0).fit(X.astype(dtype))
    scaled = KMeans(4, random_state=0).fit((X * scale).astype(dtype))
    assert_array_equal(plain.labels_, scaled.labels_)
    assert_allclose(scaled.cluster_centers_ / scale, plain.cluster_centers_, rtol=1e-5)
