"""What every use case is handed: the store, the clock, the vault, the numbers, and who acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.domain.errors import NotAllowed, NotFound
from bridge.domain.model import Post
from bridge.domain.policy import Policy
from bridge.domain.ports import Clock
from bridge.domain.repositories import Store, UnitOfWork, Vault
from bridge.domain.scope import Actor, Eyes
from bridge.domain.times import london_date


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a use case. `policy` holds the organisation's numbers."""

    store: Store
    clock: Clock
    vault: Vault
    actor: Actor
    policy: Policy = field(default_factory=Policy)

    def acting_as(self, actor: Actor) -> Context:
        """The same surroundings for somebody else."""
        return replace(self, actor=actor)


#: Merging people and verifying their claims wait for each other under this lock: whether verifier
#: and learner are one person must not change while somebody decides.
PERSONS = "persons"


def acting_person(ctx: Context) -> int:
    """The (canonical) person who acts. Raises NotAllowed when it is no person."""
    person = ctx.actor.person
    if person is None:
        raise NotAllowed(
            "This is a person's own act. Give that person's token (BRIDGE_TOKEN or --token-file)."
        )
    return person


def training_team_only(ctx: Context) -> None:
    """Raise NotAllowed unless the whole partnership's training team, or an administrator at the
    command line, acts."""
    if not ctx.actor.scope.unrestricted:
        raise NotAllowed("Only the training team of the whole partnership does that.")


def require_sight_of(ctx: Context, uow: UnitOfWork, person: int) -> None:
    """Raise NotFound unless the actor may see how this (canonical) person stands.

    Everybody sees themselves, a manager in a present post and their deputy the team, an
    organisation's training team whoever holds a post there (DESIGN 5.11).
    """
    scope = ctx.actor.scope
    if scope.unrestricted or scope.person == person:
        return
    today = london_date(ctx.clock.now())
    posts = [p for p in uow.people.posts_of([person]).get(person, ()) if p.holds_on(today)]
    require_sight_of_all(ctx, uow, {person: posts})


def require_sight_of_all(
    ctx: Context, uow: UnitOfWork, present: Mapping[int, Sequence[Post]]
) -> None:
    """The same of several people, whose posts of today are given."""
    scope = ctx.actor.scope
    others = {p: posts for p, posts in present.items() if p != scope.person}
    if scope.unrestricted or not others:
        return
    leads = {scope.person}
    led = all(any(p.manager == scope.person for p in posts) for posts in others.values())
    if not led and scope.eyes is Eyes.PERSON and scope.person is not None:
        today = london_date(ctx.clock.now())
        leads |= {each.id for each in uow.teams.stands_in_for(scope.person, today)}
    for person, posts in others.items():
        if scope.narrowed:
            seen = any(p.organisation_id in (scope.organisations or ()) for p in posts)
        else:
            seen = scope.eyes is Eyes.PERSON and any(p.manager in leads for p in posts)
        if not seen:
            raise NotFound(f"There is no person {person} for you to see.")


def audit(
    ctx: Context,
    uow: UnitOfWork,
    act: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add to the trail: who did what to which thing. Ids and keyed hashes only, never text."""
    uow.trail.add(ctx.actor, act, subject, dict(detail or {}), ctx.clock.now())
