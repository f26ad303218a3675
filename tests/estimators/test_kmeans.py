"""KMeans as its users meet it: input of every kind, parameters, errors, the interface around it."""

import pickle
import re
import subprocess
import sys
import textwrap
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from centroids import KMeans

BLOBS = np.random.default_rng(0).normal(size=(200, 3)) + 10 * np.arange(200)[:, np.newaxis] // 50


def fitted(**parameters):
    return KMeans(**{"n_clusters": 4, "random_state": 0, **parameters}).fit(BLOBS)


# ---------------------------------------------------------------- scikit-learn's own checks


@parametrize_with_checks(
    # scikit-learn's own fails two of them, with these settings: heavy rows and repeated rows.
    [KMeans()]
)
def test_scikit_learns_checks_pass(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def test_the_signature_and_defaults_are_scikit_learns():
    ours, theirs = KMeans().get_params(), sklearn.cluster.KMeans().get_params()
    assert theirs.keys() <= ours.keys()
    renamed = {"algorithm": "auto"}  # "lloyd" is accepted, "auto" gives the same labels
    assert {name: ours[name] for name in theirs} == theirs | renamed


# ---------------------------------------------------------------- complaints about others


def test_labels_are_current_after_an_empty_cluster_was_filled():
    # github.com/scikit-learn/scikit-learn/issues/34074
    X = np.array([[1.0], [2.0], [3.0]])
    for algorithm in ("lloyd", "elkan", "brute_force", "hamerly"):
        model = KMeans(3, init=[[4.0], [0.0], [1.0]], max_iter=10, tol=0, algorithm=algorithm)
        model.fit(X)
        assert_array_equal(model.labels_, model.predict(X))
        assert model.inertia_ == -model.score(X) == 0


def test_weights_decide_the_centers_of_a_seeded_fit():
    # github.com/scikit-learn/scikit-learn/issues/25527
    X = np.array([[1], [1], [5], [5], [100], [100]])
    weights = 10.0 ** np.array([8, 8, 8, 8, -8, -8])
    for seed in range(20):
        model = KMeans(2, random_state=seed, n_init=10).fit(X, sample_weight=weights)
        assert_allclose(np.sort(model.cluster_centers_.ravel()), [1, 5], atol=1e-5)
        plain = KMeans(2, random_state=seed, n_init=10).fit(X)
        assert_allclose(np.sort(plain.cluster_centers_.ravel()), [3, 100])


def test_weights_count_in_inertia_and_score():
    # github.com/NVIDIA/cuml/issues/8530
    X = np.array([[0.0, 0], [1, 1], [2, 2], [10, 10], [11, 11], [12, 12]])
    model = KMeans(2, init=[[1.0, 1.0], [11.0, 11.0]])
    model.fit(X, sample_weight=[1, 1, 1, 2, 2, 2])
    assert model.inertia_ == 12
    assert model.score([[0.0, 0.0], [10.0, 10.0]], sample_weight=[2, 2]) == -8


def test_a_tiny_inertia_keeps_its_digits():
    # github.com/uxlfoundation/scikit-learn-intelex/issues/25
    X = np.array([[-1.0001], [-0.9999], [0.9999], [1.0001]], dtype=np.float32)
    model = KMeans(2, random_state=0).fit(X)
    assert_allclose(np.sort(model.cluster_centers_.ravel()), [-1, 1])
    exact = (X.astype(float).ravel() - model.cluster_centers_[model.labels_].ravel()) ** 2
    assert_allclose(model.inertia_, exact.sum(), rtol=1e-12)
    assert_allclose(model.inertia_, 4.0e-8, rtol=1e-2)


def test_duplicates_leave_contiguous_labels_and_one_message():
    # github.com/scikit-learn/scikit-learn/issues/10059: 17 points, 9 of them distinct
    points = [
        *[(1086, 348), (1087, 347), (1190, 244), (1190, 244), (1086, 348), (1185, 249)],
        *[(1193, 241), (1185, 249), (1087, 347), (1188, 247), (1187, 233), (26, 111), (26, 111)],
        *[(26, 110)] * 4,
    ]
    with pytest.warns(ConvergenceWarning, match=r"\(9\)") as record:
        model = KMeans(10, random_state=0).fit(points)
    assert len(record) == 1
    assert_array_equal(np.unique(model.labels_), np.arange(9))
    assert len(np.unique(model.cluster_centers_[:9], axis=0)) == 9
    assert KMeans(9, random_state=0).fit(points).inertia_ == 0


def test_more_centers_than_distinct_rows_come_to_an_end():
    # github.com/scikit-learn/scikit-learn/issues/28055
    X = np.array([[0.0], [1.0], [1.0], [1.0], [0.0]])
    with pytest.warns(ConvergenceWarning):
        model = KMeans(5, init=X, max_iter=1000, tol=0).fit(X)
    assert model.n_iter_ < 10


def test_repeated_fits_differ_in_no_bit_whatever_the_threads():
    # github.com/scikit-learn/scikit-learn/issues/27518
    matrix = np.random.default_rng(0).normal(size=(1000, 100))
    centers = [
        KMeans(5, max_iter=1, random_state=0, n_jobs=n_jobs).fit(matrix).cluster_centers_
        for n_jobs in (*range(1, 9), None, -1)
        for _ in range(3)
    ]
    assert max(np.abs(other - centers[0]).max() for other in centers) == 0


def test_thousands_of_clusters_fit_in_little_memory():
    # github.com/scikit-learn/scikit-learn/issues/9943, with fewer iterations
    program = """
        import resource
        import numpy as np
        from centroids import KMeans
        X = np.random.default_rng(0).random((250_000, 2))
        resource.setrlimit(resource.RLIMIT_AS, (2**30 * 2, 2**30 * 2))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model = KMeans(6000, init="random", n_init=1, random_state=0, max_iter=2, n_jobs=2).fit(X)
        assert (model.counts_ > 0).all()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    used = int(run_python(program)) * 1024
    assert used < 100e6


# ---------------------------------------------------------------- input


def run_python(program):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: np.hstack([X, X])[:, : X.shape[1]],
        lambda X: X[::-1].copy()[::-1],
        lambda X: X.tolist(),
        lambda X: tuple(map(tuple, X.tolist())),
        lambda X: X.astype(">f8"),
        lambda X: X.astype(object),
        lambda X: pd.DataFrame(X),
        lambda X: X.view(type("Rows", (np.ndarray,), {})),
    ],
    ids=[
        *("fortran", "strided", "sliced", "reversed", "list"),
        *("tuples", "big-endian", "object", "frame", "subclass"),
    ],
)
def test_the_same_rows_in_another_form_give_the_same_model(convert):
    expected, got = fitted(), KMeans(4, random_state=0).fit(convert(BLOBS))
    assert_array_equal(got.labels_, expected.labels_)
    assert got.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    assert_array_equal(expected.predict(convert(BLOBS)), expected.labels_)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.float16, bool])
def test_other_numbers_are_clustered_as_float64(dtype):
    X = (BLOBS > 15).astype(dtype) if dtype is bool else BLOBS.astype(dtype)
    model, expected = (KMeans(2, random_state=0).fit(rows) for rows in (X, X.astype(np.float64)))
    assert_array_equal(model.labels_, expected.labels_)
    assert model.cluster_centers_.dtype == np.float64


def test_large_integers_lose_nothing_to_float32():
    X = np.array([[2**24], [2**24 + 1], [2**24 + 2], [2**24 + 3]])
    assert KMeans(4, random_state=0).fit(X).inertia_ == 0


def test_float32_stays_float32():
    model = KMeans(4, random_state=0).fit(BLOBS.astype(np.float32))
    assert model.cluster_centers_.dtype == np.float32
    assert model.transform(BLOBS.astype(np.float32)).dtype == np.float32
    assert model.transform(BLOBS).dtype == np.float64
    assert fitted().transform(BLOBS.astype(np.float32)).dtype == np.float64


def test_rows_of_the_other_precision_are_predicted():
    single = KMeans(4, random_state=0).fit(BLOBS.astype(np.float32))
    assert_array_equal(single.predict(BLOBS), single.labels_)
    assert_array_equal(fitted().predict(BLOBS.astype(np.float32)), fitted().labels_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_read_only_and_memory_mapped_rows_are_used_as_they_are(tmp_path, dtype):
    X = np.random.default_rng(0).random((20000, 40)).astype(dtype)
    X.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", dtype=dtype, mode="r", shape=X.shape)
    locked = X.copy()
    locked.flags.writeable = False
    expected = KMeans(5, random_state=0, max_iter=5).fit(X)
    for rows in (mapped, locked):
        tracemalloc.start()  # sees every array that NumPy makes
        model = KMeans(5, random_state=0, max_iter=5).fit(rows)
        labels = model.predict(rows)
        model.score(rows)
        model.nearest(rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < X.nbytes / 4
        assert_array_equal(labels, expected.labels_)
    assert_array_equal(locked, X)


@pytest.mark.parametrize("algorithm", ["auto", "brute_force", "hamerly"])
def test_a_fit_needs_at_most_32_bytes_a_row(algorithm):
    program = f"""
        import resource
        import numpy as np
        from centroids import KMeans
        X = np.random.default_rng(0).random((600_000, 12))
        KMeans(3, max_iter=1, n_jobs=1).fit(X[:1000])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model = KMeans(6, random_state=0, n_jobs=1, max_iter=12, algorithm={algorithm!r}).fit(X)
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(X))
    """
    assert float(run_python(program)) < 32 + 6  # pages and small buffers; a copy is 96


def test_the_rows_of_the_caller_are_left_alone():
    X = BLOBS.copy()
    KMeans(4, copy_x=False).fit(X).transform(X)
    assert_array_equal(X, BLOBS)


# ---------------------------------------------------------------- data frames


FRAMES = {
    "pandas": lambda columns: pd.DataFrame(BLOBS, columns=columns),
    "polars": lambda columns: pl.DataFrame(BLOBS, schema=columns),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_column_names_are_remembered_and_checked(kind):
    frame = FRAMES[kind](["a", "b", "c"])
    model = KMeans(4, random_state=0).fit(frame)
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])
    assert_array_equal(model.labels_, fitted().labels_)
    assert_array_equal(model.predict(frame), model.labels_)
    with pytest.raises(ValueError, match=r"feature names should match(.|\n)*- z"):
        model.predict(FRAMES[kind](["a", "b", "z"]))
    with pytest.raises(ValueError, match="same order"):
        model.predict(FRAMES[kind](["b", "a", "c"]))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(BLOBS)


def test_names_are_forgotten_when_refitted_without():
    model = KMeans(4, random_state=0).fit(FRAMES["pandas"](["a", "b", "c"]))
    model.fit(BLOBS)
    assert not hasattr(model, "feature_names_in_")
    assert_array_equal(model.predict(BLOBS), model.labels_)


@pytest.mark.parametrize(("kind", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output_gives_frames_with_named_columns(kind, frame):
    model = fitted().set_output(transform=kind)
    out = model.transform(BLOBS)
    assert isinstance(out, frame)
    names = ["kmeans0", "kmeans1", "kmeans2", "kmeans3"]
    assert list(out.columns) == names
    assert_array_equal(model.get_feature_names_out(), names)
    assert_array_equal(out.to_numpy(), fitted().transform(BLOBS))
    assert isinstance(KMeans(4).set_output(transform=kind).fit_transform(BLOBS), frame)


# ---------------------------------------------------------------- methods


def test_fit_predict_and_fit_transform_are_fit_and_then_some():
    model = fitted()
    assert_array_equal(KMeans(4, random_state=0).fit_predict(BLOBS), model.labels_)
    assert_array_equal(KMeans(4, random_state=0).fit_transform(BLOBS), model.transform(BLOBS))


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_transform_gives_distances(dtype, rtol):
    X = BLOBS.astype(dtype)
    model = KMeans(5, random_state=0).fit(X)
    gaps = X[:, np.newaxis].astype(float) - model.cluster_centers_[np.newaxis].astype(float)
    assert_allclose(model.transform(X), np.sqrt((gaps**2).sum(axis=2)), rtol=rtol)


@pytest.mark.parametrize("n_clusters", [2, 3, 20])
def test_nearest_gives_the_two_nearest_centers_in_order(n_clusters):
    model = KMeans(n_clusters, random_state=0).fit(BLOBS)
    nearest = model.nearest(BLOBS)
    distances = euclidean_distances(BLOBS, model.cluster_centers_)
    order = np.argsort(distances, axis=1)
    assert_array_equal(nearest.labels, order[:, 0])
    assert_array_equal(nearest.second_labels, order[:, 1])
    assert_allclose(nearest.distances, np.sort(distances, axis=1)[:, 0], rtol=1e-8, atol=1e-6)
    assert_allclose(nearest.second_distances, np.sort(distances, axis=1)[:, 1], rtol=1e-8)


def test_of_equally_near_centers_the_lowest_numbers_come_first():
    model = KMeans(4, init=[[-1.0], [1.0], [-1.0], [5.0]], max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit([[-1.0], [1.0], [1.0], [5.0], [-1.0]])
    model.cluster_centers_ = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    nearest = model.nearest([[0.0], [1.0], [-1.0]])
    assert_array_equal(nearest.labels, [0, 0, 1])
    assert_array_equal(nearest.second_labels, [1, 2, 3])


def test_with_one_cluster_there_is_no_second():
    nearest = KMeans(1).fit(BLOBS).nearest(BLOBS)
    assert (nearest.second_labels == -1).all()
    assert np.isinf(nearest.second_distances).all()


def test_one_row_and_one_column_are_enough():
    model = KMeans(1).fit([[3.0]])
    assert model.cluster_centers_ == [[3.0]]
    assert model.predict([[8.0]]) == [0]
    assert model.inertia_ == 0


def test_scalar_and_unit_weights_are_weights():
    assert fitted().score(BLOBS, sample_weight=2.0) == pytest.approx(2 * fitted().score(BLOBS))
    unit = KMeans(4, random_state=0).fit(BLOBS, sample_weight=np.ones(200))
    assert unit.inertia_ == fitted().inertia_


@pytest.mark.parametrize("init", ["k-means++", "random", BLOBS[[0, 60, 110, 160]]])
def test_rows_of_weight_zero_move_no_center(init):
    weights = np.ones(200)
    weights[::3] = 0
    X = BLOBS.copy()
    X[::3] += 1000
    model = KMeans(4, init=init, n_init=3 if isinstance(init, str) else 1, tol=0, random_state=0)
    model.fit(X, sample_weight=weights)
    assert model.cluster_centers_.max() < 100
    for j, center in enumerate(model.cluster_centers_):
        assert_allclose(center, np.average(X[model.labels_ == j], axis=0,
                                           weights=weights[model.labels_ == j]))  # fmt: skip


def test_pickle_joblib_and_clone_keep_what_they_should(tmp_path):
    model = fitted()
    joblib.dump(model, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")):
        assert_array_equal(copy.predict(BLOBS), model.labels_)
        assert copy.inertia_ == model.inertia_
        assert copy.history_ == model.history_
    unfitted = clone(model)
    assert unfitted.get_params() == model.get_params()
    assert not hasattr(unfitted, "cluster_centers_")


def test_pipelines_and_searches_take_it_in():
    pipeline = make_pipeline(StandardScaler(), KMeans(random_state=0))
    search = GridSearchCV(pipeline, {"kmeans__n_clusters": [2, 4]}, cv=3).fit(BLOBS)
    assert search.best_params_ == {"kmeans__n_clusters": 4}


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("n_clusters", 0, "an int of at least 1"),
        ("n_clusters", -3, "an int of at least 1"),
        ("n_clusters", 2.0, "an int of at least 1"),
        ("n_clusters", True, "an int of at least 1"),
        ("n_clusters", "many", "'auto'"),
        ("init", "kmeans++", "'k-means++', 'k-means||', 'random'"),
        ("init", 3, "an array"),
        ("n_init", 0, "an int of at least 1"),
        ("n_init", "ten", "'auto'"),
        ("max_iter", 0, "an int of at least 1"),
        ("max_iter", 1.5, "an int of at least 1"),
        ("tol", -1e-4, "a number of at least 0"),
        ("tol", np.nan, "a number of at least 0"),
        ("tol", "small", "a number of at least 0"),
        ("verbose", -1, "an int of at least 0"),
        ("verbose", "yes", "True or False"),
        ("random_state", -1, "2**32 - 1"),
        ("random_state", 2**32, "2**32 - 1"),
        ("random_state", "seed", "RandomState"),
        ("copy_x", 1, "True or False"),
        ("algorithm", "fast", "'brute_force'"),
        ("search", "tabu", "'breathing'"),
        ("metric", "manhattan", "'euclidean', 'cosine'"),
        ("n_jobs", 0, "an int other than 0"),
        ("n_jobs", 1.5, "an int other than 0"),
        ("max_time", 0, "a number above 0"),
        ("max_time", -1.0, "a number above 0"),
        ("max_time", "soon", "a number above 0"),
        ("callback", "print", "a callable"),
    ],
)
def test_a_parameter_that_breaks_its_rule_is_named_with_its_value(name, value, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        KMeans(**{name: value}).fit(BLOBS)
    message = str(caught.value)
    assert message.startswith(f"The {name!r} parameter of KMeans must be ")
    assert words in message
    assert message.endswith(f"Got {value!r} instead.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_clusters", np.int64(4)),
        ("max_iter", 10**30),
        ("n_jobs", 10**12),
        ("n_jobs", -1000),
        ("max_time", float("inf")),
        ("max_time", 10**15),
        ("max_time", np.float32(1e9)),
        ("tol", float("inf")),
        ("random_state", np.uint32(2**32 - 1)),
        ("verbose", False),
        ("copy_x", np.True_),
    ],
)
def test_unusual_numbers_are_taken_at_their_word(name, value):
    parameters = {"n_clusters": 4, "random_state": 0, name: value}
    model = KMeans(**parameters).fit(BLOBS)
    if name not in ("tol", "random_state"):
        assert_array_equal(model.labels_, fitted().labels_)


def test_no_clusters_than_rows():
    with pytest.raises(ValueError, match=r"n_samples=200 should be >= n_clusters=201"):
        KMeans(201).fit(BLOBS)


@pytest.mark.parametrize("method", ["predict", "transform", "nearest", "score"])
def test_nothing_works_before_fit(method):
    with pytest.raises(NotFittedError, match="KMeans"):
        getattr(KMeans(), method)(BLOBS)


@pytest.mark.parametrize("method", ["fit", "predict", "transform", "nearest", "score"])
@pytest.mark.parametrize("n_samples", [10, 5000])  # small input takes another route
@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "NaN"), (np.inf, "infinity (inf)"), (-np.inf, "infinity (-inf)")]
)
def test_values_that_are_not_finite_are_named_by_row_and_column(method, n_samples, value, words):
    X = np.random.default_rng(0).normal(size=(n_samples, 3))
    model = KMeans(2, random_state=0).fit(X)
    X[7, 2] = value
    X[9, 0] = np.inf
    X[9, 1] = -np.inf
    with pytest.raises(ValueError, match=rf"contains {re.escape(words)}, first at row 7, column 2"):
        getattr(model, method)(X)


def test_the_name_of_the_column_stands_in_the_error():
    frame = pd.DataFrame(BLOBS, columns=["width", "height", "depth"])
    frame.loc[5, "height"] = np.nan
    with pytest.raises(ValueError, match=r"row 5, column 'height'"):
        KMeans(2).fit(frame)


def test_large_finite_rows_are_predicted_without_a_warning():
    model = fitted()
    assert model.predict(np.full((5, 3), 1e305)).shape == (5,)
    assert model.predict(np.array([[1e308, -1e308, 0.0]] * 3)).shape == (3,)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ([1.0, 2.0, 3.0], "Expected 2D array"),
        (np.zeros((2, 2, 2)), "dim 3"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        ([["a", "b"], ["c", "d"]], "could not convert string"),
        (np.array([[1 + 2j]]), "Complex"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(X, words):
    with pytest.raises(ValueError, match=words):
        KMeans(1).fit(X)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ValueError, match=r"X has 2 features, but KMeans is expecting 3"):
        fitted().predict(BLOBS[:, :2])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), r"\(3,\), expected \(200,\)"),
        (np.ones((200, 1)), "1D"),
        (np.zeros(200), "zero for every row"),
        (np.where(np.arange(200) == 4, -1.0, 1.0), r"Negative values .*-1.0 at row 4"),
        (np.where(np.arange(200) == 4, np.nan, 1.0), r"NaN.* at row 4"),
        (["heavy"] * 200, "must hold numbers"),
    ],
)
def test_bad_weights_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        KMeans(2).fit(BLOBS, sample_weight=weights)
    with pytest.raises(ValueError, match=words):
        fitted().score(BLOBS, sample_weight=weights)


@pytest.mark.parametrize(
    ("init", "words"),
    [
        (BLOBS[:3], r"initial centers \(3, 3\) does not match the number of clusters 4"),
        (BLOBS[:4, :2], r"initial centers \(4, 2\) does not match the number of features .* 3"),
        (np.full((4, 3), np.nan), "init contains NaN"),
        (BLOBS[:4].ravel(), "Expected 2D array"),
    ],
)
def test_bad_first_centers_are_refused_given_or_called_for(init, words):
    with pytest.raises(ValueError, match=words):
        KMeans(4, init=init).fit(BLOBS)
    with pytest.raises(ValueError, match=words):
        KMeans(4, init=lambda X, k, random_state: init, n_init=1).fit(BLOBS)


def test_a_refit_that_fails_leaves_no_model_that_crashes():
    model = fitted()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((10, 2), np.nan))
    for X in (BLOBS, BLOBS[:, :2]):
        try:
            labels = model.predict(X)
        except (ValueError, NotFittedError):
            continue
        assert_array_equal(labels, fitted().labels_)


def test_first_centers_far_from_all_rows_are_survived():
    for init in (np.full((4, 3), 1e30), np.full((4, 3), -1e150), np.zeros((4, 3))):
        model = KMeans(4, init=init).fit(BLOBS)
        assert (model.counts_ > 0).all()
        assert_array_equal(model.predict(BLOBS), model.labels_)
    single = KMeans(4, init=np.full((4, 3), 1e30)).fit(BLOBS.astype(np.float32))
    assert (single.counts_ > 0).all()
