"""Counts between neighbouring clusters, against a slow loop."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from centroids import KMeans, criteria
from centroids.choosing_k.partition import stacked
from centroids.choosing_k.valleys import binomial_tail, pooled, valleys_of_each

BINS = 16


def slow_profile(X, centers, labels, pair, *, without_own_pull):
    """Count rows of two clusters along the line between their centers, one row at a time."""
    counts = np.zeros(BINS)
    for row, label in zip(X, labels, strict=True):
        if label not in pair:
            continue
        own, other = centers[label], centers[pair[1] if label == pair[0] else pair[0]]
        if without_own_pull:
            mates = X[(labels == label)]
            own = (mates.sum(0) - row) / (len(mates) - 1)
        position = (row - own) @ (other - own) / ((other - own) @ (other - own))
        position = position if label == pair[0] else 1 - position
        if -1 / 6 <= position < 7 / 6:
            counts[int(12 * position + 2)] += 1
    return counts


@pytest.fixture(scope="module")
def blobs():
    random = np.random.default_rng(5)
    X = random.normal(size=(300, 4)) + np.repeat(random.normal(size=(5, 4)) * 3, 60, axis=0)
    model = KMeans(5, tol=0, random_state=0).fit(X)
    return X, model.cluster_centers_, model.labels_


@pytest.mark.parametrize("without_own_pull", [False, True])
def test_profiles_are_those_of_a_slow_loop(blobs, without_own_pull):
    X, centers, labels = blobs
    partition = criteria.measure_partition(X, centers, are_centers_of_these_rows=without_own_pull)
    assert len(partition.pairs) >= 4
    for pair, counts in zip(partition.pairs, partition.profiles, strict=True):
        expected = slow_profile(X, centers, labels, pair, without_own_pull=without_own_pull)
        np.testing.assert_array_equal(counts, expected)


def test_a_valley_is_counted_where_it_is_lowest():
    profile = np.array([9.0, 9, 9, 9, 9, 9, 9, 6, 1, 1, 1, 1, 5, 5, 5, 5])
    partition = criteria.measure_partition([[0.0], [1.0]], [[0.0], [1.0]])
    valleys = criteria.valleys_of(replace(partition, profiles=profile[None]))
    assert valleys.middle.tolist() == [1 + 1 + 1 + 6]  # from five twelfths to three fourths
    assert valleys.peak.tolist() == [20]


def test_without_its_own_pull_a_cloud_of_many_columns_shows_no_valley():
    X = np.random.default_rng(0).normal(size=(100, 100))
    centers = KMeans(4, n_init=5, random_state=0).fit(X).cluster_centers_
    pulled, honest = (
        pooled(
            criteria.valleys_of(
                criteria.measure_partition(X, centers, are_centers_of_these_rows=of_these)
            )
        ).ratio
        for of_these in (False, True)
    )
    assert pulled < 0.5
    assert honest > 0.8


def test_each_cluster_has_a_neighbour_and_nothing_lies_between():
    centers = np.array([[0.0, 0], [1, 0], [2, 0], [9, 9]])
    X = np.repeat(centers, 3, axis=0)
    pairs = criteria.measure_partition(X, centers).pairs.tolist()
    assert [0, 1] in pairs
    assert [1, 2] in pairs
    assert [0, 2] not in pairs
    assert set(np.ravel(pairs)) == {0, 1, 2, 3}


def test_the_tail_is_the_binomial_one():
    for middle, peak in ((0, 5), (3, 9), (40, 44), (7, 0)):
        expected = binom.cdf(middle, middle + peak, 0.5)
        assert float(binomial_tail(middle, peak)) == pytest.approx(expected)


def test_clusters_are_isolated_when_all_their_pairs_are_separated_in_one_partition_or_many(blobs):
    X, centers, _ = blobs
    partitions = [criteria.measure_partition(X, centers[:k]) for k in (1, 2, 5)]
    for partition, valleys in zip(partitions, valleys_of_each(stacked(partitions)), strict=True):
        alone = criteria.valleys_of(partition)
        for name, value in vars(alone).items():
            np.testing.assert_array_equal(getattr(valleys, name), value)
        pairs = zip(valleys.pairs.tolist(), valleys.are_separated, strict=True)
        tied = {cluster for pair, separated in pairs if not separated for cluster in pair}
        expected = [bool(len(valleys.pairs)) and j not in tied for j in range(valleys.n_clusters)]
        assert valleys.are_isolated.tolist() == expected
        assert valleys.n_isolated == sum(expected)


def test_valleys_are_listed_least_separated_first(blobs):
    X, centers, _ = blobs
    listed = criteria.list_valleys(criteria.valleys_of(criteria.measure_partition(X, centers)))
    ratios = [valley.ratio for valley in listed]
    assert ratios == sorted(ratios, reverse=True)
