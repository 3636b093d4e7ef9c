"""What a statement is found by: each filter of xAPI as a 64-bit number, direct or related."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Json = dict[str, Any]
#: Kinds of terms. A related one is found only where relations are asked for.
VERB, REGISTRATION, SOURCE = "verb", "registration", "source"
ACTIVITY, RELATED_ACTIVITY = "activity", "related activity"
AGENT, RELATED_AGENT = "agent", "related agent"


@lru_cache(maxsize=50_000)
def term(kind: str, value: str) -> int:
    """The number of a term, as a signed 64-bit integer."""
    text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def ifi(agent: Json) -> str | None:
    """What an agent or an identified group is known by, in one line; None for anonymous groups."""
    if "mbox" in agent:
        return f"mbox {agent['mbox']}"
    if "mbox_sha1sum" in agent:
        return f"sha1 {agent['mbox_sha1sum'].lower()}"
    if "openid" in agent:
        return f"openid {agent['openid']}"
    if "account" in agent:
        return f"account {agent['account']['homePage']} {agent['account']['name']}"
    return None


def terms_of(statement: Json) -> set[int]:
    """Everything a valid statement is found by of itself (not by what it refers to)."""
    return {term(kind, value) for kind, value in _told(statement, "")}


def activities_named(statement: Json) -> set[str]:
    """The id of every activity that a valid statement names."""
    kinds = (ACTIVITY, RELATED_ACTIVITY)
    return {value for kind, value in _told(statement, "") if kind in kinds}


def _told(statement: Json, related: str) -> Iterator[tuple[str, str]]:
    """The terms of a statement, or of a sub-statement: there all of them are `related `."""
    context = statement.get("context", {})
    if not related:
        yield VERB, statement["verb"]["id"]
        if "registration" in context:
            yield REGISTRATION, context["registration"].lower()
    for known in _known_by(statement["actor"]):
        yield f"{related}{AGENT}", known
    about = statement["object"]
    kind = about.get("objectType", "Activity")
    if kind == "Activity":
        yield f"{related}{ACTIVITY}", about["id"]
    elif kind in ("Agent", "Group"):
        for known in _known_by(about):
            yield f"{related}{AGENT}", known
    elif kind == "SubStatement":
        yield from _told(about, "related ")
    yield from _around(context)


def _around(context: Json) -> Iterator[tuple[str, str]]:
    for several in context.get("contextActivities", {}).values():
        for activity in several if isinstance(several, list) else (several,):
            yield RELATED_ACTIVITY, activity["id"]
    agents = [context[name] for name in ("instructor", "team") if name in context]
    agents += [each["agent"] for each in context.get("contextAgents", ()) if "agent" in each]
    agents += [each["group"] for each in context.get("contextGroups", ()) if "group" in each]
    for agent in agents:
        for known in _known_by(agent):
            yield RELATED_AGENT, known


def _known_by(agent: Json) -> Iterator[str]:
    """An agent's identifier; of a group also those of its members."""
    own = ifi(agent)
    if own is not None:
        yield own
    for member in agent.get("member", ()):
        known = ifi(member)
        if known is not None:
            yield known


def refers_to(statement: Json) -> str | None:
    """The id, in lower case, of the statement that this one is about."""
    about = statement["object"]
    return about["id"].lower() if about.get("objectType") == "StatementRef" else None


def activities_in(statement: Json) -> Iterator[Json]:
    """Every activity of a statement that carries a definition."""
    about = statement["object"]
    kind = about.get("objectType", "Activity")
    if kind == "Activity" and "definition" in about:
        yield about
    elif kind == "SubStatement":
        yield from activities_in(about)
    for several in statement.get("context", {}).get("contextActivities", {}).values():
        for activity in several if isinstance(several, list) else (several,):
            if "definition" in activity:
                yield activity
