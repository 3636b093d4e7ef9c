"""Roles and permissions, in one table: who may open which part of the house (DESIGN 5.11).

A permission opens a door; what is seen behind it is narrowed once more by the scope
(`bridge.domain.scope`), and every human decision by the rules of its own use case.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar, cast

View = TypeVar("View", bound=Callable[..., Any])
_NAME = "__bridge_permission__"


class Role(StrEnum):
    """What somebody is to the bridge. A person may have several."""

    VISITOR = "visitor"
    PRACTITIONER = "practitioner"
    VERIFIER = "verifier"
    LINKED_VERIFIER = "verifier by link"
    TRAINING_TEAM = "training team"
    LMS_ADMIN = "LMS administrator"
    PARTNERSHIP = "partnership"


class Permission(StrEnum):
    """What a page or an API call asks for. Every route names one."""

    PUBLIC = "public"
    ACCOUNT = "own account"
    OWN_EVIDENCE = "own evidence"
    OPEN_FILE = "open a file beside evidence"
    VERIFY = "verify"
    VERIFY_ONE = "verify what a link was sent for"
    TEAM = "team"
    TRAINING = "training team's desk"
    TRAINING_CHANGE = "change mappings, matches and approvals"
    BADGES = "badges and targets"
    COUNTS = "partnership counts"


_ANYBODY = frozenset(Role)
_SIGNED_IN = frozenset(Role) - {Role.VISITOR, Role.LINKED_VERIFIER}

#: The table. Pages and API calls look nowhere else.
MAY: Mapping[Permission, frozenset[Role]] = {
    Permission.PUBLIC: _ANYBODY,
    Permission.ACCOUNT: _SIGNED_IN,
    Permission.OWN_EVIDENCE: frozenset({Role.PRACTITIONER}),
    Permission.OPEN_FILE: frozenset({Role.PRACTITIONER, Role.LINKED_VERIFIER}),
    Permission.VERIFY: frozenset({Role.VERIFIER}),
    Permission.VERIFY_ONE: frozenset({Role.VERIFIER, Role.LINKED_VERIFIER}),
    Permission.TEAM: frozenset({Role.VERIFIER}),
    Permission.TRAINING: frozenset({Role.TRAINING_TEAM}),
    Permission.TRAINING_CHANGE: frozenset({Role.TRAINING_TEAM}),
    Permission.BADGES: frozenset({Role.LMS_ADMIN}),
    Permission.COUNTS: frozenset({Role.PARTNERSHIP, Role.TRAINING_TEAM}),
}

#: Roles that somebody gives; the others follow from posts, approvals and submissions.
GRANTED: frozenset[Role] = frozenset({Role.TRAINING_TEAM, Role.LMS_ADMIN, Role.PARTNERSHIP})


def may(roles: Collection[Role], permission: Permission) -> bool:
    """Whether somebody with these roles holds the permission."""
    return not MAY[permission].isdisjoint(roles)


def permits(permission: Permission) -> Callable[[View], View]:
    """Declare which permission a view asks for, whichever doorstep it stands on."""

    def declare(view: View) -> View:
        setattr(view, _NAME, permission)
        return view

    return declare


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """The permission that a view declares; None where it declares none, and so opens to nobody."""
    return cast("Permission | None", getattr(view, _NAME, None))
