"""Which accounts are whose, and which entries are one human being: links, never rewritten keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from bridge.domain.errors import NotFound
from bridge.domain.identity import JoinedMeanwhile, Match
from bridge.storage import tables as t
from bridge.storage.bulk import among, chunks, insert_rows
from bridge.storage.marks import mark_for_counts, mark_for_status

_p, _i = t.people.c, t.person_identifiers.c


class AccountLinks:
    """The part of `SqlPeople` about accounts and merges."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- accounts and merges -------------------------------------------------------------------
    def link_accounts(self, found: Mapping[int, Match], now: datetime, by: str) -> None:
        """Each account is that person's, by that rule and proof, from now on.

        Of people who were merged, it is linked to the one whose identifier is the proof, so that
        it goes with them if the merge is undone.
        """
        owners = self._merged_owners({m.person for m in found.values()})
        insert_rows(
            self._db,
            t.account_links,
            ("account_id", "person_id", "rule", "proof", "valid_from", "linked_by"),
            [
                (account, owners.get((m.person, m.proof), m.person), m.rule, m.proof, now, by)
                for account, m in found.items()
            ],
        )
        if found:
            mark_for_status(self._db, {match.person for match in found.values()})

    def _merged_owners(self, people: Collection[int]) -> dict[tuple[int, str], int]:
        """(canonical person, identifier) to the merged person whose identifier it is."""
        rows = self._db.execute(
            select(_p.canonical_id, _i.value, _p.id)
            .join(t.person_identifiers, _i.person_id == _p.id)
            .where(among(self._db, _p.canonical_id, people), _p.id != _p.canonical_id)
        )
        return {(canonical, value): person for canonical, value, person in rows}

    def unlink_account(
        self, account_id: int, now: datetime, reason: str, *, parted: bool
    ) -> int | None:
        """The account is nobody's from now on; the link that ended, if it was somebody's.

        `parted`: somebody said that it is not theirs, so no rule joins the two again.
        """
        c = t.account_links.c
        ended = self._db.execute(
            update(t.account_links)
            .where(c.account_id == account_id, c.valid_to.is_(None))
            .values(valid_to=now, ended_reason=reason[:400], parted=parted)
            .returning(c.id, c.person_id)
        ).first()
        if ended is None:
            return None
        mark_for_status(self._db, [ended.person_id])
        link: int = ended.id
        return link

    def prove_link(self, account_id: int, match: Match, now: datetime, by: str) -> None:
        """A better proof takes the place of the one that a link rests on; whose it is stays."""
        c = t.account_links.c
        entry = self._db.scalar(
            update(t.account_links)
            .where(c.account_id == account_id, c.valid_to.is_(None))
            .values(valid_to=now, ended_reason="confirmed, see the next one")
            .returning(c.person_id)
        )
        self._db.execute(
            insert(t.account_links).values(
                account_id=account_id, person_id=entry, rule=match.rule, proof=match.proof,
                valid_from=now, linked_by=by,
            )
        )  # fmt: skip

    def parted(self, account_ids: Collection[int]) -> set[tuple[int, int]]:
        """(account, canonical person) pairs that somebody took apart: no rule joins them again."""
        c = t.account_links.c
        found: set[tuple[int, int]] = set()
        for part in chunks(sorted(account_ids)):
            rows = self._db.execute(
                select(c.account_id, _p.canonical_id)
                .join(t.people, _p.id == c.person_id)
                .where(c.account_id.in_(part), c.parted)
            )
            found |= {(account, person) for account, person in rows}
        return found

    def accounts_of(self, person: int) -> list[str]:
        """What sources call a (canonical) person, the newest account first."""
        c = t.account_links.c
        query = (
            select(t.accounts.c.value)
            .join(t.account_links, c.account_id == t.accounts.c.id)
            .join(t.people, _p.id == c.person_id)
            .where(_p.canonical_id == person, c.valid_to.is_(None))
            .order_by(t.accounts.c.id.desc())
        )
        return list(self._db.scalars(query))

    def joined_since(self, people: Collection[int], since: datetime) -> list[JoinedMeanwhile]:
        """The accounts that were joined to these (canonical) people since then, and whose
        identifier, known before, is the proof; people who are no longer one are told apart."""
        c = t.account_links.c
        links = self._db.execute(
            select(c.account_id, _p.canonical_id, c.proof)
            .join(t.people, _p.id == c.person_id)
            .where(_p.canonical_id.in_(people), c.valid_to.is_(None), c.valid_from > since)
            .order_by(c.id)
        ).all()
        known = self._db.execute(
            select(_i.value, _p.canonical_id)
            .join(t.people, _p.id == _i.person_id)
            .where(
                _p.canonical_id.in_(people),
                _i.value.in_({link.proof for link in links}),
                _i.valid_from <= since,
            )
        ).all()
        return [
            JoinedMeanwhile(
                link.account_id,
                link.canonical_id,
                frozenset(person for value, person in known if value == link.proof),
            )
            for link in links
        ]

    def end_identifiers(self, people: Collection[int], since: datetime, now: datetime) -> int:
        """These (canonical) people are no longer known by what was added since; how much it was."""
        theirs = select(_p.id).where(_p.canonical_id.in_(people))
        done = self._db.execute(
            update(t.person_identifiers)
            .where(_i.person_id.in_(theirs), _i.valid_from > since, _i.valid_to.is_(None))
            .values(valid_to=now)
        )
        return done.rowcount

    def merge(self, person: int, into: int, reason: str, by: str, now: datetime) -> None:
        """Two records of one human being: a link is added, no key is rewritten."""
        self._db.execute(
            insert(t.person_merges).values(
                person_id=person, into_id=into, reason=reason, merged_at=now, merged_by=by
            )
        )
        self._lead(person, into)

    def merged_at(self, person: int) -> datetime | None:
        """Since when `person` is merged into another; None where they are not."""
        m = t.person_merges.c
        return self._db.scalar(
            select(m.merged_at).where(m.person_id == person, m.undone_at.is_(None))
        )

    def unmerge(self, person: int, reason: str, by: str, now: datetime) -> tuple[int, int]:
        """Undo the merge of `person`; whom it had been merged into, and the merge's row.

        Raises NotFound.
        """
        m = t.person_merges.c
        open_merge = and_(m.person_id == person, m.undone_at.is_(None))
        row = self._db.execute(select(m.id, m.into_id).where(open_merge)).first()
        if row is None:
            raise NotFound(f"Person {person} is not merged into anybody.")
        self._db.execute(
            update(t.person_merges)
            .where(m.id == row.id)
            .values(undone_at=now, undone_by=by, undone_reason=reason)
        )
        self._lead(person, person)
        # They keep less than they had: what is counted and shown of them changes as well.
        mark_for_counts(self._db, [row.into_id])
        return row.into_id, row.id

    def _lead(self, person: int, canonical: int) -> None:
        """Let `person`, and all whose open merges lead to them, be `canonical` from now on.

        Step by step, because the database checks each against whom they were merged into.
        """
        m = t.person_merges.c
        step = {person}
        while step:
            self._db.execute(update(t.people).where(_p.id.in_(step)).values(canonical_id=canonical))
            mark_for_counts(self._db, {*step, canonical})
            query = select(m.person_id).where(m.into_id.in_(step), m.undone_at.is_(None))
            step = set(self._db.scalars(query))
