"""More entries than 31 bits count, without the memory for them."""

import ctypes
import mmap
import os
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from centroids import _core

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="maps the same pages many times")

MAP_FIXED, MAP_NORESERVE, MAP_FAILED = 0x10, 0x4000, ctypes.c_void_p(-1).value


def end_to_end(pieces, which):
    """One array of ``pieces[w] for w in which`` that takes the memory of ``pieces`` alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]

    def map_pages(address, size, flags, file, offset):
        got = libc.mmap(address, size, mmap.PROT_READ, flags, file, offset)
        if got == MAP_FAILED:
            pytest.skip(f"cannot map memory: {os.strerror(ctypes.get_errno())}")
        return got

    size = pieces.shape[1] * pieces.itemsize
    file = os.memfd_create("pieces")
    os.write(file, pieces.tobytes())
    reserved = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    start = map_pages(None, size * len(which), reserved, -1, 0)
    for place, w in enumerate(which):
        map_pages(start + place * size, size, mmap.MAP_SHARED | MAP_FIXED, file, int(w) * size)
    os.close(file)
    number = np.ctypeslib.as_ctypes_type(pieces.dtype)
    array = (number * (pieces.shape[1] * len(which))).from_address(start)
    return np.ctypeslib.as_array(array)


def test_more_than_2_to_the_31_sparse_entries_are_counted_in_64_bits():
    n_features = 2**18
    n_samples = 2**31 // n_features + 3
    kinds = np.array([1.0, 2.0, 5.0])
    kind = np.arange(n_samples) % 2
    kind[-1] = 2  # the only row of its kind starts beyond entry 2**31
    pieces = np.repeat(kinds[:, None], n_features, axis=1).astype(np.float32)
    values = end_to_end(pieces, kind)
    columns = end_to_end(np.arange(n_features, dtype=np.int32)[None], np.zeros(n_samples, int))
    starts = np.arange(n_samples + 1, dtype=np.int64) * n_features
    assert starts[-2] > 2**31
    rows = _core.SparseRows(values, columns, starts, n_features)

    centers = pieces.astype(np.float64)
    labels = _core.assign(rows, centers, 2)
    assert_array_equal(labels, kind)
    # All but the last row against the first center: its own distance comes from beyond 2**31.
    beyond = _core.inertia(rows, centers[[0, 1, 0]], labels, None, 2)
    assert beyond == n_features * (5.0 - 1.0) ** 2
    sums, weights, counts = _core.cluster_sums(rows, None, labels, 3)
    assert_array_equal(counts, np.bincount(kind))
    assert_array_equal(sums[:, [0, -1]], np.repeat((kinds * weights)[:, None], 2, axis=1))
