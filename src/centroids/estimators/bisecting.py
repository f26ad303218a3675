"""The `BisectingKMeans` estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from centroids import _core
from centroids.estimators import parameters as rule
from centroids.estimators.nearest_center import NearestCenterModel
from centroids.estimators.runs import (
    MOST_ITERATIONS,
    RunSettings,
    Start,
    check_init,
    completed,
    run_from,
    run_plain,
    seeds_of,
    warn_of_empty,
)
from centroids.estimators.splits import Growth, Members, Node, Place, grow
from centroids.rows.arrays import checked_problem
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

# Of many more rows, the splits are planned on a sample of this size, or of so many rows a cluster.
_SAMPLE, _ROWS_PER_CLUSTER, _MANY_MORE = 8_192, 32, 4
# Fewer rows of a sample than this say too little.
_ENOUGH = 128
# Numbers that scikit-learn draws for a start, at most; and for a tree, as far as they are kept.
_DRAWS, _MOST_DRAWS = 3, 1_000_000
# Sums of squares may differ by so much, relative, and mean the same.
_ROUNDING = 1e-9
# Runs of scikit-learn, and plans, that differ by less are equally good.
_SAME_ERROR = 1e-6
# What looking for better splits may cost: a share of a plain tree of all rows, where these are not
# too many more than the sample, and so many multiply-adds for each cluster.
_SHARE, _WORK_PER_CLUSTER = 1.5, 250_000
# Tables of so few values are planned on in an order of their own, which takes sorting them.
_FEW_VALUES = 8_192


def _sample_size(n_leaves: int) -> int:
    return max(_SAMPLE, _ROWS_PER_CLUSTER * n_leaves)


def _is_for_sample(n_rows: int, n_leaves: int) -> bool:
    return n_rows > _MANY_MORE * _sample_size(n_leaves)


def _two_rows(
    n_rows: int, weights: NDArray[np.float64] | None, random: np.random.RandomState
) -> NDArray[np.int64]:
    """Draw ``random.choice(n_rows, 2, replace=False, p=weights / weights.sum())``."""
    if weights is not None:
        return random.choice(n_rows, 2, replace=False, p=weights / weights.sum())
    # With equal weights there is no need to add them up.
    first, second = (random.random_sample(2) * n_rows).astype(np.int64)
    if first == second:
        second = int(random.random_sample() * (n_rows - 1))
        second += second >= first
    return np.array([first, second])


class _CorePlan(NamedTuple):
    """What the core plans.

    Attributes
    ----------
    parts : ndarray of shape (n_nodes, 2)
    centers : ndarray of shape (n_nodes, n_features), float64
        As in `Place`.
    inertia, first_inertia : float
        Of its leaves, and of the leaves of the tree it began with.
    """

    parts: NDArray[np.int64]
    centers: NDArray[np.float64]
    inertia: float
    first_inertia: float


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
    def of(cls, root: Node) -> _Tree:
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
        Starts of each split from ``init``, at least. Unless ``init`` is a callable, splits are
        planned: of the tree that scikit-learn draws from the same ``random_state``, more starts are
        tried, also from k-means++, and where they end in different splits, the one is taken that
        leads to the leaves of the lowest inertia. Of many rows a sample is planned on. Up to 8,192
        values are planned on in an order of their own, equal rows as one. Where scikit-learn's tree
        may be the better one it is grown, too, and the better of the two kept.
    random_state : int, RandomState instance or None, default=None
        Seed of the first centers.
    max_iter : int, default=300
        Most iterations of one run.
    verbose : int, default=0
        Above 0, prints one line an iteration.
    tol : float, default=1e-4
        A run ends when the sum of squared center shifts is at most ``tol`` times the mean variance
        of the columns within the cluster that is split; runs of scikit-learn's tree and from a
        callable ``init`` at ``tol`` itself, as there.
    copy_x : bool, default=True
        Accepted for compatibility: nothing is ever overwritten.
    algorithm : {"lloyd", "elkan", "auto"}, default="lloyd"
        Accepted for compatibility: all give the same labels.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which cluster is split next: the one with the largest inertia, or with the most rows (each
        counted by its weight). Clusters of equal rows are passed over.
    n_jobs : int or None, default=None
        Most threads to use, as in `KMeans`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers of the leaves of the tree, those of the heavier part of each split first, in the
        dtype of the training rows. There are fewer when X has fewer different rows.
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
        with self._new_model(align_to) as old:
            rows, weights = self._check_fit_rows(X, sample_weight, old)
            self._check_n_clusters(rows.shape[0])
            threads = self._threads(rows, 2)
            problem = checked_problem(self, rows, weights, threads)
            members = Members(rows, weights)
            if weights is not None:  # rows of weight zero have no say
                members = members.take(np.flatnonzero(weights))
            # One cluster of all rows; its center is their mean.
            whole = run_plain(problem, 1, Start(np.zeros((1, rows.shape[1]))), max_iter=1)
            root = self._best_tree(whole["centers"][0], members)
            self._store(root, rows, weights, threads)
            warn_of_empty(self.counts_, int(self.n_clusters))
            self._end_fit(old, rows)
        return self

    def _best_tree(self, center: NDArray[np.float64], members: Members) -> Node:
        """Grow a tree along a plan, and the one scikit-learn draws where it may be the better."""
        random, seeds = check_random_state(self.random_state), seeds_of(self.random_state)
        if callable(self.init):
            return self._drawn_tree(center, members, random)
        same_random = deepcopy(random)
        place, drawn_inertia = self._plan(members, int(self.n_clusters), random, seeds)
        planned = self._grown(
            center,
            members,
            lambda inside, node: self._planned_split(inside, node, random, seeds),
            place,
        )
        if planned.inertia_of_leaves() <= drawn_inertia * (1 + _ROUNDING):
            return planned
        trees = {"planned": planned, "drawn": self._drawn_tree(center, members, same_random)}
        best = min(trees, key=lambda name: trees[name].inertia_of_leaves())
        if self.verbose:
            print(f"Of the trees above, that of {best} splits has the lower inertia.")  # noqa: T201
        return trees[best]

    def _drawn_tree(
        self, center: NDArray[np.float64], members: Members, random: np.random.RandomState
    ) -> Node:
        return self._grown(
            center, members, lambda inside, node: self._drawn_split(inside, node, random)
        )

    def _grown(
        self,
        center: NDArray[np.float64],
        members: Members,
        split: Callable[[Members, Node], _core.Run],
        place: Place | None = None,
    ) -> Node:
        root = Node(center, np.arange(len(members)), len(members), np.inf, np.inf, place)
        growth = Growth(
            n_leaves=int(self.n_clusters),
            size=self._size,
            run=lambda inside, node: self._say(split(inside, node)),
            threads=lambda rows: self._threads(rows, 2),
        )
        grow(root, members, growth)
        return root

    def _say(self, run: _core.Run) -> _core.Run:
        if self.verbose:
            print(f"New centroids from bisection: {run['centers']}")  # noqa: T201
        return run

    def _size(self, node: Node) -> float:
        by_inertia = self.bisecting_strategy == "biggest_inertia"
        return node.inertia if by_inertia else node.weight

    def _plan(
        self, members: Members, n_leaves: int, random: np.random.RandomState, seeds: Iterator[int]
    ) -> tuple[Place, float]:
        """Return the root of a plan of the splits of these rows, and the inertia it began with.

        A plan of all rows begins with the tree that scikit-learn draws from the same state. What
        the tree of all rows would come to is unknown in a plan of a sample: 0.
        """
        is_sampled = _is_for_sample(len(members), n_leaves)
        sample = members.sample(_sample_size(n_leaves), random) if is_sampled else members
        rows_for_one = len(members) / len(sample)
        n_draws = 0 if is_sampled else _DRAWS * int(self.n_init) * (n_leaves - 1)
        draws = random.random_sample(min(n_draws, _MOST_DRAWS))
        settings = n_leaves, next(seeds)
        budget = _SHARE * min(rows_for_one, _MANY_MORE), _WORK_PER_CLUSTER
        if is_sampled:
            plan = self._core_plan(sample, *settings, draws, *budget)
            return Place(plan.parts, plan.centers, _ENOUGH * rows_for_one), 0.0
        if np.prod(members.rows.shape) > _FEW_VALUES:
            plan = self._core_plan(members, *settings, draws, *budget)
            return Place(plan.parts, plan.centers, 0), plan.first_inertia
        # Neither the order of the rows nor how often one is repeated shall change the tree.
        plan = self._core_plan(members.different(), *settings, np.empty(0), *budget)
        drawn = self._core_plan(members, *settings, draws, 0, 0)
        best = drawn if drawn.inertia < plan.inertia * (1 - _SAME_ERROR) else plan
        return Place(best.parts, best.centers, 0), drawn.inertia

    def _core_plan(
        self,
        members: Members,
        n_leaves: int,
        seed: int,
        draws: NDArray[np.float64],
        share: float,
        work_per_leaf: float,
    ) -> _CorePlan:
        by_inertia = self.bisecting_strategy == "biggest_inertia"
        plan = new_problem(*members, 1).plan_bisecting(
            n_leaves, by_inertia, str(self.init), int(self.n_init), seed, draws,
            min(int(self.max_iter), MOST_ITERATIONS), float(self.tol), share, work_per_leaf,
        )  # fmt: skip
        return _CorePlan(*plan)

    def _drawn_split(
        self, members: Members, node: Node, random: np.random.RandomState
    ) -> _core.Run:
        """Split a cluster from starts that scikit-learn draws from the same state."""
        starts = [self._drawn_start(members, node, random) for _ in range(int(self.n_init))]
        best, *others = self._runs_from(members, starts, is_tol_relative=False)
        for run in others:
            if run["inertia"] < best["inertia"] * (1 - _SAME_ERROR):  # as scikit-learn does
                best = run
        return best

    def _drawn_start(
        self, members: Members, node: Node, random: np.random.RandomState
    ) -> NDArray[np.float64]:
        rows, weights = members
        if callable(self.init):
            return check_init(self.init(rows, 2, random_state=random), rows, 2)
        if self.init == "k-means++":
            from sklearn.cluster import kmeans_plusplus

            near_zero = rows if sp.issparse(rows) else rows - node.center.astype(rows.dtype)
            _, drawn = kmeans_plusplus(near_zero, 2, sample_weight=weights, random_state=random)
        else:
            drawn = _two_rows(len(members), weights, random)
        return check_init(rows[drawn], rows, 2)

    def _planned_split(
        self,
        members: Members,
        node: Node,
        random: np.random.RandomState,
        seeds: Iterator[int],
    ) -> _core.Run:
        """Split a cluster where the plan says, where it says anything."""
        place = node.place
        if place is None or not place.is_split or node.n_rows < place.fewest_rows:
            place, _ = self._plan(members, 2, random, seeds)
            node.place = place
        # Where the plan's rows are all equal, so are these centers; then a far row takes one.
        centers = place.part_centers if place.is_split else np.repeat(place.centers[:1], 2, axis=0)
        return self._runs_from(members, [centers], is_tol_relative=True)[0]

    def _runs_from(
        self, members: Members, starts: list[NDArray[np.float64]], *, is_tol_relative: bool
    ) -> list[_core.Run]:
        rows, weights = members
        problem = new_problem(rows, weights, self._threads(rows, 2))
        settings = self._settings(
            float(self.tol) * (problem.mean_variance if is_tol_relative else 1)
        )
        return [
            completed(run_from(problem, Start(pair), settings, number, None, len(members)))
            for number, pair in enumerate(starts, start=1)
        ]

    def _settings(self, tol: float) -> RunSettings:
        return RunSettings(
            n_clusters=2,
            init=self.init,
            n_init=1,
            algorithm="auto",
            max_iter=min(int(self.max_iter), MOST_ITERATIONS),
            tol=tol,
            deadline=None,
            verbose=int(self.verbose),
            callback=None,
            metric=self._metric,
            search=None,
        )

    def _store(
        self, root: Node, rows: Any, weights: NDArray[np.float64] | None, threads: int
    ) -> None:
        leaves = list(root.leaves())
        centers = np.array([leaf.center for leaf in leaves])
        self._tree = _Tree.of(root)
        if weights is None or weights.all():
            self.labels_ = np.empty(rows.shape[0], dtype=np.int32)
            for label, leaf in enumerate(leaves):
                self.labels_[leaf.rows] = label
        else:
            self.labels_ = self._labels_of(rows, centers, threads)
        self.counts_ = np.bincount(self.labels_, minlength=len(leaves)).astype(np.int64, copy=False)
        self.inertia_ = self._inertia_of(rows, centers, self.labels_, weights, threads)
        self.cluster_centers_ = centers.astype(rows.dtype)
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
