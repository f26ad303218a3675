"""choose_k: right on data with a known answer, in doubt where doubt is due, never an exception.

The evaluation here is small and declared: the seeds below had no part in finding the rule, and the
full one is benchmarks/choose_k.py.
"""

import json
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError

from centroids import KMeans, choose_k
from centroids.choosing_k.cautions import cautions_of
from centroids.choosing_k.decide import Ranking, needs_all_rows, settle, verdict_of
from centroids.choosing_k.valleys import Valley

EVALUATION_SEEDS = range(7000, 7004)


def separated(random, k, d, *, apart=7.0, n_each=60):
    """Spherical groups of standard deviation 1 whose means lie `apart` from each other or more."""
    means = np.empty((0, d))
    side = apart * max(1.0, 0.7 * k ** (1 / d))
    while len(means) < k:
        mean = random.random((1, d)) * side
        if (np.linalg.norm(means - mean, axis=1) >= apart).all():
            means = np.vstack([means, mean])
        side *= 1.002
    return np.repeat(means, n_each, axis=0) + random.normal(size=(k * n_each, d))


def with_noise(random, k, d):
    rows = separated(random, k, d, apart=9.0)
    return np.vstack([rows, random.uniform(rows.min(0), rows.max(0), (len(rows) // 10, d))])


GROUPED = {
    "spherical": separated,
    "noise": with_noise,
    "heavy tails": lambda random, k, d: (
        separated(random, k, d, apart=10.0) + 0.4 * random.standard_t(4, (60 * k, d))
    ),
}
CLOUDS = {
    "Gaussian": lambda random, d: random.normal(size=(500, d)),
    "uniform": lambda random, d: random.random((500, d)),
    "skewed": lambda random, d: random.exponential(size=(500, d)),
    "stretched": lambda random, d: random.normal(size=(500, d)) * np.geomspace(5, 1, d),
}


# --- Evaluation ---------------------------------------------------------------------------------


def test_known_numbers_of_clusters_are_found_and_clear_answers_are_right():
    choices = []
    for seed in EVALUATION_SEEDS:
        random = np.random.default_rng(seed)
        for draw in GROUPED.values():
            for k, d in ((2, 2), (3, 8), (5, 2), (8, 4), (12, 16), (20, 2)):
                choices.append((k, choose_k(draw(random, k, d), random_state=0)))
    n_right = sum(choice.k == k for k, choice in choices)
    assert n_right >= 0.97 * len(choices)
    assert all(choice.k == k for k, choice in choices if choice.verdict == "clear")
    assert sum(choice.verdict == "clear" for _, choice in choices) >= 0.8 * len(choices)


def test_clouds_are_no_clusters():
    choices = []
    for seed in EVALUATION_SEEDS:
        random = np.random.default_rng(seed)
        for draw in CLOUDS.values():
            choices += [choose_k(draw(random, d), random_state=0) for d in (1, 2, 8, 40)]
    assert sum(choice.k == 1 for choice in choices) >= 0.98 * len(choices)
    assert all((choice.k == 1) == (choice.verdict == "no clusters") for choice in choices)


# --- The three answers everybody should know ----------------------------------------------------


@pytest.fixture(scope="module")
def blobs():
    return choose_k(make_blobs(5000, 5, centers=5, random_state=0)[0], random_state=0)


@pytest.fixture(scope="module")
def cloud():
    return choose_k(np.random.default_rng(0).normal(size=(800, 3)), random_state=0)


@pytest.fixture(scope="module")
def iris():
    return choose_k(load_iris().data, random_state=0)


def test_five_blobs_are_clearly_five(blobs):
    assert (blobs.k, blobs.k_if_forced, blobs.verdict) == (5, 5, "clear")
    assert blobs.summary().startswith("K = 5, clearly.")
    assert "Why not 4: it would merge clusters" in blobs.summary()
    assert "Why not 6: the new pair has no valley" in blobs.summary()


def test_a_cloud_has_no_clusters_and_still_a_partition_for_those_who_need_one(cloud):
    assert (cloud.k, cloud.verdict) == (1, "no clusters")
    assert cloud.k_if_forced > 1
    assert len(cloud.estimator.cluster_centers_) == cloud.k_if_forced
    assert "No separated clusters found (K = 1)" in cloud.summary()


def test_iris_is_an_honest_doubt_between_two_and_three(iris):
    assert iris.verdict == "ambiguous"
    assert {iris.k, iris.runner_up} == {2, 3}
    assert "K = 2 or 3" in iris.summary()


# --- What comes with the answer -----------------------------------------------------------------


def test_the_table_has_one_entry_per_number_of_clusters(blobs):
    lengths = {len(column) for column in blobs.table.values()}
    assert lengths == {len(blobs.table["n_clusters"])}
    assert {"inertia", "held_out_inertia", "isolated", "votes", "score"} <= set(blobs.table)
    assert (np.diff(blobs.table["inertia"]) < 0).all()


def test_the_table_is_in_the_units_of_the_model(blobs):
    assert blobs.table["inertia"][4] == pytest.approx(blobs.estimator.inertia_, rel=1e-6)


def test_the_model_is_fitted_on_all_rows_and_numbered_by_size(blobs):
    counts = blobs.estimator.counts_
    assert counts.sum() == 5000
    assert (np.diff(counts) <= 0).all()


def test_clusters_of_one_size_are_numbered_by_center():
    places = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]])
    within = np.random.default_rng(0).normal(size=(100, 2))
    X = (places[:, None] + within).reshape(-1, 2)
    for seed in range(4):
        choice = choose_k(X, random_state=seed)
        assert choice.estimator.counts_.tolist() == [100] * 4
        centers = choice.estimator.cluster_centers_.tolist()
        assert centers == sorted(centers)


def test_everything_but_the_model_is_plain_data(blobs, cloud, iris):
    for choice in (blobs, cloud, iris):
        assert json.loads(json.dumps(choice.to_dict(), allow_nan=False))["k"] == choice.k


def test_valleys_name_the_clusters_of_the_model(blobs):
    named = {v.first for v in blobs.valleys} | {v.second for v in blobs.valleys}
    assert named == set(range(5))
    assert all(valley.is_separated for valley in blobs.valleys)
    assert not blobs.split.is_separated


# --- Contract -----------------------------------------------------------------------------------


def same(a, b):
    assert a.to_dict() == b.to_dict()
    np.testing.assert_array_equal(a.estimator.cluster_centers_, b.estimator.cluster_centers_)


def test_the_number_of_threads_changes_no_bit():
    X = make_blobs(12_000, 6, centers=7, random_state=1)[0]
    same(choose_k(X, random_state=3, n_jobs=1), choose_k(X, random_state=3, n_jobs=4))


def test_only_the_proportions_of_weights_matter():
    X = make_blobs(400, 2, centers=4, random_state=1)[0]
    w = np.random.default_rng(0).random(400) + 0.5
    one, many = (choose_k(X, sample_weight=w * factor, random_state=0) for factor in (1, 1024))
    assert one.k == many.k == 4
    np.testing.assert_array_equal(one.table["score"], many.table["score"])


def test_rows_of_weight_zero_do_not_count():
    X = make_blobs(400, 2, centers=3, cluster_std=0.5, random_state=2)[0]
    far = np.vstack([X, np.full((60, 2), 1e3)])
    w = np.r_[np.ones(400), np.zeros(60)]
    assert choose_k(far, sample_weight=w, random_state=0).k == choose_k(X, random_state=0).k == 3


def test_float32_gives_the_same_answer():
    X = make_blobs(2000, 4, centers=6, random_state=5)[0]
    assert choose_k(X.astype(np.float32), random_state=0).k == choose_k(X, random_state=0).k


def test_k_max_bounds_the_range_and_its_edge_is_pointed_out():
    choice = choose_k(separated(np.random.default_rng(0), 8, 2), k_max=8, random_state=0)
    assert choice.table["n_clusters"][-1] == 8
    assert any("allow a larger k_max" in caution for caution in choice.cautions)


def test_the_range_grows_with_the_data():
    choice = choose_k(separated(np.random.default_rng(1), 40, 8), random_state=0)
    assert choice.k == 40


def test_dozens_of_crowded_groups_are_found_beyond_the_first_range():
    """None shows a valley before nearly all have a center of their own."""
    choice = choose_k(separated(np.random.default_rng(2), 45, 2, apart=6.0), random_state=0)
    assert choice.k == 45


def test_a_small_group_beside_a_large_one_is_seen():
    """Half way to it lie rows of the large one; the valley is nearer to the small one."""
    random = np.random.default_rng(3)
    X = np.vstack([random.normal(size=(600, 2)), random.normal([6.0, 0.0], 1, size=(40, 2))])
    choice = choose_k(X, random_state=0)
    assert choice.k == 2
    assert sorted(choice.estimator.counts_) == pytest.approx([40, 600], abs=6)


def test_groups_within_groups_are_two_levels_to_choose_from(iris):
    assert iris.has_two_levels
    assert iris.runner_up == min(iris.preferred[n] for n in ("calinski_harabasz", "wb_index"))
    assert "groups within the groups" in iris.summary()


def test_large_inputs_are_sampled_and_the_message_says_so():
    random = np.random.default_rng(0)
    X = separated(random, 6, 3, n_each=10_000)
    choice = choose_k(random.permutation(X), random_state=0)
    assert choice.k == 6
    assert choice.n_samples_used == 3 * 15_220
    assert choice.choices_by_sample == [6, 6, 6]
    assert "clusters below 0.5 % of the rows may be missed" in choice.summary()
    assert choice.estimator.labels_.shape == (60_000,)


def test_max_time_ends_with_an_answer():
    choice = choose_k(make_blobs(15_000, 20, centers=30)[0], max_time=0.01, random_state=0)
    assert choice.has_timed_out
    assert "Time ran out" in choice.summary()


def test_evidence_cut_short_is_said_even_if_the_rest_ends_in_time(monkeypatch):
    monkeypatch.setattr("centroids.choosing_k.choose.EVIDENCE_SHARE", 1e-9)
    choice = choose_k(make_blobs(2_000, random_state=0)[0], max_time=600, random_state=0)
    assert choice.has_timed_out
    assert "Time ran out" in choice.summary()


def test_time_that_suffices_is_not_said_to_have_run_out():
    choice = choose_k(make_blobs(500, random_state=0)[0], max_time=600, random_state=0)
    assert not choice.has_timed_out
    assert "Time ran out" not in choice.summary()


@pytest.mark.parametrize("max_time", [1e-6, 0.003, 0.01, 0.03, 0.1, 0.3])
def test_time_may_run_out_anywhere(max_time):
    X = separated(np.random.default_rng(0), 12, 8, n_each=200)
    choice = choose_k(X, random_state=0, max_time=max_time)
    assert 1 <= choice.k <= len(choice.table["n_clusters"])
    assert len(choice.estimator.labels_) == len(X)
    assert choice.summary()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.05, 0.1, 0.2])
def test_a_signal_anywhere_ends_the_choice_at_once(seconds):
    class EnoughError(Exception):
        pass

    def stop(*_):
        raise EnoughError

    X = np.random.default_rng(0).normal(size=(15_000, 16))
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(EnoughError):
            choose_k(X, random_state=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_progress_is_reported():
    told = []
    choose_k(
        make_blobs(300, random_state=0)[0],
        random_state=0,
        callback=lambda done, of: told.append((done, of)),
    )
    assert told
    assert all(0 < done <= of for done, of in told)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.random.default_rng(0).normal(size=(300, 3)) * [1, 1, 100], "Column 2"),
        (np.repeat(np.random.default_rng(0).normal(size=(50, 2)), 4, axis=0), "repeat another"),
    ],
    ids=["unscaled column", "duplicates"],
)
def test_cautions_point_at_the_data(X, words):
    assert words in choose_k(X, random_state=0).summary()


def test_wrong_parameters_are_named():
    with pytest.raises(ValueError, match="'k_max' parameter of choose_k must be"):
        choose_k([[0.0], [1.0]], k_max=0)
    with pytest.raises(ValueError, match="contains NaN"):
        choose_k([[0.0], [np.nan]])


# --- Odd data -----------------------------------------------------------------------------------


ODD = {
    "one row": np.zeros((1, 3)),
    "two rows": np.array([[0.0], [1.0]]),
    "three rows": np.arange(3.0)[:, None],
    "constant": np.full((50, 2), 7.0),
    "two values": np.repeat([0.0, 1.0], 100)[:, None],
    "duplicates": np.repeat([[0.0, 0], [1, 0], [0, 1]], 30, axis=0),
    "nine rows": np.random.default_rng(0).normal(size=(9, 2)),
    "one column": np.random.default_rng(0).normal(size=(200, 1)),
    "more columns than rows": np.random.default_rng(0).normal(size=(20, 300)),
    "far from zero": np.random.default_rng(0).normal(size=(200, 2)) + 1e7,
    "tiny numbers": np.random.default_rng(0).normal(size=(200, 2)) * 1e-150,
    "a line": np.linspace(0, 1, 300)[:, None],
    "one outlier": np.r_[np.random.default_rng(0).normal(size=(100, 2)), [[1e6, 1e6]]],
}


@pytest.mark.parametrize("X", ODD.values(), ids=ODD.keys())
def test_odd_data_give_a_verdict_without_a_warning(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choice = choose_k(X, random_state=0)
        assert choice.summary()
    assert 1 <= choice.k <= len(X)
    assert choice.k in (1, choice.k_if_forced)
    assert len(choice.estimator.counts_) == choice.k_if_forced
    json.dumps(choice.to_dict(), allow_nan=False)


def test_three_repeated_points_are_three_clusters():
    assert choose_k(ODD["duplicates"], random_state=0).k == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_any_small_data_give_a_verdict(points, k_max):
    choice = choose_k(np.array(points, dtype=float), k_max=k_max, random_state=0)
    assert choice.verdict in ("clear", "likely", "ambiguous", "no clusters")
    assert 1 <= choice.k_if_forced <= min(k_max, len(set(points)))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 14),
    st.sampled_from([1e-140, 1e-3, 1.0, 1e100]),
    st.lists(st.sampled_from([0.0, 1e-8, 1.0, 1e8]), min_size=12, max_size=12),
    st.integers(0, 5),
)
def test_any_scale_and_any_weights_give_a_verdict(n, d, k_max, scale, weights, seed):
    X = np.random.default_rng(seed).standard_cauchy(size=(n, d)) * scale
    w = np.array([*weights[: n - 1], 1.0])
    choice = choose_k(X, k_max=k_max, sample_weight=w, random_state=0)
    assert choice.k in (1, choice.k_if_forced)
    assert choice.k_if_forced <= min(k_max, np.count_nonzero(w))
    json.dumps(choice.to_dict(), allow_nan=False)
    assert choice.summary()


# --- KMeans(n_clusters="auto") ------------------------------------------------------------------


def test_kmeans_auto_is_the_chosen_model():
    X = make_blobs(1500, 4, centers=6, random_state=5)[0]
    model = KMeans(n_clusters="auto", random_state=0).fit(X)
    assert model.k_choice_.k == len(model.cluster_centers_) == 6
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ <= model.k_choice_.estimator.inertia_ * (1 + 1e-9)


class Listener:
    """Keeps what a callback is told, and raises where it is told to."""

    def __init__(self, raises=False):
        self.raises, self.tried, self.states = raises, [], []

    def __call__(self, state):
        self.states.append(state)

    def on_k_tried(self, n_done, k_max):
        self.tried.append((n_done, k_max))
        if self.raises:
            raise RuntimeError("enough")


def test_kmeans_auto_tells_how_far_choosing_k_is():
    X, heard = np.random.default_rng(0).normal(size=(300, 2)), Listener()
    model = KMeans("auto", random_state=0, callback=heard).fit(X)
    assert heard.tried[-1] == (len(model.k_choice_.table["n_clusters"]),) * 2
    assert len(heard.states) == model.n_iter_


def test_an_exception_while_k_is_chosen_ends_the_fit_without_a_model():
    X, model = np.random.default_rng(0).normal(size=(300, 2)), KMeans("auto")
    with pytest.raises(RuntimeError, match="enough"):
        model.set_params(callback=Listener(raises=True)).fit(X)
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert model.set_params(callback=None).fit(X).predict(X).shape == (300,)


def test_kmeans_auto_has_one_cluster_where_there_are_none():
    X = np.random.default_rng(0).normal(size=(600, 2))
    model = KMeans(n_clusters="auto", random_state=0).fit(X)
    assert len(model.cluster_centers_) == 1
    np.testing.assert_allclose(model.cluster_centers_[0], X.mean(0))
    assert model.k_choice_.k_if_forced == len(model.k_choice_.estimator.cluster_centers_) > 1


def test_choosing_draws_nothing():
    code = (
        "import sys, numpy as np, centroids;"
        "centroids.choose_k(np.arange(40.0)[:, None]).summary();"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_function_stays_a_function_whatever_is_imported_first():
    code = (
        "import centroids.criteria, centroids.choosing_k.sweep;"
        "from centroids import choose_k; assert choose_k.__name__ == 'choose_k'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- Two neighbouring numbers that samples leave open -------------------------------------------


def valley(n_middle, n_peak):
    ratio = n_middle / n_peak
    return Valley(0, 1, ratio, n_middle, n_peak, 0.0, ratio <= 0.8)


def ranking_of(scores):
    return Ranking(np.array(scores), np.ones(len(scores)), {})


@pytest.mark.parametrize(
    ("scores", "larger"),
    [
        ([0, 0, 1.5, 1.4], 4),
        ([0, 0, 1.4, 1.5], 4),
        ([0, 0, 2.0, 1.4], None),  # likely
        ([0, 1.4, 0, 1.5], None),  # not neighbours
        ([0, 0, 0, 1.5], None),  # no runner-up
    ],
)
def test_only_close_neighbouring_numbers_need_all_rows(scores, larger):
    assert needs_all_rows(ranking_of(scores)) == larger


@pytest.mark.parametrize("scores", [[0, 0, 1.5, 1.4], [0, 0, 1.4, 1.5]])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (valley(3500.0, 5300.0), 4),
        (valley(5500.0, 5300.0), 3),
        (valley(42.0, 53.0), None),  # rather flat, and few rows
        (None, None),
    ],
    ids=["deep", "flat", "unclear", "none"],
)
def test_a_valley_on_all_rows_decides_where_it_is_clear(scores, found, expected):
    before = ranking_of(scores)
    after = settle(before, 4, found)
    assert after.best == (expected or before.best)
    assert after.is_settled == (expected is not None)
    assert verdict_of(after, False) == ("likely" if expected else "ambiguous")


def test_what_samples_leave_open_is_decided_on_all_rows(monkeypatch):
    for name, value in (("ALL_ROWS", 1000), ("SAMPLE_ROWS", 1000)):
        monkeypatch.setattr(f"centroids.choosing_k.choose.{name}", value)
    monkeypatch.setattr("centroids.choosing_k.choose.needs_all_rows", lambda ranking: 9)
    random = np.random.default_rng(0)
    means = np.vstack([random.random((7, 4)) * 40, [[100, 0, 0, 0], [103.6, 0, 0, 0]]])
    X = np.repeat(means, 2000, axis=0) + random.normal(size=(18_000, 4))
    choice = choose_k(random.permutation(X), random_state=0)
    assert (choice.k, choice.verdict, choice.is_settled_on_all_rows) == (9, "likely", True)
    assert "counted in all the data" in choice.summary()


# --- What users run into ------------------------------------------------------------------------


def test_sparse_rows_are_refused_with_advice():
    for choose in (choose_k, KMeans("auto").fit):
        with pytest.raises(NotImplementedError, match="TruncatedSVD"):
            choose(scipy.sparse.random(50, 5, 0.3, format="csr", random_state=0))


def test_votes_for_the_end_of_the_range_are_pointed_out():
    X = separated(np.random.default_rng(2), 6, 3)
    choice = choose_k(X, k_max=4, random_state=0)
    assert any("end of the range" in caution for caution in choice.cautions)


def test_without_time_for_two_clusters_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr("centroids.choosing_k.choose.EVIDENCE_SHARE", 1e-9)
    choice = choose_k(np.random.default_rng(0).normal(size=(3000, 5)), max_time=60)
    assert choice.k == 1
    assert "no finding" in choice.summary()
    assert "No separated clusters" not in choice.summary()


def test_clusters_are_tiny_only_beside_larger_ones():
    X = separated(np.random.default_rng(1), 120, 8, apart=30.0)[::6]
    counts = np.full(120, 500)
    table = {"n_clusters": np.arange(1, 121), "votes": np.zeros(120)}

    def cautions(counts):
        model = SimpleNamespace(counts_=counts)
        return " ".join(cautions_of(X, model, table, None, None))

    assert "tiny" not in cautions(counts)
    assert "1 cluster is tiny (50 of 59,550 rows)" in cautions(np.append(counts[1:], 50))
