"""Receiving statements: a request's are kept all or none, and answered once they are durable."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

from bridge.domain.errors import TryLater
from bridge.domain.lrs.files import hashes_of
from bridge.domain.lrs.sameness import same
from bridge.domain.lrs.senders import Sender, Trust, authority_of
from bridge.domain.lrs.statements import (
    AnotherStatement,
    Attachment,
    Kept,
    NewStatement,
    hyphenated,
)
from bridge.domain.repositories import UnitOfWork
from bridge.domain.xapi import Valid, Version
from bridge.domain.xapi.exact import VOIDED
from bridge.services.context import Context

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """What a request brought. `version` is the edition it was judged by.

    `home_page` is the bridge's own address, in the authority of what it receives.
    """

    statements: Sequence[Valid]
    version: Version
    home_page: str
    attachments: Sequence[Attachment] = ()
    statement_id: str | None = None


def receive(ctx: Context, sender: Sender, letter: Letter) -> list[str]:
    """Keep the statements of a request, in one transaction; their ids in its order.

    Statements that are known already and say the same are not kept again. Raises AnotherStatement
    where one is known and says something else: nothing of the request is kept then.
    """
    new = [_new(each, sender, letter.statement_id) for each in letter.statements]
    unique = list({each.id: each for each in new}.values())
    if not _keep(ctx, sender, letter, unique):
        _keep_unknown(ctx, sender, letter, unique)
    return [hyphenated(each.id) for each in new]


def _new(valid: Valid, sender: Sender, statement_id: str | None) -> NewStatement:
    given = valid.id or statement_id
    if given is not None:
        key = given.lower()
        statement_id = key.replace("-", "")
    elif valid.moment:
        # Without an id it gets one by what it says, so that a second try is no second statement.
        told = hashlib.sha256(f"{sender.source_id} {valid.content_key}".encode()).digest()
        statement_id = _as_version_5(told[:16])
        key = hyphenated(statement_id)
    else:
        # The same may happen twice, and nothing tells the two apart.
        statement_id = uuid.uuid4().hex
        key = hyphenated(statement_id)
    voids = None
    if not valid.common and valid.value["verb"]["id"] == VOIDED:
        voids = valid.value["object"]["id"].lower().replace("-", "")
    return NewStatement(
        statement_id, key, hashlib.sha256(valid.body).digest(), valid.body, valid.moment, voids
    )


def _as_version_5(told: bytes) -> str:
    """16 bytes as the digits of a UUID (RFC 9562, 4.1 and 5.5)."""
    digits = told.hex()
    return f"{digits[:12]}5{digits[13:16]}{'89ab'[told[8] >> 4 & 3]}{digits[17:]}"


def _keep(
    ctx: Context,
    sender: Sender,
    letter: Letter,
    new: Sequence[NewStatement],
    in_the_way: Collection[Kept] = (),
) -> bool:
    """Keep them, if all of them are new; whether they were. What is in the way goes by another id
    from then on."""
    with ctx.store.begin() as uow:
        for each in in_the_way:
            uow.lrs.rename(each.row, _another_id(each))
        rows = uow.lrs.begin_receiving(len(new))
        stored = ctx.clock.now()
        about = {
            "version": letter.version.value,
            "authority": authority_of(letter.home_page, sender.source_key),
        }
        envelopes = (
            orjson.dumps(about),
            orjson.dumps({**about, "stored": stored.isoformat()}),
        )
        brought = _brought(letter, rows, new) if letter.attachments else ()
        if brought:
            wanted = {sha2 for sha2, _ in brought}
            uow.lrs.add_attachments([a for a in letter.attachments if a.sha2 in wanted], stored)
        if uow.lrs.add(sender.source_id, list(zip(rows, new, strict=True)), stored, envelopes):
            uow.lrs.attach(sender.source_id, brought)
            return True
        uow.roll_back()
        return False


def _brought(
    letter: Letter, rows: Sequence[int], new: Sequence[NewStatement]
) -> list[tuple[str, int]]:
    """(hash, row) of each file that came with these statements."""
    came = {each.sha2 for each in letter.attachments}
    return [
        (sha2, row)
        for row, each in zip(rows, new, strict=True)
        for sha2 in hashes_of(orjson.loads(each.body)) & came
    ]


def _keep_unknown(
    ctx: Context, sender: Sender, letter: Letter, new: Sequence[NewStatement]
) -> None:
    """Keep those that are new, once it is clear that the others say what they said before."""
    for _ in range(_ATTEMPTS):
        with ctx.store.reading() as uow:
            known = uow.lrs.known(sender.source_id, new)
            in_the_way = _taken_in_advance(uow, sender, known.values())
        for each in in_the_way:
            del known[each.id]
        for statement_id, kept in known.items():
            mine = next(each for each in new if each.id == statement_id)
            if kept.body is None or kept.body == mine.body:
                continue
            if not same(orjson.loads(kept.body), orjson.loads(mine.body)):
                raise AnotherStatement(hyphenated(statement_id))
        left = [each for each in new if each.id not in known]
        if not left or _keep(ctx, sender, letter, left, in_the_way):
            return
    raise TryLater("Others send the same statements at this moment. Send them again.")


def _taken_in_advance(uow: UnitOfWork, sender: Sender, known: Collection[Kept]) -> list[Kept]:
    """Those of an untrusted source, where a trusted one sends.

    Whoever sees an id in a browser could send something under it first; the true statement would be
    refused then, or taken for known.
    """
    others = [each for each in known if each.source_id != sender.source_id]
    if not others or sender.trust is not Trust.TRUSTED:
        return []
    trusted = {each.id for each in uow.ops.sources() if each.trusted}
    return [each for each in others if each.source_id not in trusted]


def _another_id(kept: Kept) -> str:
    told = hashlib.sha256(f"{kept.source_id} {kept.row} {kept.id}".encode()).digest()
    return _as_version_5(told[:16])
