"""The demo's bookings: one day's course that is over, one that is full, and who did what there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.demo.booking.state import Booker, Order, Shop
from bridge.demo.moodle.people import Person, learners

SOURCE = "events"
ORGANIZER = "northmere"
DAY, FULL = "domestic-abuse-day", "neglect-spring"
TITLE = "Domestic Abuse: a day together"
#: The training team's rule for that day; the demo puts it beside the shipped mappings.
MAPPING = f"""\
# yaml-language-server: $schema=mapping.schema.json
# Booked events. Only attending counts: a part of a day does not, nor does a place that was booked.
mapping: booked-events
title: Events that are booked
effective_from: 2024-04-01

rules:
  - rule: domestic-abuse-day
    title: {TITLE.replace(":", ",")}
    match:
      - {{source: {SOURCE}, title: "{TITLE}"}}
      - {{source: register, title: "{TITLE}"}}
    one_activity: true              # pretix and the office's register tell of the same day
    counts_when: {{status: [attended]}}
    learning_activity: taught-course
    delivery: multi-agency
    suggests:
      llr-2020: [2, 9]
    verification: manager

  - rule: neglect-day
    title: Neglect, a day together
    match:
      - {{source: {SOURCE}, title: "Neglect*"}}
    counts_when: {{status: [attended]}}
    learning_activity: taught-course
    suggests:
      llr-2020: [2]
    verification: manager
"""
#: What the demo's site says of the booking system.
SETTINGS = """
[pretix.{source}]
url = "{url}"
organizer = "{organizer}"
token_file = "pretix.token"
identity = ["verified-email"]      # whoever books here signs in with their work account
no_show = true                     # at these events, everybody who comes is checked in
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """The shop, and whom each part of the story is about.

    `mistaken` was checked in by mistake, which comes out later. `shared` are the two names under
    which one address, that of `sharer`, booked.
    """

    shop: Shop
    came: Person
    absent: Person
    left: Person
    mistaken: Person
    sharer: Person
    shared: tuple[str, str]
    waiting: Person
    orders: dict[str, Order]

    @property
    def began(self) -> datetime:
        """When the day began."""
        return self.shop.events[DAY].date_from

    def correct(self) -> None:
        """The office finds that somebody was checked in for somebody else, and takes it back."""
        self.shop.take_back(self.orders["mistaken"], 1)


def demo_shop(now: datetime, clock: Callable[[], datetime], token: str) -> Scene:
    """The booking system as it stands at `now` (aware); from there `clock` tells the time."""
    shop = Shop(ORGANIZER, token, clock)
    began = now.replace(hour=9, minute=30, second=0, microsecond=0) - timedelta(days=12)
    shop.add_event(DAY, TITLE, began, began + timedelta(hours=6))
    spring = now.replace(hour=9, minute=30, second=0, microsecond=0) + timedelta(days=40)
    shop.add_event(FULL, "Neglect: a day together", spring, spring + timedelta(hours=6))
    came, absent, left, mistaken, sharer, waiting = _cast()
    orders = {
        role: shop.book(DAY, _booker(person), email="bookings@northmere.example")
        for role, person in (
            ("came", came), ("absent", absent), ("left", left), ("mistaken", mistaken)
        )
    }  # fmt: skip
    shared = (f"{sharer.first} {sharer.last}", "Temporary Cover")
    orders["shared"] = shop.book(DAY, *(Booker(name, sharer.email) for name in shared))
    shop.book(FULL, _booker(came))
    shop.wait(FULL, f"{waiting.first} {waiting.last}", waiting.email)
    lunch, evening = began + timedelta(hours=3), began + timedelta(hours=6)
    for role, number, out in (
        ("came", 1, evening), ("left", 1, lunch), ("mistaken", 1, evening), ("shared", 1, evening),
        ("shared", 2, evening),
    ):  # fmt: skip
        shop.scan(orders[role], number, began - timedelta(minutes=5))
        shop.scan(orders[role], number, out, leaving=True)
    shop.notices.clear()
    return Scene(shop, came, absent, left, mistaken, sharer, shared, waiting, orders)


def _cast() -> Sequence[Person]:
    """Six people of the staff list, each of another name."""
    found: dict[str, Person] = {}
    for person in reversed(learners()):
        if person.in_staff_list:
            found.setdefault(person.first, person)
    return list(found.values())[:6]


def _booker(person: Person) -> Booker:
    return Booker(f"{person.first} {person.last}", person.email)
