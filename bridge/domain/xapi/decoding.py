"""From bytes to JSON values, strictly: no key twice, nothing too deep, no number that is none.

`decode_exactly` says what is wrong and where. The fast road (fast.py) decodes by itself.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import msgspec
import orjson

from bridge.domain.xapi.problems import MOST_TOLD, BadStatement, Problem, Section, Version, step

#: How deep objects and arrays may lie in each other. It is what orjson can write again.
DEEPEST = 250
#: Blanks that stand in no text unescaped, so that mostly there is none; they are found in no time.
_BREAKS = (b"\n", b"\t", b"\r")
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def may_hide_a_key(body: bytes) -> bool:
    """Whether a key may stand in JSON in another way than as `":` behind its name.

    Where none may, a key that is there twice is found by counting: both in the bytes and in what is
    written of what was read, `":` stands after each key, and in texts that hold it.
    """
    for sign in _BREAKS:
        if sign in body and sign + b":" in body:
            return True
    return b" :" in body or b"\\u003" in body or b"\\u0022" in body


class Doubled(dict[str, Any]):
    """An object some of whose keys came more than once; the last of each holds."""

    twice: tuple[str, ...] = ()


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 18 else float(digits)


def decode_exactly(body: bytes, version: Version) -> Any:
    """The value. Raises BadStatement for what is no JSON, too deep, or has a key twice."""
    section = Section.FORMAT.words(version)
    try:
        value = orjson.loads(body)
    except ValueError as error:
        words = str(error).split(":")[0]
        if "depth" in words or "recursion" in words:
            raise BadStatement([too_deep("", section)]) from None
        raise BadStatement([Problem("", f"it is not JSON: {error}", section)]) from None
    if deepest_of(value) > DEEPEST:
        raise BadStatement([too_deep("", section)])
    any_doubled: list[Doubled] = []

    def made_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        doubled = Doubled(made)
        count = Counter(name for name, _ in pairs)
        doubled.twice = tuple(name for name, times in count.items() if times > 1)
        any_doubled.append(doubled)
        return doubled

    value = json.loads(body, object_pairs_hook=made_of, parse_int=_whole)
    if any_doubled:
        found = _doubled_in(value)
        raise BadStatement(
            [
                Problem(step(pointer, name), "this key is there more than once", section)
                for pointer, name in found[:MOST_TOLD]
            ],
            more=len(found) > MOST_TOLD,
        )
    return value


def too_deep(pointer: str, section: str) -> Problem:
    """The problem of what is nested without end."""
    return Problem(pointer, f"it is nested more than {DEEPEST} levels deep", section)


def deepest_of(value: Any) -> int:
    """How many objects and arrays lie in each other at most; counting ends above `DEEPEST`."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        inside: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inside += each.values()
            elif isinstance(each, list):
                inside += each
        holds = any(isinstance(each, dict | list) for each in level)
        depth += holds
        level = inside
    return depth


def _doubled_in(value: Any) -> list[tuple[str, str]]:
    """Where keys came more than once: pointers to the objects, and the keys."""
    found: list[tuple[str, str]] = []
    open_: list[tuple[str, Any]] = [("", value)]
    while open_ and len(found) <= MOST_TOLD:
        pointer, each = open_.pop()
        if isinstance(each, Doubled):
            found += [(pointer, name) for name in each.twice]
        inside = each.items() if isinstance(each, dict) else enumerate(each)
        open_ += [(step(pointer, k), v) for k, v in inside if isinstance(v, dict | list)]
    return found


def split(body: bytes, version: Version, most: int | None = None) -> list[bytes]:
    """The bytes of each element of an array, as they came; of anything else, the whole.

    Raises BadStatement for what is no JSON array, and above `most` elements.
    """
    if body.lstrip(b" \t\r\n")[:1] != b"[":
        return [body]
    try:
        parts = [bytes(raw) for raw in _RAW_ARRAY.decode(body)]
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        section = Section.FORMAT.words(version)
        raise BadStatement(
            [too_deep("", section) if deep else Problem("", f"it is not JSON: {error}", section)]
        ) from None
    if most is not None and len(parts) > most:
        raise BadStatement(
            [Problem("", f"there are more than {most} statements", Section.FORMAT.words(version))]
        )
    return parts


def is_number(value: object) -> bool:
    """Whether a JSON value is a number; true and false are none, nor is what is not finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
