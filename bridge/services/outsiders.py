"""Verifiers from outside: added and approved by the training team, at an address that it knows."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.authority import Authority
from bridge.domain.errors import Refused
from bridge.domain.identity import Identifier, IdentifierKind, normal_email
from bridge.services.context import Context, audit, training_team_only


@dataclass(frozen=True, slots=True)
class Outsider:
    """A verifier from outside, as the training team types them in."""

    name: str
    email: str
    organisation: str
    kind: Authority


def add_outsider(ctx: Context, who: Outsider) -> int:
    """Add somebody who holds no post here as a verifier; returns the person.

    What is submitted to them goes to that address as a link to that one thing. Only the training
    team gives such an address, never the practitioner. Raises Refused where something is missing,
    or somebody is known by the address already: they are approved on their own page.
    """
    training_team_only(ctx)
    name, organisation = " ".join(who.name.split()), " ".join(who.organisation.split())
    email = normal_email(who.email)
    if not name or not organisation:
        raise Refused("Give their name and the organisation that they work for.")
    if email is None:
        raise Refused("Give the work email address that only they use, as name@example.org.")
    if who.kind not in (Authority.ASSESSOR, Authority.PEER):
        raise Refused("Approve them as an assessor or as a peer.")
    now = ctx.clock.now()
    identifier = Identifier(IdentifierKind.EMAIL, email)
    with ctx.store.begin() as uow:
        known = uow.people.by_identifiers([identifier]).get(identifier)
        if known:
            names = ", ".join(f"{uow.people.get(p).name} ({p})" for p in sorted(known))
            raise Refused(f"{names} is known by this address. Approve them on their own page.")
        person = uow.people.add(name, now)
        uow.people.add_identifier(person, identifier, now)
        uow.people.approve(person, who.kind.value, ctx.actor.label, now, organisation)
        audit(ctx, uow, "add-verifier", f"person:{person}", {"as": who.kind.value})
        return person
