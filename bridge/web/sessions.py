"""Server-side sessions: the browser keeps a random secret, the database everything else.

A visitor who is not signed in has no row: their secret serves for the CSRF token alone, which is
derived from it, so that nobody can fill the database by opening pages.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, MutableMapping
from functools import cached_property
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

from bridge.services.signin import NOBODY, Who, keep, who_is
from bridge.web.site import WebSite

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_CSRF = "csrf_token"


class BridgeSession(SessionMixin, MutableMapping[str, Any]):
    """A browser's session. Its keys are kept from page to page while somebody is signed in.

    Who it is, is looked up when first asked: style sheets and health checks ask nothing.
    """

    def __init__(self, secret: str, fresh: bool, csrf: str, look_up: Callable[[], Who]) -> None:
        self.secret = secret
        self.fresh = fresh
        self.ended = False
        self.asked_for_csrf = False
        self.framed = False
        self._csrf = csrf
        self._look_up = look_up

    @cached_property
    def who(self) -> Who:
        """Who this browser is."""
        return self._look_up()

    @cached_property
    def _data(self) -> dict[str, Any]:
        return dict(self.who.session.data) if self.who.session else {}

    def __contains__(self, key: object) -> bool:
        return key == _CSRF or key in self._data

    def __getitem__(self, key: str) -> Any:
        if key == _CSRF:
            self.asked_for_csrf = True
            return self._csrf
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def to_keep(self) -> tuple[int, dict[str, Any]] | None:
        """The session's row and what it is to hold from now on; None where nothing is new."""
        row = self.__dict__["who"].session if "who" in self.__dict__ else None
        if row is None or self._data == row.data:
            return None
        return row.id, self._data

    def start(self, secret: str, *, framed: bool = False) -> None:
        """From the next page on the browser is this session: a new secret, against fixation.

        `framed`: it was begun in another site's frame and lives in that frame alone.
        """
        self.framed = framed
        self.secret, self.fresh, self.ended, self.asked_for_csrf = secret, True, False, True

    def end(self) -> None:
        """From the next page on the browser is nobody."""
        self.ended = True


class ServerSessions(SessionInterface):
    """Implements Flask's sessions by `bridge.services.signin`."""

    def __init__(self, site: WebSite) -> None:
        self._site = site
        # The prefix makes browsers refuse it from a sub-domain or without https.
        self.cookie = "__Host-bridge" if site.settings.secure else "bridge"

    def open_session(self, app: Flask, request: Request) -> BridgeSession:
        """The session of the request's cookie."""
        secret = request.cookies.get(self.cookie, "")
        known = bool(_SECRET.fullmatch(secret))
        if not known:
            secret = secrets.token_urlsafe(32)

        def look_up() -> Who:
            if not known:
                return NOBODY
            return who_is(self._site.ctx, secret, self._site.settings.lasting)

        csrf = hmac.new(self._site.key, b"csrf:" + secret.encode(), hashlib.sha256).hexdigest()
        return BridgeSession(secret, not known, csrf, look_up)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what is new, and tell the browser its secret where it has none yet."""
        assert isinstance(session, BridgeSession)  # noqa: S101  open_session made it
        if session.ended:
            response.delete_cookie(self.cookie, path="/", secure=self._site.settings.secure)
            return
        if session.to_keep is not None:
            keep(self._site.ctx, *session.to_keep)
        if session.fresh and session.asked_for_csrf:
            # Browsers keep a partitioned cookie apart for each site that shows ours in a frame.
            apart = session.framed and self._site.settings.secure
            response.set_cookie(
                self.cookie,
                session.secret,
                httponly=True,
                secure=self._site.settings.secure,
                samesite="None" if apart else "Lax",
                partitioned=apart,
                path="/",
            )
