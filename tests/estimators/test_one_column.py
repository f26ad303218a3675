"""One column: a seeded fit returns the global optimum."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from centroids import KMeans

RANDOM = np.random.default_rng(5)


def least_error(x, w, k):
    """Of all ways to cut the sorted values into at most k intervals."""
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]

    def error(begin, end):
        total = w[begin:end].sum()
        if total == 0:
            return 0.0
        mean = (w[begin:end] * x[begin:end]).sum() / total
        return (w[begin:end] * (x[begin:end] - mean) ** 2).sum()

    cuts = itertools.combinations(range(1, len(x)), min(k, len(x)) - 1)
    return min(sum(itertools.starmap(error, itertools.pairwise((0, *c, len(x))))) for c in cuts)


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 3)), min_size=2, max_size=9).filter(
        lambda rows: any(w for _, w in rows)
    ),
    st.integers(1, 4),
    st.sampled_from([1.0, 1e-3, 1e6]),
    st.sampled_from([0.0, 1e5]),
)
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_no_partition_into_intervals_is_better(rows, k, scale, offset):
    x = np.array([value * scale + offset for value, _ in rows])
    w = np.array([float(weight) for _, weight in rows])
    model = KMeans(min(k, len(x)), search=None, random_state=0)
    model.fit(x[:, None], sample_weight=w)
    assert model.inertia_ <= least_error(x, w, k) * (1 + 1e-9) + 1e-15 * (x**2).max()


@pytest.mark.parametrize("search", [None, "auto"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_seed_does_not_matter_and_no_start_does_better(search, dtype):
    x = RANDOM.gamma(2.0, size=(3000, 1)).astype(dtype)
    models = [KMeans(7, search=search, random_state=seed).fit(x) for seed in range(3)]
    assert len({m.cluster_centers_.tobytes() for m in models}) == 1
    starts = [
        KMeans(7, init=x[RANDOM.choice(3000, 7, replace=False)], tol=0).fit(x).inertia_
        for _ in range(20)
    ]
    assert models[0].inertia_ <= min(starts) * (1 + 1e-6)
    assert models[0].n_iter_ == 1
    assert np.array_equal(models[0].labels_, models[0].predict(x))
    assert np.all(np.diff(models[0].counts_) <= 0)


def test_narrow_clusters_far_apart_keep_their_digits():
    x = np.concatenate([c + 1e-2 * np.repeat([0.0, 1.0], 50) for c in (0.0, 1e5, 2e5)])
    model = KMeans(6, random_state=0).fit(RANDOM.permutation(x)[:, None])
    assert np.allclose(np.sort(model.cluster_centers_[:, 0]), np.unique(x), rtol=0, atol=1e-9)


def test_a_given_start_is_honoured():
    x = np.array([[0.0], [1.0], [10.0], [11.0], [20.0], [21.0]])
    start = np.array([[0.0], [1.0], [15.0]])
    assert KMeans(3, init=start, search=None).fit(x).inertia_ > 100
    assert KMeans(3, random_state=0).fit(x).inertia_ == 1.5


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_ties_equal_values_and_too_few_of_them():
    assert KMeans(2, random_state=0).fit([[0.0], [1.0], [2.0]]).inertia_ == 0.5
    model = KMeans(4, random_state=0).fit([[3.0], [3.0], [1.0], [3.0]])
    assert model.inertia_ == 0
    assert model.counts_.tolist() == [3, 1, 0, 0]


def test_sparse_rows_give_the_same_centers():
    x = np.where(RANDOM.uniform(size=(500, 1)) < 0.5, 0.0, RANDOM.normal(size=(500, 1)))
    w = RANDOM.integers(0, 4, 500).astype(float)
    dense = KMeans(5, random_state=0).fit(x, sample_weight=w)
    sparse = KMeans(5, random_state=0).fit(csr_array(x), sample_weight=w)
    assert np.allclose(dense.cluster_centers_, sparse.cluster_centers_, rtol=1e-12)
    assert np.array_equal(dense.labels_, sparse.labels_)


def test_weights_are_repetitions():
    x = RANDOM.normal(size=(200, 1))
    w = RANDOM.integers(0, 4, 200)
    weighted = KMeans(4, random_state=0).fit(x, sample_weight=w.astype(float))
    repeated = KMeans(4, random_state=0).fit(np.repeat(x, w, axis=0))
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)
