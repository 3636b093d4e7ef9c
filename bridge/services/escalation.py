"""What has waited for more than 28 days, for those who can see to it (DESIGN 6, R6).

A submission that waits so long is shown to whoever stands in for its verifier, to the verifier's
own manager, and to the training team: with its title and how long it waits, and no text. A
deputy takes it over, the verifier's manager names a deputy, the training team hands it to
another. Contested claims go the same way, to those around the verifier and the present manager.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.errors import NotFound
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Eyes, Scope
from bridge.domain.teams import InDoubt, Overdue, Verified
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person

#: How long a verifier may take before others are told.
ESCALATED_AFTER = timedelta(days=28)
#: At most so many are listed, the oldest; what comes after them is seen once those are settled.
LISTED = 200


#: For whoever needs them all, as the mails do.
ALL = 2**31 - 1


def too_long(since: datetime, now: datetime) -> bool:
    """Whether something that waits since then has waited for more than 28 days."""
    return since < now - ESCALATED_AFTER


def overdue_within(
    uow: UnitOfWork, scope: Scope, now: datetime, verifiers: Collection[int] | None, limit: int
) -> list[Overdue]:
    """What has waited too long with these verifiers, or all that the scope may list; oldest first.

    The pages and the mails both ask here.
    """
    return uow.teams.overdue(scope, now - ESCALATED_AFTER, verifiers, limit)


def in_doubt_within(
    uow: UnitOfWork, scope: Scope, now: datetime, deciders: Collection[int] | None, limit: int
) -> list[InDoubt]:
    """The contested claims that these decide on, or all that the scope may list; oldest first."""
    return uow.teams.in_doubt(scope, london_date(now), deciders, limit)


@dataclass(frozen=True, slots=True)
class Escalated:
    """Submissions and contested claims that have waited for more than 28 days, oldest first."""

    submissions: tuple[Overdue, ...]
    claims: tuple[InDoubt, ...]

    def __bool__(self) -> bool:
        return bool(self.submissions or self.claims)


def escalated(ctx: Context) -> Escalated:
    """What has waited too long, as far as the actor can see to it; nothing of their own."""
    now = ctx.clock.now()
    scope = ctx.actor.scope
    with ctx.store.reading() as uow:
        around = _around(ctx, uow) if scope.eyes is Eyes.PERSON else None
        late = overdue_within(uow, scope, now, around, LISTED)
        doubts = in_doubt_within(uow, scope, now, around, LISTED)
    return Escalated(
        tuple(each for each in late if each.learner != scope.person),
        tuple(d for d in doubts if too_long(d.since, now) and d.learner != scope.person),
    )


def _around(ctx: Context, uow: UnitOfWork) -> list[int]:
    """Those for whom the actor stands in, and those whom they manage."""
    person = acting_person(ctx)
    today = london_date(ctx.clock.now())
    found = uow.teams.stands_in_for(person, today) + uow.teams.led_by([person], today)
    return sorted({each.id for each in found} - {person})


def in_doubt(ctx: Context) -> list[InDoubt]:
    """The contested claims that the actor decides on: as verifier or present manager (R6)."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        found = in_doubt_within(uow, ctx.actor.scope, ctx.clock.now(), [person], LISTED)
    return [each for each in found if each.learner != person]


def stands_in_for(ctx: Context) -> set[int]:
    """The managers for whom the actor stands in today, and may take over what waits for them."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        found = uow.teams.stands_in_for(person, london_date(ctx.clock.now()))
    return {each.id for each in found}


#: How many decisions the list of them shows.
LATEST = 100


def decided(ctx: Context) -> list[Verified]:
    """The verified claims on which the actor may have second thoughts, the newest first: what they
    verified, and what others verified of those whom they manage today."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        return uow.teams.verified(person, london_date(ctx.clock.now()), LATEST)


def one_decided(ctx: Context, claim_id: int) -> Verified:
    """One of them. Raises NotFound."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        found = uow.teams.verified(person, london_date(ctx.clock.now()), 1, claim_id)
    if not found:
        raise NotFound("There is no such verified claim for you to decide on.")
    return found[0]
