"""Handing submitted evidence to another verifier, with the reflection that came with it."""

from __future__ import annotations

from collections import defaultdict

from bridge.domain.authority import authority_of
from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotFound, Refused
from bridge.domain.model import Evidence, Submission
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import SYSTEM
from bridge.domain.times import london_date
from bridge.services.context import PERSONS, Context, acting_person, audit
from bridge.services.evidence import standing
from bridge.services.notify import tell_submitted


def reassign(ctx: Context, evidence_id: int, verifier: int) -> list[int]:
    """Put what waits before another verifier, with the same reflection; the new submissions.

    Its owner may, whoever it waits for (what waits for them), and the present manager or deputy.
    A verifier's decisions so far stand. Raises Refused where nothing waits, or it waits for that
    person already; NotAllowed where the new verifier may not verify; NotFound for anybody else.
    """
    now = ctx.clock.now()
    today = london_date(now)
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        uow.ops.lock(PERSONS)
        evidence = uow.evidence.get(evidence_id, SYSTEM, lock=True)
        new = uow.people.get(verifier).canonical
        waiting = _waiting(uow, evidence_id)
        if person != evidence.person:
            waiting = _theirs(uow, evidence, person, waiting, ctx)
        if not waiting:
            raise Refused("Nothing of this waits for a verifier.")
        authority_of(standing(uow, evidence.person, new, today, evidence_id))
        moved = {claim: put for claim, put in waiting.items() if put.verifier != new}
        if not moved:
            raise Refused("It waits for them already. Choose somebody else.")
        together: dict[int, list[int]] = defaultdict(list)
        for claim, put in moved.items():
            together[put.reflection_id].append(claim)
        made = []
        for reflection, claims in together.items():
            submission = uow.evidence.add_submission(
                evidence_id, reflection, new, claims, ctx.actor.channel, now
            )
            tell_submitted(uow, ctx.policy, now, submission, evidence_id, new)
            audit(ctx, uow, "reassign", f"evidence:{evidence_id}",
                  {"submission": submission, "claims": claims, "verifier": new,
                   "instead_of": sorted({moved[c].verifier for c in claims})})  # fmt: skip
            made.append(submission)
        return made


def _waiting(uow: UnitOfWork, evidence_id: int) -> dict[int, Submission]:
    submissions = uow.evidence.submissions_of(evidence_id)
    return {
        claim.id: submissions[claim.id]
        for claim in uow.evidence.claims([evidence_id])
        if claim.state is ClaimState.SUBMITTED
    }


def _theirs(
    uow: UnitOfWork, evidence: Evidence, person: int, waiting: dict[int, Submission], ctx: Context
) -> dict[int, Submission]:
    """What somebody who is not the owner may hand over. Raises NotFound where that is nothing."""
    who = standing(uow, evidence.person, person, london_date(ctx.clock.now()))
    if who.is_manager or who.is_deputy:
        return waiting
    mine = {claim: put for claim, put in waiting.items() if put.verifier == person}
    if not mine:
        # In the words for what is not there: who may not see it learns nothing.
        raise NotFound(f"There is no evidence {evidence.id} for you to see.")
    return mine
