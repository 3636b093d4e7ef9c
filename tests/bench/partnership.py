"""A whole partnership: a site folder, its published files, and a filled PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from bridge.bootstrap import Bridge, open_bridge, publish_files
from bridge.bootstrap_doors import open_vault
from bridge.domain.mapping import rule_from_content
from bridge.domain.permissions import Role
from bridge.services import signin
from bridge.services.mapped import load_mapped
from bridge.sitefolder import make_site
from bridge.storage import tables as t
from bridge.storage import tables_access as ta
from bridge.storage import upkeep
from tests.bench.copying import Copier
from tests.bench.crowd import COLUMNS as CROWD
from tests.bench.crowd import make_crowd
from tests.bench.practice import COLUMNS as PRACTICE
from tests.bench.practice import Course, Practice

#: When it is, for the generator and for the pages: every run sees the same data.
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
_SEED = 20260601
_COURSES = 120
_UNMAPPED = 300
_LONG_TITLE = (
    "Working together to safeguard children and young people across agencies, thresholds, and the "
    "lessons of local child safeguarding practice reviews: two days, multi-agency, with reading"
)
#: Who signs in as what. Person 1 leads the team of 60, person 2 of it has most evidence.
MANAGER, BUSIEST, TRAINER, LMS_ADMIN, PARTNER, NEWCOMER = 1, 2, 3, 4, 5, 13


class BenchClock:
    """It is always the same moment."""

    def now(self) -> datetime:
        """That moment."""
        return NOW


@dataclass(frozen=True, slots=True)
class Filled:
    """How much there is in the database."""

    people: int
    claims: int
    rows: dict[str, int]


def open_site(folder: Path) -> Bridge:
    """The site of a folder, at the bench's moment."""
    return open_bridge(folder, clock=BenchClock())


def make_folder(folder: Path, url: str) -> None:
    """A site folder on that database, with a programme of courses beside the shipped mappings."""
    make_site(folder, token_file="moodle.token")
    (folder / "moodle.token").write_text("no Moodle is asked anything here", encoding="utf-8")
    config = folder / "bridge.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("sqlite:///bridge.db", url, 1), encoding="utf-8")
    (folder / "mappings" / "programme.yaml").write_text(_programme(), encoding="utf-8")


def _programme() -> str:
    rng = random.Random(_SEED)  # noqa: S311  the same at every run
    lines = ["mapping: programme", "title: The partnership's programme",
             "effective_from: 2020-01-01", "rules:"]  # fmt: skip
    for number in range(_COURSES):
        core = rng.sample(range(1, 11), rng.randint(1, 3))
        more = rng.sample(range(11, 35), rng.randint(0, 2))
        codes = ", ".join(str(code) for code in sorted([*core, *more]))
        london = f"L{rng.randint(1, 5)}.{rng.randint(1, 3)}"
        kind = rng.choice(("taught-course", "e-learning", "practice-workshop"))
        lines += [
            f"  - rule: programme-{number}",
            f"    title: {_title(number)}",
            "    match:",
            f"      - {{source: moodle, idnumber: PROG-{number}}}",
            f"    learning_activity: {kind}",
            "    suggests:",
            f"      llr-2020: [{codes}]",
            f"      london: [{london}]",
            "    verification: manager",
        ]
    return "\n".join(lines) + "\n"


def _title(number: int) -> str:
    return f'"{_LONG_TITLE}"' if number % 40 == 7 else f"Safeguarding course {number}"


def fill(bridge: Bridge, people: int, claims: int) -> Filled:
    """Publish the site's files and fill its (empty, migrated) database; the same at every run.

    The guards are passed by, as a restored backup passes them by: what is written obeys them.
    """
    publish_files(bridge, "for the bench")
    rng = random.Random(_SEED)  # noqa: S311  the same at every run
    today = NOW.date()
    with bridge.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        copier = Copier(connection, CROWD | PRACTICE)
        connection.execute(insert(t.sources).values(id=1, key="moodle", kind="moodle",
                                                    trust="trusted"))  # fmt: skip
        with bridge.context.store.reading() as uow:
            edition = uow.catalog.editions()[0]
            badges = uow.catalog.badges_in_force()
        crowd = make_crowd(copier, rng, people, edition, today, source=1)
        courses, unmapped = _courses(bridge, connection)
        practice = Practice(
            copier, rng, open_vault(bridge.folder, bridge.config), today, courses, unmapped
        )
        practice.work(crowd, claims)
        practice.award(badges, crowd)
        copier.finish()
        upkeep.rebuild(connection)
        _runs(connection)
        _grants(connection)
        _set_sequences(connection)
    with bridge.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return Filled(people, practice.claims, dict(copier.counts))


def _courses(bridge: Bridge, connection: Connection) -> tuple[list[Course], Sequence[int]]:
    """Add an activity for each rule that suggests something, and some that no rule names."""
    with bridge.context.store.reading() as uow:
        published = [(i, rule_from_content(content)) for i, content in uow.catalog.rules_in_force()]
        ids = load_mapped(uow).competency_ids
    courses = []
    for number, (rule_id, rule) in enumerate(published, start=1):
        idnumber = next((m.idnumber for m in rule.matchers if m.idnumber), None)
        if not rule.suggests or idnumber is None:
            continue
        _add_activity(connection, number, rule.title, idnumber)
        suggested = tuple(ids[ref] for ref in rule.suggests)
        kind = rule.learning_activity or "taught-course"
        courses.append(Course(number, number, rule.title, rule_id, suggested, kind))
    unmapped = range(1001, 1001 + _UNMAPPED)
    for number in unmapped:
        _add_activity(connection, number, f"Fire safety and first aid {number}", f"OTHER-{number}")
    return courses, unmapped


def _add_activity(connection: Connection, number: int, title: str, idnumber: str) -> None:
    connection.execute(insert(t.activities).values(id=number, title=title))
    connection.execute(
        insert(t.activity_aliases).values(
            id=number, activity_id=number, source_id=1, kind="moodle-course", value=str(number),
            title=title, idnumber=idnumber, shortname=idnumber, category="Safeguarding",
        )
    )  # fmt: skip


def _runs(connection: Connection) -> None:
    connection.execute(
        insert(t.pull_runs),
        [
            {
                "source_id": 1,
                "kind": "incremental",
                "started_at": NOW - timedelta(minutes=15 * n),
                "ended_at": NOW - timedelta(minutes=15 * n - 1),
                "outcome": "complete" if n % 50 else "failed",
                "message": "" if n % 50 else "The Moodle did not answer within 60 seconds.",
                "counts": {"received": n % 7},
            }
            for n in range(3000, 0, -1)
        ],
    )
    connection.execute(
        insert(t.bookmarks).values(source_id=1, position=NOW, last_full_at=NOW - timedelta(hours=7))
    )


def _grants(connection: Connection) -> None:
    roles = ((TRAINER, Role.TRAINING_TEAM), (LMS_ADMIN, Role.LMS_ADMIN),
             (PARTNER, Role.PARTNERSHIP))  # fmt: skip
    connection.execute(
        insert(ta.grants),
        [
            {"person_id": person, "role": role, "granted_at": NOW, "granted_by": "bench"}
            for person, role in roles
        ],
    )


def _set_sequences(connection: Connection) -> None:
    for table in t.metadata.sorted_tables:
        if "id" in table.c:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                f"coalesce((SELECT max(id) FROM {table.name}), 0) + 1, false)"
            )


def sign_in(bridge: Bridge, person: int, evidence: int | None = None) -> str:
    """A session of that person; with `evidence`, as a verifier who came by a link for it."""
    data = {} if evidence is None else {"only_evidence": evidence}
    return signin.start_session(bridge.context, person, "bench", signin.Lasting(), data)
