"""What of a target's states is to be where: roads decided, awards that share one badge there.

One badge on one account may stand for several awards: of two years, of a person and of who has the
account now, or of an old road and the new. Of those the held one that lasts longest rules. What is
withdrawn of the others takes nothing away from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.domain.badges import place_settings
from bridge.domain.model import TargetState
from bridge.domain.ports import BadgeFace, Holding, Placement, Target
from bridge.domain.targets import ChoosesRoads
from bridge.services.context import Context

AUTO = "auto"
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be at the place of one state: `wanted` or not, as `placement` says.

    `own`: it is that state's own matter; otherwise another one's award rules there.
    """

    place: Place
    placement: Placement
    wanted: bool
    own: bool

    @property
    def holding(self) -> Holding:
        """How the place is in step."""
        return Holding.HELD if self.wanted else Holding.ABSENT


def placement(state: TargetState) -> Placement:
    """A state as its target is told it."""
    settings = {**state.settings, "via": state.road} if state.road else state.settings
    face = BadgeFace(state.badge_key, state.badge_title, state.description, state.image)
    return Placement(state.id, state.account or "", settings, face, state.period, state.expires_on)


def place_of(target: Target, told: Placement) -> Place:
    """Which badge on which account a placement is about."""
    if isinstance(target, ChoosesRoads):
        return told.account, target.place(told)
    return told.account, "\n".join(
        f"{name}={value}" for name, value in sorted(place_settings(told.settings).items())
    )


def aims(
    target: Target, states: Sequence[TargetState], beside: Sequence[TargetState]
) -> dict[int, Aim]:
    """By state with an account what is to be at its place; `beside` are the states around them."""
    at: dict[Place, list[TargetState]] = defaultdict(list)
    known = {each.id: each for each in (*beside, *states)}
    places = {s.id: place_of(target, placement(s)) for s in known.values() if s.account}
    for state_id, place in places.items():
        at[place].append(known[state_id])
    found = {}
    for state in states:
        if not state.account:
            continue
        place = places[state.id]
        held = [each for each in at[place] if each.desired == Holding.HELD]
        ruling = max(held, key=lambda s: (s.expires_on, s.id), default=None)
        told = placement(ruling or state)
        found[state.id] = Aim(
            place, replace(told, key=state.id), ruling is not None, ruling is None
            or state.desired == Holding.HELD,
        )  # fmt: skip
    return found


def decide_roads(ctx: Context, target: Target, states: Sequence[TargetState]) -> bool:
    """Settle by which road these go, and move what goes by another one now; whether any moved.

    The target is asked outside any transaction. Raises PeerError.
    """
    if not isinstance(target, ChoosesRoads):
        return False
    chosen = {}
    for state in states:
        if state.road and (state.moved or state.settings.get("via") != AUTO):
            continue
        road = target.road(state.settings, state.road)
        if road != state.road:
            chosen[state.id] = road
    if not chosen:
        return False
    with ctx.store.begin() as uow:
        for state in uow.awards.states_with(sorted(chosen)):
            if state.road != chosen[state.id]:
                uow.awards.take_road(state, chosen[state.id], ctx.clock.now())
    return True
