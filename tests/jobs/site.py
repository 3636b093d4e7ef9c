"""A small site over a stand-in Moodle, wired in the test's process or in one of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.sql.selectable import Select

from bridge import log
from bridge.connectors.moodle import MoodleSettings, MoodleSource, MoodleTarget
from bridge.demo.moodle import Site, StandInMoodle, seed
from bridge.demo.moodle.people import learners
from bridge.domain.badges import BadgeDefinition, BadgeTarget, Criteria
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.policy import Policy
from bridge.domain.scope import SYSTEM, Actor
from bridge.jobs.embedded import EmbeddedJobs, JobTimes
from bridge.jobs.run import serve
from bridge.jobs.servers import threads
from bridge.jobs.work import Works
from bridge.services import mappings
from bridge.services.context import Context
from bridge.services.mappings import SiteSources
from bridge.services.pull import Trusted
from bridge.services.status import StatusReader
from bridge.storage import tables as t
from bridge.storage.engine import migrate, open_engine
from bridge.storage.unit import SqlStore
from bridge.storage.vault import KeyVault
from bridge.web.app import create_app
from bridge.web.site import WebSettings, WebSite
from tests import processes
from tests.support import EDITION, NOW, RULES, FrozenClock, World, ref, rule

ROOT = Path(__file__).resolve().parents[2]
COHORT = f"LLR-CORE-{NOW.year}"
BADGE = BadgeDefinition(
    "core", "Core", "Two competencies.", Criteria(competencies=(ref(1), ref(2))),
    targets=(BadgeTarget("moodle", {"via": "cohort", "cohort": COHORT,
                                    "badge": f"LLR Core {NOW.year}"}),),
)  # fmt: skip
#: Every course of the demo that has an idnumber, but two, which stay unmapped.
COURSES = ("S47", "SGC-L1", "WT", "DSL", "DA", "FGM", "EXPLOIT", "SAFER-REC", "NEGLECT", "MCA")
QUICK = JobTimes(pull_minutes=0.005, deliver_minutes=0.005)


def eventually(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    """Wait until something holds; fail, saying what, when it does not come to."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


@dataclass
class MovingClock:
    """Goes on from NOW as real time does, in every process of a test alike."""

    started: float

    def now(self) -> datetime:
        """That instant."""
        return NOW + timedelta(seconds=time.time() - self.started)


def works(engine: Engine, url: str, token: str, started: float, page_size: int) -> Works:
    """What the jobs of a site work with."""
    clock = MovingClock(started)
    settings = MoodleSettings(
        "moodle", url, token, report="Bridge completions", badges_report="Bridge issued badges",
        timeout=20, page_size=page_size, calls_per_second=0,
    )  # fmt: skip
    context = Context(
        SqlStore(engine),
        clock,
        KeyVault({"k1": b"k" * 32}),
        Actor(SYSTEM, "job", "tester"),
        Policy(lease_seconds=1, retry_seconds=1),
    )
    source = Trusted(MoodleSource(settings, clock), "moodle", identity=RULES)
    return Works(context, {"moodle": source}, {"moodle": MoodleTarget(settings, clock)})


def web_app(
    works: Works,
    jobs: EmbeddedJobs | None = None,
    base_url: str = "",
    *,
    status: StatusReader | None = None,
) -> Flask:
    """The pages of a site that works with these."""
    times = jobs.next_times if jobs else tuple
    read = status or StatusReader(works.context, "test", works.sources, works.targets, times)
    return create_app(
        WebSite(
            ctx=works.context,
            settings=WebSettings(base_url=base_url or "http://127.0.0.1"),
            key=b"w" * 32,
            identity={"moodle": RULES},
            targets=works.targets,
            status=read,
            files=lambda: SiteSources((EDITION,), (), (BADGE,)),
        )
    )


def run_bridge(told: Mapping[str, Any], ready: processes.Ready) -> None:
    """Open the database, run, and tell the address of the pages: a process of its own does it."""
    log.set_up()
    engine = open_engine(told["database"])
    migrate(engine)
    at_work = works(engine, told["url"], told["token"], told["started"], told["page_size"])
    jobs = EmbeddedJobs(at_work, QUICK)
    serve(
        jobs,
        threads(lambda address: web_app(at_work, jobs, address.rstrip("/"))),
        host="127.0.0.1",
        port=0,
        lock_path=Path(told["lock"]) if told["lock"] else None,
        on_ready=ready,
    )
    engine.dispose()


@dataclass(frozen=True)
class Running:
    """A bridge running in a process of its own."""

    process: ForkServerProcess
    page: str

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.kill()
        self.process.join()

    def end(self) -> int:
        """As systemd does; the exit status."""
        self.process.terminate()
        self.process.join(timeout=60)
        assert self.process.exitcode is not None, "it did not end when it was asked to"
        return self.process.exitcode


@dataclass(frozen=True)
class TestSite:
    """A stand-in Moodle and a bridge's database; `started` is when its clock showed NOW."""

    __test__ = False

    database: str
    moodle: StandInMoodle
    started: float
    page_size: int = 60

    @property
    def token(self) -> str:
        """The service user's."""
        return self.moodle.site.token_of(seed.SERVICE_USER)

    @property
    def lock(self) -> Path | None:
        """The run lock beside a SQLite file."""
        path = self.database.partition("sqlite:///")[2]
        return Path(f"{path}.run.lock") if path else None

    def works(self, engine: Engine) -> Works:
        """For running jobs in this process."""
        return works(engine, self.moodle.base_url, self.token, self.started, self.page_size)

    def start(self) -> Running:
        """Run the bridge in a process of its own; it is ready when this returns."""
        told = {
            "database": self.database,
            "url": self.moodle.base_url,
            "token": self.token,
            "started": self.started,
            "page_size": self.page_size,
            "lock": str(self.lock) if self.lock else None,
        }
        return Running(*processes.start(run_bridge, told))

    @contextmanager
    def running(self) -> Iterator[Running]:
        """As `start`, killed at the end of the block if it still runs."""
        run = self.start()
        try:
            yield run
        finally:
            run.kill()


def prepare(engine: Engine) -> World:
    """Publish frameworks, mapping and badge, and take in the staff of the demo."""
    world = World(engine, FrozenClock(NOW), publish_all=False)
    mappings.publish_frameworks(world.ctx, [EDITION])
    world.publish([rule(name.lower(), f"LSCP-{name}", 1, 2, 3) for name in COURSES])
    mappings.publish_badges(world.ctx, [BADGE])
    with world.store.begin() as uow:
        for one in learners():
            if one.in_staff_list:
                person = uow.people.add(f"{one.first} {one.last}", NOW)
                number = Identifier(IdentifierKind.STAFF_NUMBER, one.staff_number.casefold())
                uow.people.add_identifier(person, number, NOW)
    return world


def play(world: World, moodle: StandInMoodle, count: int) -> list[int]:
    """The first `count` learners with a draft reflect, and a manager verifies.

    Returns their Moodle user ids.
    """
    manager = world.person("The Manager")
    users: list[int] = []
    for one in learners():
        if len(users) == count or not one.in_staff_list or one.suspended:
            continue
        (person,) = _known_by(world, one.staff_number)
        items = world.items_of(person)
        if not items:
            continue
        world.post(person, manager, NOW.date() - timedelta(days=900))
        first = min((item.evidence for item in items), key=lambda e: (e.occurred_at, e.title))
        world.submit(person, first.id, manager)
        world.verify(manager, first.id)
        users.append(one.moodle_id)
    return users


def _known_by(world: World, staff_number: str) -> Sequence[int]:
    with world.store.reading() as uow:
        return [p.canonical for p in uow.people.find(staff_number)]


def pulled_whole(engine: Engine) -> Callable[[], bool]:
    """Whether the source was read to the end once."""

    def look() -> bool:
        with engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(t.bookmarks)) == 1

    return look


def in_step(engine: Engine, count: int) -> Callable[[], bool]:
    """Whether so many badges were seen at the target."""

    def look() -> bool:
        with engine.connect() as connection:
            seen = select(func.count()).where(t.target_states.c.observed == "held")
            return connection.scalar(seen) == count

    return look


def cohort_members(site: Site) -> list[int]:
    """Who is in the badge's cohort, as often as they are."""
    return sorted(next(c for c in site.cohorts.values() if c.idnumber == COHORT).members)


# --- looking at everything, ids aside -----------------------------------------------------------
def facts(engine: Engine, moodle_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables say, told by natural keys, so that two runs can be compared."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.replace(moodle_url.replace("/", "\\/").encode(), b"").replace(
                moodle_url.encode(), b""
            )
        return value.replace(moodle_url, "") if isinstance(value, str) else value

    with engine.connect() as connection:
        told = {
            name: sorted((tuple(map(plain, row)) for row in connection.execute(query)), key=repr)
            for name, query in _QUERIES.items()
        }
        told["rows"] = [
            (table.name, connection.scalar(select(func.count()).select_from(table)))
            for table in t.metadata.sorted_tables
            # Run history, counts that are made anew whenever a job comes round, and changes that
            # are summed up now and then: `ledger` below has their sums.
            if table.name not in ("pull_runs", "leases", "coverage", "ledger_counts")
        ]
    return told


_evidence = (t.people.c.display_name, t.activities.c.title, t.evidence.c.occurred_at)


def _of_evidence(*columns: Any) -> Select[Any]:
    return (
        select(*_evidence, *columns)
        .select_from(t.evidence)
        .join(t.people, t.people.c.id == t.evidence.c.person_id)
        .join(t.activities, t.activities.c.id == t.evidence.c.activity_id)
    )


_records = t.learning_records.c
_QUERIES: dict[str, Select[Any]] = {
    "ledger": select(t.sources.c.key, t.ledger_counts.c.what, func.sum(t.ledger_counts.c.n))
    .join(t.sources, t.sources.c.id == t.ledger_counts.c.source_id)
    .group_by(t.sources.c.key, t.ledger_counts.c.what)
    .having(func.sum(t.ledger_counts.c.n) != 0),
    "received": select(t.received.c.natural_key, t.received.c.body, t.received.c.gone_at),
    "records": select(
        t.received.c.natural_key, t.accounts.c.value, t.activity_aliases.c.value,
        t.activities.c.title, _records.status, _records.occurred_at, _records.cycle,
        _records.score, _records.disposition, _records.reason, t.rules.c.key, _records.pending,
    )
    .join(t.learning_records, _records.received_id == t.received.c.id)
    .join(t.accounts, t.accounts.c.id == _records.account_id)
    .join(t.activity_aliases, t.activity_aliases.c.id == _records.alias_id)
    .join(t.activities, t.activities.c.id == t.activity_aliases.c.activity_id)
    .outerjoin(t.rules, t.rules.c.id == _records.rule_id),
    "links": select(
        t.accounts.c.value, t.people.c.display_name, t.account_links.c.rule,
        t.account_links.c.proof,
    )
    .join(t.account_links, t.account_links.c.account_id == t.accounts.c.id)
    .join(t.people, t.people.c.id == t.account_links.c.person_id),
    "evidence": _of_evidence(t.evidence.c.origin, t.evidence.c.title, t.evidence.c.occurred_on),
    "support": _of_evidence(t.received.c.natural_key)
    .join(t.evidence_records, t.evidence_records.c.evidence_id == t.evidence.c.id)
    .join(t.learning_records, _records.id == t.evidence_records.c.record_id)
    .join(t.received, t.received.c.id == _records.received_id),
    "claims": _of_evidence(
        t.competencies.c.code, t.claims.c.state, t.claims.c.origin, t.claims.c.suggested,
        t.rules.c.key,
    )
    .join(t.claims, t.claims.c.evidence_id == t.evidence.c.id)
    .join(t.competencies, t.competencies.c.id == t.claims.c.competency_id)
    .outerjoin(t.rules, t.rules.c.id == t.claims.c.rule_id),
    "quarantine": select(t.received.c.natural_key, t.quarantine.c.code).join(
        t.quarantine, t.quarantine.c.received_id == t.received.c.id
    ),
    "awards": select(
        t.people.c.display_name, t.awards.c.badge_key, t.awards.c.period, t.awards.c.status,
        t.awards.c.awarded_on, t.awards.c.expires_on, t.target_states.c.desired,
        t.target_states.c.observed, t.target_states.c.error, t.target_states.c.needs_you,
        t.accounts.c.value,
    )
    .join(t.awards, t.awards.c.person_id == t.people.c.id)
    .join(t.target_states, t.target_states.c.award_id == t.awards.c.id)
    .join(t.accounts, t.accounts.c.id == t.target_states.c.account_id),
}  # fmt: skip
