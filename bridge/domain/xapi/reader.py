"""Reads many statements: what it has read of their parts it remembers, for learners, activities and
results come again and again."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import orjson
from msgspec import UNSET, Raw, Struct, UnsetType

from bridge.domain.records import AccountFacts, ActivityFacts, Booking, NoRecord, Pulled, Status
from bridge.domain.xapi.actors import account_of
from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.reading import (
    ReadingRules,
    activity_of,
    booking_of,
    fact_of,
    is_believed,
    items_of,
    score_of,
    told_by,
)
from bridge.domain.xapi.remembering import Remembered

Json = dict[str, Any]


class _Context(Struct, gc=False):
    contextActivities: Raw | UnsetType = UNSET
    extensions: Raw | UnsetType = UNSET


class _Statement(Struct, gc=False):
    actor: Raw
    verb: Raw
    object: Raw
    result: Raw | UnsetType = UNSET
    context: _Context | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET


_STATEMENT = msgspec.json.Decoder(_Statement)
_NOTHING = _Context()


class _How(NamedTuple):
    """What a verb and a result tell: as `bridge.domain.xapi.reading` reads them."""

    told: Status | NoRecord | None
    score: float | None
    booking: Booking | None


class Reader:
    """Reads the statements of one source by its `rules`. Not more than three parts of a few
    megabytes each are remembered."""

    def __init__(self, rules: ReadingRules) -> None:
        self.rules = rules
        self._accounts: Remembered[AccountFacts] = Remembered()
        self._activities: Remembered[ActivityFacts] = Remembered()
        self._hows: Remembered[_How] = Remembered()

    def items_of(self, key: str, body: bytes, stored: str | None) -> list[Pulled]:
        """As `bridge.domain.xapi.reading.items_of` of a valid statement that is known by `key`;
        `stored` stands for a timestamp that it lacks. Raises what that raises."""
        statement = _STATEMENT.decode(body)
        item = self._common(statement, key, body, stored)
        if item is not None:
            return [item]
        value = orjson.loads(body)
        if "timestamp" not in value:
            value = {**value, "timestamp": stored}
        return items_of({**value, "id": key}, body, self.rules)

    def _common(
        self, statement: _Statement, key: str, body: bytes, stored: str | None
    ) -> Pulled | None:
        """The item of a statement about one learner and an activity; None of any other."""
        context = _NOTHING if statement.context is UNSET else statement.context
        account, activity = self._account(statement.actor), self._activity(statement, context)
        if account is None or activity is None:
            return None
        told, score, booking = self._how(statement, context)
        if isinstance(told, NoRecord):
            return Pulled(key, body, told)
        written = stored if statement.timestamp is UNSET else statement.timestamp
        at = read_instant(written, second=False) if written else None
        if at is None or not is_believed(at):
            return None
        return Pulled(key, body, fact_of(account, activity, told, at, score, booking, self.rules))

    def _account(self, raw: Raw) -> AccountFacts | None:
        written = bytes(raw)
        known = self._accounts.get(written)
        if known is not None:
            return known
        actor = orjson.loads(written)
        if actor.get("objectType") == "Group":
            return None
        return self._accounts.keep(written, account_of(actor, self.rules.homes))

    def _activity(self, statement: _Statement, context: _Context) -> ActivityFacts | None:
        about, around = bytes(statement.object), _bytes(context.contextActivities)
        known = self._activities.get(about + around)
        if known is not None:
            return known
        told = {"object": orjson.loads(about)}
        if told["object"].get("objectType", "Activity") != "Activity":
            return None
        if around:
            told["context"] = {"contextActivities": orjson.loads(around)}
        return self._activities.keep(about + around, activity_of(told))

    def _how(self, statement: _Statement, context: _Context) -> _How:
        verb, about = bytes(statement.verb), bytes(statement.object)
        result, extensions = _bytes(statement.result), _bytes(context.extensions)
        written = b"\0".join((verb, result, about, extensions))
        known = self._hows.get(written)
        if known is not None:
            return known
        value: Json = {"verb": orjson.loads(verb), "object": orjson.loads(about)}
        if result:
            value["result"] = orjson.loads(result)
        if extensions:
            value["context"] = {"extensions": orjson.loads(extensions)}
        told = told_by(value, self.rules)
        booking = booking_of(value, told) if isinstance(told, Status) else None
        return self._hows.keep(written, _How(told, score_of(value), booking))


def _bytes(raw: Raw | UnsetType) -> bytes:
    return b"" if raw is UNSET else bytes(raw)
