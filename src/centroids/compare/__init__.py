"""Clusters against known classes.

`label_match` names clusters after classes and finds misses, merges and splits; `contingency` counts
and scores; `words` writes the summary.

Labels only: no features, estimators or plots live here, and nothing else of the package is
imported. Called by users and, through the public names, by `cli`.
"""

from centroids.compare.label_match import LabelMatch, match_labels

__all__ = ["LabelMatch", "match_labels"]
