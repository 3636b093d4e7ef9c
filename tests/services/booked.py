"""A booking system for tests: seats in every state, sessions, trainers; and ways to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.counting import CountsWhen
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.ports import Finding
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    AttendanceState,
    Booking,
    LearningFact,
    Page,
    Precision,
    Pulled,
    Status,
    Trainer,
)
from bridge.services import (
    pull,
)
from bridge.services.evidence import Item
from bridge.services.pull import PullReport, Trusted
from tests.support import NOW, RULES, World, ref

RULES_OF = {"moodle": RULES, "events": RULES}
S = AttendanceState
BOTH = frozenset({Status.ATTENDED, Status.PARTLY_ATTENDED})


@dataclass(frozen=True)
class Seat:
    """One booking as the test's booking system tells it."""

    name: str = "u1"
    event: str = "E1"
    day: int = -10
    state: AttendanceState | None = S.FULLY_ATTENDED
    session: str = ""
    sessions: int | None = None
    minutes: float | None = None
    evaluated: bool | None = None
    email: str | None = None
    key: str = ""

    def pulled(self) -> Pulled:
        address = self.email or f"{self.name.casefold().replace(' ', '.')}@example.org"
        status = Status.UNKNOWN if self.state is None else self.state.status
        fact = LearningFact(
            AccountFacts("booking", f"{address}|{self.name}", address, display_name=self.name),
            ActivityFacts("event", self.event, title=f"Event {self.event}"),
            status,
            NOW + timedelta(days=self.day),
            Precision.DAY,
            booking=Booking(
                self.state,
                {S.NO_SHOW: "DNA", S.FULLY_ATTENDED: "Came"}.get(self.state, ""),  # type: ignore[arg-type]
                self.minutes,
                None,
                self.evaluated,
                self.session,
                self.sessions,
            ),
        )
        key = f"{address}|{self.name}:{self.event}:{self.session}:{self.key}".rstrip(":")
        return Pulled(key, repr(self).encode(), fact)


@dataclass
class Events:
    """A booking system that holds seats, and names trainers."""

    key: str = "events"
    seats: list[Seat] = field(default_factory=list)
    trainers: list[Trainer] = field(default_factory=list)

    def pull(self, since: datetime | None) -> Iterator[Page]:
        yield Page(
            tuple(s.pulled() for s in self.seats), b"e", last=True, trainers=tuple(self.trainers)
        )

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        raise NotImplementedError

    def doctor(self) -> list[Finding]:
        return []


def event_rule(*codes: int, event: str = "E1", **more: object) -> Rule:
    """A rule for an event of the booking system."""
    counts = CountsWhen(frozenset({Status.ATTENDED}), **more.pop("counts", {}))  # type: ignore[arg-type]
    return Rule(
        "events",
        f"r-{event.casefold()}",
        f"Event {event}",
        (Matcher(title=f"Event {event}"), *more.pop("also", ())),  # type: ignore[misc]
        counts_when=more.pop("counts_when", counts),  # type: ignore[arg-type]
        suggests=tuple(ref(c) for c in codes),
        learning_activity="taught-course",
        **more,  # type: ignore[arg-type]
    )


class Booked:
    """The usual world beside a booking system."""

    def __init__(self, world: World, *rules: Rule) -> None:
        self.world = world
        self.events = Events()
        if rules:
            world.publish(rules, "events")

    def pull(self, *seats: Seat, full: bool = True) -> PullReport:
        if seats:
            self.events.seats = list(seats)
        trusted = Trusted(self.events, "booking", identity=RULES)
        return pull.pull(self.world.ctx, trusted, full=full)

    def why(self) -> list[str]:
        return [r for (r,) in self.world.rows("SELECT reason FROM learning_records ORDER BY id")]


def drafts(world: World, person: int) -> list[Item]:
    """Somebody's evidence that anything is claimed by."""
    found = world.items_of(person)
    return [i for i in found if any(c.state.value != "withdrawn" for c in i.claims)]


ONE = Rule(
    "events", "s47", "Section 47",
    (Matcher(title="Event E1"), Matcher(idnumber="C9")),
    counts_when=CountsWhen(frozenset({Status.ATTENDED, Status.COMPLETED})),
    suggests=(ref(1), ref(2)), learning_activity="taught-course", one_activity=True,
)  # fmt: skip
