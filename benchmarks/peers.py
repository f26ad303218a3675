"""One adapter per library: how it is really called, with everything that flatters switched off.

An adapter turns a task into a function without arguments; only that call is timed. Whatever a
user would not pay for (converting the dtype, finding out when to stop) happens before.
All libraries use all rows, the same number of threads and, as far as they let one choose, the
same start, the same number of iterations and scikit-learn's stopping rule.
"""

import ast
import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.cells import FIT_MAX_ITER, FIT_TOL

NO_LIMIT = 2**31 - 1  # for "at most this many rows per cluster"


@dataclass
class Outcome:
    """What a library found. ``n_iter`` is None when it does not tell."""

    centers: np.ndarray
    labels: np.ndarray
    n_iter: int | None
    # Libraries that give centers only need one more pass for the labels, which belong to a fit.
    # This is when the centers were there.
    centers_seconds: float | None = None


Call = Callable[[], Outcome]


class Peer:
    """Base of the adapters; ``packages`` are the distributions whose versions matter."""

    packages: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("f4", "f8")
    tasks: tuple[str, ...] = ("step", "fit", "small", "memory")
    # Where the adapter takes part; a variant is the same library called in another way, and
    # counts for that library wherever it is the faster way.
    fewest_features = 1
    fewest_clusters = 1
    variant_of: str | None = None
    remark = ""

    def __init__(self, threads: int, options: dict[str, object] | None = None):
        self.threads = threads
        self.options = options or {}

    def step(self, rows: np.ndarray, start: np.ndarray, n_iter: int) -> Call:
        """Call that runs n_iter Lloyd iterations from the given centers, tol=0."""
        raise NotImplementedError

    def fit(self, rows: np.ndarray, n_clusters: int, seed: int) -> Call:
        """Call that seeds with the library's k-means++ once and iterates to convergence."""
        raise NotImplementedError

    def predict_one(self, rows: np.ndarray, n_clusters: int) -> Callable[[], np.ndarray]:
        """Call that labels one row with a model fitted before."""
        raise NotImplementedError

    def versions(self) -> dict[str, str]:
        """Versions of what was measured."""
        return {name: importlib.metadata.version(name) for name in self.packages}


class ScikitLearn(Peer):
    """The reference. Threads come from OMP_NUM_THREADS and OPENBLAS_NUM_THREADS."""

    packages = ("scikit-learn", "numpy")

    def estimator(self, **settings: object) -> object:
        """Unfitted KMeans."""
        from sklearn.cluster import KMeans  # every process imports one library only

        return KMeans(n_init=1, **settings, **self.options)

    def _call(self, rows: np.ndarray, **settings: object) -> Call:
        def call() -> Outcome:
            model = self.estimator(**settings).fit(rows)
            self.check(model)
            return Outcome(model.cluster_centers_, model.labels_, model.n_iter_)

        return call

    def check(self, model: object) -> None:
        """Hook: make sure that the fit was what it claims to be."""

    def step(self, rows: np.ndarray, start: np.ndarray, n_iter: int) -> Call:
        return self._call(rows, n_clusters=len(start), init=start, max_iter=n_iter, tol=0.0)

    def fit(self, rows: np.ndarray, n_clusters: int, seed: int) -> Call:
        return self._call(
            rows,
            n_clusters=n_clusters,
            init="k-means++",
            max_iter=FIT_MAX_ITER,
            tol=FIT_TOL,
            random_state=seed,
        )

    def predict_one(self, rows: np.ndarray, n_clusters: int) -> Callable[[], np.ndarray]:
        model = self.estimator(n_clusters=n_clusters, random_state=0).fit(rows)
        row = rows[:1].copy()
        return lambda: model.predict(row)


class ScikitLearnIntelex(ScikitLearn):
    """oneDAL behind scikit-learn's interface; never its fallback."""

    packages = ("scikit-learn-intelex", "daal", "scikit-learn", "numpy")
    remark = "oneDAL; its own stream of random numbers"

    def estimator(self, **settings: object) -> object:
        from sklearnex import set_config
        from sklearnex.cluster import KMeans

        set_config(allow_sklearn_after_onedal=False)
        return KMeans(n_init=1, n_jobs=self.threads, **settings, **self.options)

    def check(self, model: object) -> None:
        # The attribute is set by oneDAL's path only; scikit-learn's fit, to which the estimator
        # turns when it finds a case unsupported, never does.
        if not hasattr(model, "_onedal_estimator"):
            raise RuntimeError("scikit-learn-intelex fell back to scikit-learn")


class Centroids(ScikitLearn):
    """This project. The search for a better optimum is off: Lloyd against Lloyd."""

    packages = ("centroids",)

    def estimator(self, **settings: object) -> object:
        from centroids import KMeans

        settings = {"n_init": 1, "n_jobs": self.threads, "search": None, **settings}
        return KMeans(**(settings | self.options))

    def versions(self) -> dict[str, str]:
        import centroids  # may run from a checkout that was never installed

        numpy = importlib.metadata.version("numpy")
        return {"centroids": centroids.__version__, "numpy": numpy}


class Faiss(Peer):
    """faiss.Clustering over a flat index; float32 only.

    Off: sampling down to 256 rows a cluster. Seeding is plain k-means++ (one candidate a step,
    where the others try 2 + log K). It knows no shift of centers to stop at, so the iterations
    scikit-learn's rule asks for are counted before, untimed, and then run in one go.
    """

    packages = ("faiss-cpu", "numpy")
    dtypes = ("f4",)
    remark = "plain k-means++ (one candidate a step); iterations counted beforehand"

    def _clustering(self, shape: tuple[int, int], n_iter: int, seed: int = 0) -> object:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        settings = faiss.ClusteringParameters()
        settings.niter = n_iter
        settings.nredo = 1
        settings.seed = seed
        settings.max_points_per_centroid = NO_LIMIT
        settings.min_points_per_centroid = 1
        settings.init_method = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        n_clusters, n_features = shape
        return faiss.Clustering(n_features, n_clusters, settings)

    def _train(
        self, rows: np.ndarray, shape: tuple[int, int], n_iter: int, start: np.ndarray | int
    ) -> tuple[np.ndarray, object, int]:
        """Centers, the index over them and the iterations run; an int start is a seed."""
        import faiss

        seed = start if isinstance(start, int) else 0
        clustering = self._clustering(shape, n_iter, seed)
        if not isinstance(start, int):
            faiss.copy_array_to_vector(start.ravel(), clustering.centroids)
        index = faiss.IndexFlatL2(shape[1])
        clustering.train(rows, index)
        centers = faiss.vector_to_array(clustering.centroids).reshape(shape)
        return centers, index, clustering.iteration_stats.size()

    def _call(
        self, rows: np.ndarray, shape: tuple[int, int], n_iter: int, start: np.ndarray | int
    ) -> Call:
        def call() -> Outcome:
            begin = time.perf_counter()
            centers, index, done = self._train(rows, shape, n_iter, start)
            centers_seconds = time.perf_counter() - begin
            _, labels = index.search(rows, 1)
            return Outcome(centers, labels[:, 0], done, centers_seconds)

        return call

    def _iterations_to_converge(self, rows: np.ndarray, shape: tuple[int, int], seed: int) -> int:
        """Iterations until the centers move by no more than scikit-learn's tolerance."""
        tolerance = FIT_TOL * rows.var(axis=0, dtype=np.float64).mean()
        centers, _, _ = self._train(rows, shape, 0, seed)
        for n_iter in range(1, FIT_MAX_ITER + 1):
            moved, _, _ = self._train(rows, shape, 1, centers)
            if ((moved - centers).astype(np.float64) ** 2).sum() <= tolerance:
                return n_iter
            centers = moved
        return FIT_MAX_ITER

    def step(self, rows: np.ndarray, start: np.ndarray, n_iter: int) -> Call:
        return self._call(rows, start.shape, n_iter, start)

    def fit(self, rows: np.ndarray, n_clusters: int, seed: int) -> Call:
        shape = (n_clusters, rows.shape[1])
        seed += 1  # keeps clear of 0, which some generators take for "none"
        return self._call(rows, shape, self._iterations_to_converge(rows, shape, seed), seed)

    def predict_one(self, rows: np.ndarray, n_clusters: int) -> Callable[[], np.ndarray]:
        _, index, _ = self._train(rows, (n_clusters, rows.shape[1]), 25, 1)
        row = rows[:1].copy()
        return lambda: index.search(row, 1)[1]


class FaissSuperKMeans(Faiss):
    """faiss.SuperKMeans: approximate (statistical pruning), random rows as start, no stop rule."""

    tasks = ("step",)
    variant_of = "faiss"
    fewest_features = 128  # its documentation recommends it from here on
    remark = "approximate; random rows of its own as start"

    def step(self, rows: np.ndarray, start: np.ndarray, n_iter: int) -> Call:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        settings = faiss.SuperKMeansParameters()
        settings.niter = n_iter
        settings.max_points_per_centroid = NO_LIMIT
        settings.min_points_per_centroid = 1

        def call() -> Outcome:
            begin = time.perf_counter()
            clustering = faiss.SuperKMeans(rows.shape[1], len(start), settings)
            clustering.train(rows)
            centers = faiss.vector_to_array(clustering.centroids).reshape(start.shape)
            centers_seconds = time.perf_counter() - begin
            index = faiss.IndexFlatL2(rows.shape[1])
            index.add(centers)
            _, labels = index.search(rows, 1)
            done = clustering.iteration_stats.size()
            return Outcome(centers, labels[:, 0], done, centers_seconds)

        return call


class SuperKMeans(Peer):
    """The superkmeans wheel; float32 only, approximate from 128 columns and 257 clusters on.

    Off: sampling (30 % of the rows and 256 a cluster), two-level clustering above 100,000 rows,
    stopping by recall. It takes no start and knows no k-means++: it starts from random rows of
    its own, so the inertia of its step compares with nobody's.
    """

    packages = ("superkmeans", "numpy")
    dtypes = ("f4",)
    remark = "random rows of its own as start, no k-means++; approximate at many columns"

    def _call(self, rows: np.ndarray, n_clusters: int, seed: int, **settings: object) -> Call:
        from superkmeans import SuperKMeans as Library

        def call() -> Outcome:
            begin = time.perf_counter()
            model = Library(
                n_clusters,
                rows.shape[1],
                hierarchical=False,
                sampling_fraction=1.0,
                max_points_per_cluster=NO_LIMIT,
                n_threads=self.threads,
                seed=seed,
                **settings,
                **self.options,
            )
            centers = model.train(rows)
            centers_seconds = time.perf_counter() - begin
            labels = model.assign_training_points(rows, centers)
            return Outcome(centers, labels, len(model.iteration_stats), centers_seconds)

        return call

    def step(self, rows: np.ndarray, start: np.ndarray, n_iter: int) -> Call:
        return self._call(rows, len(start), 0, iters=n_iter, tol=0.0, early_termination=False)

    def fit(self, rows: np.ndarray, n_clusters: int, seed: int) -> Call:
        # It stops when inertia falls by less than the relative tol, scikit-learn when the centers'
        # summed squared shift is below tol · variance. A shift of that size lowers inertia by
        # about tol / (K · d) of itself.
        tol = FIT_TOL / (n_clusters * rows.shape[1])
        return self._call(
            rows, n_clusters, seed, iters=FIT_MAX_ITER, tol=tol, early_termination=True
        )

    def predict_one(self, rows: np.ndarray, n_clusters: int) -> Callable[[], np.ndarray]:
        from superkmeans import SuperKMeans as Library

        model = Library(n_clusters, rows.shape[1], hierarchical=False, n_threads=self.threads)
        centers = model.train(rows)
        row = rows[:1].copy()
        return lambda: model.assign(row, centers)


class SuperKMeansBlas(SuperKMeans):
    """The same without pruning: on overlapping clusters its pruning costs more than it saves."""

    variant_of = "superkmeans"
    fewest_features = 128  # below, and up to 256 clusters, the default prunes nothing either
    fewest_clusters = 257
    remark = "without pruning: exact"

    def __init__(self, threads: int, options: dict[str, object] | None = None):
        super().__init__(threads, {"use_blas_only": True} | (options or {}))


PEERS: dict[str, type[Peer]] = {
    "centroids": Centroids,
    "scikit-learn": ScikitLearn,
    "scikit-learn-intelex": ScikitLearnIntelex,
    "faiss": Faiss,
    "superkmeans": SuperKMeans,
    "faiss-super": FaissSuperKMeans,
    "superkmeans-blas": SuperKMeansBlas,
}


def parse_name(name: str) -> tuple[str, dict[str, object]]:
    """``centroids:algorithm=elkan,n_init=3`` → library and options of its constructor."""
    library, _, text = name.partition(":")
    if library not in PEERS:
        raise ValueError(f"unknown library {library!r}; known: {', '.join(PEERS)}")
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return library, {key: _value(text) for key, _, text in pairs}


def _value(text: str) -> object:
    """A Python literal where it is one, else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def make_peer(name: str, threads: int) -> Peer:
    """Adapter for a name as on the command line."""
    library, options = parse_name(name)
    return PEERS[library](threads, options)
