"""How many threads a call may use."""

import joblib
import pytest

from centroids.rows.threads import n_threads

LARGE = 1e12


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 6)


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(1, 1), (3, 3), (50, 50), (None, 6), (-1, 6), (-2, 5), (-6, 1), (-99, 1)],
)
def test_n_jobs_counts_as_in_joblib(n_jobs, expected):
    assert n_threads(n_jobs, LARGE) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("2", 2), (" 3 ", 3), ("4,2", 4), ("", 6), ("0", 6), ("-1", 6), ("many", 6), ("²", 6)],
)
def test_omp_num_threads_is_honoured_when_n_jobs_is_not_given(monkeypatch, limit, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert n_threads(None, LARGE) == expected
    assert n_threads(-1, LARGE) == 6
    assert n_threads(2, LARGE) == 2


def test_small_work_asks_for_one_thread_without_counting_cpus(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1 / 0)
    assert n_threads(None, 1000) == 1
    assert n_threads(-1, 1000) == 1


@pytest.mark.parametrize("limit", [10**9, 10**30])
def test_absurd_numbers_stay_in_the_range_of_the_core(monkeypatch, limit):
    assert n_threads(limit, LARGE) <= 2**16
    monkeypatch.setenv("OMP_NUM_THREADS", str(limit))
    assert n_threads(None, LARGE) <= 2**16
