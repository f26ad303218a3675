"""The three estimators wherever scikit-learn's go."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
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


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@parametrize_with_checks(
    [MiniBatchKMeans(), MiniBatchKMeans(3), BisectingKMeans(), BisectingKMeans(3)]
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

    def test_weights_are_routed_through_a_pipeline(self, estimator):
        weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
        with sklearn.config_context(enable_metadata_routing=True):
            inner = estimator(3, random_state=0).set_fit_request(sample_weight=True)
            scale = StandardScaler().set_fit_request(sample_weight=False)
            model = make_pipeline(scale, inner).fit(X, sample_weight=weights)
            refusing = estimator(3).set_fit_request(sample_weight=False)
            assert refusing.get_metadata_routing().fit.requests["sample_weight"] is False
        plain = estimator(3, random_state=0).fit(StandardScaler().fit_transform(X), None, weights)
        assert_array_equal(model[-1].cluster_centers_, plain.cluster_centers_)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestOn:
    """Degenerate data: K clusters where K rows differ, labels that predict agrees with."""

    def check(self, estimator, X, n_clusters):
        model = estimator(n_clusters, random_state=0).fit(X)
        n_distinct = len(np.unique(X, axis=0))
        assert len(np.unique(model.labels_)) == min(n_clusters, n_distinct)
        assert model.labels_.max() == min(n_clusters, n_distinct) - 1
        assert_array_equal(model.predict(X), model.labels_)
        assert model.inertia_ == -model.score(X)
        assert np.isfinite(model.cluster_centers_).all()
        return model

    def test_one_row(self, estimator, dtype):
        assert self.check(estimator, np.ones((1, 3), dtype), 1).inertia_ == 0

    def test_one_column(self, estimator, dtype):
        self.check(estimator, np.arange(50, dtype=dtype)[:, None] ** 2, 7)

    def test_as_many_clusters_as_rows(self, estimator, dtype):
        rows = np.random.default_rng(0).normal(size=(23, 2)).astype(dtype)
        assert self.check(estimator, rows, 23).inertia_ == 0

    def test_constant_columns(self, estimator, dtype):
        rows = np.full((60, 4), 0.1, dtype)
        rows[:, 2] = np.arange(60) % 6
        assert self.check(estimator, rows, 6).inertia_ == pytest.approx(0, abs=1e-9)

    @pytest.mark.parametrize("n_clusters", [2, 3, 5])
    def test_duplicates(self, estimator, dtype, n_clusters):
        rows = np.repeat(np.array([[0, 1], [0.1, 7], [5, 5]], dtype), [1, 40, 3], axis=0)
        self.check(estimator, rows, n_clusters)

    @pytest.mark.parametrize("offset", [1e6, 1e8])
    def test_a_huge_offset(self, estimator, dtype, offset):
        if dtype == np.float32:
            offset /= 100  # beyond, float32 has no digits left for these rows
        model = self.check(estimator, (X + offset).astype(dtype), 3)
        assert_array_equal(np.bincount(model.labels_), [40, 40, 40])

    def test_tiny_and_huge_values(self, estimator, dtype):
        big = np.finfo(dtype).max ** 0.5 / 1e4
        for scale in (1e-15, big):
            self.check(estimator, (X / np.abs(X).max() * scale).astype(dtype), 3)
        for scale, word in ((1e-320, "vanish"), (np.finfo(dtype).max / 4, "overflow")):
            rows = np.zeros((20, 2), dtype)
            rows[3, 1] = scale
            if rows.any():
                with pytest.raises(ValueError, match=f"row 3, column 1 .*{word}"):
                    estimator(2).fit(rows)

    @pytest.mark.parametrize("method", ["fit", "predict", "transform", "score"])
    def test_values_that_are_not_finite(self, estimator, dtype, method):
        model = estimator(3, random_state=0).fit(X.astype(dtype))
        bad = X.astype(dtype)
        bad[17, 1] = np.nan
        bad[18, 0] = np.inf
        for rows in (bad, sp.csr_array(bad)):
            with pytest.raises(ValueError, match="NaN, first at row 17, column 1"):
                getattr(model, method)(rows)

    def test_masked_values(self, estimator, dtype):
        rows = np.ma.masked_greater(X.astype(dtype), X.max() - 1e-3)
        with pytest.raises(ValueError, match=r"masked values, first at row \d+, column \d"):
            estimator(3).fit(rows)
        whole = np.ma.masked_array(X.astype(dtype))
        assert estimator(3, random_state=0).fit(whole).labels_.max() == 2

    def test_weights_of_zero(self, estimator, dtype):
        weights = np.ones(len(X))
        weights[::4] = 0
        rows = X.astype(dtype)
        rows[::4] += 1000
        model = estimator(3, random_state=0).fit(rows, sample_weight=weights)
        assert model.cluster_centers_.max() < 100
        assert_array_equal(model.predict(rows), model.labels_)
