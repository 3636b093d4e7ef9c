"""The outbox of mails: queued with the act they tell of, claimed under a fence, finished once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.identity import IdentifierKind
from bridge.domain.mail import LINKS, MailCounts, MailKind, NewMail, Queued
from bridge.storage import tables as t
from bridge.storage import tables_access as ta
from bridge.storage.ops import SqlOps

_o, _p, _i = t.outbox.c, t.people.c, t.person_identifiers.c
_STORED = {kind.stored: kind for kind in MailKind}
_IS_MAIL = _o.kind.in_(sorted(_STORED))
_LINK_FIRST = case((_o.kind.in_(sorted(kind.stored for kind in LINKS)), 0), else_=1)


def _mails() -> Select[Any]:
    return (
        select(_o.id, _o.kind, _o.dedupe_key, _p.canonical_id, _o.payload, _o.created_at,
               _o.attempts, _o.next_at, _o.done_at, _o.needs_you, _o.error, _o.fence)
        .join(t.people, _p.id == _o.person_id)
        .where(_IS_MAIL)
    )  # fmt: skip


def _mail(row: Row[Any], *, taken: int = 0, again: bool = False) -> Queued:
    """A row as it stands; taken, with the next fence."""
    return Queued(
        row.id, _STORED[row.kind], row.dedupe_key, row.canonical_id, row.payload, row.created_at,
        row.attempts, row.next_at, row.done_at, row.needs_you, row.error, row.fence + taken, again,
    )  # fmt: skip


class SqlOutbox:
    """Implements `bridge.domain.mail.OutboxRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- queueing -----------------------------------------------------------------------------
    def put(self, mails: Sequence[NewMail], now: datetime) -> None:
        """Queue these; one whose dedupe key was ever used is left as it is."""
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        if not mails:
            return
        row = dialect.insert(t.outbox).on_conflict_do_nothing(index_elements=[_o.dedupe_key])
        self._db.execute(
            row,
            [
                {"kind": mail.kind.stored, "dedupe_key": mail.dedupe_key,
                 "person_id": mail.person, "payload": dict(mail.payload), "created_at": now,
                 "next_at": mail.next_at}
                for mail in mails
            ],
        )  # fmt: skip

    # --- claiming -----------------------------------------------------------------------------
    @staticmethod
    def _due(now: datetime) -> ColumnElement[bool]:
        free = or_(_o.held_until.is_(None), _o.held_until <= now)
        return and_(_o.done_at.is_(None), _o.next_at <= now, free)

    def any_due(self, now: datetime) -> bool:
        """Whether there is anything to send."""
        query = select(_o.id).where(_IS_MAIL, self._due(now)).limit(1)
        return self._db.scalar(query) is not None

    def take_due(self, now: datetime, until: datetime) -> list[Queued]:
        """The next mails that go as one letter, held until then; links come first.

        What one person is to be told of one kind goes together. Mails that were held together
        before and never let go of stay together and go before new ones, so that a letter sent
        again is the same letter.
        """
        # Two senders must not each take a part of one letter.
        SqlOps(self._db).lock("mail")
        due = _mails().where(self._due(now))
        first = self._db.execute(
            due.add_columns(_o.held_until)
            .order_by(_LINK_FIRST, _o.held_until.is_(None), _o.next_at, _o.id)
            .limit(1)
            .with_for_update(of=t.outbox, skip_locked=True)
        ).first()
        if first is None:
            return []
        same = due.where(
            _p.canonical_id == first.canonical_id,
            _o.kind == first.kind,
            _o.held_until.is_not_distinct_from(first.held_until),
        )
        if _STORED[first.kind] in LINKS:
            same = same.where(_o.id == first.id)
        rows = self._db.execute(
            same.order_by(_o.id).with_for_update(of=t.outbox, skip_locked=True)
        ).all()
        self._db.execute(
            update(t.outbox)
            .where(_o.id.in_([row.id for row in rows]))
            .values(held_until=until, fence=_o.fence + 1)
        )
        return [_mail(row, taken=1, again=first.held_until is not None) for row in rows]

    def _held(self, mails: Sequence[Queued]) -> ColumnElement[bool]:
        """That each is still ours: it has the fence that it was claimed with, and is open."""
        return and_(
            _o.done_at.is_(None), or_(*(and_(_o.id == m.id, _o.fence == m.fence) for m in mails))
        )

    def finish(self, mails: Sequence[Queued], now: datetime, reason: str | None) -> bool:
        """Done with these: sent, or (with a `reason`) not to be sent. False where they are not
        ours any more."""
        done = self._db.execute(
            update(t.outbox)
            .where(self._held(mails))
            .values(done_at=now, error=reason, needs_you=False, held_until=None, next_at=None)
        )
        return done.rowcount == len(mails)

    def put_off(
        self,
        mails: Sequence[Queued],
        next_at: datetime | None,
        error: str | None,
        *,
        needs_you: bool = False,
        together: bool = False,
    ) -> bool:
        """Try these again at that time, or (None) when somebody lets them go.

        `together` keeps them one letter for good: it may have been taken already. Without an
        `error` it was no attempt. False where they are not ours any more.
        """
        values: dict[Any, Any] = {"next_at": next_at, "error": error, "needs_you": needs_you}
        if error is not None:
            values["attempts"] = _o.attempts + 1
        if not together:
            values["held_until"] = None
        done = self._db.execute(update(t.outbox).where(self._held(mails)).values(values))
        return done.rowcount == len(mails)

    def sent_since(self, person: int, kind: MailKind, since: datetime) -> bool:
        """Whether a (canonical) person was sent a mail of this kind since then."""
        query = (
            select(_o.id)
            .where(_o.person_id.in_(self._own(person)), _o.kind == kind.stored,
                   _o.done_at >= since, _o.error.is_(None))
            .limit(1)
        )  # fmt: skip
        return self._db.scalar(query) is not None

    # --- for people who look after it -----------------------------------------------------------
    def release(self, mail_id: int, now: datetime) -> bool:
        """Try one again at once; False where it is not open, or not a mail."""
        done = self._db.execute(
            update(t.outbox)
            .where(_o.id == mail_id, _IS_MAIL, _o.done_at.is_(None))
            .values(next_at=now, needs_you=False)
        )
        return done.rowcount == 1

    def open_mails(self, *, stuck: bool, limit: int, after: int = 0) -> list[Queued]:
        """What is not done, the soonest first; `stuck` narrows to what failed or needs a person.

        Those are listed the oldest first, from the one after `after` (an id) on: the next time that
        one is tried changes while somebody turns the pages.
        """
        query = _mails().where(_o.done_at.is_(None)).limit(limit)
        if stuck:
            query = query.where(or_(_o.needs_you, _o.error.is_not(None)), _o.id > after)
            query = query.order_by(_o.id)
        else:
            query = query.order_by(_o.needs_you.desc(), _o.next_at, _o.id)
        return [_mail(row) for row in self._db.execute(query)]

    def counts(self) -> MailCounts:
        """How the queue stands."""
        is_open = _o.done_at.is_(None)
        failed = and_(_o.error.is_not(None), ~_o.needs_you)
        row = self._db.execute(
            select(
                func.count().filter(and_(is_open, _o.error.is_(None), ~_o.needs_you)),
                func.count().filter(and_(is_open, failed)),
                func.count().filter(and_(is_open, _o.needs_you)),
                func.count().filter(and_(_o.done_at.is_not(None), _o.error.is_(None))),
            ).where(_IS_MAIL)
        ).one()
        return MailCounts(*row)

    # --- what the sender must know ----------------------------------------------------------------
    def _own(self, person: int) -> Select[Any]:
        return select(_p.id).where(_p.canonical_id == person)

    def address_of(self, person: int) -> str | None:
        """The newest email address of a (canonical) person, of whoever was merged into them too."""
        address: str | None = self._db.scalar(
            select(_i.value)
            .where(_i.person_id.in_(self._own(person)), _i.kind == IdentifierKind.EMAIL,
                   _i.valid_to.is_(None))
            .order_by(_i.valid_from.desc(), _i.id.desc())
            .limit(1)
        )  # fmt: skip
        return address

    def off_kinds(self, person: int) -> set[MailKind]:
        """The kinds that a (canonical) person has switched off."""
        c = ta.mail_off.c
        stored = self._db.scalars(select(c.kind).where(c.person_id.in_(self._own(person))))
        return {MailKind(kind) for kind in stored}

    def set_off(self, person: int, kinds: set[MailKind], now: datetime) -> None:
        """From now on these kinds, and no others, are off for a (canonical) person."""
        c = ta.mail_off.c
        new = kinds - self.off_kinds(person)
        self._db.execute(
            delete(ta.mail_off).where(
                c.person_id.in_(self._own(person)), c.kind.not_in([k.value for k in kinds])
            )
        )
        rows = [{"person_id": person, "kind": kind.value, "off_at": now} for kind in sorted(new)]
        if rows:
            self._db.execute(insert(ta.mail_off), rows)

    def organisation_of(self, evidence_id: int) -> int | None:
        """The organisation that a piece of evidence was made in, where that is known."""
        organisation: int | None = self._db.scalar(
            select(t.evidence.c.organisation_id).where(t.evidence.c.id == evidence_id)
        )
        return organisation
