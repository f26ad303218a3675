"""Rows in blocks: gathered, picked and converted without a second copy of them all in memory.

What a `Spool` gathers stays in memory while it is small. Where it takes more than a quarter of what
is free, it goes to a temporary file that is mapped into memory. The values are the same either way.
The file has no name where the system allows it (Linux), so nothing can be left of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from centroids.rows.errors import InputError

__all__ = [
    "BLOCK_ROWS",
    "LIMIT_VARIABLE",
    "Spool",
    "blocks_of",
    "count_missing",
    "map_rows",
    "most_in_memory",
    "take_rows",
]

BLOCK_ROWS = 65_536
LIMIT_VARIABLE = "CENTROIDS_ROWS_IN_MEMORY"
SHARE_OF_FREE = 4
CGROUP = Path("/sys/fs/cgroup")


def most_in_memory() -> float:
    """Return the bytes from which rows are kept in a temporary file.

    A quarter of the free memory, or what the environment variable CENTROIDS_ROWS_IN_MEMORY says.
    """
    given = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not given:
        return free_memory() / SHARE_OF_FREE
    if not given.isdecimal():
        raise InputError(f"{LIMIT_VARIABLE}={given!r}: give a number of bytes, such as 4000000000")
    return int(given)


def free_memory() -> float:
    """Return the bytes that this process may still take; infinite where nobody tells."""
    return min(_free_in_system(), _free_in_group())


def _free_in_system() -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024.0 * int(s.split()[1]) for s in lines if s.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _free_in_group() -> float:
    """Return what the limit of a container leaves; pages of files can be had back."""
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        lines = (CGROUP / "memory.stat").read_text().splitlines()
        pages = sum(int(s.split()[1]) for s in lines if s.startswith("inactive_file "))
    except (OSError, ValueError):  # there is none, or it says "max"
        return float("inf")
    return float(max(0, limit - used + pages))


class Spool:
    """Gathers blocks of rows, in memory or on disk.

    Parameters
    ----------
    n_features : int
    dtype : dtype
    """

    def __init__(self, n_features: int, dtype: Any) -> None:
        self._n_features, self._dtype = n_features, np.dtype(dtype)
        self._blocks: list[NDArray[Any]] = []
        self._n_rows = 0
        self._most = most_in_memory()
        self._file: IO[bytes] | None = None

    def append(self, block: NDArray[Any]) -> None:
        """Add rows below those that are there; the block must not be changed afterwards."""
        block = np.ascontiguousarray(block, dtype=self._dtype)
        self._n_rows += len(block)
        self._blocks.append(block)
        if self._file is None and self._n_bytes > self._most:
            # Not closed before the rows are mapped; without a name it is gone with the last user.
            self._file = tempfile.TemporaryFile(prefix="centroids-")  # noqa: SIM115
        if self._file is not None:
            self._write(self._file)

    @property
    def _n_bytes(self) -> int:
        return self._n_rows * self._n_features * int(self._dtype.itemsize)

    def _write(self, file: IO[bytes]) -> None:
        try:
            for block in self._blocks:
                file.write(block.data)
            file.flush()
        except OSError as error:
            with suppress(OSError):  # what it still holds finds no room either
                file.close()
            raise OSError(
                f"no room for rows that do not fit into memory ({self._n_bytes / 1e9:.1f} GB so "
                f"far) in {tempfile.gettempdir()} ({error.strerror}); set TMPDIR to a folder with "
                "more room"
            ) from error
        self._blocks.clear()

    def finish(self) -> NDArray[Any]:
        """Return all rows, C-contiguous; a read-only memory map if they went to disk."""
        shape = (self._n_rows, self._n_features)
        if self._file is not None:
            with self._file as file:
                return np.memmap(file, dtype=self._dtype, mode="r", shape=shape)
        if len(self._blocks) == 1:
            return self._blocks.pop()
        rows = np.empty(shape, dtype=self._dtype)
        at = 0
        self._blocks.reverse()
        while self._blocks:  # each block is let go of once it is copied
            block = self._blocks.pop()
            rows[at : at + len(block)] = block
            at += len(block)
        return rows


def blocks_of(X: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Go through rows block by block."""
    for start in range(0, len(X), BLOCK_ROWS):
        yield X[start : start + BLOCK_ROWS]


def take_rows(X: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Pick rows by number or by a mask, in this order; the file system helps where they are many.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        In memory or mapped.
    rows : ndarray of int or bool
        Which rows.

    Returns
    -------
    ndarray of shape (n_taken, n_features)
        A copy; a read-only memory map of a temporary file if it takes more than a quarter of the
        free memory.
    """
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    spool = Spool(X.shape[1], X.dtype)
    for start in range(0, max(1, len(rows)), BLOCK_ROWS):
        spool.append(X[rows[start : start + BLOCK_ROWS]])
    return spool.finish()


def map_rows(X: NDArray[Any], function: Callable[[NDArray[Any]], Any]) -> NDArray[Any]:
    """Convert rows block by block, by a function that looks at each row alone."""
    spool: Spool | None = None
    for block in blocks_of(X):
        converted = np.asarray(function(block))
        if spool is None:
            spool = Spool(converted.shape[1], converted.dtype)
        spool.append(converted)
    return np.ascontiguousarray(function(X)) if spool is None else spool.finish()


def count_missing(X: NDArray[Any]) -> NDArray[np.int64]:
    """Count the values that each column lacks."""
    n_missing = np.zeros(X.shape[1], dtype=np.int64)
    for block in blocks_of(X):
        n_missing += np.isnan(block).sum(axis=0)
    return n_missing
