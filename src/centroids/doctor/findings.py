"""What `examine` found: results, in words and as plain data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, overload

from centroids.wording import count

__all__ = ["Finding", "Findings", "Severity", "in_order", "listed"]

Severity = Literal["note", "warning", "error"]
ORDER: tuple[Severity, ...] = ("error", "warning", "note")
WIDTH = 96
MAX_LISTED = 6


@dataclass(frozen=True)
class Finding:
    """One thing to know about the input.

    Attributes
    ----------
    kind : str
        What was looked for: "constant", "id", "labels", "date", "scale", "skew", "outliers",
        "duplicates", "missing", "not_numbers", "text", "renamed", "correlated", "few_rows" or
        "sample".
    severity : {"note", "warning", "error"}
        A note is good to know; a warning can make the clusters mean something else than you think;
        with an error there is nothing to fit.
    columns : tuple of str
        The columns that it is about; empty if it is about rows.
    message : str
        What was found.
    advice : str
        What can be done.
    """

    kind: str
    severity: Severity
    columns: tuple[str, ...]
    message: str
    advice: str


@dataclass(frozen=True)
class Findings(Sequence[Finding]):
    """All that was found, the gravest first.

    Attributes
    ----------
    items : tuple of Finding
        The findings.
    n_samples, n_features : int
        The size of what was looked at.
    shares : dict of str to float
        The part of the variance that each column of numbers holds, as it is. After scaling to
        variance 1, every column that is not constant holds the same part.
    """

    items: tuple[Finding, ...]
    n_samples: int
    n_features: int
    shares: dict[str, float]

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.items[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Pick the findings of one severity.

        Parameters
        ----------
        severity : {"note", "warning", "error"}
            The severity.

        Returns
        -------
        tuple of Finding
            Those findings, in order.
        """
        return tuple(finding for finding in self.items if finding.severity == severity)

    def summary(self) -> str:
        """Say everything in words.

        Returns
        -------
        str
            A headline and one paragraph for each finding.
        """
        size = f"{count(self.n_samples, 'row')}, {count(self.n_features, 'column')} of numbers"
        if not self.items:
            return f"{size}: nothing stands in the way of clustering."
        found = [count(len(self.of(s)), s) for s in ORDER if self.of(s)]
        paragraphs = [
            textwrap.fill(
                f"{item.severity}: {item.message} {item.advice}",
                WIDTH,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            for item in self.items
        ]
        return "\n".join([f"{size}: {', '.join(found)}.", *paragraphs])

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data, for JSON.

        Returns
        -------
        dict
            The findings, the size and the shares of the variance.
        """
        return {
            "n_samples": self.n_samples,
            "n_features": self.n_features,
            "findings": [{**asdict(item), "columns": list(item.columns)} for item in self.items],
            "shares": dict(self.shares),
        }


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity; those of one severity stay as they come."""
    return tuple(sorted(findings, key=lambda finding: ORDER.index(finding.severity)))


def listed(names: Sequence[str]) -> str:
    """Write names one after the other, a few of them if they are many."""
    quoted = [f'"{name}"' for name in names[:MAX_LISTED]]
    if len(names) > MAX_LISTED:
        return f"{', '.join(quoted)} and {len(names) - MAX_LISTED:,} more"
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
