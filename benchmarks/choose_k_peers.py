"""Other tools that choose K, called as their users would; each is left out where it cannot run.

Every peer is a function (rows, k_max) → K, None where the tool gives no answer. Ranges: tools that
take one get 2 … k_max of choose_k, which covers the truth, except "yellowbrick default".
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, silhouette_score

Peer = Callable[[np.ndarray, int], int | None]


def available_peers() -> dict[str, Peer]:
    """Give the peers that answer on a small example; say why the others do not."""
    random = np.random.default_rng(0)
    rows = np.repeat([[0.0, 0], [9, 0], [0, 9]], 40, axis=0) + random.normal(size=(120, 2))
    peers = {}
    for name, peer in PEERS.items():
        try:
            quiet(peer)(rows, 6)
        except Exception as error:  # whatever a peer raises, it cannot be measured
            print(f"left out: {name}: {type(error).__name__}: {str(error)[:100]}")
        else:
            peers[name] = quiet(peer)
    return peers


def quiet(peer: Peer) -> Peer:
    """Keep what a peer prints, draws and warns of to itself."""

    def call(rows: np.ndarray, k_max: int) -> int | None:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            answer = peer(rows, k_max)
        return None if answer is None else int(answer)

    return call


def _inertias(rows: np.ndarray, k_max: int) -> np.ndarray:
    return np.array([KMeans(k, random_state=0).fit(rows).inertia_ for k in range(1, k_max + 1)])


def _kneed(rows: np.ndarray, k_max: int) -> int | None:
    from kneed import KneeLocator

    ks = list(range(1, k_max + 1))
    found = KneeLocator(ks, _inertias(rows, k_max), curve="convex", direction="decreasing")
    return found.knee


def _yellowbrick(rows: np.ndarray, k_max: int) -> int | None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from yellowbrick.cluster import KElbowVisualizer

    model = KMeans(
        random_state=0
    )  # force_model: it does not know estimators of today's scikit-learn
    picture = KElbowVisualizer(model, k=(2, k_max + 1), timings=False, force_model=True).fit(rows)
    plt.close("all")
    return picture.elbow_value_


def _argmax(score: Callable[..., float]) -> Peer:
    def best(rows: np.ndarray, k_max: int) -> int:
        ks = range(2, min(k_max, len(rows) - 1) + 1)
        return max(ks, key=lambda k: score(rows, KMeans(k, random_state=0).fit_predict(rows)))

    return best


def _gap_stat(rows: np.ndarray, k_max: int) -> int | None:
    from gap_statistic import OptimalK

    return OptimalK(n_jobs=1, random_state=0)(rows, cluster_array=np.arange(1, k_max + 1))


def _pyclustering(name: str) -> Peer:
    def split(rows: np.ndarray, k_max: int) -> int:
        from pyclustering.cluster.center_initializer import kmeans_plusplus_initializer
        from pyclustering.cluster.gmeans import gmeans
        from pyclustering.cluster.xmeans import xmeans

        if name == "gmeans":
            run = gmeans(rows.tolist(), k_max=k_max, random_state=0)
        else:
            first = kmeans_plusplus_initializer(rows.tolist(), 1, random_state=0).initialize()
            run = xmeans(rows.tolist(), first, kmax=k_max, random_state=0)
        return len(run.process().get_clusters())

    return split


PEERS: dict[str, Peer] = {
    "kneed": _kneed,
    "yellowbrick default (2 … 10)": lambda rows, k_max: _yellowbrick(rows, 10),
    "yellowbrick, range covers K": _yellowbrick,
    "gap-stat": _gap_stat,
    "X-means (pyclustering)": _pyclustering("xmeans"),
    "G-means (pyclustering)": _pyclustering("gmeans"),
    "silhouette, highest (scikit-learn)": _argmax(silhouette_score),
    "Calinski–Harabasz, highest (scikit-learn)": _argmax(calinski_harabasz_score),
}
