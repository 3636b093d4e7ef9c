"""How people stand, shown on their profiles in the LMS: worked out, sent where it changed, ended.

A line for each framework edition that is asked of somebody, in numbers. No reflection goes out, and
no verifier's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bridge.domain.errors import NeedsAdministrator, PeerError, TryLater
from bridge.domain.frameworks import Edition
from bridge.domain.model import Post
from bridge.domain.ports import Target
from bridge.domain.repositories import UnitOfWork
from bridge.domain.target_records import StatusState, StatusSum
from bridge.domain.targets import ShownStatus, ShowsStatus, StatusLine
from bridge.domain.times import london_date
from bridge.services.context import Context
from bridge.services.progress import Asked, Line, Stand, lines_of
from bridge.services.resting import back_off
from bridge.services.retrying import NEEDS_YOU_AGAIN

AT_ONCE = 200
_DUE = frozenset({Stand.REVIEW_DUE, Stand.REFRESH_OVERDUE, Stand.CONTESTED})


@dataclass(slots=True)
class StatusReport:
    """What keeping the profiles of one target in step has led to."""

    target: str
    shown: int = 0
    no_account: int = 0
    waiting: int = 0
    error: str = ""
    people: int = field(default=0)


def keep(
    ctx: Context, target: Target, link: str, stop: Callable[[], bool] = lambda: False
) -> StatusReport:
    """Bring one target's profiles into step, where it can show statuses and the site wants it.

    Costs grow with whose standing changed. `link` is the page of the bridge that a status leads to.
    """
    report = StatusReport(target.key)
    if not isinstance(target, ShowsStatus):
        return report
    with ctx.store.reading() as uow:
        shows = uow.statuses.shows()
    if target.status_wanted and target.key not in shows:
        try:
            able = target.can_show_status()
        except PeerError as error:
            report.error = str(error)
            return report
        if not able:
            return report
        with ctx.store.begin() as uow:
            uow.statuses.begin(target.key)
        shows = [*shows, target.key]
    elif not target.status_wanted and target.key in shows:
        with ctx.store.begin() as uow:
            uow.statuses.end(target.key, ctx.clock.now())
    if target.status_wanted:
        # Of each person once for all targets, because the mark on them is one.
        report.people = work_out(ctx, shows, stop)
    _send(ctx, target, report, target.key, link, stop)
    return report


def work_out(
    ctx: Context, targets: Collection[str], stop: Callable[[], bool] = lambda: False
) -> int:
    """Look at everybody whose standing or accounts changed, some at a time; how many they were."""
    done = 0
    while not stop():
        with ctx.store.begin() as uow:
            uow.ops.lock("profile status")
            people = uow.statuses.take_pending(AT_ONCE)
            if not people:
                break
            _look_at(ctx, uow, people, targets)
            done += len(people)
    return done


def look_at_changing(ctx: Context) -> None:
    """Once a day: mark whose status says something else today by the calendar alone."""
    with ctx.store.begin() as uow:
        uow.statuses.mark_changing(london_date(ctx.clock.now()))


def _look_at(
    ctx: Context, uow: UnitOfWork, people: Sequence[int], targets: Collection[str]
) -> None:
    now = ctx.clock.now()
    today = london_date(now)
    holders = uow.statuses.holders(people, targets)
    if not holders:
        return
    editions = uow.catalog.editions()
    owners = sorted({h.person for h in holders if h.person is not None and h.chosen})
    held = uow.people.posts_of(owners)
    posts = {p: [each for each in held.get(p, ()) if each.holds_on(today)] for p in owners}
    lines = lines_of(uow, Asked(editions, uow.catalog.competency_ids()), posts, today)
    for holder in holders:
        person = holder.person
        # What is shown on an account that is nobody's, or not the one to show it, ends.
        if person is None or not holder.chosen:
            uow.statuses.put(holder, person or people[0], (), None, now)
            continue
        exempt = [p.other_framework for p in posts[person] if p.other_framework]
        told = status_lines(lines[person], editions, exempt)
        day = changes_on(lines[person], held.get(person, ()), today)
        uow.statuses.put(holder, person, told, day, now)


def status_lines(
    lines: Sequence[Line], editions: Sequence[Edition], other: Sequence[str] = ()
) -> tuple[StatusLine, ...]:
    """One line for each edition that something is asked of; and one for each other framework."""
    told = []
    for edition in editions:
        mine = [line for line in lines if line.ref.edition == edition.id]
        counted = [line for line in mine if line.stand is not Stand.NOT_APPLICABLE]
        if counted:
            told.append(_line(edition.title, counted))
    told += [
        StatusLine(name, "This framework applies instead.", "none") for name in dict.fromkeys(other)
    ]
    return tuple(told)


def _line(title: str, lines: Sequence[Line]) -> StatusLine:
    current = sum(line.stand is Stand.CURRENT for line in lines)
    due = sum(line.stand in _DUE for line in lines)
    words = f"{current} of {len(lines)} verified and current"
    if due:
        words += f"; {due} due for review"
    if current == len(lines):
        state = "current"
    elif due:
        state = "due"
    elif current:
        state = "gap"
    else:
        state = "none"
    return StatusLine(title, words + ".", state)


def changes_on(lines: Sequence[Line], posts: Sequence[Post], today: date) -> date | None:
    """The first day on which these lines say something else if nobody does anything."""
    ends = [line.until + timedelta(days=1) for line in lines if line.until is not None]
    ends += [post.valid_to + timedelta(days=1) for post in posts if post.valid_to is not None]
    ends += [post.valid_from for post in posts]
    return min((day for day in ends if day > today), default=None)


def _send(
    ctx: Context,
    target: ShowsStatus,
    report: StatusReport,
    key: str,
    link: str,
    stop: Callable[[], bool],
) -> None:
    """Send what differs from what was sent, some at a time; no transaction is open meanwhile."""
    able = False
    while not stop():
        now = ctx.clock.now()
        until = now + timedelta(seconds=ctx.policy.lease_seconds)
        with ctx.store.begin() as uow:
            states = uow.statuses.take_due(key, ctx.store.holder, now, until, AT_ONCE)
        if not states:
            return
        try:
            able = able or target.can_show_status()
            if not able:
                _later(ctx, states, None)
                report.waiting += len(states)
                return
            told = target.show_status([
                ShownStatus(s.account, link, s.updated_at, s.lines) for s in states
            ])  # fmt: skip
        except PeerError as error:
            report.error = str(error)
            report.waiting += len(states)
            _later(ctx, states, error)
            return
        with ctx.store.begin() as uow:
            for state in states:
                there = told.get(state.account)
                if there is None:
                    words, again = "The target said nothing of it.", now + _wait(ctx, state, None)
                    uow.statuses.record(state, False, now, again, words)
                    report.waiting += 1
                else:
                    # Without an account there, nothing can be shown; nor need it be.
                    uow.statuses.record(state, True, now, None, None)
                    report.shown += there
                    report.no_account += not there


def _later(ctx: Context, states: Sequence[StatusState], error: PeerError | None) -> None:
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        for state in states:
            again = now + _wait(ctx, state, error)
            words = str(error) if error else "The target does not let the bridge show it."
            uow.statuses.record(state, False, now, again, words)


def _wait(ctx: Context, state: StatusState, error: PeerError | None) -> timedelta:
    if error is None or isinstance(error, NeedsAdministrator):
        return NEEDS_YOU_AGAIN
    named = error.retry_after if isinstance(error, TryLater) else None
    return max(back_off(ctx.policy, state.attempts), timedelta(seconds=named or 0.0))


def sums(ctx: Context) -> list[StatusSum]:
    """By target, how many profiles show what they should. Nobody is named."""
    with ctx.store.reading() as uow:
        return uow.statuses.sums()
