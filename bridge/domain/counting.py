"""When a record counts: statuses, marks, minutes, evaluations and sessions (DESIGN 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from bridge.domain.records import Booking, Status

# 70 of 100 must reach 0.7 whatever the division left behind.
_ROUNDING = 1e-9
#: So long after the last session nobody repeats one by way of the same run.
_ONE_RUN = timedelta(days=7)

#: How many sessions of an event are asked for: every one, at least one, or that many.
Sessions = Literal["all", "any"] | int


class Reason(StrEnum):
    """Why a record counts or does not, as a short stable word."""

    COUNTS = "counts"
    NO_RULE = "no-rule"
    PART = "part-of-a-course"
    IGNORED = "ignored"
    BEFORE_EFFECTIVE = "before-effective"
    AFTER_EFFECTIVE = "after-effective"
    BOOKED = "only-booked"
    WAITLISTED = "waiting-list"
    CANCELLED = "cancelled"
    NOT_MARKED = "not-marked"
    STATUS = "status"
    SCORE_MISSING = "score-missing"
    SCORE_LOW = "score-low"
    ATTENDANCE_MISSING = "attendance-missing"
    ATTENDANCE_LOW = "attendance-low"
    MINUTES_MISSING = "minutes-missing"
    MINUTES_LOW = "minutes-low"
    SESSIONS_FEW = "sessions-few"
    SESSIONS_UNKNOWN = "sessions-unknown"
    NOT_EVALUATED = "not-evaluated"
    EVALUATION_UNKNOWN = "evaluation-unknown"


#: What says that nobody has done anything yet: it never counts, whatever a rule names.
NEVER: dict[Status, Reason] = {
    Status.BOOKED: Reason.BOOKED,
    Status.WAITLISTED: Reason.WAITLISTED,
    Status.CANCELLED: Reason.CANCELLED,
    Status.UNKNOWN: Reason.NOT_MARKED,
}
_PRESENCE = frozenset({Status.ATTENDED, Status.PARTLY_ATTENDED})


class Part(NamedTuple):
    """One person's record of one session of an event. `attendance` is a fraction or None."""

    status: Status
    attendance: float | None
    booking: Booking
    at: datetime


def part_attended(attendance: float | None, booking: Booking | None) -> float | None:
    """The fraction attended: as the source gives it, or the minutes out of those planned."""
    if attendance is None and booking is not None and booking.minutes is not None:
        return booking.minutes / booking.planned if booking.planned else None
    return attendance


@dataclass(frozen=True, slots=True)
class CountsWhen:
    """What a record must show for its rule to count. Marks are fractions from 0 to 1.

    Attending alone is participation: it counts only where `statuses` names it. A mark is held
    against the value wherever the source gives one. Where the source gives none, the record does
    not count; except that with both marks set, a record of attendance needs its attendance alone
    and any other its score alone.

    `min_minutes`, `evaluation` and `sessions` ask about bookings: about records of attendance, and
    others that carry what a booking system says. With `sessions`, the records of one person's
    sessions of an event are looked at together: each session must fit `statuses` and
    `min_attendance` by itself, and the minutes of those that do are added up.
    """

    statuses: frozenset[Status] = frozenset({Status.COMPLETED, Status.PASSED})
    min_score: float | None = None
    min_attendance: float | None = None
    min_minutes: float | None = None
    evaluation: bool = False
    sessions: Sessions | None = None

    def measures(self, status: Status) -> bool:
        """Whether anything but the status can decide about a record of this status."""
        return (
            status in self.statuses
            and status not in NEVER
            and (
                self.min_score is not None
                or self.min_attendance is not None
                or self.min_minutes is not None
                or self.evaluation
                or self.sessions is not None
            )
        )

    def check(
        self,
        status: Status,
        score: float | None,
        attendance: float | None,
        booking: Booking | None = None,
        parts: Sequence[Part] | None = None,
    ) -> Reason:
        """`Reason.COUNTS`, or the first thing that speaks against it.

        `parts` are all sessions of the event that are recorded for the person, this one first;
        they matter for a record of one session where `sessions` is given.
        """
        if status in NEVER:
            return NEVER[status]
        if status not in self.statuses:
            return Reason.STATUS
        both = self.min_score is not None and self.min_attendance is not None
        by_presence = status in _PRESENCE
        if self.min_score is not None:
            if score is None:
                if not (both and by_presence):
                    return Reason.SCORE_MISSING
            elif not score + _ROUNDING >= self.min_score:
                return Reason.SCORE_LOW
        if self.min_attendance is not None:
            share = part_attended(attendance, booking)
            if share is None:
                if not (both and not by_presence):
                    return Reason.ATTENDANCE_MISSING
            elif not share + _ROUNDING >= self.min_attendance:
                return Reason.ATTENDANCE_LOW
        if booking is None and not by_presence:
            return Reason.COUNTS
        return self._check_booking(status, booking or Booking(), parts)

    def _check_booking(
        self, status: Status, booking: Booking, parts: Sequence[Part] | None
    ) -> Reason:
        """What only bookings can show: sessions, minutes and the evaluation."""
        if self.sessions is not None and booking.session:
            return self.together(self.same_run(parts or ()))[0]
        if self.sessions not in (None, "any") and status is Status.PARTLY_ATTENDED:
            return Reason.SESSIONS_FEW
        if self.min_minutes is not None:
            if booking.minutes is None:
                return Reason.MINUTES_MISSING
            if not booking.minutes + _ROUNDING >= self.min_minutes:
                return Reason.MINUTES_LOW
        return self._evaluated([booking.evaluated])

    def _evaluated(self, told: Sequence[bool | None]) -> Reason:
        if not self.evaluation or any(told):
            return Reason.COUNTS
        return Reason.NOT_EVALUATED if False in told else Reason.EVALUATION_UNKNOWN

    def _fits(self, part: Part) -> bool:
        """Whether one session was attended well enough to be one of those asked for."""
        if part.status in NEVER or part.status not in self.statuses:
            return False
        if self.min_attendance is None:
            return True
        share = part_attended(part.attendance, part.booking)
        return share is not None and share + _ROUNDING >= self.min_attendance

    def same_run(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Those of these sessions that belong to the same run of the event as the first of them.

        A course is held again under the same name. Once enough sessions were attended, a run is
        over: a session of it that is booked again more than a week later, or one more than it
        has, begins another. Until then, somebody catches up on what they missed.
        """
        runs: list[list[Part]] = [[]]
        for part in sorted(parts, key=_in_time):
            if self._begins_anew(runs[-1], part):
                runs.append([])
            runs[-1].append(part)
        return next((run for run in runs if parts[0] in run), ()) if parts else ()

    def _begins_anew(self, run: Sequence[Part], part: Part) -> bool:
        attended = [p for p in run if self._fits(p)]
        if not attended or part.at - max(p.at for p in attended) <= _ONE_RUN:
            return False
        names = {p.booking.session for p in attended}
        planned = max((p.booking.sessions or 0 for p in run), default=0)
        full = 0 < planned <= len(names)
        again = full or part.booking.session in names
        return again and self.together(run)[0] is Reason.COUNTS

    def together(self, parts: Sequence[Part]) -> tuple[Reason, datetime | None]:
        """Whether the sessions of an event count, and since which instant enough were attended.

        The order of `parts` makes no difference. One session told twice is one session; of its
        minutes the greater number holds.
        """
        planned = max((p.booking.sessions or 0 for p in parts), default=0)
        if self.sessions == "all":
            if not planned:
                return Reason.SESSIONS_UNKNOWN, None
            asked = planned
        else:
            asked = self.sessions if isinstance(self.sessions, int) else 1
        minutes: dict[str, float | None] = {}
        short = Reason.SESSIONS_FEW
        for part in sorted(parts, key=_in_time):
            if not self._fits(part):
                continue
            before, told = minutes.get(part.booking.session), part.booking.minutes
            minutes[part.booking.session] = told if before is None else max(before, told or 0)
            if len(minutes) < asked:
                continue
            short = self._long_enough(list(minutes.values()))
            if short is Reason.COUNTS:
                found = self._evaluated([p.booking.evaluated for p in parts])
                return found, part.at if found is Reason.COUNTS else None
        return short, None

    def _long_enough(self, minutes: Sequence[float | None]) -> Reason:
        if self.min_minutes is None:
            return Reason.COUNTS
        if sum(m for m in minutes if m is not None) + _ROUNDING >= self.min_minutes:
            return Reason.COUNTS
        return Reason.MINUTES_MISSING if None in minutes else Reason.MINUTES_LOW

    @property
    def status_words(self) -> str:
        """The statuses that count, in their usual order."""
        return ", ".join(status for status in Status if status in self.statuses)


#: What a rule asks for that says nothing of it.
USUAL = CountsWhen()


def _in_time(part: Part) -> tuple[datetime, str, float]:
    return part.at, part.booking.session, part.booking.minutes or 0


def counts_content(counts: CountsWhen) -> dict[str, object]:
    """`CountsWhen` as plain JSON data. What was never asked for leaves no trace, so that rules
    from before it could be asked for read the same."""
    content: dict[str, object] = {
        "status": sorted(counts.statuses),
        "min_score": counts.min_score,
        "min_attendance": counts.min_attendance,
    }
    if counts.min_minutes is not None:
        content["min_minutes"] = counts.min_minutes
    if counts.evaluation:
        content["evaluation"] = "required"
    if counts.sessions is not None:
        content["sessions"] = counts.sessions
    return content
