"""NumPy's ``.npy`` files, mapped into memory and never unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.bad_cells import (
    find_bad_cell,
    first_bad_weight,
    quoted,
    refuse_bad_cell,
    refuse_empty_truth,
)
from centroids.rows.blocks import count_missing, map_rows
from centroids.rows.columns import split_columns
from centroids.rows.errors import InputError
from centroids.rows.request import ReadRequest
from centroids.rows.source import Source
from centroids.rows.table import BadCells, LeftOut, Table

__all__ = ["map_npy", "table_from_npy"]


def table_from_npy(source: Source, request: ReadRequest) -> Table:
    """Read a ``.npy`` file; its columns are called x1, x2, … by their position."""
    path = source.files[0].path
    if source.where is not None:
        raise InputError(f"{path}: rows of a .npy file cannot be chosen; save it as Parquet")
    array = map_npy(source.files[0].readable)
    names = [f"x{i}" for i in range(1, array.shape[1] + 1)]
    used, *others = split_columns(path, names, request)
    classes, weights = (None if i is None else np.array(array[:, i]) for i in others)
    X = _features(array, used)
    bad_cells: tuple[BadCells, ...] = ()
    bad = find_bad_cell(X, may_miss=request.missing != "error")
    if bad is not None and request.bad == "keep" and request.missing != "error":
        bad_cells = _bad_cells(X, [names[i] for i in used], path)
        X = map_rows(X, lambda block: np.where(np.isinf(block), X.dtype.type(np.nan), block))
    elif bad is not None:
        value = str(float(X[bad.row, bad.column]))
        refuse_bad_cell((path, bad.row + 1), bad.n_bad, names[used[bad.column]], value)
    refuse_empty_truth(path, request.truth, classes)
    row = None if weights is None else first_bad_weight(weights)
    if row is not None:
        raise InputError(
            f'{path}: row {row + 1}, column "{request.weight}": a weight is a number from 0 up'
        )
    return Table(
        source=source,
        X=X,
        columns=tuple(names[i] for i in used),
        left_out=tuple(
            LeftOut(name, "not chosen")
            for i, name in enumerate(names)
            if i not in used and i not in others
        ),
        truth=classes,
        truth_name=request.truth,
        sample_weight=None if weights is None else weights.astype(np.float64),
        weight_name=request.weight,
        has_names=False,
        n_missing=tuple(count_missing(X).tolist())
        if request.missing != "error"
        else (0,) * len(used),
        bad_cells=bad_cells,
        n_rows=len(X),
        n_rows_in_files=len(X),
    )


def _bad_cells(X: NDArray[Any], names: list[str], path: Path) -> tuple[BadCells, ...]:
    """List the columns that hold infinite values."""
    found = []
    for i, name in enumerate(names):
        rows = np.flatnonzero(np.isinf(X[:, i]))
        if rows.size:
            row = int(rows[0])
            place = f"row {row + 1:,} of {path.name}"
            found.append(BadCells(name, len(rows), quoted(str(float(X[row, i]))), place))
    return tuple(found)


def _features(array: NDArray[Any], used: list[int]) -> NDArray[Any]:
    """Give some columns as rows of floats: the file itself where that is what it holds."""
    is_whole = used == list(range(array.shape[1]))
    dtype = np.dtype(np.float32 if array.dtype == np.float32 else np.float64)
    if is_whole and array.dtype == dtype and array.flags.c_contiguous:
        return array
    return map_rows(array, lambda block: block[:, used].astype(dtype))


def map_npy(path: Path) -> NDArray[Any]:
    """Map a ``.npy`` file of numbers as a read-only array of shape (n_samples, n_columns).

    A one-dimensional array is one column.

    Raises
    ------
    InputError
        If the file is damaged, holds Python objects or anything else but real numbers, or has
        more than two dimensions.
    """
    shape, dtype = _header(path)
    if dtype.hasobject:
        raise InputError(
            f"{path} holds pickled Python objects, which are not opened because they can run "
            "code; save a plain array of numbers"
        )
    if dtype.kind not in "iuf":
        raise InputError(f"{path} holds values of type {dtype}; save a plain array of numbers")
    if len(shape) not in (1, 2):
        raise InputError(
            f"{path} has the shape {shape}; save an array of shape (n_samples, n_features)"
        )
    if 0 in shape:
        raise InputError(f"{path} has the shape {shape}: no rows or no columns to work on")
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        raise InputError(
            f"{path} is damaged: it ends before its array of shape {shape} does; save it again"
        ) from error
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with path.open("rb") as file:
            reader = readers[np.lib.format.read_magic(file)]
            shape, _, dtype = reader(file)
    except (ValueError, KeyError, EOFError, TypeError, SyntaxError) as error:
        raise InputError(f"{path} is damaged or no .npy file; save it again with numpy.save") from (
            error
        )
    return shape, dtype
