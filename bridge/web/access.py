"""Who may open what: every view names a permission, and nothing opens without one."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, session

from bridge.domain.errors import NotAllowed
from bridge.domain.permissions import MAY, Permission, Role, may, permission_of, permits
from bridge.domain.scope import Actor, Eyes, Scope, of_person
from bridge.domain.times import london_date
from bridge.services.context import Context
from bridge.services.signin import NOBODY, Who
from bridge.web.site import WebSite

__all__ = ["FROM_AN_LMS", "allowed", "ctx", "own_way_in", "permission_of", "permits", "scope_of",
           "site", "visitor"]  # fmt: skip
#: With whose eyes a permission looks; every other one with the person's own.
_EYES: dict[Permission, tuple[Eyes, tuple[Role, ...]]] = {
    Permission.TRAINING: (Eyes.TRAINING_TEAM, (Role.TRAINING_TEAM,)),
    Permission.TRAINING_CHANGE: (Eyes.TRAINING_TEAM, (Role.TRAINING_TEAM,)),
    Permission.BADGES: (Eyes.LMS_ADMIN, (Role.LMS_ADMIN,)),
    Permission.COUNTS: (Eyes.PARTNERSHIP, (Role.PARTNERSHIP, Role.TRAINING_TEAM)),
}


def own_way_in() -> None:
    """Raise NotAllowed where only an LMS says who the visitor is: from that grows no other way."""
    if visitor().launched:
        raise NotAllowed(FROM_AN_LMS)


#: What is said where a launch does not suffice.
FROM_AN_LMS = (
    "You came from your LMS, which shows you your own evidence. For this, sign out, then sign in "
    "here with a link by email, your password or your work account."
)


def site() -> WebSite:
    """The site whose pages these are."""
    return cast(WebSite, current_app.extensions["bridge"])


def visitor() -> Who:
    """Who has come in."""
    if "who" not in g:
        g.who = getattr(session, "who", NOBODY)
    return cast(Who, g.who)


def ctx(permission: Permission | None = None) -> Context:
    """The surroundings of a use case for whoever is signed in.

    Their scope is the one that the page's permission gives: with the training team's desk come
    the training team's eyes, on their own evidence a person's.
    """
    asked = permission or g.permission
    return site().ctx.acting_as(Actor(scope_of(visitor(), asked), g.get("channel", "web")))


def scope_of(who: Who, permission: Permission) -> Scope:
    """With which eyes somebody looks when they use a permission."""
    if who.person is None:
        # Nobody sees nothing: no person has this number.
        return of_person(0)
    if permission not in _EYES:
        return of_person(who.person)
    eyes, roles = _EYES[permission]
    held = [role for role in roles if role in who.roles]
    narrowed: frozenset[int] | None = frozenset()
    for role in held:
        of_role = who.organisations.get(role)
        narrowed = None if of_role is None or narrowed is None else narrowed | of_role
    day = london_date(site().ctx.clock.now())
    return Scope(eyes, who.person, narrowed, day)


def allowed(who: Who, permission: Permission | None) -> bool:
    """Whether somebody may open a view with this permission."""
    return permission in MAY and may(who.roles, cast(Permission, permission))
