"""Processes, threads and signals around a fit. Each program runs in a process of its own."""

import os
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from centroids import BisectingKMeans, KMeans, MiniBatchKMeans

X = np.random.default_rng(0).normal(size=(30000, 8))

PRELUDE = textwrap.dedent(
    """
    import multiprocessing, os, signal, sys, threading, time, warnings
    import numpy as np
    from centroids import BisectingKMeans, KMeans, MiniBatchKMeans

    X = np.random.default_rng(0).normal(size=(30000, 8))

    def fit(n_jobs=2, **parameters):
        return KMeans(12, random_state=0, max_iter=20, n_jobs=n_jobs, **parameters).fit(X)

    def n_threads():
        return len(os.listdir("/proc/self/task"))

    def assert_usable(model, X):
        assert (model.predict(X) == model.labels_).all()
        assert model.inertia_ == -model.score(X)
        assert (model.counts_ > 0).all() and model.counts_.sum() == len(X)
    """
)


def run(program, timeout=240, **environment):
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            PRELUDE + textwrap.dedent(program),
        ],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# ---------------------------------------------------------------- processes


def test_a_forked_child_fits_after_a_fit_in_the_parent():
    run(
        """
        expected = fit().inertia_
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                os._exit(0 if fit().inertia_ == expected else 1)
            assert os.waitpid(child, 0)[1] == 0
        assert fit().inertia_ == expected
        """
    )


def test_a_fork_while_other_threads_fit_is_no_trap():
    run(
        """
        expected = fit().inertia_
        stop = threading.Event()
        def work():
            while not stop.is_set():
                fit(n_jobs=4)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                os._exit(0 if fit().inertia_ == expected else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        """
    )


def test_a_fork_pool_fits_after_a_fit_in_the_parent():
    run(
        """
        def inertia(_):
            return fit().inertia_
        expected = fit().inertia_
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert pool.map(inertia, range(6)) == [expected] * 6
        """
    )


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_workers_give_the_same_bits(backend):
    def inertia(seed):
        return KMeans(6, random_state=seed, max_iter=10, n_jobs=2).fit(X).inertia_

    parallel = joblib.Parallel(n_jobs=3, backend=backend)
    got = parallel(joblib.delayed(inertia)(seed) for seed in range(6))
    assert got == [inertia(seed) for seed in range(6)]
    if backend == "loky":
        joblib.externals.loky.get_reusable_executor().shutdown()


# ---------------------------------------------------------------- threads


def test_eight_python_threads_at_once_give_the_same_bits():
    def fit(i):
        model = KMeans(3 + i % 4, random_state=i, max_iter=15, n_jobs=1 + i % 3).fit(X)
        return model.labels_, model.predict(X), model.inertia_

    alone = [fit(i) for i in range(8)]
    with ThreadPoolExecutor(8) as executor:
        for _ in range(3):
            for expected, got in zip(alone, executor.map(fit, range(8)), strict=True):
                assert_array_equal(got[0], expected[0])
                assert_array_equal(got[1], expected[0])
                assert got[2] == expected[2]


@pytest.mark.parametrize("estimator", [BisectingKMeans, MiniBatchKMeans])
def test_the_other_estimators_fit_in_eight_threads_at_once(estimator):
    def fit(i):
        return estimator(4, random_state=i, n_jobs=1 + i % 3).fit(X[:8000]).cluster_centers_

    alone = [fit(i) for i in range(8)]
    with ThreadPoolExecutor(8) as executor:
        for expected, got in zip(alone, executor.map(fit, range(8)), strict=True):
            assert_array_equal(got, expected)


def test_one_model_is_used_from_many_threads():
    model = KMeans(5, random_state=0, n_jobs=2).fit(X)
    with ThreadPoolExecutor(8) as executor:
        for labels in executor.map(lambda _: model.predict(X), range(40)):
            assert_array_equal(labels, model.labels_)


def test_other_python_threads_run_on_during_a_fit():
    run(
        """
        ticks = 0
        done = threading.Event()
        def count():
            global ticks
            while not done.is_set():
                ticks += 1
                time.sleep(0.001)
        counter = threading.Thread(target=count)
        counter.start()
        start = time.monotonic()
        while time.monotonic() - start < 1:
            KMeans(60, random_state=0, max_iter=30, n_jobs=1).fit(X)
        done.set()
        counter.join()
        assert ticks > 50, ticks
        """
    )


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a global lock"
)
def test_a_free_threaded_python_keeps_its_lock_off():
    run(
        """
        fit()
        assert not sys._is_gil_enabled()
        """
    )


def test_n_jobs_binds():
    out = run(
        """
        before = n_threads()
        fit(n_jobs=1)
        counts = [n_threads() - before]
        for n_jobs in (2, 3, 5):
            model = fit(n_jobs=n_jobs)
            model.predict(X), model.transform(X), model.nearest(X), model.score(X)
            counts.append(n_threads() - before)
        print(*counts)
        """
    )
    assert out.split() == ["0", "1", "2", "4"]


def test_omp_num_threads_binds_when_n_jobs_is_not_given():
    program = """
        before = n_threads()
        fit(n_jobs=None)
        print(n_threads() - before)
    """
    assert run(program, OMP_NUM_THREADS="1").strip() == "0"
    assert run(program, OMP_NUM_THREADS="4").strip() == "3"


def test_affinity_binds():
    out = run(
        """
        os.environ.pop("OMP_NUM_THREADS", None)
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        before = n_threads()
        fit(n_jobs=None)
        fit(n_jobs=-1)
        print(n_threads() - before)
        """
    )
    assert out.strip() == "0"


@pytest.mark.parametrize(("quota", "n_threads"), [("100000", 1), ("250000", 3), ("max", None)])
def test_a_cgroup_quota_binds(quota, n_threads):
    out = run(
        f"""
        os.environ.pop("OMP_NUM_THREADS", None)
        import builtins, io
        real_open, real_exists = open, os.path.exists
        path = "/sys/fs/cgroup/cpu.max"
        builtins.open = lambda file, *a, **k: (
            io.StringIO("{quota} 100000") if file == path else real_open(file, *a, **k))
        os.path.exists = lambda file: file == path or real_exists(file)
        from centroids.rows import threads
        assert threads.n_threads(None, 1e12) == threads.n_threads(-1, 1e12)
        print(threads.n_threads(None, 1e12), len(os.sched_getaffinity(0)))
        """
    )
    got, usable = map(int, out.split())
    assert got == min(n_threads or usable, usable)


def test_other_estimators_bind_their_threads_too_and_say_nothing():
    out = run(
        """
        from centroids import BisectingKMeans, MiniBatchKMeans
        before = n_threads()
        for n_jobs in (1, 2, 4):
            for cls in (BisectingKMeans, MiniBatchKMeans):
                model = cls(12, random_state=0, n_jobs=n_jobs)
                if cls is MiniBatchKMeans:
                    model.set_params(batch_size=20000)
                model.fit(X).transform(X), model.predict(X), model.score(X)
            assert n_threads() - before <= n_jobs - 1, n_jobs
        """
    )
    assert out == ""


def test_small_inputs_wake_no_thread():
    out = run(
        """
        before = n_threads()
        for n_jobs in (None, -1, 8):
            model = KMeans(3, random_state=0, n_jobs=n_jobs).fit(X[:500])
            model.predict(X[:500]), model.transform(X[:500])
        print(n_threads() - before)
        """
    )
    assert out.strip() == "0"


# ---------------------------------------------------------------- signals

INTERRUPTED = """
    ready = threading.Event()

    def say_ready(state=None):
        if not ready.is_set():
            ready.set()
            print("ready", flush=True)

    {setting}
    try:
        model.fit(rows)
    except KeyboardInterrupt:
        if hasattr(model, "cluster_centers_"):
            assert_usable(model, rows)
        print("interrupted")
    else:
        print("finished")
"""

LONG_LOOP = """
    rows = np.random.default_rng(0).random((150_000, 8))
    model = KMeans(200, init="random", n_init=1, tol=0, max_iter=10**6, n_jobs=2,
                   callback=say_ready)
"""
IN_CALLBACK = """
    def callback(state):
        say_ready()
        time.sleep(0.01)
    rows = X
    model = KMeans(40, tol=0, max_iter=10**6, n_init=100, callback=callback)
"""
SEEDING = """
    rows = X
    model = KMeans(9000, n_jobs=2)
    say_ready()
"""
TINY_RUNS = """
    rows = X[:40]
    model = KMeans(2, init="random", n_init=10**9)
    say_ready()
"""
FIRST_ROWS = """
    rows = np.random.default_rng(0).random((150_000, 8))
    model = MiniBatchKMeans(2000, init_size=150_000, n_jobs=2)
    say_ready()
"""
BATCHES = """
    rows = X
    model = MiniBatchKMeans(40, max_no_improvement=None, max_iter=10**6)
    say_ready()
"""
SPLITS = """
    rows = X
    model = BisectingKMeans(25_000, n_jobs=2)
    say_ready()
"""


@pytest.mark.parametrize(
    "setting",
    [LONG_LOOP, IN_CALLBACK, SEEDING, TINY_RUNS, FIRST_ROWS, BATCHES, SPLITS],
    ids=[
        "in the loop",
        "in the callback",
        "in the seeding",
        "between runs",
        "in the first rows of batches",
        "between batches",
        "in a split",
    ],
)
def test_ctrl_c_ends_a_fit_with_a_usable_model_or_none(setting):
    program = PRELUDE + textwrap.dedent(INTERRUPTED.format(setting=setting))
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (out, err) == ("interrupted\n", "")


def test_an_exception_raised_by_a_signal_handler_passes_through():
    run(
        """
        def handler(signum, frame):
            raise TimeoutError("alarm")
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        model = KMeans(200, random_state=0, tol=0, max_iter=10**6, init="random", n_init=10**6)
        try:
            model.fit(X)
        except TimeoutError:
            assert_usable(model, X)
        else:
            raise AssertionError("finished")
        """
    )


def test_a_fit_outside_the_main_thread_leaves_signals_to_the_main_thread():
    run(
        """
        result = []
        worker = threading.Thread(target=lambda: result.append(
            KMeans(150, random_state=0, tol=0, max_iter=60, n_jobs=2).fit(X)))
        worker.start()
        time.sleep(0.1)
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while worker.is_alive():
                time.sleep(0.01)
            raise AssertionError("no interrupt")
        except KeyboardInterrupt:
            pass
        worker.join()
        assert_usable(result[0], X)
        """
    )
