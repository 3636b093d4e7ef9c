"""The fast road: says yes to common well-formed statements, and nothing to any other.

What it accepts must be without error by the exact road too (a test holds the two together). A
statement is taken apart into the bytes of its parts, and what was judged once is remembered:
verbs, activities and learners repeat. Of what is new, msgspec checks the shape in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import orjson
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from bridge.domain.xapi import formats
from bridge.domain.xapi.decoding import DEEPEST, may_hide_a_key
from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.logstore import said_by_it
from bridge.domain.xapi.remembering import Remembered

_Scaled = Annotated[float, Meta(ge=-1, le=1)]
_Map = dict[str, str]


class _Account(Struct, forbid_unknown_fields=True, gc=False):
    home: str = msgspec.field(name="homePage")
    name: str


class _Agent(Struct, forbid_unknown_fields=True, gc=False):
    objectType: Literal["Agent"] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    mbox: str | UnsetType = UNSET
    account: _Account | UnsetType = UNSET


class _Verb(Struct, forbid_unknown_fields=True, gc=False):
    id: str
    display: _Map | UnsetType = UNSET


class _Definition(Struct, forbid_unknown_fields=True, gc=False):
    name: _Map | UnsetType = UNSET
    description: _Map | UnsetType = UNSET
    type: str | UnsetType = UNSET
    moreInfo: str | UnsetType = UNSET
    extensions: dict[str, Any] | UnsetType = UNSET
    interactionType: (
        Literal[
            "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance",
            "sequencing", "likert", "numeric", "other",
        ]
        | UnsetType
    ) = UNSET  # fmt: skip
    correctResponsesPattern: list[str] | UnsetType = UNSET


class _Activity(Struct, forbid_unknown_fields=True, gc=False):
    id: str
    objectType: Literal["Activity"] | UnsetType = UNSET
    definition: _Definition | UnsetType = UNSET


class _Score(Struct, forbid_unknown_fields=True, gc=False):
    scaled: _Scaled | UnsetType = UNSET
    raw: float | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET


class _Result(Struct, forbid_unknown_fields=True, gc=False):
    score: _Score | UnsetType = UNSET
    success: bool | UnsetType = UNSET
    completion: bool | UnsetType = UNSET
    response: str | UnsetType = UNSET
    duration: str | UnsetType = UNSET
    extensions: dict[str, Any] | UnsetType = UNSET


class _Around(Struct, forbid_unknown_fields=True, gc=False):
    parent: list[_Activity] | UnsetType = UNSET
    grouping: list[_Activity] | UnsetType = UNSET
    category: list[_Activity] | UnsetType = UNSET
    other: list[_Activity] | UnsetType = UNSET


class _ContextParts(Struct, forbid_unknown_fields=True, gc=False):
    contextActivities: Raw | UnsetType = UNSET
    extensions: Raw | UnsetType = UNSET
    instructor: Raw | UnsetType = UNSET
    language: Raw | UnsetType = UNSET
    platform: Raw | UnsetType = UNSET
    registration: str | UnsetType = UNSET
    revision: Raw | UnsetType = UNSET


class _Parts(Struct, forbid_unknown_fields=True, gc=False):
    actor: Raw
    verb: Raw
    object: Raw
    id: str | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    stored: str | UnsetType = UNSET
    authority: Raw | UnsetType = UNSET
    version: Literal["1.0.0", "1.0.1", "1.0.2", "1.0.3"] | UnsetType = UNSET


_STATEMENT, _CONTEXT = msgspec.json.Decoder(_Parts), msgspec.json.Decoder(_ContextParts)
_NO_JSON = (msgspec.DecodeError, ValueError, RecursionError)


class _Known:
    """Texts that have a form, checked once each. It forgets all when it holds too many."""

    MOST = 20_000
    #: Longer ones are checked each time, so that what is remembered stays small, in characters.
    LONGEST = 300

    def __init__(self, fits: Callable[[str], bool]) -> None:
        self._fits = fits
        self.seen: set[str] = set()

    def __call__(self, text: str) -> bool:
        if text in self.seen:
            return True
        if not self._fits(text):
            return False
        if len(text) <= self.LONGEST:
            if len(self.seen) >= self.MOST:
                self.seen.clear()
            self.seen.add(text)
        return True


_iri = _Known(formats.is_iri)
_tag = _Known(formats.is_language)
_mailbox = _Known(formats.is_mailbox)
_instant_1 = _Known(lambda text: read_instant(text, second=False) is not None)
_instant_2 = _Known(lambda text: read_instant(text, second=True) is not None)
_VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class Told(NamedTuple):
    """Of a valid statement: its id, or None; whether it names its moment; and what it tells, that
    is, as JSON with sorted keys, all that `bridge.domain.xapi.content.content_key` goes by."""

    id: str | None
    moment: bool
    content: bytes


def told_at_once(body: bytes, *, second: bool) -> Told | None:
    """What certainly is a valid statement; None says nothing either way."""
    try:
        return _told(body, _STATEMENT.decode(body), _instant_2 if second else _instant_1)
    except _NO_JSON:
        return None


class _Part(NamedTuple):
    """A part with its name, and no key in it that is there twice: as JSON with sorted keys, how
    many bytes it came in (a comma behind it counted), and how often `":` stands in them."""

    content: bytes
    size: int
    colons: int


def _told(body: bytes, parts: _Parts, instant: Callable[[str], bool]) -> Told | None:
    pieces, size, colons = [], 1, 0
    for raw, judge in zip(_PARTS_OF_STATEMENT(parts), _JUDGES_OF_STATEMENT, strict=True):
        if raw is not UNSET:
            part = judge(raw)
            if part is None:
                return None
            pieces.append(part.content)
            size += part.size
            colons += part.colons
    if parts.authority is not UNSET:
        authority = _authority(parts.authority)
        if authority is None:
            return None
        size += authority.size
        colons += authority.colons
    for size_of_key, text, fits in (
        (15, parts.timestamp, instant),
        (12, parts.stored, instant),
        (8, parts.id, formats.is_uuid),
        (13, parts.version, None),
    ):
        if text is not UNSET:
            if fits is not None and not fits(text):
                return None
            size += size_of_key + len(text)
            colons += 1
    if not _once(body, size, colons):
        return None
    moment = parts.timestamp is not UNSET
    if parts.timestamp is not UNSET:
        pieces.insert(-1, b'"timestamp":"%b"' % parts.timestamp.encode())
    given = None if parts.id is UNSET else parts.id
    return Told(given, moment, b"{%b}" % b",".join(pieces))


def _context(raw: Raw) -> _Part | None:
    written, context = bytes(raw), _CONTEXT.decode(raw)
    pieces, size, colons, differs = [], 1, 0, False
    for inner, judge in zip(_PARTS_OF_CONTEXT(context), _JUDGES_OF_CONTEXT, strict=True):
        if inner is not UNSET:
            part = judge(inner)
            if part is None:
                return None
            pieces.append(part.content)
            size += part.size
            colons += part.colons
            if judge is _extensions:
                differs = _is_logstores(part.content)
    if context.registration is not UNSET:
        if not formats.is_uuid(context.registration):
            return None
        if not differs:
            at = len(pieces) - (context.revision is not UNSET)
            pieces.insert(at, b'"registration":"%b"' % context.registration.encode())
        size += 18 + len(context.registration)
        colons += 1
    if not _once(written, size, colons):
        return None
    return _Part(b'"context":{%b}' % b",".join(pieces), 11 + len(written), 1 + colons)


@lru_cache(maxsize=1000)
def _is_logstores(extensions: bytes) -> bool:
    """Whether the registration says something else each time that this is sent."""
    return bool(said_by_it({"context": orjson.loads(b"{%b}" % extensions)}))


def _once(written: bytes, size: int, colons: int) -> bool:
    """Whether certainly no key is there twice in an object whose parts are without such.

    It is so where it has no byte more than its parts need: `size`. If it has, `":` must stand in it
    just as often as in what was read of it: `colons`.
    """
    return len(written) == size or (not may_hide_a_key(written) and written.count(b'":') == colons)


class _Judge:
    """Judges parts of one name, each once."""

    def __init__(self, name: str, kind: Any, fits: Callable[[Any], bool]) -> None:
        self._key, self._kind, self._fits = f'"{name}":'.encode(), kind, fits
        self.seen: Remembered[_Part] = Remembered()

    def __call__(self, raw: Raw) -> _Part | None:
        written = bytes(raw)
        return self.seen.get(written) or self._judged(written)

    def _judged(self, written: bytes) -> _Part | None:
        # What could lie too deep is the exact road's.
        if written.count(b"{") + written.count(b"[") > DEEPEST // 2 or may_hide_a_key(written):
            return None
        value = orjson.loads(written)
        content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        colons = content.count(b'":')
        if written.count(b'":') != colons or not self._fits(msgspec.convert(value, self._kind)):
            return None
        part = _Part(self._key + content, len(self._key) + len(written) + 1, 1 + colons)
        return self.seen.keep(written, part)


def _map(texts: _Map) -> bool:
    return all(map(_tag, texts))


def _iris(names: dict[str, Any]) -> bool:
    return all(map(_iri, names))


def _is_agent(agent: _Agent) -> bool:
    if agent.mbox is UNSET:
        return agent.account is not UNSET and _iri(agent.account.home)
    return agent.account is UNSET and _mailbox(agent.mbox)


def _is_verb(verb: _Verb) -> bool:
    return _iri(verb.id) and verb.id != _VOIDED and (verb.display is UNSET or _map(verb.display))


def _is_activity(activity: _Activity) -> bool:
    if not _iri(activity.id):
        return False
    of = activity.definition
    if of is UNSET:
        return True
    return (
        (of.name is UNSET or _map(of.name))
        and (of.type is UNSET or _iri(of.type))
        and (of.extensions is UNSET or _iris(of.extensions))
        and (of.description is UNSET or _map(of.description))
        and (of.moreInfo is UNSET or _iri(of.moreInfo))
        and (of.correctResponsesPattern is UNSET or of.interactionType is not UNSET)
    )


def _is_result(result: _Result) -> bool:
    score = result.score
    if score is not UNSET:
        raw, least, most = score.raw, score.min, score.max
        if least is not UNSET and most is not UNSET and least >= most:
            return False
        if raw is not UNSET and (
            (least is not UNSET and raw < least) or (most is not UNSET and raw > most)
        ):
            return False
    return (result.duration is UNSET or formats.is_duration(result.duration)) and (
        result.extensions is UNSET or _iris(result.extensions)
    )


def _is_around(around: _Around) -> bool:
    return all(
        several is UNSET or all(map(_is_activity, several))
        for several in (around.parent, around.grouping, around.category, around.other)
    )


def _any_text(_text: str) -> bool:
    return True


_authority = _Judge("authority", _Agent, _is_agent)
_extensions = _Judge("extensions", dict[str, Any], _iris)
_PARTS_OF_CONTEXT = attrgetter(
    "contextActivities", "extensions", "instructor", "language", "platform", "revision"
)
_JUDGES_OF_CONTEXT = (
    _Judge("contextActivities", _Around, _is_around),
    _extensions,
    _Judge("instructor", _Agent, _is_agent),
    _Judge("language", str, _tag),
    _Judge("platform", str, _any_text),
    _Judge("revision", str, _any_text),
)
_verb = _Judge("verb", _Verb, _is_verb)
_PARTS_OF_STATEMENT = attrgetter("actor", "context", "object", "result", "verb")
_JUDGES_OF_STATEMENT: tuple[Callable[[Raw], _Part | None], ...] = (
    _Judge("actor", _Agent, _is_agent),
    _context,
    _Judge("object", _Activity, _is_activity),
    _Judge("result", _Result, _is_result),
    _verb,
)
