"""Roles that somebody gives: to whom, for which organisation, and taking them back."""

from __future__ import annotations

from bridge.domain.doors import Grant
from bridge.domain.errors import NotFound, Refused
from bridge.domain.permissions import GRANTED, Role
from bridge.services.context import Context, audit, training_team_only


def grant_role(ctx: Context, person: int, role: Role, organisation: str | None = None) -> None:
    """Give a role, for one organisation or (None) the partnership. Raises Refused, NotFound."""
    training_team_only(ctx)
    if role not in GRANTED:
        raise Refused(f"'{role}' follows from posts and submissions; it is not given.")
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        organisation_id = None
        if organisation is not None:
            organisation_id = uow.access.organisation_id(organisation)
            if organisation_id is None:
                raise NotFound(f"There is no organisation '{organisation}'.")
        same = [
            g for g in uow.access.grants_of(canonical)
            if g.role is role and g.organisation_id == organisation_id
        ]  # fmt: skip
        if same:
            return
        uow.access.grant(canonical, role, organisation_id, ctx.actor.label, ctx.clock.now())
        audit(ctx, uow, "grant", f"person:{canonical}",
              {"role": role, "organisation": organisation})  # fmt: skip


def end_role(ctx: Context, grant_id: int) -> None:
    """Take a given role back. Raises NotFound."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        if not uow.access.end_grant(grant_id, ctx.actor.label, ctx.clock.now()):
            raise NotFound(f"Role {grant_id} has ended already.")
        audit(ctx, uow, "end-grant", f"grant:{grant_id}", {})


def grants(ctx: Context) -> list[Grant]:
    """Every role that is given, and to whom."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        return uow.access.grants()
