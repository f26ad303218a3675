"""Steps that commands share: read the rows a user means, match them to a model, describe them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import centroids
from centroids.cli._findings import print_findings
from centroids.cli._groups import words_of
from centroids.cli._modelling import clusterer_of, feature_names_of, logged_of
from centroids.cli._options import Layout, Missing, Running, Selection, parse_columns
from centroids.cli._output import Payload, plain_console
from centroids.wording import renamed_columns

__all__ = ["data_payload", "missing_rule_of", "name_of", "read_for_model", "read_rows", "same_rows"]


def name_of(data: Sequence[Path]) -> str:
    """Name files in a line of progress."""
    return str(data[0]) if len(data) == 1 else f"{data[0]} and {len(data) - 1} more"


def read_rows(
    data: Sequence[Path],
    selection: Selection,
    layout: Layout,
    missing: Missing,
    jobs: int | None,
    *,
    bad: Literal["error", "keep"] = "error",
    positive: Sequence[str] = (),
) -> centroids.Table:
    """Read the rows and columns that a user chose."""
    return centroids.read_table(
        data,
        columns=parse_columns(selection.columns),
        leave_out=parse_columns(selection.leave_out, "--leave-out") or (),
        truth=selection.truth,
        weight=selection.weight,
        where=layout.where,
        missing=missing.when_reading,
        bad=bad,
        positive=positive,
        csv_format=layout.csv_format,
        n_jobs=jobs,
    )


def missing_rule_of(model: Any) -> Missing:
    """Give the rule for missing values that a model was fitted with."""
    if any(type(step).__name__ == "SimpleImputer" for _, step in getattr(model, "steps", ())):
        return Missing.IMPUTE
    stored = (getattr(clusterer_of(model), "training_data_", None) or {}).get("missing")
    is_drop = isinstance(stored, dict) and stored.get("rule") == Missing.DROP
    return Missing.DROP if is_drop else Missing.ERROR


def read_for_model(
    model: Any,
    data: Sequence[Path],
    layout: Layout,
    *,
    columns: str | None,
    truth: str | None = None,
    weight: str | None = None,
    missing: Missing | None = None,
    positive: Sequence[int] = (),
    running: Running,
) -> centroids.Table:
    """Read the columns of files that a model needs, in the order the model needs them.

    Columns are matched by name if both sides have names, else by position: then there must be
    just as many. Columns that the user names stand for those of the model, one by one. Missing
    values are treated as the model says, unless `missing` says otherwise. Columns of which the
    model takes the logarithm, and those at the positions `positive`, have to be above 0.
    """
    rule = missing_rule_of(model) if missing is None else missing
    if rule is Missing.IMPUTE and missing_rule_of(model) is not Missing.IMPUTE:
        raise centroids.InputError(
            "the model has no values to fill in: use --missing drop, or fit it anew with --missing "
            "impute"
        )
    chosen, names = parse_columns(columns), feature_names_of(model)
    is_by_name = chosen is None and names is not None and data[0].suffix.lower() != ".npy"
    try:
        table = centroids.read_table(
            data,
            columns=names if is_by_name else chosen,
            truth=truth,
            weight=weight,
            where=layout.where,
            missing=rule.when_reading,
            positive=[*{*logged_of(model), *positive}],
            csv_format=layout.csv_format,
            n_jobs=running.jobs,
        )
    except centroids.UnknownColumnError as error:
        if not is_by_name or error.column not in (names or ()):
            raise
        lacks = str(error).replace("; choose another", "")
        raise centroids.InputError(
            f"data and model differ: the model needs the columns {_listed(names or ())}, and "
            f"{lacks}; rename it in the data, or say with --columns which columns to use"
        ) from error
    _tell_renamed(table, running.as_json)
    if is_by_name:
        left_out = tuple(column._replace(reason="not in the model") for column in table.left_out)
        return replace(table, left_out=left_out)
    n_features = int(model.n_features_in_)
    if len(table.columns) != n_features:
        needs = f"{n_features} columns" + (f" ({_listed(names)})" if names else "")
        raise centroids.InputError(
            f"data and model differ: the model needs {needs}, and {table.source} gives "
            f"{len(table.columns)} ({_listed(table.columns)}); name the right ones with --columns"
        )
    return table


def _tell_renamed(table: centroids.Table, is_quiet: bool) -> None:
    """Say on stderr which columns had the name of another one: the model may mean either."""
    if table.renamed and not is_quiet:
        message, advice = renamed_columns(table.renamed)
        finding = {"severity": "warning", "message": message, "advice": advice}
        print_findings(plain_console(is_stderr=True), [finding])


def same_rows(data: Sequence[Path], *groups: Any) -> str:
    """Give the words with which other commands read the same rows."""
    return " ".join([*(shlex.quote(str(path)) for path in data), *words_of(*groups)])


def data_payload(table: centroids.Table) -> Payload:
    """Describe what was read."""
    missing = dict(zip(table.columns, table.n_missing, strict=True))
    return {
        "file": str(table.source),
        "n_samples": table.n_samples,
        "n_rows_in_files": table.n_rows_in_files,
        "where": table.source.where,
        "n_dropped": table.n_dropped,
        "missing": {name: count for name, count in missing.items() if count},
        "columns": list(table.columns),
        "has_names": table.has_names,
        "left_out": [{"column": name, "reason": reason} for name, reason in table.left_out],
        "renamed": [{"column": name, "in_file": original} for name, original in table.renamed],
        "truth": table.truth_name,
        "weight": table.weight_name,
    }


def _listed(names: Sequence[str], at_most: int = 12) -> str:
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
