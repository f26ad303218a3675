"""What is let in, unchanged or converted, and what is not."""

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal

from centroids import KMeans, count_distinct_rows
from centroids.rows.arrays import check_finite, check_rows, check_sample_weight

ROWS = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_in_the_form_of_the_core_are_handed_on_themselves(dtype, tmp_path):
    X = ROWS.astype(dtype)
    assert check_rows(KMeans(), X, reset=True) is X
    X.flags.writeable = False
    assert check_rows(KMeans(), X, reset=True) is X
    ROWS.astype(dtype).tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", dtype=dtype, mode="r", shape=(4, 3))
    assert check_rows(KMeans(), mapped, reset=True) is mapped


@pytest.mark.parametrize(
    "X",
    [
        np.asfortranarray(ROWS),
        ROWS[::-1],
        np.hstack([ROWS, ROWS])[:, :3],
        ROWS.astype(np.int16),
        ROWS.astype(">f4"),
        ROWS.tolist(),
        np.frombuffer(b"\0" + ROWS.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(4, 3),
    ],
    ids=["fortran", "reversed", "sliced", "int16", "big-endian", "list", "misaligned"],
)
def test_other_forms_are_brought_into_it(X):
    rows = check_rows(KMeans(), X, reset=True)
    assert_array_equal(rows, np.asarray(X))
    assert rows.flags.c_contiguous
    assert rows.flags.aligned
    assert rows.dtype == np.float64
    assert rows.dtype.isnative


def test_the_number_of_columns_is_learned_and_held_to():
    estimator = KMeans()
    check_rows(estimator, ROWS, reset=True)
    assert estimator.n_features_in_ == 3
    check_rows(estimator, ROWS[:1], reset=False)
    with pytest.raises(ValueError, match="expecting 3 features"):
        check_rows(estimator, ROWS[:, :2].copy(), reset=False)


@pytest.mark.parametrize("n_samples", [4, 4000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_what_is_not_finite_is_refused(n_samples, dtype):
    X = np.zeros((n_samples, 3), dtype=dtype)
    check_finite(KMeans(), X, 1)
    X[:] = np.finfo(dtype).max  # sums overflow, values do not
    check_finite(KMeans(), X, 1)
    X[1] *= -1
    check_finite(KMeans(), X, 1)
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"row 3, column 1"):
        check_finite(KMeans(), X, 1)


def test_the_first_bad_value_in_row_order_is_named():
    X = np.zeros((3000, 5))
    X[2000, 0] = X[1000, 4] = X[1000, 3] = np.nan
    with pytest.raises(ValueError, match=r"NaN, first at row 1000, column 3"):
        check_finite(KMeans(), X, 2)


def test_no_weights_and_unit_weights_are_none():
    assert check_sample_weight(None, 4) is None
    assert check_sample_weight(1, 4) is None
    assert check_sample_weight([1, 1, 1, 1], 4) is None


def test_weights_become_float64():
    for given in ([0, 1, 2, 3], np.arange(4, dtype=np.int8), np.arange(8)[::2] / 2, (0, 1, 2, 3)):
        weights = check_sample_weight(given, 4)
        assert weights.dtype == np.float64
        assert weights.flags.c_contiguous
        assert_array_equal(weights, [0, 1, 2, 3])
    assert_array_equal(check_sample_weight(2.5, 3), [2.5, 2.5, 2.5])


def test_sparse_rows_are_let_in_as_csr():
    for kind in (scipy.sparse.csc_matrix, scipy.sparse.coo_array, scipy.sparse.csr_array):
        rows = check_rows(KMeans(), kind(ROWS), reset=True)
        assert rows.format == "csr"
        assert_array_equal(rows.toarray(), ROWS)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_different_rows_are_counted_up_to_a_limit(dtype, order):
    values = np.random.default_rng(0).integers(-2, 3, size=(9000, 2)).astype(dtype)
    X = np.asarray(values, order=order)
    if np.issubdtype(dtype, np.floating):
        X[::2][X[::2] == 0] = -0.0  # the same number
    assert count_distinct_rows(X, 1000) == 25
    assert count_distinct_rows(X, 7) == 7
    assert count_distinct_rows(X[:0], 7) == 0
