"""Reads one row by a profile: the fact it tells, its natural key, and the bytes that are kept.

Kept of a row are the columns that the profile names, and what was read from them: a corrected cell
or a corrected profile gives other bytes, a column that nobody reads does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import orjson

from bridge.connectors.booking.people import booker
from bridge.connectors.booking.words import folded
from bridge.connectors.files.cells import Fault, minutes_of, share_of
from bridge.connectors.files.profile import COMPLETIONS, FIELDS, Profile
from bridge.connectors.files.states import Marks, StateReader
from bridge.connectors.files.whens import Whens
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    Booking,
    LearningFact,
    Pulled,
    Status,
    Trainer,
    Unreadable,
)
from bridge.domain.times import london_date

Get = Callable[[str], str]
EVENT_KIND, COURSE_KIND = "event", "course"
#: What a column of roles says of whoever gave the training.
TRAINER_WORDS = frozenset((
    "trainer", "tutor", "facilitator", "presenter", "speaker", "instructor", "lecturer",
    "co-trainer", "lead trainer", "course leader", "workshop leader",
))  # fmt: skip
_NOT_DONE: Final = "not-done"
#: How the natural key of a row begins that does not tell what it is about.
KEYLESS: Final = "row:"
#: Marks the bytes of rows that contradict one another: no reading of one alone settles it.
TWO_THINGS: Final = "says-two-things"


@dataclass(slots=True)
class ReadRow:
    """What one row gives: an item for each session, trainers, or nothing that is a record yet."""

    items: list[Pulled]
    trainers: list[Trainer]
    faults: list[Fault]


class RowReader:
    """Reads rows whose cells stand in the order of `fields`, then one for each session column."""

    def __init__(self, profile: Profile, fields: Sequence[str]) -> None:
        self.profile = profile
        self.fields = tuple(fields)
        self._blank = dict.fromkeys(FIELDS, "")
        self._states = StateReader(profile)
        self._whens = Whens(profile)
        self._completions = profile.kind == COMPLETIONS
        self._key = profile.row_key()
        self._activities: dict[tuple[str, str, str], ActivityFacts] = {}
        self._bookings: dict[tuple[object, ...], Booking] = {}
        self._sessions = profile.sessions
        self._has = frozenset(self.fields)
        self._has_trainers = bool(self._has & {"trainer", "trainer_email"})
        self._turns = range(len(self._sessions)) if self._sessions else (-1,)

    # --- a row, and all that is in it -----------------------------------------------------------
    def read(self, cells: list[str], where: str = "") -> ReadRow:
        """Everything that a row says. `where` ("row 17") begins what is said of a fault."""
        get = self._getter(cells)
        out = ReadRow([], [], [])
        try:
            if "role" in self._has and folded(get("role")) in TRAINER_WORDS:
                account, activity = self._account(get), self._activity(get)
                if not self._completions:
                    self._whens.when(get, self._turns[0])
                out.trainers += [Trainer(account, activity, on) for on in self._held(get)]
                return out
            if self._has_trainers:
                out.trainers += self._trainers(get)
        except Fault as fault:
            out.faults.append(fault)
            out.items.append(self._unreadable(cells, -1, fault, where))
            return out
        for session in self._turns:
            item, wrong = self._one(get, cells, session, where)
            if wrong is not None:
                out.faults.append(wrong)
            if item is not None:
                out.items.append(item)
        return out

    def _one(
        self, get: Get, cells: list[str], session: int, where: str
    ) -> tuple[Pulled | None, Fault | None]:
        """One item: of the session column numbered so, or of the whole row (-1).

        Neither where the row says that nothing has been done yet.
        """
        try:
            fact, key = self._fact(get, cells, session)
        except Fault as fault:
            if fault.code == _NOT_DONE:
                return None, None
            return self._unreadable(cells, session, fault, where), fault
        told = fact.booking
        marks = told and (told.state, told.minutes, told.planned, told.evaluated)
        read = (*fact[2:7], marks)
        return Pulled(key, orjson.dumps((cells, session, read)), fact), None

    def read_kept(self, natural_key: str, body: bytes) -> Pulled:
        """Stored bytes read again, by this profile; the bytes stay as they are.

        A row whose key could not be read gets it as soon as it can be.
        """
        cells, session, read = orjson.loads(body)
        if read == TWO_THINGS:
            why = "Another row is the same booking and says something else. Correct the file."
            return Pulled(natural_key, body, Unreadable(TWO_THINGS, why))
        item, _ = self._one(self._getter(cells), cells, session, "")
        if item is None:
            fact: Any = Unreadable("not-done", "The row says that nothing has been done yet.")
            return Pulled(natural_key, body, fact)
        return Pulled(
            item.natural_key if natural_key.startswith(KEYLESS) else natural_key, body, item.fact
        )

    def _unreadable(self, cells: list[str], session: int, fault: Fault, where: str) -> Pulled:
        body = orjson.dumps((cells, session, fault.code))
        try:
            key = self._key_of(cells, session)
        except Fault:
            key = f"{KEYLESS}{_hash(orjson.dumps((cells, session)))}"
        place = f"{where}: " if where else ""
        return Pulled(key, body, Unreadable(fault.code, f"{place}{fault.message}"))

    def _getter(self, cells: list[str]) -> Get:
        """Looks up the cells of a row by field; empty where there is no such column."""
        row = self._blank.copy()
        row.update(zip(self.fields, cells, strict=False))
        return row.__getitem__

    # --- the fact -------------------------------------------------------------------------------
    def _fact(self, get: Get, cells: list[str], session: int) -> tuple[LearningFact, str]:
        account = self._account(get)
        activity = self._activity(get)
        if self._completions:
            return self._completion(get, account, activity)
        occurred, precision, planned = self._whens.when(get, session)
        mark = cells[len(self.fields) + session] if session >= 0 else None
        has = self._has
        if "planned_minutes" in has:
            planned = self._number(get, "planned_minutes") or planned
        marks = self._marks(get, mark)
        minutes = marks.minutes
        attendance = self._percent(get, "attendance", 100.0) if "attendance" in has else None
        if attendance is None and minutes is not None and planned:
            attendance = min(1.0, round(minutes / planned, 4))
        state, said = self._states.state(marks, attendance)
        name = self._sessions[session].name if session >= 0 else get("session")
        evaluated = self._evaluated(get) if "evaluated" in has else None
        told = (state, said, minutes, planned, evaluated, name, len(self._sessions) or None)
        booking = self._bookings.get(told)
        if booking is None:
            if len(self._bookings) > 10_000:
                self._bookings.clear()
            booking = self._bookings[told] = Booking(*told)
        fact = LearningFact(
            account,
            activity,
            Status.UNKNOWN if state is None else state.status,
            occurred,
            precision,
            self._percent(get, "score", self.profile.score_max) if "score" in has else None,
            attendance,
            booking,
        )
        return fact, self._natural_key(get, account, activity, session)

    def _completion(
        self, get: Get, account: AccountFacts, activity: ActivityFacts
    ) -> tuple[LearningFact, str]:
        said = get("status") or self.profile.when_silent
        day = get("completed_on") or get("event_date")
        status = self._states.outcome(said, bool(day), "status" in self._has)
        if status is None or (not day and status is not Status.FAILED):
            if status is not None and "started_on" not in self._has:
                raise Fault("no-date", "completed_on", "There is no day of completion.")
            raise Fault(_NOT_DONE, "status", "Nothing has been done yet.")
        occurred, precision = self._whens.moment_on(day or get("started_on"))
        fact = LearningFact(
            account,
            activity,
            status,
            occurred,
            precision,
            self._percent(get, "score", self.profile.score_max),
        )
        return fact, self._natural_key(get, account, activity, -1)

    def _account(self, get: Get) -> AccountFacts:
        name = get("name") or f"{get('first_name')} {get('last_name')}".strip()
        account = booker(name, get("email"), get("staff_number"), get("username"), get("employer"))
        if account is None:
            raise Fault(
                "no-person", "name",
                "Nobody is named: there is no name, address, user name or staff number.",
            )  # fmt: skip
        return account

    def _activity(self, get: Get) -> ActivityFacts:
        known = (get("event_id"), get("event_code"), get("event_title"))
        found = self._activities.get(known)
        if found is None:
            number, code, title = known
            if not (number or code or title):
                raise Fault("no-event", "event_title", "No event or course is named.")
            value = number or code or " ".join(folded(title).split())
            found = ActivityFacts(
                COURSE_KIND if self._completions else EVENT_KIND,
                value[:400],
                title=title or None,
                idnumber=code or number or None,
                shortname=number if code and number else None,
            )
            self._activities[known] = found
        return found

    # --- marks and numbers ----------------------------------------------------------------------
    def _marks(self, get: Get, mark: str | None) -> Marks:
        try:
            return self._states.marks(get, mark, self._whens.moment_of)
        except KeyError as error:
            field, word = error.args
            raise Fault(
                "unknown-word", field,
                f"It is not known what '{word}' means. Say it under words: in the profile.",
            ) from None  # fmt: skip

    def _number(self, get: Get, field: str) -> float | None:
        text = get(field)
        if not text:
            return None
        number = minutes_of(text)
        if number is None:
            raise Fault("bad-number", field, f"'{text}' is no number.")
        return number

    def _percent(self, get: Get, field: str, most: float) -> float | None:
        try:
            return share_of(get(field), most)
        except ValueError as error:
            raise Fault("bad-number", field, str(error)) from None

    def _evaluated(self, get: Get) -> bool:
        text = get("evaluated")
        if not text:
            return False
        tick = self._states.tick(text)
        if tick is not KeyError:
            return tick if isinstance(tick, bool) else False
        words = folded(text)
        if words in ("completed", "complete", "received", "submitted", "done", "returned"):
            return True
        if words in ("outstanding", "pending", "not completed", "not received", "not submitted",
                     "not returned", "incomplete", "sent", "not done", "due"):  # fmt: skip
            return False
        if not self._whens.is_date(text):
            raise Fault(
                "unknown-word", "evaluated",
                f"It is not known if '{text}' says that the evaluation came in.",
            )  # fmt: skip
        return True

    # --- trainers -------------------------------------------------------------------------------
    def _trainers(self, get: Get) -> list[Trainer]:
        names, emails = get("trainer"), get("trainer_email")
        if not names and not emails:
            return []
        activity = self._activity(get)
        several = [part.strip() for part in names.replace(" & ", ";").split(";") if part.strip()]
        addresses = [part.strip() for part in emails.replace(",", ";").split(";") if part.strip()]
        if len(addresses) != len(several):
            several = several if not addresses else [""] * len(addresses)
        found = (
            booker(name, address)
            for name, address in zip(several, addresses or [""] * len(several), strict=True)
        )
        held = self._held(get)
        return [Trainer(who, activity, on) for who in found if who is not None for on in held]

    def _held(self, get: Get) -> list[date | None]:
        """The London dates of a row's event: a course is held again by another trainer. Nothing
        where none can be read; in a table of completions, whenever they were."""
        if self._completions:
            return [None]
        days: dict[date | None, None] = {}
        for session in self._turns:
            with suppress(Fault):
                days[london_date(self._whens.when(get, session)[0])] = None
        return list(days)

    # --- the key --------------------------------------------------------------------------------
    def _key_of(self, cells: list[str], session: int) -> str:
        get = self._getter(cells)
        return self._natural_key(get, self._account(get), self._activity(get), session)

    def key_of_item(self, cells: list[str], session: int) -> str:
        """The natural key of one item of a row. Raises Fault."""
        return self._key_of(cells, session)

    def key_of(self, cells: list[str], parts: Sequence[str]) -> str:
        """What these parts of a row come to, for comparing. Raises Fault."""
        get = self._getter(cells)
        return self._natural_key(get, self._account(get), self._activity(get), -1, parts)

    def _natural_key(
        self,
        get: Get,
        account: AccountFacts,
        activity: ActivityFacts,
        session: int,
        key: Sequence[str] = (),
    ) -> str:
        parts: list[str] = []
        for part in key or self._key:
            if part == "event":
                parts.append(activity.value.casefold())
            elif part == "person":
                parts.append(account.value)
            elif part == "session":
                parts.append("" if session >= 0 else folded(get("session")))
                parts.append(self._whens.day(get("session_date")) if get("session_date") else "")
            elif part == "date":
                day = get("completed_on") or get("event_date") or get("session_date")
                day = day or get("check_in")
                parts.append(self._whens.day(day))
            else:
                parts.append(" ".join(get(part).split()).casefold())
                if not parts[-1]:
                    raise Fault("no-key", part, f"There is no {part.replace('_', ' ')}.")
        if session >= 0:
            parts.append(f"session:{folded(self._sessions[session].name)}")
        kind = "completion" if self._completions else "booking"
        return f"{kind}:{_hash(chr(31).join(parts).encode())}"


def _hash(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()


def kept_fields(profile: Profile) -> list[str]:
    """The order in which the cells of a row are kept: by field, so that it never changes."""
    return sorted({*profile.columns, *profile.above, *profile.fixed})
