"""Works out from all the columns of a row where its booking stands; no mark is never a no-show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.connectors.booking.dates import BadDate
from bridge.connectors.booking.words import OUTCOME_NAMES, STATE_NAMES, folded, yes_or_no
from bridge.connectors.files.cells import Fault, minutes_of
from bridge.connectors.files.profile import Profile
from bridge.domain.records import AttendanceState, Status

Get = Callable[[str], str]
#: Turns the text of a check-in or check-out, on the day of the event, into an instant.
MomentOf = Callable[[str, str, str], datetime | None]
_S = AttendanceState
#: These leave open who came; a mark in another column says more.
_CANCELLED = frozenset({_S.USER_CANCELLED, _S.SESSION_CANCELLED, _S.DECLINED})
_OPEN = frozenset({None, _S.BOOKED, _S.APPROVED, _S.REQUESTED})


@dataclass(frozen=True, slots=True)
class Marks:
    """What the columns say, each by itself: `word` is that of the status, `came` a tick or word.

    `measured` is set where only a check-in or a number of minutes says that somebody came.
    """

    state: AttendanceState | None
    said: str
    measured: bool
    minutes: float | None


class StateReader:
    """Reads the marks of one supplier's rows."""

    def __init__(self, profile: Profile) -> None:
        self._words = profile.meanings
        self._ticks = profile.ticks
        self._full_from = profile.full_from
        self._silent = profile.when_silent
        self._known: dict[tuple[str | None, ...], Marks] = {}
        self._has = {
            field: field in profile.columns
            for field in ("status", "attended", "partly", "missed", "cancelled", "waitlisted",
                          "check_in", "check_out", "minutes", "hours")
        }  # fmt: skip
        self._marking = tuple(field for field, there in self._has.items() if there)
        # Two instants hardly ever come again, and mean another thing on another day.
        self._timed = self._has["check_in"] and self._has["check_out"]

    def tick(self, text: str) -> bool | type[KeyError] | None:
        """A tick as this supplier sets it; KeyError itself for what is none."""
        key = folded(text)
        if key in self._ticks:
            return self._ticks[key]
        try:
            return yes_or_no(text)
        except KeyError:
            return KeyError

    def outcome(self, said: str, has_day: bool, has_column: bool) -> Status | None:
        """What an LMS row says was done; a day of completion alone says completed."""
        if not said:
            return Status.COMPLETED if has_day else None
        if said in OUTCOME_NAMES and not has_column:
            return OUTCOME_NAMES[said]
        try:
            return self._words.outcome(said)
        except KeyError:
            raise Fault(
                "unknown-word", "status",
                f"It is not known what '{said}' means. Say it under words: in the profile.",
            ) from None  # fmt: skip

    def marks(self, get: Get, session_mark: str | None, moment_of: MomentOf) -> Marks:
        """The state that the words and ticks give, with the minutes that are told.

        Raises KeyError(field, word) for a word that is not known.
        """
        if self._timed:
            return self._marks(get, session_mark, moment_of)
        told = (session_mark, *map(get, self._marking))
        found = self._known.get(told)
        if found is None:
            if len(self._known) > 10_000:
                self._known.clear()
            found = self._known[told] = self._marks(get, session_mark, moment_of)
        return found

    def _marks(self, get: Get, session_mark: str | None, moment_of: MomentOf) -> Marks:
        has = self._has
        minutes = self._minutes(get, moment_of)
        state: AttendanceState | None = None
        said = ""
        if has["status"]:
            said = get("status")
            state = self._word("status", said)
        elif self._silent in STATE_NAMES and session_mark is None:
            state, said = STATE_NAMES[self._silent], self._silent
        if session_mark is not None and state in _OPEN:
            mark = self._mark("session", session_mark)
            return Marks(mark if mark is not None else state, session_mark or said, False, minutes)
        if state in _OPEN:
            flagged, text = self._flags(get)
            if flagged is not None or text:
                return Marks(flagged if flagged is not None else state, text or said, False,
                             minutes)  # fmt: skip
            if self._came(get) or (minutes or 0) > 0:
                return Marks(_S.FULLY_ATTENDED, said or get("check_in"), True, minutes)
        return Marks(state, said, False, minutes)

    def state(self, marks: Marks, share: float | None) -> tuple[AttendanceState | None, str]:
        """The state in the end: who only checked in, and not for long enough, came for a part."""
        if marks.measured and share is not None and share < self._full_from:
            return _S.PARTIALLY_ATTENDED, marks.said
        return marks.state, marks.said

    def _word(self, field: str, word: str) -> AttendanceState | None:
        try:
            return self._words.state(word)
        except KeyError:
            raise KeyError(field, word) from None

    def _mark(self, field: str, text: str) -> AttendanceState | None:
        """A cell that holds a tick or a word."""
        tick = self.tick(text)
        if tick is KeyError:
            return self._word(field, text)
        if tick is None:
            return None
        return _S.FULLY_ATTENDED if tick else _S.NO_SHOW

    def _flags(self, get: Get) -> tuple[AttendanceState | None, str]:
        has = self._has
        for field, state in (
            ("cancelled", _S.USER_CANCELLED),
            ("waitlisted", _S.WAITLISTED),
            ("missed", _S.NO_SHOW),
            ("partly", _S.PARTIALLY_ATTENDED),
        ):
            if has[field] and (text := get(field)) and self._set(field, text, state):
                if field == "missed" and has["attended"]:
                    came = self._mark("attended", get("attended"))
                    if came in (_S.FULLY_ATTENDED, _S.PARTIALLY_ATTENDED):
                        raise KeyError("attended", f"{get('attended')}, and {text} for missed")
                return state, text if self.tick(text) is KeyError else field
        if has["attended"] and (text := get("attended")):
            return self._mark("attended", text), text
        return None, ""

    def _set(self, field: str, text: str, state: AttendanceState) -> bool:
        """Whether the mark of one state stands: a tick, a day, or a word for that very state."""
        tick = self.tick(text)
        if tick is not KeyError:
            return tick is True
        if folded(text)[:1].isdigit():
            return True  # the day on which it was cancelled
        told = self._word(field, text)
        if told not in (None, state) and not {told, state} <= _CANCELLED:
            raise KeyError(field, text)
        return told is not None

    def _came(self, get: Get) -> bool:
        """Whether a check-in is recorded. That none is, says nothing."""
        if not self._has["check_in"]:
            return False
        text = get("check_in")
        tick = self.tick(text)
        if tick is not KeyError:
            return tick is True
        if folded(text)[:1].isdigit():
            return True
        return self._word("check_in", text) is _S.FULLY_ATTENDED

    def _minutes(self, get: Get, moment_of: MomentOf) -> float | None:
        for field, each in (("minutes", 1.0), ("hours", 60.0)):
            if self._has[field] and (text := get(field)):
                number = minutes_of(text, each)
                if number is None:
                    raise Fault("bad-number", field, f"'{text}' is no number of {field}.")
                return number
        if not (self._has["check_in"] and self._has["check_out"]):
            return None
        start, end = get("check_in"), get("check_out")
        if not start or not end:
            return None
        day = get("session_date") or get("event_date")
        try:
            came, went = moment_of("check_in", start, day), moment_of("check_out", end, day)
        except BadDate:
            return None
        if came is None or went is None or went < came:
            return None
        return round((went - came).total_seconds() / 60, 1)
