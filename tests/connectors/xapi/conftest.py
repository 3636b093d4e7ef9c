"""The LRSs that the connector is tested against: the stand-in always, a real one if named.

A real one is named by BRIDGE_TEST_LRS_URL (the endpoint), BRIDGE_TEST_LRS_USER and
BRIDGE_TEST_LRS_SECRET; statements are added to it, under ids of their own.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from bridge.connectors.xapi import LrsSettings, LrsSource
from bridge.demo.lrs import StandInLrs, Store
from bridge.domain.records import Page, Pulled

REAL = os.environ.get("BRIDGE_TEST_LRS_URL", "")
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """Says what it was told."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment


def statement(
    number: int = 1,
    verb: str = "http://adlnet.gov/expapi/verbs/completed",
    who: str = "ana@example.org",
    when: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A statement with an id of its own."""
    at = when or START - timedelta(days=3) + timedelta(minutes=number)
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": f"mailto:{who}", "name": who.split("@")[0].title()},
        "verb": {"id": verb},
        "object": {
            "id": f"https://lms.example.org/course/view.php?id={number}",
            "definition": {"name": {"en": f"Course {number}"}},
        },
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        **more,
    }


@dataclass
class Peer:
    """One LRS, and a way to put statements into it as senders do."""

    settings: LrsSettings
    send_as: str = "1.0.3"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def source(self, **changes: Any) -> LrsSource:
        return LrsSource(replace(self.settings, **changes), SystemClock())

    def send(self, *statements: dict[str, Any]) -> list[str]:
        """Post them at once, as a forwarder would; their ids."""
        answer = requests.post(
            f"{self.settings.url.rstrip('/')}/statements",
            json=list(statements),
            auth=(self.settings.user, self.settings.secret),
            headers={"X-Experience-API-Version": self.send_as},
            timeout=60,
        )
        assert answer.status_code in (200, 204), answer.text
        return [s["id"] for s in statements]

    def pulled(self, since: datetime | None, **changes: Any) -> dict[str, Pulled]:
        return items_of(self.source(**changes).pull(since))


def items_of(pages: Iterator[Page]) -> dict[str, Pulled]:
    return {item.natural_key: item for page in pages for item in page.items}


@pytest.fixture(params=["stand-in", "real"] if REAL else ["stand-in"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """Each LRS."""
    if request.param == "real":
        user, secret = (os.environ[f"BRIDGE_TEST_LRS_{n}"] for n in ("USER", "SECRET"))
        yield Peer(LrsSettings("real", REAL, user, secret))
        return
    with StandInLrs() as running:
        yield Peer(LrsSettings("lrs", running.base_url, running.user, running.secret))


@dataclass
class Trouble:
    """A stand-in whose clock stands, and which can be told to misbehave."""

    lrs: StandInLrs
    clock: FixedClock
    naps: list[float] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.lrs.store

    def source(self, **changes: Any) -> LrsSource:
        settings = LrsSettings("lrs", self.lrs.base_url, self.lrs.user, self.lrs.secret)
        return LrsSource(replace(settings, **changes), self.clock, self.naps.append)

    def put(self, number: int = 1, *, late: timedelta = timedelta(minutes=1), **more: Any) -> str:
        """Store a statement, so long after it happened; its id."""
        told = statement(number, **more)
        happened = datetime.fromisoformat(told["timestamp"])
        return self.store.put(told, stored=happened + late)


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    """An empty stand-in."""
    clock = FixedClock()
    with StandInLrs(Store(clock.now)) as running:
        yield Trouble(running, clock)
