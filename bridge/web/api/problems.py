"""Errors of the API as problem+json (RFC 9457): what, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog
from flask import Response, g
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException

from bridge.domain.errors import (
    BridgeError,
    LostLease,
    NotAllowed,
    NotFound,
    PeerError,
    TooOften,
    TryLater,
)
from bridge.domain.problems import BadFile

_log = structlog.get_logger("bridge.web")
_STATUS: tuple[tuple[type[BridgeError], int], ...] = (
    (NotFound, 404),
    (TooOften, 429),
    (NotAllowed, 403),
    (TryLater, 503),
    (LostLease, 503),
    (PeerError, 502),
)
TITLES = {
    400: "The request cannot be read",
    401: "A personal token is needed",
    403: "That is not allowed with this token",
    404: "There is nothing here for you to see",
    405: "That cannot be done here",
    409: "A rule or the present state forbids it",
    413: "That is too large",
    415: "Send JSON",
    422: "Something in the request is not as it must be",
    429: "Please wait a little",
    500: "Something went wrong on our side",
    502: "Another system did not answer as it should",
    503: "Please try again later",
}
_WORDS = {
    400: "Check the request against the description at /api/v1/openapi.json.",
    404: "Check the address: /api/v1/openapi.json lists what there is.",
    405: "The Allow header names the methods that this address takes.",
    413: "Send less at once.",
    415: "Send the body as JSON, with the header Content-Type: application/json.",
    500: "Nothing was done by halves. Try again; if it happens again, tell your training team the "
    "number in 'request'.",
}


class Fault(BaseModel):
    """One thing that is wrong. `where` is a JSON pointer into the body, or names a parameter."""

    model_config = ConfigDict(extra="forbid")
    what: str
    where: str
    why: str
    remedy: str


class ProblemDetails(BaseModel):
    """RFC 9457. `request` is the number under which the log has it."""

    model_config = ConfigDict(extra="forbid")
    type: str
    title: str
    status: int
    detail: str
    request: str
    errors: list[Fault] = Field(default_factory=list)


class Faulty(Exception):
    """The request is not as it must be; carries everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = list(faults)


def problem(
    status: int,
    detail: str = "",
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong."""
    told = ProblemDetails(
        type="about:blank",
        title=TITLES.get(status, "That did not work"),
        status=status,
        detail=detail or _WORDS.get(status, "Try again."),
        request=str(g.get("request_id", "")),
        errors=list(faults),
    )
    response = Response(told.model_dump_json(), status, content_type="application/problem+json")
    response.headers.update(headers or {})
    return response


def of_error(error: Exception) -> Response:
    """The answer to whatever was raised."""
    if isinstance(error, Faulty):
        return problem(422, "Every fault is listed in 'errors'.", error.faults)
    if isinstance(error, BadFile):
        faults = [
            Fault(what=p.what, where=f"{p.where}{p.pointer or ''}", why=p.why, remedy=p.remedy)
            for p in error.problems
        ]
        return problem(409, "The site's files have errors; nothing was changed.", faults)
    if isinstance(error, BridgeError):
        return _of_ours(error)
    if isinstance(error, HTTPException):
        allow = error.get_response().headers.get("Allow")
        return problem(error.code or 500, headers={"Allow": allow} if allow else None)
    _log.error("failed", exc_info=error)
    return problem(500)


def _of_ours(error: BridgeError) -> Response:
    # What a rule refuses was well said, and collides with how things stand: 409, not 422.
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    if status >= 500:
        _log.error("failed", error=str(error), kind=type(error).__name__)
    if isinstance(error, TooOften):
        left = str(max(1, round(error.retry_after)))
        return problem(status, str(error), headers={"Retry-After": left})
    if isinstance(error, TryLater):
        left = str(round(error.retry_after or 60))
        return problem(status, str(error), headers={"Retry-After": left})
    return problem(status, str(error))
