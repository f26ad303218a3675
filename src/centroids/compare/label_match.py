"""Clusters against known classes: which cluster stands for which class, and where they disagree.

Here live the two ways to name clusters after classes, and what merges and splits are. What must not
live here: features, estimators, plots; labels only. The counts underneath and the indices without
names are in `contingency`, the words in `words`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from centroids.compare.contingency import (
    MISSING,
    LabelCodes,
    agreement_indices,
    count_table,
    encode_labels,
)
from centroids.compare.words import summarise

__all__ = ["LabelMatch", "match_labels"]

PIECE_SHARE = 0.25
"""From this fraction of a class's largest piece on, its rows in a cluster are more than strays."""

OWN_PIECE_SHARE = 0.01
"""The same, for a cluster in which the class is the largest one."""

MAX_CELLS = 10_000_000
"""A larger table comes from ids or measurements taken for labels."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelMatch:
    """How the clusters of some rows relate to the known classes of the same rows.

    Made by `match_labels` (the names of the clusters are found on these rows) or by `score` (names
    found before are applied to other rows). Rows are counted from 0, by position; rows without a
    known class count for `n_missing` only.

    There are two ways to name clusters after classes, and each has its own numbers:

    * *one-to-one* (`mapping`, `accuracy`, `misses`): every class has one cluster at most and every
      cluster one class at most, chosen so that most rows agree. With fewer clusters than classes,
      the rows of the classes left without a cluster are misses; with more clusters than classes, so
      are the rows in the clusters left over: of a class in several pieces only one piece counts.
    * *majority* (`majority_mapping`, `majority_accuracy`, `majority_misses`): every cluster has the
      class most of its rows belong to, so all pieces of a class count. It never gets worse with
      more clusters; compare it between equal numbers of clusters only.

    Attributes
    ----------
    clusters : tuple of hashable, length n_clusters
        The rows of `confusion`: in the order of the classes they are named after one-to-one (or
        else by majority; within a class the matched cluster first, then by decreasing size). If
        each cluster has its own class, the matched pairs lie on the diagonal.
    classes : tuple of hashable, length n_classes
        The columns of `confusion`: sorted, or in the order of the categories.
    confusion : ndarray of shape (n_clusters, n_classes), int64, read-only
        Number of rows in a cluster and of a class.
    mapping : dict of cluster to class
        One-to-one names. A cluster is left out if no class is left for it, or none it shares a row
        with. Among equally good mappings the choice depends on the names only, not on the order of
        the rows.
    majority_mapping : dict of cluster to class
        The largest class of each cluster, the first of `classes` on ties. A cluster without any row
        of known class is left out.
    n_samples, n_missing : int
        Rows in all, and those without a known class.
    accuracy, majority_accuracy : float
        Fraction of the rows of known class whose cluster is named after their class.
    misses, majority_misses : ndarray of shape (n_misses,), int64, read-only
        The other rows of known class, ascending.
    purity : float
        `majority_accuracy` with the majority of these very rows: the same number after
        `match_labels`, never smaller after `score`.
    merged : dict of cluster to dict of class to float
        Clusters that are a home of several classes: the fraction of the cluster's rows that each of
        them holds, largest first.
    split : dict of class to dict of cluster to float
        Classes with several homes: the fraction of the class's rows that lie in each of them,
        largest first.
    adjusted_rand, adjusted_mutual_info, v_measure : float
        Agreement of the two partitions whatever the names, as defined by scikit-learn: 1 is the
        same partition. The first two are 0 on average for random labels.
    is_mapping_given : bool
        Whether the names were found on other rows (by `score`).
    new_clusters, new_classes : tuple of hashable
        Labels that did not occur when the names were found. Their rows are misses.

    Notes
    -----
    A cluster is a *home* of a class if it holds at least a quarter as many of the class's rows as
    the cluster that holds most of them; where the class is the cluster's largest, a hundredth is
    enough, because a class broken into many pieces has small ones. All other rows are strays: one
    row of 7,500 in a wrong cluster makes neither a merge nor a split.
    """

    clusters: tuple[Hashable, ...]
    classes: tuple[Hashable, ...]
    confusion: NDArray[np.int64]
    mapping: Mapping[Hashable, Hashable]
    majority_mapping: Mapping[Hashable, Hashable]
    n_samples: int
    n_missing: int
    accuracy: float
    majority_accuracy: float
    misses: NDArray[np.int64]
    majority_misses: NDArray[np.int64]
    purity: float
    merged: Mapping[Hashable, Mapping[Hashable, float]]
    split: Mapping[Hashable, Mapping[Hashable, float]]
    adjusted_rand: float
    adjusted_mutual_info: float
    v_measure: float
    is_mapping_given: bool
    new_clusters: tuple[Hashable, ...]
    new_classes: tuple[Hashable, ...]

    @property
    def n_misses(self) -> int:
        """Number of rows of known class whose cluster is not named after their class."""
        return len(self.misses)

    @property
    def n_majority_misses(self) -> int:
        """The same as `n_misses` with the majority mapping."""
        return len(self.majority_misses)

    def score(self, y_true: Any, y_pred: Any) -> LabelMatch:
        """Compare other rows, with the clusters named as here.

        For held-out rows: the names come from the training rows, so the accuracy is not flattered
        by a mapping chosen on the rows it is measured on.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Known classes of the other rows, as in `match_labels`.
        y_pred : array-like of shape (n_samples,)
            Their clusters, numbered as on the rows this match was made from.

        Returns
        -------
        LabelMatch
            With this one's `mapping` and `majority_mapping`. `clusters` and `classes` begin with
            this one's, in this one's order, even where no row is left of them; labels that are new
            follow (`new_clusters`, `new_classes`) and their rows are misses. Everything else,
            `misses` included, is about the other rows.

        Raises
        ------
        ValueError
            As for `match_labels`.
        """
        truth, found = _read(y_true, y_pred)
        truth, found = truth.aligned_to(self.classes), found.aligned_to(self.clusters)
        matched = _positions(self.mapping, found.names, truth.names)
        majority = _positions(self.majority_mapping, found.names, truth.names)
        return _compare(truth, found, matched, majority, named_by=self)

    def summary(self) -> str:
        """Say in plain words what agrees and what does not, with a table of the counts.

        Returns
        -------
        str
            Sentences, an empty line and a table, in lines of about 100 characters. A table too wide
            for that gives way to one line for each cluster with its largest classes; of more than
            30 clusters the largest 30 are shown, and the text says so.
        """
        return summarise(self)

    def __repr__(self) -> str:
        return (
            f"LabelMatch(n_clusters={len(self.clusters)}, n_classes={len(self.classes)}, "
            f"accuracy={self.accuracy:.6g}, n_misses={self.n_misses}, purity={self.purity:.6g})"
        )


def match_labels(y_true: Any, y_pred: Any) -> LabelMatch:
    """Compare clusters with known classes.

    Cluster numbers mean nothing by themselves, so clusters are first named after classes:
    one-to-one such that most rows agree (the Hungarian method), and, beside it, each after the
    class most of its rows belong to. The number of clusters may be smaller than, equal to or larger
    than the number of classes.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Known class of each row: numbers, strings, booleans, dates, or a mixture; an array, a list,
        or a pandas or polars column. None, NaN, NaT, ``pandas.NA``, masked entries and blank
        strings are missing: these rows are left out of all scores and counted in `n_missing`. The
        text "nan", which ``np.array(["a", np.nan])`` makes of a gap, is a class like any other.
    y_pred : array-like of shape (n_samples,)
        Cluster of each row, for example ``KMeans(5).fit_predict(X)``. Nothing may be missing. Rows
        are paired by position; the index of a data frame is ignored.

    Returns
    -------
    LabelMatch
        `accuracy`, `misses` and `mapping` follow the one-to-one names; `majority_accuracy`,
        `majority_misses` and `majority_mapping` the majority.

    Raises
    ------
    ValueError
        If a column is empty or not 1-D, the lengths differ, every class is missing, a cluster is
        missing, or there are so many different labels that they cannot be classes and clusters.

    See Also
    --------
    LabelMatch.score : The same names applied to held-out rows.

    Notes
    -----
    The cost is O(n_samples) for integers; strings and mixtures are hashed. On the table of counts
    the assignment takes O(min(n_clusters, n_classes)^2 * max(n_clusters, n_classes)).

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
    Quarterly 2, 1955, doi:10.1002/nav.3800020109; computed by SciPy after D. F. Crouse, "On
    implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and
    Electronic Systems 52, 2016, doi:10.1109/TAES.2016.140952.

    Examples
    --------
    >>> from centroids.compare import match_labels
    >>> match = match_labels(["cat", "cat", "dog", "dog", None], [1, 1, 0, 1, 0])
    >>> match.mapping
    {1: 'cat', 0: 'dog'}
    >>> match.accuracy, match.misses
    (0.75, array([3]))
    >>> match.score(["cat", "dog"], [1, 0]).accuracy
    1.0
    """
    truth, found = _read(y_true, y_pred)
    confusion = count_table(found, truth)
    matched, majority = _match_one_to_one(confusion), _match_by_majority(confusion)
    order = _reading_order(confusion, matched, majority)
    found = found.aligned_to([found.names[i] for i in order])
    return _compare(truth, found, matched[order], majority[order])


def _read(y_true: Any, y_pred: Any) -> tuple[LabelCodes, LabelCodes]:
    truth, found = encode_labels(y_true, "y_true"), encode_labels(y_pred, "y_pred")
    n_true, n_pred = len(truth.codes), len(found.codes)
    if n_true != n_pred:
        raise ValueError(
            f"y_true has {n_true:,} rows and y_pred {n_pred:,}; pass both for the same rows"
        )
    if not truth.names:
        raise ValueError(
            f"y_true has no class in any of its {n_true:,} rows (all are None, NaN or blank); "
            "pass at least one known class"
        )
    gaps = np.flatnonzero(found.codes == MISSING)
    if gaps.size:
        raise ValueError(
            f"y_pred has no cluster in {gaps.size:,} of {n_pred:,} rows, first in row {gaps[0]}; "
            "pass a cluster for every row"
        )
    if len(truth.names) * len(found.names) > MAX_CELLS:
        raise ValueError(
            f"y_true has {len(truth.names):,} different classes and y_pred {len(found.names):,} "
            "different clusters, too many to compare; pass labels, not ids or measurements"
        )
    return truth, found


def _match_one_to_one(confusion: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class position of each cluster such that most rows agree; -1 for none."""
    matched = np.full(len(confusion), MISSING, dtype=np.int64)
    # Clusters without known rows stay out, lest they change which of equal mappings is found.
    with_rows = np.flatnonzero(confusion.any(axis=1))
    cluster, of_class = linear_sum_assignment(confusion[with_rows], maximize=True)
    cluster = with_rows[cluster]
    # A pair without a common row adds nothing to the sum and would be an arbitrary name.
    has_rows = confusion[cluster, of_class] > 0
    matched[cluster[has_rows]] = of_class[has_rows]
    return matched


def _match_by_majority(confusion: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each cluster's largest class; -1 for a cluster without rows."""
    return np.where(confusion.any(axis=1), confusion.argmax(axis=1), MISSING)


def _reading_order(
    confusion: NDArray[np.int64], matched: NDArray[np.int64], majority: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Return the order of clusters that brings the large counts close to the diagonal."""
    is_unmatched = matched == MISSING
    column = np.where(is_unmatched, majority, matched)
    column[column == MISSING] = confusion.shape[1]
    return np.lexsort((-confusion.max(axis=1), is_unmatched, column))


def _compare(
    truth: LabelCodes,
    found: LabelCodes,
    matched: NDArray[np.int64],
    majority: NDArray[np.int64],
    named_by: LabelMatch | None = None,
) -> LabelMatch:
    """Measure everything, with clusters and classes in their final order and named for good.

    `matched` and `majority` hold each cluster's class position; `named_by` is where they were
    found, if not on these rows.
    """
    clusters, classes = found.names, truth.names
    n_old_clusters, n_old_classes = len(clusters), len(classes)
    if named_by is not None:
        n_old_clusters = len(named_by.clusters) - len(named_by.new_clusters)
        n_old_classes = len(named_by.classes) - len(named_by.new_classes)
    confusion = count_table(found, truth)
    n_scored = int(confusion.sum())
    misses = _rows_missed(truth, found, matched)
    majority_misses = _rows_missed(truth, found, majority)
    is_home = _find_homes(confusion)
    indices = agreement_indices(confusion)
    confusion.setflags(write=False)
    return LabelMatch(
        clusters=clusters,
        classes=classes,
        confusion=confusion,
        mapping=_names(matched, clusters, classes),
        majority_mapping=_names(majority, clusters, classes),
        n_samples=len(truth.codes),
        n_missing=len(truth.codes) - n_scored,
        accuracy=(n_scored - len(misses)) / n_scored,
        majority_accuracy=(n_scored - len(majority_misses)) / n_scored,
        misses=misses,
        majority_misses=majority_misses,
        purity=int(confusion.max(axis=1).sum()) / n_scored,
        merged=_shares_of_many(confusion, is_home, clusters, classes),
        split=_shares_of_many(confusion.T, is_home.T, classes, clusters),
        adjusted_rand=indices.adjusted_rand,
        adjusted_mutual_info=indices.adjusted_mutual_info,
        v_measure=indices.v_measure,
        is_mapping_given=named_by is not None,
        new_clusters=clusters[n_old_clusters:],
        new_classes=classes[n_old_classes:],
    )


def _positions(
    mapping: Mapping[Hashable, Hashable],
    clusters: Sequence[Hashable],
    classes: Sequence[Hashable],
) -> NDArray[np.int64]:
    """Return `mapping` as one class position for each cluster, -1 for none."""
    position = {name: i for i, name in enumerate(classes)}
    return np.array(
        [position[mapping[name]] if name in mapping else MISSING for name in clusters],
        dtype=np.int64,
    )


def _names(
    positions: NDArray[np.int64], clusters: Sequence[Hashable], classes: Sequence[Hashable]
) -> dict[Hashable, Hashable]:
    """Return one class position for each cluster as a mapping of names."""
    pairs = zip(clusters, positions.tolist(), strict=True)
    return {name: classes[position] for name, position in pairs if position != MISSING}


def _rows_missed(
    truth: LabelCodes, found: LabelCodes, class_of_cluster: NDArray[np.int64]
) -> NDArray[np.int64]:
    is_miss = (class_of_cluster[found.codes] != truth.codes) & (truth.codes != MISSING)
    rows = np.flatnonzero(is_miss).astype(np.int64, copy=False)
    rows.setflags(write=False)
    return rows


def _find_homes(confusion: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which clusters are a home of which classes (see the notes of `LabelMatch`)."""
    is_largest_class = confusion == confusion.max(axis=1, keepdims=True)
    needed_share = np.where(is_largest_class, OWN_PIECE_SHARE, PIECE_SHARE)
    largest_piece = confusion.max(axis=0)
    is_home: NDArray[np.bool_] = (confusion > 0) & (confusion >= needed_share * largest_piece)
    return is_home


def _shares_of_many(
    counts: NDArray[np.int64],
    is_part: NDArray[np.bool_],
    wholes: Sequence[Hashable],
    parts: Sequence[Hashable],
) -> dict[Hashable, dict[Hashable, float]]:
    """Return the shares of the parts for each whole (a row of `counts`) that has at least two."""
    shares: dict[Hashable, dict[Hashable, float]] = {}
    for i in np.flatnonzero(is_part.sum(axis=1) > 1).tolist():
        members = np.flatnonzero(is_part[i])
        members = members[np.argsort(-counts[i, members], kind="stable")]
        total = int(counts[i].sum())
        shares[wholes[i]] = {parts[j]: int(counts[i, j]) / total for j in members.tolist()}
    return shares
