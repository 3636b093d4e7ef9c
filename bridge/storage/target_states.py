"""What each target should hold of an award, was seen to hold, and by which road it goes there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from bridge.domain.badges import place_settings
from bridge.domain.model import TargetState
from bridge.domain.scope import Scope
from bridge.storage import tables as t
from bridge.storage.bulk import among
from bridge.storage.scoping import works_there

_a, _p, _ts = t.awards.c, t.people.c, t.target_states.c
_HELD = ("held", "outdated")
_AFRESH: dict[str, Any] = {"next_at": None, "attempts": 0, "needs_you": None, "error": None}


def row_of_target(connection: Connection, key: str, kind: str = "moodle") -> int:
    """The row of a target, made when it is first spoken of."""
    found = connection.scalar(select(t.targets.c.id).where(t.targets.c.key == key))
    if found is None:
        new = insert(t.targets).values(key=key, kind=kind).returning(t.targets.c.id)
        found = connection.execute(new).scalar_one()
    row: int = found
    return row


class SqlTargetStates:
    """The part of `bridge.domain.repositories.AwardRepository` that is about targets."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def want(
        self, award_id: int, target: str, kind: str, settings: Mapping[str, str], now: datetime
    ) -> None:
        """A target should hold this award, by the road that these settings name.

        Where it went by another one, what that left there is a state of its own from now on.
        """
        target_id = row_of_target(self._db, target, kind)
        live = self._db.execute(
            select(_ts.id, _ts.settings).where(
                _ts.award_id == award_id, _ts.target_id == target_id, _ts.moved_at.is_(None)
            )
        ).first()
        if live is None:
            self._add(award_id, target_id, settings, "")
        elif place_settings(live.settings) != place_settings(settings):
            self._move(live.id, settings, "", now)

    def _add(self, award_id: int, target_id: Any, settings: Mapping[str, str], road: str) -> None:
        self._db.execute(
            insert(t.target_states).values(
                award_id=award_id, target_id=target_id, settings=dict(settings), desired="held",
                road=road or _plain_road(settings),
            )
        )  # fmt: skip

    def _move(self, state: int, settings: Mapping[str, str], road: str, now: datetime) -> None:
        """Let the award of a state go by another road; back to one it came by before, if so."""
        old = self._db.execute(
            select(_ts.award_id, _ts.target_id).where(_ts.id == state).with_for_update()
        ).one()
        self._db.execute(
            update(t.target_states)
            .where(_ts.id == state)
            .values(desired="absent", moved_at=now, fence=_ts.fence + 1, **_AFRESH)
        )
        left = self._db.execute(
            select(_ts.id, _ts.settings, _ts.road).where(
                _ts.award_id == old.award_id, _ts.target_id == old.target_id, _ts.id != state
            )
        )
        same = (place_settings(settings), road)
        for row in left:
            if (place_settings(row.settings), row.road if road else "") == same:
                self._db.execute(
                    update(t.target_states)
                    .where(_ts.id == row.id)
                    .values(desired="held", moved_at=None, fence=_ts.fence + 1, **_AFRESH)
                )
                return
        self._add(old.award_id, old.target_id, settings, road)

    def take_road(self, state: TargetState, road: str, now: datetime) -> None:
        """A state goes by this road from now on; what another one brought there is left behind."""
        if state.road and state.observed in _HELD and not state.moved:
            self._move(state.id, state.settings, road, now)
            return
        self._db.execute(update(t.target_states).where(_ts.id == state.id).values(road=road))

    def want_again(self, award_id: int) -> None:
        """An award is held (again), maybe until another day: whoever shows it is looked at.

        What is being delivered right now was asked for with the day of before, and is not counted.
        """
        mine = and_(_ts.award_id == award_id, _ts.moved_at.is_(None))
        self._db.execute(
            update(t.target_states)
            .where(mine)
            .values(
                desired="held",
                observed=case((_ts.observed == "held", "outdated"), else_=_ts.observed),
                fence=_ts.fence + 1,
                holder=None,
                held_until=None,
                **_AFRESH,
            )
        )

    def want_no_more(self, award_id: int) -> None:
        """No target should hold it any more."""
        self._db.execute(
            update(t.target_states)
            .where(_ts.award_id == award_id)
            .values(desired="absent", **_AFRESH)
        )

    def look_again(self, ids: Collection[int]) -> None:
        """What was seen of these may not be so any more."""
        self._db.execute(
            update(t.target_states)
            .where(_ts.id.in_(sorted(ids)))
            .values(
                observed=case((_ts.observed == "held", "outdated"), else_=None),
                next_at=None,
                fence=_ts.fence + 1,
            )
        )

    def look_where_accounts_went(self, target: str) -> int:
        """Badges that were seen on accounts which are no longer their owners' (parted since, or no
        longer one person's) are looked at anew; how many. Deleted accounts are left as they are."""
        links, accounts = t.account_links, t.accounts.alias("there")
        owner, holder = t.people.alias("link_owner"), t.people.alias("holder")
        still_theirs = (
            select(links.c.id)
            .join(owner, owner.c.id == links.c.person_id)
            .join(holder, holder.c.canonical_id == owner.c.canonical_id)
            .join(t.awards, _a.person_id == holder.c.id)
            .where(
                links.c.account_id == _ts.account_id,
                links.c.valid_to.is_(None),
                _a.id == _ts.award_id,
            )
            .correlate(t.target_states)
            .exists()
        )
        there = (
            select(accounts.c.id)
            .where(accounts.c.id == _ts.account_id, accounts.c.gone_at.is_(None))
            .correlate(t.target_states)
            .exists()
        )
        moved = select(_ts.id).join(t.targets, t.targets.c.id == _ts.target_id).where(
            t.targets.c.key == target, _ts.desired == "held", _ts.observed == "held", there,
            ~still_theirs,
        )  # fmt: skip
        ids = list(self._db.scalars(moved))
        self.look_again(ids)
        return len(ids)

    @staticmethod
    def _states() -> Select[Any]:
        """Target states with the learner's account there: the newest that is not suspended.

        A badge is withdrawn from the account on which it was seen, whoever has that by now.
        """
        source = t.sources.alias("account_source")
        owner = t.people.alias("owner")
        account = (
            select(func.max(t.accounts.c.id))
            .join(source, source.c.id == t.accounts.c.source_id)
            .join(
                t.account_links,
                and_(
                    t.account_links.c.account_id == t.accounts.c.id,
                    t.account_links.c.valid_to.is_(None),
                ),
            )
            .join(owner, owner.c.id == t.account_links.c.person_id)
            .where(
                source.c.key == t.targets.c.key,
                owner.c.canonical_id == _p.canonical_id,
                t.accounts.c.suspended.is_(False),
                # Deleted there, or its number given to somebody else.
                t.accounts.c.gone_at.is_(None),
            )
            .correlate(t.targets, t.people)
            .scalar_subquery()
        )
        was_seen = _ts.observed.in_(_HELD)
        to_withdraw = and_(_ts.desired == "absent", was_seen, _ts.account_id.is_not(None))
        # Once delivered, it stays with the account it went to while that is still theirs.
        same_link, same_owner = t.account_links.alias("same_link"), t.people.alias("same_owner")
        still_theirs = (
            select(same_link.c.id)
            .join(same_owner, same_owner.c.id == same_link.c.person_id)
            .where(
                same_link.c.account_id == _ts.account_id,
                same_link.c.valid_to.is_(None),
                same_owner.c.canonical_id == _p.canonical_id,
            )
            .correlate(t.target_states, t.people)
            .exists()
        )
        gone = t.accounts.alias("gone")
        is_gone = (
            select(gone.c.id)
            .where(gone.c.id == _ts.account_id, gone.c.gone_at.is_not(None))
            .correlate(t.target_states)
            .exists()
        )
        kept = and_(or_(to_withdraw, and_(was_seen, still_theirs)), not_(is_gone))
        return (
            select(
                _ts.id, _ts.award_id, t.targets.c.key.label("target_key"), _a.badge_key,
                t.badge_versions.c.definition, _p.canonical_id, _p.display_name, _a.period,
                _ts.settings, t.accounts.c.id.label("account_id"),
                t.accounts.c.value.label("account"), _ts.desired, _ts.observed, _ts.observed_at,
                _ts.url, _ts.attempts, _ts.next_at, _ts.error, _ts.needs_you, _ts.fence,
                _a.expires_on, _ts.road, _ts.moved_at, is_gone.label("account_gone"),
            )
            .join(t.targets, t.targets.c.id == _ts.target_id)
            .join(t.awards, _a.id == _ts.award_id)
            .join(t.badge_versions, t.badge_versions.c.id == _a.badge_version_id)
            .join(t.people, _p.id == _a.person_id)
            .outerjoin(
                t.accounts, t.accounts.c.id == case((kept, _ts.account_id), else_=account)
            )
            .order_by(_ts.id)
        )  # fmt: skip

    @staticmethod
    def _state(row: Any) -> TargetState:
        return TargetState(
            row.id, row.award_id, row.target_key, row.badge_key, row.definition["title"],
            row.canonical_id, row.display_name, row.period, row.settings, row.account_id,
            row.account, row.desired, row.observed, row.observed_at, row.url, row.attempts,
            row.next_at, row.error, row.needs_you, row.fence, row.expires_on,
            row.road or _plain_road(row.settings), row.moved_at is not None,
            row.definition["description"], row.definition["image"], bool(row.account_gone),
        )  # fmt: skip

    def take_due(
        self, target: str, holder: str, now: datetime, until: datetime, limit: int
    ) -> list[TargetState]:
        """Claim states that are out of step and due, under a lease with a new fence each.

        States that need an administrator wait for `reconcile`, which looks at all of them.
        """
        successor = t.target_states.alias("successor")
        # What an old road brought is taken away when the new one has brought it, not before.
        not_yet = (
            select(successor.c.id)
            .where(
                successor.c.award_id == _ts.award_id,
                successor.c.target_id == _ts.target_id,
                successor.c.moved_at.is_(None),
                successor.c.desired == "held",
                or_(successor.c.observed.is_(None), successor.c.observed != "held"),
            )
            .exists()
        )
        due = (
            select(_ts.id)
            .join(t.targets, t.targets.c.id == _ts.target_id)
            .where(
                t.targets.c.key == target,
                or_(_ts.observed.is_(None), _ts.observed != _ts.desired),
                or_(_ts.next_at.is_(None), _ts.next_at <= now),
                or_(_ts.held_until.is_(None), _ts.held_until <= now),
                or_(_ts.moved_at.is_(None), ~not_yet),
            )
            .order_by(_ts.id)
            .limit(limit)
            .with_for_update(of=t.target_states, skip_locked=True)
        )
        ids = list(self._db.scalars(due))
        if not ids:
            return []
        self._db.execute(
            update(t.target_states)
            .where(_ts.id.in_(ids))
            .values(holder=holder, held_until=until, fence=_ts.fence + 1)
        )
        return [self._state(row) for row in self._db.execute(self._states().where(_ts.id.in_(ids)))]

    def states(
        self, scope: Scope, target: str | None = None, *, out_of_step: bool = False
    ) -> list[TargetState]:
        """Desired against observed, for these eyes; only what differs if asked."""
        query = self._states()
        if out_of_step:
            query = query.where(or_(_ts.observed.is_(None), _ts.observed != _ts.desired))
        if not scope.sees_badges:
            query = query.where(_p.canonical_id == scope.person)
        elif scope.organisations is not None:
            query = query.where(works_there(scope))
        if target is not None:
            query = query.where(t.targets.c.key == target)
        return [self._state(row) for row in self._db.execute(query)]

    def beside(self, states: Sequence[TargetState]) -> list[TargetState]:
        """All states of one target that may be about the same accounts as these, theirs included:
        those of the same (canonical) people, of who has the accounts now, and last seen there."""
        if not states:
            return []
        accounts = {s.account_id for s in states if s.account_id is not None}
        owner = t.people.alias("account_owner")
        owners = (
            select(owner.c.canonical_id)
            .join(t.account_links, t.account_links.c.person_id == owner.c.id)
            .where(
                among(self._db, t.account_links.c.account_id, accounts),
                t.account_links.c.valid_to.is_(None),
            )
        )
        query = self._states().where(
            t.targets.c.key == states[0].target_key,
            or_(
                among(self._db, _p.canonical_id, {s.person for s in states}),
                _p.canonical_id.in_(owners),
                among(self._db, _ts.account_id, accounts),
            ),
        )
        return [self._state(row) for row in self._db.execute(query)]

    def states_with(self, ids: Collection[int]) -> list[TargetState]:
        """The states with these keys."""
        return [self._state(row) for row in self._db.execute(self._states().where(_ts.id.in_(ids)))]

    def record_outcome(
        self,
        state: TargetState,
        *,
        observed: str | None,
        now: datetime,
        next_at: datetime | None,
        ref: str | None = None,
        url: str | None = None,
        error: str | None = None,
        needs_you: str | None = None,
        counted: bool = True,
    ) -> bool:
        """Write how an attempt ended, only while the fence still holds; whether it did.

        Where something else is wanted by now, only what was seen counts: that is asked for at once.
        """
        outcome: dict[str, Any] = {
            "attempts": 0 if observed == state.desired else state.attempts + counted,
            "next_at": next_at,
            "error": error,
            "needs_you": needs_you,
        }
        same = _ts.desired == state.desired
        values: dict[str, Any] = {
            name: case(
                (same, literal(value, _ts[name].type)), else_=literal(_AFRESH[name], _ts[name].type)
            )
            for name, value in outcome.items()
        }
        values |= {"holder": None, "held_until": None}
        if state.account_id is not None:
            # Without an account, it stays known where the badge was seen last.
            values["account_id"] = state.account_id
        if observed is not None:
            values |= {"observed": observed, "observed_at": now, "ref": ref, "url": url}
        done = self._db.execute(
            update(t.target_states)
            .where(_ts.id == state.id, _ts.fence == state.fence)
            .values(values)
        )
        return done.rowcount == 1

    def let_go(self, states: Collection[TargetState]) -> None:
        """Give claims back untried, while their fences hold."""
        for state in states:
            self._db.execute(
                update(t.target_states)
                .where(_ts.id == state.id, _ts.fence == state.fence)
                .values(holder=None, held_until=None)
            )

    def note_observed(
        self, state: TargetState, observed: str, now: datetime, ref: str | None, url: str | None
    ) -> bool:
        """Reconciling saw this; written only if it differs, and no delivery came between."""
        if state.observed == observed:
            return False
        values: dict[str, Any] = {
            "observed": observed, "observed_at": now, "ref": ref, "url": url, "next_at": None
        }  # fmt: skip
        if observed == state.desired:
            values |= {"attempts": 0, "error": None, "needs_you": None}
        if observed in _HELD:
            # It is put right where it was seen, which may be another account than last time.
            values["account_id"] = state.account_id
        done = self._db.execute(
            update(t.target_states)
            .where(_ts.id == state.id, _ts.fence == state.fence)
            .values(values)
        )
        return done.rowcount == 1


def _plain_road(settings: Mapping[str, str]) -> str:
    """The road of a state that none was decided for, where its settings leave no choice."""
    via = settings.get("via", "")
    return "" if via == "auto" else via
