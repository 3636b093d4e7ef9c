"""The accounts that sources name: whose they are, and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, update

from bridge.domain.errors import NotFound
from bridge.domain.identity import normal_email
from bridge.domain.model import Account, AccountHolder
from bridge.domain.records import AccountFacts
from bridge.domain.vanishing import Gone
from bridge.storage import tables as t
from bridge.storage import tables_booking as tb
from bridge.storage.bulk import among, chunks, insert_rows, new_ids
from bridge.storage.vanished import DELETED

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


def _because(facts: AccountFacts) -> str:
    return Gone.ACCOUNT_DELETED.value if facts.deleted else ""


class AccountQueries:
    """The part of the intake repository about accounts."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

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
