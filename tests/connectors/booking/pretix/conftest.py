"""The pretixes that the connector is tested against: the stand-in always, a real one if named."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.connectors.booking.pretix import PretixSettings, PretixSource
from bridge.demo.booking import Shop, StandInPretix
from bridge.demo.booking.state import Booker
from bridge.domain.records import LearningFact, Pulled
from tests.connectors.booking.pretix.desk import (
    ENV,
    REAL,
    Booked,
    Desk,
    RealDesk,
    StandInDesk,
    SystemClock,
)

TOKEN = "stand-in-token-0123456789"
#: Ten days ago, nine o'clock: every session of the contract was or is counted from here.
PAST = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=10)


@dataclass
class Office:
    """One pretix, a desk to work at, and what was booked there."""

    settings: PretixSettings
    desk: Desk
    mark: str
    booked: dict[str, Booked]
    sessions: list[int]

    def source(self, **changes: Any) -> PretixSource:
        return PretixSource(replace(self.settings, **changes), SystemClock())

    def slug(self, name: str) -> str:
        """An event's slug; a real pretix keeps those of earlier runs."""
        return f"{name}-{self.mark}"

    def pulled(self, since: datetime | None = None, **changes: Any) -> dict[str, Pulled]:
        """Everything of this run, by key."""
        return {
            item.natural_key: item
            for page in self.source(**changes).pull(since)
            for item in page.items
            if f"-{self.mark}:" in item.natural_key
        }

    def fact(self, name: str, number: int = 1, **changes: Any) -> LearningFact:
        """What a full pull says of one place."""
        fact = self.pulled(**changes)[self.booked[name].key(number)].fact
        assert isinstance(fact, LearningFact), fact
        return fact


def furnish(office: Office) -> None:
    """Book what the contract looks at."""
    desk, slug, booked = office.desk, office.slug, office.booked
    hours = timedelta(hours=6)
    desk.event(slug("held"), "Section 47 Enquiries", PAST, PAST + hours)
    booked["two"] = desk.book(
        slug("held"), Booker("Ana Reid", "ana@n.example", lunch=True),
        Booker("Ben Cole", "ben@n.example"),
    )  # fmt: skip
    booked["shared"] = desk.book(
        slug("held"), Booker("Cara Doyle", "office@n.example"),
        Booker("Dan Eve", "office@n.example"),
    )  # fmt: skip
    booked["cancelled"] = desk.book(slug("held"), Booker("Eli Fox", "eli@n.example"))
    desk.scan(booked["two"], 1, PAST)
    desk.scan(booked["shared"], 1, PAST)
    desk.scan(booked["shared"], 1, PAST + timedelta(hours=3), leaving=True)
    desk.scan(booked["shared"], 2, PAST)
    desk.scan(booked["shared"], 2, PAST + hours, leaving=True)
    desk.cancel(booked["cancelled"])
    desk.event(slug("unmarked"), "Neglect", PAST, PAST + hours)
    booked["unmarked"] = desk.book(slug("unmarked"), Booker("Ana Reid", "ana@n.example"))
    booked["alone"] = desk.book(slug("unmarked"), Booker(), email="solo@n.example")
    ahead = PAST + timedelta(days=40)
    desk.event(slug("ahead"), "Working Together", ahead, ahead + hours)
    booked["ahead"] = desk.book(slug("ahead"), Booker("Ana Reid", "ana@n.example"),
                                Booker("Ben Cole", "ben@n.example"))  # fmt: skip
    booked["pending"] = desk.book(slug("ahead"), Booker("Cara Doyle", "cara@n.example"), status="n")
    desk.drop(booked["ahead"], 2)
    booked["filler"] = desk.book(slug("ahead"), Booker("Fay Gray", "fay@n.example"))
    desk.wait(slug("ahead"), "Eli Fox", "eli@n.example")
    days = [PAST + timedelta(days=n) for n in range(3)]
    office.sessions = desk.series(slug("series"), "Designated Safeguarding Lead", days)
    booked["series"] = desk.book(
        slug("series"), *(Booker("Ana Reid", "ana@n.example", s) for s in office.sessions[:2])
    )
    desk.scan(booked["series"], 1, days[0])


@pytest.fixture(scope="module", params=["stand-in", "real"] if REAL else ["stand-in"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """Each pretix, with the contract's bookings in it. Nothing in the contract changes them."""
    mark = secrets.token_hex(3)
    if request.param == "real":
        settings = PretixSettings("real", ENV["url"], ENV["organizer"], ENV["token"])
        made = Office(settings, RealDesk(), mark, {}, [])
        furnish(made)
        yield made
        return
    shop = Shop("northmere", TOKEN, lambda: datetime.now(UTC))
    with StandInPretix(shop) as running:
        settings = PretixSettings("events", running.base_url, "northmere", TOKEN)
        made = Office(settings, StandInDesk(shop), mark, {}, [])
        furnish(made)
        yield made


@dataclass
class FixedClock:
    """Says what it was told."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Trouble:
    """A stand-in of its own for each test, whose clock stands."""

    pretix: StandInPretix
    clock: FixedClock

    @property
    def shop(self) -> Shop:
        return self.pretix.shop

    def source(self, **changes: Any) -> PretixSource:
        settings = PretixSettings("events", self.pretix.base_url, "northmere", TOKEN)
        return PretixSource(replace(settings, **changes), self.clock)


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    """An empty stand-in at noon of an ordinary day."""
    clock = FixedClock(datetime(2026, 11, 23, 12, tzinfo=UTC))
    with StandInPretix(Shop("northmere", TOKEN, clock.now)) as running:
        yield Trouble(running, clock)
