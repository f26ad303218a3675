"""Saved models answer as before; nothing but data is stored; nonsense is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans as OtherKMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from centroids import KMeans, ModelFileError, __version__, load, save
from centroids.model_file import read_model, write_model

SHAPE = (400, 3)


@pytest.fixture(name="X")
def rows() -> np.ndarray:
    random = np.random.default_rng(0)
    return random.standard_normal(SHAPE) * [1, 10, 100] + random.integers(0, 4, (SHAPE[0], 1)) * 50


def saved(model: Any, tmp_path: Path) -> Any:
    path = tmp_path / "m.safetensors"
    save(model, path)
    return load(path)


def assert_same_bits(before: Any, after: Any, X: np.ndarray) -> None:
    assert type(after) is type(before)
    for method in ("predict", "transform"):
        expected, found = getattr(before, method)(X), getattr(after, method)(X)
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()
    assert after.score(X) == before.score(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_scaled", [False, True], ids=["bare", "scaled"])
def test_a_loaded_model_gives_the_same_bits(
    X: np.ndarray, tmp_path: Path, dtype: type, is_scaled: bool
) -> None:
    X = X.astype(dtype)
    kmeans = KMeans(4, random_state=0)
    model = (make_pipeline(StandardScaler(), kmeans) if is_scaled else kmeans).fit(X)
    assert_same_bits(model, saved(model, tmp_path), X)


def test_fitted_attributes_come_back_but_not_the_labels(X: np.ndarray, tmp_path: Path) -> None:
    before = KMeans(4, random_state=0, max_iter=7).fit(X)
    after = saved(before, tmp_path)
    for name in ("inertia_", "n_iter_", "history_", "n_features_in_"):
        assert getattr(after, name) == getattr(before, name), name
    np.testing.assert_array_equal(after.cluster_centers_, before.cluster_centers_)
    np.testing.assert_array_equal(after.counts_, before.counts_)
    assert after.counts_.dtype == before.counts_.dtype
    assert after.get_params() == before.get_params()
    assert not hasattr(after, "labels_")
    assert list(after.get_feature_names_out()) == list(before.get_feature_names_out())
    for expected, found in zip(before.nearest(X), after.nearest(X), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_loaded_model_is_an_estimator_like_any_other(X: np.ndarray, tmp_path: Path) -> None:
    before = KMeans(4, random_state=0).fit(X)
    after = saved(before, tmp_path)
    again = saved(after, tmp_path)
    assert_same_bits(before, again, X)
    assert_same_bits(before, pickle.loads(pickle.dumps(after)), X)
    assert clone(after).fit(X).inertia_ == before.inertia_


def test_the_method_and_the_function_write_the_same_file(X: np.ndarray, tmp_path: Path) -> None:
    model = KMeans(4, random_state=0).fit(X)
    model.save(tmp_path / "a.safetensors")
    save(model, str(tmp_path / "b.safetensors"))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_column_names_are_kept_and_checked(X: np.ndarray, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["income", "Größe", "age"])
    for before in (KMeans(3, random_state=0), make_pipeline(StandardScaler(), KMeans(3))):
        before.fit(frame)
        after = saved(before, tmp_path)
        assert after.feature_names_in_.tolist() == ["income", "Größe", "age"]
        np.testing.assert_array_equal(after.predict(frame), before.predict(frame))
        with pytest.raises(ValueError, match="feature names"):
            after.predict(frame[["age", "income", "Größe"]])


def test_names_of_pipeline_steps_are_kept(X: np.ndarray, tmp_path: Path) -> None:
    model = Pipeline([("to_units", StandardScaler()), ("groups", KMeans(3))]).fit(X)
    assert list(saved(model, tmp_path).named_steps) == ["to_units", "groups"]


@pytest.mark.parametrize(
    "options", [{"with_mean": False}, {"with_std": False}, {}], ids=["scale", "shift", "both"]
)
def test_every_kind_of_standard_scaler_is_kept(
    X: np.ndarray, tmp_path: Path, options: dict[str, bool]
) -> None:
    model = make_pipeline(StandardScaler(**options), KMeans(3, random_state=0)).fit(X)
    after = saved(model, tmp_path)
    assert_same_bits(model, after, X)
    assert after[0].get_params() == model[0].get_params()


def test_the_file_tells_where_the_model_comes_from(X: np.ndarray, tmp_path: Path) -> None:
    save(KMeans(4, random_state=0).fit(X), tmp_path / "m.safetensors")
    _, header = read_model(tmp_path / "m.safetensors")
    assert header["library_version"] == __version__
    assert header["n_samples"] == SHAPE[0]


def test_parameters_that_are_arrays_are_kept(X: np.ndarray, tmp_path: Path) -> None:
    for init in (X[:4], X[:4].tolist()):
        after = saved(KMeans(4, init=init).fit(X), tmp_path)
        np.testing.assert_array_equal(after.init, X[:4])


def test_parameters_that_are_no_data_are_named_and_left_at_their_default(
    X: np.ndarray, tmp_path: Path
) -> None:
    def first_rows(X: np.ndarray, n_clusters: int, random_state: Any) -> np.ndarray:
        return X[:n_clusters]

    random_state = np.random.RandomState(0)
    model = KMeans(4, init=first_rows, random_state=random_state, callback=print).fit(X[:50])
    path = tmp_path / "m.safetensors"
    save(model, path)
    _, header = read_model(path)
    assert set(header["steps"][0]["not_stored"]) == {"init", "random_state", "callback"}
    assert b"first_rows" not in path.read_bytes()
    after = load(path)
    assert (after.init, after.random_state, after.callback) == ("k-means++", None, None)
    assert_same_bits(model, after, X)


def test_numpy_numbers_as_parameters_are_data(X: np.ndarray, tmp_path: Path) -> None:
    model = KMeans(np.int64(4), tol=np.float32(0.5), random_state=np.int32(3)).fit(X)
    params = saved(model, tmp_path).get_params()
    assert (params["n_clusters"], params["tol"], params["random_state"]) == (4, 0.5, 3)


@pytest.mark.parametrize(
    "model",
    [
        OtherKMeans(3),
        StandardScaler(),
        make_pipeline(MinMaxScaler(), KMeans(3)),
        make_pipeline(StandardScaler(), PCA(2), KMeans(3)),
        make_pipeline(KMeans(3)),
        type("MyKMeans", (KMeans,), {})(3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_other_estimators_are_refused(X: np.ndarray, tmp_path: Path, model: Any) -> None:
    with pytest.raises(TypeError, match="cannot save"):
        save(model.fit(X), tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [KMeans(3), make_pipeline(StandardScaler(), KMeans(3))])
def test_models_that_are_not_fitted_are_refused(tmp_path: Path, model: Any) -> None:
    with pytest.raises(NotFittedError):
        save(model, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_reader_passes_over_what_it_does_not_know(X: np.ndarray, tmp_path: Path) -> None:
    model, path = KMeans(3, random_state=0).fit(X), tmp_path / "m.safetensors"
    save(model, path)
    arrays, header = read_model(path)
    header["later"] = 1
    header["steps"][0]["params"]["later"] = "x"
    header["steps"][0]["fitted"]["later_"] = 2
    write_model(path, {**arrays, "0/later_": np.zeros(3)}, header)
    after = load(path)
    assert_same_bits(model, after, X)
    assert not hasattr(after, "later_")


def break_(key: str, value: Any) -> Any:
    def change(arrays: dict[str, Any], header: dict[str, Any]) -> None:
        header["steps"][0][key] = value

    return change


def drop_centers(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    del arrays["0/cluster_centers_"]


def spoil_centers(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    arrays["0/cluster_centers_"][0, 0] = np.nan


def flatten_centers(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    arrays["0/cluster_centers_"] = arrays["0/cluster_centers_"].ravel()


def whole_centers(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    arrays["0/cluster_centers_"] = arrays["0/cluster_centers_"].astype(np.int64)


def shorten_counts(arrays: dict[str, Any], header: dict[str, Any]) -> None:
    arrays["0/counts_"] = arrays["0/counts_"][:-1]


@pytest.mark.parametrize(
    "change",
    [
        break_("class", "PCA"),
        break_("class", None),
        break_("params", []),
        break_("fitted", None),
        break_("feature_names", ["a"]),
        break_("feature_names", [1, 2, 3]),
        drop_centers,
        spoil_centers,
        flatten_centers,
        whole_centers,
        shorten_counts,
        lambda arrays, header: header.pop("steps"),
        lambda arrays, header: header.update(steps=[]),
        lambda arrays, header: header.update(steps=[header["steps"][0]] * 2),
        lambda arrays, header: header.update(steps="KMeans"),
    ],
)
def test_a_file_with_a_sound_checksum_and_wrong_contents_is_refused(
    X: np.ndarray, tmp_path: Path, change: Any
) -> None:
    path = tmp_path / "m.safetensors"
    save(KMeans(3, random_state=0).fit(X), path)
    arrays, header = read_model(path)
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(arrays, header)
    write_model(path, arrays, json.loads(json.dumps(header)))
    with pytest.raises(ModelFileError, match="damaged"):
        load(path)
