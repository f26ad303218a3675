"""Model files: what is written is read, and whatever is wrong with a file is said clearly."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from centroids.model_file import ENTRY, FORMAT_VERSION, ModelFileError, read_model, write_model
from centroids.rows.errors import InputError

ARRAYS = {
    "centers": np.array([[0.1, np.pi], [-1e300, 5e-324]]),
    "single": np.array([1.5], dtype=np.float32),
    "counts": np.array([3, 2**60], dtype=np.int64),
    "empty": np.zeros((0, 3)),
    "flags": np.array([True, False]),
}
HEADER: dict[str, Any] = {
    "steps": [{"class": "KMeans", "inertia": 0.1 + 0.2}],
    "name": "Größe",
    "nothing": None,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "m.safetensors", ARRAYS, HEADER)
    return tmp_path / "m.safetensors"


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


def entry_of(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    entry: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][ENTRY])
    return entry


def rewrite(path: Path, **changes: object) -> None:
    """Change the metadata of a model file, leaving its arrays; None takes a member away."""
    kept = {key: value for key, value in (entry_of(path) | changes).items() if value is not None}
    path.write_bytes(save(load(path.read_bytes()), metadata={ENTRY: json.dumps(kept)}))


def test_arrays_and_header_come_back_bit_for_bit(model: Path) -> None:
    arrays, header = read_model(model)
    assert header == HEADER
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


def test_arrays_of_any_layout_are_stored(tmp_path: Path) -> None:
    X = np.arange(12.0).reshape(3, 4)
    arrays = {"fortran": np.asfortranarray(X), "strided": X[:, ::2], "scalar": np.float64(2.5)}
    write_model(tmp_path / "m.safetensors", arrays, {})
    found, _ = read_model(tmp_path / "m.safetensors")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_the_same_model_is_the_same_file(model: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "again.safetensors", ARRAYS, HEADER)
    assert (tmp_path / "again.safetensors").read_bytes() == model.read_bytes()


def test_other_programs_can_read_the_arrays(model: Path) -> None:
    np.testing.assert_array_equal(load(model.read_bytes())["centers"], ARRAYS["centers"])


def test_objects_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="dtype object"):
        write_model(tmp_path / "m.safetensors", {"a": np.array([{}])}, {})
    with pytest.raises(TypeError):
        write_model(tmp_path / "m.safetensors", {}, {"a": object()})
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "m.safetensors", {}, {"a": float("nan")})
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_refused_before_writing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        write_model(tmp_path / "nowhere" / "m.safetensors", ARRAYS, HEADER)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.safetensors")
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"a,b\n1,2\n", pickle.dumps([1, 2]), b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{}"],
    ids=["empty", "one byte", "csv", "pickle", "huge header", "no metadata"],
)
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    refusal(tmp_path / "m.safetensors")


def test_safetensors_of_another_program_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(save({"w": np.zeros(3)}, metadata={"format": "pt"}))
    assert "not a model of centroids" in refusal(tmp_path / "m.safetensors")


def test_a_newer_format_asks_for_an_upgrade(model: Path) -> None:
    rewrite(model, format_version=FORMAT_VERSION + 1)
    message = refusal(model)
    assert "newer version" in message
    assert "pip install --upgrade" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"format_version": "one"},
        {"format_version": -1},
        {"format_version": True},
        {"format_version": 1.0},
        {"format_version": None},
        {"header": None},
        {"checksum": None},
        {"checksum": "0" * 64},
        {"header": "{}"},
        {"header": "[" * 100_000},
    ],
    ids=repr,
)
def test_damaged_metadata_is_refused(model: Path, changes: dict[str, object]) -> None:
    rewrite(model, **changes)
    assert "damaged" in refusal(model)


def test_an_entry_that_is_no_json_is_refused(model: Path) -> None:
    for text in ("", "{", "[]", "[" * 100_000):
        model.write_bytes(save({"a": np.zeros(1)}, metadata={ENTRY: text}))
        assert "damaged" in refusal(model)


@pytest.mark.parametrize("text", ["[" * 100_000, "1", "[]", "{", '{"a": NaN, '], ids=repr)
def test_a_header_that_is_no_object_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("centroids.model_file._checksum", lambda arrays, text: "same")
    rewrite(model, header=text, checksum="same")
    assert "header" in refusal(model)


def test_arrays_of_unknown_types_are_refused(model: Path) -> None:
    half = np.zeros((2, 2), dtype=np.float16)
    model.write_bytes(save({"a": half}, metadata={ENTRY: json.dumps(entry_of(model))}))
    assert "of a type that models do not have" in refusal(model)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_changed_byte_goes_unnoticed(model: Path, data: st.DataObject) -> None:
    content = bytearray(model.read_bytes())
    if data.draw(st.booleans(), label="cut"):
        damaged = bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    else:
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= data.draw(st.integers(1, 255))
        damaged = bytes(content)
    path = model.with_name("damaged.safetensors")
    path.write_bytes(damaged)
    try:
        arrays, header = read_model(path)
    except ModelFileError:
        return
    # Some bytes say the same in another way: blanks of the header, the order of its keys.
    assert header == HEADER
    assert {name: a.tobytes() for name, a in arrays.items()} == {
        name: a.tobytes() for name, a in ARRAYS.items()
    }
