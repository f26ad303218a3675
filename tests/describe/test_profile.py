"""``profile``: what it says is what the rows are."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans, profile


@pytest.fixture(scope="module")
def wine():
    X = load_wine(as_frame=True).data
    return X, make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)


def test_numbers_are_those_of_the_rows_in_their_own_units(wine):
    X, model = wine
    found = profile(model, X)
    labels, values = model.predict(X), X.to_numpy()
    assert found.feature_names == tuple(X.columns)
    assert found.n_samples == len(X)
    np.testing.assert_allclose(found.overall_mean, values.mean(axis=0))
    np.testing.assert_allclose(found.overall_std, values.std(axis=0))
    np.testing.assert_allclose(found.overall_median, np.median(values, axis=0))
    for card in found.clusters:
        own = values[labels == card.number]
        assert card.size == len(own)
        assert card.share == pytest.approx(len(own) / len(X))
        np.testing.assert_allclose(card.mean, own.mean(axis=0))
        np.testing.assert_allclose(card.median, np.median(own, axis=0))
        np.testing.assert_allclose(card.std, own.std(axis=0))
        expected = (own.mean(axis=0) - values.mean(axis=0)) / values.std(axis=0)
        np.testing.assert_allclose(card.effect, expected)
        assert list(card.order) == list(np.argsort(-np.abs(expected), kind="stable"))
        assert X.columns[card.order[0]] in card.sentence


def test_rules_catch_what_they_say_and_are_short(wine):
    X, model = wine
    labels = model.predict(X)
    for card in profile(model, X).clusters:
        caught = card.rule.matches(X.to_numpy())
        own = labels == card.number
        assert card.rule.coverage == pytest.approx((caught & own).sum() / own.sum())
        assert card.rule.precision == pytest.approx((caught & own).sum() / caught.sum())
        assert len({c.feature for c in card.rule.conditions}) <= 3
        assert min(card.rule.coverage, card.rule.precision) > 0.8


def test_typical_borderline_and_far_rows_are_the_right_ones():
    X, _ = make_blobs(400, 3, centers=4, random_state=3)
    X[7] = X.max(axis=0) + 100  # belongs nowhere
    model = KMeans(
        4, init=KMeans(4, random_state=0).fit(np.delete(X, 7, 0)).cluster_centers_, n_init=1
    )
    model.fit(X)
    nearest = model.nearest(X)
    cards = profile(model, X, n_representatives=3, n_borderline=2, n_outliers=4).clusters
    for card in cards:
        own = np.flatnonzero(nearest.labels == card.number)
        by_distance = own[np.argsort(nearest.distances[own], kind="stable")]
        assert list(card.representatives) == list(by_distance[:3])
        assert set(card.borderline) <= set(own)
    assert 7 in np.concatenate([card.outliers for card in cards])


@pytest.mark.parametrize("make", [KMeans, MiniBatchKMeans, BisectingKMeans])
def test_every_estimator_can_be_described(make):
    X = load_iris().data
    model = make(3, random_state=0).fit(X)
    found = profile(model, X)
    assert [card.size for card in found.clusters] == list(
        np.bincount(model.predict(X), minlength=3)
    )


def test_weights_count_as_repeated_rows():
    X = load_iris().data
    model = KMeans(3, random_state=0).fit(X)
    weights = np.arange(len(X)) % 4
    weighted = profile(model, X, sample_weight=weights)
    repeated = profile(model, np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.overall_mean, repeated.overall_mean)
    np.testing.assert_allclose(weighted.overall_median, repeated.overall_median)
    for one, other in zip(weighted.clusters, repeated.clusters, strict=True):
        assert one.share == pytest.approx(other.share)
        np.testing.assert_allclose(one.mean, other.mean)
        np.testing.assert_allclose(one.median, other.median)
        assert all(weights[row] > 0 for row in one.representatives)


def test_gaps_are_filled_as_the_model_fills_them():
    X = load_iris().data.copy()
    X[::10, 2] = np.nan
    model = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), KMeans(3, random_state=0)
    )
    found = profile(model.fit(X), X)
    assert sum(card.size for card in found.clusters) == len(X)
    assert np.isfinite(found.overall_mean).all()


def test_columns_that_were_not_clustered_show_their_shares():
    iris = load_iris()
    names = [str(iris.target_names[t]) for t in iris.target]
    model = KMeans(3, random_state=0).fit(iris.data)
    for card in profile(model, iris.data, others={"species": names}).clusters:
        own = np.array(names)[model.labels_ == card.number]
        for category in card.categories["species"]:
            assert category.share == pytest.approx(np.mean(own == category.value))
            assert category.share_overall == pytest.approx(1 / 3)


def test_it_becomes_frames_and_plain_data(wine):
    X, model = wine
    found = profile(model, X)
    assert len(found.to_frame()) == 3
    assert isinstance(found.to_frame(), pd.DataFrame)
    assert found.to_frame("polars").height == 3
    assert "Cluster 0" in found.summary()
    plain = found.to_dict()
    assert plain["clusters"][0]["size"] == found.clusters[0].size
    assert isinstance(plain["overall_mean"], list)


def test_what_does_not_fit_is_named(wine):
    X, model = wine
    with pytest.raises(TypeError, match="fitted KMeans"):
        profile(StandardScaler().fit(X), X)
    with pytest.raises(NotFittedError):
        profile(KMeans(3), X)
    with pytest.raises(ValueError, match="feature_names has 1 names"):
        profile(model, X, feature_names=["one"])
    with pytest.raises(ValueError, match="n_outliers must be an int"):
        profile(model, X, n_outliers=-1)
    with pytest.raises(ValueError, match="one value a row"):
        profile(model, X, others={"class": ["a"]})
