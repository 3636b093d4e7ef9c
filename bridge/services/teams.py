"""A manager's team: who belongs to it, where they stand, and what of theirs may be seen."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.model import Person
from bridge.domain.notebook import Piles
from bridge.domain.teams import Agreement, InDoubt, Log, NotApplicable
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person, require_sight_of
from bridge.services.progress import Progress, progress_of_many, progress_within


@dataclass(frozen=True, slots=True)
class Team:
    """The people whose present post names the actor, or a manager for whom they stand in today."""

    members: tuple[Progress, ...]
    stands_in_for: tuple[Person, ...]


def team(ctx: Context) -> Team:
    """The actor's team, by name, and where each of them stands; states alone, nobody's text."""
    person = acting_person(ctx)
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        leads = uow.teams.stands_in_for(person, today)
        led = uow.teams.led_by([person, *(each.id for each in leads)], today)
    people = [each.id for each in led if each.id != person]
    return Team(tuple(progress_of_many(ctx, people)) if people else (), tuple(leads))


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team. `piles` are titles and dates: no text before it is submitted.

    `agreements` are all that were made for their present posts, the newest first. `manages` says
    whether the actor is their manager, who agrees and signs; a deputy only verifies.
    """

    progress: Progress
    piles: Piles
    agreements: tuple[Agreement, ...]
    not_applicable: tuple[NotApplicable, ...]
    in_doubt: tuple[InDoubt, ...]
    logs: tuple[Log, ...]
    manages: bool


#: How many titles of each pile a person's page shows.
SHOWN = 12


def member(ctx: Context, person: int) -> Member:
    """One person of the actor's team. Raises NotFound for anybody else."""
    me = acting_person(ctx)
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        canonical = uow.people.get(person).canonical
        require_sight_of(ctx, uow, canonical)
        stands = progress_within(ctx, uow, [canonical])[0]
        doubt = uow.teams.in_doubt(ctx.actor.scope, today, [me])
        return Member(
            progress=stands,
            piles=uow.notebook.piles(canonical, SHOWN),
            agreements=tuple(uow.teams.agreements([p.id for p in stands.posts])),
            not_applicable=tuple(uow.teams.not_applicable(canonical)),
            in_doubt=tuple(each for each in doubt if each.learner == canonical),
            logs=tuple(uow.logs.of(canonical)),
            manages=any(p.manager == me for p in stands.posts),
        )
