"""Whether two statements say the same, as xAPI 1.0.3 (part 2, section 2.3.1) means it."""

from __future__ import annotations

import re
from typing import Any

import orjson

from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.logstore import told_once

Json = dict[str, Any]
#: What an LRS sets itself.
_SET_BY_LRS = ("id", "stored", "authority", "version")
_HUNDREDTHS = re.compile(r"([.,][0-9]{2})[0-9]+(?=S)")


def same(one: Json, other: Json) -> bool:
    """Whether two valid statements are the same one, sent twice.

    What an LRS sets, how verbs and activities are described, the order of members and context
    activities, and how a moment is written make no difference.
    """
    return bool(_plain(one) == _plain(other))


def _plain(statement: Json) -> Any:
    told = {k: v for k, v in told_once(statement).items() if k not in _SET_BY_LRS}
    moment = told.get("timestamp")
    if moment is not None:
        told["timestamp"] = str(read_instant(moment, second=False))
    return _statement(told)


def _statement(told: Json) -> Json:
    told = dict(told)
    told["actor"] = _agent(told["actor"])
    told["verb"] = told["verb"]["id"]
    told["object"] = _object(told["object"])
    if "context" in told:
        told["context"] = _context(told["context"])
    if "duration" in told.get("result", {}):
        # Of seconds, hundredths count (4.6).
        told["result"] = {
            **told["result"],
            "duration": _HUNDREDTHS.sub(r"\1", told["result"]["duration"]),
        }
    if "attachments" in told:
        told["attachments"] = sorted(a.get("sha2") or "" for a in told["attachments"])
    return told


def _object(about: Json) -> Any:
    kind = about.get("objectType", "Activity")
    if kind == "Activity":
        return about["id"]
    if kind in ("Agent", "Group"):
        return _agent(about)
    if kind == "SubStatement":
        return _statement({k: v for k, v in about.items() if k != "objectType"})
    return ["StatementRef", about["id"].lower()]


def _agent(agent: Json) -> Any:
    plain = {k: v for k, v in agent.items() if k not in ("name", "objectType")}
    if "mbox_sha1sum" in plain:
        plain["mbox_sha1sum"] = plain["mbox_sha1sum"].lower()
    if "member" in plain:
        plain["member"] = _sorted(_agent(member) for member in plain["member"])
    return plain


def _context(context: Json) -> Json:
    plain = dict(context)
    if "registration" in plain:
        plain["registration"] = plain["registration"].lower()
    for name in ("instructor", "team"):
        if name in plain:
            plain[name] = _agent(plain[name])
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in plain:
            plain[name] = [{**each, inner: _agent(each[inner])} for each in plain[name]]
    if "statement" in plain:
        plain["statement"] = plain["statement"]["id"].lower()
    around = plain.pop("contextActivities", {})
    found = {
        name: sorted(a["id"] for a in (several if isinstance(several, list) else [several]))
        for name, several in around.items()
    }
    plain["contextActivities"] = {name: ids for name, ids in found.items() if ids}
    return plain


def _sorted(values: Any) -> list[Any]:
    return sorted(values, key=lambda v: orjson.dumps(v, option=orjson.OPT_SORT_KEYS))
