"""From a record of JSON to the fact it tells: its fields become a row, which is read as a table's.

Kept of a record are the fields that the profile names, and what was true around them (whether it
was over, whether others of its order carry the same name); a changed profile makes other bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jmespath
import orjson

from bridge.connectors.booking.rest.profile import RestProfile
from bridge.connectors.files.reading import KEYLESS, RowReader, kept_fields
from bridge.domain.bookings import BOOKING_KIND
from bridge.domain.errors import Damaged
from bridge.domain.records import (
    AccountFacts,
    AttendanceState,
    Fact,
    LearningFact,
    Pulled,
    Status,
    Trainer,
    Unreadable,
)
from bridge.domain.times import LONDON, aware

#: These say that somebody meant to come. Once it is over, they say nothing of who came.
_TO_COME = frozenset({AttendanceState.BOOKED, AttendanceState.APPROVED, AttendanceState.REQUESTED})


@dataclass(frozen=True, slots=True)
class Row:
    """What one record came to."""

    items: list[Pulled]
    trainers: list[Trainer]


class RecordReader:
    """Reads records by one profile."""

    def __init__(self, profile: RestProfile) -> None:
        self.profile = profile
        self._fields = kept_fields(profile.rows)
        self._rows = RowReader(profile.rows, self._fields)
        self._paths = profile.paths
        self._order = jmespath.compile(profile.order.of) if profile.order else None

    @property
    def envelope(self) -> bytes:
        """What is needed to read the bytes again: the order of the fields."""
        return orjson.dumps({"route": "rest", "profile": self.profile.name,
                             "fields": self._fields})  # fmt: skip

    def order_of(self, record: Mapping[str, Any]) -> str:
        """The order that a record belongs to; empty where that does not matter."""
        return "" if self._order is None else text_of(self._order.search(record))

    def identity_of(self, record: Mapping[str, Any]) -> str:
        """The name and address in a record, as one text."""
        wanted = ("name", "first_name", "last_name", "email")
        told = (text_of(self._paths[f].search(record)) for f in wanted if f in self._paths)
        return "|".join(told).casefold()

    def read(self, record: Mapping[str, Any], now: datetime, *, shared: bool, at: str) -> Row:
        """What a record says. `shared`: others of its order carry the same name and address, so
        they are those of whoever placed it. `at` ("record 17") begins what is said of a fault."""
        cells = [
            self.profile.rows.fixed.get(field)
            or (text_of(self._paths[field].search(record)) if field in self._paths else "")
            for field in self._fields
        ]
        found = self._rows.read(cells, at)
        items = [self._finish(item, cells, now, shared=shared) for item in found.items]
        return Row(items, found.trainers)

    def _finish(self, item: Pulled, cells: list[str], now: datetime, *, shared: bool) -> Pulled:
        fact = item.fact
        over = isinstance(fact, LearningFact) and _ends(fact) <= now
        kept = {"cells": cells, "over": over, "shared": shared, "by": self.profile.digest}
        return Pulled(
            item.natural_key,
            orjson.dumps(kept, option=orjson.OPT_SORT_KEYS),
            _as_it_stands(fact, item.natural_key, over=over, shared=shared),
        )

    def read_kept(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored record read again, by the profile as it is now.

        Raises Damaged for what is not ours, or was kept under other fields.
        """
        try:
            told, kept = orjson.loads(envelope), orjson.loads(body)
            ours = told["route"] == "rest"
            by_field = dict(zip(told["fields"], kept["cells"], strict=True))
            over, shared = bool(kept["over"]), bool(kept["shared"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise Damaged(f"{natural_key}: what is stored cannot be read: {error}") from error
        if not ours:
            raise Damaged(f"{natural_key}: it was not stored by a REST profile")
        found = self._rows.read([by_field.get(field, "") for field in self._fields])
        fact: Fact = (
            found.items[0].fact
            if found.items
            else Unreadable("not-done", "The record says that nothing has been done yet.")
        )
        if found.items and natural_key.startswith(KEYLESS):
            # It may be read by now which booking it is.
            natural_key = found.items[0].natural_key
        return Pulled(natural_key, body, _as_it_stands(fact, natural_key, over=over, shared=shared))


def _as_it_stands(fact: Fact, key: str, *, over: bool, shared: bool) -> Fact:
    if not isinstance(fact, LearningFact):
        return fact
    if over and fact.booking is not None and fact.booking.state in _TO_COME:
        # It is over, and nobody marked who came: that is unknown, and never a no-show.
        booking = fact.booking
        fact = fact._replace(
            status=Status.UNKNOWN,
            booking=type(booking)(
                None, booking.said, booking.minutes, booking.planned, booking.evaluated,
                booking.session, booking.sessions,
            ),
        )  # fmt: skip
    if shared:
        told = fact.account
        name = told.display_name or told.email or "somebody"
        fact = fact._replace(
            account=AccountFacts(
                BOOKING_KIND, f"order:{key}"[:200], display_name=f"a place booked by {name}"
            )
        )
    return fact


def _ends(fact: LearningFact) -> datetime:
    """When it is over: after its planned minutes, or with its day."""
    planned = fact.booking.planned if fact.booking else None
    if planned:
        return fact.occurred_at + timedelta(minutes=planned)
    day = aware(fact.occurred_at).astimezone(LONDON)
    return day.replace(hour=23, minute=59, second=59)


def text_of(value: Any) -> str:
    """A value of JSON as a cell of a table would show it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(text for text in map(text_of, value) if text)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    # PostgreSQL keeps no text with a NUL in it, and it says nothing to anybody.
    return str(value).replace("\0", "").strip()
