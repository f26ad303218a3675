"""What the clusters of a fitted model are, and how sure that is.

`profiling` holds ``profile``: it asks `statistics` for means and medians, `landmarks` for rows
worth looking at, `rules` for a short rule, `categories` for columns that were not clustered, and
`words` for sentences; `result` is what the caller gets. `resampling` holds ``stability``.

Rows come checked from `estimators.parts`. Nothing is drawn here and no file is read or written.
Called by users, by `report` and, through the public names, by `cli`.
"""

from centroids.describe.profiling import profile
from centroids.describe.resampling import Stability, stability
from centroids.describe.result import CategoryShare, ClusterCard, ClusterProfile, Condition, Rule

__all__ = [
    "CategoryShare",
    "ClusterCard",
    "ClusterProfile",
    "Condition",
    "Rule",
    "Stability",
    "profile",
    "stability",
]
