"""Deputies: who stands in for a manager, named by the manager, theirs, or the training team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bridge.domain.errors import NotFound, Refused
from bridge.domain.identity import (
    Identifier,
    IdentifierKind,
    normal_email,
    normal_staff_number,
)
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Eyes
from bridge.domain.teams import Deputy
from bridge.domain.times import london_date
from bridge.services.context import Context, audit


@dataclass(frozen=True, slots=True)
class Naming:
    """Who stands in, and when, as it is typed: the deputy by work email or staff number."""

    deputy: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Deputies:
    """A manager's name, and who stands, stood and will stand in for them, the latest first.

    `own_manager`: the actor is managed by them, and so names nobody for them.
    """

    manager: str
    named: tuple[Deputy, ...]
    own_manager: bool


#: Why somebody does not choose who stands in for their manager.
OWN_MANAGER = (
    "They manage you, and their deputy decides on your evidence as they would. Nobody chooses who "
    "judges them: ask your manager, whoever manages them, or a colleague of the training team."
)


def deputies_of(ctx: Context, manager: int) -> Deputies:
    """Who stands in for a manager. Raises NotFound where the actor has no say about that."""
    with ctx.store.reading() as uow:
        canonical = uow.people.get(manager).canonical
        _check_may_look(ctx, uow, canonical)
        name = uow.people.get(canonical).name
        named = tuple(uow.teams.deputies_of([canonical]))
        return Deputies(name, named, _is_managed_by(ctx, uow, canonical))


def name_deputy(ctx: Context, manager: int, naming: Naming) -> int:
    """Somebody stands in for a manager and verifies as they would; returns the naming's id.

    The deputy holds a post today in an organisation where the manager or their team does. Raises
    NotFound where the actor may not name one or nobody is known so, Refused where it cannot be, or
    where the manager is the actor's own.
    """
    now = ctx.clock.now()
    today = london_date(now)
    if naming.end is not None and naming.end < naming.start:
        raise Refused("The last day is before the first. Change one of the dates.")
    if naming.end is not None and naming.end < today:
        raise Refused("The last day has gone by. Choose today or a later day.")
    with ctx.store.begin() as uow:
        canonical = uow.people.get(manager).canonical
        _check_may_name(ctx, uow, canonical)
        deputy = _colleague(uow, canonical, naming.deputy, today)
        for each in uow.teams.deputies_of([canonical]):
            if each.deputy == deputy and _overlap(each, naming):
                raise Refused(
                    f"{each.deputy_name} stands in on some of those days already. End that first, "
                    "or choose other days."
                )
        made = uow.teams.add_deputy(
            canonical, deputy, naming.start, naming.end, ctx.actor.label, now
        )
        audit(ctx, uow, "name-deputy", f"person:{canonical}", {"deputy": deputy, "naming": made})
        return made


def end_deputy(ctx: Context, deputy_id: int) -> None:
    """They stand in no longer: from today on, or never if it had not begun.

    Raises Refused where it has ended, or the manager is the actor's own.
    """
    today = london_date(ctx.clock.now())
    yesterday = today - timedelta(days=1)
    with ctx.store.begin() as uow:
        found = uow.teams.deputy(deputy_id)
        _check_may_name(ctx, uow, found.manager)
        if found.valid_to is not None and found.valid_to < today:
            raise Refused("That has ended already.")
        uow.teams.end_deputy(deputy_id, yesterday)
        audit(ctx, uow, "end-deputy", f"person:{found.manager}", {"naming": deputy_id})


def _overlap(there: Deputy, naming: Naming) -> bool:
    starts_in_time = there.valid_to is None or naming.start <= there.valid_to
    return starts_in_time and (naming.end is None or there.valid_from <= naming.end)


def _check_may_name(ctx: Context, uow: UnitOfWork, manager: int) -> None:
    """As `_check_may_look`; but nobody decides who stands in for their own manager."""
    _check_may_look(ctx, uow, manager)
    if _is_managed_by(ctx, uow, manager):
        raise Refused(OWN_MANAGER)


def _is_managed_by(ctx: Context, uow: UnitOfWork, manager: int) -> bool:
    """Whether the manager is the actor's own, today or in a post to come, and another person."""
    actor = ctx.actor.person
    if actor is None or actor == manager:
        return False
    today = london_date(ctx.clock.now())
    return any(
        post.manager == manager and (post.valid_to is None or post.valid_to >= today)
        for post in uow.people.posts_of([actor]).get(actor, ())
    )


def _check_may_look(ctx: Context, uow: UnitOfWork, manager: int) -> None:
    """The manager themselves, whoever manages them today, or their training team."""
    scope = ctx.actor.scope
    if scope.unrestricted or (scope.person == manager and scope.eyes is Eyes.PERSON):
        return
    today = london_date(ctx.clock.now())
    posts = [p for p in uow.people.posts_of([manager]).get(manager, ()) if p.holds_on(today)]
    if scope.narrowed and any(p.organisation_id in (scope.organisations or ()) for p in posts):
        return
    if scope.eyes is Eyes.PERSON and any(p.manager == scope.person for p in posts):
        return
    raise NotFound(f"There is no person {manager} for you to see.")


def _colleague(uow: UnitOfWork, manager: int, text: str, today: date) -> int:
    """The one colleague who is known by that email or staff number. Raises Refused, NotFound."""
    email, number = normal_email(text), normal_staff_number(text)
    wanted = [Identifier(IdentifierKind.EMAIL, email)] if email else []
    if not email and number:
        wanted = [Identifier(IdentifierKind.STAFF_NUMBER, number)]
    people = {p for found in uow.people.by_identifiers(wanted).values() for p in found}
    led = [p.id for p in uow.teams.led_by([manager], today)]
    posts = uow.people.posts_of([manager, *led, *people])
    near = {
        p.organisation_id for each in (manager, *led) for p in posts.get(each, ())
        if p.holds_on(today)
    }  # fmt: skip
    here = [
        person
        for person in people
        if any(p.organisation_id in near for p in posts.get(person, ()) if p.holds_on(today))
    ]
    if len(here) != 1:
        raise NotFound(
            "Nobody with a post in your organisation is known by that. Give their work email "
            "address or staff number, as it stands in the staff list."
        )
    if here[0] == manager:
        raise Refused("A deputy is another person.")
    return here[0]
