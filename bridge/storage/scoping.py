"""Scopes as SQL: whose rows a reader may list (DESIGN 5.11)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from bridge.domain.scope import Scope
from bridge.storage import tables as t

_holder = t.people.alias("post_holder")


def works_there(scope: Scope) -> ColumnElement[bool]:
    """That the row's person (`people`, joined by the caller) holds a post today in the scope's
    organisations."""
    c = t.posts.c
    present = (
        select(_holder.c.canonical_id)
        .join(t.posts, c.person_id == _holder.c.id)
        .where(
            c.organisation_id.in_(sorted(scope.organisations or ())),
            c.valid_from <= scope.day,
            or_(c.valid_to.is_(None), c.valid_to >= scope.day),
        )
    )
    return t.people.c.canonical_id.in_(present)
