"""The sweep: one good partition for every number of clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centroids import KMeans
from centroids.choosing_k.sweep import Deadline, Sweep


def sweep(X, k_max, weights=None, n_threads=1):
    done = Sweep(np.asarray(X, dtype=float), weights, 0, n_threads)
    done.extend(k_max)
    return done


def grouped(k, n=600, d=3):
    random = np.random.default_rng(k)
    return random.normal(size=(n, d)) + random.normal(size=(k, d))[random.integers(k, size=n)] * 9


@pytest.mark.parametrize("k", [3, 12, 25])
def test_inertia_falls_strictly(k):
    assert (np.diff(sweep(grouped(k), 30).inertias) < 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_inertia_falls_strictly_on_any_rows_and_ends_with_the_distinct_ones(values):
    X = np.array(values, dtype=float)[:, None]
    done = sweep(X, len(X))
    assert (np.diff(done.inertias) < 0).all()
    assert 1 <= done.k_max <= len(set(values))


def test_no_single_start_beats_the_sweep_by_much():
    X = grouped(20, n=1200)
    inertias = sweep(X, 24).inertias
    for k in (8, 20, 24):
        best = KMeans(k, n_init=10, search=None, random_state=1).fit(X).inertia_
        assert inertias[k - 1] <= 1.01 * best


def test_going_further_gives_what_going_there_at_once_gives_or_better():
    X = grouped(15)
    at_once = sweep(X, 20).inertias
    further = sweep(X, 10)
    further.extend(20)
    assert (further.inertias <= at_once * 1.05).all()


def test_the_number_of_threads_changes_no_bit():
    X = grouped(8, n=20_000)
    np.testing.assert_array_equal(sweep(X, 10).inertias, sweep(X, 10, n_threads=3).inertias)


def test_constant_rows_end_the_sweep_at_one():
    assert sweep(np.ones((10, 2)), 5).k_max == 1


def test_a_deadline_that_has_passed_leaves_one_cluster():
    late = Sweep(grouped(5), None, 0, 1, Deadline(1e-9))
    late.extend(10)
    assert late.k_max >= 1
