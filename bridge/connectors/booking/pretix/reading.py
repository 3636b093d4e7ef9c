"""From one place somebody booked, as kept, to the fact it tells; everything it rests on is in it.

What is kept of a place is this connector's own small document: pretix's fields that matter here,
and what was true around them (whether the session was over, whether its register was used). So the
same bytes give the same fact for ever, and a day that passes changes the bytes. Ticket secrets,
addresses and payments are not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
import orjson

from bridge.connectors.booking.people import booker
from bridge.connectors.booking.presence import Scan, presence, state_of_presence
from bridge.connectors.booking.pretix.client import Json, instant
from bridge.connectors.booking.pretix.settings import EVENT_KIND, PretixSettings, Series
from bridge.domain.errors import Damaged
from bridge.domain.records import (
    ActivityFacts,
    AttendanceState,
    Booking,
    LearningFact,
    Precision,
    Pulled,
    Status,
    Unreadable,
)
from bridge.domain.times import LONDON, aware

ENVELOPE = b'{"route":"pretix","version":1}'


class Check(msgspec.Struct, frozen=True):
    """A scan that pretix counted as successful."""

    datetime: datetime
    type: str = "entry"


class Held(msgspec.Struct, frozen=True):
    """When a session is, or was. `over` and `used` as they stood when it was read.

    `used`: whether anybody at all was checked in there; None where nobody looked.
    """

    start: datetime
    end: datetime | None = None
    over: bool = False
    used: bool | None = None


class Place(msgspec.Struct, frozen=True):
    """One place: a position of an order, or an entry of a waiting list."""

    status: str
    activity: str
    title: str
    held: Held
    name: str = ""
    email: str = ""
    staff_number: str = ""
    employer: str = ""
    idnumber: str = ""
    session: str = ""
    sessions: int | None = None
    canceled: bool = False
    approval: bool = False
    checks: tuple[Check, ...] = ()
    no_show: bool = False
    full_from: float = 0.8


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Place)
WAITING = "waiting list"
#: An order's status letter: the word for it, and the state of a place that is still to come.
_STATUS: Mapping[str, tuple[str, AttendanceState]] = {
    "p": ("paid", AttendanceState.BOOKED),
    "n": ("pending", AttendanceState.APPROVED),
    "e": ("expired", AttendanceState.DECLINED),
    "c": ("canceled", AttendanceState.USER_CANCELLED),
    WAITING: (WAITING, AttendanceState.WAITLISTED),
}
_OUT = (AttendanceState.DECLINED, AttendanceState.USER_CANCELLED, AttendanceState.WAITLISTED)


def pulled(key: str, place: Place) -> Pulled:
    """A place as the services take it in."""
    return Pulled(key, _ENCODER.encode(place), fact_of(place))


def read_place(key: str, body: bytes, envelope: bytes) -> Pulled:
    """A stored place read again. Raises Damaged for what is not ours."""
    try:
        known = orjson.loads(envelope).get("route") == "pretix"
        place = _DECODER.decode(body)
    except (orjson.JSONDecodeError, AttributeError, msgspec.MsgspecError) as error:
        raise Damaged(f"{key}: what is stored cannot be read: {error}") from error
    if not known:
        raise Damaged(f"{key}: it was not stored by the pretix connector")
    return Pulled(key, body, fact_of(place))


def fact_of(place: Place) -> LearningFact | Unreadable:
    """The fact that a place tells, or why it tells none."""
    if place.status not in _STATUS:
        return Unreadable(
            "unknown-status",
            f"The order's status is {place.status!r}, which is not one that pretix documents. "
            "Tell whoever looks after the bridge; then replay it.",
        )
    account = booker(place.name, place.email, place.staff_number, "", place.employer)
    if account is None:
        return Unreadable(
            "no-attendee",
            f"The booking for '{place.title}' names no attendee and no address. In pretix, let "
            "the product ask for the attendee's name and email, and fill them in for this order.",
        )
    held = place.held
    planned = _minutes(held)
    minutes: float | None = None
    said, state = _state(place)
    if state is None:
        came = presence(
            (Scan(aware(c.datetime), c.type != "exit") for c in place.checks), held.start, held.end
        )
        if came.came:
            minutes = came.minutes
            state = state_of_presence(minutes, planned, place.full_from)
            said = "checked in" if minutes is None else "checked in and out"
        else:
            said = "not checked in"
            if held.used and place.no_show:
                state = AttendanceState.NO_SHOW
    share = minutes / planned if minutes is not None and planned else None
    return LearningFact(
        account,
        ActivityFacts(
            EVENT_KIND,
            place.activity,
            place.title,
            place.idnumber or None,
            shortname=place.activity.partition("/")[0],
        ),
        Status.UNKNOWN if state is None else state.status,
        aware(held.start),
        Precision.MINUTE,
        attendance=None if share is None else min(1.0, share),
        booking=Booking(state, said, minutes, planned, None, place.session, place.sessions),
    )


def _state(place: Place) -> tuple[str, AttendanceState | None]:
    """The state and its word; None where only the register can tell."""
    said, state = _STATUS[place.status]
    if state in _OUT:
        return said, state
    if place.canceled:
        return "position canceled", AttendanceState.USER_CANCELLED
    if place.approval and place.status == "n":
        return "approval required", AttendanceState.REQUESTED
    if not place.held.over:
        # Somebody who is inside may yet leave at lunch.
        return ("checked in" if place.checks else said), state
    return said, None


def _minutes(held: Held) -> float | None:
    if held.end is None or held.end <= held.start:
        return None
    return (held.end - held.start).total_seconds() / 60


def held_of(dates: Json, now: datetime) -> Held:
    """When an event or a date of a series is. Without an end it is over at the end of its day."""
    start = instant(dates["date_from"])
    end = instant(dates["date_to"]) if dates.get("date_to") else None
    ends = end or start.astimezone(LONDON).replace(hour=23, minute=59, second=59)
    return Held(start, end, over=ends <= now)


def words(text: Any) -> str:
    """A text of pretix in English, if there is one, and otherwise in its first language."""
    if isinstance(text, Mapping):
        told = {str(k): str(v) for k, v in text.items() if v}
        english = (v for k, v in told.items() if k == "en" or k.startswith("en-"))
        return next(english, next(iter(told.values()), ""))
    return str(text or "")


def place_of(
    settings: PretixSettings,
    order: Json,
    position: Json,
    event: Json,
    session: Json | None,
    held: Held,
    sessions: int | None,
    alone: bool,
    lists: Collection[int] | None,
) -> Place:
    """What is kept of a position.

    `alone`: it is the only place in its order. `lists`: the check-in lists that count, if not all.
    """
    name, email = position.get("attendee_name") or "", position.get("attendee_email") or ""
    if not name and not email and alone:
        # Nobody else is meant: whoever booked the only place booked it for themselves.
        email = order.get("email") or ""
    separate = settings.series is Series.SEPARATE and session is not None
    title, meta = words(event["name"]), event.get("meta_data") or {}
    activity, part = str(event["slug"]), ""
    if session is not None:
        meta = {**meta, **(session.get("meta_data") or {})} if separate else meta
        if separate:
            activity, title = f"{activity}/{session['id']}", words(session["name"]) or title
        elif sessions is not None and sessions > 1:
            part = f"{aware(held.start).astimezone(LONDON):%Y-%m-%d %H:%M}"
    return Place(
        status=str(order["status"]),
        activity=activity,
        title=title,
        held=held,
        name=name,
        email=email,
        # A name alone is somebody of this organisation, or of this order: not of every one.
        employer="" if email else str(position.get("company") or order["code"]),
        staff_number=_answer(position, settings.staff_number_question),
        idnumber=str(meta.get(settings.idnumber_property) or ""),
        session=part,
        sessions=sessions if part else None,
        canceled=bool(position.get("canceled")),
        approval=bool(order.get("require_approval")),
        checks=tuple(
            sorted(_checks(position, lists), key=lambda check: (check.datetime, check.type))
        ),
        no_show=settings.no_show,
        full_from=settings.full_from,
    )


def _answer(position: Json, question: str) -> str:
    if not question:
        return ""
    for answer in position.get("answers") or ():
        if answer.get("question_identifier") == question:
            return str(answer.get("answer") or "")
    return ""


def _checks(position: Json, lists: Collection[int] | None) -> list[Check]:
    return [
        Check(instant(check["datetime"]), str(check.get("type") or "entry"))
        for check in position.get("checkins") or ()
        if lists is None or check.get("list") in lists
    ]
