"""``stability``: separated clusters are found again, others are not."""

import numpy as np
import pytest
from sklearn.datasets import load_wine, make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import KMeans, stability


@pytest.mark.parametrize("method", ["bootstrap", "half"])
def test_separated_clusters_are_stable(method):
    X, _ = make_blobs(600, 2, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    found = stability(KMeans(3, random_state=0).fit(X), X, method=method, n_resamples=5)
    assert found.words == ("stable",) * 3
    assert found.jaccard.min() > 0.99
    assert found.overall > 0.99
    assert "Clusters 0, 1, 2 are stable." in found.summary()


def test_a_cloud_without_clusters_dissolves():
    X = np.random.default_rng(0).normal(size=(400, 2))
    found = stability(KMeans(9, random_state=0).fit(X), X, n_resamples=10)
    assert "dissolves" in found.words
    assert found.overall < 0.75


def test_of_one_good_and_two_arbitrary_clusters_the_good_one_is_stable():
    random = np.random.default_rng(1)
    X = np.vstack([random.normal(size=(300, 2)), random.normal([30, 0], 0.5, (100, 2))])
    model = KMeans(4, random_state=0).fit(X)
    found = stability(model, X)
    far = model.predict([[30.0, 0.0]])[0]
    assert found.words[far] == "stable"
    assert found.jaccard[far] > np.delete(found.jaccard, far).max()


def test_the_same_for_every_number_of_threads_and_in_the_units_of_the_model():
    X = load_wine().data
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    one, two = (stability(model, X, n_resamples=4, n_jobs=n) for n in (1, 2))
    assert np.array_equal(one.jaccard, two.jaccard)
    assert one.words == ("stable",) * 3  # without the scaling it would be another story


def test_parameters_are_checked():
    X = load_wine().data
    model = KMeans(3, random_state=0).fit(X)
    with pytest.raises(ValueError, match="method must be"):
        stability(model, X, method="jackknife")
    with pytest.raises(ValueError, match="n_resamples must be"):
        stability(model, X, n_resamples=0)
