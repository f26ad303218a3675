"""Where clusters are alike and spherical, likelihood has its say; elsewhere it has none."""

import numpy as np
import pytest

from centroids import KMeans, choose_k, criteria
from centroids.choosing_k.decide import MODEL_VOTER, VOTERS, rank
from centroids.choosing_k.spheres import are_alike_and_spherical


def groups(shape, k=6, d=4, n_each=150, seed=0):
    """Groups far apart, each drawn by `shape`, and their partition into `k`."""
    random = np.random.default_rng(seed)
    means = np.eye(max(k, d))[:k, :d] * 60 + random.normal(size=(k, d)) * 20
    X = np.vstack([mean + shape(random, (n_each, d), j) for j, mean in enumerate(means)])
    return X, partition_of(X, k)


def partition_of(X, k):
    model = KMeans(k, n_init=5, random_state=0).fit(X)
    return criteria.measure_partition(X, model.cluster_centers_)


SHAPES = {
    "spheres": (lambda random, size, j: random.normal(size=size), True),
    "spheres of any scale": (lambda random, size, j: 1e-3 * random.normal(size=size), True),
    "spheres of unlike sizes": (
        lambda random, size, j: 2.0 ** (j - 3) * random.normal(size=size),
        False,
    ),
    "stretched": (
        lambda random, size, j: random.normal(size=size) * np.geomspace(3, 1, size[1]),
        False,
    ),
    "cubes": (lambda random, size, j: random.random(size), False),
    "heavy tails": (lambda random, size, j: random.standard_t(4, size), False),
    "skewed": (lambda random, size, j: random.exponential(size=size), False),
    "points": (lambda random, size, j: np.zeros(size), False),
}


@pytest.mark.parametrize(("shape", "expected"), SHAPES.values(), ids=SHAPES.keys())
def test_only_equal_spheres_are_alike_and_spherical(shape, expected):
    assert are_alike_and_spherical(groups(shape)[1]) is expected


def test_two_groups_in_one_cluster_do_not_hide_that_the_others_are_spheres():
    X, _ = groups(SHAPES["spheres"][0], k=8)
    assert are_alike_and_spherical(partition_of(X, 7))


def test_weights_count_as_equal_rows():
    X, _ = groups(SHAPES["spheres"][0], k=3, n_each=40)
    w = np.random.default_rng(1).integers(1, 4, len(X))
    centers = KMeans(3, random_state=0).fit(X).cluster_centers_
    weighted = criteria.measure_partition(X, centers, sample_weight=w)
    repeated = criteria.measure_partition(np.repeat(X, w, axis=0), centers)
    np.testing.assert_allclose(weighted.fourth_powers, repeated.fourth_powers, rtol=1e-12)
    assert are_alike_and_spherical(weighted) == are_alike_and_spherical(repeated)


def test_spherical_bic_is_the_likelihood_of_equal_spheres_less_its_penalty():
    X, partition = groups(SHAPES["spheres"][0], k=3, d=2, n_each=50)
    labels = KMeans(3, n_init=5, random_state=0).fit(X).labels_
    n, d = X.shape
    counts = np.bincount(labels)
    means = np.array([X[labels == j].mean(axis=0) for j in range(3)])
    variance = np.square(X - means[labels]).sum() / (n * d)
    squares = np.square(X - means[labels]).sum(axis=1)
    logs = np.log(counts[labels] / n) - d / 2 * np.log(2 * np.pi * variance)
    logs -= squares / (2 * variance)
    penalty = d / 2 * np.log(counts).sum() + 3 / 2 * np.log(n)
    assert criteria.spherical_bic(partition) == pytest.approx(logs.sum() - penalty, rel=1e-10)


def table_for(preferred, k_max=9):
    """Criteria that all prefer one number, and the model another."""
    ks = np.arange(1, k_max + 1)
    table = {"n_clusters": ks, "isolated": ks * 0, "isolated_held_out": ks * 0}
    for name in (*VOTERS, MODEL_VOTER):
        if name not in table:
            criterion = criteria.PARTITION_CRITERIA.get(name) or criteria.CURVE_CRITERIA[name]
            at_best = np.where(ks == preferred.get(name, 3), 1.0, 0.0)
            table[name] = at_best if criterion.best == "highest" else 1 - at_best
    return table


@pytest.mark.parametrize(
    ("holds_at", "expected"), [({3, 5}, 5), ({5}, None), ({3}, None), (set(), None)]
)
def test_the_model_votes_where_it_holds_at_its_own_number_and_at_that_of_the_others(
    holds_at, expected
):
    ranking = rank(table_for({MODEL_VOTER: 5}), 9, lambda k: k in holds_at)
    assert ranking.preferred[MODEL_VOTER] == expected
    assert (ranking.votes[4] > 0) == (expected == 5)
    assert ranking.best == 3  # ten against it are still more


def test_groups_that_overlap_too_much_for_valleys_are_found_where_they_are_spheres():
    random = np.random.default_rng(3)
    means = np.array([[0, 0], [3.4, 0], [1.7, 3.0], [9, 9], [9, 5.6]])
    X = np.repeat(means, 90, axis=0) + random.normal(size=(450, 2))
    choice = choose_k(X, random_state=0)
    assert (choice.k, choice.verdict) == (5, "likely")  # ambiguous without that vote
    assert choice.preferred[MODEL_VOTER] == 5


def test_stretched_groups_are_not_cut_up_by_a_model_of_spheres():
    random = np.random.default_rng(4)
    means = np.array([[0.0, 0], [0, 14], [0, 28]])
    X = np.repeat(means, 100, axis=0) + random.normal(size=(300, 2)) * [5, 1]
    choice = choose_k(X, random_state=0)
    assert choice.preferred[MODEL_VOTER] is None
    assert choice.k == 3
