"""Choosing K: fits for every number of clusters in, a number with its evidence and doubt out.

``choose.py`` is the way in. ``sweep.py`` fits (data only), ``partition.py`` holds what one visit of
the rows leaves, ``criteria.py``, ``valleys.py`` and ``spheres.py`` read it, ``evidence.py`` puts
them in a table, ``decide.py`` ranks, ``gate.py`` asks whether there are clusters at all (beside
``clouds.py``, which have none), ``cautions.py`` and ``explain.py`` find words, ``result.py`` is
what the caller gets. ``alone.py`` has criteria for use alone. Nothing here draws or reads files;
rows come validated from `rows`. Called by users, by ``KMeans(n_clusters="auto")``, and by `cli`.

The folder is not called ``choose_k``: a module of that name would hide the function.
"""

from centroids.choosing_k.choose import choose_k
from centroids.choosing_k.result import KChoice
from centroids.choosing_k.valleys import Valley

__all__ = ["KChoice", "Valley", "choose_k"]
