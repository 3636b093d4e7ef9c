"""Why a statement became what it is: who told it, what was read from it, and what took it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from bridge.domain.errors import NotFound
from bridge.domain.identity import IdentityRule
from bridge.domain.statements import ToldOf
from bridge.domain.xapi.actors import identifier_of
from bridge.services import explain
from bridge.services.context import Context, training_team_only
from bridge.services.explain import Explanation
from bridge.services.ledger import reason_words


def statement(
    ctx: Context, key: str, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> Explanation:
    """What became of the statement of that id, in each source. Raises NotFound."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.statements.told_of(key.strip().lower())
    if not found:
        raise NotFound(f"There is no statement {key} in what was received.")
    told = Explanation(f"Statement {found[0].natural_key.split('#')[0]}")
    for each in found:
        part = Explanation(
            f"Received from {each.source_key}, {each.received_at:%Y-%m-%d %H:%M} UTC"
        )
        part.lines += _lines(each)
        if each.record_id is not None:
            part.parts.append(explain.record(ctx, each.record_id, rules_of))
        told.parts.append(part)
    return told


def _lines(each: ToldOf) -> list[str]:
    lines = []
    authority = _authority(each.body)
    if authority:
        lines.append(f"On the authority of {authority}.")
    if each.body is None:
        lines.append("What was sent is kept no longer. What was read from it stands.")
    if each.held is not None:
        lines.append(f"In quarantine: {each.held}")
    if each.reason is not None:
        lines.append(f"It does not count: {reason_words(each.reason)}")
    if each.taken_back_by is not None:
        lines.append(f"Taken back by the statement {each.taken_back_by}.")
    return lines


def _authority(body: bytes | None) -> str:
    try:
        value = orjson.loads(body or b"null")
    except ValueError:
        return ""
    return identifier_of(value.get("authority")) if isinstance(value, dict) else ""
