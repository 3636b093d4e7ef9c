"""The one disposition of a record, in the order of DESIGN 5.3."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from bridge.domain.counting import Part, Reason
from bridge.domain.mapping_index import Outcome, Verdict
from bridge.domain.model import Alias, Record
from bridge.domain.records import Booking, Disposition, LearningFact, Status
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import add_months, london_date
from bridge.services.mapped import Mapped


class Decided(NamedTuple):
    """A record's disposition and its reason. `verdict` is there when it is (to be) evidence.

    `filed_at` is the instant that evidence takes from several sessions: when enough of them had
    been attended. None where the record's own is meant.
    """

    disposition: Disposition
    reason: str
    rule_id: int | None
    verdict: Verdict | None = None
    filed_at: datetime | None = None


class Standing(NamedTuple):
    """What deciding on a record takes. `person` is canonical, or None while nobody is known."""

    status: Status
    score: float | None
    attendance: float | None
    occurred_on: date
    person: int | None
    gone: bool = False
    booking: Booking | None = None
    parts: Sequence[Part] | None = None
    voided: bool = False

    @staticmethod
    def of(fact: LearningFact, person: int | None) -> Standing:
        """Of a fact just read."""
        return Standing(
            fact.status,
            fact.score,
            fact.attendance,
            london_date(fact.occurred_at),
            person,
            False,
            fact.booking,
        )

    @staticmethod
    def of_record(record: Record, parts: Sequence[Part] | None = None) -> Standing:
        """Of a stored record; `parts` are the sessions of its event, where they were asked for."""
        return Standing(
            record.status,
            record.score,
            record.attendance,
            london_date(record.occurred_at),
            record.person,
            record.gone,
            record.booking,
            parts,
            record.voided,
        )


#: Why a record that is gone does not count, by whether a later statement took it back.
GONE = {False: "gone", True: "voided"}


def decide(mapped: Mapped, alias: Alias, record: Standing, today: date) -> Decided:
    """What becomes of a readable record on that London day. `today` serves rule R1."""
    verdict = mapped.decision(alias).judge(
        record.status,
        record.score,
        record.attendance,
        record.occurred_on,
        record.booking,
        record.parts,
    )
    if verdict.outcome is Outcome.UNMAPPED:
        return Decided(Disposition.UNMAPPED, verdict.reason.value, None)
    rule_id = mapped.rule_id(verdict.rule)
    if record.gone:
        return Decided(Disposition.NOT_COUNTING, GONE[record.voided], rule_id)
    if verdict.outcome is Outcome.NOT_COUNTING:
        return Decided(Disposition.NOT_COUNTING, verdict.reason.value, rule_id)
    if not alias.trusted and not all(rule.untrusted for rule in verdict.rules):
        return Decided(Disposition.NOT_COUNTING, "untrusted", rule_id)
    if record.occurred_on > today:
        return Decided(Disposition.NOT_COUNTING, "in-the-future", rule_id)
    filed_at = None if record.parts is None else _enough_at(verdict, record.parts)
    done_on = record.occurred_on if filed_at is None else london_date(filed_at)
    if done_on < add_months(today, -mapped.recordable_months(verdict)):
        return Decided(Disposition.NOT_COUNTING, "too-old", rule_id)
    if record.person is None:
        return Decided(Disposition.UNMATCHED, "nobody", rule_id)
    return Decided(Disposition.EVIDENCE, verdict.reason.value, rule_id, verdict, filed_at)


def _enough_at(verdict: Verdict, parts: Sequence[Part]) -> datetime | None:
    rule = verdict.rule
    if rule is None or rule.counts_when.sessions is None:
        return None
    asked = rule.counts_when
    return asked.together(asked.same_run(parts))[1]


# --- several sessions of an event --------------------------------------------------------------
def needs_parts(mapped: Mapped, record: Record) -> bool:
    """Whether the rules in force look at this record together with other sessions."""
    if record.booking is None or not record.booking.session:
        return False
    day = london_date(record.occurred_at)
    return mapped.decision(record.alias).needs_parts(record.booking, day)


def sessions_with(
    uow: UnitOfWork, records: Sequence[Record], asked: Callable[[Record], bool]
) -> tuple[list[Record], dict[int, Sequence[Part]]]:
    """Records that are not among these and belong to the same events, and each one's sessions,
    its own first.

    Of those for which `asked` says so, and for all others nothing: mostly no query is made. The
    sessions of an event are those that one source tells of one person (or of one account, while
    nobody is known) under one name of the activity.
    """
    asking = [r for r in records if r.booking is not None and r.booking.session and asked(r)]
    if not asking:
        return [], {}
    wanted = {_event(record) for record in asking}
    events: dict[tuple[int, int], list[Record]] = defaultdict(list)
    for record in uow.intake.sessions_of(asking):
        if (event := _event(record)) in wanted:
            events[event].append(record)
    parts: dict[int, Sequence[Part]] = {}
    for together in events.values():
        told = {
            r.id: Part(r.status, r.attendance, r.booking, r.occurred_at)
            for r in together
            if r.booking is not None and not r.gone
        }
        for record in together:
            own = [told[record.id]] if record.id in told else []
            parts[record.id] = own + [each for key, each in told.items() if key != record.id]
    known = {record.id for record in records}
    others = [r for together in events.values() for r in together if r.id not in known]
    return others, parts


def _event(record: Record) -> tuple[int, int]:
    return record.alias.id, -record.account_id if record.person is None else record.person


def decide_each(
    mapped: Mapped, records: Sequence[Record], parts: Mapping[int, Sequence[Part]], today: date
) -> dict[int, Decided]:
    """What becomes of each of these stored records."""
    return {
        r.id: decide(mapped, r.alias, Standing.of_record(r, parts.get(r.id)), today)
        for r in records
    }


#: Reasons in words, for the ledger and `explain`; those of the mapping engine come with it.
REASON_WORDS: dict[str, str] = {
    "gone": "The source took this record back.",
    "voided": "A later statement took this back.",
    "untrusted": "Learners can write to this source, and the rule does not accept that.",
    "nothing-done": "It does not say that anything was done.",
    "voiding": "It takes another statement back.",
    "uncompleted": "It takes a completion back.",
    "about-a-statement": "It is about another statement.",
    "sub-statement": "It is about something that did not happen, or not yet.",
    "about-a-person": "It is about a person, not about learning.",
    "about-a-competency": "It is about a competency, which no machine decides.",
    "waived": "A requirement was waived, which is not learning.",
    "satisfied-at-once": "It does not show that anything was asked of the learner.",
    "group-without-members": "It is about a group, and does not say who is in it.",
    "in-the-future": "The date lies in the future.",
    "too-old": "The activity was more than 12 months ago; it is shown as history.",
    "nobody": "It is not known whose account this is.",
    "no-rule": "No mapping names this activity.",
    "counts": "A rule suggests competencies for it.",
    "human-work": "No rule counts it now, but a person has worked on its evidence.",
    Reason.BOOKED.value: "It is only booked so far; a booking is never learning.",
    Reason.WAITLISTED.value: "It is a place on a waiting list, which is never learning.",
    Reason.CANCELLED.value: "It was cancelled.",
    Reason.NOT_MARKED.value: "Nobody has marked who came, so it is not known.",
    Reason.MINUTES_MISSING.value: "The rule asks for minutes and the source gives none.",
    Reason.MINUTES_LOW.value: "Fewer minutes were attended than the rule asks for.",
    Reason.SESSIONS_FEW.value: "Fewer sessions of the event were attended than the rule asks for.",
    Reason.SESSIONS_UNKNOWN.value: "The source does not say how many sessions the event has.",
    Reason.NOT_EVALUATED.value: "The evaluation that the rule asks for was not handed in.",
    Reason.EVALUATION_UNKNOWN.value: "The source does not say whether the evaluation was done.",
}
