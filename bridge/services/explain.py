"""Why: for each claim and for each absence, from the record to the last human act (DESIGN 5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.domain.counting import Part
from bridge.domain.identity import IdentityRule, Match
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import AccountHolder, Claim, Record, Verification
from bridge.domain.notebook import RuleReason
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.domain.vanishing import Gone
from bridge.services.context import Context, require_sight_of
from bridge.services.deciding import GONE, Standing, decide, needs_parts, sessions_with
from bridge.services.evidence import item_seen
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
        return _records(ctx, uow, load_mapped(uow), [found], rules_of)[0]


def _records(
    ctx: Context,
    uow: UnitOfWork,
    mapped: Mapped,
    found: Sequence[Record],
    rules_of: Mapping[str, Sequence[IdentityRule]],
) -> list[Explanation]:
    holders = uow.intake.holders({record.account_id for record in found})
    _, parts = sessions_with(uow, found, lambda record: needs_parts(mapped, record))
    return [
        _record(
            ctx,
            mapped,
            record,
            _whose(uow, holders[record.account_id], rules_of),
            parts.get(record.id),
        )
        for record in found
    ]


def _record(
    ctx: Context, mapped: Mapped, found: Record, whose: str, together: Sequence[Part] | None
) -> Explanation:
    """`together` are the sessions of the event that are looked at with this one."""
    facts = found.alias.facts
    title = facts.title or facts.shortname or facts.value
    score = "" if found.score is None else f", score {found.score:.0%}"
    told = Explanation(
        f"Record {found.id}: {title}, {found.status.value} on "
        f"{london_date(found.occurred_at):%-d %B %Y}{score}"
    )
    told.lines.append(f"Received from {found.source_key} as {found.natural_key}.")
    if found.gone_at is not None:
        because = Gone(found.gone_because).words
        told.lines.append(
            f"No longer in {found.source_key} since {london_date(found.gone_at):%-d %B %Y}: "
            f"{because}."
        )
    elif found.voided:
        told.lines.append(reason_words(GONE[True]))
    today = london_date(ctx.clock.now())
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
    told.lines.append(whose)
    told.lines.append(
        f"Disposition: {found.disposition.value} ({reason_words(found.reason)})"
        + (f" It supports evidence {found.evidence_id}." if found.evidence_id else "")
    )
    now = decide(mapped, found.alias, Standing.of_record(found, together), today)
    if now.disposition is not found.disposition and found.reason not in (
        "human-work",
        *GONE.values(),
    ):
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


def _whose(
    uow: UnitOfWork, holder: AccountHolder, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> str:
    account = holder.account
    if account.person is not None:
        return (
            f"The account {account.facts.kind} {account.facts.value} is {holder.name}'s "
            f"(person {account.person}) by {holder.rule}: {holder.proof}."
        )
    key = holder.source_key
    why = look_up(uow, {key: [account.facts]}, rules_of).match(
        key, account.facts, rules_of.get(key, ())
    )
    reason = "It matches now and is being settled." if isinstance(why, Match) else why.message
    return f"The account {account.facts.kind} {account.facts.value} is nobody's yet. {reason}"


def evidence(
    ctx: Context, evidence_id: int, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> Explanation:
    """Why each claim of a piece of evidence stands where it does. Raises NotFound.

    Whoever decided on some of it once, and has no more to do with it, is told of that alone.
    """
    with ctx.store.reading() as uow:
        item, whole = item_seen(ctx, uow, evidence_id)
        found, claims = item.evidence, item.claims
        mapped = load_mapped(uow)
        told = Explanation(
            f"Evidence {found.id}: {found.title}, {found.occurred_on:%-d %B %Y}, "
            f"{found.person_name}"
        )
        if found.origin == "own":
            told.lines.append(f"Recorded by the person as {found.learning_activity}.")
        told.parts += _claims(uow, claims, None if whole else ctx.actor.person)
        if not whole:
            return told
        supporting = uow.intake.records_of_evidence([evidence_id])
        told.parts += _records(ctx, uow, mapped, supporting, rules_of)
        for entry in uow.trail.of(f"evidence:{evidence_id}"):
            os_user = f", operating-system user {entry.os_user}" if entry.os_user else ""
            told.lines.append(
                f"{entry.at:%Y-%m-%d %H:%M} UTC: {entry.act} by {entry.actor} "
                f"through {entry.channel}{os_user}."
            )
        return told


def _claims(uow: UnitOfWork, claims: Sequence[Claim], by: int | None = None) -> list[Explanation]:
    """Each claim; with the decisions of all, or only `by` one (canonical) person."""
    decisions = [
        decision
        for decision in uow.evidence.verifications([c.id for c in claims])
        if by is None or decision.verifier == by
    ]
    rules = uow.notebook.reasons({c.rule_id for c in claims if c.rule_id is not None})
    names = uow.standing.names({d.verifier for d in decisions}) if decisions else {}
    return [
        _claim(
            claim,
            rules.get(claim.rule_id or 0),
            [(d, names[d.verifier]) for d in decisions if d.claim_id == claim.id],
        )
        for claim in claims
    ]


def _claim(
    claim: Claim, rule: RuleReason | None, decisions: Sequence[tuple[Verification, str]]
) -> Explanation:
    told = Explanation(f"Claim {claim.id}: {claim.ref}, {claim.state.value}. {claim.text}")
    if rule is not None:
        told.lines.append(
            f"Suggested by rule {rule.mapping}/{rule.key}, version {rule.version}, published "
            f"{london_date(rule.published_at):%-d %B %Y} by {rule.published_by}."
        )
        if not claim.suggested:
            # A rule that went, or a record that counts no more: the records below say which.
            told.lines.append("Nothing suggests it any more, by the rules and records of today.")
    else:
        told.lines.append("Added by the person.")
    for each, name in decisions:
        method = f" ({each.method})" if each.method else ""
        told.lines.append(
            f"{london_date(each.decided_at):%-d %B %Y}: {each.decision} by {name}, "
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
        told.parts += _claims(uow, claims)
        if not claims:
            told.lines.append("No evidence of theirs makes a claim for it.")
        mapped = load_mapped(uow)
        rules = [r.name for r in mapped.index.rules if ref in r.suggests]
        told.lines.append(
            f"Rules that would suggest it: {', '.join(rules)}."
            if rules
            else "No rule in force suggests it, so no course can."
        )
        told.parts += _records(ctx, uow, mapped, uow.intake.records_of_person(person), rules_of)
        return told
