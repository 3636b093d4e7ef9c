"""What every use case is handed: the store, the clock, the vault, the numbers, and who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.domain.errors import NotAllowed
from bridge.domain.policy import Policy
from bridge.domain.ports import Clock
from bridge.domain.repositories import Store, UnitOfWork, Vault
from bridge.domain.scope import Actor


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


def acting_person(ctx: Context) -> int:
    """The (canonical) person who acts. Raises NotAllowed when it is no person."""
    person = ctx.actor.person
    if person is None:
        raise NotAllowed(
            "This is a person's own act. Give that person's token (BRIDGE_TOKEN or --token-file)."
        )
    return person


def audit(
    ctx: Context,
    uow: UnitOfWork,
    act: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add to the trail: who did what to which thing. Ids and keyed hashes only, never text."""
    uow.trail.add(ctx.actor, act, subject, dict(detail or {}), ctx.clock.now())
