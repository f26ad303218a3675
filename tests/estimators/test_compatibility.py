"""The three estimators wherever scikit-learn's go."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans

ESTIMATORS = [KMeans, MiniBatchKMeans, BisectingKMeans]
X = np.random.default_rng(0).normal(size=(120, 3)) + 8 * (np.arange(120) % 3)[:, None]


def expected_to_fail(estimator):
    """Return what scikit-learn expects of its own K-Means as well."""
    reason = "the first centers drawn from weighted rows are not those drawn from repeated rows"
    check = "check_sample_weight_equivalence_on_{}_data"
    return {check.format(kind): reason for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@parametrize_with_checks(
    [estimator(3, random_state=0) for estimator in (MiniBatchKMeans, BisectingKMeans)],
    expected_failed_checks=expected_to_fail,
)
def test_scikit_learns_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS)
class TestIn:
    def test_a_pipeline(self, estimator):
        model = make_pipeline(StandardScaler(), estimator(3, random_state=0)).fit(X)
        assert model.transform(X).shape == (120, 3)
        assert_array_equal(model.fit_predict(X), model.predict(X))

    def test_a_grid_search(self, estimator):
        search = GridSearchCV(estimator(random_state=0), {"n_clusters": [1, 2, 3]}, cv=3).fit(X)
        assert search.best_params_ == {"n_clusters": 3}

    def test_a_column_transformer(self, estimator):
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        columns = ColumnTransformer([("cluster", estimator(2, random_state=0), ["a", "b"])])
        assert columns.fit_transform(frame).shape == (120, 2)

    @pytest.mark.parametrize(
        ("form", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
    )
    def test_data_frames_out(self, estimator, form, frame):
        model = estimator(3, random_state=0).set_output(transform=form)
        out = model.fit_transform(X)
        assert isinstance(out, frame)
        assert list(out.columns) == [f"{estimator.__name__.lower()}{j}" for j in range(3)]

    def test_clone_pickle_and_joblib(self, estimator, tmp_path):
        model = estimator(3, random_state=0).fit(X)
        assert_array_equal(clone(model).fit(X).labels_, model.labels_)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.labels_)
        joblib.dump(model, tmp_path / "model")
        assert_array_equal(joblib.load(tmp_path / "model").predict(X), model.labels_)

    def test_a_read_only_or_strided_or_fortran_array(self, estimator):
        labels = estimator(3, random_state=0).fit(X).labels_
        frozen = X.copy()
        frozen.flags.writeable = False
        wide = np.zeros((120, 6))
        wide[:, ::2] = X
        for same in (frozen, wide[:, ::2], np.asfortranarray(X), sp.csr_array(X), X.tolist()):
            assert_array_equal(estimator(3, random_state=0).fit(same).labels_, labels)

    def test_column_names_are_kept_and_checked(self, estimator):
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        model = estimator(3, random_state=0).fit(frame)
        assert list(model.feature_names_in_) == ["a", "b", "c"]
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["c", "b", "a"]])
