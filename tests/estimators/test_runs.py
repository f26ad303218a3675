"""Runs of one fit: restarts, progress, interruption, exceptions."""

import logging
import re
import time
import traceback
import warnings

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal

from centroids import BisectingKMeans, FitState, KMeans, MiniBatchKMeans

X = np.random.default_rng(0).random((2000, 4))


def assert_usable(model, X):
    """Whatever ended the fit: the model is whole."""
    assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == -model.score(X)
    assert (model.counts_ > 0).all()
    assert model.counts_.sum() == len(X)
    assert len(model.history_["inertia"]) == model.n_iter_ >= 1


# ---------------------------------------------------------------- restarts


def test_the_run_with_the_lowest_inertia_is_kept():
    states = []
    best = KMeans(20, init="random", n_init=6, random_state=0, callback=states.append).fit(X)
    assert {state.run for state in states} == set(range(1, 7))
    last = {state.run: state for state in states}
    winner = min(last.values(), key=lambda state: state.inertia)
    assert best.n_iter_ == winner.iteration
    assert best.inertia_ <= min(state.inertia for state in last.values())
    alone = KMeans(20, init="random", n_init=1, random_state=0).fit(X)
    assert best.inertia_ < alone.inertia_


@pytest.mark.parametrize(
    ("init", "n_runs"),
    [
        ("k-means++", 1),
        ("k-means||", 1),
        ("random", 10),
        (X[:5], 1),
        (lambda X, k, random_state: X[:k], 10),
    ],
    ids=["k-means++", "k-means||", "random", "array", "callable"],
)
def test_n_init_auto_counts_its_runs(init, n_runs):
    states = []
    KMeans(5, init=init, random_state=0, max_iter=2, callback=states.append).fit(X)
    assert {state.run for state in states} == set(range(1, n_runs + 1))


def test_given_centers_run_once_whatever_n_init_says():
    states = []
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        KMeans(5, init=X[:5], n_init=3, callback=states.append).fit(X)
    assert {state.run for state in states} == {1}


def test_a_callable_is_given_the_rows_the_number_and_the_random_state():
    seen = []

    def init(rows, n_clusters, random_state):
        seen.append(rows)
        return rows[random_state.permutation(len(rows))[:n_clusters]]

    first = KMeans(5, init=init, n_init=3, random_state=1).fit(X)
    assert all(rows is X for rows in seen)
    assert KMeans(5, init=init, n_init=3, random_state=1).fit(X).inertia_ == first.inertia_


def test_more_runs_only_add_to_the_runs_there_are():
    inertias = [
        KMeans(20, init="random", n_init=n, random_state=4).fit(X).inertia_ for n in (1, 3, 9)
    ]
    assert inertias == sorted(inertias, reverse=True)


# ---------------------------------------------------------------- progress


def test_the_callback_sees_the_centers_that_rows_were_compared_with():
    states = []
    init = X[:10]
    model = KMeans(10, init=init, n_init=1, tol=0, callback=states.append).fit(X)
    np.testing.assert_array_equal(states[0].centers, init)
    np.testing.assert_array_equal(states[-1].centers, model.cluster_centers_)
    for number, state in enumerate(states[1:], start=1):
        # One iteration from there leads to the next: the trajectory is that of the fit.
        step = KMeans(10, init=states[number - 1].centers, n_init=1, max_iter=1).fit(X)
        assert_allclose(step.cluster_centers_, state.centers, rtol=1e-12)


def test_the_callback_sees_every_iteration():
    states = []
    model = KMeans(10, random_state=0, callback=states.append).fit(X)
    assert all(isinstance(state, FitState) for state in states)
    assert [state.iteration for state in states] == list(range(1, model.n_iter_ + 1))
    assert [state.inertia for state in states] == model.history_["inertia"]
    assert [state.center_shift for state in states] == model.history_["center_shift"]
    assert_allclose(
        [state.share_moved for state in states], np.array(model.history_["n_changed"]) / len(X)
    )
    assert states[0].share_moved == 1
    inertias = np.array(model.history_["inertia"])
    assert (np.diff(inertias) <= 1e-12 * inertias[:-1]).all()


def test_the_first_inertia_of_the_history_is_that_of_the_first_centers():
    model = KMeans(10, init=X[:10], max_iter=3).fit(X)
    squared = ((X[:, np.newaxis] - X[np.newaxis, :10]) ** 2).sum(axis=2).min(axis=1)
    assert_allclose(model.history_["inertia"][0], squared.sum(), rtol=1e-12)


@pytest.mark.parametrize("tol", [0, 1e-2], ids=["strict", "tolerance"])
def test_verbose_prints_the_lines_of_scikit_learn(capsys, tol):
    parameters = {"n_clusters": 3, "init": X[:3], "n_init": 1, "tol": tol, "verbose": 1}
    KMeans(**parameters).fit(X)
    ours = capsys.readouterr().out.splitlines()
    sklearn.cluster.KMeans(**parameters).fit(X)
    theirs = capsys.readouterr().out.splitlines()

    assert without_numbers(ours) == without_numbers(theirs)


def without_numbers(lines):
    return [re.sub(r"\s*-?\d+\.\d*(e[-+]?\d+)?\s*", "#", line) for line in lines]


def test_mini_batches_print_the_lines_of_scikit_learn(capsys):
    X = np.random.default_rng(0).normal(size=(600, 2))
    X[0] = 1e3  # a cluster of its own, which both give another place
    parameters = {"n_clusters": 8, "init": "random", "n_init": 2, "batch_size": 50}
    parameters |= {"reassignment_ratio": 0.5, "max_iter": 30, "verbose": 1, "random_state": 0}

    def kinds():
        lines = without_numbers(capsys.readouterr().out.splitlines())
        return {re.sub(r"(?<=step )\d+/\d+|\d+(?= cl)", "#", line) for line in lines}

    MiniBatchKMeans(**parameters).fit(X)
    ours = kinds()
    sklearn.cluster.MiniBatchKMeans(**parameters).fit(X)
    assert ours == kinds()


def test_splits_print_the_lines_of_scikit_learn(capsys):
    X = np.random.default_rng(0).normal(size=(300, 2))
    X[:100] += 9

    def init(X, n_clusters, random_state):
        return X[[0, -1]]

    for estimator in (BisectingKMeans, sklearn.cluster.BisectingKMeans):
        estimator(3, init=init, tol=0, verbose=1).fit(X)
    lines = without_numbers(capsys.readouterr().out.splitlines())
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert sum("bisection" in line for line in lines) == 4


def test_nothing_is_printed_otherwise(capsys):
    KMeans(3, random_state=0, n_init=3).fit(X).predict(X)
    assert capsys.readouterr() == ("", "")


def test_python_logging_hears_of_runs_and_iterations(caplog):
    with caplog.at_level(logging.DEBUG, logger="centroids"):
        model = KMeans(5, random_state=0, n_init=2).fit(X)
    messages = [record.getMessage() for record in caplog.records]
    assert sum("iteration " in message for message in messages) >= model.n_iter_
    assert [m.split(":")[0] for m in messages if "after" in m] == ["run 1", "run 2"]


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("algorithm", ["auto", "brute_force", "hamerly"])
def test_an_exception_in_the_callback_ends_the_fit_and_leaves_a_usable_model(algorithm):
    def callback(state):
        if state.iteration == 3:
            raise LookupError("enough")

    model = KMeans(30, random_state=0, callback=callback, algorithm=algorithm)
    with pytest.raises(LookupError, match="enough") as caught:
        model.fit(X)
    assert model.n_iter_ == 3
    assert_usable(model, X)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "callback"
    assert "fit" in frames


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_ordinary_exception_passes_too(exception):
    def callback(state):
        raise exception

    model = KMeans(30, random_state=0, callback=callback)
    with pytest.raises(exception):
        model.fit(X)
    assert_usable(model, X)


def test_an_exception_in_a_later_run_keeps_the_best_run_so_far():
    finished = {}

    def callback(state):
        if state.run == 3 and state.iteration == 2:
            raise LookupError
        finished[state.run] = state

    model = KMeans(20, init="random", n_init=9, random_state=0, callback=callback)
    with pytest.raises(LookupError):
        model.fit(X)
    assert set(finished) == {1, 2, 3}
    assert model.inertia_ <= min(finished[1].inertia, finished[2].inertia)
    assert_usable(model, X)


def test_an_exception_in_a_callable_init_leaves_no_model():
    model = KMeans(3, init=lambda X, k, random_state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.fit(X)
    assert not hasattr(model, "cluster_centers_")


def test_too_short_a_time_still_gives_a_usable_model():
    model = KMeans(50, random_state=0, max_time=1e-9, n_init=5).fit(X)
    assert model.n_iter_ == 1
    assert model.has_timed_out_
    assert_usable(model, X)


def test_a_choice_of_k_that_was_cut_short_says_so():
    assert KMeans("auto", random_state=0, max_time=1e-9).fit(X).has_timed_out_
    assert not KMeans("auto", random_state=0).fit(X[:200]).has_timed_out_


def test_a_later_start_that_is_cut_short_counts_although_an_earlier_one_is_the_best():
    class Starts:
        """The first start is the optimum; the second comes when time is over."""

        def __init__(self):
            self.n_calls = 0

        def __call__(self, X, n_clusters, random_state):
            self.n_calls += 1
            if self.n_calls > 1:
                time.sleep(0.3)
            return np.array([[0.0], [10.0]]) if self.n_calls == 1 else np.array([[0.0], [1.0]])

    rows = np.array([[0.0], [0.0], [10.0], [10.0], [10.0]])
    starts = Starts()
    model = KMeans(2, init=starts, n_init=9, max_iter=1, search=None, max_time=0.3).fit(rows)
    assert starts.n_calls == 2
    assert model.inertia_ == 0
    assert model.has_timed_out_


def test_max_time_ends_a_long_fit():
    states = []

    def slow(state):
        states.append(state)
        time.sleep(0.05)

    model = KMeans(50, random_state=0, tol=0, max_time=0.2, n_init=100, callback=slow).fit(X)
    assert len(states) <= 6
    assert_usable(model, X)


def test_max_time_counts_from_the_call_of_fit():
    class Slow:
        def __array__(self, dtype=None, copy=None):
            time.sleep(0.1)
            return np.asarray(X, dtype)

    assert KMeans(50, random_state=0, max_time=0.1).fit(Slow()).n_iter_ == 1


def test_seeding_that_is_cut_short_gives_centers_near_the_rows():
    """About as good as rows drawn at random; the one seed and the farthest rows are far worse."""
    rows = np.random.default_rng(0).normal(size=(20_000, 8))
    short = KMeans(1000, random_state=0, max_time=1e-9).fit(rows)
    drawn = KMeans(1000, init="random", random_state=0, n_init=1, max_iter=1, search=None)
    assert short.n_iter_ == 1
    assert short.inertia_ < 1.1 * drawn.fit(rows).inertia_


def test_a_fit_within_max_time_is_what_it_is_without():
    free, timed = KMeans(5, random_state=0).fit(X), KMeans(5, random_state=0, max_time=600).fit(X)
    assert free.inertia_ == timed.inertia_
    assert not free.has_timed_out_
    assert not timed.has_timed_out_
    assert_array_equal(free.labels_, timed.labels_)


def test_a_model_cut_short_raises_no_warning_of_its_own():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KMeans(50, random_state=0, max_iter=1).fit(X)


def test_restarts_hold_the_inertia_of_each_run(capsys):
    X = np.random.default_rng(0).normal(size=(300, 2))
    model = KMeans(8, n_init=5, search=None, random_state=0, verbose=1).fit(X)
    alone = [
        KMeans(8, init="k-means++", search=None, random_state=s).fit(X).inertia_ for s in range(1)
    ]
    assert len(model.restarts_) == 5
    assert model.restarts_[0] == alone[0]
    assert model.restarts_.min() == model.inertia_
    n_best = np.sum(model.restarts_ <= model.inertia_ * (1 + 1e-4))
    assert f"best found in {n_best} of 5 starts" in capsys.readouterr().out
