"""From the bytes of one statement to the items that it tells, or to why it cannot be read."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from bridge.domain.records import Pulled, Unreadable
from bridge.domain.xapi import BadStatement, Problem, Version, validate
from bridge.domain.xapi.decoding import decode_exactly
from bridge.domain.xapi.reading import ReadingRules, instant_of, items_of, natural_key

#: Where an error makes no difference to what a statement tells of learning.
_HARMLESS = (
    "/attachments", "/authority", "/version", "/verb/display",
    "/object/definition/description", "/object/definition/name/", "/object/definition/moreInfo",
    "/object/definition/extensions/", "/object/definition/choices", "/object/definition/scale",
    "/object/definition/source", "/object/definition/target", "/object/definition/steps",
    "/object/definition/correctResponsesPattern", "/object/definition/interactionType",
    "/result/extensions", "/result/response",
    "/context/registration", "/context/instructor", "/context/team", "/context/revision",
    "/context/platform", "/context/language", "/context/statement", "/context/extensions/",
    "/context/contextAgents", "/context/contextGroups",
)  # fmt: skip
#: What only an exact reading of a whole statement can have found.
_EXTRA = "has no such property"


class Told(NamedTuple):
    """One statement: what it tells, and when it happened and was stored, if that could be read."""

    items: list[Pulled]
    key: str
    happened: datetime | None
    stored: datetime | None


def read_statement(body: bytes, rules: ReadingRules) -> Told:
    """Read one statement of an LRS. What it holds is judged by either edition.

    An error that makes no difference to what is told, such as a language tag that an older LRS let
    through, keeps nobody's learning back.
    """
    try:
        value = _valid(body)
    except BadStatement as error:
        key = _key_of(body)
        words = f"It is no valid statement: {error} Correct it at its sender, or void it."
        return Told([Pulled(key, body, Unreadable("not-valid", words))], key, None, None)
    return Told(
        items_of(value, body, rules),
        natural_key(value),
        instant_of(value, "timestamp"),
        instant_of(value, "stored"),
    )


def _valid(body: bytes) -> dict[str, Any]:
    try:
        return validate(body, Version.V1)
    except BadStatement as first:
        try:
            return validate(body, Version.V2)
        except BadStatement as second:
            # Whichever edition finds less wrong is the one that it was written by.
            error = min(first, second, key=lambda e: (e.more, len(e.problems)))
    if error.more or not all(map(_harmless, error.problems)):
        raise error
    value: dict[str, Any] = decode_exactly(body, Version.V2)
    return value


def _harmless(problem: Problem) -> bool:
    if problem.pointer.startswith("/actor"):
        return False
    return problem.pointer.startswith(_HARMLESS) or _EXTRA in problem.rule


def _key_of(body: bytes) -> str:
    """The id, if it can be read at all; or what follows from the bytes alone."""
    try:
        value = orjson.loads(body)
        given = value.get("id") if isinstance(value, dict) else None
    except ValueError:
        given = None
    if isinstance(given, str) and 0 < len(given) <= 100 and given.isprintable():
        return given.lower()
    return f"unreadable:{hashlib.sha256(body).hexdigest()}"
