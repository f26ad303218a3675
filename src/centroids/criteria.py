"""Criteria for the number of clusters, for use alone.

Measure a partition once, then ask what you like; every criterion knows its name, range, direction,
cost and source::

    >>> import numpy as np
    >>> from centroids import criteria
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> partition = criteria.measure_partition(X, centers=[[0.5], [10.5]])
    >>> criteria.calinski_harabasz(partition)
    200.0
    >>> criteria.calinski_harabasz.best
    'highest'

`choose_k` uses all of them together, which is better than any alone.
"""

from centroids.choosing_k.alone import (
    SilhouetteEstimate,
    measure_partition,
    sampled_silhouette,
    squared_silhouette,
)
from centroids.choosing_k.criteria import (
    CURVE_CRITERIA,
    PARTITION_CRITERIA,
    Criterion,
    best_n_clusters,
    bic,
    calinski_harabasz,
    centroid_dunn,
    davies_bouldin,
    jump,
    log_inertia_bend,
    own_over_nearest,
    simplified_silhouette,
    spherical_bic,
    wb_index,
    xie_beni,
)
from centroids.choosing_k.partition import Partition
from centroids.choosing_k.valleys import Valleys, list_valleys, valleys_of

__all__ = [
    "CURVE_CRITERIA",
    "PARTITION_CRITERIA",
    "Criterion",
    "Partition",
    "SilhouetteEstimate",
    "Valleys",
    "best_n_clusters",
    "bic",
    "calinski_harabasz",
    "centroid_dunn",
    "davies_bouldin",
    "jump",
    "list_valleys",
    "log_inertia_bend",
    "measure_partition",
    "own_over_nearest",
    "sampled_silhouette",
    "simplified_silhouette",
    "spherical_bic",
    "squared_silhouette",
    "valleys_of",
    "wb_index",
    "xie_beni",
]
