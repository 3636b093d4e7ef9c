"""multipart/mixed, as statements with files beside them come and go (RFC 2046)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bridge.lrs.wrong import Wrong

#: A part's headers, in bytes, and how many parts there may be.
MOST_HEADERS = 4_000
MOST_PARTS = 200
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)


class Part(NamedTuple):
    """One part: its headers by their names in small letters, and its bytes."""

    headers: dict[str, str]
    body: bytes


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts. Raises Wrong where the header does not say."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Wrong(400, "The Content-Type multipart/mixed must name its boundary.")
    return (found[1] or found[2]).encode("latin-1", "replace")


def parts_of(body: bytes, boundary: bytes) -> list[Part]:
    """The parts of a body. Raises Wrong where it is none, or breaks off."""
    line = b"--" + boundary
    if body.startswith(line):
        at = 0
    else:
        found = body.find(b"\r\n" + line)
        if found < 0:
            raise Wrong(400, "The boundary that Content-Type names is nowhere in the body.")
        at = found + 2
    parts: list[Part] = []
    while True:
        at += len(line)
        if body.startswith(b"--", at):
            return parts
        end_of_line = body.find(b"\r\n", at)
        if end_of_line < 0 or body[at:end_of_line].strip(b" \t"):
            raise Wrong(400, "A boundary of the multipart body is not on a line of its own.")
        end = body.find(b"\r\n" + line, end_of_line)
        if end < 0:
            raise Wrong(400, "The multipart body breaks off: its last boundary is missing.")
        if len(parts) == MOST_PARTS:
            raise Wrong(400, f"There are more than {MOST_PARTS} parts.")
        parts.append(_part(body, end_of_line + 2, end))
        at = end + 2


def _part(body: bytes, start: int, end: int) -> Part:
    # A part without headers begins with the empty line itself.
    if body.startswith(b"\r\n", start):
        return Part({}, body[start + 2 : max(end, start + 2)])
    stop = body.find(b"\r\n\r\n", start, min(end + 2, start + MOST_HEADERS))
    if stop < 0:
        raise Wrong(400, "The headers of a part do not end, or are too long.")
    headers = {}
    for written in body[start:stop].split(b"\r\n"):
        name, colon, value = written.partition(b":")
        if not colon:
            raise Wrong(400, "A header of a part cannot be read.")
        headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
    whole = body[stop + 4 : max(end, stop + 4)]
    told = headers.get("content-length")
    if told is not None and told != str(len(whole)):
        raise Wrong(400, f"A part says that it is {told[:20]} bytes long, and is {len(whole)}.")
    return Part(headers, whole)


def written(first: bytes, files: Iterable[tuple[str, str, bytes]]) -> tuple[str, bytes]:
    """A multipart body of a JSON document and files (hash, media type, bytes), and its type."""
    boundary = f"part-{secrets.token_hex(16)}"
    return f"multipart/mixed; boundary={boundary}", b"".join(
        _pieces(boundary.encode(), first, list(files))
    )


def _pieces(
    boundary: bytes, first: bytes, files: Sequence[tuple[str, str, bytes]]
) -> Iterator[bytes]:
    yield b"--%b\r\nContent-Type: application/json\r\n\r\n%b" % (boundary, first)
    for sha2, media_type, body in files:
        yield (
            b"\r\n--%b\r\nContent-Type: %b\r\nContent-Transfer-Encoding: binary\r\n"
            b"X-Experience-API-Hash: %b\r\n\r\n" % (boundary, _one_line(media_type), sha2.encode())
        )
        yield body
    yield b"\r\n--%b--\r\n" % boundary


def _one_line(text: str) -> bytes:
    return text.encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
