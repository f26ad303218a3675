"""Model files: named arrays and a JSON header in the safetensors format, no code.

The file is an ordinary safetensors file, so other programs and languages can read it. Its
metadata has one entry, ``centroids-model``, a JSON object with three members:

====================  =====================================================================
``format_version``    a whole number; a reader refuses versions above its own
``header``            JSON as a text: everything that is not an array
``checksum``          SHA-256 of the header and the arrays, against damage (not against forgery)
====================  =====================================================================

(One entry, because safetensors writes several in an order that changes from file to file, and the
same model is to be the same file.) What the header and the arrays mean is written in
docs/reference/model_file.md. This module knows no estimator; it makes sure that what is read is
what was written.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.output import whole_file

__all__ = ["FORMAT_VERSION", "ModelFileError", "read_model", "write_model"]

ENTRY = "centroids-model"
FORMAT_VERSION = 3
DTYPES = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "BOOL": "bool"}
MAX_REASON = 100


class ModelFileError(ValueError):
    """A file that is not a model this version can read; the message says why."""


def write_model(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]
) -> None:
    """Write arrays and a header to a model file, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file; one that exists is replaced once everything is written.
    arrays : mapping of str to ndarray
        Arrays of float32, float64, int32, int64 or bool.
    header : mapping
        Plain data: what JSON can hold, finite numbers only.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    from safetensors.numpy import save

    plain = {name: np.array(array, order="C") for name, array in arrays.items()}
    for name, array in plain.items():
        if array.dtype.name not in DTYPES.values() or not array.dtype.isnative:
            raise TypeError(f"array {name!r} has the dtype {array.dtype}, which models cannot hold")
    text = json.dumps(header, allow_nan=False, sort_keys=True)
    entry = {
        "format_version": FORMAT_VERSION,
        "header": text,
        "checksum": _checksum(plain, text),
    }
    content = save(plain, metadata={ENTRY: json.dumps(entry)})
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the arrays and the header of a model file.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays.
    header : dict
        The header.

    Raises
    ------
    ModelFileError
        If there is no such file, if it is damaged, if it is no model of this package, or if a
        newer version wrote it.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ModelFileError(
            f"{path} is a folder; name a model file in it"
            if path.is_dir()
            else f"{path} does not exist; check the path of the model"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            entry = _checked_entry(path, file.metadata() or {})
            arrays = {name: _tensor(path, file, name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(f"{path} is damaged or no model file ({_one_line(error)})") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({_one_line(error)})") from error
    if _checksum(arrays, entry["header"]) != entry["checksum"]:
        raise ModelFileError(f"{path} is damaged: its checksum does not fit; copy it again")
    return arrays, _json_object(path, entry["header"])


def _checked_entry(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    if ENTRY not in metadata:
        raise ModelFileError(
            f"{path} is a safetensors file, but not a model of centroids; give a file that "
            "centroids.save or KMeans.save wrote"
        )
    entry = _json_object(path, metadata[ENTRY])
    version = entry.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{path} is damaged: it does not tell its format version")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} was written by a newer version of centroids (model format {version}, this "
            f"one reads up to {FORMAT_VERSION}); run pip install --upgrade centroids"
        )
    if not all(isinstance(entry.get(key), str) for key in ("header", "checksum")):
        raise ModelFileError(f"{path} is damaged: its metadata is not complete; copy it again")
    return entry


def _tensor(path: Path, file: Any, name: str) -> NDArray[Any]:
    dtype = DTYPES.get(file.get_slice(name).get_dtype())
    if dtype is None:
        raise ModelFileError(f"{path} holds an array {name!r} of a type that models do not have")
    try:
        array: NDArray[Any] = file.get_tensor(name)
    except (ValueError, OverflowError, MemoryError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: its array {name!r} has no shape") from error
    return array


def _json_object(path: Path, text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(
            text, parse_float=_finite, parse_constant=_finite, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is damaged: its header is not JSON") from error
    if not isinstance(parsed, dict):
        raise ModelFileError(f"{path} is damaged: its header is not a JSON object")
    return parsed


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _checksum(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogatepass"))
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"
