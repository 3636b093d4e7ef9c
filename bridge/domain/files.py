"""Files that people attach to their own evidence: what is taken, told by what is in them."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from bridge.domain.errors import Refused

#: How many files one piece of evidence holds.
MOST = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken."""

    media_type: str
    suffix: str
    title: str


PDF = Kind("application/pdf", ".pdf", "PDF")
PNG = Kind("image/png", ".png", "PNG picture")
JPEG = Kind("image/jpeg", ".jpg", "JPEG picture")
DOCX = Kind(
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx",
    "Word document",
)  # fmt: skip
TXT = Kind("text/plain", ".txt", "plain text")
KINDS = (PDF, PNG, JPEG, DOCX, TXT)


def sniff(body: bytes) -> Kind:
    """The kind of a file by its content; neither its name nor what a browser says is trusted.

    Raises Refused for any other kind, and for a Word document with macros.
    """
    if body.startswith(b"%PDF-"):
        return PDF
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if body.startswith(b"\xff\xd8\xff"):
        return JPEG
    if body.startswith(b"PK\x03\x04") and _is_docx(body):
        return DOCX
    if body and _is_text(body):
        return TXT
    names = ", ".join(kind.title for kind in KINDS[:-1])
    raise Refused(f"This kind of file is not taken. Attach a {names} or {TXT.title}.")


def _is_docx(body: bytes) -> bool:
    """Whether a ZIP is a Word document; only its table of contents is read, nothing unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    if any(name.casefold().endswith("vbaproject.bin") for name in names):
        raise Refused("This Word document holds macros. Save it without them, then attach it.")
    return {"[Content_Types].xml", "word/document.xml"} <= names


def _is_text(body: bytes) -> bool:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char in "\r\n\t" or unicodedata.category(char) != "Cc" for char in text)


def safe_name(name: str, kind: Kind) -> str:
    """The name to keep: without folders and control characters, ending as its kind does."""
    plain = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "C" and c not in '"<>|:*?')
    stem = PurePosixPath(plain).stem.strip(" .")[:80] or "file"
    return f"{stem}{kind.suffix}"
