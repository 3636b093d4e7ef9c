"""Parameters of requests, read and checked: agents, IRIs, instants, numbers, yes and no."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bridge.domain.lrs.presenting import in_microseconds
from bridge.domain.lrs.terms import ifi
from bridge.domain.xapi import BadStatement, Version
from bridge.domain.xapi.decoding import decode_exactly
from bridge.domain.xapi.exact import Enough, Walk
from bridge.domain.xapi.formats import is_iri, is_uuid
from bridge.domain.xapi.instants import read_instant
from bridge.lrs.asked import Asked
from bridge.lrs.wrong import Wrong, bad_statement

Json = dict[str, Any]


def only(asked: Asked, allowed: Collection[str]) -> None:
    """Raise Wrong where a parameter is none of these, saying how it is spelt."""
    for name in asked.parameters:
        if name not in allowed:
            like = next((a for a in allowed if a.casefold() == name.casefold()), None)
            hint = f" It is spelt '{like}'." if like else ""
            raise Wrong(400, f"There is no parameter '{name[:50]}' here.{hint}")


def needed(asked: Asked, name: str) -> str:
    """A parameter. Raises Wrong where it is missing."""
    value = asked.parameters.get(name)
    if not value:
        raise Wrong(400, f"The parameter '{name}' is missing.")
    return value


def iri(asked: Asked, name: str) -> str:
    """A parameter that is an IRI."""
    value = needed(asked, name)
    if not is_iri(value):
        raise Wrong(400, f"The parameter '{name}' must be an IRI with a scheme.")
    return value


def uuid(asked: Asked, name: str) -> str:
    """A parameter that is a UUID, in small letters."""
    value = needed(asked, name)
    if not is_uuid(value):
        raise Wrong(400, f"The parameter '{name}' must be a UUID in its standard form.")
    return value.lower()


def instant(asked: Asked, name: str) -> int | None:
    """A parameter that is an instant, in microseconds since 1970; None without it."""
    if name not in asked.parameters:
        return None
    moment = read_instant(asked.parameters[name], second=asked.version is Version.V2)
    if moment is None:
        raise Wrong(400, f"The parameter '{name}' must be a date and time, as 2026-11-26T10:00:00Z")
    return in_microseconds(moment)


def yes(asked: Asked, name: str) -> bool:
    """A parameter that is true or false; false without it."""
    value = asked.parameters.get(name, "false")
    if value not in ("true", "false"):
        raise Wrong(400, f"The parameter '{name}' must be true or false.")
    return value == "true"


def number(asked: Asked, name: str) -> int:
    """A parameter that is a whole number of 0 or more; 0 without it."""
    value = asked.parameters.get(name, "0")
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise Wrong(400, f"The parameter '{name}' must be a whole number, 0 or more.")
    return int(value)


def agent(asked: Asked, name: str = "agent") -> Json:
    """A parameter that is an agent or an identified group, in JSON."""
    try:
        value = decode_exactly(
            needed(asked, name).encode("utf-8", "surrogateescape"), asked.version
        )
    except BadStatement as error:
        raise bad_statement(error) from None
    walk = Walk(asked.version)
    try:
        is_group = isinstance(value, dict) and value.get("objectType") == "Group"
        (walk.group if is_group else walk.agent)(value, "")
    except Enough:
        pass
    if walk.problems:
        raise bad_statement(BadStatement(walk.problems))
    if ifi(value) is None:
        raise Wrong(400, f"The group in '{name}' must have an identifier.")
    found: Json = value
    return found
