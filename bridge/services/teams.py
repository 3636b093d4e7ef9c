"""A manager's team: who belongs to it, where they stand, and what of theirs may be seen."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.frameworks import Edition
from bridge.domain.model import Person
from bridge.domain.notebook import Piles
from bridge.domain.standing import WaitsForMe
from bridge.domain.teams import Submitted
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person
from bridge.services.escalation import ESCALATED_AFTER
from bridge.services.progress import Progress, progress_within


@dataclass(frozen=True, slots=True)
class Team:
    """The people whose present post names the actor, or a manager for whom they stand in today."""

    members: tuple[Progress, ...]
    stands_in_for: tuple[Person, ...]
    editions: tuple[Edition, ...]


def team(ctx: Context) -> Team:
    """The actor's team, by name, and where each of them stands; states alone, nobody's text."""
    person = acting_person(ctx)
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        leads = uow.teams.stands_in_for(person, today)
        led = uow.teams.led_by([person, *(each.id for each in leads)], today)
        people = [each.id for each in led if each.id != person]
        members = progress_within(ctx, uow, people) if people else []
        return Team(tuple(members), tuple(leads), tuple(uow.catalog.editions()))


def waits_for_me(ctx: Context) -> WaitsForMe:
    """What waits for the actor as a verifier and a manager, counted, in one query."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        return uow.standing.waits_for(acting_person(ctx), london_date(now), now - ESCALATED_AFTER)


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team. `piles` are titles and dates: no text before it is submitted.

    `waiting` is what waits for the actor, piece by piece. `manages` says whether the actor is their
    manager, who agrees and signs; a deputy only verifies.
    """

    progress: Progress
    piles: Piles
    waiting: tuple[Submitted, ...]
    editions: tuple[Edition, ...]
    manages: bool


#: How many titles of each pile a person's page shows.
SHOWN = 12


def member(ctx: Context, person: int) -> Member:
    """A (canonical) person of the actor's team. Raises NotFound for anybody else."""
    me = acting_person(ctx)
    with ctx.store.reading() as uow:
        stands = progress_within(ctx, uow, [person])[0]
        waits = [each for each in uow.teams.submitted_to(me) if each.evidence.person == person]
        return Member(
            progress=stands,
            piles=uow.notebook.piles(person, SHOWN),
            waiting=tuple({each.evidence.id: each for each in waits}.values()),
            editions=tuple(uow.catalog.editions()),
            manages=any(p.manager == me for p in stands.posts),
        )
