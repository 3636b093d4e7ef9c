"""Activities that are one by several names: joined by a mapping's rule, or by the training team."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.bookings import Activity, Join
from bridge.domain.errors import NotFound, Refused
from bridge.domain.lists import ListPage
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context, audit, training_team_only
from bridge.services.drafting import SETTLING
from bridge.services.pull import settle_pending

PAGE = 30


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """A canonical activity with its names, and the joins that make it one."""

    activity: Activity
    joins: tuple[Join, ...]


def activities(
    ctx: Context, text: str = "", after: str | None = None, *, joined: bool = False
) -> ListPage[Activity]:
    """Activities whose names hold these words; those of several names alone, if `joined`.

    Raises Refused for a broken `after`.
    """
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        return uow.bookings.activities(text, after, PAGE, joined=joined)


def activity(ctx: Context, activity_id: int) -> ActivityPage:
    """One activity, by any of the numbers that are joined in it. Raises NotFound."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = _known(uow, activity_id)
        return ActivityPage(found, tuple(uow.bookings.joins_of(found.id)))


def _known(uow: UnitOfWork, activity_id: int) -> Activity:
    found = uow.bookings.activity(activity_id)
    if found is None:
        raise NotFound(f"There is no activity {activity_id}.")
    return found


def join(ctx: Context, one: int, other: int, reason: str) -> int:
    """Two activities are one by several names; returns the number that it goes by.

    Drafts that nobody has worked on come together where their dates are near; what people have
    worked on stays as it is, and takes in what is near. Raises NotFound, Refused without a reason
    or where they are one already.
    """
    training_team_only(ctx)
    if not reason.strip():
        raise Refused("Say how you know that they are one activity.")
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        ends = sorted((_known(uow, one).id, _known(uow, other).id))
        if ends[0] == ends[1]:
            raise Refused("They are one activity already.")
        moved = uow.bookings.join(
            ends[1], ends[0], None, reason.strip(), ctx.actor.label, ctx.clock.now()
        )
        uow.intake.mark_activities(moved)
        audit(ctx, uow, "join-activities", f"activity:{ends[0]}", {"with": ends[1]})
    settle_pending(ctx)
    return ends[0]


def part(ctx: Context, join_id: int) -> None:
    """Undo a join: two activities again, and no rule joins them any more. Raises NotFound.

    Drafts that nobody has worked on go each to its own activity again; others stay as they are.
    """
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        moved = uow.bookings.end_join(join_id, ctx.actor.label, ctx.clock.now())
        if moved is None:
            raise NotFound(f"There is no join {join_id}, or it has been undone already.")
        uow.intake.mark_activities(moved)
        audit(ctx, uow, "part-activities", f"join:{join_id}", {})
    settle_pending(ctx)
