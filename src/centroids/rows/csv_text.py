"""The text of a CSV file: its encoding, and a copy in UTF-8 where it is written in another one."""

from __future__ import annotations

import codecs
import gzip
import shutil
import zlib
from pathlib import Path
from typing import IO, TextIO

from centroids.rows.errors import InputError

__all__ = ["find_encoding", "open_text", "read_head", "write_utf8_copy"]

HEAD_BYTES = 1 << 20
# The longer mark first: that of UTF-32 begins like that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What programs on Windows write where they do not write Unicode; holds all of Latin-1's letters.
LEGACY = "cp1252"


def find_encoding(path: Path, wanted: str | None) -> str:
    """Tell in which encoding a text file is written: "utf-8", or Python's name of another one.

    A byte-order mark decides, then the first mebibyte: what is not UTF-8 is taken for
    Windows-1252, of which Latin-1 is a part.

    Parameters
    ----------
    path : Path
        The file, which may be packed by gzip.
    wanted : str or None
        The encoding that the user names; nothing is guessed then.
    """
    if wanted is not None:
        name = codecs.lookup(wanted).name
        return "utf-8" if name in ("utf-8", "utf-8-sig", "ascii") else name
    head = _head_bytes(path)
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise InputError(
            f"{path} is not a text file; save it as CSV, or name its encoding (--encoding utf-16, "
            "CsvFormat in Python)"
        )
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_text(head, LEGACY):
            return LEGACY
        line = head[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8 text; save the file as UTF-8, or name its encoding "
            "(--encoding, CsvFormat in Python)"
        ) from None
    return "utf-8"


def read_head(path: Path) -> str:
    """Read the first mebibyte of a file in UTF-8, up to the end of a line."""
    return _head_bytes(path).decode("utf-8-sig", errors="replace")


def open_text(path: Path, encoding: str = "utf-8-sig") -> TextIO:
    """Open a text file, packed by gzip or not, with its line ends as they are."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def write_utf8_copy(path: Path, encoding: str, copy: Path) -> None:
    """Write a copy of a text file in UTF-8, block by block."""
    try:
        with open_text(path, encoding) as old, copy.open("w", encoding="utf-8", newline="") as new:
            shutil.copyfileobj(old, new, HEAD_BYTES)
    except UnicodeError as error:
        reason = getattr(error, "reason", None) or str(error)
        raise InputError(
            f"{path} is not {encoding} text throughout ({reason}); name its encoding with "
            "--encoding (CsvFormat in Python)"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged: it does not unpack as gzip ({error})") from error


def _head_bytes(path: Path) -> bytes:
    try:
        with _open_bytes(path) as file:
            head = file.read(HEAD_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged: it does not unpack as gzip ({error})") from error
    if not head:
        raise InputError(f"{path} is empty; it needs a header and rows")
    if len(head) == HEAD_BYTES and b"\n" in head:
        head = head[: head.rindex(b"\n") + 1]
    return head


def _open_bytes(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _is_text(head: bytes, encoding: str) -> bool:
    """Whether bytes decode and hold no control characters but line ends and tabs."""
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n\xa0\xad" for char in set(text))
