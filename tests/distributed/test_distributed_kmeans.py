"""Rows on Dask give every bit that rows in memory give."""

import os
import pickle
import signal
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import centroids
from centroids import _core

dask = pytest.importorskip("dask", reason="the extra dask is not installed")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from centroids.distributed import KMeans  # noqa: E402
from centroids.distributed.dask_parts import DaskParts  # noqa: E402
from centroids.distributed.dask_rows import DaskRows  # noqa: E402
from centroids.distributed.worker_part import Seeding, Step, make_part  # noqa: E402


@pytest.fixture(autouse=True)
def _synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def threads_client():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the engine, when it starts and ends
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None
        )
        client = distributed.Client(cluster, set_as_default=False)
        yield client
        client.close()
        cluster.close()


def clouds(n_samples=40_000, n_features=3, dtype=np.float32, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    places = 4 * rng.normal(size=(12, n_features)) + offset
    return (
        places[rng.integers(12, size=n_samples)] + rng.normal(size=(n_samples, n_features))
    ).astype(dtype)


def assert_same_fit(distributed_model, local_model):
    """All bits, and the types of what is stored."""
    assert_array_equal(distributed_model.cluster_centers_, local_model.cluster_centers_)
    assert distributed_model.cluster_centers_.dtype == local_model.cluster_centers_.dtype
    assert_array_equal(distributed_model.labels_.compute(), local_model.labels_)
    assert_array_equal(distributed_model.counts_, local_model.counts_)
    assert distributed_model.inertia_ == local_model.inertia_
    assert distributed_model.n_iter_ == local_model.n_iter_
    assert distributed_model.history_ == local_model.history_


def n_parts(X, n_clusters):
    data = DaskRows(X)
    return len(data.cut_at(_core.shard_rows(*data.shape, n_clusters))[0].chunks[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("start", ["k-means||", "array"])
def test_a_fit_equals_the_fit_in_memory_bit_for_bit(dtype, weighted, start):
    X = clouds(dtype=dtype)
    weights = np.random.default_rng(1).uniform(0, 3, size=len(X)) if weighted else None
    if weighted:
        weights[::7] = 0
    init = start if start == "k-means||" else X[:7]
    settings = {"init": init, "random_state": 3, "tol": 0}
    local = centroids.KMeans(7, search=None, **settings).fit(X, sample_weight=weights)
    assert local.n_iter_ > 5
    moved = [n for n in local.history_["n_changed"] if 0 < n < len(X) / 8]
    assert moved  # visits that add all rows, and visits that add those that moved
    rows = da.from_array(X, chunks=(9_000, 2))
    assert n_parts(rows, 7) > 2
    assert_same_fit(KMeans(7, **settings).fit(rows, sample_weight=weights), local)


@pytest.mark.parametrize("chunks", [(40_000, 3), (20_001, 3), (1_500, 1)])
def test_no_chunking_changes_a_bit(chunks):
    X = clouds()
    local = centroids.KMeans(9, init="k-means||", search=None, random_state=0).fit(X)
    assert_same_fit(KMeans(9, random_state=0).fit(da.from_array(X, chunks=chunks)), local)


def test_offsets_keep_their_digits_as_in_memory():
    X = clouds(20_000, dtype=np.float32, offset=1e5)
    local = centroids.KMeans(5, init="k-means||", search=None, random_state=1).fit(X)
    assert_same_fit(KMeans(5, random_state=1).fit(da.from_array(X, chunks=(3_000, 3))), local)


def test_clusters_that_become_empty_are_filled_as_in_memory():
    rng = np.random.default_rng(2)
    X = np.round(clouds(12_000, 2, np.float64)) * 1.0
    init = np.vstack([X[:3], np.full((3, 2), 1e3) + rng.normal(size=(3, 2))])
    local = centroids.KMeans(6, init=init, tol=0).fit(X)
    assert (local.counts_ > 0).all()
    assert_same_fit(KMeans(6, init=init, tol=0).fit(da.from_array(X, chunks=(2_500, 2))), local)
    weights = rng.integers(0, 3, size=len(X))
    local = centroids.KMeans(6, init=init, tol=0).fit(X, sample_weight=weights)
    rows = da.from_array(X, chunks=(2_500, 2))
    assert_same_fit(KMeans(6, init=init, tol=0).fit(rows, sample_weight=weights), local)


def test_fewer_distinct_rows_than_clusters_give_one_message():
    X = np.repeat([[0.0, 1.0], [2.0, 3.0], [5.0, 5.0]], 4000, axis=0)
    rows = da.from_array(X, chunks=(1_000, 2))
    with pytest.warns(UserWarning, match=r"clusters \(3\).*n_clusters \(5\)"):
        model = KMeans(5, random_state=0).fit(rows)
    assert model.inertia_ == 0
    assert_array_equal(np.unique(model.labels_.compute()), [0, 1, 2])


@pytest.mark.parametrize("scheduler", ["threads", "client"])
def test_no_scheduler_changes_a_bit(scheduler, request):
    X = clouds()
    local = centroids.KMeans(7, init="k-means||", search=None, random_state=3).fit(X)
    rows = da.from_array(X, chunks=(6_000, 3))
    if scheduler == "threads":
        with dask.config.set(scheduler="threads"):
            model = KMeans(7, random_state=3, n_jobs=2).fit(rows)
            assert_same_fit(model, local)
        return
    client = request.getfixturevalue("threads_client")
    with client.as_current(), dask.config.set(scheduler=client):
        model = KMeans(7, random_state=3).fit(rows)
        assert_same_fit(model, local)
        assert_array_equal(model.predict(rows).compute(), local.labels_)


def test_workers_in_processes_of_their_own_change_no_bit():
    X = clouds(20_000)
    local = centroids.KMeans(4, init="k-means||", search=None, random_state=3).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster) as client,
            dask.config.set(scheduler=client),
        ):
            rows = da.from_array(X, chunks=(3_000, 3))
            assert_same_fit(KMeans(4, random_state=3).fit(rows), local)
            pids = list(client.run(os.getpid).values())

            def lose_a_worker(state):
                if state.iteration == 3:
                    os.kill(pids[0], signal.SIGKILL)

            assert_same_fit(KMeans(4, random_state=3, callback=lose_a_worker).fit(rows), local)
            bad = rows.map_blocks(_with_nan, dtype=rows.dtype)
            with pytest.raises(ValueError, match="NaN, first at row 3, column 1"):
                KMeans(4).fit(bad)
            failing = rows.map_blocks(_fail, dtype=rows.dtype, meta=np.empty((0, 3), rows.dtype))
            with pytest.raises(OSError, match="the disk of this worker is gone"):
                KMeans(4).fit(failing)


def _with_nan(block):
    block = block.copy()
    block[3, 1] = np.nan
    return block


def _fail(block):
    raise OSError("the disk of this worker is gone")


def test_what_a_lost_worker_knew_is_found_again():
    # A part that is built anew, or was moved, gets its labels from the centers of the visit before.
    X = clouds(20_000)
    first, second, third = (X[i : i + 4].astype(float) for i in (0, 10, 20))
    order = np.array([2, 0, 3, 1], dtype=np.int32)
    steps = [
        Step("loop", 4, None, 1, None, first),
        Step("loop", 4, None, 2, first, second, is_full=False),
        Step("loop", 4, None, 3, second, order=order),
        Step("loop", 4, None, 4, second[order], third, is_full=False),
    ]
    zero = (np.zeros((4, 3)), np.zeros((4, 3)), np.zeros(4), np.zeros(4), np.zeros(4, np.int64))
    kept = make_part(X, None, 0, len(X), "float32", 1)
    for step in steps:
        lost = make_part(X, None, 0, len(X), "float32", 1)
        assert_array_equal(kept.at(step).labels(), lost.at(step).labels())
        if step.order is None:
            assert kept.n_changed == lost.n_changed
            for a, b in zip(kept.core.add_to(zero), lost.core.add_to(zero), strict=True):
                assert_array_equal(a, b)
    seeding = Seeding("seeding")
    batches = []
    for number in range(3):
        batches.append((np.array([number]), X[number : number + 1].astype(float)))
        seeding = Seeding("seeding", tuple(batches))
        kept.seeded(seeding)
    lost.seeded(seeding)
    assert_array_equal(kept.potential, lost.potential)
    assert kept.core.n_candidates == lost.core.n_candidates == 3


def test_a_part_can_be_sent_to_another_worker():
    X = clouds(4_000)
    part = make_part(X, np.ones(len(X)), 0, len(X), "float32", 1)
    step = Step("loop", 4, None, 1, None, X[:4].astype(float))
    expected = part.at(step).labels()
    raw = np.zeros(X.nbytes + 1, dtype=np.uint8)
    raw[1:] = X.view(np.uint8).ravel()
    part.rows = raw[1:].view(np.float32).reshape(X.shape)  # as what comes over the wire may be
    assert not part.rows.flags.aligned
    rebuild, arguments = part.__reduce__()
    assert_array_equal(rebuild(*arguments).at(step).labels(), expected)
    sent = pickle.loads(pickle.dumps(part))
    assert_array_equal(sent.at(step).labels(), expected)


def test_data_frames_give_their_names_and_their_sizes():
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    X = clouds(8_000, dtype=np.float64)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    local = centroids.KMeans(5, init="k-means||", search=None, random_state=0).fit(X)
    parts = dd.from_pandas(frame, npartitions=3)
    model = KMeans(5, random_state=0).fit(parts)
    assert_same_fit(model, local)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert_array_equal(model.predict(parts).compute(), local.labels_)
    with pytest.raises(ValueError, match=r"columns of X are \['c', 'b', 'a'\]"):
        model.predict(parts[["c", "b", "a"]])
    with pytest.raises(ValueError, match=r"column 'd' of X holds .*no numbers"):
        KMeans(5).fit(parts.assign(d="text"))


def test_unknown_chunk_sizes_are_computed_and_the_array_is_left_alone():
    X = clouds(6_000)
    rows = da.from_array(X, chunks=(1_000, 3))
    some = rows[rows[:, 0] > 0]
    assert np.isnan(some.shape[0])
    model = KMeans(3, random_state=0).fit(some)
    assert np.isnan(some.shape[0])
    local = centroids.KMeans(3, init="k-means||", search=None, random_state=0).fit(X[X[:, 0] > 0])
    assert_same_fit(model, local)


def test_empty_blocks_are_passed_over():
    # github.com/dask/dask-ml/issues/551
    X = clouds(6_000)
    rows = da.from_array(X, chunks=((0, 2_000, 0, 4_000, 0), (3,)))
    model = KMeans(5, random_state=0).fit(rows)
    assert_same_fit(
        model, centroids.KMeans(5, init="k-means||", search=None, random_state=0).fit(X)
    )
    assert_array_equal(model.predict(rows).compute(), model.labels_)
    distances = model.transform(rows).compute()
    assert_array_equal(distances, model.to_local().transform(X))
    assert distances.dtype == X.dtype
    assert model.score(rows) == -model.inertia_


def test_new_rows_are_used_block_by_block_and_as_in_memory(tmp_path):
    X = clouds()
    rows = da.from_array(X, chunks=(7_000, 2))
    model = KMeans(6, random_state=0).fit(rows)
    local = model.to_local()
    labels, distances = model.predict(rows), model.transform(rows)
    assert (labels.shape, labels.dtype, labels.numblocks) == ((40_000,), np.int32, (6,))
    assert (distances.shape, distances.dtype) == ((40_000, 6), np.float32)
    assert_array_equal(labels.compute(), local.predict(X))
    assert_array_equal(distances.compute(), local.transform(X))
    weights = np.random.default_rng(0).uniform(size=len(X))
    assert model.score(rows) == -model.inertia_ == local.score(X)
    assert model.score(rows, sample_weight=weights) == local.score(X, sample_weight=weights)
    assert_array_equal(model.predict(X[:10]), local.predict(X[:10]))
    model.save(tmp_path / "model.safetensors")
    loaded = centroids.load(tmp_path / "model.safetensors")
    assert type(loaded) is centroids.KMeans
    assert_array_equal(loaded.predict(X), local.predict(X))
    bad = X.copy()
    bad[9_000, 1] = np.inf
    with pytest.raises(ValueError, match=r"in rows 7000 to 13999 of X.*row 2000, column 1"):
        model.predict(da.from_array(bad, chunks=(7_000, 3))).compute()


@pytest.mark.parametrize(
    ("X", "sample_weight", "error", "message"),
    [
        (np.ones((5, 2)), None, TypeError, "must be a Dask array or data frame; got ndarray"),
        (da.ones(5), None, ValueError, "two dimensions"),
        (da.ones((3, 2)), None, ValueError, "n_samples=3 should be >= n_clusters=4"),
        (da.ones((9, 2), dtype=complex), None, ValueError, "real numbers"),
        (da.ones((9, 2)), np.ones(8), ValueError, "8 values for 9 rows"),
        (da.ones((9, 2)), np.r_[np.ones(6), -1, 1, 1], ValueError, r"-1\.0 at row 6"),
        (da.ones((9, 2)), np.zeros(9), ValueError, "zero for every row"),
    ],
)
def test_bad_input_is_named(X, sample_weight, error, message):
    with pytest.raises(error, match=message):
        KMeans(4).fit(X, sample_weight=sample_weight)


def test_a_bad_value_is_named_by_its_row_among_all_rows():
    X = clouds(12_000)
    X[7_777, 2] = np.nan
    with pytest.raises(ValueError, match="NaN, first at row 7777, column 2") as caught:
        KMeans(3).fit(da.from_array(X, chunks=(2_000, 3)))
    assert "KMeans needs finite numbers" in str(caught.value)
    far = clouds(12_000)
    far[9_000, 1] = 3e38
    with pytest.raises(ValueError, match=r"out of range .* at row 9000, column 1"):
        KMeans(3).fit(da.from_array(far, chunks=(2_000, 3)))


def test_a_fit_can_be_followed_and_stopped():
    X = da.from_array(clouds(12_000), chunks=(4_000, 3))
    seen = []
    KMeans(8, random_state=0, callback=seen.append).fit(X)
    assert [state.iteration for state in seen] == list(range(1, len(seen) + 1))
    assert 0 < seen[0].share_moved <= 1

    def stop(state):
        if state.iteration == 2:
            raise RuntimeError("enough")

    model = KMeans(8, random_state=0, callback=stop)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X)
    assert model.n_iter_ == 2
    assert_array_equal(model.labels_.compute(), model.predict(X).compute())
    assert KMeans(8, random_state=0, max_time=1e-9).fit(X).n_iter_ == 1


def test_ctrl_c_while_workers_work_leaves_the_model_so_far(monkeypatch):
    X = da.from_array(clouds(12_000), chunks=(4_000, 3))
    n_calls = 0
    compute = dask.compute

    def interrupted(*tasks):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 20:
            raise KeyboardInterrupt
        return compute(*tasks)

    monkeypatch.setattr("centroids.distributed.dask_parts.dask.compute", interrupted)
    model = KMeans(8, random_state=0, tol=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert 1 <= model.n_iter_ < 20
    assert_array_equal(model.labels_.compute(), model.predict(X).compute())


def test_parts_are_whole_shards():
    for n_samples, n_clusters in ((40_000, 3), (300_000, 1000), (2_000_000, 5)):
        X = da.zeros((n_samples, 2), chunks=(n_samples // 13, 2))
        shard = _core.shard_rows(n_samples, 2, n_clusters)
        sizes = DaskRows(X).cut_at(shard)[0].chunks[0]
        assert all(size % shard == 0 for size in sizes[:-1])
        assert len(sizes) <= 26
    parts = DaskParts(DaskRows(da.from_array(clouds(40_000), chunks=(9_000, 3))), 7, 1)
    assert parts.n_rows == 40_000
