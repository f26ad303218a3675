"""A second fit of the same model: the new model whole, or the old one as it was."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans

ESTIMATORS = [KMeans, MiniBatchKMeans, BisectingKMeans]
X = np.random.default_rng(0).normal(size=(5000, 3))


def fitted(estimator):
    model = estimator(4, random_state=0).set_output(transform="pandas").fit(X)
    return model.name_clusters({0: "a"}).measure_radii(X)


def assert_same(model, before):
    assert list(vars(model)) == list(vars(before))
    assert_array_equal(model.predict(X), before.labels_)
    assert_array_equal(model.labels_, before.labels_)
    assert_array_equal(model.radii_, before.radii_)
    assert model.n_features_in_ == 3
    assert model.cluster_names_ == {0: "a"}
    assert model.transform(X[:2]).shape == (2, 4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (np.full((100, 5), np.nan), {}),
        (np.zeros((2, 5)), {}),
        (X[:, :2], {"sample_weight": np.ones(3)}),
        (X[:, :2], {"align_to": KMeans(2, random_state=0).fit(X)}),
    ],
    ids=["not a number", "too few rows", "wrong weights", "align_to has other columns"],
)
def test_a_refused_second_fit_leaves_the_model_as_it_was(estimator, rows, options):
    model = fitted(estimator)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=r"NaN|n_samples|sample_weight|columns"):
        model.fit(rows, **options)
    assert_same(model, before)
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.predict(rows[:, :2])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_wrong_parameter_leaves_the_model_as_it_was(estimator):
    model = fitted(estimator)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match="max_iter"):
        model.set_params(max_iter=0).fit(X[:, :2])
    assert_same(model, before)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_second_fit_leaves_nothing_of_the_first(estimator):
    model = fitted(estimator).fit(X[:, :2])
    assert model.cluster_names_ == {}
    assert not hasattr(model, "radii_")
    assert hasattr(model.transform(X[:, :2]), "iloc")  # what set_output asked for stays


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_refused_first_fit_leaves_no_model(estimator):
    model = estimator(4)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((100, 5), np.nan))
    assert not hasattr(model, "n_features_in_")
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_an_interrupted_second_fit_of_batches_leaves_the_model_as_it_was(monkeypatch):
    model = fitted(MiniBatchKMeans)
    before = copy.deepcopy(model)

    def interrupt(self, line):
        raise KeyboardInterrupt

    monkeypatch.setattr(MiniBatchKMeans, "_say", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :2])
    monkeypatch.undo()
    assert_same(model, before)
    assert_array_equal(
        model.partial_fit(X).cluster_centers_, before.partial_fit(X).cluster_centers_
    )


def test_an_interrupted_second_fit_keeps_the_model_so_far_with_the_old_numbers():
    rows = np.concatenate([X[:1500] + place for place in (0, 30, 60)])
    old = KMeans(3, random_state=1).fit(rows[:3700])

    def interrupt(state):
        raise KeyboardInterrupt

    model = KMeans(4, random_state=0).fit(X[:, :2])
    with pytest.raises(KeyboardInterrupt):
        model.set_params(n_clusters=3, callback=interrupt).fit(rows, align_to=old)
    assert model.n_iter_ == 1
    assert_array_equal(model.labels_[:3700], old.labels_)
    assert_array_equal(model.predict(rows), model.labels_)


def test_a_refused_batch_leaves_what_was_learned():
    model = MiniBatchKMeans(4, random_state=0)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.full((100, 5), np.nan))
    assert not hasattr(model, "n_features_in_")
    model.partial_fit(X).measure_radii(X)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.full((100, 3), np.nan))
    assert model.radii_.shape == (4, 6)
    assert not hasattr(model.partial_fit(X), "radii_")
