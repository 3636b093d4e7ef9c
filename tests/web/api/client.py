"""A small busy site behind the API, and programs that call it with somebody's token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jsonschema
from werkzeug.test import TestResponse

from bridge.domain.permissions import GRANTED
from bridge.services import tokens
from tests.support import NOW, Completion, World
from tests.web.site import WebWorld


@dataclass(frozen=True)
class Program:
    """Calls the API with one person's token, or with none."""

    pages: WebWorld
    token: str = ""

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """One call; paths are those below /api/v1."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        where = path if path.startswith("http") else f"/api/v1{path}"
        more = {} if body is None else {"json": body}
        answer = self.pages.app.test_client().open(
            where, method=method, headers={**sent, **(headers or {})}, **more
        )
        self._as_described(method, answer)
        return answer

    def _as_described(self, method: str, answer: TestResponse) -> None:
        """Every answer of every test is held against the description."""
        document = self.pages.app.test_client().get("/api/v1/openapi.json").json
        assert document is not None
        rule = answer.request.path.removeprefix("/api/v1")
        for path, operations in document["paths"].items():
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), rule) and method.lower() in operations:
                described = operations[method.lower()]["responses"][str(answer.status_code)]
                ((kind, media),) = described["content"].items()
                assert answer.content_type == kind
                schema = {**media["schema"], "components": document["components"]}
                jsonschema.validate(answer.json, schema, format_checker=jsonschema.FormatChecker())
                return

    def get(self, path: str) -> Any:
        """What a GET answers. It must go well."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None) -> TestResponse:
        """A POST."""
        return self.call("POST", path, body)


@dataclass(frozen=True)
class Office:
    """A learner with two drafts, one put before their manager; a stranger; and one who has every
    role that can be given, and a team."""

    world: World
    pages: WebWorld
    learner: int
    manager: int
    stranger: int
    draft: int
    submitted: int

    def program(self, person: int, *, read_only: bool = False) -> Program:
        """A program with that person's token."""
        secret = tokens.make_token(self.world.as_(person), "program", read_only=read_only)
        return Program(self.pages, secret)


def office(world: World) -> Office:
    """The usual people and things."""
    pages = WebWorld(world)
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    stranger = world.person("stranger")
    pages.give(manager, GRANTED)
    world.pull(
        Completion(),
        Completion(course="C2", when=NOW - timedelta(days=3), score=1.0),
        Completion(course="unheard-of", title="Knots"),
        Completion(user="nobody"),
        Completion(when=None, course="CE"),
    )
    items = sorted(world.items_of(learner), key=lambda i: i.evidence.occurred_on)
    submitted, draft = (item.evidence.id for item in items)
    world.submit(learner, submitted, manager, 1)
    return Office(world, pages, learner, manager, stranger, draft, submitted)
