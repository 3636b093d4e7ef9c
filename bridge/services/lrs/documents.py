"""States and profiles: reading, putting, merging and removing them, with optimistic concurrency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from bridge.domain.errors import NotAllowed
from bridge.domain.lrs.documents import (
    Conflict,
    Document,
    NotMergeable,
    Place,
    Precondition,
    Unconditional,
    etag_of,
    is_json,
    matches,
    merged,
)
from bridge.domain.lrs.presenting import in_microseconds
from bridge.domain.lrs.senders import Scope, Sender
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request says of the document that it expects: headers as they came, None without.

    `careful`: whoever would replace a document must say which; with `always`, also whoever puts one
    where there is none.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    careful: bool = False
    always: bool = False


def may_use(sender: Sender) -> None:
    """Raise NotAllowed unless the sender may read and write documents."""
    if not sender.may(Scope.DOCUMENTS):
        raise NotAllowed("This credential may not use states and profiles.")


def get(ctx: Context, sender: Sender, place: Place, name: str) -> Document | None:
    """A document. Raises NotAllowed."""
    may_use(sender)
    with ctx.store.reading() as uow:
        return uow.documents.get(place, name)


def names(
    ctx: Context, sender: Sender, place: Place, since: int | None, *, any_registration: bool
) -> list[tuple[str, int]]:
    """Names and instants of the documents of a place that changed later than `since`."""
    may_use(sender)
    with ctx.store.reading() as uow:
        return uow.documents.names(place, since, any_registration=any_registration)


def put(
    ctx: Context, sender: Sender, place: Place, new: tuple[str, str, bytes], on: Condition
) -> None:
    """Keep a document (name, media type, bytes) in the place of what was there.

    Raises Precondition, and Conflict or Unconditional where one must say which document is meant
    and does not.
    """
    may_use(sender)
    name, media_type, body = new
    with ctx.store.begin() as uow:
        now = ctx.clock.now()
        before = uow.documents.get(place, name, lock=True)
        _check(before, on)
        silent = on.if_match is None and on.if_none_match is None
        if silent and on.always and before is None:
            raise Unconditional(
                "Send If-None-Match: * with a new document, or If-Match with the ETag of the one "
                "that it replaces."
            )
        if silent and on.careful and before is not None:
            raise Conflict(
                "There is a document already. Read it, and send its ETag in If-Match; or send "
                "If-None-Match: * if you mean to make a new one only."
            )
        _put(uow, place, Document(name, media_type, etag_of(body), body, 0), now)


def post(
    ctx: Context, sender: Sender, place: Place, new: tuple[str, str, bytes], on: Condition
) -> None:
    """Lay a JSON object over the one that is there, or keep a document where there is none.

    Raises NotMergeable where both are not JSON objects, and Precondition.
    """
    may_use(sender)
    name, media_type, body = new
    value = _object(body) if is_json(media_type) else None
    if is_json(media_type) and value is None:
        raise NotMergeable("The document says that it is JSON, and is no JSON object.")
    with ctx.store.begin() as uow:
        now = ctx.clock.now()
        before = uow.documents.get(place, name, lock=True)
        _check(before, on)
        if before is not None:
            old = _object(before.body) if is_json(before.media_type) else None
            if old is None or value is None:
                raise NotMergeable(
                    "Only a JSON object can be laid over another, both of the type "
                    "application/json. Send the whole document with PUT."
                )
            body, media_type = merged(old, value), before.media_type
        _put(uow, place, Document(name, media_type, etag_of(body), body, 0), now)


def delete(ctx: Context, sender: Sender, place: Place, name: str, on: Condition) -> None:
    """Remove a document, if there is one. Raises Precondition."""
    may_use(sender)
    with ctx.store.begin() as uow:
        if on.if_match is not None or on.if_none_match is not None:
            _check(uow.documents.get(place, name, lock=True), on)
        uow.documents.delete(place, name)


def clear(ctx: Context, sender: Sender, place: Place, *, any_registration: bool) -> None:
    """Remove every document of a place."""
    may_use(sender)
    with ctx.store.begin() as uow:
        uow.documents.clear(place, any_registration=any_registration)


def forget_old(ctx: Context, before: datetime) -> int:
    """Remove documents that nobody has changed since then; how many."""
    with ctx.store.begin() as uow:
        return uow.documents.forget(before)


def _check(before: Document | None, on: Condition) -> None:
    etag = None if before is None else before.etag
    if on.if_match is not None and not matches(on.if_match, etag):
        raise Precondition("The document is not the one that If-Match names. Read it again.")
    if on.if_none_match is not None and matches(on.if_none_match, etag):
        raise Precondition("The document that If-None-Match rules out is there. Read it again.")


def _put(uow: UnitOfWork, place: Place, document: Document, now: datetime) -> None:
    uow.documents.put(place, document._replace(updated=in_microseconds(now)), now)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
