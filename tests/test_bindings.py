"""The compiled module keeps memory safe: whatever it is handed, it works or raises."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from centroids import _core

ODD_DTYPES = [
    np.float32,
    np.float64,
    np.int32,
    np.int64,
    bool,
    np.complex128,
    ">f8",
    np.float16,
    object,
]

# Bounded, and the same examples each time. "make sanitize" runs this file on a module that stops at
# every memory error.
fuzz = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def arrays(draw, n_dims=(0, 1, 2, 2, 2, 2, 3), dtypes=tuple(ODD_DTYPES)):
    """Arrays with odd shapes, strides, dtypes, alignment and values."""
    shape = [draw(st.integers(0, 6)) for _ in range(draw(st.sampled_from(n_dims)))]
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = rng.integers(-3, 9, [2 * s for s in shape]).astype(dtype)
    if values.size and dtype.kind == "f" and draw(st.integers(0, 4)) == 0:
        values.flat[0] = draw(st.sampled_from([np.nan, np.inf, -np.inf, np.finfo(dtype).max / 100]))
    form = draw(
        st.sampled_from(
            ["plain", "plain", "plain", "strided", "reversed", "fortran", "broadcast", "odd"]
        )
    )
    if form == "strided":
        return values[tuple(slice(None, None, 2) for _ in shape)]
    values = np.array(values[tuple(slice(0, s) for s in shape)])
    if form == "reversed" and shape:
        return values[::-1]
    if form == "fortran":
        return np.asfortranarray(values)
    if form == "broadcast" and shape:
        return np.broadcast_to(values[:1], shape) if shape[0] else values
    if form == "odd" and dtype.kind != "O" and values.size:
        raw = np.zeros(values.nbytes + 1, dtype=np.uint8)
        raw[1:] = np.frombuffer(values.tobytes(), dtype=np.uint8)
        return raw[1:].view(dtype).reshape(shape)
    values.flags.writeable = draw(st.booleans())
    return values


FLOATS = (np.float32, np.float64)
rows = arrays(n_dims=(2,), dtypes=FLOATS) | arrays()
centers = arrays(n_dims=(2,), dtypes=(np.float64,)) | arrays()
numbers = st.integers(-2, 9) | st.sampled_from([2**31, 2**63, -(2**63)])
values = arrays(n_dims=(1,), dtypes=(np.float64,))
# As they come, mostly refused; and made into what weights may be.
some_weights = (
    st.none()
    | values
    | values.map(lambda w: np.abs(np.nan_to_num(w, posinf=1e3, neginf=0)) + 1)
    | values.map(np.zeros_like)
)
few = st.integers(-2, 9)  # where a number is a size, and more would be memory
threads = st.sampled_from([1, 2, 0, -1, 2**31 - 1])


def attempt(function, *arguments):
    """Call it; whatever is wrong with the arguments must come back as one of these."""
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError, MemoryError):
        return None


@fuzz
@given(rows, centers, threads)
def test_functions_of_rows_and_centers_work_or_raise(X, C, n):
    labels = attempt(_core.assign, X, C, n)
    if labels is not None:
        assert labels.shape == X.shape[:1]
        assert ((labels >= 0) & (labels < len(C))).all()
        again = attempt(_core.nearest, X, C, n)
        assert_array_equal(again[0], labels)
        assert attempt(_core.distances, X, C, n).shape == (len(X), len(C))
    attempt(_core.first_bad, X, n)


@fuzz
@given(rows, centers, arrays(n_dims=(1,), dtypes=(np.int32,)), arrays(n_dims=(1,)) | st.none())
def test_inertia_checks_labels_and_weights(X, C, labels, weights):
    attempt(_core.inertia, X, C, labels, weights, 1)


vectors = arrays(n_dims=(1,), dtypes=(np.float64,)) | arrays(n_dims=(1,))
calls = st.lists(
    st.one_of(
        st.tuples(st.just("moments"), vectors, st.booleans()),
        st.tuples(st.just("extent"), vectors),
        st.tuples(st.just("begin_seeding")),
        st.tuples(st.just("add_candidates"), arrays(n_dims=(1,), dtypes=(np.int64,)), centers),
        st.tuples(st.just("draw"), numbers, few, st.floats()),
        st.tuples(st.just("in_shard"), numbers, st.floats()),
        st.tuples(st.just("candidate_weights"), vectors),
        st.tuples(st.just("begin_loop"), few, vectors | st.none()),
        st.tuples(st.just("assign"), centers, st.booleans()),
        st.tuples(
            st.just("add_to"),
            st.tuples(centers, centers, vectors, vectors, arrays(n_dims=(1,), dtypes=(np.int64,))),
        ),
        st.tuples(st.just("squares"), centers),
        st.tuples(st.just("farthest"), centers, few),
        st.tuples(st.just("renumber"), arrays(n_dims=(1,), dtypes=(np.int32,))),
        st.tuples(st.just("labels")),
    ),
    max_size=12,
)


@fuzz
@given(rows, vectors | st.none(), numbers, numbers, threads, calls)
def test_parts_do_what_they_are_asked_in_any_order_or_refuse(X, weights, first, n_all, n, asked):
    part = attempt(_core.Part, X, weights, first, n_all, n)
    if part is None:
        return
    for method, *arguments in asked:
        attempt(getattr(part, method), *arguments)


class PartsThatAnswer:
    """What should be all parts of the rows, and gives back what it likes."""

    n_rows, n_features, is_f32, is_weighted, interruption = 4, 2, False, False, None

    def __init__(self, answers):
        self.answers = answers

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.answers.get(name)


@fuzz
@given(
    st.fixed_dictionaries(
        {
            "row": vectors,
            "smallest_weight": st.floats(),
            "moments": st.just((np.full(1, 4.0), np.ones((1, 2)), np.ones((1, 2))))
            | st.tuples(vectors, centers, centers),
            "extent": st.tuples(st.floats(), st.floats(), few, few),
            "add_candidates": vectors,
            "draw": st.tuples(arrays(n_dims=(1,), dtypes=(np.int64,)), centers),
            "candidate_weights": vectors,
            "assign": st.tuples(
                few, st.tuples(centers, centers, vectors, vectors, arrays(dtypes=(np.int64,)))
            ),
            "squares": vectors,
            "farthest": st.lists(
                st.tuples(few, few, st.floats(), st.floats(), few, vectors), max_size=2
            ),
        }
    ),
    few,
    centers | st.none(),
)
def test_whatever_parts_answer_the_loop_ends_or_refuses(answers, k, init):
    problem = attempt(_core.PartsProblem, PartsThatAnswer(answers), 1)
    if problem is None:
        return
    attempt(problem.fit, k, init, "k-means||", 0, "auto", 5, 0.0, 0.01, None)
    if init is not None:
        attempt(problem.inertia, init)


@fuzz
@given(
    rows,
    some_weights,
    centers | st.none(),
    numbers,
    numbers,
    threads,
    st.sampled_from(["k-means++", "k-means||", "random", "", "other"]),
    st.sampled_from(["auto", "hamerly", "brute_force", "other"]),
)
def test_problems_are_seeded_and_fitted_or_refused(
    X, weights, init, k, seed, n, seeding, algorithm
):
    problem = attempt(_core.Problem, X, weights, n)
    if problem is None:
        return
    attempt(problem.seed, k, seeding, seed)
    run = attempt(problem.fit, k, init, seeding, seed, algorithm, 5, 0.0, None, None)
    if run is not None:
        assert run["labels"].shape == X.shape[:1]
        assert ((run["labels"] >= 0) & (run["labels"] < k)).all()
        assert run["centers"].shape == (k, X.shape[1])
        assert run["counts"].sum() == len(X)


@fuzz
@given(
    rows,
    arrays(n_dims=(1,), dtypes=(np.float64,)) | st.none(),
    centers,
    arrays(n_dims=(1,), dtypes=(np.float64,)) | st.none(),
    threads,
)
def test_partitions_are_measured_or_refused(X, weights, C, cluster_weights, n):
    placed = None if cluster_weights is None else [cluster_weights, cluster_weights]
    measures = attempt(_core.measure_partitions, X, weights, [C, C], placed, n)
    if measures is not None:
        of_clusters, pairs, profiles, squared, totals, n_pairs = measures
        assert of_clusters.shape[1] == 2 * len(C)
        assert len(squared) == 2 * len(C) ** 2
        assert len(totals) == len(n_pairs) == 2
        assert len(pairs) == len(profiles) == n_pairs.sum()
        assert ((pairs >= 0) & (pairs < len(C))).all()


@fuzz
@given(
    rows,
    some_weights,
    st.lists(arrays(n_dims=(1,), dtypes=(np.float64,)), max_size=6),
    numbers,
    numbers,
    threads,
)
def test_numbers_of_clusters_are_swept_or_refused(X, weights, draws, k_max, seed, n):
    problem = attempt(_core.Problem, X, weights, n)
    sweep = None if problem is None else attempt(_core.Sweep, problem, True, seed, 5, 0.0)
    del problem  # the sweep keeps it alive
    for target in () if sweep is None else (k_max, k_max + 1):
        swept = attempt(sweep.extend, target, draws, None)
        if swept is not None:
            for centers, of_clusters, inertia in swept[0]:
                assert centers.shape == (len(of_clusters), X.shape[1])
                assert len(centers) <= target
                assert inertia >= 0


@fuzz
@given(centers, arrays(n_dims=(1,), dtypes=(np.float64,)), arrays(n_dims=(1,), dtypes=(np.int64,)))
def test_clusters_are_ordered_or_refused(C, weights, counts):
    order = attempt(_core.by_weight, C, weights, counts)
    if order is not None:
        assert sorted(order.tolist()) == list(range(len(C)))
        assert (np.diff(weights[order]) <= 0).all()


@fuzz
@given(rows, arrays(n_dims=(1,), dtypes=(np.int32,)), arrays(n_dims=(1,)) | st.none(), few)
def test_sums_and_unit_rows_work_or_raise(X, labels, weights, k):
    sums = attempt(_core.cluster_sums, X, weights, labels, k)
    if sums is not None:
        assert sums[2].sum() == len(X)
    unit = attempt(_core.unit_rows, X, 1)
    assert unit is None or unit[0].shape == X.shape


@st.composite
def sparse_rows(draw):
    """Compressed rows, sound ones and such with anything wrong."""
    n_rows, n_cols = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    filled = rng.random((n_rows, n_cols)) < 0.5
    values = rng.integers(-3, 9, filled.sum()).astype(draw(st.sampled_from(FLOATS)))
    columns = np.nonzero(filled)[1].astype(np.int32)
    starts = np.concatenate([[0], filled.sum(axis=1).cumsum()]).astype(np.int64)
    wrong = draw(
        st.sampled_from(["nothing"] * 4 + ["columns", "starts", "length", "value", "type"])
    )
    odd = draw(st.sampled_from([-1, 0, 1, 7, 2**31 - 1, -(2**31)]))
    if wrong == "columns" and len(columns):
        columns[rng.integers(len(columns))] = odd
    elif wrong == "starts":
        starts[rng.integers(len(starts))] = draw(st.sampled_from([odd, 2**62, -(2**63)]))
    elif wrong == "length":
        values, columns = values[:-1], columns[1:]
    elif wrong == "value" and len(values):
        values[0] = draw(st.sampled_from([np.nan, np.inf, np.finfo(values.dtype).max / 100]))
    elif wrong == "type":
        columns = columns.astype(np.int64)
    if draw(st.integers(0, 9)) == 0:
        n_cols = draw(st.sampled_from([0, -1, 1000, -(2**63)]))
    return values, columns, starts, n_cols


@fuzz
@given(
    sparse_rows(),
    centers,
    arrays(n_dims=(1,), dtypes=(np.int32,)),
    arrays(n_dims=(1,), dtypes=(np.float64,)) | st.none(),
    threads,
)
def test_sparse_rows_work_or_raise(parts, C, labels, weights, n):
    X = attempt(_core.SparseRows, *parts)
    if X is None:
        return
    n_rows = len(parts[2]) - 1
    found = attempt(_core.assign, X, C, n)
    if found is not None:
        assert ((found >= 0) & (found < len(C))).all()
        assert_array_equal(attempt(_core.nearest, X, C, n)[0], found)
        assert attempt(_core.distances, X, C, n).shape == (n_rows, len(C))
        attempt(_core.inertia, X, C, found, weights, n)
        attempt(_core.cluster_sums, X, weights, found, len(C))
    attempt(_core.inertia, X, C, labels, weights, n)
    attempt(_core.unit_rows, X, n)
    attempt(_core.first_bad, X, n)


@fuzz
@given(
    rows,
    some_weights,
    few | st.just(2**63 - 1),
    st.booleans(),
    st.sampled_from(["k-means++", "random", "k-means||", "other"]),
    few,
    numbers,
    vectors,
    numbers,
    st.sampled_from([0.0, 1e-4, 1.0, -1.0, np.nan, np.inf]),
    st.sampled_from([0.0, 1.0, -1.0, np.nan]),
)
def test_trees_are_planned_or_refused(
    X, weights, n_leaves, by_size, seeding, n_starts, seed, draws, max_iter, tol, share
):
    problem = attempt(_core.Problem, X, weights, 1)
    if problem is None:
        return
    plan = attempt(
        problem.plan_bisecting,
        n_leaves, by_size, seeding, n_starts, seed, draws, max_iter, tol, share, 1e5,
    )  # fmt: skip
    if plan is not None:
        parts, centers, *_ = plan
        assert len(parts) == len(centers) >= 1
        assert (np.sort(parts[parts >= 0]) == np.arange(1, len(parts))).all()


@fuzz
@given(sparse_rows(), st.booleans(), centers | st.none(), numbers, numbers, threads)
def test_sparse_problems_are_seeded_and_fitted_or_refused(parts, is_weighted, init, k, seed, n):
    X = attempt(_core.SparseRows, *parts)
    if X is None:
        return
    n_rows = len(parts[2]) - 1
    problem = attempt(
        _core.SparseProblem, X, np.arange(1.0, n_rows + 1) if is_weighted else None, n
    )
    if problem is None:
        return
    attempt(problem.seed, k, "random", seed)
    run = attempt(problem.fit, k, init, "k-means++", seed, "auto", 5, 0.0, None, None)
    if run is not None:
        assert ((run["labels"] >= 0) & (run["labels"] < k)).all()
        assert run["counts"].sum() == n_rows


def test_huge_shapes_without_memory_are_counted_in_64_bits():
    # One row seen 2**33 times through a stride of zero is not contiguous: refused, not read.
    fake = np.broadcast_to(np.zeros((1, 4)), (2**33, 4))
    with pytest.raises(TypeError):
        _core.assign(fake, np.zeros((2, 4)), 1)
    # No columns: contiguous, with more rows than fit 32 bits.
    empty = np.ndarray((2**33, 0), buffer=b"")
    with pytest.raises(ValueError, match="empty"):
        _core.Problem(empty, None, 1)


def test_rows_live_as_long_as_the_problem_that_uses_them():
    def make():
        X = np.random.default_rng(0).normal(size=(1000, 3))
        return _core.Problem(X, np.ones(1000) * 2, 1), X.copy()

    problem, X = make()
    garbage = [np.full((1000, 3), np.nan) for _ in range(50)]
    run = problem.fit(4, None, "k-means++", 0, "auto", 50, 0.0, None, None)
    assert len(garbage) == 50
    assert_array_equal(run["labels"], _core.assign(X, run["centers"], 1))


def test_results_live_on_without_the_problem():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    run = _core.Problem(X, None, 1).fit(4, None, "k-means++", 0, "auto", 50, 0.0, None, None)
    labels, expected = run["labels"], run["labels"].copy()
    del run
    garbage = [np.full(1000, -1, dtype=np.int32) for _ in range(50)]
    assert len(garbage) == 50
    assert_array_equal(labels, expected)
