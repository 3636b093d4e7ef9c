"""Opens tables: what kind of file it is by its content, how its text is written, and its rows.

Nothing here keeps a file in memory: rows come one by one, as lists of texts, each with the number
of the line or row that it stands on. Formulas are never evaluated: a cell that begins with "=" is
text like any other.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from bridge.connectors.files.cells import HalfFile
from bridge.connectors.files.workbook import workbook_rows
from bridge.domain.problems import BadFile, Problem

MEGABYTE = 1_000_000
#: A text of a cell longer than this is quotes that nobody closed.
LONGEST_CELL = 100_000
SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 1 << 20


class Row(NamedTuple):
    """One row: the number it has in its file, from 1, and its cells."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A table that can be gone through again and again.

    `rows` begins anew at each call and raises BadFile, with row and column, where the file
    breaks. `ends_whole` is false where the file breaks off within a line: it may be half a file.
    `sheet` is the one of a workbook that is read; `others` are its other visible ones.
    """

    name: str
    rows: Callable[[], Iterator[Row]]
    encoding: str
    separator: str
    ends_whole: bool = True
    sheet: str = ""
    others: tuple[str, ...] = ()


@contextmanager
def opened(
    path: Path,
    *,
    name: str = "",
    largest: int = 200 * MEGABYTE,
    encoding: str = "",
    separator: str = "",
    sheet: str = "",
) -> Iterator[Opened]:
    """Open a CSV file or an XLSX workbook. `largest` is in bytes; `name` stands in messages.

    `encoding`, `separator` and `sheet` are found out unless given. Raises BadFile for any other
    kind of file, one that is too large, or one that unpacks to more than such a file can hold.
    """
    shown = name or path.name
    size = path.stat().st_size
    if size > largest:
        raise BadFile([_wrong(
            shown, f"The file has {size // MEGABYTE:,} MB", f"At most {largest // MEGABYTE} MB "
            "are taken", "Export it in parts, by month for instance",
        )])  # fmt: skip
    with path.open("rb") as stream:
        start = stream.read(8192)
    if not start.strip():
        raise HalfFile([_wrong(shown, "The file is empty", "", "Export it again")])
    if start.startswith(b"PK\x03\x04"):
        with tempfile.TemporaryFile() as spool:
            title, *others = _spool(workbook_rows(path, shown, sheet, largest), spool)
            yield Opened(
                shown, lambda: _spooled(spool), "", "", sheet=title, others=tuple(others)
            )  # fmt: skip
        return
    _refuse_other_kinds(start, shown)
    if encoding and not _known(encoding):
        raise BadFile([_wrong(shown, f"There is no encoding '{encoding}'", "", "Write utf-8")])
    written = encoding or _encoding(path)
    mark = separator or _separator(path, written, shown)
    _refuse_nul(path, written, shown)
    whole = _ends_in_newline(path, written, size)
    yield Opened(shown, lambda: _csv_rows(path, written, mark, shown), written, mark, whole)


def _known(encoding: str) -> bool:
    try:
        return bool(codecs.lookup(encoding))
    except LookupError:
        return False


def _wrong(
    name: str, what: str, why: str, remedy: str, row: int | None = None, column: int | None = None
) -> Problem:
    return Problem(what, why, remedy, name, row, column)


def _refuse_other_kinds(start: bytes, name: str) -> None:
    head = start.lstrip()[:400].lower()
    kind = ""
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        kind = "an Excel file of the old kind (.xls), or one with a password"
    elif start.startswith(b"%PDF"):
        kind = "a PDF"
    elif head.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"\xef\xbb\xbf<")):
        kind = "a web page or XML, whatever its name says"
    elif start.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x89PNG", b"\xff\xd8\xff")):
        kind = "a packed file or a picture"
    elif b"\x00" in start and not _looks_utf16(start):
        kind = "no text"
    if kind:
        raise BadFile([_wrong(
            name, f"This is {kind}", "CSV files and XLSX workbooks are read",
            "Open it and save it as CSV UTF-8 or as an Excel workbook (.xlsx)",
        )])  # fmt: skip


def _looks_utf16(start: bytes) -> str:
    """How UTF-16 text lies there, with its mark or without; empty for any other text."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = max(len(start) // 2, 1)
    if start[1::2].count(0) > 0.7 * pairs:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > 0.7 * pairs else ""


def _encoding(path: Path) -> str:
    """UTF-8 where every byte of the file is; otherwise what Windows writes in Western Europe."""
    with path.open("rb") as stream:
        start = stream.read(4096)
        if wide := _looks_utf16(start):
            return wide
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _refuse_nul(path: Path, encoding: str, name: str) -> None:
    """No database keeps a text with a NUL, and nothing that exports tables writes one."""
    width = {"utf-16": 2, "utf-32": 4}.get(encoding.casefold()[:6], 1)
    mark = b"\0" * width
    before, start = b"", 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            text = before + chunk
            at = text.find(mark)
            while at >= 0 and (start + at) % width:  # it is of two letters
                at = text.find(mark, at + 1)
            if at >= 0:
                raise BadFile([_wrong(
                    name, f"There is a NUL at byte {start + at + 1:,}",
                    "No text holds one: the file is damaged, or is none", "Export it again",
                )])  # fmt: skip
            before = text[len(text) - width + 1 :]
            start += len(text) - len(before)


def _separator(path: Path, encoding: str, name: str) -> str:
    """The separator that cuts most of the first lines into the same number of cells."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(20_000)
    if (first := text[:20].splitlines()[:1]) and first[0].lower().startswith("sep="):
        return first[0][4:5] or ","

    def fitness(mark: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(text), delimiter=mark) if row]
        except csv.Error:
            return 0, 0
        widths = widths[:-1] if len(widths) > 2 else widths
        common = max(set(widths), key=lambda w: (widths.count(w) * (w > 1), w), default=1)
        return (widths.count(common) * (common - 1) if common > 1 else 0), common

    return max(SEPARATORS, key=fitness)


def _ends_in_newline(path: Path, encoding: str, size: int) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, size - 4))
        end = stream.read()
    if encoding.startswith("utf-16"):
        end = end.replace(b"\x00", b"")
    return end.endswith((b"\n", b"\r", b"\x1a"))


def _csv_rows(path: Path, encoding: str, separator: str, name: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    number = 0
    try:
        with path.open(encoding=encoding, newline="") as stream:
            # Strictly: quotes that nobody closed would swallow the rows that follow.
            reader = csv.reader(stream, delimiter=separator, strict=True)
            for cells in reader:
                number = reader.line_num
                if number == 1 and cells and cells[0].lower().startswith("sep="):
                    continue
                yield Row(number, cells)
    except csv.Error as error:
        raise HalfFile([_wrong(
            name, "The file breaks here", f"The reader says: {error}",
            "Quotes in a cell are probably not closed, or not doubled. Export the file again",
            number + 1,
        )]) from None  # fmt: skip
    except UnicodeDecodeError as error:
        raise BadFile([_wrong(
            name, f"There are bytes here that are not {encoding} text",
            f"The first is 0x{error.object[error.start]:02X}",
            "Export it as CSV UTF-8, or name its encoding in the profile", number + 1,
        )]) from None  # fmt: skip


def _spool(rows: Iterator[tuple[int, list[str]] | str], spool: io.BufferedIOBase) -> list[str]:
    """Put a workbook's rows into a file that is quick to go through again; the sheets' names."""
    titles = []
    for row in rows:
        if isinstance(row, str):
            titles.append(row)
        else:
            spool.write(orjson.dumps(row) + b"\n")
    return titles or [""]


def _spooled(spool: io.BufferedIOBase) -> Iterator[Row]:
    spool.seek(0)
    for line in spool:
        number, cells = orjson.loads(line)
        yield Row(number, cells)
