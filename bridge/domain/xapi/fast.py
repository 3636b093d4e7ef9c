"""The fast road: says yes to common well-formed statements, and nothing to any other.

What it accepts must be without error by the exact road too (a test holds the two together). The
shape is checked in one pass by msgspec; the strings whose form matters are checked once each and
remembered, because verbs, types, languages and extensions repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from bridge.domain.xapi import formats
from bridge.domain.xapi.instants import read_instant

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


class _Context(Struct, forbid_unknown_fields=True, gc=False):
    registration: str | UnsetType = UNSET
    instructor: _Agent | UnsetType = UNSET
    contextActivities: _Around | UnsetType = UNSET
    revision: str | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    extensions: dict[str, Any] | UnsetType = UNSET


class _Statement(Struct, forbid_unknown_fields=True, gc=False):
    actor: _Agent
    verb: _Verb
    object: _Activity
    id: str | UnsetType = UNSET
    result: _Result | UnsetType = UNSET
    context: _Context | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    stored: str | UnsetType = UNSET
    authority: _Agent | UnsetType = UNSET
    version: Literal["1.0.0", "1.0.1", "1.0.2", "1.0.3"] | UnsetType = UNSET


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


def accepts(value: Any, *, second: bool) -> bool:
    """Whether a decoded value is certainly a valid statement; False says nothing either way."""
    try:
        statement = msgspec.convert(value, _Statement)
    except (msgspec.ValidationError, RecursionError):
        return False
    instant = _instant_2 if second else _instant_1
    verb, result, context = statement.verb, statement.result, statement.context
    return (
        _agent(statement.actor)
        and _iri(verb.id)
        and verb.id != _VOIDED
        and (verb.display is UNSET or _map(verb.display))
        and _activity(statement.object)
        and (result is UNSET or _result(result))
        and (context is UNSET or _context(context))
        and (statement.id is UNSET or formats.is_uuid(statement.id))
        and (statement.timestamp is UNSET or instant(statement.timestamp))
        and (statement.stored is UNSET or instant(statement.stored))
        and (statement.authority is UNSET or _agent(statement.authority))
    )


def _map(texts: _Map) -> bool:
    return all(map(_tag, texts))


def _iris(names: dict[str, Any]) -> bool:
    return all(map(_iri, names))


def _agent(agent: _Agent) -> bool:
    if agent.mbox is UNSET:
        return agent.account is not UNSET and _iri(agent.account.home)
    return agent.account is UNSET and _mailbox(agent.mbox)


def _activity(activity: _Activity) -> bool:
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


def _result(result: _Result) -> bool:
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


def _context(context: _Context) -> bool:
    around = context.contextActivities
    if around is not UNSET:
        for several in (around.parent, around.grouping, around.category, around.other):
            if several is not UNSET and not all(map(_activity, several)):
                return False
    return (
        (context.extensions is UNSET or _iris(context.extensions))
        and (context.registration is UNSET or formats.is_uuid(context.registration))
        and (context.language is UNSET or _tag(context.language))
        and (context.instructor is UNSET or _agent(context.instructor))
    )
