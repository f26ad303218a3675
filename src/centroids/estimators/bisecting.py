"""The `BisectingKMeans` estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.random import sample_without_replacement

from centroids import _core
from centroids.estimators import parameters as rule
from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.runs import RunSettings, completed, run_best, warn_of_empty
from centroids.rows.arrays import (
    check_rows,
    check_sample_weight,
    raise_if_bad,
    raise_if_out_of_range,
)
from centroids.rows.sparse import core_rows, new_problem

__all__ = ["BisectingKMeans"]

_RULES = {
    "n_clusters": rule.integer_from(1),
    "init": rule.either(rule.one_of("k-means++", "random"), rule.CALLABLE),
    "n_init": rule.integer_from(1),
    "random_state": rule.RANDOM_STATE,
    "max_iter": rule.integer_from(1),
    "verbose": rule.LEVEL,
    "tol": rule.NOT_NEGATIVE,
    "copy_x": rule.FLAG,
    "algorithm": rule.one_of("auto", "lloyd", "elkan"),
    "bisecting_strategy": rule.one_of("biggest_inertia", "largest_cluster"),
    "n_jobs": rule.N_JOBS,
}

# Starts of each split beyond those asked for: a bad split cannot be mended further down.
_EXTRA_STARTS = 2
# Of twice as many rows and more, a sample of this size says where to start.
_SAMPLE = 8_192


@dataclass(eq=False)
class _Node:
    """A cluster of the tree: its rows while the tree grows, its parts once it is split."""

    center: NDArray[np.float64]
    rows: NDArray[np.int64] | None
    inertia: float
    parts: tuple[_Node, _Node] | None = None
    can_split: bool = True

    def nodes(self) -> Iterator[_Node]:
        """Yield all nodes, each before its parts, from left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.parts or ()))


class _Tree(NamedTuple):
    """The tree for `predict`, as arrays: it may be as deep as there are clusters.

    Attributes
    ----------
    parts : ndarray of shape (n_nodes, 2)
        Numbers of the two parts of a node; -1 at a leaf.
    labels : ndarray of shape (n_nodes,)
        Cluster of a leaf; -1 elsewhere.
    centers : ndarray of shape (n_nodes, n_features), float64
    """

    parts: NDArray[np.int64]
    labels: NDArray[np.int32]
    centers: NDArray[np.float64]

    @classmethod
    def of(cls, root: _Node) -> _Tree:
        nodes = list(root.nodes())
        number = {id(node): i for i, node in enumerate(nodes)}
        parts = [[number[id(part)] for part in node.parts or ()] or [-1, -1] for node in nodes]
        is_leaf = np.array([node.parts is None for node in nodes])
        labels = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1).astype(np.int32)
        return cls(np.array(parts), labels, np.array([node.center for node in nodes]))


class BisectingKMeans(NearestCenterModel):
    """K-Means that splits one cluster in two until there are ``n_clusters``.

    The clusters form a tree; a row finds its cluster by going down the tree to the nearer of two
    centers, in ``fit`` and in ``predict`` [1]_. Parameters shared with
    ``sklearn.cluster.BisectingKMeans`` keep its meaning and defaults.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : {"k-means++", "random"} or callable, default="random"
        First centers of each split. A callable is called as ``init(X, 2, random_state=...)``.
    n_init : int, default=1
        Starts of each split from ``init``. Unless ``init`` is a callable, a few starts from greedy
        k-means++ are tried as well, and the split with the lowest inertia is kept.
    random_state : int, RandomState instance or None, default=None
        Seed of the first centers.
    max_iter : int, default=300
        Most iterations of one run.
    verbose : int, default=0
        Above 0, prints one line an iteration.
    tol : float, default=1e-4
        A run ends when the sum of squared center shifts is at most ``tol`` times the mean variance
        of the columns within the cluster that is split.
    copy_x : bool, default=True
        Accepted for compatibility: nothing is ever overwritten.
    algorithm : {"lloyd", "elkan", "auto"}, default="lloyd"
        Accepted for compatibility: all give the same labels.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which cluster is split next: the one with the largest inertia, or with the most rows.
        Clusters of equal rows are passed over.
    n_jobs : int or None, default=None
        Most threads to use, as in `KMeans`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers of the leaves of the tree from left to right, in the dtype of the training rows.
        There are fewer when X has fewer different rows.
    labels_ : ndarray of shape (n_samples,), int32
        Cluster of each training row: ``predict`` of the training rows.
    inertia_ : float
        Sum of squared distances of the rows to the center of their cluster, times their weights.
    counts_ : ndarray of shape (n_clusters,), int64
        Training rows in each cluster.
    n_features_in_ : int
        Number of columns seen by ``fit``.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    References
    ----------
    .. [1] M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques",
       KDD Workshop on Text Mining, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from centroids import BisectingKMeans
    >>> X = np.array([[1, 1], [2, 1], [10, 1], [11, 1], [10, 9], [11, 9]])
    >>> BisectingKMeans(n_clusters=3, random_state=0).fit(X).inertia_
    1.5
    """

    cluster_centers_: NDArray[Any]
    labels_: NDArray[np.int32]
    inertia_: float
    counts_: NDArray[np.int64]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | Callable[..., ArrayLike] = "random",
        n_init: int = 1,
        random_state: int | np.random.RandomState | None = None,
        max_iter: int = 300,
        verbose: int = 0,
        tol: float = 1e-4,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        bisecting_strategy: str = "biggest_inertia",
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.random_state = random_state
        self.max_iter = max_iter
        self.verbose = verbose
        self.tol = tol
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        align_to: NearestCenterModel | None = None,
    ) -> Self:
        """Find the clusters of the rows of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to cluster. Each split copies the rows of the cluster that is split.
        y : ignored
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row, not negative. A row of weight w counts as w equal rows.
        align_to : KMeans, MiniBatchKMeans or BisectingKMeans, default=None
            A fitted model of the same columns, whose cluster numbers and names are taken over where
            clusters are the same (`centroids.align`); ``alignment_`` says what changed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When a parameter breaks its rule, X holds NaN or infinity, or there are fewer rows than
            clusters.
        """
        rule.check_parameters(self, _RULES)
        old = self._begin_fit(align_to)
        rows = check_rows(self, X, reset=True)
        if old is not None:
            old.check_columns_of(self)
        weights = check_sample_weight(sample_weight, rows.shape[0])
        self._check_n_clusters(rows.shape[0])
        threads = self._threads(rows, 2)
        problem = new_problem(rows, weights, threads)
        raise_if_bad(self, rows, problem.first_bad)
        raise_if_out_of_range(self, rows, problem.bad_range)
        # One cluster of all rows; its center is their mean.
        whole = completed(
            problem.fit(1, np.zeros((1, rows.shape[1])), "", 0, "auto", 1, 0.0, None, None)
        )
        root = _Node(whole["centers"][0], np.arange(rows.shape[0]), whole["inertia"])
        self._grow(root, rows, weights)
        self._store(root, rows, weights, threads)
        warn_of_empty(self.counts_, int(self.n_clusters))
        self._end_fit(old, rows)
        return self

    def _grow(self, root: _Node, rows: Any, weights: NDArray[np.float64] | None) -> None:
        """Split until there are enough leaves, or none that can be split."""
        random = check_random_state(self.random_state)
        leaves = [root]
        while len(leaves) < self.n_clusters:
            candidates = [leaf for leaf in leaves if leaf.can_split]
            if not candidates:
                return
            leaf = max(candidates, key=self._size)
            if self._split(leaf, rows, weights, random):
                assert leaf.parts is not None
                leaves.remove(leaf)
                leaves.extend(leaf.parts)

    def _size(self, leaf: _Node) -> float:
        if self.bisecting_strategy == "biggest_inertia":
            return leaf.inertia
        assert leaf.rows is not None
        return float(len(leaf.rows))

    def _split(
        self,
        leaf: _Node,
        rows: Any,
        weights: NDArray[np.float64] | None,
        random: np.random.RandomState,
    ) -> bool:
        """Split a leaf in two, or find that it cannot be split."""
        assert leaf.rows is not None
        members = rows if len(leaf.rows) == rows.shape[0] else rows[leaf.rows]
        w = None if weights is None else weights[leaf.rows]
        if members.shape[0] < 2 or (w is not None and not w.any()):
            leaf.can_split = False
            return False
        threads = self._threads(members, 2)
        run = self._best_split(members, w, threads, random)
        if not run["counts"].all():  # all rows are equal
            leaf.can_split = False
            return False
        parts = []
        for j in (0, 1):
            inside = run["labels"] == j
            part = members[inside]
            inertia = _core.inertia(
                core_rows(part),
                run["centers"][[j]],
                np.zeros(part.shape[0], dtype=np.int32),
                None if w is None else w[inside],
                threads,
            )
            parts.append(_Node(run["centers"][j], leaf.rows[inside], inertia))
        leaf.parts = (parts[0], parts[1])
        leaf.rows = None
        return True

    def _best_split(
        self,
        members: Any,
        weights: NDArray[np.float64] | None,
        threads: int,
        random: np.random.RandomState,
    ) -> _core.Run:
        """Split many rows from where the best split of a sample of them ended."""
        if callable(self.init) or members.shape[0] < 2 * _SAMPLE:
            return self._best_run(members, weights, threads, random)
        chosen = sample_without_replacement(members.shape[0], _SAMPLE, random_state=random)
        chosen.sort()
        w = None if weights is None else weights[chosen]
        if w is not None and not w.any():
            return self._best_run(members, weights, threads, random)
        start = self._best_run(members[chosen], w, threads, random)
        if not start["counts"].all():  # the rows that differ are not in the sample
            return self._best_run(members, weights, threads, random)
        problem = new_problem(members, weights, threads)
        centers = start["centers"].astype(members.dtype)
        return completed(run_best(problem, members, self._settings(problem, centers, 1), random))

    def _best_run(
        self,
        members: Any,
        weights: NDArray[np.float64] | None,
        threads: int,
        random: np.random.RandomState,
    ) -> _core.Run:
        """Return the best of the starts asked for and a few more."""
        problem = new_problem(members, weights, threads)
        asked = self._settings(problem, self.init, int(self.n_init))
        run = completed(run_best(problem, members, asked, random))
        if callable(self.init):
            return run
        more = self._settings(problem, "k-means++", _EXTRA_STARTS)
        other = completed(run_best(problem, members, more, random))
        return other if other["inertia"] < run["inertia"] else run

    def _settings(
        self, problem: _core.Problem | _core.SparseProblem, init: Any, n_init: int
    ) -> RunSettings:
        return RunSettings(
            n_clusters=2,
            init=init,
            n_init=n_init,
            algorithm="auto",
            max_iter=min(int(self.max_iter), 2**62),
            tol=float(self.tol) * problem.mean_variance,
            max_time=None,
            verbose=int(self.verbose),
            callback=None,
            metric=self._metric,
            search=None,
        )

    def _store(
        self, root: _Node, rows: Any, weights: NDArray[np.float64] | None, threads: int
    ) -> None:
        leaves = [node for node in root.nodes() if node.parts is None]
        self.labels_ = np.empty(rows.shape[0], dtype=np.int32)
        for label, leaf in enumerate(leaves):
            self.labels_[leaf.rows] = label
        centers = np.array([leaf.center for leaf in leaves])
        self.counts_ = np.bincount(self.labels_, minlength=len(leaves)).astype(np.int64, copy=False)
        self.inertia_ = self._inertia_of(rows, centers, self.labels_, weights, threads)
        self.cluster_centers_ = centers.astype(rows.dtype)
        self._tree = _Tree.of(root)
        self._n_features_out = len(leaves)

    def _renumber(self, order: NDArray[np.int64]) -> None:
        super()._renumber(order)
        # The last entry is what the -1 of an inner node picks.
        number = np.append(np.argsort(order), -1).astype(np.int32)
        self._tree = self._tree._replace(labels=number[self._tree.labels])

    def _labels_of(
        self,
        rows: Any,
        centers: NDArray[np.float64],
        threads: int,
    ) -> NDArray[np.int32]:
        """Go down the tree, to the nearer of two centers at each split."""
        labels = np.empty(rows.shape[0], dtype=np.int32)
        stack = [(0, np.arange(rows.shape[0]))]
        while stack:
            node, where = stack.pop()
            parts = self._tree.parts[node]
            if parts[0] < 0:
                labels[where] = self._tree.labels[node]
            elif len(where):
                members = rows if len(where) == rows.shape[0] else rows[where]
                side = _core.assign(core_rows(members), self._tree.centers[parts], threads)
                stack.extend((part, where[side == j]) for j, part in enumerate(parts.tolist()))
        return labels
