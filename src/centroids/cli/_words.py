"""Paragraphs that several commands print, from results as plain data."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

import centroids
from centroids.cli._matching import match_sentences, merge_sentences
from centroids.cli._output import Payload
from centroids.cli._tables import print_confusion
from centroids.wording import count

__all__ = [
    "alignment_payload",
    "print_alignment",
    "print_data",
    "print_matches",
    "print_notes",
    "print_whole",
]

MAX_COLUMNS_NAMED = 12


def print_whole(console: Console, line: str) -> None:
    """Print a line with a path or a command in it, which must not be broken."""
    console.print(line, soft_wrap=True)


def print_data(console: Console, data: Payload, logged: Sequence[str] = ()) -> None:
    """Say what was read, what was left out, and of which columns logarithms are taken."""
    columns = data["columns"]
    console.print(
        f"{data['file']}: {count(data['n_samples'], 'row')}, {count(len(columns), 'column')}: "
        f"{_some(columns)}"
    )
    if not data["has_names"]:
        console.print("no names in the file: x1 is its first column, x2 its second, and so on")
    if data["where"] is not None:
        console.print(f"of {count(data['n_rows_in_files'], 'row')}, those with {data['where']}")
    if data["n_dropped"]:
        verb = "lacks" if data["n_dropped"] == 1 else "lack"
        console.print(f"dropped: {count(data['n_dropped'], 'row')} that {verb} a value")
    elif data["missing"]:
        gaps = [f"{name} ({n:,})" for name, n in data["missing"].items()]
        console.print(f"missing values: {_some(gaps)}")
    if logged:
        console.print(f"logarithms of: {_some(logged)} (centers are geometric means)")
    if data["weight"] is not None:
        console.print(f"weights: {data['weight']}")
    left_out = [f"{entry['column']} ({entry['reason']})" for entry in data["left_out"]]
    if left_out:
        console.print(f"left out: {_some(left_out)}")


def print_matches(console: Console, parts: Sequence[tuple[str, Payload]]) -> None:
    """Print tables of clusters against classes, and what they show.

    Parameters
    ----------
    console : Console
        Where to print.
    parts : sequence of (str, dict)
        The name of some rows ("training rows") and their match as plain data.
    """
    if not parts:
        return
    console.print()
    print_confusion(console, parts)
    console.print()
    for name, match in parts:
        for sentence in match_sentences(match, name):
            console.print(sentence)
    for sentence in merge_sentences(parts[0][1]):
        console.print(sentence)


def alignment_payload(alignment: centroids.Alignment) -> Payload:
    """Turn what became of the clusters of an old model into plain data."""
    return {**alignment.to_dict(), "summary": alignment.summary().splitlines()}


def print_alignment(console: Console, alignment: Payload) -> None:
    """Say what moved, grew, appeared and vanished."""
    for line in alignment["summary"]:
        console.print(line)


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print hints and warnings."""
    for note in notes:
        console.print(f"\nNote: {note}")


def _some(names: Sequence[str]) -> str:
    more = len(names) - MAX_COLUMNS_NAMED
    return ", ".join(names[:MAX_COLUMNS_NAMED]) + (f" and {more:,} more" if more > 0 else "")
