"""Badges of ours on accounts for which no award is held: seen, listed, taken away or left."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.domain.badges import award_settings, period_of
from bridge.domain.errors import NotAllowed, PeerError, Refused
from bridge.domain.lists import ListPage
from bridge.domain.ports import BadgeFace, DeliveryStatus, Placement, Target
from bridge.domain.repositories import UnitOfWork
from bridge.domain.target_records import Stray
from bridge.domain.targets import ChoosesRoads, SeesEverything
from bridge.domain.times import london_date
from bridge.services.context import Context, audit
from bridge.services.placing import AUTO, Place, place_of, placement

LEFT, TAKING, GONE = "left", "taking", "gone"


def look(ctx: Context, target: Target) -> int:
    """See which badges of ours are there that nobody awarded; how many somebody should decide on.

    What was decided to be taken away is tried again. Nothing is concluded from what a target
    cannot show. Raises PeerError.
    """
    if not isinstance(target, SeesEverything) or not isinstance(target, ChoosesRoads):
        return 0
    with ctx.store.reading() as uow:
        known, _ = _known(ctx, uow, target)
    seen = target.everything(known)
    if seen is None:
        return 0
    with ctx.store.begin() as uow:
        # Read anew, and after the target: what was awarded meanwhile is an award by now.
        _, placed = _known(ctx, uow, target)
        found = [one for one in seen if (one.account, one.place) not in placed]
        uow.strays.note(target.key, found, ctx.clock.now(), target.shows)
        waiting = uow.strays.waiting(target.key)
    for stray in waiting:
        _take(ctx, target, stray)
    with ctx.store.reading() as uow:
        return uow.strays.open_count().get(target.key, 0)


def _known(
    ctx: Context, uow: UnitOfWork, target: Target
) -> tuple[list[Placement], frozenset[Place]]:
    """One placement for each badge there ever was or will soon be; and every place that a state
    accounts for: what is held there, or was and is to be taken away."""
    assert isinstance(target, ChoosesRoads)  # noqa: S101  `look` has asked
    known: dict[str, Placement] = {}
    placed = set()
    for state in uow.awards.states(ctx.actor.scope, target.key):
        told = placement(state)
        place = place_of(target, told)
        known.setdefault(place[1], told)
        if state.account:
            placed.add(place)
    for told in _of_badges(ctx, uow, target):
        known.setdefault(target.place(told), told)
    return list(known.values()), frozenset(placed)


def _of_badges(ctx: Context, uow: UnitOfWork, target: Target) -> Iterable[Placement]:
    """The badges in force, of last year, this one and the next, by every road they may go."""
    year = int(period_of(london_date(ctx.clock.now())))
    for badge in uow.desk.badges():
        told = badge.definition
        face = BadgeFace(badge.key, str(told["title"]), str(told["description"]))
        for entry in told["targets"]:  # type: ignore[attr-defined]
            if entry["target"] != target.key:
                continue
            for period in (str(year - 1), str(year), str(year + 1)):
                settings = award_settings(badge.key, entry["settings"], period)
                roads = ["plugin", _stock(settings)] if settings["via"] == AUTO else [""]
                for road in roads:
                    via = {"via": road} if road else {}
                    yield Placement(0, "", settings | via, face, period)


def _stock(settings: dict[str, str]) -> str:
    return "competency" if "competency" in settings else "cohort"


def listed(
    ctx: Context,
    *,
    target: str | None = None,
    open_only: bool = True,
    after: str | None = None,
    limit: int = 50,
) -> ListPage[Stray]:
    """What was seen and nobody awarded. Raises NotAllowed for other than the whole partnership's
    LMS administrator: an account may be nobody's whom one organisation knows."""
    whole_only(ctx)
    with ctx.store.reading() as uow:
        return uow.strays.listed(target, open_only, after, limit)


def target_of(ctx: Context, stray_id: int) -> str:
    """On which target it is. Raises NotFound, NotAllowed."""
    whole_only(ctx)
    with ctx.store.reading() as uow:
        return uow.strays.get(stray_id).target_key


def whole_only(ctx: Context) -> None:
    """Raise NotAllowed unless the actor sees the badges of the whole partnership."""
    scope = ctx.actor.scope
    if not scope.sees_badges or scope.organisations is not None:
        raise NotAllowed("Only an LMS administrator of the whole partnership does that.")


def leave(ctx: Context, stray_id: int) -> None:
    """It may stay as it is: it is noted, and nobody is asked again while it is the same."""
    whole_only(ctx)
    with ctx.store.begin() as uow:
        stray = uow.strays.get(stray_id)
        if stray.state == GONE:
            raise Refused("It is gone already.")
        uow.strays.decide(stray_id, LEFT, ctx.actor.label, ctx.clock.now())
        audit(ctx, uow, "leave-badge", f"stray:{stray_id}",
              {"target": stray.target_key, "badge": stray.seen.badge})  # fmt: skip


def take_away(ctx: Context, target: Target, stray_id: int) -> Stray:
    """Take it away, or be told what keeps the bridge from it; it is tried again each night.

    Raises Refused where an award is held for it by now, PeerError where the target fails; the
    decision stands in that case.
    """
    whole_only(ctx)
    with ctx.store.begin() as uow:
        stray = uow.strays.get(stray_id)
        if stray.state == GONE:
            raise Refused("It is gone already.")
        uow.strays.decide(stray_id, TAKING, ctx.actor.label, ctx.clock.now())
        audit(ctx, uow, "take-badge-away", f"stray:{stray_id}",
              {"target": stray.target_key, "badge": stray.seen.badge})  # fmt: skip
    _take(ctx, target, stray)
    with ctx.store.reading() as uow:
        return uow.strays.get(stray_id)


def _take(ctx: Context, target: Target, stray: Stray) -> None:
    """One attempt. Whoever earned it meanwhile keeps it."""
    assert isinstance(target, SeesEverything)  # noqa: S101  only such a target has strays
    with ctx.store.begin() as uow:
        _, placed = _known(ctx, uow, target)
        if (stray.seen.account, stray.seen.place) in placed:
            uow.strays.record(stray.id, GONE, "", ctx.clock.now())
            return
    try:
        done = target.take_away(stray.seen)
    except PeerError as error:
        with ctx.store.begin() as uow:
            uow.strays.record(stray.id, TAKING, str(error), ctx.clock.now())
        raise
    state = GONE if done.status is DeliveryStatus.DONE else TAKING
    with ctx.store.begin() as uow:
        uow.strays.record(stray.id, state, "" if state == GONE else done.message, ctx.clock.now())
