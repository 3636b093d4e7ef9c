"""Why: for each claim and for each absence, from the record to the last human act (DESIGN 5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.domain.counting import Part
from bridge.domain.identity import IdentityRule, Match
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Record, Verification
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context, require_sight_of
from bridge.services.deciding import Standing, decide, needs_parts, sessions_with
from bridge.services.identities import look_up
from bridge.services.ledger import reason_words
from bridge.services.mapped import Mapped, load_mapped


@dataclass(slots=True)
class Explanation:
    """A heading, and what led to it, in order; `parts` explain what it rests on."""

    heading: str
    lines: list[str] = field(default_factory=list)
    parts: list[Explanation] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "heading": self.heading,
            "lines": self.lines,
            "parts": [part.as_json() for part in self.parts],
        }


def record(
    ctx: Context, record_id: int, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> Explanation:
    """Why a learning record became what it is. Raises NotFound."""
    with ctx.store.reading() as uow:
        found = uow.intake.record(record_id)
        require_sight_of(ctx, uow, found.person or 0)
        return _record(ctx, uow, load_mapped(uow), found, rules_of)


def _record(
    ctx: Context,
    uow: UnitOfWork,
    mapped: Mapped,
    found: Record,
    rules_of: Mapping[str, Sequence[IdentityRule]],
) -> Explanation:
    facts = found.alias.facts
    title = facts.title or facts.shortname or facts.value
    score = "" if found.score is None else f", score {found.score:.0%}"
    told = Explanation(
        f"Record {found.id}: {title}, {found.status.value} on "
        f"{london_date(found.occurred_at):%-d %B %Y}{score}"
    )
    gone = " The source no longer has it." if found.gone else ""
    told.lines.append(f"Received from {found.source_key} as {found.natural_key}.{gone}")
    today = london_date(ctx.clock.now())
    _, parts = sessions_with(uow, [found], lambda r: needs_parts(mapped, r))
    together = parts.get(found.id)
    told.lines += _booking(found, together)
    verdict = mapped.decision(found.alias).judge(
        found.status,
        found.score,
        found.attendance,
        london_date(found.occurred_at),
        found.booking,
        together,
    )
    told.lines += verdict.trace()
    told.lines.append(_whose(uow, found, rules_of))
    told.lines.append(
        f"Disposition: {found.disposition.value} ({reason_words(found.reason)})"
        + (f" It supports evidence {found.evidence_id}." if found.evidence_id else "")
    )
    now = decide(mapped, found.alias, Standing.of_record(found, together), today)
    if now.disposition is not found.disposition and found.reason not in ("human-work", "gone"):
        told.lines.append(
            f"Decided again now it would be {now.disposition.value} ({reason_words(now.reason)})"
        )
    return told


def _booking(found: Record, parts: Sequence[Part] | None) -> list[str]:
    """What a booking system says beside the status, and the sessions looked at with it."""
    booking = found.booking
    if booking is None:
        return []
    told = []
    if booking.said:
        told.append(f"the source's word is “{booking.said}”")
    if booking.session:
        of = f" of {booking.sessions}" if booking.sessions else ""
        told.append(f"session “{booking.session}”{of}")
    if booking.minutes is not None:
        of = f" of {booking.planned:g}" if booking.planned else ""
        told.append(f"{booking.minutes:g}{of} minutes attended")
    if booking.evaluated is not None:
        told.append(f"the evaluation was {'' if booking.evaluated else 'not '}handed in")
    lines = [f"In the booking: {'; '.join(told)}."] if told else []
    if parts is not None:
        sessions = ", ".join(
            f"“{p.booking.session}” {p.status.value}" for p in sorted(parts, key=lambda p: p.at)
        )
        lines.append(f"Looked at with the sessions of the event: {sessions}.")
    return lines


def _whose(uow: UnitOfWork, found: Record, rules_of: Mapping[str, Sequence[IdentityRule]]) -> str:
    link = uow.people.link_of(found.account_id)
    account, source_key = uow.intake.account(found.account_id)
    if link is not None:
        person = uow.people.get(link[0])
        return (
            f"The account {account.facts.kind} {account.facts.value} is {person.name}'s "
            f"(person {person.id}) by {link[1]}: {link[2]}."
        )
    rules = rules_of.get(source_key, ())
    why = look_up(uow, {source_key: [account.facts]}, rules_of).match(
        source_key, account.facts, rules
    )
    reason = "It matches now and is being settled." if isinstance(why, Match) else why.message
    return f"The account {account.facts.kind} {account.facts.value} is nobody's yet. {reason}"


def evidence(
    ctx: Context, evidence_id: int, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> Explanation:
    """Why each claim of a piece of evidence stands where it does. Raises NotFound."""
    with ctx.store.reading() as uow:
        found = uow.evidence.get(evidence_id, ctx.actor.scope)
        mapped = load_mapped(uow)
        told = Explanation(
            f"Evidence {found.id}: {found.title}, {found.occurred_on:%-d %B %Y}, "
            f"{found.person_name}"
        )
        if found.origin == "own":
            told.lines.append(f"Recorded by the person as {found.learning_activity}.")
        claims = uow.evidence.claims([evidence_id])
        decisions = uow.evidence.verifications([c.id for c in claims])
        for claim in claims:
            told.parts.append(_claim(uow, claim, [d for d in decisions if d.claim_id == claim.id]))
        for supporting in uow.intake.records_of_evidence([evidence_id]):
            told.parts.append(_record(ctx, uow, mapped, supporting, rules_of))
        for entry in uow.trail.of(f"evidence:{evidence_id}"):
            os_user = f", operating-system user {entry.os_user}" if entry.os_user else ""
            told.lines.append(
                f"{entry.at:%Y-%m-%d %H:%M} UTC: {entry.act} by {entry.actor} "
                f"through {entry.channel}{os_user}."
            )
        return told


def _claim(uow: UnitOfWork, claim: Claim, decisions: list[Verification]) -> Explanation:
    told = Explanation(f"Claim {claim.id}: {claim.ref}, {claim.state.value}. {claim.text}")
    rule = uow.catalog.rule(claim.rule_id) if claim.rule_id is not None else None
    if rule is not None:
        mapping, version, key, published_at, by = rule
        told.lines.append(
            f"Suggested by rule {mapping}/{key}, version {version}, published "
            f"{london_date(published_at):%-d %B %Y} by {by}."
        )
        if not claim.suggested:
            told.lines.append("It is no longer suggested by the mappings in force.")
    else:
        told.lines.append("Added by the person.")
    for each in decisions:
        verifier = uow.people.get(each.verifier)
        method = f" ({each.method})" if each.method else ""
        told.lines.append(
            f"{london_date(each.decided_at):%-d %B %Y}: {each.decision} by {verifier.name}, "
            f"{each.authority}{method}, through {each.channel}."
        )
    if claim.contested:
        told.lines.append(f"Contested: {_CONTESTED.get(claim.contested_reason or '', '')}")
    return told


_CONTESTED = {
    "source-gone": "the source no longer has the record. The verifier or manager decides.",
    "source-changed": "the source has corrected its record, which does not count any more. The "
    "verifier or manager decides.",
    "same-person": "verifier and learner turned out to be one person.",
}


def absence(
    ctx: Context,
    person: int,
    ref: CompetencyRef,
    rules_of: Mapping[str, Sequence[IdentityRule]],
) -> Explanation:
    """Why a person has, or does not have, something for a competency. Raises NotFound."""
    with ctx.store.reading() as uow:
        require_sight_of(ctx, uow, person)
        name = uow.people.get(person).name
        competency = uow.catalog.edition_of(ref.edition).competency(ref.code)
        told = Explanation(f"{name} and {ref}: {competency.text}")
        own = uow.evidence.visible(ctx.actor.scope, person=person)
        claims = [c for c in uow.evidence.claims([e.id for e in own]) if c.ref == ref]
        decisions = uow.evidence.verifications([c.id for c in claims])
        for claim in claims:
            told.parts.append(_claim(uow, claim, [d for d in decisions if d.claim_id == claim.id]))
        if not claims:
            told.lines.append("No evidence of theirs makes a claim for it.")
        mapped = load_mapped(uow)
        rules = [r.name for r in mapped.index.rules if ref in r.suggests]
        told.lines.append(
            f"Rules that would suggest it: {', '.join(rules)}."
            if rules
            else "No rule in force suggests it, so no course can."
        )
        for found in uow.intake.records_of_person(person):
            told.parts.append(_record(ctx, uow, mapped, found, rules_of))
        return told
