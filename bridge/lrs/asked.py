"""A request as the resources see it, whether it came as itself or inside a form (1.0.3, 1.3)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import HTTPException

from bridge.domain.lrs.senders import Sender
from bridge.domain.xapi import Version
from bridge.lrs.settings import Limits
from bridge.lrs.wrong import Wrong, too_large

VERSION_HEADER = "X-Experience-API-Version"
_VERSION = re.compile(r"(1\.0|2\.0)(\.[0-9]+)?")
#: The headers that a form may carry.
_IN_FORMS = {
    name.casefold(): name
    for name in ("Authorization", VERSION_HEADER, "Content-Type", "Content-Length", "If-Match",
                 "If-None-Match", "Accept", "Accept-Language")
}  # fmt: skip
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_FORM = "application/x-www-form-urlencoded"
#: Form fields, and parameters of an address.
MOST_FIELDS = 50


@dataclass(slots=True)
class Asked:
    """`parameters` each come once; `headers` are looked up whatever their case."""

    method: str
    parameters: dict[str, str]
    headers: Mapping[str, str]
    request: Request
    version: Version = Version.V1
    sender: Sender | None = None
    content: bytes | None = None

    def header(self, name: str) -> str | None:
        """A header of the request, or of the form that stands for it."""
        return self.headers.get(name.casefold())

    @property
    def media_type(self) -> str:
        """The type of the body, without its parameters, in small letters."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().casefold()

    @property
    def who(self) -> Sender:
        """Who sends it."""
        assert self.sender is not None  # noqa: S101  nothing is asked before they were admitted
        return self.sender

    def body(self, what: str, limit: int, setting: str) -> bytes:
        """The body. Raises Wrong (413) above the limit, without keeping more of it."""
        if self.content is None:
            self.content = read_body(self.request, what, limit, setting)
        if len(self.content) > limit:
            raise too_large(what, limit, setting)
        return self.content


def read_body(request: Request, what: str, limit: int, setting: str) -> bytes:
    """A request's bytes, and no more than the limit of them. Raises Wrong (413)."""
    if request.content_length is not None and request.content_length > limit:
        raise too_large(what, limit, setting)
    request.max_content_length = limit + 1
    # A stream may give less than it is asked for, and go on.
    pieces: list[bytes] = []
    left = limit + 1
    try:
        while left and (piece := request.stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except HTTPException:
        raise
    except Exception:
        # Of its chunks one is none, or the sender is gone; each server says so in its own way.
        raise Wrong(400, f"{what} breaks off, or its chunks cannot be read.") from None
    if not left:
        raise too_large(what, limit, setting)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def asked_of(request: Request, limits: Limits) -> Asked:
    """What a request asks. Raises Wrong where its parameters, or the form, are not in order."""
    parameters = _once(request.query_string)
    headers = {name.casefold(): value for name, value in request.headers.items()}
    method = parameters.pop("method", None)
    if method is None:
        return Asked(request.method, parameters, headers, request)
    if headers.get(VERSION_HEADER.casefold(), "").startswith("2."):
        raise Wrong(400, "xAPI 2.0 has no requests inside forms: send the request itself.")
    return _in_form(request, limits, method, parameters, headers)


def _in_form(
    request: Request,
    limits: Limits,
    method: str,
    parameters: dict[str, str],
    headers: dict[str, str],
) -> Asked:
    if request.method != "POST":
        raise Wrong(400, "A request inside a form is sent with POST (1.0.3, part 3, section 1.3).")
    if method not in _METHODS:
        raise Wrong(400, f"'{method[:20]}' is none of {', '.join(_METHODS)}.")
    if parameters:
        raise Wrong(400, "Beside 'method', a request inside a form has its parameters in the form.")
    if headers.get("content-type", "").partition(";")[0].strip().casefold() != _FORM:
        raise Wrong(400, f"A request inside a form is of the type {_FORM}.")
    # Percent signs make three bytes of one.
    body = read_body(request, "A form", 3 * limits.body, "largest_megabytes")
    fields = _once(body)
    content = fields.pop("content", None)
    told = {}
    for name in list(fields):
        if name.casefold() in _IN_FORMS:
            told[name.casefold()] = fields.pop(name)
    headers = {
        name: value
        for name, value in headers.items()
        if name not in ("content-type", "content-length")
    } | told
    if method in ("PUT", "POST") and content is None:
        raise Wrong(400, "The form has no field 'content' with what is to be stored.")
    if content is not None:
        headers.setdefault("content-type", "application/json")
    if headers.get(VERSION_HEADER.casefold(), "").startswith("2."):
        raise Wrong(400, "xAPI 2.0 has no requests inside forms: send the request itself.")
    whole = (content or "").encode("utf-8", "surrogateescape")
    return Asked(method, fields, headers, request, content=whole)


def _once(encoded: bytes) -> dict[str, str]:
    """Parameters, none of which may come twice."""
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise Wrong(400, "The parameters cannot be read, or are too many.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong(400, "A parameter is there more than once.")
    return found


def version_of(asked: Asked) -> Version:
    """The edition that a request speaks. Raises Wrong where it names none that we do."""
    named = asked.header(VERSION_HEADER)
    if named is None:
        raise Wrong(400, f"The header {VERSION_HEADER} is missing; send 1.0.3 or 2.0.0.")
    if not _VERSION.fullmatch(named.strip()):
        raise Wrong(
            400, f"The version in {VERSION_HEADER} is not one of ours; send 1.0.3 or 2.0.0."
        )
    return Version.of(named.strip())


def login_of(asked: Asked) -> tuple[str, str] | None:
    """User name and secret of HTTP Basic; None where there are none that can be read."""
    scheme, _, coded = (asked.header("Authorization") or "").partition(" ")
    if scheme.casefold() != "basic" or len(coded) > 1000:
        return None
    try:
        name, colon, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # No database keeps a NUL, so nobody is called by one.
    return (name, secret) if colon and "\0" not in name else None
