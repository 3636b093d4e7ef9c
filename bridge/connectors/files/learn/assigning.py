"""Gives each field at most one column: headings and contents together, the surest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.connectors.booking.words import folded
from bridge.connectors.files.learn.contents import Column
from bridge.connectors.files.learn.fitting import fit
from bridge.connectors.files.learn.headings import NOT_THE_DAY, NOT_THE_PERSON, meanings, plain
from bridge.connectors.files.profile import ATTENDANCE, COMPLETIONS

#: Less sure than this is no proposal.
LEAST = 0.55
#: Two columns that are this near to one another in sureness are a question.
TIE = 0.03
_OF_PERSON = frozenset({"name", "first_name", "last_name", "email", "employer", "staff_number",
                        "username"})  # fmt: skip
_OF_DAY = frozenset({"event_date", "event_end", "session_date", "completed_on", "start_time",
                     "end_time", "check_in"})  # fmt: skip
_ONLY_ATTENDANCE = frozenset({
    "event_date", "event_end", "start_time", "end_time", "session", "session_date", "attended",
    "partly", "missed", "cancelled", "waitlisted", "check_in", "check_out", "minutes", "hours",
    "planned_minutes", "attendance", "evaluated", "trainer", "trainer_email", "role", "reference",
})  # fmt: skip
#: Words in the headings of the one kind of table, and of the other.
_OF_BOOKINGS = frozenset({"booking", "booked", "ticket", "venue", "attendance", "attended",
                          "dietary", "trainer", "register"})  # fmt: skip
_OF_LMS = frozenset({"enrolment", "enrolled", "progress", "score", "grade", "certification",
                     "scorm", "cpd"})  # fmt: skip
_ONLY_COMPLETIONS = frozenset({"completed_on", "started_on"})


@dataclass
class Assigned:
    """Which column each field has, and between which ones nothing decides."""

    kind: str
    columns: dict[str, Column] = field(default_factory=dict)
    ties: dict[str, list[Column]] = field(default_factory=dict)


def kind_of(columns: Sequence[Column]) -> str | None:
    """Whether rows are bookings or completions; None where nothing says."""
    bookings = completions = 0.0
    for column in columns:
        text = plain(column.label)
        found = {f for f, sure in meanings(column.label).items() if sure * fit(f, column) >= LEAST}
        if "completed_on" in found and "complet" in text:
            completions += 2
        elif found & {"completed_on"}:
            completions += 1
        if set(text.split()) & _OF_LMS:
            completions += 0.5
        if found & {"attended", "missed", "partly", "check_in", "check_out", "waitlisted",
                    "evaluated", "session", "cancelled", "minutes", "hours"}:  # fmt: skip
            bookings += 1.5
        if set(text.split()) & _OF_BOOKINGS:
            bookings += 1
        if "event_date" in found and "completed_on" not in found and text != "date":
            bookings += 0.75
        if "status" in found:
            if column.says_who_came and not _only_completed(column):
                bookings += 2
            elif column.outcomes > 0.8 and _undone(column):
                completions += 2
            elif column.outcomes > 0.8 and column.states < 0.8:
                completions += 1
            elif column.states > 0.8 and column.outcomes < 0.8:
                bookings += 1
    if abs(bookings - completions) < 0.5 or (completions > bookings and _of_a_form(columns)):
        return None
    return ATTENDANCE if bookings > completions else COMPLETIONS


def _of_a_form(columns: Sequence[Column]) -> bool:
    """Whether the event has a day of its own beside what was completed, and nothing was undone:
    then the completion may be that of a form."""
    found = [meanings(c.label) for c in columns if c.dates > 0.7]
    event_day = any(sure.get("event_date", 0) >= 1.0 for sure in found)
    return event_day and not any("status" in meanings(c.label) and _undone(c) for c in columns)


def _only_completed(column: Column) -> bool:
    """Whether all that says "came" is a word that LMSs use as well."""
    words = {folded(text) for text in column.distinct}
    return words <= {"completed", "complete", "passed", "failed", "incomplete", "in progress",
                     "not started", "not completed", "expired", "enrolled",
                     "registered"}  # fmt: skip


def _undone(column: Column) -> bool:
    words = {folded(text) for text in column.distinct}
    return bool(words & {"in progress", "not started", "incomplete", "not completed", "failed",
                         "passed", "not attempted", "overdue", "not yet started"})  # fmt: skip


def assign(columns: Sequence[Column], kind: str, taken: Collection[int] = ()) -> Assigned:
    """The fields of a table of this kind. Columns in `taken` are spoken for."""
    scored = [
        (score, field_, column)
        for column in columns
        if column.place not in taken
        for field_, score in scores(column, kind).items()
        if score >= LEAST
    ]
    scored.sort(key=lambda each: (-each[0], each[2].place))
    found = Assigned(kind)
    used: set[int] = set()
    for score, field_, column in scored:
        if column.place in used:
            continue
        if field_ in found.columns:
            holder = found.columns[field_]
            if _tie(field_, score, scores(holder, kind)[field_], holder, column):
                found.ties.setdefault(field_, [holder]).append(column)
                used.add(column.place)
            continue
        found.columns[field_] = column
        used.add(column.place)
    _settle(found, columns, used)
    _fall_back(found, columns)
    return found


def scores(column: Column, kind: str) -> dict[str, float]:
    """How sure each field is of this column."""
    text = plain(column.label)
    other_person = NOT_THE_PERSON.search(text) is not None
    other_day = NOT_THE_DAY.search(text) is not None
    found: dict[str, float] = {}
    for field_, sure in meanings(column.label).items():
        if other_person and field_ in _OF_PERSON:
            continue
        if other_day and field_ in _OF_DAY and kind == ATTENDANCE:
            continue
        if field_ in (_ONLY_COMPLETIONS if kind == ATTENDANCE else _ONLY_ATTENDANCE):
            if kind == COMPLETIONS and field_ == "event_date" and "completed_on" not in found:
                found["completed_on"] = 0.8 * sure * fit("completed_on", column)
            continue
        found[field_] = sure * fit(field_, column)
        if field_ == "status" and kind == COMPLETIONS and column.outcomes > 0.9:
            found[field_] = sure
    if not found and column.emails > 0.9 and not other_person:
        found["email"] = 0.6
    return found


def _tie(field_: str, score: float, best: float, holder: Column, column: Column) -> bool:
    if best - score > TIE or field_ in ("reference", "event_code", "event_id", "employer"):
        return False
    if holder.empty != column.empty:
        return False
    return list(holder.cells) != list(column.cells)


def _settle(found: Assigned, columns: Sequence[Column], used: set[int]) -> None:
    """What headings alone cannot say, because it hangs on the other columns."""
    has = found.columns
    # A ticket number of each person says more than the order that several share.
    if "reference" in has:
        rivals = [
            c for c in columns
            if (c.place not in used or c is has["reference"])
            and scores(c, found.kind).get("reference", 0) >= LEAST
        ]  # fmt: skip
        has["reference"] = max(rivals, key=lambda c: (round(c.variety, 2), -c.place))
    # A code that stands beside many titles is not the event's.
    for code in ("event_code", "event_id"):
        if code in has and "event_title" in has and not _names(has[code], has["event_title"]):
            del has[code]
    # "Session" is the event where no other column names one.
    unnamed = not has.keys() & {"event_title", "event_id", "event_code"}
    if "session" in has and unnamed and has["session"].words:
        has["event_title"] = has.pop("session")
    if "session_date" in has and "event_date" not in has and "session" not in has:
        has["event_date"] = has.pop("session_date")
    # Two columns of words: the one that says who came, and the one of the booking.
    if "status" in has and "attended" in has:
        status, attended = has["status"], has["attended"]
        if status.says_who_came and not attended.says_who_came and attended.ticks < 0.8:
            has["status"], has["attended"] = attended, status
    elif "attended" in has and has["attended"].ticks < 0.3:
        has["status"] = has.pop("attended")
    if "status" in has and "attended" not in has and found.kind == ATTENDANCE:
        status = has["status"]
        if status.ticks > 0.9 and not status.empty:
            has["attended"] = has.pop("status")


def _names(code: Column, title: Column) -> bool:
    """Whether a code has one title, nearly always."""
    if code.empty or title.empty or len(code.cells) != len(title.cells):
        return True
    pairs = set(zip(code.cells, title.cells, strict=True))
    return len(pairs) <= 1.5 * len(code.distinct)


def _fall_back(found: Assigned, columns: Sequence[Column]) -> None:
    """Where contents alone leave one column and no other: whoever it is, whenever it was."""
    has = found.columns
    used = {c.place for c in has.values()} | {c.place for t in found.ties.values() for c in t}
    free = [c for c in columns if c.place not in used and not c.empty]

    def only(test: Callable[[Column], bool], barred: re.Pattern[str]) -> Column | None:
        fits = [c for c in free if test(c) and not barred.search(plain(c.label))]
        return fits[0] if len(fits) == 1 else None

    if not has.keys() & {"name", "first_name", "last_name"} and (
        one := only(lambda c: c.names > 0.8 and c.variety > 0.2, _NOBODY)
    ):
        has["name"] = one
    day = "event_date" if found.kind == ATTENDANCE else "completed_on"
    if not has.keys() & {day, "session_date"} and (
        one := only(lambda c: c.dates > 0.7 and c.plain_numbers < 0.5, NOT_THE_DAY)
    ):
        has[day] = one
    # How long an event lasts is the same for all who came; how long they stayed is not.
    if "planned_minutes" in has and "minutes" not in has and _differs_within(has):
        has["minutes"] = has.pop("planned_minutes")


_NOBODY = re.compile(f"{NOT_THE_PERSON.pattern}|trainer|venue|location|address|room|ward|team")


def _differs_within(has: Mapping[str, Column]) -> bool:
    """Whether lengths of time differ among the rows of one event."""
    lengths = has["planned_minutes"]
    events = next((has[f] for f in ("event_id", "event_code", "event_title") if f in has), None)
    if events is None:
        return len(lengths.distinct) > 2
    if len(events.cells) != len(lengths.cells):
        return False
    pairs = set(zip(events.cells, lengths.cells, strict=True))
    return len(pairs) > 2 * len(events.distinct)


def dates_among(columns: Mapping[str, Column]) -> list[str]:
    """The assigned fields whose cells are dates."""
    return [f for f, c in columns.items() if c.dates > 0.5 and f not in (
        "staff_number", "reference", "event_id", "username", "event_code")]  # fmt: skip
