"""Content in a browser: pages of other origins may ask, where a credential names their origin."""

from __future__ import annotations

from collections.abc import Callable, Collection

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


def allow(
    answer: Response, request: Request, asked: Asked | None, origins: Callable[[], Collection[str]]
) -> None:
    """Let the page see the answer, if the credential that it used names its origin.

    What is answered without a credential (`about`, and why one was not taken) tells of nobody: the
    pages of every origin that any credential names may see that.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return
    answer.headers.add("Vary", "Origin")
    sender = None if asked is None else asked.sender
    if origin in (origins() if sender is None else sender.origins):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = _SHOWN
        # What a page sends as it closes (a beacon) is no CORS request, and else called blocked.
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
