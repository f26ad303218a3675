"""K-Means that is fast, exact, and the same on every machine.

The public names. Each is imported from its module on first use, so that ``import centroids`` loads
neither scikit-learn nor anything that only the command line, the plots or the report need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centroids.choosing_k import KChoice, Valley, choose_k
    from centroids.compare import LabelMatch, match_labels
    from centroids.describe import (
        CategoryShare,
        ClusterCard,
        ClusterProfile,
        Condition,
        Rule,
        Stability,
        profile,
        stability,
    )
    from centroids.doctor import Finding, Findings, examine
    from centroids.estimators.alignment import Alignment, align
    from centroids.estimators.bisecting import BisectingKMeans
    from centroids.estimators.kmeans import KMeans, Nearest
    from centroids.estimators.logarithms import LogTransformer
    from centroids.estimators.mini_batch import MiniBatchKMeans
    from centroids.estimators.nearness import nearest
    from centroids.estimators.preparing import fit_preparation, prepare_rows
    from centroids.estimators.runs import FitState
    from centroids.estimators.saved import load, save
    from centroids.model_file import ModelFileError
    from centroids.plots.clusters import ClustersDisplay
    from centroids.plots.confusion import ConfusionDisplay
    from centroids.plots.elbow import ElbowDisplay
    from centroids.plots.iterations import FitRecorder, IterationsDisplay
    from centroids.plots.k_choice import KChoiceDisplay
    from centroids.plots.profile import ProfileDisplay
    from centroids.plots.silhouette import SilhouetteDisplay
    from centroids.report.page import write_report
    from centroids.rows.blocks import take_rows
    from centroids.rows.csv_layout import CsvFormat
    from centroids.rows.distinct import count_distinct_rows
    from centroids.rows.errors import InputError, MissingExtraError, UnknownColumnError
    from centroids.rows.files import read_columns, read_table
    from centroids.rows.output import check_output
    from centroids.rows.table import Table
    from centroids.rows.writing import check_table_output, write_beside, write_table

__version__ = "0.1.0"

_HOME = {
    "Alignment": "centroids.estimators.alignment",
    "BisectingKMeans": "centroids.estimators.bisecting",
    "CategoryShare": "centroids.describe",
    "ClusterCard": "centroids.describe",
    "ClusterProfile": "centroids.describe",
    "ClustersDisplay": "centroids.plots.clusters",
    "Condition": "centroids.describe",
    "ConfusionDisplay": "centroids.plots.confusion",
    "CsvFormat": "centroids.rows.csv_layout",
    "ElbowDisplay": "centroids.plots.elbow",
    "Finding": "centroids.doctor",
    "Findings": "centroids.doctor",
    "FitRecorder": "centroids.plots.iterations",
    "FitState": "centroids.estimators.runs",
    "InputError": "centroids.rows.errors",
    "IterationsDisplay": "centroids.plots.iterations",
    "KChoice": "centroids.choosing_k",
    "KChoiceDisplay": "centroids.plots.k_choice",
    "KMeans": "centroids.estimators.kmeans",
    "LabelMatch": "centroids.compare",
    "LogTransformer": "centroids.estimators.logarithms",
    "MiniBatchKMeans": "centroids.estimators.mini_batch",
    "MissingExtraError": "centroids.rows.errors",
    "ModelFileError": "centroids.model_file",
    "Nearest": "centroids.estimators.kmeans",
    "ProfileDisplay": "centroids.plots.profile",
    "Rule": "centroids.describe",
    "SilhouetteDisplay": "centroids.plots.silhouette",
    "Stability": "centroids.describe",
    "Table": "centroids.rows.table",
    "UnknownColumnError": "centroids.rows.errors",
    "Valley": "centroids.choosing_k",
    "align": "centroids.estimators.alignment",
    "check_output": "centroids.rows.output",
    "check_table_output": "centroids.rows.writing",
    "choose_k": "centroids.choosing_k",
    "count_distinct_rows": "centroids.rows.distinct",
    "examine": "centroids.doctor",
    "fit_preparation": "centroids.estimators.preparing",
    "load": "centroids.estimators.saved",
    "match_labels": "centroids.compare",
    "nearest": "centroids.estimators.nearness",
    "prepare_rows": "centroids.estimators.preparing",
    "profile": "centroids.describe",
    "read_columns": "centroids.rows.files",
    "read_table": "centroids.rows.files",
    "save": "centroids.estimators.saved",
    "stability": "centroids.describe",
    "take_rows": "centroids.rows.blocks",
    "write_beside": "centroids.rows.writing",
    "write_report": "centroids.report.page",
    "write_table": "centroids.rows.writing",
}

__all__ = [
    "Alignment",
    "BisectingKMeans",
    "CategoryShare",
    "ClusterCard",
    "ClusterProfile",
    "ClustersDisplay",
    "Condition",
    "ConfusionDisplay",
    "CsvFormat",
    "ElbowDisplay",
    "Finding",
    "Findings",
    "FitRecorder",
    "FitState",
    "InputError",
    "IterationsDisplay",
    "KChoice",
    "KChoiceDisplay",
    "KMeans",
    "LabelMatch",
    "LogTransformer",
    "MiniBatchKMeans",
    "MissingExtraError",
    "ModelFileError",
    "Nearest",
    "ProfileDisplay",
    "Rule",
    "SilhouetteDisplay",
    "Stability",
    "Table",
    "UnknownColumnError",
    "Valley",
    "align",
    "check_output",
    "check_table_output",
    "choose_k",
    "count_distinct_rows",
    "examine",
    "fit_preparation",
    "load",
    "match_labels",
    "nearest",
    "prepare_rows",
    "profile",
    "read_columns",
    "read_table",
    "save",
    "stability",
    "take_rows",
    "write_beside",
    "write_report",
    "write_table",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
