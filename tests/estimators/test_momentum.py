"""Large seeded fits go beyond the means; docs/decisions/0017."""

import numpy as np
import pytest
from sklearn.cluster import KMeans as TheirKMeans

from centroids import KMeans


@pytest.fixture(scope="module")
def overlapping():
    random = np.random.default_rng(0)
    means = random.normal(size=(80, 16)) * 0.6
    return (means[random.integers(0, 80, 60_000)] + random.normal(size=(60_000, 16))).astype("f4")


@pytest.fixture(scope="module")
def fits(overlapping):
    return [KMeans(38, random_state=seed, search=None).fit(overlapping) for seed in range(4)]


def test_fewer_iterations_than_lloyds_to_as_low_an_inertia(overlapping, fits):
    theirs = [TheirKMeans(38, random_state=seed).fit(overlapping) for seed in range(4)]
    assert 2 * sum(fit.n_iter_ for fit in fits) < sum(fit.n_iter_ for fit in theirs)
    assert np.mean([fit.inertia_ for fit in fits]) < 1.01 * np.mean([t.inertia_ for t in theirs])


def test_it_ends_where_lloyds_algorithm_stays(overlapping, fits):
    for fit in fits:
        assert (fit.labels_ == fit.predict(overlapping)).all()
        assert fit.inertia_ == -fit.score(overlapping)
        on = KMeans(38, init=fit.cluster_centers_).fit(overlapping)
        assert fit.inertia_ * (1 - 1e-3) < on.inertia_ <= fit.inertia_


@pytest.mark.parametrize(
    "other", [{"n_jobs": 3}, {"algorithm": "brute_force"}, {"n_jobs": 2, "algorithm": "hamerly"}]
)
@pytest.mark.parametrize("search", [None, "auto"])
def test_the_same_bits_for_every_algorithm_and_number_of_threads(overlapping, other, search):
    one = KMeans(38, random_state=5, search=search, n_jobs=1).fit(overlapping)
    same = KMeans(38, random_state=5, search=search, **other).fit(overlapping)
    np.testing.assert_array_equal(one.cluster_centers_, same.cluster_centers_)
    np.testing.assert_array_equal(one.labels_, same.labels_)
    assert one.n_iter_ == same.n_iter_


def test_with_tol_0_no_row_changes_its_cluster_any_more(overlapping):
    fit = KMeans(38, random_state=1, search=None, tol=0, max_iter=2_000).fit(overlapping[:50_000])
    assert fit.history_["n_changed"][-1] == 0
    on = KMeans(38, init=fit.cluster_centers_, tol=0).fit(overlapping[:50_000])
    assert on.n_iter_ == 1
    np.testing.assert_array_equal(on.labels_, fit.labels_)


def test_given_centers_are_followed_by_lloyds_steps(overlapping):
    start = overlapping[:38].copy()
    ours = KMeans(38, init=start, max_iter=12, tol=0).fit(overlapping)
    theirs = TheirKMeans(38, init=start, max_iter=12, tol=0).fit(overlapping)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5)
