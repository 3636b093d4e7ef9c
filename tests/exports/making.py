"""Made-up people, events and bookings, and the ways in which suppliers write tables of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from openpyxl import Workbook

FIRST = ["Ann", "Siân", "Mohammed", "Priya", "José", "Chloë", "Obi", "Grace", "Wei", "Fatima", "Tom", "Zoë", "Liam", "Nia", "Kofi", "Ruth", "Ivan", "Asha", "Dermot", "Elin", "Yusuf", "Beth", "Omar", "Jean-Luc", "Mary", "Kwame", "Lucy", "Hannah"]  # fmt: skip
LAST = ["Lee", "O'Neill", "Khan", "Patel", "García", "Brontë", "Okafor", "Jones", "Chen", "Begum", "Smith", "Müller", "Walsh", "Evans", "Mensah", "Adeyemi", "Petrov", "Nair", "Byrne", "Hughes", "Ali", "Carter", "Haddad", "Dubois", "Achebe", "Baker-Shah", "Wood"]  # fmt: skip
AGENCIES = ("Leicester City Council", "LPT NHS Trust", "St Mark's Primary School", "Barnardo's",
            "Leicestershire Police", "Rutland County Council", "Sunny Days Nursery",
            "DMU Students' Union")  # fmt: skip
TITLES = ("Section 47 Enquiries and Core Groups", "Working Together: Level 2",
          "Safeguarding Children: an Introduction", "Neglect – the Cumulative Impact",
          "Child Sexual Exploitation (Level 3)", "Designated Safeguarding Lead Refresher",
          "Professional Curiosity", "Domestic Abuse and Children")  # fmt: skip
TRAINERS = ("Helen Marsh", "Dev Anand", "Carol Whitby")
VENUES = ("County Hall, Room 2", "Online (Teams)", "Beaumont Leys Library")


@dataclass(frozen=True)
class Event:
    """One run of a course."""

    number: int
    code: str
    title: str
    start: datetime
    end: datetime
    trainer: str


@dataclass(frozen=True)
class Person:
    """Somebody who books. `staff` is a staff number."""

    first: str
    last: str
    email: str
    staff: str
    agency: str

    @property
    def name(self) -> str:
        """As it is said."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Seat:
    """One booking. `state`: came, part, missed, cancelled, waiting or nothing yet."""

    number: int
    event: Event
    person: Person
    state: str
    booked: datetime
    score: int
    minutes: int


@dataclass
class Export:
    """One file, and what is true of it.

    `columns` gives the field of each heading that is one; `asks` how the questions begin that
    must be asked (none of them where the file says all).
    """

    content: bytes
    suffix: str = ".csv"
    columns: Mapping[str, str] = field(default_factory=dict)
    kind: str = "attendance"
    sessions: Sequence[str] = ()
    above: Mapping[str, str] = field(default_factory=dict)
    dates: str | None = None
    asks: Sequence[str] = ()


def world(rng: Random, seats: int = 60, *, early: bool = False) -> list[Seat]:
    """Bookings of a few events. With `early`, no day of a month is after the twelfth."""
    events = []
    for number, title in enumerate(rng.sample(TITLES, 5)):
        day = date(2026, rng.randint(1, 9), rng.randint(1, 12) if early else rng.randint(1, 28))
        while early and day.day == day.month:
            day = day.replace(day=day.day % 12 + 1)
        start = datetime.combine(day, time(rng.choice((9, 10, 13)), rng.choice((0, 30))))
        events.append(Event(41_000 + 7 * number + rng.randint(0, 6), f"SC{rng.randint(10, 99)}-{number}",
                            title, start, start + timedelta(hours=rng.choice((3, 6))),
                            rng.choice(TRAINERS)))  # fmt: skip
    if not early:  # at least one day that only one order can be
        one = events[0]
        moved = one.start.replace(day=rng.randint(13, 28))
        events[0] = Event(one.number, one.code, one.title, moved,
                          moved + (one.end - one.start), one.trainer)  # fmt: skip
    found = []
    for number in range(seats):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        plain = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and c not in " '")
        person = Person(first, last, f"{plain}{number}@{rng.choice(('leics.example.org', 'nhs.example.org', 'school.example.org'))}",
                        f"{rng.randint(20_000_000, 29_999_999)}", rng.choice(AGENCIES))  # fmt: skip
        event = rng.choice(events)
        booked = datetime(2025, rng.randint(10, 12), rng.randint(1, 12 if early else 28),
                          rng.randint(8, 18), rng.randint(0, 59))  # fmt: skip
        state = rng.choice(
            ("came", "came", "came", "came", "part", "missed", "cancelled", "waiting")
        )
        found.append(Seat(300_000 + number * 3, event, person, state, booked,
                          rng.randint(40, 100), rng.randint(30, 350)))  # fmt: skip
    return found


def table(seats: Sequence[Seat], columns: Mapping[str, Any]) -> list[list[str]]:
    """Headings and rows. Each column is a function of a seat (or the same text everywhere)."""
    rows = [list(columns)]
    for seat in seats:
        rows.append([make(seat) if callable(make) else make for make in columns.values()])
    return rows


def as_csv(
    rows: Sequence[Sequence[Any]], *, separator: str = ",", encoding: str = "utf-8",
    newline: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL,
) -> bytes:  # fmt: skip
    """The rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=newline, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode(encoding, errors="replace")


def as_xlsx(rows: Sequence[Sequence[Any]], *, merged: Sequence[str] = (), sheet: str = "Sheet1",
            formats: Mapping[int, str] | None = None) -> bytes:  # fmt: skip
    """The rows as a workbook; `merged` are ranges, `formats` number formats by column."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for each in merged:
        page.merge_cells(each)
    for column, form in (formats or {}).items():
        for cell in page.iter_rows(min_col=column, max_col=column):
            cell[0].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def one_of(words: Mapping[str, str]) -> Any:
    """A column of the state, in a supplier's words."""
    return lambda seat: words[seat.state]


def uk(moment: datetime) -> str:
    """14/03/2026."""
    return f"{moment:%d/%m/%Y}"


def serial(moment: datetime) -> float:
    """As Excel counts days."""
    return round((moment - datetime(1899, 12, 30)) / timedelta(days=1), 6)
