"""The blueprint of /xapi: who is it, which version, which resource, and how errors are told."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from bridge.domain.errors import NotAllowed, Refused, TooOften, TryLater
from bridge.domain.lrs.documents import Kind
from bridge.domain.permissions import Permission, permits
from bridge.domain.xapi import Version
from bridge.lrs import cors, documents, resources, statements
from bridge.lrs.asked import VERSION_HEADER, Asked, asked_of, login_of, version_of
from bridge.lrs.settings import PREFIX, EndpointSite
from bridge.lrs.wrong import Wrong
from bridge.services.lrs.senders import Doorkeeper, Unknown

NAME = "xapi"
_log = structlog.get_logger("bridge.lrs")
_NO_PAGE = "default-src 'none'; sandbox; frame-ancestors 'none'"
_EVERY = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
Resource = Callable[[Asked], Response]


def endpoint(site: EndpointSite) -> Blueprint:
    """The routes of the endpoint. They guard themselves: by credentials, never by cookies."""
    xapi = Blueprint(NAME, __name__, url_prefix=PREFIX)
    keeper = Doorkeeper(site.ctx)

    def add(path: str, name: str, methods: tuple[str, ...], resource: Any) -> None:
        @permits(Permission.PUBLIC)
        def view(**parts: str) -> Response:
            return _answered(
                site, keeper, lambda asked: resource(site, asked, **parts), methods, name == "about"
            )

        xapi.add_url_rule(path, name, view, methods=_EVERY, provide_automatic_options=False)

    def of_statements(site: EndpointSite, asked: Asked) -> Response:
        by_method = {"PUT": statements.put, "POST": statements.post}
        return by_method.get(asked.method, statements.get)(site, asked)

    def of_documents(kind: Kind) -> Callable[[EndpointSite, Asked], Response]:
        return lambda site, asked: documents.handle(site, asked, kind)

    reading, all_four = ("GET", "HEAD"), ("GET", "HEAD", "PUT", "POST", "DELETE")
    add("/statements", "statements", ("GET", "HEAD", "PUT", "POST"), of_statements)
    add("/statements/more/<token>", "more", reading, statements.further)
    add("/activities/state", "state", all_four, of_documents(Kind.STATE))
    add("/activities/profile", "activity_profile", all_four, of_documents(Kind.ACTIVITY_PROFILE))
    add("/agents/profile", "agent_profile", all_four, of_documents(Kind.AGENT_PROFILE))
    add("/activities", "activities", reading, resources.activities)
    add("/agents", "agents", reading, resources.agents)
    add("/about", "about", reading, resources.about)
    return xapi


def _answered(
    site: EndpointSite,
    keeper: Doorkeeper,
    resource: Resource,
    methods: tuple[str, ...],
    anybody: bool,
) -> Response:
    """Admit the sender, have the resource answer, and put every error in words."""
    asked: Asked | None = None
    try:
        if request.method == "OPTIONS":
            return cors.preflight(keeper.origins(), request, methods)
        asked = asked_of(request, site.limits)
        asked.version = Version.of(asked.header(VERSION_HEADER))
        if not anybody:
            _admit(keeper, asked)
            asked.version = version_of(asked)
        if asked.method not in methods:
            raise Wrong(405, f"{asked.method} is not possible here.",
                        headers={"Allow": ", ".join(methods)})  # fmt: skip
        answer = resource(asked)
    except Wrong as wrong:
        answer = _told(wrong.status, wrong.words, **wrong.more)
        answer.headers.update(wrong.headers)
    except Unknown as error:
        answer = _told(401, str(error))
        answer.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    except TooOften as error:
        answer = _told(429, str(error))
        answer.headers["Retry-After"] = str(int(error.retry_after) + 1)
    except NotAllowed as error:
        answer = _told(403, str(error))
    except TryLater as error:
        answer = _told(503, str(error))
        answer.headers["Retry-After"] = "1"
    except Refused as error:
        answer = _told(400, str(error))
    except HTTPException as error:
        answer = _told(error.code or 500, error.description or "The request cannot be read.")
    except Exception as error:
        # Not what it says: that may hold what was sent.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("failed", kind=type(error).__name__, place=f"{frame.name}:{frame.lineno}")
        answer = _told(500, "Something went wrong on our side. Nothing was stored.")
    answer.headers[VERSION_HEADER] = _spoken(asked, anybody)
    # A document is of any type its sender likes: in a browser it is no page of the bridge's.
    answer.headers["Content-Security-Policy"] = _NO_PAGE
    cors.allow(answer, request, asked, keeper.origins)
    return answer


def _spoken(asked: Asked | None, anybody: bool) -> str:
    """The version that an answer names: the request's edition, as we speak it.

    A request that names none would be one of 0.9, which had no such header and is refused.
    """
    if asked is None or (not anybody and asked.header(VERSION_HEADER) is None):
        return "0.9"
    return asked.version.value


def _admit(keeper: Doorkeeper, asked: Asked) -> None:
    login = login_of(asked)
    if login is None:
        raise Unknown("Send the user name and password of a credential by HTTP Basic.")
    asked.sender = keeper.admit(*login, request.remote_addr or "")


def _told(status: int, words: str, **more: Any) -> Response:
    """An error as problem+json (RFC 9457)."""
    problem = {"type": "about:blank", "title": words, "status": status, **more,
               "request": g.get("request_id", "")}  # fmt: skip
    return Response(orjson.dumps(problem), status, content_type="application/problem+json")
