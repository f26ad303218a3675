"""Paragraphs that several commands print, from results as plain data."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from centroids.cli._matching import match_sentences, merge_sentences
from centroids.cli._output import Payload, plural
from centroids.cli._tables import print_confusion

__all__ = ["print_data", "print_matches", "print_notes", "print_whole"]

MAX_COLUMNS_NAMED = 12


def print_whole(console: Console, line: str) -> None:
    """Print a line with a path or a command in it, which must not be broken."""
    console.print(line, soft_wrap=True)


def print_data(console: Console, data: Payload) -> None:
    """Say what was read and what was left out."""
    columns = data["columns"]
    named = ", ".join(columns[:MAX_COLUMNS_NAMED])
    more = len(columns) - MAX_COLUMNS_NAMED
    console.print(
        f"{data['file']}: {plural(data['n_samples'], 'row')}, {plural(len(columns), 'column')}: "
        f"{named}{f' and {more} more' if more > 0 else ''}"
    )
    left_out = [f"{entry['column']} ({entry['reason']})" for entry in data["left_out"]]
    if left_out:
        more = len(left_out) - MAX_COLUMNS_NAMED
        listed = ", ".join(left_out[:MAX_COLUMNS_NAMED])
        console.print(f"left out: {listed}{f' and {more} more' if more > 0 else ''}")


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


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print hints and warnings."""
    for note in notes:
        console.print(f"\nNote: {note}")
