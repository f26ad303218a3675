"""How many threads a call may use."""

import joblib
import pytest

from centroids.rows.threads import n_threads, quota_of_groups

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


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("inner", "outer", "n_cpus"),
    [
        ("250000 100000", "max 100000", 3),
        ("max 100000", "150000 100000", 2),
        ("50000 100000", "", 1),
    ],
)
def test_the_least_quota_of_nested_groups_binds(inner, outer, n_cpus, tmp_path):
    write(tmp_path / "jobs/a/cpu.max", inner + "\n")
    write(tmp_path / "jobs/cpu.max", outer + "\n")
    assert quota_of_groups("0::/jobs/a\n", tmp_path) == n_cpus


def test_quotas_of_version_1_bind_those_of_other_controllers_do_not(tmp_path):
    for name, quota in ("cpu", "150000"), ("memory", "50000"):
        write(tmp_path / name / "jobs/cpu.cfs_quota_us", quota + "\n")
        write(tmp_path / name / "jobs/cpu.cfs_period_us", "100000\n")
    membership = "5:memory:/jobs\n4:cpu,cpuacct:/jobs\n1:name=systemd:/jobs\n"
    assert quota_of_groups(membership, tmp_path) == 2
    write(tmp_path / "cpu/jobs/cpu.cfs_quota_us", "-1\n")  # none
    assert quota_of_groups(membership, tmp_path) > 1000


def test_groups_that_cannot_be_seen_bind_nothing(tmp_path):
    assert quota_of_groups("0::/../elsewhere\n", tmp_path) > 1000
