"""Statements as they are read: with what the LRS sets filled in, exact, canonical or as ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from bridge.domain.xapi.instants import read_instant

Json = dict[str, Any]
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
#: What is the LRS's to say, whatever the sender said.
_OURS = ("id", "stored", "authority", "timestamp", "version")
_IFIS = ("mbox", "mbox_sha1sum", "openid", "account")
#: The definition of an activity by its id, as it is known now; None where none is.
Definitions = Callable[[str], Json | None]


def as_instant(microseconds: int) -> str:
    """An instant, in microseconds since 1970, as statements write it."""
    moment = datetime.fromtimestamp(microseconds // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds % 1_000_000:06d}Z"


def in_microseconds(moment: datetime) -> int:
    """An aware instant in microseconds since 1970."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond


def exact(body: bytes, statement_id: str, stored: int, version: str, authority: bytes) -> bytes:
    """A stored statement's bytes with id, stored, authority, timestamp and version filled in.

    All else stands as it came, but that a context activity that came alone is in an array.
    """
    members: dict[str, Any] = _MEMBERS.decode(body)
    at = as_instant(stored)
    own_version = members.get("version")
    written = members.get("timestamp")
    timestamp = f'"{at}"'.encode() if written is None else bytes(written)
    if written is not None and version.startswith("2."):
        timestamp = _in_utc(timestamp)
    parts = [
        b'{"id":"%b"' % statement_id.encode(),
        b'"stored":"%b"' % at.encode(),
        b'"authority":%b' % authority,
        b'"timestamp":%b' % timestamp,
        b'"version":%b' % (f'"{version}"'.encode() if own_version is None else bytes(own_version)),
    ]
    for name, raw in members.items():
        if name in _OURS:
            continue
        written = bytes(raw)
        if name in ("context", "object") and b"contextActivities" in written:
            written = _in_arrays(written)
        parts.append(b"%b:%b" % (orjson.dumps(name), written))
    return b",".join(parts) + b"}"


def _in_utc(written: bytes) -> bytes:
    text = orjson.loads(written)
    moment = read_instant(text, second=True)
    if moment is None or text.endswith(("Z", "z")):
        return written
    return orjson.dumps(as_instant(in_microseconds(moment)))


def _in_arrays(written: bytes) -> bytes:
    value = orjson.loads(written)
    context = value.get("context", value)
    around = context.get("contextActivities") if isinstance(context, dict) else None
    if not isinstance(around, dict) or all(isinstance(each, list) for each in around.values()):
        return written
    for name, each in around.items():
        if not isinstance(each, list):
            around[name] = [each]
    return orjson.dumps(value)


# --- ids --------------------------------------------------------------------------------------
def as_ids(statement: Json) -> Json:
    """The same with no more of agents, verbs and activities than what they are known by."""
    return _walk(
        statement,
        _agent_ids,
        lambda activity: {"id": activity["id"]},
        lambda verb: {"id": verb["id"]},
    )


def _agent_ids(agent: Json) -> Json:
    plain = {name: agent[name] for name in ("objectType", *_IFIS) if name in agent}
    if agent.get("objectType") == "Group" and not any(name in agent for name in _IFIS):
        plain["member"] = [_agent_ids(member) for member in agent.get("member", ())]
    return plain


# --- canonical ----------------------------------------------------------------------------------
def canonical(statement: Json, definitions: Definitions, languages: Sequence[str]) -> Json:
    """The same with activities as they are defined now, and one language in each language map."""

    def activity(each: Json) -> Json:
        known = definitions(each["id"])
        defined = known if known is not None else each.get("definition")
        if defined is None:
            return each
        return {**each, "definition": one_language(defined, languages)}

    def verb(each: Json) -> Json:
        return (
            {**each, "display": _pick(each["display"], languages)} if each.get("display") else each
        )

    return _walk(statement, lambda agent: agent, activity, verb)


def one_language(definition: Json, languages: Sequence[str]) -> Json:
    """A definition with one language in each of its language maps."""
    plain = dict(definition)
    for name in ("name", "description"):
        if plain.get(name):
            plain[name] = _pick(plain[name], languages)
    for name in ("choices", "scale", "source", "target", "steps"):
        if name in plain:
            plain[name] = [
                {**each, "description": _pick(each["description"], languages)}
                if each.get("description")
                else each
                for each in plain[name]
            ]
    return plain


def _pick(texts: Json, languages: Sequence[str]) -> Json:
    by_tag: dict[str, str] = {}
    by_language: dict[str, str] = {}
    for tag in texts:
        by_tag[tag.casefold()] = tag
        by_language.setdefault(tag.casefold().split("-")[0], tag)
    for wanted in (*languages, "en", "und"):
        low = wanted.casefold()
        found = by_tag.get(low) or by_language.get(low.split("-")[0])
        if found is not None:
            return {found: texts[found]}
    first = next(iter(texts), None)
    return {} if first is None else {first: texts[first]}


# --- the same walk for both -----------------------------------------------------------------------
def _walk(
    statement: Json,
    agent: Callable[[Json], Json],
    activity: Callable[[Json], Json],
    verb: Callable[[Json], Json],
) -> Json:
    plain = dict(statement)
    plain["actor"] = agent(plain["actor"])
    plain["verb"] = verb(plain["verb"])
    about = plain["object"]
    kind = about.get("objectType", "Activity")
    if kind == "Activity":
        plain["object"] = activity(about)
    elif kind in ("Agent", "Group"):
        plain["object"] = agent(about)
    elif kind == "SubStatement":
        plain["object"] = _walk(about, agent, activity, verb)
    if "authority" in plain:
        plain["authority"] = agent(plain["authority"])
    if "context" in plain:
        context = dict(plain["context"])
        for name in ("instructor", "team"):
            if name in context:
                context[name] = agent(context[name])
        if "contextActivities" in context:
            context["contextActivities"] = {
                name: [activity(a) for a in (each if isinstance(each, list) else [each])]
                for name, each in context["contextActivities"].items()
            }
        for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
            if name in context:
                context[name] = [{**each, inner: agent(each[inner])} for each in context[name]]
        plain["context"] = context
    return plain
