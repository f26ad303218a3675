"""Files of every format version are read, and no file, however made, gives half a model."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import (
    BisectingKMeans,
    KMeans,
    LogTransformer,
    MiniBatchKMeans,
    ModelFileError,
    load,
    save,
)
from centroids.model_file import read_model, write_model

KEPT = Path(__file__).parents[1] / "data" / "models"


def rows(dtype: type = np.float64) -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.normal(size=(200, 3)) + random.integers(0, 4, (200, 1)) * 9).astype(dtype)


MODELS: dict[str, Callable[[], Any]] = {
    "KMeans": lambda: KMeans(4, random_state=0, init=rows()[:4]),
    "MiniBatchKMeans": lambda: MiniBatchKMeans(4, random_state=0),
    "BisectingKMeans": lambda: BisectingKMeans(4, random_state=0),
    "one cluster": lambda: BisectingKMeans(1),
    "cosine": lambda: KMeans(3, metric="cosine", random_state=0),
    "pipeline": lambda: make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), KMeans(4, random_state=0)
    ),
    "logarithms": lambda: make_pipeline(
        SimpleImputer(strategy="median"), LogTransformer([0, 2]), StandardScaler(), KMeans(4)
    ),
    "logarithms alone": lambda: make_pipeline(LogTransformer(), MiniBatchKMeans(3, random_state=0)),
    "imputer": lambda: make_pipeline(
        SimpleImputer(strategy="constant", fill_value=1.5), BisectingKMeans(3, random_state=0)
    ),
}


WITH_GAPS = ("pipeline", "imputer", "logarithms")


def fitted(kind: str, dtype: type = np.float64) -> Any:
    X = rows(dtype) + dtype(5) * ("logarithms" in kind)
    if kind in WITH_GAPS:
        X[::9, 1] = np.nan
    model = MODELS[kind]().fit(X)
    last = model[-1] if hasattr(model, "steps") else model
    Z = model[:-1].transform(X) if hasattr(model, "steps") else X
    last.measure_radii(Z).name_clusters({0: "zero"})
    return model


def through_file(model: Any, tmp_path: Path, **options: Any) -> Any:
    save(model, tmp_path / "m.safetensors", **options)
    return load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", MODELS)
def test_every_model_gives_the_same_bits_after_loading(
    tmp_path: Path, kind: str, dtype: type
) -> None:
    before = fitted(kind, dtype)
    after = through_file(before, tmp_path)
    X = rows(dtype) + dtype(5.1)
    if kind in WITH_GAPS:
        X[::4, 0] = np.nan
    for method in ("predict", "transform"):
        expected, found = getattr(before, method)(X), getattr(after, method)(X)
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()
    assert after.score(X) == before.score(X)
    old, new = (m[-1] if hasattr(m, "steps") else m for m in (before, after))
    np.testing.assert_array_equal(new.radii_, old.radii_)
    assert dict(new.cluster_names_) == {0: "zero"}
    assert through_file(after, tmp_path).score(X) == before.score(X)


def test_a_stream_goes_on_after_loading_as_it_would_have_without(tmp_path: Path) -> None:
    before = MiniBatchKMeans(4, random_state=0, reassignment_ratio=0).fit(rows())
    after = through_file(before, tmp_path)
    for model in (before, after):
        model.partial_fit(rows() + 0.5)
    np.testing.assert_array_equal(before.cluster_centers_, after.cluster_centers_)
    assert (after.n_seen_, after.n_steps_) == (before.n_seen_, before.n_steps_)
    streamed = MiniBatchKMeans(4, random_state=0, compute_labels=False).partial_fit(rows())
    np.testing.assert_array_equal(
        through_file(streamed, tmp_path).predict(rows()), streamed.predict(rows())
    )


def test_what_is_known_of_the_data_is_kept(tmp_path: Path) -> None:
    data = {"file": "a.csv", "rows": 10, "sampling": None, "left_out": [{"column": "id"}]}
    model = through_file(KMeans(2).fit(rows()), tmp_path, data=data)
    assert model.training_data_ == data
    assert through_file(model, tmp_path).training_data_ == data
    assert not hasattr(model.fit(rows()), "training_data_")
    for bad in ({"a": object()}, {"a": float("nan")}, {1: "a"}, ["a"], {"a": np.zeros(2)}):
        with pytest.raises(TypeError, match="data must be a mapping"):
            save(model, tmp_path / "m.safetensors", data=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "imputer",
    [SimpleImputer(add_indicator=True), SimpleImputer(strategy="constant", fill_value=np.inf)],
)
def test_imputers_that_do_more_than_fill_in_numbers_are_refused(
    tmp_path: Path, imputer: Any
) -> None:
    X = rows()
    X[0, 0] = np.nan
    imputer.fit(X)
    model = make_pipeline(imputer, KMeans(2).fit(imputer.transform(X)[1:]))
    with pytest.raises(TypeError, match="SimpleImputer"):
        save(model, tmp_path / "m.safetensors")


def test_files_of_format_1_are_read() -> None:
    """Written by the code of that format; see the values it printed then."""
    X = np.arange(60.0).reshape(20, 3) % 17 * [1, 10, 100]
    bare = load(KEPT / "format1_kmeans_float32.safetensors")
    assert bare.predict(X.astype(np.float32)).tolist() == [
        *(2, 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 1, 1, 1, 2, 0, 0)
    ]  # fmt: skip
    assert bare.inertia_ == 551476.6666666672
    assert bare.cluster_centers_.dtype == np.float32
    scaled = load(KEPT / "format1_scaled_named.safetensors")
    assert [name for name, _ in scaled.steps] == ["scale", "groups"]
    assert scaled.feature_names_in_.tolist() == ["income", "Größe", "age"]
    assert scaled[0].set_output(transform="default").n_features_in_ == 3
    del scaled[0].feature_names_in_  # so that arrays are taken without a word
    assert scaled.predict(X).tolist() == [
        *(0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0)
    ]  # fmt: skip
    assert scaled[-1].inertia_ == 18.857018897724494
    for model in (bare, scaled[-1]):
        assert dict(model.cluster_names_) == {}
        assert not hasattr(model, "radii_")
        assert not hasattr(model, "training_data_")


def test_files_of_format_2_are_read() -> None:
    """Written by the code of that format; see the values it printed then."""
    X = np.arange(60.0).reshape(20, 3) % 17 * [1, 10, 100]
    X[3, 1] = np.nan
    model = load(KEPT / "format2_pipeline.safetensors")
    assert model.feature_names_in_.tolist() == ["income", "Größe", "age"]
    del model[0].feature_names_in_  # so that arrays are taken without a word
    assert model.predict(X).tolist() == [
        *(0, 0, 0, 1, 1, 2, 0, 0, 1, 1, 1, 2, 0, 0, 1, 1, 1, 0, 0, 0)
    ]  # fmt: skip
    assert model[0].statistics_.tolist() == [6.5, 70.0, 750.0]
    assert model[-1].inertia_ == 17.68712710646244
    assert model[-1].radii_[:, 0].tolist() == [
        *(0.359008991133795, 0.23377881163717168, 1.6749531914222688)
    ]  # fmt: skip
    assert dict(model[-1].cluster_names_) == {1: "small"}
    assert model[-1].training_data_ == {"file": "t.csv", "missing": {"rule": "impute"}}


@pytest.mark.parametrize("columns", [[0, 3], [2, 0], [0, 0], [-1, 1]])
def test_logarithms_of_columns_that_are_not_there_are_damage(
    tmp_path: Path, columns: list[int]
) -> None:
    path = tmp_path / "m.safetensors"
    save(fitted("logarithms"), path)
    arrays, header = read_model(path)
    arrays["1/columns_"] = np.array(columns)
    write_model(path, arrays, header)
    with pytest.raises(ModelFileError, match="damaged"):
        load(path)


def use(model: Any) -> None:
    """Everything that a model offers works, so its parts fit one another."""
    clusterer = model[-1] if hasattr(model, "steps") else model
    X = rows()[:20] + 5  # above 0, for logarithms
    n_clusters = len(clusterer.cluster_centers_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = X[:, : model.n_features_in_]
        labels = model.predict(X)
        assert ((labels >= 0) & (labels < n_clusters)).all()
        assert model.transform(X).shape == (20, n_clusters)
        assert not np.isnan(model.score(X))
        Z = model[:-1].transform(X) if hasattr(model, "steps") else X
        clusterer.nearest(Z)
        if hasattr(clusterer, "radii_"):
            clusterer.is_outlier(Z)
        assert set(clusterer.cluster_names_) <= set(range(n_clusters))
        assert len(clusterer.get_feature_names_out()) == n_clusters
        clone(model).get_params()
        repr(model)


def damaged_or_whole(path: Path) -> bool:
    """Load a file: either it is refused in one line that names it, or the model is whole."""
    try:
        model = load(path)
    except ModelFileError as error:
        message = str(error)
    else:
        use(model)
        return False
    assert path.name in message
    assert "\n" not in message
    return True


STRANGE: list[Any] = [
    *(None, True, -1, 0, 3, 2**70, 1e308, "", "KMeans", "x" * 1000, "\ud800", [], [[]], {}),
    *({"0": "a", "1": "a"}, {"99": "a"}, {"-1": "a"}, {"a": "a"}, [None], [[1, 2], [3]], "1e999"),
]


def change_header(header: dict[str, Any], random: np.random.Generator) -> None:
    """Put something strange in a random place of the header, or take something away."""
    place: Any = header
    while True:
        if isinstance(place, list):
            keys: list[Any] = list(range(len(place)))
        else:
            keys = sorted(place)
        if not keys:
            return
        key = keys[random.integers(len(keys))]
        if isinstance(place[key], (dict, list)) and place[key] and random.random() < 0.8:
            place = place[key]
            continue
        if random.random() < 0.2:
            del place[key]
        else:
            place[key] = STRANGE[random.integers(len(STRANGE))]
        return


def change_arrays(arrays: dict[str, np.ndarray], random: np.random.Generator) -> None:
    """Give a random array other values, another shape or type, or another name."""
    name = sorted(arrays)[random.integers(len(arrays))]
    array = arrays[name].copy()
    what = random.integers(9)
    if what < 4 and array.size:
        values = [np.nan, np.inf, -1, 0, 1e300, -(2**31), 7]
        with np.errstate(all="ignore"):
            value = np.array(values[random.integers(len(values))])
            finite = array.dtype.kind == "f" or np.isfinite(value)
            array.ravel()[random.integers(array.size)] = value.astype(array.dtype) if finite else 9
        arrays[name] = array
    elif what == 4:
        types = ["float32", "float64", "int32", "int64", "bool"]
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(types[random.integers(5)])
    elif what == 5:
        arrays[name] = array[:-1] if array.ndim else array[None]
    elif what == 6:
        arrays[name] = array[None] if random.random() < 0.5 else array.ravel()
    elif what == 7:
        del arrays[name]
    else:
        other = sorted(arrays)[random.integers(len(arrays))]
        arrays[name], arrays[other] = arrays[other], arrays[name]


@pytest.mark.parametrize("kind", MODELS)
def test_forged_files_are_refused_or_give_a_whole_model(tmp_path: Path, kind: str) -> None:
    """The checksum is right each time: only what the file says is wrong."""
    path = tmp_path / "m.safetensors"
    save(fitted(kind), path, data={"rows": 200})
    arrays, header = read_model(path)
    random = np.random.default_rng(list(MODELS).index(kind))
    n_refused = 0
    for _ in range(250):
        forged, changed = dict(arrays), json.loads(json.dumps(header))
        if random.random() < 0.5:
            change_header(changed, random)
        else:
            change_arrays(forged, random)
        write_model(path, forged, changed)
        n_refused += damaged_or_whole(path)
    assert 50 < n_refused < 250


@pytest.mark.parametrize("kind", ["KMeans", "pipeline"])
def test_flipped_and_missing_bytes_are_refused_or_harmless(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.safetensors"
    save(fitted(kind), path)
    content, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        if random.random() < 0.3:
            del damaged[random.integers(len(damaged)) :]
        else:
            for _ in range(random.integers(1, 4)):
                damaged[random.integers(len(damaged))] ^= 1 << random.integers(8)
        path.write_bytes(bytes(damaged))
        damaged_or_whole(path)


def raw_file(header: dict[str, Any], content: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


@pytest.mark.parametrize("shape", [[2**62, 4], [2**63 - 1], [0, 2**62], [-1], [2**40, 0, 2**40]])
@pytest.mark.parametrize("offsets", [[0, 0], [0, 2**62], [8, 0], [0, 16]])
def test_huge_shapes_ask_for_no_memory(
    tmp_path: Path, shape: list[int], offsets: list[int]
) -> None:
    path = tmp_path / "m.safetensors"
    entry = json.dumps({"format_version": 2, "header": "{}", "checksum": ""})
    array = {"dtype": "F64", "shape": shape, "data_offsets": offsets}
    header = {"__metadata__": {"centroids-model": entry}, "0/cluster_centers_": array}
    path.write_bytes(raw_file(header, b"\0" * 16))
    assert damaged_or_whole(path)


@pytest.mark.parametrize(
    "text",
    [
        '{"steps": [], "steps": []}',
        '{"n_samples": NaN}',
        '{"n_samples": 1e999}',
        '{"n_samples": -Infinity}',
        '{"n_samples": ' + "9" * 10_000 + "}",
        "[" * 100_000,
    ],
    ids=["a key twice", "NaN", "1e999", "infinity", "a huge number", "deep"],
)
def test_json_that_python_would_take_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("centroids.model_file._checksum", lambda arrays, text: "same")
    path = tmp_path / "m.safetensors"
    entry = json.dumps({"format_version": 2, "header": text, "checksum": "same"})
    path.write_bytes(raw_file({"__metadata__": {"centroids-model": entry}}))
    assert damaged_or_whole(path)


def test_a_tree_with_a_loop_is_none(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save(fitted("BisectingKMeans"), path)
    arrays, header = read_model(path)
    parts = arrays["0/tree_parts"].copy()
    parts[parts > 0] = 0
    write_model(path, {**arrays, "0/tree_parts": parts}, header)
    with pytest.raises(ModelFileError, match="tree"):
        load(path)
