"""How a CSV file is laid out: separator, decimal point or comma, header, column names.

Decided from the first mebibyte by rules that fit on a page, and handed to DuckDB as fixed
options. DuckDB can detect a layout by itself, but it may skip lines it does not understand or
take 2.5 for a whole number when the first 20,000 rows hold whole numbers only; here a doubt
is an error.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from centroids.rows.csv_text import open_text, read_head
from centroids.rows.errors import InputError
from centroids.rows.numbers import find_decimal, is_missing, is_number

__all__ = ["CsvFormat", "CsvLayout", "find_ragged_row", "read_layout"]

HEAD_RECORDS = 1000
DELIMITERS = (",", "\t", ";", "|", " ")  # the earlier one wins a tie
DECIMALS = (".", ",")


@dataclass(frozen=True)
class CsvFormat:
    """How CSV files are written; whatever is None is found out from the first lines.

    Attributes
    ----------
    delimiter : str or None
        The sign between two cells: any one character.
    decimal : {".", ","} or None
        The decimal sign. With ``","``, points may stand between groups of three digits.
    encoding : str or None
        The name of an encoding that Python knows, such as ``"latin-1"`` or ``"utf-16"``.

    Raises
    ------
    InputError
        If one of them is nothing that a file can have.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InputError(f"delimiter {self.delimiter!r}: give one character, such as ';'")
        if self.decimal is not None and self.decimal not in DECIMALS:
            raise InputError(f"decimal {self.decimal!r}: the decimal sign is '.' or ','")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise InputError(
                    f"encoding {self.encoding!r} is not known; use for example 'utf-8', "
                    "'latin-1', 'cp1252' or 'utf-16'"
                ) from None


@dataclass(frozen=True)
class CsvLayout:
    """What DuckDB needs to be told, and what became of names that come twice.

    `names` and `decimals` have one entry per column, `renamed` the new and the old name of some.
    """

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    decimals: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def decimal(self) -> str:
        """The decimal sign of the file: the comma if any column has it."""
        return "," if "," in self.decimals else "."


def read_layout(path: Path, readable: Path, csv_format: CsvFormat) -> CsvLayout:
    """Find the layout of a CSV file from its first lines.

    The separator is the one that cuts most lines into the same number (two or more) of
    cells. The first line holds names unless it holds numbers where numbers stand below.
    A column without a name is called ``column<i>``, one of a file without a header
    ``x<i>``; a name that comes twice gets ``_2`` at its end.

    Parameters
    ----------
    path : Path
        The file as the user knows it.
    readable : Path
        The same text in UTF-8.
    csv_format : CsvFormat
        What the user knows of it.
    """
    text = read_head(readable)
    delimiter = csv_format.delimiter or _delimiter(text, is_tsv=".tsv" in path.suffixes)
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
    decimals = _decimals(body or records, len(first), delimiter, csv_format.decimal)
    has_header = _is_header(first, body, decimals)
    names = first if has_header else [f"x{i}" for i in range(1, len(first) + 1)]
    unique = _unique(names)
    renamed = tuple(
        (name, raw.strip())
        for name, raw in zip(unique, names, strict=True)
        if raw.strip() not in ("", name)
    )
    return CsvLayout(delimiter, has_header, unique, decimals, renamed)


def find_ragged_row(readable: Path, layout: CsvLayout) -> str | None:
    """Say which row has too few or too many values; None if Python finds none.

    DuckDB gives the line number of such a row only in files without line ends inside
    quotes; this slower pass runs once something is known to be wrong.
    """
    width = len(layout.names)
    row = 0 if layout.has_header else 1
    try:
        with open_text(readable) as lines:
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


def _delimiter(text: str, *, is_tsv: bool) -> str:
    if is_tsv:
        return "\t"
    shares = {delimiter: _agreement(_records(text, delimiter)) for delimiter in DELIMITERS}
    # Blanks separate columns only if they do so in every line: text has blanks, too.
    if shares[" "] < 1.0:
        del shares[" "]
    best = max(shares, key=shares.__getitem__)
    if best == "," and shares[";"] == shares[","]:
        # Every line has as many commas: as decimal signs, perhaps.
        cells = chain.from_iterable(_records(text, ";"))
        return ";" if find_decimal(cells)[0] == "," else ","
    return best


def _agreement(records: Sequence[Sequence[str]]) -> float:
    """Share of the records that have the most common number of cells; 0 if that is one."""
    width = _most_common_width(records) if records else 1
    if width < 2:
        return 0.0
    return sum(len(record) == width for record in records) / len(records)


def _most_common_width(records: Sequence[Sequence[str]]) -> int:
    return Counter(len(record) for record in records).most_common(1)[0][0]


def _decimals(
    body: Sequence[Sequence[str]], n_columns: int, delimiter: str, wanted: str | None
) -> tuple[str, ...]:
    """Find the decimal sign of each column; one that shows none has that of the others."""
    if wanted is not None:
        return (wanted,) * n_columns
    found = [
        find_decimal(record[column] for record in body if len(record) > column)
        for column in range(n_columns)
    ]
    signs = {decimal for decimal, _ in found} - {None}
    is_probable = delimiter != "," and any(has_commas for _, has_commas in found)
    usual = "," if signs == {","} or (not signs and is_probable) else "."
    return tuple(decimal or usual for decimal, _ in found)


def _is_header(
    first: Sequence[str], body: Sequence[Sequence[str]], decimals: Sequence[str]
) -> bool:
    """Names over numbers make a header; failing that, a number in the line makes it data."""
    for column, (cell, decimal) in enumerate(zip(first, decimals, strict=True)):
        if is_missing(cell) or is_number(cell, decimal):
            continue
        below = [r[column] for r in body if len(r) > column and not is_missing(r[column])]
        if below and sum(is_number(cell, decimal) for cell in below) * 2 >= len(below):
            return True
    return not any(map(is_number, first, decimals))


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
