"""Errors as pages that help: what happened, and what to do; with the request's id for the log."""

from __future__ import annotations

import re

import structlog
from flask import Flask, Response, g, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bridge.domain.errors import (
    BridgeError,
    LostLease,
    NotAllowed,
    NotFound,
    PeerError,
    Refused,
    TooOften,
    TryLater,
)
from bridge.domain.problems import BadFile
from bridge.web.api.problems import of_error

_log = structlog.get_logger("bridge.web")
_STATUS: tuple[tuple[type[BridgeError], int], ...] = (
    (NotFound, 404),
    (TooOften, 429),
    (NotAllowed, 403),
    (Refused, 422),
    (BadFile, 422),
    (LostLease, 409),
    (TryLater, 503),
    (PeerError, 502),
)
#: Whoever asks here is a program, whatever it says that it accepts.
_FOR_PROGRAMS = ("/api/", "/xapi/")
_TITLES = {
    400: "We could not read that request",
    401: "You have been signed out",
    403: "This cannot be opened",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "Somebody was faster",
    413: "That is too large",
    422: "That did not go through",
    429: "Please wait a little",
    502: "Another system did not answer as it should",
    503: "Please try again later",
    500: "Something went wrong on our side",
}
_WORDS = {
    400: "Go back, load the page again, and try once more.",
    403: "You are signed in, but this page is for another role. If you need it, ask your training "
    "team.",
    404: "The page does not exist, or it is not one that you may see.",
    405: "Go back and use the buttons on the page.",
    413: "Send a smaller file or a shorter text.",
    500: "Nothing that you saved is lost. Please try again. If it happens again, tell your "
    "training team the number below.",
    503: "The bridge cannot answer at the moment. Nothing is lost.",
}


def status_of(error: BridgeError) -> int:
    """The HTTP status that says best what the caller must do."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def add_error_pages(app: Flask) -> None:
    """Let every error end on a page of ours."""

    @app.errorhandler(BridgeError)
    def told(error: BridgeError) -> Response:
        status = status_of(error)
        if status >= 500:
            _log.error("failed", error=str(error), kind=type(error).__name__)
        return page(status, str(error))

    @app.errorhandler(CSRFError)
    def stale(error: CSRFError) -> Response:
        return page(400, "This form was open for too long, or another window signed you out. Go "
                    "back, load the page again, and send it once more.")  # fmt: skip

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if request.path.startswith(_FOR_PROGRAMS):
            return of_error(error)
        status = error.code or 500
        if 300 <= status < 400 and isinstance(error.get_response(), Response):
            return make_response(error.get_response())
        described = error.description if status == 400 and error.description else ""
        return page(status, _WORDS.get(status, described or "Go back and try again."))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.exception("failed")
        return page(500, _WORDS[500])


def page(status: int, words: str) -> Response:
    """An error page; whoever asks for JSON gets problem+json (RFC 9457) instead."""
    title = _TITLES.get(status, "That did not work")
    if request.path.startswith(_FOR_PROGRAMS) or (
        request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    ):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": words,
                   "request": g.get("request_id", "")}  # fmt: skip
        answer = make_response(problem, status)
        answer.content_type = "application/problem+json"
        return answer
    try:
        text = render_template(
            "error.html", title=title, words=words, status=status, written=written()
        )
    except Exception:
        # Even the page that says so may fail, as when the database is away.
        _log.exception("the error page failed")
        text = f"{title}. {words}\n"
        answer = make_response(text, status)
        answer.content_type = "text/plain; charset=utf-8"
        return answer
    return make_response(text, status)


#: Fields in which people write at length. What was in them is shown again where it could not be
#: kept, so that nothing typed is lost to a session that ran out.
#: A field of several things of a kind ends with which of them it is for.
_WRITTEN = re.compile(
    r"(reflection|used|note|discussion|question|reason|variety|text|value|step)(-.+)?"
)


def written() -> list[str]:
    """What this request brought that somebody wrote; nothing where another site sent it."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return []
    try:
        form = request.form
    except HTTPException:  # it was what could not be read
        return []
    return [text for name in form if _WRITTEN.fullmatch(name) and (text := form[name].strip())]


def to_sign_in() -> Response:
    """Where somebody goes who must sign in first; they come back to the page they asked for.

    What they had typed into a form is shown to be copied: without a sign-in nothing is kept.
    """
    if request.method == "POST" and written():
        return page(401, "You have been signed out, so this could not be saved. Copy what you "
                    "wrote below, sign in again, and paste it where it was.")  # fmt: skip
    asked = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return make_response(redirect(url_for("auth.sign_in", next=asked)))
