"""Reading statements: one by its id, or a page by filters, within what the reader may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from bridge.domain.errors import NotAllowed, Refused
from bridge.domain.lrs.senders import Scope, Sender
from bridge.domain.lrs.statements import Attachment, Kept, Query
from bridge.domain.lrs.terms import SOURCE, term
from bridge.domain.repositories import UnitOfWork
from bridge.domain.xapi.exact import VOIDED
from bridge.services.context import Context
from bridge.services.lrs.indexing import up_to_date

#: How long a reader waits for the index, in seconds; then they get what there is.
PATIENCE = 10.0
#: Files that one answer brings, in bytes.
MOST_FILES = 200_000_000


class TooMuch(Refused):
    """An answer would be too large; the message says how to ask for less."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of statements; `through` is the instant up to which it is right, in microseconds.

    `more` is after which statement the next page begins; None on the last.
    """

    statements: Sequence[Kept]
    through: int
    more: tuple[int, int] | None = None


def may_read(sender: Sender) -> None:
    """Raise NotAllowed unless the sender may read statements at all."""
    if not sender.may(Scope.READ_MINE, Scope.READ_ALL):
        raise NotAllowed("This credential may not read statements.")


def find(ctx: Context, sender: Sender, query: Query) -> Page:
    """A page of what is asked for, of what the sender may read. Raises NotAllowed."""
    may_read(sender)
    through = up_to_date(ctx, PATIENCE)
    if Scope.READ_ALL not in sender.scopes:
        mine = (term(SOURCE, str(sender.source_id)),)
        query = replace(query, terms=(*query.terms, mine))
    with ctx.store.reading() as uow:
        found, goes_on = uow.lrs.find(query)
    more = (found[-1].stored, found[-1].row) if goes_on and found else None
    return Page([each for each in found if each.body is not None], through, more)


def one(ctx: Context, sender: Sender, statement_id: str, *, voided: bool) -> Kept | None:
    """A statement by its id (32 hexadecimal digits), if the sender may read it and it is voided, or
    is not, as asked. Raises NotAllowed."""
    may_read(sender)
    with ctx.store.reading() as uow:
        kept = uow.lrs.one(statement_id)
        if kept is None or kept.body is None:
            return None
        if Scope.READ_ALL not in sender.scopes and kept.source_id != sender.source_id:
            return None
        is_voided = kept.voided or _voided_since(uow, kept)
    return kept if is_voided is voided else None


def _voided_since(uow: UnitOfWork, kept: Kept) -> bool:
    """Whether something voids it that the index has not come to yet."""
    voiding = [row for _, row, voids in uow.lrs.references_to([kept.id]) if voids]
    if not voiding or orjson.loads(kept.body or b"")["verb"]["id"] == VOIDED:
        return False
    return any(by.source_id == kept.source_id for by in uow.lrs.rows(voiding))


def attachments(ctx: Context, sender: Sender, hashes: Collection[str]) -> list[Attachment]:
    """The files of statements that were read, by their hashes: those that the sender's own source
    sent, or any where it may read all. A hash alone is no claim to a file of another.

    Raises TooMuch where they are more than is held in memory at once.
    """
    if not hashes:
        return []
    source = None if Scope.READ_ALL in sender.scopes else sender.source_id
    with ctx.store.reading() as uow:
        sizes = uow.lrs.attachment_sizes(source, hashes)
        if sum(sizes.values()) > MOST_FILES:
            raise TooMuch(
                f"The files of these statements are more than {MOST_FILES:,} bytes. Ask for fewer "
                "statements at once, with 'limit' or by 'statementId'."
            )
        return uow.lrs.attachments(list(sizes))


def definitions(ctx: Context, sender: Sender, ids: Collection[str]) -> dict[str, Any]:
    """What is known of activities: by the sender's own source, or by any where it may read all."""
    sources = None if Scope.READ_ALL in sender.scopes else [sender.source_id]
    with ctx.store.reading() as uow:
        return uow.lrs.definitions(sources, ids)


def senders_of(ctx: Context, source_key: str) -> list[Sender]:
    """The credentials of a source."""
    with ctx.store.reading() as uow:
        return [each for each in uow.senders.all() if each.source_key == source_key]


def may_read_anything(sender: Sender) -> None:
    """Raise NotAllowed where a credential may only send."""
    if not sender.may(Scope.READ_MINE, Scope.READ_ALL, Scope.DOCUMENTS):
        raise NotAllowed("This credential may send statements, and read nothing.")


def definitions_now(ctx: Context, sender: Sender, iri: str) -> Any:
    """What has been said of one activity until now; None where that is nothing."""
    up_to_date(ctx, PATIENCE)
    return definitions(ctx, sender, [iri]).get(iri)
