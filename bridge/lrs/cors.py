"""Content in a browser: pages of other origins may ask, where a credential names their origin."""

from __future__ import annotations

from collections.abc import Collection

from flask import Request, Response

from bridge.lrs.asked import VERSION_HEADER, Asked

_HEADERS = (
    f"Authorization, Content-Type, If-Match, If-None-Match, Accept-Language, {VERSION_HEADER}"
)
_SHOWN = f"ETag, Last-Modified, {VERSION_HEADER}, X-Experience-API-Consistent-Through, X-Request-ID"
#: In seconds; a credential that is revoked is refused whatever a browser remembers.
_REMEMBERED = "600"


def preflight(origins: Collection[str], request: Request, methods: Collection[str]) -> Response:
    """What a browser asks first: without a credential, so the origin must be one of any."""
    answer = Response(status=204, headers={"Allow": ", ".join(methods), "Vary": "Origin"})
    origin = request.headers.get("Origin")
    if origin is not None and origin in origins:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        answer.headers["Access-Control-Allow-Headers"] = _HEADERS
        answer.headers["Access-Control-Max-Age"] = _REMEMBERED
    return answer


def allow(answer: Response, request: Request, asked: Asked | None) -> None:
    """Let the page see the answer, if the credential that it used names its origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    answer.headers.add("Vary", "Origin")
    if asked is not None and asked.sender is not None and origin in asked.sender.origins:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = _SHOWN
