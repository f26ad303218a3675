"""What the user names as data: a file, several, a pattern, or standard input."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from centroids.rows.columns import did_you_mean
from centroids.rows.csv_layout import CsvFormat
from centroids.rows.csv_text import find_encoding, write_utf8_copy
from centroids.rows.errors import InputError

__all__ = ["DataFiles", "Source", "SourceFile", "open_source"]

DataFiles = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt"),
    "parquet": (".parquet", ".pq"),
    "json": (".json", ".ndjson", ".jsonl"),
    "npy": (".npy",),
}
PACKABLE = ("csv", "json")
STDIN = "-"
# The first bytes of what may come in through standard input.
MAGIC = {b"PAR1": ".parquet", b"\x93NUMPY": ".npy", b"{": ".json", b"[": ".json"}


class CopyFolder:
    """A temporary folder that is gone with this object, or when the program ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="centroids-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class SourceFile:
    """A file as the user knows it, and the one to open in its place.

    Attributes
    ----------
    path : Path
        The name in messages.
    readable : Path
        The same, or a copy in UTF-8 in a temporary folder.
    encoding : str
        How `path` is written.
    """

    path: Path
    readable: Path
    encoding: str = "utf-8"


@dataclass(frozen=True, eq=False)
class Source:
    """Where a table comes from; it can be read again.

    Attributes
    ----------
    name : str
        The name in messages: of the file, or the number of files.
    files : tuple of SourceFile
        The files in order.
    format : str
        "csv", "parquet", "json" or "npy".
    csv_format : CsvFormat
        What the user knows of the CSV files.
    where : str or None
        Which rows to take, an SQL condition.
    folder : CopyFolder or None
        Holds copies of what cannot be read twice or not by DuckDB; gone with this object.
    """

    name: str
    files: tuple[SourceFile, ...]
    format: str
    csv_format: CsvFormat
    where: str | None = None
    folder: CopyFolder | None = None

    @property
    def encodings(self) -> tuple[str, ...]:
        """The encodings that are not UTF-8, each once."""
        return tuple(sorted({file.encoding for file in self.files} - {"utf-8"}))

    def holds(self, path: Path) -> bool:
        """Whether a path is one of the files."""
        return path.exists() and any(
            file.path.exists() and path.samefile(file.path) for file in self.files
        )

    def __str__(self) -> str:
        return self.name


def open_source(data: DataFiles, csv_format: CsvFormat | None, where: str | None) -> Source:
    """Find the files that the user means and make sure that they can be opened.

    Parameters
    ----------
    data : path-like or sequence of path-like
        A file, a pattern such as ``data/*.csv``, "-" for standard input, or several of them.
    csv_format : CsvFormat or None
        What is known of CSV files.
    where : str or None
        Which rows to take.
    """
    csv_format = csv_format or CsvFormat()
    if isinstance(data, str | os.PathLike):
        data = [data]
    if not data:
        raise InputError("no file is named; name at least one")
    is_stdin = [os.fspath(path) == STDIN for path in data]
    if any(is_stdin):
        if len(is_stdin) > 1:
            raise InputError("- is standard input and stands alone; save it to a file first")
        folder = CopyFolder()
        files = [_spool_stdin(folder.path)]
        kind = _format(files[0])
        source = _readable("standard input", files, kind, csv_format, where, folder)
        known = replace(source.files[0], path=Path(source.name))
        return replace(source, files=(known,))
    files = [file for path in data for file in _expand(path)]
    formats = {_format(path): path for path in files}
    if len(formats) > 1:
        one, other = list(formats.values())[:2]
        raise InputError(f"{one} and {other} are files of two formats; read them one by one")
    kind = next(iter(formats))
    if kind == "npy" and len(files) > 1:
        raise InputError(
            f"{files[1]} is a second .npy file; only one can be read, so join the arrays first"
        )
    name = str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    return _readable(name, files, kind, csv_format, where, None)


def _readable(
    name: str,
    files: Sequence[Path],
    kind: str,
    csv_format: CsvFormat,
    where: str | None,
    folder: CopyFolder | None,
) -> Source:
    """Make the source, with a copy of each text file that is not UTF-8."""
    found = []
    for i, path in enumerate(files):
        file = SourceFile(path, path)
        if kind == "csv":
            encoding = find_encoding(path, csv_format.encoding)
            if encoding != "utf-8":
                folder = folder or CopyFolder()
                file = SourceFile(path, Path(folder.path, f"{i}.csv"), encoding)
                write_utf8_copy(path, encoding, file.readable)
        found.append(file)
    return Source(name, tuple(found), kind, csv_format, where, folder)


def _expand(path: str | os.PathLike[str]) -> list[Path]:
    """Give the files that a path or a pattern names; a file with signs of a pattern is one file."""
    text = os.fspath(path)
    if os.path.lexists(text) or not glob.has_magic(text):
        return [_existing(Path(path))]
    found = sorted(glob.glob(text, recursive=True))
    if not found:
        raise InputError(f"{text}: no file fits this pattern; check the folder and the pattern")
    return [_existing(Path(file)) for file in found]


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it, or a pattern: '{path}/*.csv'")
    if not path.exists():
        neighbours = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = did_you_mean(path.name, [entry.name for entry in neighbours])
        raise InputError(f"{path} does not exist{hint or '; check the path'}")
    if not path.is_file():
        raise InputError(f"{path} is not an ordinary file; save the data to a file first")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no permission to read it")
    return path


def _format(path: Path) -> str:
    """Tell the format by the suffix."""
    is_packed = path.suffix.lower() == ".gz"
    suffix = Path(path.stem).suffix.lower() if is_packed else path.suffix.lower()
    for kind, suffixes in SUFFIXES.items():
        if suffix in suffixes and (kind in PACKABLE or not is_packed):
            return kind
    raise InputError(
        f"{path}: the suffix is not one of a known format; save the data as .csv, .parquet, .json "
        "or .npy"
    )


def _spool_stdin(folder: Path) -> Path:
    """Copy standard input to a file, since rows are read twice; its first bytes tell the format."""
    spooled = folder / "standard input"
    with spooled.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with spooled.open("rb") as file:
        head = file.read(64)
    if not head.strip():
        raise InputError("standard input is empty; it needs a header and rows")
    if head.startswith(b"\x1f\x8b"):
        suffix = ".csv.gz"
    else:
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        suffix = next((s for magic, s in MAGIC.items() if start.startswith(magic)), ".csv")
    return spooled.rename(spooled.with_name(spooled.name + suffix))
