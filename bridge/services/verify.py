"""The second person's word: verify, return, revoke, uphold. Nothing else makes a claim count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.authority import authority_of, check_method
from bridge.domain.claims import Act, ClaimState, Party, step
from bridge.domain.drafting import SOURCE_CHANGED, SOURCE_GONE, Redraft
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import SYSTEM
from bridge.domain.times import london_date
from bridge.services.context import PERSONS, Context, acting_person, audit
from bridge.services.corrections import counts
from bridge.services.drafting import groundless
from bridge.services.evidence import Item, chosen, lists_of, standing
from bridge.services.mapped import load_mapped
from bridge.services.notify import tell_returned, tell_verified
from bridge.services.telling import queue_revoked, queue_verified


def waiting(ctx: Context) -> list[Item]:
    """The evidence that waits for the actor's decision, oldest first, with just those claims."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        found = uow.teams.submitted_to(person)
        evidence = {each.evidence.id: each.evidence for each in found}
        mine = {each.claim_id for each in found}
        claims = [c for c in uow.evidence.claims(list(evidence)) if c.id in mine]
    return [Item(e, tuple(c for c in claims if c.evidence_id == e.id)) for e in evidence.values()]


def verify(
    ctx: Context,
    evidence_id: int,
    refs: Sequence[CompetencyRef] | None,
    method: str,
    *,
    note: str = "",
    read: int | None = None,
) -> list[int]:
    """Verify submitted claims (all of them when `refs` is None) by a method of the framework.

    A slow verifier never disqualifies: the 12 months were counted at submission (R1). `read` is
    the reflection that the actor has before them, where they could be looking at an older page.
    Returns the verifications. Raises Refused or NotAllowed when the rules forbid it.
    """
    with ctx.store.begin() as uow:
        uow.ops.lock(PERSONS)
        if read is not None:
            check_read(ctx, uow, evidence_id, read)
        return decide(ctx, uow, evidence_id, refs, Act.VERIFY, method, note)


def send_back(
    ctx: Context,
    evidence_id: int,
    refs: Sequence[CompetencyRef] | None,
    question: str,
    *,
    read: int | None = None,
) -> list[int]:
    """Return submitted claims with a question for the practitioner; `read` as for `verify`."""
    with ctx.store.begin() as uow:
        uow.ops.lock(PERSONS)
        if read is not None:
            check_read(ctx, uow, evidence_id, read)
        return decide(ctx, uow, evidence_id, refs, Act.RETURN, None, question)


def check_read(ctx: Context, uow: UnitOfWork, evidence_id: int, read: int) -> None:
    """Raise Refused unless what waits for the actor came with the reflection that they have read.

    It may be taken back, changed and submitted anew while they think; a decision is about words
    that somebody has seen. The evidence is locked, so the words stay until it is recorded.
    """
    person = acting_person(ctx)
    uow.evidence.get(evidence_id, ctx.actor.scope, lock=True)
    submissions = uow.evidence.submissions_of(evidence_id)
    waits = [
        submissions[claim.id].reflection_id
        for claim in uow.evidence.claims([evidence_id])
        if claim.state is ClaimState.SUBMITTED
        and claim.id in submissions
        and submissions[claim.id].verifier == person
    ]
    if waits and max(waits) != read:
        raise Refused(CHANGED)


CHANGED = "They have changed what they wrote since you opened this. Read it again, then decide."
_DECISION = {Act.VERIFY: "verified", Act.RETURN: "returned"}


def decide(
    ctx: Context,
    uow: UnitOfWork,
    evidence_id: int,
    refs: Sequence[CompetencyRef] | None,
    act: Act,
    method: str | None,
    note: str,
) -> list[int]:
    """Verify or return claims of one piece of evidence within a transaction, under `PERSONS`.

    Returns the decisions' rows. Raises Refused or NotAllowed when the rules forbid it.
    """
    if act is Act.RETURN and not note.strip():
        raise Refused("Say what you would like to know, so that they can answer it.")
    now = ctx.clock.now()
    person = acting_person(ctx)
    evidence = uow.evidence.get(evidence_id, ctx.actor.scope, lock=True)
    authority = authority_of(standing(uow, evidence.person, person, london_date(now), evidence_id))
    claims = uow.evidence.claims([evidence_id])
    submissions = uow.evidence.submissions_of(evidence_id)
    mine = [c for c in claims if c.id in submissions and submissions[c.id].verifier == person]
    picked = (
        chosen(claims, refs)
        if refs is not None
        else [c for c in mine if c.state is ClaimState.SUBMITTED]
    )
    if not mine or any(c not in mine for c in picked):
        raise NotAllowed("This was not submitted to you. Its owner can choose you and resubmit.")
    if not picked:
        raise Refused("Nothing of this evidence waits for a decision.")
    if method is not None:
        for edition in {c.ref.edition for c in picked}:
            check_method(lists_of(uow, edition), method, authority, evidence.learning_activity)
    states = {c.id: step(c.state, act, Party.VERIFIER) for c in picked}
    made = [
        uow.evidence.add_verification(
            claim_id,
            person,
            _DECISION[act],
            now,
            authority=authority,
            channel=ctx.actor.channel,
            method=method,
            note=note.strip(),
            vault=ctx.vault,
            reciprocal=uow.evidence.has_verified(evidence.person, person),
        )
        for claim_id in states
    ]
    uow.evidence.set_states(states, now)
    if act is Act.VERIFY:
        tell_verified(uow, ctx.policy, now, evidence.person, zip(made, picked, strict=True))
        queue_verified(ctx, uow, made)
    else:
        tell_returned(uow, ctx.policy, now, evidence.person, evidence_id, made)
    if act is Act.VERIFY and evidence.origin == "record":
        _contest_unsupported(uow, evidence_id, list(states), now)
    audit(ctx, uow, _DECISION[act], f"evidence:{evidence_id}",
          {"claims": list(states), "verifications": made, "method": method,
           "authority": authority})  # fmt: skip
    return made


def _contest_unsupported(
    uow: UnitOfWork, evidence_id: int, claim_ids: Sequence[int], now: datetime
) -> None:
    """R6, for a source that was reversed before the decision: flagged, and earning nothing yet."""
    records = uow.intake.records_of_evidence([evidence_id])
    if any(counts(record) for record in records):
        return
    lost = groundless(uow, load_mapped(uow), evidence_id, now) & set(claim_ids)
    because = SOURCE_GONE if all(record.gone for record in records) else SOURCE_CHANGED
    uow.evidence.apply(Redraft(add={}, contest=tuple(sorted(lost)), because=because), now)


def revoke(ctx: Context, claim_id: int, reason: str) -> int:
    """Take a verification back, with the reason. Awards that rested on it are looked at anew."""
    if not reason.strip():
        raise Refused("Say why the verification is taken back.")
    return _second_thought(ctx, claim_id, "revoked", reason)


def uphold(ctx: Context, claim_id: int, reason: str) -> int:
    """Say of a contested claim that it stands (R6), and why; it earns awards again."""
    if not reason.strip():
        raise Refused("Say why the claim stands.")
    return _second_thought(ctx, claim_id, "upheld", reason)


def _second_thought(ctx: Context, claim_id: int, decision: str, reason: str) -> int:
    now = ctx.clock.now()
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        uow.ops.lock(PERSONS)
        claim, learner = uow.evidence.claim(claim_id, SYSTEM, lock=True)
        who = standing(uow, learner, person, london_date(now), claim.evidence_id)
        if not who.is_manager:
            # The present manager need not have seen it before; anybody else must.
            _check_sight(ctx, uow, claim)
        verification = uow.evidence.verification_in_force(claim_id)
        if verification is None:
            raise Refused("This claim is not verified, so there is nothing to take back or uphold.")
        authority = authority_of(who)
        if verification.verifier != person and not who.is_manager:
            raise NotAllowed("Only the verifier or the present manager decides on this.")
        if decision == "upheld":
            _check_contested(claim)
        made = uow.evidence.add_verification(
            claim_id,
            person,
            decision,
            now,
            authority=authority,
            channel=ctx.actor.channel,
            method=None,
            note=reason.strip(),
            vault=ctx.vault,
            reciprocal=False,
            revokes=verification.id if decision == "revoked" else None,
        )
        if decision == "revoked":
            uow.evidence.set_states({claim_id: step(claim.state, Act.REVOKE, Party.VERIFIER)}, now)
            queue_revoked(ctx, uow, made, verification.id)
        else:
            uow.evidence.settle_contest(claim_id)
        audit(ctx, uow, decision, f"claim:{claim_id}", {"verification": made})
        return made


def _check_sight(ctx: Context, uow: UnitOfWork, claim: Claim) -> None:
    try:
        uow.evidence.get(claim.evidence_id, ctx.actor.scope)
    except NotFound:
        # In the words for what is not there: who may not see it learns nothing.
        raise NotFound(f"There is no claim {claim.id} for you to see.") from None


def _check_contested(claim: Claim) -> None:
    if not claim.contested:
        raise Refused("This claim is not contested; there is nothing to uphold.")
