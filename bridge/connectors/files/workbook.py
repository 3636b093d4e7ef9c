"""Reads the rows of an XLSX workbook as texts, row by row, and nothing that is a bomb.

What a formula came to when the workbook was saved is read as any other value; no formula is ever
evaluated, no macro, link or picture is opened.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from bridge.connectors.files.cells import HalfFile
from bridge.domain.problems import BadFile, Problem

#: A sheet of text shrinks ten to fifty times when it is packed; a bomb, a thousand times.
HIGHEST_RATIO = 200
#: Below this many bytes a ratio says nothing: an empty sheet packs well.
SMALL = 5_000_000
#: What a workbook may unpack to, as a multiple of how large a file may be.
UNPACKED = 5
MOST_PARTS = 5_000
#: The texts of a workbook are held in memory while it is read, so there may be so many bytes.
MOST_TEXTS = 100_000_000
WIDEST = 500
#: What is read whole, in thirty times the memory, is never this large in bytes.
WHOLE = 8_000_000
_READ_WHOLE = re.compile(
    r"xl/styles\.xml|xl/workbook\.xml|xl/theme/.*|docprops/.*|\[content_types]\.xml|.*\.rels"
)
#: No sheet of Excel is longer. A file may still say that its next row is the billionth, and the
#: rows between are counted through one by one.
LONGEST = 1_048_576


def workbook_rows(
    path: Path, name: str, sheet: str, largest: int
) -> Iterator[tuple[int, list[str]] | str]:
    """The title of the sheet, those of the others that could be read, then its rows with their
    numbers, blank ones left out.

    Without `sheet`, the first sheet that has more than one row. Raises BadFile.
    """
    _refuse_bombs(path, name, largest)
    try:
        # Opened by us: openpyxl would go by the ending of a file's name.
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                yield from _rows(book, name, sheet)
            finally:
                book.close()
    except BadFile:
        raise
    except Exception as error:
        # openpyxl meets broken parts with whatever breaks first.
        raise BadFile([_wrong(
            name, "The workbook cannot be read", f"It says: {str(error)[:120]}",
            "Open it in a spreadsheet program and save it again as .xlsx",
        )]) from None  # fmt: skip


def _wrong(name: str, what: str, why: str, remedy: str) -> Problem:
    return Problem(what, why, remedy, name)


def _refuse_bombs(path: Path, name: str, largest: int) -> None:
    """Only the table of contents is looked at; a part can never unpack to more than it says."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            heads = [_head(archive, p) for p in parts[:MOST_PARTS] if p.filename.endswith(".xml")]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError,
            ValueError):  # fmt: skip
        raise HalfFile([_wrong(
            name, "The file breaks off, or is no workbook", "Its table of contents is missing",
            "Copy it again, or save it again as .xlsx",
        )]) from None  # fmt: skip
    total = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    if (
        len(parts) > MOST_PARTS
        or total > UNPACKED * largest
        or any(_swells(p.file_size, p.compress_size) for p in parts)
        or any(p.file_size > WHOLE and _READ_WHOLE.fullmatch(p.filename.lower()) for p in parts)
        or _swells(total, packed)
    ):
        raise BadFile([_wrong(
            name, f"The workbook unpacks from {packed:,} to {total:,} bytes",
            "No spreadsheet of text does that, so it was not opened",
            "Save the sheet with the bookings alone as CSV UTF-8",
        )])  # fmt: skip
    if any(p.filename.endswith("sharedStrings.xml") and p.file_size > MOST_TEXTS for p in parts):
        raise BadFile([_wrong(
            name, f"The workbook holds more than {MOST_TEXTS // 1_000_000} MB of texts",
            "They would have to be held in memory all at once", "Save it as CSV UTF-8",
        )])  # fmt: skip
    if any(b"<!DOCTYPE" in head or b"<!ENTITY" in head for head in heads):
        raise BadFile([_wrong(
            name, "The workbook declares entities of its own", "No spreadsheet program does that",
            "Save it again as .xlsx",
        )])  # fmt: skip
    if not any(part.filename.startswith("xl/") for part in parts):
        raise BadFile([_wrong(
            name, "This is a packed file, and no Excel workbook", "",
            "Unpack it, or save the table as .xlsx or CSV",
        )])  # fmt: skip


def _swells(size: int, packed: int) -> bool:
    return size > SMALL and size > HIGHEST_RATIO * max(packed, 1)


def _head(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with archive.open(part) as stream:
        return stream.read(2000)


def _rows(book: Any, name: str, sheet: str) -> Iterator[tuple[int, list[str]] | str]:
    sheets = [s for s in book.worksheets if s.sheet_state == "visible"] or book.worksheets
    if sheet:
        sheets = [s for s in book.worksheets if s.title.casefold() == sheet.casefold()]
        if not sheets:
            there = ", ".join(s.title for s in book.worksheets)
            raise BadFile([_wrong(
                name, f"There is no sheet '{sheet}'", f"There are: {there}",
                "Correct the profile, or rename the sheet",
            )])  # fmt: skip
    for each in sheets:
        each.reset_dimensions()
        rows = _texts(each, name)
        first = [row for _, row in zip(range(2), rows, strict=False)]
        if len(first) == 2 or each is sheets[-1]:
            yield str(each.title)
            yield from (str(other.title) for other in sheets if other is not each)
            yield from first
            yield from rows
            return


def _texts(sheet: Any, name: str) -> Iterator[tuple[int, list[str]]]:
    for number, values in enumerate(sheet.iter_rows(values_only=True, max_col=WIDEST), start=1):
        if number > LONGEST:
            raise BadFile([Problem(
                f"The sheet goes on after row {LONGEST:,}", "No sheet of Excel is that long",
                "Open it in a spreadsheet program and save it again as .xlsx", name, number,
            )])  # fmt: skip
        if values.count(None) == len(values):
            continue
        cells = [cell_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def cell_text(value: Any) -> str:
    """A cell as text that reads the same everywhere: dates as ISO, whole numbers without ".0"."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if value in ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!") else value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        # Excel's fractions of a day are off by microseconds.
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 10))
    return str(value)
