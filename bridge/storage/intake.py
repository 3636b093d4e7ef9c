"""What sources gave: received items, quarantine, accounts and activities."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from bridge.domain.continuity import another_activity
from bridge.domain.errors import NotFound
from bridge.domain.identity import normal_email
from bridge.domain.model import (
    Account,
    AccountHolder,
    Alias,
    Known,
    NewQuarantine,
    NewReceived,
    NewRecord,
    Quarantined,
    Reading,
    SourceRow,
)
from bridge.domain.records import AccountFacts, ActivityFacts, Precision, Status, Unreadable
from bridge.domain.vanishing import Gone
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage.booking import CANONICAL
from bridge.storage.bulk import CHUNK, among, chunks, insert_rows, new_ids
from bridge.storage.ops import TRUSTED
from bridge.storage.records import RecordQueries
from bridge.storage.vanished import DELETED, VanishedQueries

_ACCOUNT = [t.accounts.c.id, t.accounts.c.kind, t.accounts.c.value, t.accounts.c.email,
            t.accounts.c.staff_number, t.accounts.c.username, t.accounts.c.display_name,
            t.accounts.c.suspended, DELETED]  # fmt: skip
# Asked for each account apart: as a join, PostgreSQL, before it has counted the rows of a first
# pull, compares every account with every link.
_PERSON = (
    select(t.people.c.canonical_id)
    .join(t.account_links, t.account_links.c.person_id == t.people.c.id)
    .where(t.account_links.c.account_id == t.accounts.c.id, t.account_links.c.valid_to.is_(None))
    .scalar_subquery()
)
_ACCOUNTS = select(*_ACCOUNT, _PERSON.label("canonical_id"))
_NAMES = ("title", "idnumber", "shortname", "category", "iri", "module", "course_idnumber",
          "course_shortname")  # fmt: skip


def _because(facts: AccountFacts) -> str:
    return Gone.ACCOUNT_DELETED.value if facts.deleted else ""


class SqlIntake(RecordQueries, VanishedQueries):
    """Implements `bridge.domain.repositories.IntakeRepository`."""

    def __init__(self, connection: Connection) -> None:
        RecordQueries.__init__(self, connection)
        self._db = connection

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        """Unused keys of `table`."""
        return new_ids(self._db, t.metadata.tables[table], count)

    def envelope_id(self, body: bytes) -> int:
        """The id of an envelope, stored once however many items came in it."""
        digest = hashlib.sha256(body).digest()
        query = select(t.envelopes.c.id).where(t.envelopes.c.sha256 == digest)
        found: int | None = self._db.scalar(query)
        if found is None:
            row = insert(t.envelopes).values(sha256=digest, body=body).returning(t.envelopes.c.id)
            found = self._db.scalar(row)
        assert found is not None  # noqa: S101  RETURNING gave it
        return found

    def known(self, source_id: int, keys: Sequence[str]) -> dict[str, Known]:
        """Those of these items that the source gave before."""
        r = t.received.c
        query = select(r.natural_key, r.id, r.sha256, r.gone_at.is_not(None)).where(
            r.source_id == source_id, among(self._db, r.natural_key, keys)
        )
        return {
            key: Known(row_id, sha256, gone)
            for key, row_id, sha256, gone in self._db.execute(query).all()
        }

    def times_of(self, source_id: int, keys: Sequence[str]) -> dict[str, datetime]:
        """When the records of these items happened."""
        r = t.received.c
        query = (
            select(r.natural_key, t.learning_records.c.occurred_at)
            .join(t.learning_records, t.learning_records.c.received_id == r.id)
            .where(r.source_id == source_id, among(self._db, r.natural_key, keys))
        )
        return {key: moment for key, moment in self._db.execute(query)}

    def readings(self, received_ids: Sequence[int]) -> dict[int, Reading]:
        """What the records of these items say, and in which envelope they came."""
        c, r = t.learning_records.c, t.received.c
        query = (
            select(r.id, c.status, c.precision, c.score, r.envelope_id)
            .join(t.learning_records, c.received_id == r.id)
            .where(among(self._db, r.id, received_ids))
        )
        return {
            row_id: Reading(Status(status), Precision(precision), score, envelope_id)
            for row_id, status, precision, score, envelope_id in self._db.execute(query)
        }

    def dated_under(self, source_id: int, stems: Sequence[str]) -> set[str]:
        """Those beginnings of natural keys under which the source has a record now."""
        r = t.received.c
        records = select(r.id).join(
            t.learning_records, t.learning_records.c.received_id == r.id
        ).where(r.source_id == source_id, r.gone_at.is_(None))  # fmt: skip
        return {
            stem
            for stem in stems
            if self._db.scalar(
                records.where(r.natural_key.startswith(stem, autoescape=True)).limit(1)
            )
        }

    def present_keys(self, source_id: int) -> Iterator[tuple[int, str]]:
        """Everything the source gave and still has, in no order, a chunk in memory at a time."""
        r = t.received.c
        # The sum keeps SQLite from going by the index on the key, and so from row to row all
        # over the table: nearly every row is wanted.
        query = select(r.id, r.natural_key).where(r.source_id + 0 == source_id, r.gone_at.is_(None))
        for row in self._db.execute(query, execution_options={"yield_per": CHUNK}):
            yield row.id, row.natural_key

    def replace_bytes(
        self, received_id: int, sha256: bytes, body: bytes, envelope_id: int, now: datetime
    ) -> None:
        """The source says something else now: the earlier bytes are kept as a version."""
        r, v = t.received.c, t.received_versions
        before = select(r.id, r.sha256, r.body, r.envelope_id).where(r.id == received_id)
        row = self._db.execute(before).one()
        if row.sha256 == sha256:
            return  # Only how it is read has changed.
        self._db.execute(
            insert(v).values(
                received_id=row.id,
                sha256=row.sha256,
                body=row.body,
                envelope_id=row.envelope_id,
                replaced_at=now,
            )
        )
        self._db.execute(
            update(t.received)
            .where(r.id == received_id)
            .values(sha256=sha256, body=body, envelope_id=envelope_id)
        )

    # --- adding in bulk ---------------------------------------------------------------------
    def add_received(self, rows: Sequence[NewReceived]) -> None:
        """Store items as they came."""
        self._insert(t.received, NewReceived._fields, rows)

    def add_records(self, rows: Sequence[NewRecord]) -> None:
        """Store records with their dispositions."""
        self._insert(t.learning_records, NewRecord._fields, rows)

    def add_quarantine(self, rows: Sequence[NewQuarantine]) -> None:
        """Set items aside."""
        self._insert(t.quarantine, NewQuarantine._fields, rows)

    def _insert(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        insert_rows(self._db, table, columns, rows)

    # --- quarantine -------------------------------------------------------------------------
    def update_quarantine(self, received_id: int, why: Unreadable) -> bool:
        """It cannot be read still; keep the newest reason. Whether it is set aside at all."""
        done = self._db.execute(
            update(t.quarantine)
            .where(t.quarantine.c.received_id == received_id)
            .values(code=why.code, message=why.message)
        )
        return done.rowcount > 0

    def release(self, received_id: int) -> bool:
        """Let an item out of quarantine; whether it was there."""
        gone = self._db.execute(
            delete(t.quarantine).where(t.quarantine.c.received_id == received_id)
        )
        return gone.rowcount > 0

    def quarantined(self, source: str | None) -> list[Quarantined]:
        """What is set aside, oldest first."""
        q, r = t.quarantine.c, t.received.c
        query = (
            select(r.id, t.sources.c.key, r.natural_key, q.code, q.message, q.since, r.gone_at,
                   r.body, t.envelopes.c.body)
            .join(t.received, r.id == q.received_id)
            .join(t.sources, t.sources.c.id == r.source_id)
            .join(t.envelopes, t.envelopes.c.id == r.envelope_id)
            .order_by(q.id)
        )  # fmt: skip
        if source is not None:
            query = query.where(t.sources.c.key == source)
        return [
            Quarantined(a, b, c, d, e, f, g is not None, h, i)
            for a, b, c, d, e, f, g, h, i in self._db.execute(query)
        ]

    # --- accounts -----------------------------------------------------------------------------
    def accounts(self, source_id: int, values: Sequence[str]) -> dict[str, Account]:
        """Those of these accounts that are known, with their people."""
        query = _ACCOUNTS.where(
            t.accounts.c.source_id == source_id, among(self._db, t.accounts.c.value, values)
        )
        return {
            facts[1]: Account(account_id, AccountFacts(*facts), person)
            for account_id, *facts, person in self._db.execute(query).all()
        }

    def add_accounts(
        self, source_id: int, facts: Sequence[AccountFacts], now: datetime
    ) -> list[Account]:
        """Add accounts nobody is known for yet."""
        ids = new_ids(self._db, t.accounts, len(facts))
        columns = ("id", "source_id", "kind", "value", "email", "staff_number", "username",
                   "display_name", "suspended", "address", "suspended_at", "gone_at",
                   "gone_because")  # fmt: skip
        rows = [
            (i, source_id, f.kind, f.value, f.email, f.staff_number, f.username, f.display_name,
             f.suspended, normal_email(f.email), now if f.suspended else None,
             now if f.deleted else None, _because(f))
            for i, f in zip(ids, facts, strict=True)
        ]  # fmt: skip
        insert_rows(self._db, t.accounts, columns, rows)
        return [Account(i, f, None) for i, f in zip(ids, facts, strict=True)]

    def update_accounts(self, accounts: Sequence[Account], now: datetime) -> None:
        """The source says other things of these accounts now."""
        c = t.accounts.c
        for account in accounts:
            f = account.facts
            self._db.execute(
                update(t.accounts)
                .where(t.accounts.c.id == account.id)
                .values(
                    email=f.email,
                    staff_number=f.staff_number,
                    username=f.username,
                    display_name=f.display_name,
                    suspended=f.suspended,
                    suspended_at=func.coalesce(c.suspended_at, now) if f.suspended else None,
                    address=normal_email(f.email),
                    gone_at=func.coalesce(c.gone_at, now) if f.deleted else None,
                    gone_because=_because(f),
                )
            )

    def unlinked(self) -> list[tuple[str, Account]]:
        """Accounts that belong to nobody yet, with their source's key; not those that are gone."""
        query = (
            _ACCOUNTS.add_columns(t.sources.c.key)
            .join(t.sources, t.sources.c.id == t.accounts.c.source_id)
            .where(_PERSON.is_(None), t.accounts.c.gone_at.is_(None))
            .order_by(t.accounts.c.id)
        )
        return [
            (row.key, Account(row.id, AccountFacts(*row[1:9]), None))
            for row in self._db.execute(query)
        ]

    def account(self, account_id: int) -> tuple[Account, str]:
        """One account with its source's key. Raises NotFound."""
        query = (
            _ACCOUNTS.add_columns(t.sources.c.key)
            .join(t.sources, t.sources.c.id == t.accounts.c.source_id)
            .where(t.accounts.c.id == account_id)
        )
        row = self._db.execute(query).first()
        if row is None:
            raise NotFound(f"There is no account {account_id}.")
        return Account(row.id, AccountFacts(*row[1:9]), row.canonical_id), row.key

    def holders(self, account_ids: Collection[int]) -> dict[int, AccountHolder]:
        """Whose these accounts are, by which rule and with what proof."""
        c, entry, person = t.account_links.c, t.people.alias("entry"), t.people.alias("person")
        query = (
            select(*_ACCOUNT, t.sources.c.key, person.c.id, person.c.display_name, c.rule, c.proof)
            .join(t.sources, t.sources.c.id == t.accounts.c.source_id)
            .outerjoin(t.account_links, and_(c.account_id == t.accounts.c.id, c.valid_to.is_(None)))
            .outerjoin(entry, entry.c.id == c.person_id)
            .outerjoin(person, person.c.id == entry.c.canonical_id)
            .where(among(self._db, t.accounts.c.id, account_ids))
        )
        return {
            row[0]: AccountHolder(
                Account(row[0], AccountFacts(*row[1:9]), row[10]),
                row[9], row[11] or "", row[12] or "", row[13] or "",
            )
            for row in self._db.execute(query)
        }  # fmt: skip

    def unmatched(self) -> list[tuple[Account, str, int]]:
        """Accounts of nobody with records that would count, and how many; most first. Those said
        to be none of the people shown are not asked about again."""
        answered = tb.account_answers.c
        waiting = func.count()
        query = (
            select(*_ACCOUNT, t.sources.c.key, waiting)
            .join(t.sources, t.sources.c.id == t.accounts.c.source_id)
            .join(t.learning_records, t.learning_records.c.account_id == t.accounts.c.id)
            .where(
                t.learning_records.c.disposition == "unmatched",
                t.accounts.c.id.not_in(
                    select(answered.account_id).where(answered.ended_at.is_(None))
                ),
            )
            .group_by(*_ACCOUNT, t.sources.c.key)
            .order_by(waiting.desc(), t.accounts.c.id)
        )
        return [
            (Account(row[0], AccountFacts(*row[1:9]), None), row[9], row[10])
            for row in self._db.execute(query)
        ]

    def mark_accounts(self, account_ids: Collection[int]) -> None:
        """Decide again on these accounts' records: it is known now whose they are, or no more."""
        for part in chunks(sorted(account_ids)):
            self._db.execute(
                update(t.learning_records)
                .where(t.learning_records.c.account_id.in_(part))
                .values(pending=True)
            )

    # --- activities ---------------------------------------------------------------------------
    def aliases(
        self, source: SourceRow, wanted: Mapping[str, ActivityFacts], now: datetime
    ) -> dict[str, Alias]:
        """The canonical activities behind a source's names; new and renamed ones are kept up.

        A name that stands for another activity now (`bridge.domain.continuity`) makes a new one,
        and what came before stays with the old.
        """
        a = t.activity_aliases
        found: dict[str, Alias] = {}
        again: list[int] = []
        for part in chunks(list(wanted)):
            rows = self._db.execute(
                select(a, CANONICAL.label("canonical"))
                .join(t.activities, t.activities.c.id == a.c.activity_id)
                .where(a.c.source_id == source.id, a.c.value.in_(part))
            )
            for row in rows:
                facts = ActivityFacts(
                    row.kind, row.value, row.title, row.idnumber, row.shortname, row.category,
                    row.iri, row.module, row.course_idnumber, row.course_shortname,
                )  # fmt: skip
                if row.gone_because:
                    again.append(row.id)
                found[row.value] = Alias(
                    row.id, row.canonical, source.key, source.kind, facts, source.trusted
                )
        if again:
            self._db.execute(
                update(a).where(a.c.id.in_(again)).values(gone_at=None, gone_because="")
            )
        for value, facts in wanted.items():
            known = found.get(value)
            if known is not None and another_activity(known.facts, facts):
                self.retire_alias(known.id, now)
                known = None
            if known is None:
                found[value] = self._add_alias(source, facts)
            elif known.facts != facts and known.facts != (facts := facts.after(known.facts)):
                self._db.execute(
                    update(a)
                    .where(a.c.id == known.id)
                    .values({name: getattr(facts, name) for name in _NAMES})
                )
                self._rename_activity(known, facts)
                found[value] = Alias(
                    known.id, known.activity_id, source.key, source.kind, facts, source.trusted
                )
                self.mark_activities([known.id])
        return found

    def _rename_activity(self, known: Alias, facts: ActivityFacts) -> None:
        """An activity that is called as its source called it is called as it calls it now."""
        own = select(t.activity_aliases.c.activity_id).where(t.activity_aliases.c.id == known.id)
        if facts.title:
            self._db.execute(
                update(t.activities)
                .where(t.activities.c.id.in_(own), t.activities.c.title == known.facts.title)
                .values(title=facts.title)
            )

    def known_activities(self, source_id: int, values: Sequence[str]) -> set[str]:
        """Those of these names that the source has used before."""
        a = t.activity_aliases.c
        query = select(a.value).where(a.source_id == source_id, among(self._db, a.value, values))
        return set(self._db.scalars(query))

    def _add_alias(self, source: SourceRow, facts: ActivityFacts) -> Alias:
        title = facts.title or facts.shortname or facts.idnumber or facts.iri or facts.value
        activity_id = self._db.scalar(
            insert(t.activities).values(title=title).returning(t.activities.c.id)
        )
        alias_id = self._db.scalar(
            insert(t.activity_aliases)
            .values(
                activity_id=activity_id,
                source_id=source.id,
                kind=facts.kind,
                value=facts.value,
                **{name: getattr(facts, name) for name in _NAMES},
            )
            .returning(t.activity_aliases.c.id)
        )
        assert alias_id is not None and activity_id is not None  # noqa: S101, PT018
        return Alias(alias_id, activity_id, source.key, source.kind, facts, source.trusted)

    def all_aliases(self) -> list[Alias]:
        """Every source's name for every activity."""
        a = t.activity_aliases
        query = (
            select(a, CANONICAL.label("canonical"), t.sources.c.key,
                   t.sources.c.kind.label("source_kind"), t.sources.c.trust)
            .join(t.activities, t.activities.c.id == a.c.activity_id)
            .join(t.sources, t.sources.c.id == a.c.source_id)
        )  # fmt: skip
        return [
            Alias(
                row.id,
                row.canonical,
                row.key,
                row.source_kind,
                ActivityFacts(row.kind, row.value, row.title, row.idnumber, row.shortname,
                              row.category, row.iri, row.module, row.course_idnumber,
                              row.course_shortname),
                row.trust == TRUSTED,
            )
            for row in self._db.execute(query.order_by(a.c.id))
        ]  # fmt: skip

    def mark_activities(self, alias_ids: Collection[int]) -> int:
        """Decide again on the records of these activities; how many there are."""
        total = 0
        for part in chunks(sorted(alias_ids)):
            done = self._db.execute(
                update(t.learning_records)
                .where(t.learning_records.c.alias_id.in_(part))
                .values(pending=True)
            )
            total += done.rowcount
        return total

    def unmapped(self) -> list[tuple[Alias, int, int]]:
        """Activities that no rule names: the records and the accounts that wait on them."""
        records = func.count()
        people = func.count(t.learning_records.c.account_id.distinct())
        rows = self._db.execute(
            select(t.learning_records.c.alias_id, records, people)
            .where(t.learning_records.c.disposition == "unmapped")
            .group_by(t.learning_records.c.alias_id)
            .order_by(people.desc(), t.learning_records.c.alias_id)
        ).all()
        by_id = {alias.id: alias for alias in self.all_aliases()} if rows else {}
        return [(by_id[alias_id], count, waiting) for alias_id, count, waiting in rows]
