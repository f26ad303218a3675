"""K-Means on Dask: rows that no single machine holds (extra ``centroids[dask]``).

`kmeans` holds the estimator ``KMeans``. `dask_rows` turns Dask arrays and data frames into rows and
weights, cut where the core wants them cut; `dask_parts` reaches all parts of the rows for the core,
one Dask computation for each visit; `worker_part` is one part, on its worker. The loop, the seeding
and all sums are the core's: what travels are centers, sums by cluster and a few rows.

No maths and no loop live here. Called by users; nothing else in the package imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centroids.distributed.kmeans import KMeans

__all__ = ["KMeans"]


def __getattr__(name: str) -> Any:
    if name != "KMeans":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import dask.array  # noqa: F401
    except ImportError as error:
        from centroids.rows.errors import MissingExtraError

        raise MissingExtraError(
            'centroids.distributed needs Dask: pip install "centroids[dask]"'
        ) from error
    from centroids.distributed.kmeans import KMeans

    return KMeans
