"""A small stand-in Moodle beside a test's world, read by each stock road."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.connectors.moodle import MoodleSettings, MoodleSource
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.state import Site
from bridge.demo.moodle.tables import Category, Course, User
from bridge.services import pull as pulling
from bridge.services.evidence import Item
from bridge.services.pull import PullReport, Trusted
from tests.support import NOW, RULES, World

REPORT, PER_USER, PLUGIN = "report", "per-user", "plugin"
ROADS = (REPORT, PER_USER, PLUGIN)
C1, CE = 2, 3


@dataclass
class Moodle:
    """The stand-in, the world that pulls from it, and its people by the number of their account."""

    world: World
    server: StandInMoodle
    road: str
    people: dict[int, int] = field(default_factory=dict)
    manager: int = 0

    @property
    def site(self) -> Site:
        """What the Moodle knows."""
        return self.server.site

    def user(self, number: int, *, known: bool = True) -> int:
        """An account, and the person it belongs to where the staff list knows them; its number."""
        name = f"u{number}"
        self.site.add_user(
            User(number, name, "User", f"Number{number}x", f"{name}@example.org", f"S{number}")
        )
        if known:
            self.people[number] = self.world.person(
                name, staff_number=f"s{number}", manager=self.manager
            )
        return number

    def done(self, number: int, course: int = C1, days: float = 10) -> datetime:
        """They completed a course so many days before NOW."""
        when = NOW - timedelta(days=days)
        self.site.complete(number, course, when, grade=90.0)
        return when

    @property
    def trusted(self) -> Trusted:
        """The source as configured."""
        settings = MoodleSettings(
            "moodle",
            self.server.base_url,
            self.site.token_of(seed.SERVICE_USER),
            report=1 if self.road == REPORT else None,
            way=self.road,
            calls_per_second=0,
        )
        return Trusted(MoodleSource(settings, self.world.clock), "moodle", identity=RULES)

    def sweep(self, *, believe: bool = False) -> PullReport:
        """The nightly full pull, a day on."""
        self.world.clock.advance(days=1)
        return self.pull(full=True, believe=believe)

    def pull(self, *, full: bool = False, believe: bool = False) -> PullReport:
        """A pull right now."""
        return pulling.pull(self.world.ctx, self.trusted, full=full, believe=believe)

    def item(self, number: int, course: str = "Course C1") -> Item:
        """Their one piece of evidence with that title."""
        (found,) = self.items(number, course)
        return found

    def items(self, number: int, course: str = "Course C1") -> list[Item]:
        """Their evidence with that title, the oldest activity first."""
        found = [
            i
            for i in self.world.items_of(self.people[number])
            if i.evidence.title == course and any(c.suggested or c.touched for c in i.claims)
        ]
        return sorted(found, key=lambda i: i.evidence.occurred_at)

    def claims(self, number: int, course: str = "Course C1") -> set[tuple[str, bool]]:
        """State of each claim of theirs for a course, and whether it is in doubt."""
        return {
            (c.state.value, c.contested)
            for i in self.world.items_of(self.people[number])
            if i.evidence.title == course
            for c in i.claims
        }

    def gone(self) -> dict[tuple[str, str], str]:
        """(account, course) to why, of what is no longer there."""
        rows = self.world.rows(
            "SELECT natural_key, gone_because FROM received WHERE gone_at IS NOT NULL"
        )
        return {tuple(key.split(":")[1:3]): because for key, because in rows}


@contextmanager
def moodle_beside(world: World, road: str) -> Iterator[Moodle]:
    """A Moodle with four people who completed C1: nobody has looked at u10's draft, u11's is
    verified, u12's waits for the manager; u13 completed CE too. u14 is in C1 and not done."""
    site = Site("Small", world.clock.now)
    site.add_category(Category(1, "Safeguarding"))
    for number, idnumber in ((C1, "C1"), (CE, "CE")):
        site.add_course(Course(number, f"short{idnumber}", f"Course {idnumber}", 1, idnumber))
    seed.add_access(site)
    if road == PLUGIN:
        site.install_plugin()
        site.user(seed.SERVICE_USER).capabilities |= seed.PLUGIN_ROLE
    # Without it Moodle tells no ID numbers of courses person by person.
    site.user(seed.SERVICE_USER).capabilities.add("moodle/course:update")
    with StandInMoodle(site) as server:
        moodle = Moodle(world, server, road, manager=world.person("manager"))
        for number in (10, 11, 12, 13):
            moodle.done(moodle.user(number))
        moodle.done(13, CE, days=20)
        site.enrol(moodle.user(14), C1)
        moodle.pull(full=True)
        for number in (11, 12):
            evidence_id = moodle.item(number).evidence.id
            world.submit(moodle.people[number], evidence_id, moodle.manager)
        world.verify(moodle.manager, moodle.item(11).evidence.id)
        yield moodle
