"""Badges onto profiles: desired against observed, read back each time (DESIGN 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.errors import (
    InMaintenance,
    NeedsAdministrator,
    NotAllowed,
    PeerError,
    TryLater,
)
from bridge.domain.lists import ListPage, Only
from bridge.domain.model import TargetState
from bridge.domain.ports import Delivered, DeliveryStatus, Holding, Observed, Target
from bridge.domain.times import london_date
from bridge.services import strays
from bridge.services.context import Context, audit
from bridge.services.placing import Aim, Place, aims, decide_roads, place_of, placement
from bridge.services.resting import (
    back_off,
    leave_in_peace,
    refuse_while_resting,
    rest_after,
    resting,
    well_again,
)
from bridge.services.retrying import NEEDS_YOU_AGAIN
from bridge.services.talking import Talk, conversation

AT_ONCE = 50


@dataclass(slots=True)
class PublishReport:
    """What delivering to one target led to; `needs_you` are sentences for its administrator.

    `tried` counts attempts that did not succeed this time; `out_of_step` what the target was not
    seen to hold as it should, of this and of earlier attempts, and `waiting` those of them that
    will be tried again without anybody's help. `strays` are badges of ours that nobody awarded and
    somebody should decide on. `resting` says since when and until when the target is left in peace,
    if it is. `unfinished`: it was stopped before the end.
    """

    target: str
    delivered: int = 0
    withdrawn: int = 0
    tried: int = 0
    waiting: int = 0
    drifted: int = 0
    out_of_step: int = 0
    strays: int = 0
    needs_you: list[str] = field(default_factory=list)
    error: str = ""
    resting: str = ""
    unfinished: bool = False

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to do this time."""
        return not (self.delivered or self.withdrawn or self.tried or self.error)


def deliver(
    ctx: Context, target: Target, stop: Callable[[], bool] = lambda: False
) -> PublishReport:
    """Bring a target into step with what it should hold, some states at a time, until `stop`.

    States are claimed under a lease with a fencing token, the network is called outside any
    transaction, and the outcome counts only while the token holds: a crash or a lost reply is
    mended by reading the target again. While the target is left in peace nothing is claimed, and
    the report says until when. Raises LostLease while something else speaks with it.
    """
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        rest = resting(uow, target.key, now)
    if rest is not None:
        return _with_open(ctx, PublishReport(target.key, resting=rest.said(now)))
    with conversation(ctx, target, target.key) as talk:
        with ctx.store.begin() as uow:
            uow.awards.look_where_accounts_went(target.key)
        return _deliver(ctx, target, stop, talk)


def _deliver(ctx: Context, target: Target, stop: Callable[[], bool], talk: Talk) -> PublishReport:
    report = PublishReport(target.key)
    while True:
        if stop():
            report.unfinished = True
            return _with_open(ctx, report)
        states = _take(ctx, target, talk)
        if not states:
            return _with_open(ctx, report)
        try:
            if decide_roads(ctx, target, states):
                # What moved is claimed anew; what keeps its claim would wait for its lease.
                _let_go(ctx, states)
                states = _take(ctx, target, talk)
            with ctx.store.reading() as uow:
                beside = uow.awards.beside(states)
            said = _talk(target, states, aims(target, states, beside))
        except PeerError as error:
            report.error = str(error)
            _all_later(ctx, states, error)
            return _with_open(ctx, report)
        _commit(ctx, target, states, said, report)


def _take(ctx: Context, target: Target, talk: Talk) -> list[TargetState]:
    now = ctx.clock.now()
    until = now + timedelta(seconds=ctx.policy.lease_seconds)
    with ctx.store.begin() as uow:
        talk.keep(uow)
        return uow.awards.take_due(target.key, ctx.store.holder, now, until, AT_ONCE)


def _let_go(ctx: Context, states: Sequence[TargetState]) -> None:
    """Claims are given back; nothing was tried."""
    with ctx.store.begin() as uow:
        uow.awards.let_go(states)


def _with_open(ctx: Context, report: PublishReport) -> PublishReport:
    """Add what is still out of step, from this attempt or an earlier one."""
    with ctx.store.reading() as uow:
        states = uow.awards.states(ctx.actor.scope, report.target, out_of_step=True)
    report.out_of_step = len(states)
    report.needs_you = [
        f"{s.badge_title} {s.period}, {s.person_name}: {s.needs_you}" for s in states if s.needs_you
    ]
    report.waiting = len(states) - len(report.needs_you)
    return report


@dataclass(frozen=True, slots=True)
class _Said:
    """How talking to the target went, by state; `withdrew` are the places that were to be empty."""

    outcomes: Mapping[int, Delivered]
    seen: Mapping[int, Observed]
    withdrew: frozenset[Place]


def _talk(target: Target, states: Sequence[TargetState], aimed: Mapping[int, Aim]) -> _Said:
    """Ask, then read back; no transaction is open."""
    outcomes: dict[int, Delivered] = {}
    told = [aim.placement for aim in aimed.values()]
    seen = {o.key: o for o in target.observe(told)} if told else {}
    due = [
        state_id
        for state_id, aim in aimed.items()
        if state_id not in seen or seen[state_id].holding != aim.holding
    ]
    # Awards that share one badge there ask for it once.
    first: dict[Place, int] = {}
    for state_id in due:
        first.setdefault(aimed[state_id].place, state_id)
    asked = [aimed[state_id] for state_id in first.values()]
    if wanted := [aim.placement for aim in asked if aim.wanted]:
        outcomes |= {d.key: d for d in target.award(wanted)}
    if unwanted := [aim.placement for aim in asked if not aim.wanted]:
        outcomes |= {d.key: d for d in target.withdraw(unwanted)}
    for state_id in due:
        shared = outcomes.get(first[aimed[state_id].place])
        if shared is not None:
            outcomes[state_id] = Delivered(state_id, shared.status, shared.message)
    if due:
        seen |= {o.key: o for o in target.observe([aimed[state_id].placement for state_id in due])}
    for state in states:
        if state.account:
            continue
        if state.desired == Holding.ABSENT:
            # Nothing of it is anywhere, and nobody's account is left to look at.
            seen[state.id] = Observed(state.id, Holding.ABSENT)
        else:
            outcomes[state.id] = Delivered(
                state.id,
                DeliveryStatus.NEEDS_YOU,
                f"{state.person_name} has no account in {state.target_key} that the bridge knows, "
                "or it was deleted there. "
                "Match the account in the unmatched queue, and this goes out by itself.",
            )
    for state_id, aim in aimed.items():
        found = seen.get(state_id)
        if found is not None and not aim.own and found.holding is Holding.HELD:
            # What is held there is another award's; of this one nothing is left.
            seen[state_id] = Observed(state_id, Holding.ABSENT, url=found.url)
    withdrew = frozenset(aim.place for aim in asked if not aim.wanted)
    return _Said(outcomes, seen, withdrew)


def _commit(
    ctx: Context,
    target: Target,
    states: Sequence[TargetState],
    said: _Said,
    report: PublishReport,
) -> None:
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        well_again(uow, report.target)
        for state in states:
            observed = said.seen.get(state.id)
            outcome = said.outcomes.get(state.id)
            holding = observed.holding.value if observed else None
            in_step = holding == state.desired
            words = outcome.message if outcome else ""
            stuck = not in_step and outcome is not None and (
                outcome.status is DeliveryStatus.NEEDS_YOU
            )  # fmt: skip
            if not in_step and not stuck and not words:
                words = "The target took it and does not show it yet."
            held = uow.awards.record_outcome(
                state,
                observed=holding,
                now=now,
                next_at=None if in_step else _next(ctx, state, now, stuck),
                ref=observed.ref if observed else None,
                url=observed.url if observed else None,
                error=None if in_step or stuck else words,
                needs_you=words if stuck else None,
            )
            if not held:
                continue
            if in_step and state.desired == Holding.HELD:
                report.delivered += 1
            elif in_step:
                report.withdrawn += 1
            else:
                report.tried += 1
        if said.withdrew:
            # An award that was made meanwhile for a place just emptied may have been lost by that.
            uow.awards.look_again([
                each.id
                for each in uow.awards.beside([s for s in states if s.desired == Holding.ABSENT])
                if each.account
                and each.desired == Holding.HELD
                and place_of(target, placement(each)) in said.withdrew
            ])  # fmt: skip


def _next(ctx: Context, state: TargetState, now: datetime, stuck: bool) -> datetime:
    """When to try again: doubling with jitter up to a ceiling; later for an administrator."""
    if stuck:
        return now + NEEDS_YOU_AGAIN
    return now + back_off(ctx.policy, state.attempts)


def _all_later(ctx: Context, states: Sequence[TargetState], error: PeerError) -> None:
    now = ctx.clock.now()
    stuck = isinstance(error, NeedsAdministrator)
    target = states[0].target_key
    with ctx.store.begin() as uow:
        uow.ops.lock(f"rest:{target}")
        rest = rest_after(ctx, uow, target, error) if isinstance(error, TryLater) else None
        held = False
        for state in states:
            if rest is not None:
                next_at = rest.until
            else:
                next_at = now + (NEEDS_YOU_AGAIN if stuck else back_off(ctx.policy, state.attempts))
            held |= uow.awards.record_outcome(
                state,
                observed=None,
                now=now,
                next_at=next_at,
                error=None if stuck else str(error),
                needs_you=str(error) if stuck else None,
                # A target in maintenance is waited out, and that is nobody's attempt in vain.
                counted=not isinstance(error, InMaintenance),
            )
        if rest is not None and held:
            uow.peers.put_rest(rest)


def reconcile(
    ctx: Context, target: Target, stop: Callable[[], bool] = lambda: False
) -> PublishReport:
    """Read everything back from a target, note what differs (hand edits too), then deliver.

    Badges there that nobody awarded are listed for the administrator to decide on. Between one
    batch and the next it looks whether it is to `stop`. Raises PeerError when the target cannot be
    read; nothing is concluded from that. Raises LostLease while something else speaks with it.
    """
    refuse_while_resting(ctx, target.key)
    try:
        with conversation(ctx, target, target.key) as talk:
            return _reconcile(ctx, target, stop, talk)
    except TryLater as error:
        leave_in_peace(ctx, target.key, error)
        raise


def _reconcile(ctx: Context, target: Target, stop: Callable[[], bool], talk: Talk) -> PublishReport:
    with ctx.store.begin() as uow:
        uow.awards.look_where_accounts_went(target.key)
    states = _states_with_account(ctx, target)
    if decide_roads(ctx, target, states):
        states = _states_with_account(ctx, target)
    drifted = 0
    for start in range(0, len(states), AT_ONCE):
        if stop():
            break
        part = states[start : start + AT_ONCE]
        with ctx.store.reading() as uow:
            aimed = aims(target, part, uow.awards.beside(part))
        seen = {o.key: o for o in target.observe([aim.placement for aim in aimed.values()])}
        with ctx.store.begin() as uow:
            talk.keep(uow)
            well_again(uow, target.key)
            for state in part:
                found = seen.get(state.id)
                if found is None:
                    continue
                holding = found.holding
                if not aimed[state.id].own:
                    # Another award rules there; that one's state tells how it stands.
                    holding = Holding.ABSENT
                drifted += uow.awards.note_observed(
                    state, holding.value, ctx.clock.now(), found.ref, found.url
                )
    report = _deliver(ctx, target, stop, talk)
    report.drifted = drifted
    if not report.unfinished and not report.error:
        try:
            report.strays = strays.look(ctx, target)
        except PeerError as error:
            report.error = str(error)
    return report


def _states_with_account(ctx: Context, target: Target) -> list[TargetState]:
    with ctx.store.reading() as uow:
        return [s for s in uow.awards.states(ctx.actor.scope, target.key) if s.account]


def reconcile_by_hand(ctx: Context, target: Target, stop: Callable[[], bool]) -> PublishReport:
    """As `reconcile`, because an administrator asked: the trail says who. Raises PeerError."""
    if ctx.actor.scope.organisations is not None:
        raise NotAllowed("Only an LMS administrator of the whole partnership reconciles a target.")
    with ctx.store.begin() as uow:
        audit(ctx, uow, "reconcile", f"target:{target.key}", {})
    return reconcile(ctx, target, stop)


def lapsed(ctx: Context) -> list[TargetState]:
    """Badges still shown as if nothing was, whose claims have run out: for the administrator (R9).

    By the plugin a badge shows itself that it ran out.
    """
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        states = uow.awards.states(ctx.actor.scope)
    return [
        s
        for s in states
        if s.expires_on < today and s.observed == Holding.HELD and s.road != "plugin"
    ]


def badge_page(
    ctx: Context,
    *,
    target: str | None = None,
    text: str = "",
    only: Only | None = None,
    person: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ListPage[TargetState]:
    """Badges on targets, desired against observed, that the actor may see; the newest first.

    `text` narrows to learners with these words in their name, `person` to one (canonical) learner.
    Raises Refused for a broken `after`.
    """
    with ctx.store.reading() as uow:
        return uow.lists.target_states(
            ctx.actor.scope,
            target=target,
            text=text,
            only=only,
            person=person,
            today=london_date(ctx.clock.now()),
            after=after,
            limit=limit,
        )
