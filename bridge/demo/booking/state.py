"""What a stand-in pretix knows, and what happens in it: bookings, scans at the door, cancellations.

As in pretix 2026.8: a scan touches its order; taking a scan back on pretix's own pages does not;
a cancelled order keeps positions that say nothing of it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

#: Without 0, O, 1 and I, so that a code can be read out.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ3789"


@dataclass
class Event:
    """One event, or a series of dates."""

    slug: str
    name: str
    date_from: datetime
    date_to: datetime | None
    series: bool = False
    meta: dict[str, str] = field(default_factory=dict)


@dataclass
class Session:
    """One date of a series."""

    id: int
    event: str
    name: str
    date_from: datetime
    date_to: datetime | None
    active: bool = True


@dataclass
class Scan:
    """One scan at the door."""

    id: int
    at: datetime
    list: int
    type: str
    created: datetime


@dataclass
class Position:
    """One place in an order."""

    id: int
    number: int
    item: int
    name: str
    email: str
    session: int | None = None
    answers: dict[str, str] = field(default_factory=dict)
    addon_to: int | None = None
    canceled: bool = False
    scans: list[Scan] = field(default_factory=list)


@dataclass
class Order:
    """One order. `status` is pretix's letter: p paid, n pending, e expired, c cancelled."""

    code: str
    event: str
    email: str
    placed: datetime
    modified: datetime
    positions: list[Position]
    status: str = "p"
    approval: bool = False
    testmode: bool = False


@dataclass
class Waiting:
    """Somebody on a waiting list."""

    id: int
    event: str
    name: str
    email: str
    item: int
    session: int | None = None


@dataclass(frozen=True)
class Booker:
    """Whom a place is for, as they are typed in."""

    name: str = ""
    email: str = ""
    session: int | None = None
    answers: tuple[tuple[str, str], ...] = ()
    lunch: bool = False


@dataclass
class Shop:
    """One organiser. `now` tells the time; whoever changes anything holds `lock`."""

    organizer: str
    token: str
    now: Callable[[], datetime]
    events: dict[str, Event] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    lists: dict[str, dict[int, str]] = field(default_factory=dict)
    notices: list[dict[str, object]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def next_id(self) -> int:
        """A number that nothing has yet."""
        return next(self._ids)

    def add_event(
        self, slug: str, name: str, start: datetime, end: datetime | None, *,
        series: bool = False, lists: Sequence[str] = ("Register",), **meta: str,
    ) -> Event:  # fmt: skip
        """An event with its check-in lists."""
        made = self.events[slug] = Event(slug, name, start, end, series, meta)
        self.lists[slug] = {self.next_id(): title for title in lists}
        return made

    def add_session(self, slug: str, name: str, start: datetime, end: datetime | None) -> int:
        """A date of a series; its id."""
        number = self.next_id()
        self.sessions[number] = Session(number, slug, name, start, end)
        return number

    def place_of(self, slug: str) -> int:
        """The product that grants admission."""
        return 10 * (1 + list(self.events).index(slug))

    def book(
        self, slug: str, *bookers: Booker, email: str = "bookings@northmere.example",
        status: str = "p", approval: bool = False, testmode: bool = False,
    ) -> Order:  # fmt: skip
        """An order with a place for each of `bookers`."""
        positions: list[Position] = []
        for booker in bookers:
            item = self.place_of(slug)
            place = Position(self.next_id(), len(positions) + 1, item, booker.name, booker.email,
                             booker.session, dict(booker.answers))  # fmt: skip
            positions.append(place)
            if booker.lunch:
                positions.append(Position(self.next_id(), len(positions) + 1, item + 1, "", "",
                                          booker.session, addon_to=place.id))  # fmt: skip
        moment = self.now()
        made = Order(self._code(), slug, email, moment, moment, positions, status, approval,
                     testmode)  # fmt: skip
        self.orders.append(made)
        self._tell(made, "pretix.event.order.placed")
        return made

    def wait(self, slug: str, name: str, email: str, session: int | None = None) -> Waiting:
        """Somebody joins the waiting list."""
        made = Waiting(self.next_id(), slug, name, email, self.place_of(slug), session)
        self.waiting.append(made)
        return made

    def scan(
        self, order: Order, number: int, at: datetime, *, leaving: bool = False, on: str = ""
    ) -> None:
        """A scan at the door of the place with this number in the order."""
        known = self.lists[order.event]
        where = next(key for key, title in known.items() if on in ("", title))
        kind = "exit" if leaving else "entry"
        scan = Scan(self.next_id(), at, where, kind, self.now())
        order.positions[number - 1].scans.append(scan)
        order.modified = self.now()
        self._tell(order, "pretix.event.checkin")

    def take_back(self, order: Order, number: int) -> None:
        """Undo the scans of a place, as on pretix's own pages: the order is not touched."""
        order.positions[number - 1].scans.clear()
        self._tell(order, "pretix.event.checkin.reverted")

    def cancel(self, order: Order) -> None:
        """Cancel an order; its positions go on saying that they are not cancelled."""
        order.status, order.modified = "c", self.now()
        self._tell(order, "pretix.event.order.canceled")

    def drop(self, order: Order, number: int) -> None:
        """Cancel one place of an order."""
        order.positions[number - 1].canceled = True
        order.modified = self.now()
        self._tell(order, "pretix.event.order.changed")

    def _tell(self, order: Order, action: str) -> None:
        """A notice as a webhook would carry it: ids, and nothing that proves who sends it."""
        self.notices.append({
            "notification_id": self.next_id(), "organizer": self.organizer, "event": order.event,
            "code": order.code, "action": action,
        })  # fmt: skip

    def _code(self) -> str:
        number, code = 7919 * (len(self.orders) + 1), ""
        for _ in range(5):
            number, letter = divmod(number, len(_LETTERS))
            code += _LETTERS[letter]
        return code
