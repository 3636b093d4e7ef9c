"""An LRS for tests of the services: statements put in by hand, pulled through the connector."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from bridge.connectors.xapi.statements import read_statement
from bridge.domain.identity import IdentityRule
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.ports import Finding
from bridge.domain.records import Page, Pulled
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.reading import USUAL, ReadingRules
from bridge.services import pull
from bridge.services.pull import PullReport, Trusted
from tests.support import NOW, World, ref

LMS = "https://lms.example.org"
COURSE = f"{LMS}/course/view.php?id=7"
ADL = "http://adlnet.gov/expapi/verbs/"
UNCOMPLETED = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted"
RULES = (IdentityRule.LMS_ACCOUNT, IdentityRule.STAFF_NUMBER, IdentityRule.VERIFIED_EMAIL)

COURSE_RULE = Rule(
    "told", "course-7", "Course 7", (Matcher(activity=COURSE),), suggests=(ref(1), ref(2)),
    learning_activity="taught-course",
)  # fmt: skip


def said(
    who: Mapping[str, Any] | str = "u1@example.org",
    verb: str = "completed",
    *,
    day: float = -10,
    about: str = COURSE,
    **more: Any,
) -> dict[str, Any]:
    """A statement, with an id of its own."""
    actor = {"mbox": f"mailto:{who}"} if isinstance(who, str) else dict(who)
    return {
        "id": str(uuid.uuid4()),
        "actor": actor,
        "verb": {"id": verb if ":" in verb else ADL + verb},
        "object": {"id": about, "definition": {"name": {"en": "Course 7"}}},
        "timestamp": (NOW + timedelta(days=day)).isoformat(),
        **more,
    }


def voiding(statement: Mapping[str, Any]) -> dict[str, Any]:
    """What voids a statement."""
    ref_ = {"objectType": "StatementRef", "id": str(statement["id"]).upper()}
    return said("office@example.org", "voided", object=ref_)


@dataclass
class Told:
    """A source of statements, in pages as given."""

    key: str = "lrs"
    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    rules: ReadingRules = USUAL
    breaks_after: int | None = None

    def pull(self, since: datetime | None) -> Iterator[Page]:
        for number, statements in enumerate(self.pages, 1):
            if self.breaks_after is not None and number > self.breaks_after:
                return
            yield Page(tuple(self._items(statements)), b"xapi", last=number == len(self.pages),
                       whole=False)  # fmt: skip

    def _items(self, statements: Iterable[dict[str, Any]]) -> Iterator[Pulled]:
        for each in statements:
            yield from read_statement(orjson.dumps(each), self.rules).items

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        return read_statement(body, self.rules).items[0]

    def doctor(self) -> list[Finding]:
        return []


@dataclass
class Lrs:
    """The usual world with an LRS beside it, and a rule for one course."""

    world: World
    trust: str = "trusted"
    source: Told = field(default_factory=Told)
    identity: tuple[IdentityRule, ...] = RULES

    def __post_init__(self) -> None:
        self.world.publish([COURSE_RULE], "told")

    def pull(self, *statements: dict[str, Any] | list[dict[str, Any]]) -> PullReport:
        """Pull these statements; each list is a page of its own."""
        pages = [s if isinstance(s, list) else [s] for s in statements]
        self.source.pages = pages or [[]]
        trusted = Trusted(self.source, STATEMENTS, self.trust, self.identity, sites={LMS: "moodle"})
        return pull.pull(self.world.ctx, trusted)

    def reasons(self) -> list[str]:
        """Why each record is what it is, in the order of arrival."""
        return [r for (r,) in self.world.rows("SELECT reason FROM learning_records ORDER BY id")]
