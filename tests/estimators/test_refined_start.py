"""Seeded fits of many rows start on a sample of them; docs/decisions/0016."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from centroids import KMeans


@pytest.fixture(scope="module")
def blobs():
    X, _ = make_blobs(120_000, centers=12, n_features=3, cluster_std=2.5, random_state=1)
    return X


def plain(X, seed, n_clusters=8):
    """A fit from the same seeds without the sample: they are given."""
    seeds = KMeans(n_clusters, init="k-means++", random_state=seed, max_iter=1, search=None)
    return KMeans(n_clusters, init=seeds.fit(X).cluster_centers_).fit(X)


def test_fewer_iterations_on_all_rows_to_no_higher_inertia(blobs):
    fits = [KMeans(8, random_state=s, search=None).fit(blobs) for s in range(5)]
    before = [plain(blobs[:99_000], s) for s in range(5)]  # below the size from which samples pay
    assert np.median([f.n_iter_ for f in fits]) * 2 < np.median([b.n_iter_ for b in before])
    per_row = [f.inertia_ / 120_000 for f in fits], [b.inertia_ / 99_000 for b in before]
    assert np.median(per_row[0]) < 1.02 * np.median(per_row[1])


@pytest.mark.parametrize("search", [None, "auto"])
def test_the_same_bits_for_every_number_of_threads(blobs, search):
    one, many = (
        KMeans(8, random_state=3, search=search, n_jobs=n_jobs).fit(blobs) for n_jobs in (1, 5)
    )
    np.testing.assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    np.testing.assert_array_equal(one.labels_, many.labels_)


def test_weights_of_one_are_no_weights(blobs):
    weighted = KMeans(8, random_state=3).fit(blobs, sample_weight=np.ones(len(blobs)))
    np.testing.assert_array_equal(
        weighted.cluster_centers_, KMeans(8, random_state=3).fit(blobs).cluster_centers_
    )


def test_a_small_cluster_that_no_sample_holds_is_not_lost():
    X = np.random.default_rng(0).normal(size=(120_000, 2))
    X[[70_001, 70_002]] += 5_000  # an eighth of the rows most likely leaves out both
    for seed in range(8):
        fit = KMeans(2, random_state=seed, search=None).fit(X)
        assert sorted(fit.counts_) == [2, 119_998]


def test_a_search_on_the_sample_gives_no_higher_inertia_than_none(blobs):
    for seed in range(4):
        none, auto = (
            KMeans(8, random_state=seed, search=search).fit(blobs).inertia_
            for search in (None, "auto")
        )
        assert auto <= none * (1 + 1e-12)
