"""What `centroids.examine` finds, before a fit and as a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from rich.console import Console
from rich.text import Text

import centroids
from centroids.cli._modelling import with_preparation
from centroids.cli._options import Missing, Preparation, Scale
from centroids.cli._output import Payload, plain_console, working

__all__ = ["examine", "print_findings", "warn_of"]

# The gravest first.
STYLE = {"error": "bold red", "warning": "bold yellow", "note": "bold"}


def examine(
    table: centroids.Table,
    n_clusters: int | Literal["auto"] | None,
    preparation: Preparation,
    is_quiet: bool,
) -> centroids.Findings:
    """Look at the rows before they are clustered, with the logarithms that are to be taken."""
    with working("looking at the rows", is_quiet):
        if preparation.log:
            logs = with_preparation(
                centroids.KMeans(), Preparation(log=preparation.log), table.columns
            )
            table = replace(table, X=centroids.fit_preparation(logs, table.X))
        findings = centroids.examine(
            table,
            n_clusters=n_clusters if isinstance(n_clusters, int) else None,
            is_scaled=preparation.scale is Scale.STANDARD,
        )
    if preparation.missing is not Missing.IMPUTE:
        return findings
    items = [_filled(item) if item.kind == "missing" else item for item in findings]
    return replace(
        findings, items=tuple(sorted(items, key=lambda f: list(STYLE).index(f.severity)))
    )


def _filled(finding: centroids.Finding) -> centroids.Finding:
    """Say of missing values what is done about them."""
    advice = "The median of the column stands in for it (--missing impute)."
    return replace(finding, severity="note", advice=advice)


def warn_of(findings: Sequence[Payload], is_quiet: bool, said: Sequence[str] = ()) -> None:
    """Print findings on stderr; with ``--json`` they are part of the result alone.

    Columns of texts are not mentioned, since columns left out are listed with the result, nor are
    the kinds that are `said` there.
    """
    if not is_quiet:
        told = [finding for finding in findings if finding["kind"] not in ("text", *said)]
        print_findings(plain_console(is_stderr=True), told)


def print_findings(console: Console, findings: Sequence[Payload]) -> None:
    """Print findings, a paragraph each."""
    for finding in findings:
        line = Text(f"{finding['severity']}: ", style=STYLE[finding["severity"]])
        console.print(line.append(f"{finding['message']} {finding['advice']}", style="not bold"))
