"""Logarithms of columns as a step before a clusterer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import centroids
from centroids import KMeans, LogTransformer, align, fit_preparation, nearest, prepare_rows, profile


def amounts(n: int = 300) -> np.ndarray:
    """Ages, and incomes of two groups that only their ratio tells apart."""
    random = np.random.default_rng(0)
    group = np.arange(n) % 2
    return np.column_stack([random.normal(40, 9, n), np.exp(random.normal(7 + 3 * group, 0.4))])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chosen_columns_become_logarithms_and_come_back(dtype: type) -> None:
    X = amounts().astype(dtype)
    X[3, 1] = np.nan
    before = X.copy()
    step = LogTransformer([1]).fit(X)
    logs = step.transform(X)
    assert logs.dtype == dtype
    np.testing.assert_array_equal(logs[:, 0], X[:, 0])
    np.testing.assert_array_equal(logs[:, 1], np.log(X[:, 1].astype(np.float64)).astype(dtype))
    np.testing.assert_allclose(step.inverse_transform(logs), X, rtol=1e-5)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(LogTransformer().fit_transform(X[:2]), np.log(X[:2]), rtol=1e-6)


def test_columns_can_be_named_where_rows_have_names() -> None:
    frame = pd.DataFrame(amounts(), columns=["age", "income"])
    step = LogTransformer(["income"]).fit(frame)
    assert step.columns_.tolist() == [1]
    assert step.get_feature_names_out().tolist() == ["age", "income"]
    assert clone(step).columns == ["income"]
    with pytest.raises(ValueError, match=r"X holds 0 in row 5, column 'income' \(counted from 0\)"):
        step.transform(frame.replace(frame.income[5], 0.0))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([2], "columns has 2, but X has 2 columns"),
        (["income"], "columns has 'income', but X is no data frame"),
        ("income", "a sequence of column names or of positions"),
        ([-1], "a sequence of column names or of positions"),
        ([], "a sequence of column names or of positions"),
        ([0.5], "a sequence of column names or of positions"),
    ],
)
def test_columns_that_are_not_there_are_refused(columns: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogTransformer(columns).fit(amounts())


def test_the_first_value_without_a_logarithm_is_named_among_all_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("centroids.rows.blocks.BLOCK_ROWS", 64)
    X = amounts()
    model = make_pipeline(LogTransformer([1]), KMeans(2, random_state=0)).fit(X)
    X[[130, 200], 1] = 0, -2
    for use in (model.predict, lambda X: prepare_rows(model, X), lambda X: nearest(model, X)):
        with pytest.raises(ValueError, match="X holds 0 in row 130, column 1"):
            use(X)


def test_prepared_rows_are_those_of_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centroids.rows.blocks.BLOCK_ROWS", 64)
    X = amounts()
    X[::7, 1] = np.nan

    def new() -> Any:
        steps = (SimpleImputer(strategy="median"), LogTransformer([1]), StandardScaler())
        return make_pipeline(*steps, KMeans(2, random_state=0))

    whole, blocks = new().fit(X), new()
    rows = fit_preparation(blocks, X)
    np.testing.assert_allclose(rows, whole[:-1].transform(X), rtol=1e-12)
    np.testing.assert_array_equal(prepare_rows(blocks, X), rows)


def test_a_model_is_described_in_the_units_of_the_rows() -> None:
    X = amounts()
    model = make_pipeline(LogTransformer([1]), StandardScaler(), KMeans(2, random_state=0)).fit(X)
    assert (model.predict(X) == model.predict(X[:1])[0]).tolist() == [
        i % 2 == 0 for i in range(300)
    ]
    cards = profile(model, X, feature_names=["age", "income"]).clusters
    for card, rows in zip(cards, (X[model.predict(X) == j] for j in range(2)), strict=True):
        np.testing.assert_allclose(card.mean, rows.mean(axis=0))
        assert card.rule is not None
        assert {condition.feature for condition in card.rule.conditions} == {1}
    near = nearest(model, X)
    distances = model.transform(X).min(axis=1)
    np.testing.assert_allclose(near.distances, distances)


def test_numbers_stay_with_clusters_across_models_with_and_without_logarithms() -> None:
    X = amounts()
    logged = make_pipeline(LogTransformer([1]), KMeans(2, random_state=0)).fit(X)
    logged[-1].name_clusters({0: "zero", 1: "one"})
    centers = logged[0].inverse_transform(logged[-1].cluster_centers_)[::-1]
    plain = KMeans(2, init=centers, max_iter=1).fit(X)
    align(plain, logged)
    assert dict(plain.cluster_names_) == {0: "zero", 1: "one"}
    assert (plain.cluster_centers_[0, 1] < plain.cluster_centers_[1, 1]) == (
        logged[-1].cluster_centers_[0, 1] < logged[-1].cluster_centers_[1, 1]
    )
    below = KMeans(2, init=[[40.0, -5.0], [40.0, 9.0]], max_iter=1).fit(X - [0, 3000])
    with pytest.raises(ValueError, match="the old one takes the logarithm of column 1"):
        align(below, logged)


def test_sparse_rows_have_no_logarithms() -> None:
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match="zeros have no logarithm"):
        centroids.LogTransformer().fit(csr_array(np.eye(3)))
