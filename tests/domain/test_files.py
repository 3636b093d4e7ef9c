"""Which files are taken: told by what is in them, whatever they are called."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import Refused
from bridge.domain.files import DOCX, JPEG, KINDS, PDF, PNG, TXT, Kind, safe_name, sniff


def word(*more: str) -> bytes:
    """A ZIP with the parts of a Word document, and more."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *more):
            archive.writestr(name, "<x/>")
    return body.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7\n...", PDF),
        (b"\x89PNG\r\n\x1a\n....", PNG),
        (b"\xff\xd8\xff\xe0....", JPEG),
        (word(), DOCX),
        ("Notes of the day – ü\n".encode(), TXT),
    ],
    ids=lambda value: value.title if isinstance(value, Kind) else "",
)
def test_a_kind_is_told_by_its_content(body: bytes, kind: Kind) -> None:
    assert sniff(body) is kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"MZ\x90\x00 a program",
        b"\x00\x01\x02",
        b"PK\x03\x04 a broken archive",
        b"\xd0\xcf\x11\xe0 an old Word document",
        b"\x1b[2J terminal codes",
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="not taken"):
        sniff(body)


def test_another_archive_is_no_word_document() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("run.exe", "x")
    with pytest.raises(Refused, match="not taken"):
        sniff(body.getvalue())


def test_macros_are_refused() -> None:
    with pytest.raises(Refused, match="macros"):
        sniff(word("word/vbaProject.bin"))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("note.pdf", "note.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\note.exe", "note.pdf"),
        ('a"b<c>\r\nSet-Cookie: x.pdf', "abcSet-Cookie x.pdf"),
        ("", "file.pdf"),
        ("..", "file.pdf"),
    ],
)
def test_a_name_is_only_a_name(name: str, kept: str) -> None:
    assert safe_name(name, PDF) == kept


@given(st.text(max_size=300), st.sampled_from(KINDS))
def test_every_name_can_be_a_header(name: str, kind: Kind) -> None:
    kept = safe_name(name, kind)
    assert kept.endswith(kind.suffix)
    assert len(kept) <= 90
    assert not set(kept) & set('/\\"\r\n')
