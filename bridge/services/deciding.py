"""The one disposition of a record, in the order of DESIGN 5.3."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from bridge.domain.mapping_index import Outcome, Verdict
from bridge.domain.model import Alias, Record
from bridge.domain.records import Disposition, LearningFact, Status
from bridge.domain.times import add_months, london_date
from bridge.services.mapped import Mapped


class Decided(NamedTuple):
    """A record's disposition and its reason. `verdict` is there when it is (to be) evidence."""

    disposition: Disposition
    reason: str
    rule_id: int | None
    verdict: Verdict | None = None


class Standing(NamedTuple):
    """What deciding on a record takes. `person` is canonical, or None while nobody is known."""

    status: Status
    score: float | None
    attendance: float | None
    occurred_on: date
    person: int | None
    gone: bool = False

    @staticmethod
    def of(fact: LearningFact, person: int | None) -> Standing:
        """Of a fact just read."""
        return Standing(
            fact.status, fact.score, fact.attendance, london_date(fact.occurred_at), person
        )

    @staticmethod
    def of_record(record: Record) -> Standing:
        """Of a stored record."""
        return Standing(
            record.status,
            record.score,
            record.attendance,
            london_date(record.occurred_at),
            record.person,
            record.gone,
        )


def decide(mapped: Mapped, alias: Alias, record: Standing, today: date) -> Decided:
    """What becomes of a readable record on that London day. `today` serves rule R1."""
    verdict = mapped.decision(alias).judge(
        record.status, record.score, record.attendance, record.occurred_on
    )
    if verdict.outcome is Outcome.UNMAPPED:
        return Decided(Disposition.UNMAPPED, verdict.reason.value, None)
    rule_id = mapped.rule_id(verdict.rule)
    if record.gone:
        return Decided(Disposition.NOT_COUNTING, "gone", rule_id)
    if verdict.outcome is Outcome.NOT_COUNTING:
        return Decided(Disposition.NOT_COUNTING, verdict.reason.value, rule_id)
    if record.occurred_on > today:
        return Decided(Disposition.NOT_COUNTING, "in-the-future", rule_id)
    if record.occurred_on < add_months(today, -mapped.recordable_months(verdict)):
        return Decided(Disposition.NOT_COUNTING, "too-old", rule_id)
    if record.person is None:
        return Decided(Disposition.UNMATCHED, "nobody", rule_id)
    return Decided(Disposition.EVIDENCE, verdict.reason.value, rule_id, verdict)


#: Reasons in words, for the ledger and `explain`; those of the mapping engine come with it.
REASON_WORDS: dict[str, str] = {
    "gone": "The source no longer has this record.",
    "in-the-future": "The date lies in the future.",
    "too-old": "The activity was more than 12 months ago; it is shown as history.",
    "nobody": "It is not known whose account this is.",
    "no-rule": "No mapping names this activity.",
    "counts": "A rule suggests competencies for it.",
    "human-work": "No rule counts it now, but a person has worked on its evidence.",
}
