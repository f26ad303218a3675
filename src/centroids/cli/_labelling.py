"""The file of labels that `fit` and `predict` write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import centroids
from centroids.cli._modelling import Split, clusterer_of
from centroids.cli._options import Labelling
from centroids.cli._output import STDOUT

__all__ = ["LabelsFile"]


@dataclass(frozen=True)
class LabelsFile:
    """Where labels go, and what stands beside them."""

    path: Path
    labelling: Labelling
    has_parts: bool = False
    has_names: bool = False

    @property
    def is_npy(self) -> bool:
        """Whether the file has room for one column alone."""
        return self.path.suffix.lower() == ".npy"

    @property
    def is_alone(self) -> bool:
        """Whether the columns of the data are not written."""
        return self.labelling.labels_only or self.is_npy

    @property
    def columns(self) -> tuple[str, ...]:
        """The new columns."""
        if self.is_npy:
            return ("cluster",)
        names = ("cluster_name",) * self.has_names + ("part",) * self.has_parts
        return ("cluster", *names, *("distance", "margin") * self.labelling.distances)

    def check(self, data: Sequence[Path]) -> None:
        """Refuse a file that cannot be written or is to be read, before any work."""
        centroids.check_table_output(self.path)
        if (
            self.path != STDOUT
            and self.path.exists()
            and any(p.exists() and p.samefile(self.path) for p in data)
        ):
            self._refuse_to_replace_data()
        if self.is_npy and self.labelling.distances:
            raise centroids.InputError(
                f"{self.path}: .npy has the clusters alone, without --distances; write .csv or "
                ".parquet"
            )

    def check_beside(self, table: centroids.Table) -> None:
        """Refuse to replace what was read, and to give two columns the same name."""
        if table.source.holds(self.path):
            self._refuse_to_replace_data()
        if not self.is_alone:
            centroids.check_table_output(self.path, self.columns, table)

    def _refuse_to_replace_data(self) -> None:
        raise centroids.InputError(
            f"{self.path} is the file that is read; give the output another name"
        )

    def write(
        self,
        table: centroids.Table,
        model: Any,
        labels: NDArray[Any],
        split: Split | None = None,
        jobs: int | None = None,
    ) -> None:
        """Write what is known of each row of a table."""
        new: dict[str, NDArray[Any]] = {"cluster": labels}
        for name in self.columns[1:]:
            if name == "cluster_name":
                names = clusterer_of(model).cluster_names_
                new[name] = np.array([names.get(int(j)) for j in labels], dtype=object)
            elif name == "part" and split is not None:
                new[name] = np.full(table.n_samples, "training", dtype=object)
                new[name][split.heldout] = "held-out"
        if self.labelling.distances:
            near = centroids.nearest(model, table.X)
            margin = near.second_distances - near.distances
            margin[np.isinf(margin)] = np.nan  # there is one cluster only
            new |= {"distance": near.distances, "margin": margin}
        centroids.write_beside(self.path, table, new, alone=self.is_alone, n_jobs=jobs)
