"""The endpoint over a small published world, and a client that speaks xAPI to it."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from bridge.domain.lrs.readings import Reading, Readings
from bridge.domain.lrs.senders import Scope, Sender, Trust
from bridge.domain.scope import SYSTEM, Actor
from bridge.lrs.endpoint import endpoint
from bridge.lrs.settings import EndpointSite, Limits
from bridge.services.lrs.draining import Drain
from bridge.services.lrs.senders import issue
from bridge.services.status import StatusReader
from bridge.services.tally import Tally
from bridge.web.app import create_app
from bridge.web.site import WebSettings, WebSite
from tests.support import NOW, RULES, World

HOME = "https://bridge.example.org"
KEY = b"x" * 32
EVERYTHING = (Scope.WRITE, Scope.READ_ALL, Scope.DOCUMENTS)
LIMITS = Limits(
    body=60_000, multipart=200_000, document=20_000, statements=40, page=5, most_page=20
)
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class TickingClock:
    """Each look at it is a millisecond later."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        """The next moment."""
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def pass_by(self, how_long: timedelta) -> None:
        """Let time pass."""
        self.moment += how_long


@dataclass
class Client:
    """One credential, by HTTP. `version` is the header of each request."""

    app: Flask
    authorization: str
    sender: Sender
    version: str = "1.0.3"

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        kind: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> Any:
        """A request to /xapi; parameters that are objects go as JSON."""
        told = {
            name: json.dumps(value) if isinstance(value, dict | bool) else value
            for name, value in parameters.items()
        }
        asked = f"/xapi{path}" + (f"?{urlencode(told)}" if told else "")
        more = {"Authorization": self.authorization, "X-Experience-API-Version": self.version}
        more |= headers or {}
        more = {name: value for name, value in more.items() if value}
        if body is not None and kind is not None:
            more.setdefault("Content-Type", kind)
        return self.app.test_client().open(asked, method=method, data=body, headers=more)

    def get(self, path: str, **more: Any) -> Any:
        """Ask."""
        return self.send("GET", path, **more)

    def post(self, *statements: dict[str, Any], alone: bool = False) -> Any:
        """Send statements as an array, or one alone."""
        value: Any = statements[0] if alone else list(statements)
        return self.send("POST", "/statements", json.dumps(value).encode())

    def kept(self, *statements: dict[str, Any]) -> list[str]:
        """Send statements, which must succeed; their ids."""
        answer = self.post(*statements)
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json
        return ids

    def found(self, **parameters: Any) -> list[str]:
        """The ids on the first page of what is asked for."""
        answer = self.get("/statements", **parameters)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json["statements"]]

    def one(self, statement_id: str, **more: Any) -> dict[str, Any]:
        """A statement."""
        answer = self.get("/statements", statementId=statement_id, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found


def _forgives(source: str) -> bool:
    return source.startswith("logstore-")


@dataclass
class Endpoint:
    """The endpoint of a test's world."""

    world: World
    clock: TickingClock
    limits: Limits = LIMITS
    drain: Drain = field(init=False)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        system = self.world.ctx.acting_as(Actor(SYSTEM, "xapi"))
        self.ctx = system
        reading = Reading(identity=RULES)
        self.drain = Drain(system, Readings(lambda key: reading))
        self.app = create_app(
            WebSite(
                ctx=system,
                settings=WebSettings(base_url="http://localhost"),
                key=KEY,
                identity={},
                targets={},
                status=StatusReader(system, "SQLite", {}, {}),
                files=lambda: (_ for _ in ()).throw(AssertionError("no files")),
                receivers=[endpoint(EndpointSite(system, HOME, KEY, self.limits, _forgives))],
            )
        )

    def client(
        self,
        source: str | None = None,
        scopes: Sequence[Scope] = EVERYTHING,
        *,
        trust: Trust = Trust.TRUSTED,
        origins: Sequence[str] = (),
        version: str = "1.0.3",
    ) -> Client:
        """A new credential, by HTTP; of a source of its own, unless one is named."""
        key = source or f"s-{uuid.uuid4().hex[:12]}"
        sender, secret = issue(
            self.world.ctx, key, "A test", scopes=scopes, trust=trust, origins=origins
        )
        coded = base64.b64encode(f"{sender.name}:{secret}".encode()).decode()
        return Client(self.app, f"Basic {coded}", sender, version)

    def drained(self) -> Tally:
        """Take in what was received."""
        return self.drain.run()


def new_id() -> str:
    """A statement's id."""
    return str(uuid.uuid4())


def agent(name: str) -> dict[str, Any]:
    """Somebody by their email."""
    return {"mbox": f"mailto:{name}@example.org"}


def activity(name: str) -> dict[str, Any]:
    """A course."""
    return {"id": f"https://lms.example.org/{name}"}


def statement(**parts: Any) -> dict[str, Any]:
    """A small valid statement, with an id, in which some parts are others."""
    made = {
        "id": new_id(),
        "actor": agent("ana"),
        "verb": {"id": COMPLETED},
        "object": activity("course"),
    }
    return {name: value for name, value in {**made, **parts}.items() if value is not None}


def voiding(statement_id: str, **parts: Any) -> dict[str, Any]:
    """A statement that voids another."""
    return statement(
        verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": statement_id}, **parts
    )
