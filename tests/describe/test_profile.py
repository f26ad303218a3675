"""A profile says what is true of the rows, in their own units, and weights count as repetition."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from centroids import BisectingKMeans, ClusterProfile, KMeans, MiniBatchKMeans, profile
from centroids.describe.statistics import medians


@pytest.fixture(name="X")
def rows() -> np.ndarray:
    random = np.random.default_rng(0)
    groups = np.repeat([[0.0, 0, 0], [5, 0, 0], [0, 8, 0]], [300, 200, 100], axis=0)
    return (groups + random.normal(size=groups.shape)) * [1, 10, 1000] + [0, 50, 1e6]


def scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


MODELS = [
    KMeans(3, random_state=0),
    MiniBatchKMeans(3, random_state=0),
    BisectingKMeans(3, random_state=0),
    scaled(KMeans(3, random_state=0)),
    make_pipeline(SimpleImputer(), StandardScaler(), KMeans(3, random_state=0)),
    KMeans(3, metric="cosine", random_state=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_those_of_the_rows_in_their_own_units(
    X: np.ndarray, model: Any, dtype: type
) -> None:
    X = X.astype(dtype)
    labels = model.fit(X).predict(X)
    found = profile(model, X)
    wide = X.astype(np.float64)
    np.testing.assert_allclose(found.overall_mean, wide.mean(axis=0))
    np.testing.assert_allclose(found.overall_std, wide.std(axis=0))
    np.testing.assert_allclose(found.overall_median, np.median(wide, axis=0))
    assert [card.number for card in found.clusters] == [0, 1, 2]
    for card in found.clusters:
        own = wide[labels == card.number]
        assert card.size == len(own)
        assert card.share == pytest.approx(len(own) / len(X))
        np.testing.assert_allclose(card.mean, own.mean(axis=0))
        np.testing.assert_allclose(card.std, own.std(axis=0))
        np.testing.assert_allclose(card.median, np.median(own, axis=0))
        effect = (own.mean(axis=0) - wide.mean(axis=0)) / wide.std(axis=0)
        np.testing.assert_allclose(card.effect, effect, atol=1e-6)
        assert list(card.order) == sorted(range(3), key=lambda j: -abs(card.effect[j]))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_weight_counts_as_repetition(X: np.ndarray, model: Any) -> None:
    times = np.random.default_rng(1).integers(0, 4, len(X))
    model.fit(X)
    weighted = profile(model, X, sample_weight=times)
    repeated = profile(model, np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted.overall_std, repeated.overall_std)
    np.testing.assert_allclose(weighted.overall_median, repeated.overall_median)
    for one, other in zip(weighted.clusters, repeated.clusters, strict=True):
        for name in ("mean", "std", "median", "share", "radius"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), err_msg=name)
        for name in ("representatives", "borderline", "outliers"):
            assert (times[getattr(one, name)] > 0).all()
        if one.rule is not None and other.rule is not None and one.rule.text == other.rule.text:
            assert one.rule.coverage == pytest.approx(other.rule.coverage)


def test_a_weighted_median_is_the_median_of_repeated_values() -> None:
    random = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 10, 11):
        values, times = random.integers(0, 5, (1, n)).astype(float), random.integers(0, 3, n)
        times[0] += 1
        expected = np.median(np.repeat(values[0], times))
        assert medians(values.copy(), times * 0.1) == expected


def test_landmarks_are_what_they_say(X: np.ndarray) -> None:
    X = np.vstack([X, [[0, 50, 1.03e6], [90, 50, 1e6]]])
    model = scaled(KMeans(3, random_state=0)).fit(X[:-2])
    kmeans, places = model[-1], model[-1].nearest(model[0].transform(X))
    found = profile(model, X, n_representatives=4, n_borderline=3)
    assert found.n_samples == len(X)
    for card in found.clusters:
        own = np.flatnonzero(places.labels == card.number)
        nearest = own[np.argsort(places.distances[own], kind="stable")]
        assert card.representatives.tolist() == nearest[:4].tolist()
        margin = places.second_distances - places.distances
        assert card.borderline.tolist() == own[np.argsort(margin[own], kind="stable")][:3].tolist()
        assert card.representatives.dtype == np.int64
        within = np.mean(places.distances[own] <= card.radius)
        assert within >= 0.99
        assert np.mean(places.distances[own] < card.radius) < 0.99
    outliers = np.concatenate([card.outliers for card in found.clusters])
    assert set(outliers) == {len(X) - 2, len(X) - 1}
    assert sum(card.n_outliers for card in found.clusters) == 2
    assert kmeans.cluster_centers_.shape == (3, 3)


def test_a_row_far_from_its_tight_cluster_but_inside_a_wide_one_is_no_outlier() -> None:
    random = np.random.default_rng(0)
    tight, wide = random.normal(0, 0.1, (500, 1)), random.normal(100, 30, (500, 1))
    X = np.vstack([tight, wide, [[20.0]]])
    model = KMeans(2, init=[[0.0], [100.0]], max_iter=1).fit(X)
    assert profile(model, X).clusters[model.predict([[20.0]])[0]].n_outliers <= 20
    assert 1000 not in profile(model, X, n_outliers=1000).clusters[0].outliers


def test_a_rule_measures_what_it_says() -> None:
    data = load_iris(as_frame=True).data
    X = data.to_numpy()
    model = KMeans(3, random_state=0).fit(data)
    for card in profile(model, data).clusters:
        caught, own = card.rule.matches(X), model.labels_ == card.number
        assert card.rule.coverage == pytest.approx(caught[own].mean())
        assert card.rule.precision == pytest.approx(own[caught].mean())
        assert min(card.rule.coverage, card.rule.precision) > 0.8
        columns = [condition.feature for condition in card.rule.conditions]
        assert len(set(columns)) == len(columns) <= 3
        shown = eval_rule(card.rule.text, data)
        np.testing.assert_array_equal(shown, caught)


def eval_rule(text: str, frame: Any) -> np.ndarray:
    """What a reader of the text would select."""
    for name in frame.columns:
        text = text.replace(name, f"`{name}`")
    return frame.eval(text).to_numpy()


def test_two_sided_rules_are_found() -> None:
    X = np.linspace(0, 9, 901)[:, None]
    card = profile(KMeans(3, init=[[0.0], [4.5], [9.0]]).fit(X), X).clusters[1]
    assert card.rule.conditions[0].low is not None
    assert card.rule.conditions[0].high is not None
    assert card.rule.coverage > 0.95


def test_one_cluster_has_no_rule_no_border_and_a_sentence(X: np.ndarray) -> None:
    card = profile(KMeans(1).fit(X), X).clusters[0]
    assert card.rule is None
    assert len(card.borderline) == 0
    assert card.sentence == "Cluster 0, 100 % of rows: near the mean of all rows in every column"


def test_categories_are_shares_with_lift(X: np.ndarray) -> None:
    model = scaled(KMeans(3, random_state=0)).fit(X)
    labels = model.predict(X)
    color = np.where(labels == 0, "red", "blue").astype(object)
    color[:30] = None
    card = profile(model, X, others={"color": color.tolist()}).clusters[0]
    by_value = {share.value: share for share in card.categories["color"]}
    red = by_value["red"]
    assert red.share == pytest.approx(np.mean(color[labels == 0] == "red"))
    assert red.share_overall == pytest.approx(np.mean(color == "red"))
    assert red.lift == pytest.approx(red.share / red.share_overall)
    assert None in by_value
    assert "color red" in card.sentence


def test_names_come_from_the_model_the_frame_or_the_caller(X: np.ndarray) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (
        pandas.DataFrame(X, columns=list("abc")),
        polars.DataFrame(X, schema=list("abc")),
    ):
        for model in (KMeans(3, random_state=0), scaled(KMeans(3, random_state=0))):
            assert profile(model.fit(frame), frame).feature_names == ("a", "b", "c")
            assert profile(model, X).feature_names == ("a", "b", "c")
            assert profile(model.fit(X), frame).feature_names == ("a", "b", "c")
    model = KMeans(3, random_state=0).fit(X)
    assert profile(model, X).feature_names == ("x1", "x2", "x3")
    assert profile(model, X, feature_names=["u", "v", "w"]).feature_names == ("u", "v", "w")
    named = KMeans(3, random_state=0).fit(pandas.DataFrame(X, columns=list("abc")))
    with pytest.raises(ValueError, match="feature names"):
        profile(named, pandas.DataFrame(X, columns=list("bca")))


def test_frames_and_plain_data_hold_the_same(X: np.ndarray) -> None:
    found = profile(scaled(KMeans(3, random_state=0)).fit(X), X, others={"s": ["a"] * len(X)})
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["clusters"][1]["mean"] == found.clusters[1].mean.tolist()
    for library in ("pandas", "polars"):
        frame = found.to_frame(library)
        assert len(frame) == 3
        assert list(frame["x1 mean"]) == [card.mean[0] for card in found.clusters]
        assert list(frame["sentence"]) == [card.sentence for card in found.clusters]
    with pytest.raises(ValueError, match="'dask'"):
        found.to_frame("dask")  # type: ignore[arg-type]


def test_a_cluster_without_rows_says_so(X: np.ndarray) -> None:
    model = KMeans(3, random_state=0).fit(X)
    few = X[model.labels_ != 1]
    found: ClusterProfile = profile(model, few)
    assert found.clusters[1].sentence == "Cluster 1: no rows."
    assert np.isnan(found.clusters[1].mean).all()
    json.dumps(found.to_dict(), allow_nan=False)
    assert "no rows" in found.summary()


def test_gaps_are_filled_as_the_model_fills_them(X: np.ndarray) -> None:
    X = X.copy()
    X[::7, 1] = np.nan
    model = make_pipeline(SimpleImputer(strategy="median"), KMeans(3, random_state=0)).fit(X)
    filled = model[0].transform(X)
    np.testing.assert_allclose(profile(model, X).overall_mean, filled.mean(axis=0))
    with pytest.raises(ValueError, match="row 0, column 1"):
        profile(model[-1], X)


def test_constant_columns_have_no_effect(X: np.ndarray) -> None:
    X = np.column_stack([X, np.full(len(X), 0.1)])
    for card in profile(KMeans(3, random_state=0).fit(X), X).clusters:
        assert card.effect[3] == 0
        assert card.order[-1] == 3


def test_bad_input_is_named(X: np.ndarray) -> None:
    model = KMeans(3, random_state=0).fit(X)
    with pytest.raises(NotFittedError):
        profile(KMeans(3), X)
    with pytest.raises(TypeError, match="MinMaxScaler"):
        profile(make_pipeline(MinMaxScaler(), KMeans(3)).fit(X), X)
    with pytest.raises(ValueError, match="2 features"):
        profile(model, X[:, :2])
    with pytest.raises(ValueError, match="feature_names has 1"):
        profile(model, X, feature_names=["a"])
    with pytest.raises(ValueError, match=r"others\['s'\] has 1 values"):
        profile(model, X, others={"s": ["a"]})
    with pytest.raises(ValueError, match="n_outliers"):
        profile(model, X, n_outliers=-1)
    with pytest.raises(ValueError, match="expected"):
        profile(model, X, sample_weight=[1, 2])


def test_a_cluster_of_few_rows_is_counted_and_says_nothing_of_categories() -> None:
    X = np.r_[np.arange(60.0), 1000.0][:, None]
    city = [f"city {i}" for i in range(61)]
    found = profile(KMeans(2, random_state=0).fit(X), X, others={"city": city})
    assert found.clusters[1].sentence == "Cluster 1, 1 row: x1 very high (+7.7 sd)"
    assert "city 60 (100 %" in found.summary()
    assert max(map(len, found.summary().splitlines())) <= 100


def test_values_that_hardly_occur_are_not_listed(X: np.ndarray) -> None:
    model = KMeans(1).fit(X)
    found = profile(model, X, others={"id": list(range(len(X)))})
    assert len(found.clusters[0].categories["id"]) == 10
    assert "id:" not in found.summary()
