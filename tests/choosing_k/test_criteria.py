"""Each criterion against obvious NumPy, with and without weights."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from centroids import KMeans, criteria
from centroids.choosing_k.partition import stacked

quick = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def clustered():
    random = np.random.default_rng(3)
    X = random.normal(size=(240, 3)) + np.repeat(random.normal(size=(6, 3)) * 5, 40, axis=0)
    model = KMeans(6, tol=0, random_state=0).fit(X)
    return X, model.cluster_centers_, model.labels_


@pytest.fixture(scope="module")
def partition(clustered):
    X, centers, _ = clustered
    return criteria.measure_partition(X, centers)


def own_and_second(X, centers):
    return np.sort(cdist(X, centers), axis=1)[:, :2].T


# --- The sums of a partition --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["rows", "weighted"])
def test_sums_are_those_of_numpy(dtype, is_weighted):
    random = np.random.default_rng(0)
    X = random.normal(size=(3000, 5)).astype(dtype)
    centers = random.normal(size=(7, 5)).astype(dtype)
    w = random.random(3000) if is_weighted else np.ones(3000)
    partition = criteria.measure_partition(X, centers, sample_weight=w if is_weighted else None)
    distances = cdist(X.astype(float), centers.astype(float))
    labels = distances.argmin(axis=1)
    own, second = np.sort(distances, axis=1)[:, :2].T
    for name, values in {
        "weights": np.ones(3000),
        "inertias": own**2,
        "distances": own,
        "second_distances": second,
        "silhouettes": 1 - own / second,
    }.items():
        expected = np.bincount(labels, w * values, minlength=7)
        np.testing.assert_allclose(getattr(partition, name), expected, rtol=1e-9, err_msg=name)


def test_sums_have_the_same_bits_for_every_number_of_threads():
    random = np.random.default_rng(1)
    X, centers = random.normal(size=(50_000, 8)), random.normal(size=(9, 8))
    one, four = (criteria.measure_partition(X, centers, n_jobs=n) for n in (1, 4))
    for name in ("weights", "inertias", "distances", "silhouettes", "profiles"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


# --- Criteria of a partition --------------------------------------------------------------------


def test_calinski_harabasz_is_scikit_learns(clustered, partition):
    X, _, labels = clustered
    assert criteria.calinski_harabasz(partition) == pytest.approx(
        calinski_harabasz_score(X, labels), rel=1e-9
    )


def test_davies_bouldin_is_scikit_learns(clustered, partition):
    X, _, labels = clustered
    assert criteria.davies_bouldin(partition) == pytest.approx(
        davies_bouldin_score(X, labels), rel=1e-9
    )


def test_simplified_silhouette_is_the_mean_of_one_minus_own_over_second(clustered, partition):
    own, second = own_and_second(*clustered[:2])
    expected = (1 - own / second).mean()
    assert criteria.simplified_silhouette(partition) == pytest.approx(expected)


def test_wb_index_is_k_times_inertia_within_over_between(clustered, partition):
    X, centers, labels = clustered
    within = ((X - centers[labels]) ** 2).sum()
    between = ((X - X.mean(0)) ** 2).sum() - within
    assert criteria.wb_index(partition) == pytest.approx(6 * within / between)


def test_xie_beni_is_mean_square_over_the_smallest_squared_gap(clustered, partition):
    X, centers, labels = clustered
    gaps = cdist(centers, centers) + np.diag([np.inf] * 6)
    expected = ((X - centers[labels]) ** 2).sum(1).mean() / gaps.min() ** 2
    assert criteria.xie_beni(partition) == pytest.approx(expected)


def test_centroid_dunn_is_the_smallest_gap_over_the_largest_radius(clustered, partition):
    X, centers, labels = clustered
    gaps = cdist(centers, centers) + np.diag([np.inf] * 6)
    own = np.linalg.norm(X - centers[labels], axis=1)
    radii = [own[labels == j].mean() for j in range(6)]
    assert criteria.centroid_dunn(partition) == pytest.approx(gaps.min() / max(radii))


def test_own_over_nearest_compares_each_row_with_the_gap_beside_its_center(clustered, partition):
    X, centers, labels = clustered
    gaps = (cdist(centers, centers) + np.diag([np.inf] * 6)).min(1)
    own = np.linalg.norm(X - centers[labels], axis=1)
    assert criteria.own_over_nearest(partition) == pytest.approx((own / gaps[labels]).mean())


def test_bic_is_the_likelihood_of_spherical_gaussians_less_its_penalty(clustered, partition):
    X, centers, labels = clustered
    n, d, k = 240, 3, 6
    expected = -(k * (d + 2) - 1) / 2 * np.log(n)
    for j in range(k):
        own = ((X[labels == j] - centers[j]) ** 2).sum(1)
        variance = own.sum() / (d * len(own))
        log_density = -d / 2 * np.log(2 * np.pi * variance) - own / (2 * variance)
        expected += (np.log(len(own) / n) + log_density).sum()
    assert criteria.bic(partition) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(criteria.PARTITION_CRITERIA))
def test_a_weight_counts_as_so_many_equal_rows(clustered, name):
    X, centers, _ = clustered
    w = np.random.default_rng(0).integers(1, 4, len(X))
    criterion = criteria.PARTITION_CRITERIA[name]
    weighted = criterion(criteria.measure_partition(X, centers, sample_weight=w))
    repeated = criterion(criteria.measure_partition(np.repeat(X, w, axis=0), centers))
    assert weighted == pytest.approx(repeated, rel=1e-9)


@pytest.mark.parametrize("name", sorted(criteria.PARTITION_CRITERIA))
def test_a_stack_of_partitions_has_the_value_of_each(clustered, name):
    X, centers, _ = clustered
    partitions = [criteria.measure_partition(X, centers[:k]) for k in (2, 6, 3)]
    criterion = criteria.PARTITION_CRITERIA[name]
    expected = [criterion(partition) for partition in partitions]
    assert criterion(stacked(partitions)).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(criteria.PARTITION_CRITERIA))
@quick
@given(data=st.data())
def test_values_lie_in_the_declared_range_on_any_rows(name, data):
    n, k = data.draw(st.integers(2, 30)), data.draw(st.integers(2, 5))
    numbers = st.lists(st.integers(-3, 3), min_size=2 * n, max_size=2 * n)
    X = np.array(data.draw(numbers), dtype=float).reshape(n, 2)
    centers = X[np.linspace(0, n - 1, min(k, n)).astype(int)]
    criterion = criteria.PARTITION_CRITERIA[name]
    value = criterion(criteria.measure_partition(X, centers))
    low, high = criterion.range
    assert not np.isnan(value)
    assert low <= value <= high


# --- Criteria of a curve ------------------------------------------------------------------------


def test_bend_of_log_inertia_is_highest_where_the_fall_ends():
    inertia = np.array([1000.0, 400, 100, 90, 82, 75])
    bend = criteria.log_inertia_bend(inertia, 2)
    assert bend[2] == pytest.approx(np.log(400) - 2 * np.log(100) + np.log(90))
    assert criteria.best_n_clusters(criteria.log_inertia_bend, bend, np.arange(1, 7)) == 3


def test_jump_is_the_rise_of_the_transformed_inertia():
    inertia = np.array([1000.0, 400, 100, 90, 82, 75])
    transformed = inertia ** -(4 / 2)
    expected = np.diff(transformed, prepend=0.0) / transformed.max()
    np.testing.assert_allclose(criteria.jump(inertia, 4), expected)


def test_jump_survives_thousands_of_columns():
    assert np.isfinite(criteria.jump(np.array([1e6, 1e3, 1e-3]), 5000)).all()


def test_a_perfect_fit_is_no_cliff_of_rounding():
    bend = criteria.log_inertia_bend(np.array([8.0, 4.0, 0.0, 0.0, 0.0]), 1)
    assert np.nanargmax(bend) == 2


# --- What criteria know of themselves -----------------------------------------------------------


@pytest.mark.parametrize(
    "criterion", [*criteria.PARTITION_CRITERIA.values(), *criteria.CURVE_CRITERIA.values()]
)
def test_every_criterion_knows_name_range_direction_cost_and_source(criterion):
    assert getattr(criteria, criterion.name) is criterion
    assert criterion.best in ("highest", "lowest")
    assert criterion.range[0] < criterion.range[1]
    assert criterion.cost.startswith("O(")
    assert criterion.source
    assert inspect.getdoc(criterion.function)


def test_best_n_clusters_prefers_fewer_on_ties_and_passes_over_unknown_values():
    ks = np.arange(1, 6)
    values = np.array([np.nan, 3.0, 1.0, 3.0, np.inf])
    assert criteria.best_n_clusters(criteria.simplified_silhouette, values, ks) == 2
    assert criteria.best_n_clusters(criteria.davies_bouldin, values, ks) == 3
    assert criteria.best_n_clusters(criteria.davies_bouldin, np.full(5, np.nan), ks) is None


# --- Silhouettes --------------------------------------------------------------------------------


def test_squared_silhouette_is_exact_without_pairs_of_rows(clustered):
    X, _, labels = clustered
    expected = silhouette_score(X, labels, metric="sqeuclidean")
    assert criteria.squared_silhouette(X, labels) == pytest.approx(expected, rel=1e-9)


def test_squared_silhouette_counts_a_weight_as_equal_rows(clustered):
    X, _, labels = clustered
    w = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = criteria.squared_silhouette(X, labels, sample_weight=w)
    repeated = silhouette_score(np.repeat(X, w, axis=0), np.repeat(labels, w), metric="sqeuclidean")
    assert weighted == pytest.approx(repeated, rel=1e-9)


def test_squared_silhouette_keeps_its_digits_far_from_zero(clustered):
    X, _, labels = clustered
    near = criteria.squared_silhouette(X, labels)
    assert criteria.squared_silhouette(X + 1e6, labels) == pytest.approx(near, rel=1e-6)


def test_sampled_silhouette_of_all_rows_is_the_silhouette(clustered):
    X, _, labels = clustered
    estimate = criteria.sampled_silhouette(X, labels, n_rows=10_000)
    assert estimate.value == pytest.approx(silhouette_score(X, labels), rel=1e-9)
    assert estimate.low == estimate.value == estimate.high


def test_sampled_silhouette_counts_a_weight_as_equal_rows(clustered):
    X, _, labels = clustered
    w = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = criteria.sampled_silhouette(X, labels, n_rows=10_000, sample_weight=w)
    repeated = silhouette_score(np.repeat(X, w, axis=0), np.repeat(labels, w))
    assert weighted.value == pytest.approx(repeated, rel=1e-9)
    estimates = [
        criteria.sampled_silhouette(X, labels, n_rows=60, sample_weight=w, random_state=i)
        for i in range(200)
    ]
    n_hits = sum(e.low <= repeated <= e.high for e in estimates)
    assert 174 <= n_hits <= 200


def test_the_interval_of_sampled_silhouettes_holds_the_truth_about_as_often_as_it_says(clustered):
    X, _, labels = clustered
    truth = silhouette_score(X, labels)
    estimates = [
        criteria.sampled_silhouette(X, labels, n_rows=60, random_state=i) for i in range(200)
    ]
    n_hits = sum(e.low <= truth <= e.high for e in estimates)
    assert 176 <= n_hits <= 200  # 95 % of 200, less five standard deviations


def test_a_silhouette_of_one_cluster_is_refused():
    with pytest.raises(ValueError, match="at least two clusters"):
        criteria.squared_silhouette([[0.0], [1.0]], [0, 0])


# --- Odd input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", criteria.CURVE_CRITERIA.values(), ids=lambda c: c.name)
@pytest.mark.parametrize(
    "curve", [[1.0], [0.0, 0.0], [3, 2, 2, 5, 1], [np.inf, 1, 0], [np.nan, np.nan, np.nan]]
)
def test_odd_curves_give_values_without_a_warning_or_an_exception(criterion, curve):
    values = criterion(curve, 2)
    assert len(values) == len(curve)
    best = criteria.best_n_clusters(criterion, values, np.arange(1, len(curve) + 1))
    assert best is None or np.isfinite(values[best - 1])


def test_criteria_of_a_partition_say_from_how_many_clusters_they_are_defined():
    whole = criteria.measure_partition([[0.0], [1.0], [5.0]], [[2.0]])
    for criterion in criteria.PARTITION_CRITERIA.values():
        if criterion.from_k == 1:
            assert np.isfinite(criterion(whole))
        else:
            with pytest.raises(ValueError, match=f"{criterion.name} needs at least 2 clusters"):
                criterion(whole)


@pytest.mark.parametrize("n_rows", [0, -1])
def test_a_sampled_silhouette_needs_rows(clustered, n_rows):
    X, _, labels = clustered
    with pytest.raises(ValueError, match="n_rows"):
        criteria.sampled_silhouette(X, labels, n_rows=n_rows)
