"""A second fit of the same model: nothing of the first one is left, whatever becomes of it."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans, BisectingKMeans])
def test_a_refused_second_fit_leaves_no_half_of_two_models(estimator):
    X = np.random.default_rng(0).normal(size=(100, 3))
    model = estimator(4, random_state=0).set_output(transform="pandas").fit(X)
    model.name_clusters({0: "a"})
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((100, 5), np.nan))
    for rows in (X, np.zeros((2, 5))):
        with pytest.raises(NotFittedError):
            model.predict(rows)
    again = model.fit(X[:, :2])
    assert again.transform(X[:, :2]).shape == (100, 4)
    assert hasattr(again.transform(X[:, :2]), "iloc")  # what set_output asked for stays


def test_an_interrupted_fit_of_batches_leaves_none(monkeypatch):
    X = np.random.default_rng(0).normal(size=(5000, 3))
    model = MiniBatchKMeans(4, random_state=0).fit(X)

    def interrupt(self, line):
        raise KeyboardInterrupt

    monkeypatch.setattr(MiniBatchKMeans, "_say", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :2])
    with pytest.raises(NotFittedError):
        model.predict(X)
    monkeypatch.undo()
    assert model.partial_fit(X).n_steps_ == 1  # and nothing of the batches before
