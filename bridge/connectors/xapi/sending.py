"""How statements are sent: tincan's dialogue with an LRS over our own transport.

tincan 1.0.0 by itself knows no timeout, no proxy and no CA bundle, and speaks 1.0.x alone.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import requests
from tincan import LRSResponse, RemoteLRS, Statement

from bridge.connectors.booking.web import MEGABYTE, JsonClient
from bridge.connectors.moodle.pace import Deadline
from bridge.connectors.xapi.client import PAUSES
from bridge.connectors.xapi.settings import LrsSettings
from bridge.connectors.xapi.slow import patient
from bridge.domain.errors import PeerError, TryLater

REFUSED = (
    "Make credentials in the LRS that may write statements, and configure them under "
    "[lrs.{key}.tell]."
)
#: Who is told to wait longer than this, in seconds, comes back another time: what is in hand is not
#: held that long.
LONGEST_WAIT = 10.0
#: What is read of an answer to what was sent.
_LARGEST_ANSWER = 4 * MEGABYTE


class NotTaken(Exception):
    """The LRS does not take what was sent as it is. `words` are what it says about that."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back."""

    status: int
    body: bytes


_ADDRESS = re.compile(r"[^\s<>()\"',;:]+@[^\s<>()\"',;:]+")
#: Answers about what was sent, and not about the LRS or how it knows us.
_ABOUT_WHAT_WAS_SENT = frozenset({400, 409, 412, 413, 415, 422})


class Web(JsonClient):
    """One LRS that is written to. Sending again is safe: statements carry ids of their own."""

    def __init__(self, settings: LrsSettings, version: str) -> None:
        origin = settings.origin(version)
        super().__init__(
            replace(origin, refused=REFUSED.format(key=settings.key), max_answer=_LARGEST_ANSWER)
        )
        self.version = version
        # As it is sent, and as it is configured.
        sent = origin.headers["Authorization"].partition(" ")[2]
        self.secrets = [each for each in (sent, settings.secret) if each]
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, patient())

    def send(self, method: str, path: str, query: Mapping[str, str], body: str | None) -> _Answer:
        """Ask once. Raises PeerError; answers about what was sent are returned."""
        return self.spoken(lambda: self._send(method, path, query, body))

    def _send(self, method: str, path: str, query: Mapping[str, str], body: str | None) -> _Answer:
        self.calls += 1
        with self._session.request(
            method,
            f"{self.origin.url}/{path}",
            params=query,
            data=None if body is None else body.encode(),
            headers=None if body is None else {"Content-Type": "application/json"},
            timeout=self.origin.timeout,
            stream=True,
            allow_redirects=False,
        ) as response:
            if not self._is_about_what_was_sent(response):
                self._check(response)
            return _Answer(response.status_code, self._read(response))

    @staticmethod
    def _is_about_what_was_sent(response: requests.Response) -> bool:
        return response.status_code == 204 or response.status_code in _ABOUT_WHAT_WAS_SENT


class Lrs(RemoteLRS):  # type: ignore[misc]
    """An LRS as tincan has it, spoken with by our transport, in either version.

    `sleep` waits so many seconds; once `deadline` is over, nothing is tried again.
    """

    _props = (*RemoteLRS._props, "web", "sleep", "deadline")
    web: Web
    sleep: Callable[[float], None]
    deadline: Deadline | None

    def __init__(
        self, settings: LrsSettings, version: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(endpoint=settings.url)
        self.web, self.sleep, self.deadline = Web(settings, version), sleep, None

    def _send_request(self, request: Any) -> LRSResponse:
        """Send one of tincan's requests, again where that can help.

        Raises NotTaken, or PeerError.
        """
        query = {name: str(value) for name, value in request.query_params.items()}
        for pause in (*PAUSES, None):
            try:
                answer = self.web.send(request.method, request.resource, query, request.content)
                break
            except TryLater as error:
                asked = error.retry_after or 0.0
                if pause is None or asked > LONGEST_WAIT or self._over():
                    raise
                # By chance a little later, so that all who were sent away do not come at once.
                self.sleep(max(asked, pause) * (1 + random.random()))  # noqa: S311
        if answer.status in _ABOUT_WHAT_WAS_SENT:
            raise NotTaken(answer.status, _said(answer.body, self.web.secrets))
        # Some answer a batch that they have already by 204; tincan reads a list of ids.
        data = answer.body if answer.status == 200 and answer.body else b"[]"
        return LRSResponse(success=True, request=request, response=None, data=data)

    def _over(self) -> bool:
        return self.deadline is not None and self.deadline.over

    def take(self, statements: Sequence[Statement]) -> None:
        """Send a batch. Raises NotTaken where it is not taken as a whole, or PeerError."""
        try:
            answer = self.save_statements(list(statements))
            if not isinstance(orjson.loads(answer.data), list):
                raise ValueError("no list of ids")
        except ValueError:
            # It may have been taken; sent again it is the same statements.
            raise TryLater(
                f"{self.web.origin.key}: what was sent was answered by something else than ids; a "
                "login page or a proxy may be in the way. It will be tried again.",
                peer=self.web.origin.key,
            ) from None

    def holds(self, statement: UUID) -> bool:
        """Whether it has a statement of this id, voided or not. Raises PeerError."""
        return any(self._finds(name, statement) for name in ("statementId", "voidedStatementId"))

    def _finds(self, name: str, statement: UUID) -> bool:
        try:
            found = self.web.get("statements", {name: str(statement)}).value
        except PeerError as error:
            if error.detail in ("404", "400"):
                return False
            raise
        # Some answer for an id that they do not have with an empty list of statements.
        return isinstance(found, dict) and str(found.get("id", "")).lower() == str(statement)


def _said(body: bytes, secrets: Sequence[str]) -> str:
    """The beginning of what an LRS says, for an administrator; it may repeat who it is about, or
    how it knows us."""
    words = " ".join(body[:2000].decode("utf-8", "replace").split())
    for secret in secrets:
        words = words.replace(secret, "(secret)")
    return _ADDRESS.sub("(address)", words[:600])[:300]
