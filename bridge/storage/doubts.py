"""Addresses that are shared, accounts in doubt, what was answered of them; and what was split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from bridge.domain.bookings import Answered, Doubt, Holder, Namesake
from bridge.domain.identity import IdentifierKind, IdentityRule
from bridge.domain.model import Account
from bridge.domain.records import AccountFacts
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage import tables_practice as tp
from bridge.storage.bulk import among
from bridge.storage.vanished import DELETED

_acc, _p, _i, _d, _w = (
    t.accounts.c, t.people.c, t.person_identifiers.c, tb.account_doubts.c, tb.account_answers.c
)  # fmt: skip
_link = t.account_links.c
_open_link = and_(_link.account_id == _acc.id, _link.valid_to.is_(None))
_FACTS = (_acc.kind, _acc.value, _acc.email, _acc.staff_number, _acc.username,
          _acc.display_name, _acc.suspended, DELETED)  # fmt: skip
_NAMESAKES = 200


class DoubtQueries:
    """The part of the booking repository about whose accounts they are."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def holders(self, source_id: int, addresses: Collection[str]) -> list[Holder]:
        """A source's accounts with these addresses, and how they are joined to people now."""
        query = (
            select(_acc.id, _acc.address, _acc.display_name, _link.rule)
            .outerjoin(t.account_links, _open_link)
            .where(_acc.source_id == source_id, among(self._db, _acc.address, addresses))
            .order_by(_acc.id)
        )
        return [Holder(*row) for row in self._db.execute(query)]

    def shared_by_people(self) -> list[int]:
        """Accounts that are somebody's by an address which several people are known by now."""
        several = (
            select(_i.value)
            .join(t.people, _p.id == _i.person_id)
            .where(_i.kind == IdentifierKind.EMAIL, _i.valid_to.is_(None))
            .group_by(_i.value)
            .having(func.count(_p.canonical_id.distinct()) > 1)
        )
        query = (
            select(_acc.id)
            .join(t.account_links, _open_link)
            .where(_link.rule == IdentityRule.VERIFIED_EMAIL, _acc.address.in_(several))
        )
        return list(self._db.scalars(query.order_by(_acc.id)))

    # --- doubts -------------------------------------------------------------------------------
    def doubt(self, account_ids: Collection[int], code: str, now: datetime) -> int:
        """Flag these accounts for the training team, once for each reason; how many are new."""
        flagged = select(_d.account_id).where(
            among(self._db, _d.account_id, account_ids), _d.code == code, _d.ended_at.is_(None)
        )
        new = sorted(set(account_ids) - set(self._db.scalars(flagged)))
        if new:
            self._db.execute(
                insert(tb.account_doubts),
                [{"account_id": each, "code": code, "since": now} for each in new],
            )
        return len(new)

    def doubts(self, after: int, limit: int) -> list[Doubt]:
        """Accounts in doubt that are still somebody's, the oldest doubt first."""
        query = (
            select(_d.id, _acc.id, *_FACTS, t.sources.c.key, _d.code, _p.canonical_id,
                   _p.display_name, _d.since)
            .join(t.accounts, _acc.id == _d.account_id)
            .join(t.sources, t.sources.c.id == _acc.source_id)
            .join(t.account_links, _open_link)
            .join(t.people, _p.id == _link.person_id)
            .where(_d.ended_at.is_(None), _d.id > after)
            .order_by(_d.id)
            .limit(limit)
        )  # fmt: skip
        return [
            Doubt(row[0], Account(row[1], AccountFacts(*row[2:10]), row[12]), row[10], row[11],
                  row[12], row[13], row[14])
            for row in self._db.execute(query)
        ]  # fmt: skip

    def end_doubts(self, account_id: int, by: str, now: datetime) -> bool:
        """A person has looked at an account; whether there was a doubt."""
        done = self._db.execute(
            update(tb.account_doubts)
            .where(_d.account_id == account_id, _d.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
        )
        return done.rowcount > 0

    # --- answers ------------------------------------------------------------------------------
    def refused(self, account_ids: Collection[int]) -> set[tuple[int, int]]:
        """(account, canonical person) pairs that were said not to be one."""
        query = select(_w.account_id, _w.refused).where(
            among(self._db, _w.account_id, account_ids), _w.ended_at.is_(None)
        )
        named = {
            (account, each) for account, refused in self._db.execute(query) for each in refused
        }
        if not named:
            return set()
        people = {person for _, person in named}
        canonical = {
            person: into
            for person, into in self._db.execute(
                select(_p.id, _p.canonical_id).where(among(self._db, _p.id, people))
            )
        }
        return {(account, canonical.get(person, person)) for account, person in named}

    def answer(
        self, account_id: int, refused: Sequence[int], reason: str, by: str, now: datetime
    ) -> None:
        """An account is none of these people, and is not asked about again."""
        self.end_answer(account_id, by, now)
        self._db.execute(
            insert(tb.account_answers).values(
                account_id=account_id, refused=sorted(refused), reason=reason, answered_at=now,
                answered_by=by,
            )
        )  # fmt: skip

    def end_answer(self, account_id: int, by: str, now: datetime) -> bool:
        """Ask about an account again; whether it had been answered."""
        done = self._db.execute(
            update(tb.account_answers)
            .where(_w.account_id == account_id, _w.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
        )
        return done.rowcount > 0

    def answered(self, after: int, limit: int) -> list[Answered]:
        """Accounts that are none of those shown, by their number."""
        query = (
            select(_acc.id, *_FACTS, t.sources.c.key, _w.refused, _w.reason, _w.answered_at,
                   _w.answered_by)
            .join(t.accounts, _acc.id == _w.account_id)
            .join(t.sources, t.sources.c.id == _acc.source_id)
            .where(_w.ended_at.is_(None), _acc.id > after)
            .order_by(_acc.id)
            .limit(limit)
        )  # fmt: skip
        return [
            Answered(Account(row[0], AccountFacts(*row[1:9]), None), row[9], tuple(row[10]),
                     row[11], row[12], row[13])
            for row in self._db.execute(query)
        ]  # fmt: skip

    def namesakes(self, surnames: Collection[str]) -> list[Namesake]:
        """People whose name ends with one of these words, with the domains of their addresses and
        where they have posts. Hints for a person to look at, and nothing else."""
        if not surnames:
            return []
        last_word: ColumnElement[str] = literal_column(t.LAST_WORD, String)
        people = self._db.execute(
            select(_p.id, _p.display_name)
            .where(_p.canonical_id == _p.id, last_word.in_(sorted(surnames)))
            .order_by(_p.id)
            .limit(_NAMESAKES)
        ).all()
        ids = [row.id for row in people]
        domains: dict[int, set[str]] = defaultdict(set)
        for person, value in self._db.execute(
            select(_i.person_id, _i.value).where(
                among(self._db, _i.person_id, ids), _i.kind == IdentifierKind.EMAIL,
                _i.valid_to.is_(None),
            )
        ):  # fmt: skip
            domains[person].add(value.rpartition("@")[2])
        works: dict[int, dict[str, None]] = defaultdict(dict)
        for person, organisation in self._db.execute(
            select(t.posts.c.person_id, t.organisations.c.name)
            .join(t.organisations, t.organisations.c.id == t.posts.c.organisation_id)
            .where(among(self._db, t.posts.c.person_id, ids))
            .order_by(t.posts.c.id)
        ):
            works[person][organisation] = None
        return [
            Namesake(row.id, row.display_name, frozenset(domains[row.id]), tuple(works[row.id]))
            for row in people
        ]

    # --- what people took apart -----------------------------------------------------------------
    def note_split(self, record_id: int, evidence_id: int, now: datetime) -> None:
        """A person gave this record its own piece of evidence: it joins nothing again."""
        if not self.split_off([record_id]):
            self._db.execute(
                insert(tb.split_records).values(
                    record_id=record_id, evidence_id=evidence_id, split_at=now
                )
            )

    def split_off(self, record_ids: Collection[int]) -> set[int]:
        """Those of these records that a person split off."""
        c = tb.split_records.c
        query = select(c.record_id).where(among(self._db, c.record_id, record_ids))
        return set(self._db.scalars(query))

    def kept(self, evidence_ids: Collection[int]) -> tuple[set[int], set[int]]:
        """Those of these that people have worked on in any way, or split something from; and
        those that were split off."""
        er, split, e, c = t.evidence_records.c, tb.split_records.c, t.evidence.c, t.claims.c
        d, f, r = tp.reflection_drafts.c, tp.evidence_files.c, t.reflections.c
        worked_on = (
            select(c.evidence_id)
            .where(
                among(self._db, c.evidence_id, evidence_ids),
                or_(c.touched_at.is_not(None), c.origin == "person"),
            )
            .union(
                select(r.evidence_id).where(among(self._db, r.evidence_id, evidence_ids)),
                select(d.evidence_id).where(among(self._db, d.evidence_id, evidence_ids)),
                select(f.evidence_id).where(among(self._db, f.evidence_id, evidence_ids)),
                select(e.id).where(
                    among(self._db, e.id, evidence_ids),
                    or_(e.reference.is_not(None), e.log_id.is_not(None)),
                ),
                select(split.evidence_id).where(among(self._db, split.evidence_id, evidence_ids)),
            )
        )
        apart = (
            select(er.evidence_id)
            .join(tb.split_records, split.record_id == er.record_id)
            .where(among(self._db, er.evidence_id, evidence_ids))
        )
        return set(self._db.scalars(worked_on)), set(self._db.scalars(apart))
