"""Clusters against known classes: names, scores, merges, splits, words, and every kind of label."""

import datetime
import doctest
import itertools
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    v_measure_score,
)
from sklearn.metrics.cluster import contingency_matrix
from sklearn.model_selection import train_test_split

import centroids.compare.label_match
from centroids.compare import LabelMatch, match_labels

quick = settings(max_examples=150, deadline=None)


def label_pairs(n_classes=5, n_clusters=6, max_size=40):
    pair = st.tuples(st.integers(0, n_classes - 1), st.integers(0, n_clusters - 1))
    return st.lists(pair, min_size=1, max_size=max_size).map(lambda pairs: np.array(pairs).T)


def from_counts(confusion):
    """Return y_true, y_pred whose table, cluster by class, is `confusion`."""
    confusion = np.asarray(confusion)
    clusters, classes = np.indices(confusion.shape)
    return np.repeat(classes, confusion.ravel()), np.repeat(clusters, confusion.ravel())


def words(match):
    """Return the summary without its line breaks."""
    return " ".join(match.summary().split())


def best_number_of_hits(confusion):
    """Try every one-to-one mapping: the slow reference."""
    size = max(confusion.shape)
    padded = np.zeros((size, size), dtype=int)
    padded[: confusion.shape[0], : confusion.shape[1]] = confusion
    columns = itertools.permutations(range(size))
    return max(int(padded[range(size), column].sum()) for column in columns)


# --- The reference experiment -------------------------------------------------------------------


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(n_samples=50000, centers=5, n_features=5, random_state=0)
    return train_test_split(X, y, stratify=y, random_state=50)


@pytest.fixture(scope="module")
def fits(blobs):
    X = blobs[0]
    return {k: KMeans(k, n_init=10, random_state=10).fit(X) for k in (4, 5, 10)}


def test_five_blobs_in_five_clusters_have_one_miss(blobs, fits):
    _, _, y, _ = blobs
    match = match_labels(y, fits[5].labels_)
    assert match.n_misses == match.n_majority_misses == 1
    assert match.accuracy == 37499 / 37500
    assert match.mapping == match.majority_mapping
    assert np.trace(match.confusion) == 37499
    row = match.misses[0]
    assert match.mapping[fits[5].labels_[row]] != y[row]


def test_one_miss_among_7500_is_neither_a_merge_nor_a_split(blobs, fits):
    match = match_labels(blobs[2], fits[5].labels_)
    assert match.merged == {}
    assert match.split == {}
    assert "(100 %)" not in match.summary()


def test_five_blobs_in_four_clusters_merge_exactly_two_classes(blobs, fits):
    match = match_labels(blobs[2], fits[4].labels_)
    assert match.split == {}
    ((cluster, shares),) = match.merged.items()
    assert len(shares) == 2
    assert all(share == pytest.approx(0.5, abs=0.001) for share in shares.values())
    # One of the two keeps the cluster's name; every row of the other is a miss.
    (nameless,) = set(match.classes) - set(match.mapping.values())
    assert {match.mapping[cluster], nameless} == set(shares)
    assert set(np.flatnonzero(blobs[2] == nameless)) <= set(match.misses)


def test_five_blobs_in_ten_clusters_are_split_and_never_merged(blobs, fits):
    match = match_labels(blobs[2], fits[10].labels_)
    assert match.merged == {}
    assert sum(len(pieces) for pieces in match.split.values()) + (5 - len(match.split)) == 10
    assert len(match.mapping) == 5
    assert match.accuracy < 0.7
    assert match.majority_accuracy == match.purity > 0.9999


@pytest.mark.parametrize("n_clusters", [4, 5, 10])
def test_held_out_rows_are_scored_with_the_names_of_the_training_rows(blobs, fits, n_clusters):
    _, X_test, y_train, y_test = blobs
    model = fits[n_clusters]
    train = match_labels(y_train, model.labels_)
    test = train.score(y_test, model.predict(X_test))
    assert test.is_mapping_given
    assert (test.mapping, test.majority_mapping) == (train.mapping, train.majority_mapping)
    assert (test.clusters, test.classes) == (train.clusters, train.classes)
    assert test.n_samples == 12500
    assert test.accuracy == pytest.approx(train.accuracy, abs=0.01)
    assert set(test.merged) == set(train.merged)
    assert set(test.split) == set(train.split)


# --- Names of clusters --------------------------------------------------------------------------


@quick
@given(label_pairs())
def test_one_to_one_mapping_is_as_good_as_the_best_of_all(labels):
    match = match_labels(*labels)
    assert len(labels[0]) - match.n_misses == best_number_of_hits(match.confusion)


@quick
@given(label_pairs())
def test_no_class_is_given_to_two_clusters(labels):
    named_after = list(match_labels(*labels).mapping.values())
    assert len(named_after) == len(set(named_after))


@quick
@given(label_pairs())
def test_majority_mapping_names_each_cluster_after_its_largest_class(labels):
    match = match_labels(*labels)
    for cluster, counts in zip(match.clusters, match.confusion, strict=True):
        assert match.majority_mapping[cluster] == match.classes[counts.argmax()]
    assert match.majority_accuracy == match.purity >= match.accuracy


@quick
@given(label_pairs())
def test_misses_are_the_rows_whose_cluster_is_named_after_another_class(labels):
    y_true, y_pred = labels
    match = match_labels(y_true, y_pred)
    for mapping, misses in (
        (match.mapping, match.misses),
        (match.majority_mapping, match.majority_misses),
    ):
        pairs = enumerate(zip(y_true.tolist(), y_pred.tolist(), strict=True))
        assert misses.tolist() == [row for row, (c, k) in pairs if mapping.get(k) != c]


def test_the_best_sum_wins_over_the_best_first_choice():
    # Taking the largest cell first would give 10 + 0 hits.
    match = match_labels(*from_counts([[10, 9], [8, 0]]))
    assert match.mapping == {0: 1, 1: 0}
    assert match.n_misses == 10


def test_with_fewer_clusters_than_classes_one_class_of_each_merge_is_missed():
    match = match_labels(*from_counts([[50, 40, 0], [0, 0, 30]]))
    assert match.mapping == {0: 0, 1: 2}
    assert match.misses.tolist() == list(range(50, 90))
    assert match.merged == {0: {0: 50 / 90, 1: 40 / 90}}
    assert match.split == {}


def test_with_more_clusters_than_classes_one_piece_is_hit_and_majority_hits_all():
    match = match_labels(*from_counts([[30, 0], [20, 0], [0, 50]]))
    assert match.mapping == {0: 0, 2: 1}
    assert match.misses.tolist() == list(range(30, 50))
    assert match.majority_mapping == {0: 0, 1: 0, 2: 1}
    assert match.n_majority_misses == 0
    assert match.split == {0: {0: 0.6, 1: 0.4}}
    assert match.merged == {}


def test_a_cluster_is_not_named_after_a_class_it_shares_no_row_with():
    # Class 0 in two pieces, classes 1 and 2 together: for cluster 1 only class 2 is left.
    match = match_labels(*from_counts([[40, 0, 0], [35, 0, 0], [0, 75, 70]]))
    assert match.mapping == {0: 0, 2: 1}
    assert match.clusters == (0, 1, 2)
    assert (match.merged, match.split) == (
        {2: {1: 75 / 145, 2: 70 / 145}},
        {0: {0: 40 / 75, 1: 35 / 75}},
    )


def test_ties_go_to_the_first_names():
    match = match_labels(*from_counts([[5, 5], [5, 5], [5, 5]]))
    assert match.mapping == {0: 0, 1: 1}
    assert match.majority_mapping == {0: 0, 1: 0, 2: 0}


@quick
@given(label_pairs(3, 4, 12), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing_but_row_numbers(labels, random):
    order = list(range(labels.shape[1]))
    random.shuffle(order)
    match, shuffled = match_labels(*labels), match_labels(*labels[:, order])
    assert sorted(np.array(order)[shuffled.misses]) == match.misses.tolist()
    for name in set(LabelMatch.__annotations__) - {"misses", "majority_misses", "confusion"}:
        assert getattr(shuffled, name) == getattr(match, name), name
    np.testing.assert_array_equal(shuffled.confusion, match.confusion)


@quick
@given(label_pairs(), st.permutations(range(6)), st.permutations(["a", "b", "c", "d", "e"]))
def test_renaming_clusters_and_classes_changes_no_score(labels, new_clusters, new_classes):
    y_true, y_pred = labels
    match = match_labels(y_true, y_pred)
    renamed = match_labels(np.array(new_classes)[y_true], np.array(new_clusters)[y_pred])
    for name in ("accuracy", "majority_accuracy", "purity", "n_misses", "n_majority_misses"):
        assert getattr(renamed, name) == getattr(match, name)
    for name in ("adjusted_rand", "adjusted_mutual_info", "v_measure"):
        assert getattr(renamed, name) == pytest.approx(getattr(match, name), abs=1e-12)
    assert renamed.merged == {
        new_clusters[k]: {new_classes[c]: share for c, share in shares.items()}
        for k, shares in match.merged.items()
    }
    assert renamed.split == {
        new_classes[c]: {new_clusters[k]: share for k, share in shares.items()}
        for c, shares in match.split.items()
    }


# --- The table ----------------------------------------------------------------------------------


@quick
@given(label_pairs())
def test_confusion_counts_rows_by_cluster_and_class(labels):
    y_true, y_pred = labels
    match = match_labels(y_true, y_pred)
    assert match.confusion.dtype == np.int64
    assert match.confusion.shape == (len(match.clusters), len(match.classes))
    assert match.classes == tuple(np.unique(y_true).tolist())
    in_sklearns_order = match.confusion[np.argsort(match.clusters)].T
    np.testing.assert_array_equal(in_sklearns_order, contingency_matrix(y_true, y_pred))


def test_matched_pairs_lie_on_the_diagonal_when_each_cluster_has_its_class():
    rng = np.random.default_rng(0)
    y_true = np.arange(700) % 7
    y_pred = rng.permutation(7)[y_true]
    y_pred[::10] = rng.integers(0, 7, 70)
    match = match_labels(y_true, y_pred)
    assert list(match.mapping.items()) == list(zip(match.clusters, match.classes, strict=True))
    assert np.trace(match.confusion) == 700 - match.n_misses


def test_pieces_of_a_class_follow_its_own_cluster_by_size():
    match = match_labels(*from_counts([[0, 9], [2, 0], [7, 0], [5, 0]]))
    assert match.clusters == (2, 3, 1, 0)


def test_a_cluster_without_known_class_stays_in_the_table():
    match = match_labels(["a", "b", None], [0, 1, 2])
    assert match.clusters == (0, 1, 2)
    assert match.confusion.tolist() == [[1, 0], [0, 1], [0, 0]]
    assert 2 not in match.mapping
    assert 2 not in match.majority_mapping
    assert match.accuracy == match.adjusted_rand == 1.0


def test_a_match_cannot_be_changed():
    match = match_labels([0, 1], [0, 1])
    with pytest.raises(FrozenInstanceError):
        match.accuracy = 0.0
    for array in (match.confusion, match.misses, match.majority_misses):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_match_survives_pickling():
    match = match_labels(["a", "b", None, "b"], [0, 1, 1, 0])
    copy = pickle.loads(pickle.dumps(match))
    assert copy.summary() == match.summary()
    assert copy.score(["a"], [0]).accuracy == 1.0


# --- Merges and splits --------------------------------------------------------------------------


def test_a_class_broken_over_the_clusters_of_others_is_split_and_merged():
    match = match_labels(*from_counts([[50, 100, 0], [50, 0, 100], [0, 0, 0]]))
    assert match.split == {0: {0: 0.5, 1: 0.5}}
    assert match.merged == {0: {1: 2 / 3, 0: 1 / 3}, 1: {2: 2 / 3, 0: 1 / 3}}


def test_overlap_of_neighbours_is_neither_a_merge_nor_a_split():
    match = match_labels(*from_counts([[85, 15], [15, 85]]))
    assert (match.merged, match.split) == ({}, {})
    assert match.n_misses == 30


def test_a_quarter_of_the_largest_piece_in_the_cluster_of_another_class_counts():
    assert match_labels(*from_counts([[80, 0], [20, 100]])).split == {0: {0: 0.8, 1: 0.2}}
    assert match_labels(*from_counts([[81, 0], [19, 100]])).split == {}


def test_small_pieces_count_where_the_class_is_the_largest_and_single_outliers_do_not():
    assert match_labels(*from_counts([[7000, 0], [70, 0], [0, 9]])).split.keys() == {0}
    assert match_labels(*from_counts([[7499, 0], [1, 0], [0, 9]])).split == {}


def test_all_pieces_of_a_class_in_many_pieces_are_found():
    sizes = np.random.default_rng(1).integers(40, 400, 20)
    match = match_labels(*from_counts(np.kron(np.eye(5, dtype=int), sizes[:, None])))
    assert {name: len(pieces) for name, pieces in match.split.items()} == dict.fromkeys(
        range(5), 20
    )
    assert match.merged == {}


def test_a_rare_class_inside_a_large_one_is_merged():
    match = match_labels(*from_counts([[7500, 3], [0, 0]]))
    assert match.merged.keys() == {0}
    assert match.split == {}


@quick
@given(label_pairs())
def test_shares_of_merges_and_splits_are_sorted_and_at_most_one_in_all(labels):
    match = match_labels(*labels)
    for shares in (*match.merged.values(), *match.split.values()):
        assert len(shares) >= 2
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        assert 0 < sum(shares.values()) <= 1 + 1e-12


# --- Indices without names ----------------------------------------------------------------------


def assert_indices_equal_sklearns(y_true, y_pred):
    match = match_labels(y_true, y_pred)
    assert match.adjusted_rand == pytest.approx(adjusted_rand_score(y_true, y_pred), abs=1e-12)
    assert match.v_measure == pytest.approx(v_measure_score(y_true, y_pred), abs=1e-10)
    assert match.adjusted_mutual_info == pytest.approx(
        adjusted_mutual_info_score(y_true, y_pred), abs=1e-10
    )


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@quick
@given(label_pairs())
def test_indices_equal_sklearns(labels):
    assert_indices_equal_sklearns(*labels)


@pytest.mark.parametrize(
    ("n_classes", "n_clusters"), [(1, 3), (3, 1), (2, 2), (5, 10), (30, 100), (300, 3)]
)
def test_indices_equal_sklearns_on_many_rows_of_uneven_groups(n_classes, n_clusters):
    rng = np.random.default_rng(0)
    y_true = rng.choice(n_classes, 20000, p=rng.dirichlet(np.full(n_classes, 0.5)))
    y_pred = (y_true + rng.choice(n_clusters, 20000, p=rng.dirichlet(np.ones(n_clusters)))) % (
        n_clusters
    )
    assert_indices_equal_sklearns(y_true, y_pred)


@pytest.mark.parametrize("n_groups", [1, 2, 50])
def test_the_same_partition_scores_exactly_one(n_groups):
    y = np.arange(50) % n_groups
    match = match_labels(y, 7 - y)
    indices = (match.adjusted_rand, match.adjusted_mutual_info, match.v_measure)
    assert indices == (1.0, 1.0, 1.0)
    assert match.accuracy == match.purity == 1.0


def test_pair_counts_of_many_rows_do_not_overflow():
    half = np.arange(400_000) % 2
    match = match_labels(half, np.arange(400_000) // 200_000)
    assert match.adjusted_rand == pytest.approx(0.0, abs=1e-5)


# --- Held-out rows ------------------------------------------------------------------------------


def test_held_out_rows_do_not_choose_their_own_names():
    train = match_labels(["a", "a", "b", "b"], [0, 0, 1, 1])
    test = train.score(["b", "b", "a"], [0, 0, 1])
    assert (test.accuracy, test.majority_accuracy) == (0.0, 0.0)
    assert test.purity == test.adjusted_rand == 1.0
    assert test.misses.tolist() == [0, 1, 2]


def test_labels_new_on_held_out_rows_are_misses_at_the_end_of_the_table():
    train = match_labels(["a", "a", "c", "c"], [0, 0, 1, 1])
    test = train.score(["b", "a", "c", "a"], [0, 0, 1, 7])
    assert (test.classes, test.new_classes) == (("a", "c", "b"), ("b",))
    assert (test.clusters, test.new_clusters) == ((0, 1, 7), (7,))
    assert test.mapping == test.majority_mapping == {0: "a", 1: "c"}
    assert test.misses.tolist() == test.majority_misses.tolist() == [0, 3]
    assert test.confusion.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert "New clusters (their rows are misses): 7." in test.summary()
    assert "New classes (their rows are misses): b." in test.summary()


def test_labels_absent_from_held_out_rows_keep_their_place():
    train = match_labels(["a", "b", "c"], [2, 1, 0])
    test = train.score(["c", None], [0, 1])
    assert (test.clusters, test.classes) == (train.clusters, train.classes)
    assert test.confusion.sum() == test.accuracy == 1
    assert test.n_missing == 1


def test_labels_new_once_stay_new():
    train = match_labels(["a", "b"], [0, 1])
    again = train.score(["a", "c"], [0, 2]).score(["c", "d"], [2, 0])
    assert (again.new_clusters, again.new_classes) == ((2,), ("c", "d"))
    assert again.accuracy == 0.0


@quick
@given(label_pairs(), label_pairs())
def test_scoring_the_same_rows_again_gives_the_same_match(labels, other):
    match = match_labels(*labels)
    for again in (match.score(*labels), match.score(*other).score(*labels)):
        assert again.misses.tolist() == match.misses.tolist()
        assert again.majority_misses.tolist() == match.majority_misses.tolist()
        assert (again.purity, again.merged, again.split) == (
            match.purity,
            match.merged,
            match.split,
        )


def test_held_out_integers_meet_training_floats_with_gaps():
    train = match_labels([1.0, 2.0, float("nan")], [0.0, 1.0, 1.0])
    assert train.classes == (1, 2)
    assert train.score(np.array([1, 2]), np.array([0, 1])).accuracy == 1.0


# --- Kinds of labels ----------------------------------------------------------------------------

MISSING_VALUES = [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), "", "  ", b""]


@pytest.mark.parametrize("gap", MISSING_VALUES, ids=repr)
def test_rows_without_known_class_are_left_out_and_counted(gap):
    match = match_labels([gap, "a", "b", gap, "a", "b"], [0, 0, 1, 1, 1, 1])
    assert match.classes == ("a", "b")
    assert (match.n_samples, match.n_missing) == (6, 2)
    assert match.misses.tolist() == [4]
    assert match.accuracy == 0.75


def test_gaps_of_every_kind_may_be_mixed():
    pd = pytest.importorskip("pandas")
    gaps = [*MISSING_VALUES, pd.NA, pd.NaT, *(float("nan") for _ in range(3))]
    match = match_labels([*gaps, "a"], [0] * (len(gaps) + 1))
    assert (match.n_missing, match.classes) == (len(gaps), ("a",))


@quick
@given(label_pairs(), st.data())
def test_rows_without_known_class_do_not_change_the_scores(labels, data):
    y_true, y_pred = labels
    is_known = np.array(data.draw(st.lists(st.booleans(), min_size=40, max_size=40)))
    is_known = is_known[: len(y_true)]
    is_known[0] = True
    match = match_labels(np.where(is_known, y_true, np.nan), y_pred)
    known = match_labels(y_true[is_known], y_pred[is_known])
    assert match.n_missing == np.count_nonzero(~is_known)
    assert match.misses.tolist() == np.flatnonzero(is_known)[known.misses].tolist()
    assert match.mapping == known.mapping
    for name in ("accuracy", "purity", "adjusted_rand", "adjusted_mutual_info", "v_measure"):
        assert getattr(match, name) == getattr(known, name)


VALUES = {
    "int64": np.array([3, -1, 3, 3]),
    "int8 over its whole range": np.array([127, -128, 127, 127], dtype=np.int8),
    "uint64 beyond int64": np.array([2**64 - 1, 2, 2**64 - 1, 2**64 - 1], dtype=np.uint64),
    "far apart": np.array([10**15, -(10**15), 10**15, 10**15]),
    "float": np.array([0.5, -1.5, 0.5, 0.5]),
    "float16": np.array([1, 0, 1, 1], dtype=np.float16),
    "infinite": np.array([np.inf, 0.0, np.inf, np.inf]),
    "boolean": np.array([True, False, True, True]),
    "string": np.array(["yes", "no", "yes", "yes"]),
    "bytes": np.array([b"yes", b"no", b"yes", b"yes"]),
    "date": np.array(["2026-02-01", "2026-01-01", "2026-02-01", "2026-02-01"], "datetime64[ns]"),
    "complex": np.array([1j, 0, 1j, 1j]),
    "object": np.array(["yes", 0, "yes", "yes"], dtype=object),
    "list of strings": ["yes", "no", "yes", "yes"],
    "tuple": (2, 1, 2, 2),
    "range": range(4, 0, -1),
    "list of numbers and strings": ["x", 1, "x", "x"],
    "list of NumPy scalars": [np.int64(2), np.float64(1.0), np.int8(2), 2.0],
    "list of dates": [datetime.date(2026, 2, day) for day in (2, 1, 2, 2)],
    "read-only": np.frombuffer(b"\x02\x01\x02\x02", dtype=np.uint8),
    "strided": np.array([[2, 0], [1, 0], [2, 0], [2, 0]])[:, 0],
}


@pytest.mark.parametrize("labels", VALUES.values(), ids=VALUES)
def test_any_plain_values_are_labels(labels):
    codes = [4, 3, 2, 1] if isinstance(labels, range) else [1, 0, 1, 1]
    as_classes, as_clusters = match_labels(labels, codes), match_labels(codes, labels)
    assert as_classes.n_misses == as_clusters.n_misses == 0
    assert dict(as_classes.mapping) == dict(zip(codes, list(labels), strict=True))
    assert as_classes.summary()
    assert as_classes.score(labels, codes).accuracy == 1.0


def test_names_are_plain_python_values():
    names = match_labels(np.array([1.0, 2.0, np.nan]), np.array([0, 1, 1], dtype=np.int8))
    assert [type(name) for name in names.classes + names.clusters] == [int] * 4
    assert [type(name) for name in match_labels([True, False], np.array(["a", "b"])).classes] == [
        bool,
        bool,
    ]
    assert [type(name) for name in match_labels(np.array([True]), np.array(["a"])).clusters] == [
        str
    ]


def test_numbers_sort_as_numbers_and_before_text():
    match = match_labels(["b", 10, "a", 9, None, 2.5], [0, 1, 2, 3, 4, 5])
    assert match.classes == (2.5, 9, 10, "a", "b")


def test_masked_entries_are_missing():
    y_true = np.ma.MaskedArray([1, 2, 1, 2], mask=[False, False, False, True])
    match = match_labels(y_true, [0, 1, 0, 0])
    assert (match.classes, match.n_missing, match.n_misses) == ((1, 2), 1, 0)


def pandas_columns():
    pd = pytest.importorskip("pandas")
    index = [9, 9, 1, 4]
    return {
        "string": pd.Series(["b", "a", None, "a"], index=index),
        "object": pd.Series(["b", "a", np.nan, "a"], index=index, dtype=object),
        "nullable string": pd.Series(["b", "a", pd.NA, "a"], dtype="string"),
        "float": pd.Series([2, 1, None, 1]),
        "nullable integer": pd.Series([2, 1, pd.NA, 1], dtype="Int64"),
        "nullable boolean": pd.Series([True, False, pd.NA, False], dtype="boolean"),
        "categorical": pd.Series(["b", "a", None, "a"], dtype="category"),
        "bare categorical": pd.Categorical([2, 1, None, 1]),
        "date": pd.Series(pd.to_datetime(["2026-02-01", "2026-01-01", None, "2026-01-01"])),
        "index": pd.Index(["b", "a", None, "a"]),
    }


def polars_columns():
    pl = pytest.importorskip("polars")
    text = ["b", "a", None, "a"]
    return {
        "string": pl.Series(text),
        "integer": pl.Series([2, 1, None, 1]),
        "boolean": pl.Series([True, False, None, False]),
        "categorical": pl.Series(text, dtype=pl.Categorical),
        "enum": pl.Series(text, dtype=pl.Enum(["a", "b", "never used"])),
        "date": pl.Series([datetime.date(2026, 1, 1) if x == "a" else None for x in text]),
    }


@pytest.mark.parametrize("columns", [pandas_columns, polars_columns])
def test_data_frame_columns_are_labels(columns):
    for name, column in columns().items():
        match = match_labels(column, [5, 3, 3, 3])
        n_missing = 2 if "date" in name and columns is polars_columns else 1
        assert match.n_missing == n_missing, name
        assert match.n_misses == 0, name
        assert next(iter(match.mapping)) == 3, name


def test_clusters_may_be_a_column_too():
    pd = pytest.importorskip("pandas")
    shuffled = pd.Series([0, 1, 1], index=[2, 0, 1])
    assert match_labels(pd.Series(["a", "b", "b"]), shuffled).n_misses == 0


def test_categories_keep_their_order():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = ["low", "mid", "high"]
    for column in (
        pd.Series(pd.Categorical(["high", None, "mid", "low"], categories=[*names, "unused"])),
        pl.Series(["high", None, "mid", "low"], dtype=pl.Enum(names)),
    ):
        assert match_labels(column, [0, 0, 1, 2]).classes == ("low", "mid", "high")


# --- Wrong input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([0, 1], [0], "y_true has 2 rows and y_pred 1; pass both for the same rows"),
        ([], [], "y_true is empty; pass at least one row"),
        ([0], [], "y_pred is empty"),
        ([[0, 1]], [0, 1], r"y_true must be 1-D, one label per row, got shape \(1, 2\)"),
        ([0, 1], np.zeros((2, 1)), r"y_pred must be 1-D.*\(2, 1\); pass one column"),
        ("ab", [0, 1], "y_true must be 1-D.*a single str"),
        ({"a": 1}, [0], "y_true must be 1-D.*a single dict"),
        ([None, float("nan"), ""], [0, 0, 0], "y_true has no class in any of its 3 rows"),
        (np.full(3, np.nan), [0, 0, 0], "y_true has no class in any of its 3 rows"),
        ([0, 1, 2], [0, None, None], "y_pred has no cluster in 2 of 3 rows, first in row 1"),
        ([0, [1], 2], [0, 1, 2], "y_true holds a list in row 1; pass a number"),
        ([0, ([1],)], [0, 1], "y_true holds a tuple in row 1"),
    ],
)
def test_wrong_input_names_the_argument_and_what_to_do(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        match_labels(y_true, y_pred)
    with pytest.raises(ValueError, match=message):
        match_labels([0, 1], [0, 1]).score(y_true, y_pred)


def test_measurements_are_not_taken_for_labels():
    x = np.random.default_rng(0).normal(size=20000)
    with pytest.raises(ValueError, match=r"y_true has 20,000 different classes.*pass labels"):
        match_labels(x, np.arange(20000) % 1000)


# --- Words --------------------------------------------------------------------------------------


def test_summary_reads_well():
    y_true, y_pred = from_counts([[0, 1, 1499], [800, 700, 0]])
    y_true = np.array(["ape", "bee", "cow"], dtype=object)[y_true]
    y_true[0] = None
    assert match_labels(y_true, y_pred).summary().splitlines() == [
        "2 clusters against 3 classes, 2,999 rows.",
        "1 more row without a known class: left out.",
        "One class per cluster: 2,299 of 2,999 rows agree (76.7 %), 700 misses.",
        "Classes without a cluster of their own, so all their rows are misses: bee.",
        "Merged: cluster 1 holds class ape (53.3 % of its rows) and class bee (46.7 %).",
        "Adjusted Rand index 0.7508, adjusted mutual information 0.8004, V-measure 0.8005 "
        "(whatever the",
        "names; 1 = the same groups, near 0 = unrelated).",
        "",
        "cluster \\ class  ape  bee    cow  own class",
        "1                800  700      .  ape",
        "0                  .    .  1,499  cow",
    ]


def test_summary_says_when_nothing_is_wrong():
    text = match_labels([0, 1, 1], [1, 0, 0]).summary()
    assert "3 of 3 rows agree (100 %), no miss." in text
    assert "No classes are merged and none is split." in text


def test_summary_names_few_misses_by_row_and_never_rounds_them_away():
    y = np.arange(100000) % 5
    y_pred = y.copy()
    y_pred[4321] = 0
    match = match_labels(y, y_pred)
    assert "(99.999 %), 1 miss: row 4321, counted from 0." in words(match)
    assert "Adjusted Rand index more than 0.9999" in words(match)
    held_out = match.score(y[:2], [4, 4])
    assert "The clusters keep the classes they were named after" in words(held_out)
    assert "0 of 2 rows agree (0 %), 2 misses: rows 0, 1," in words(held_out)


def test_summary_gives_both_scores_where_the_names_differ():
    text = words(match_labels(*from_counts([[30, 0], [20, 0], [0, 50]])))
    assert "Clusters without a class of their own, so all their rows are misses: 1." in text
    assert "One class per cluster: 80 of 100 rows agree (80.0 %), 20 misses." in text
    assert "Each cluster named after its largest class: 100 of 100 rows agree" in text
    assert "Split: class 0 lies in cluster 0 (60.0 % of its rows) and cluster 1 (40.0 %)." in text


@pytest.mark.parametrize("n_classes", [1, 2, 10, 30])
@pytest.mark.parametrize("n_clusters", [1, 5, 30, 31, 100])
@pytest.mark.parametrize("prefix", ["", "a rather long name of a class, number "])
def test_summary_stays_readable_at_any_size(n_classes, n_clusters, prefix):
    rng = np.random.default_rng(0)
    names = np.array([f"{prefix}{i}" for i in range(n_classes)])
    y_true = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 5000)])
    y_pred = np.concatenate([np.arange(n_clusters), rng.integers(0, n_clusters, 5000)])
    n_rows = min(len(y_true), len(y_pred))
    text = match_labels(names[y_true[:n_rows]], y_pred[:n_rows]).summary()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 80
    assert ("The 30 largest of" in text) == (n_clusters > 30)


def test_summary_survives_odd_names():
    text = match_labels(["two\nlines", "tab\there", "\x1b[31m"], ["x", "y y", "\u200b"])
    assert all(line.isprintable() for line in text.summary().split("\n"))


def test_summary_tells_text_from_numbers_that_look_the_same():
    text = words(match_labels([1, 2], [0, 1]).score([1, "1", "nan"], [0, "0", 1]))
    assert "New clusters (their rows are misses): '0'." in text
    assert "New classes (their rows are misses): '1' and 'nan'." in text


def test_repr_is_one_short_line():
    text = repr(match_labels(np.arange(1000) % 9, np.arange(1000) % 3))
    assert text.startswith("LabelMatch(n_clusters=3, n_classes=9, accuracy=0.3")
    assert len(text) < 100


# --- The module ---------------------------------------------------------------------------------


def test_examples_in_the_docstrings_are_true():
    result = doctest.testmod(centroids.compare.label_match)
    assert result.attempted > 0
    assert result.failed == 0


def test_importing_it_loads_no_data_frame_or_plot_library():
    code = (
        "import sys, centroids.compare as c; c.match_labels([0, 1], [1, 0]).summary(); "
        "print(sorted({'pandas', 'polars', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
