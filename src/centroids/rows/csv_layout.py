"""How a CSV file is laid out: separator, header, column names.

Decided from the first mebibyte by rules that fit on a page, and handed to DuckDB as fixed
options. DuckDB can detect a layout by itself, but it may skip lines it does not understand or
take 2.5 for a whole number when the first 20,000 rows hold whole numbers only; here a doubt
is an error.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from centroids.rows.errors import InputError

__all__ = ["CsvLayout", "find_ragged_row", "is_missing", "is_number", "read_layout"]

HEAD_BYTES = 1 << 20
HEAD_RECORDS = 1000
DELIMITERS = (",", "\t", ";", "|", " ")  # the earlier one wins a tie
MISSING_MARKERS = frozenset({"", "na", "n/a", "nan", "null", "none", "missing", "?", "-", "."})


@dataclass(frozen=True)
class CsvLayout:
    """What DuckDB needs to be told; `names` has one entry per column of the file."""

    delimiter: str
    has_header: bool
    names: tuple[str, ...]


def is_number(cell: str) -> bool:
    """Whether the text of a cell reads as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_missing(cell: str | None) -> bool:
    """Whether a cell is empty or holds one of the usual words for "not known"."""
    return cell is None or cell.strip().lower() in MISSING_MARKERS


def read_layout(path: Path) -> CsvLayout:
    """Find the layout of a CSV file from its first lines.

    The separator is the one that cuts most lines into the same number (two or more) of
    cells. The first line holds names unless it holds numbers where numbers stand below.
    A column without a name is called ``column<i>``, one of a file without a header
    ``x<i>``; a name that comes twice gets ``_2`` at its end.
    """
    text = _head(path)
    delimiter = _delimiter(text, only="\t" if ".tsv" in path.suffixes else None)
    records = _records(text, delimiter)
    if not records:
        raise InputError(f"{path} holds nothing but blank lines; it needs a header and rows")
    first, body = records[0], records[1:]
    if body:
        width = _most_common_width(body)
        if len(first) != width:
            raise InputError(
                f"{path}: the first line has {len(first)} value(s) but the rows below have "
                f"{width}; the first line must name every column"
            )
    has_header = _is_header(first, body)
    names = first if has_header else [f"x{i}" for i in range(1, len(first) + 1)]
    return CsvLayout(delimiter, has_header, _unique(names))


def find_ragged_row(path: Path, layout: CsvLayout) -> str | None:
    """Say which row has too few or too many values; None if Python finds none.

    DuckDB gives the line number of such a row only in files without line ends inside
    quotes; this slower pass runs once something is known to be wrong.
    """
    width = len(layout.names)
    row = 0 if layout.has_header else 1
    try:
        with _open_text(path) as lines:
            reader = csv.reader(lines, delimiter=layout.delimiter)
            for record in reader:
                if not record:
                    continue
                if len(record) != width:
                    return (
                        f"row {row} (line {reader.line_num} of the file) has {len(record)} "
                        f"value(s) where there are {width} columns"
                    )
                row += 1
    except (csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error):
        return None
    return None


def _open_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _head(path: Path) -> str:
    try:
        opener = gzip.open if path.suffix.lower() == ".gz" else open
        with opener(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged: it does not unpack as gzip ({error})") from error
    if not head:
        raise InputError(f"{path} is empty; it needs a header and rows")
    if b"\0" in head:
        raise InputError(f"{path} is not a text file; save it as CSV in UTF-8")
    if len(head) == HEAD_BYTES and b"\n" in head:
        head = head[: head.rindex(b"\n") + 1]
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line} is not UTF-8 text; save the file as UTF-8") from None


def _records(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > HEAD_RECORDS:
                break
    except csv.Error:
        return []  # a quote that never ends, for one: not this delimiter
    return records


def _delimiter(text: str, only: str | None) -> str:
    if only is not None:
        return only
    shares = {delimiter: _agreement(_records(text, delimiter)) for delimiter in DELIMITERS}
    # Blanks separate columns only if they do so in every line: text has blanks, too.
    if shares[" "] < 1.0:
        del shares[" "]
    return max(shares, key=shares.__getitem__)


def _agreement(records: Sequence[Sequence[str]]) -> float:
    """Share of the records that have the most common number of cells; 0 if that is one."""
    width = _most_common_width(records) if records else 1
    if width < 2:
        return 0.0
    return sum(len(record) == width for record in records) / len(records)


def _most_common_width(records: Sequence[Sequence[str]]) -> int:
    return Counter(len(record) for record in records).most_common(1)[0][0]


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Names over numbers make a header; failing that, a number in the line makes it data."""
    for column, cell in enumerate(first):
        if is_missing(cell) or is_number(cell):
            continue
        below = [r[column] for r in body if len(r) > column and not is_missing(r[column])]
        if below and sum(map(is_number, below)) * 2 >= len(below):
            return True
    return not any(is_number(cell) for cell in first)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(_numbered(names))


def _numbered(names: Sequence[str]) -> Iterator[str]:
    taken: set[str] = set()
    for position, raw in enumerate(names, start=1):
        base = raw.strip() or f"column{position}"
        name, copy = base, 1
        while name in taken:
            copy += 1
            name = f"{base}_{copy}"
        taken.add(name)
        yield name
