"""What a valid statement says of learning: facts, one for each learner, or why it tells of none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    AttendanceState,
    Booking,
    LearningFact,
    NoRecord,
    Pulled,
    Status,
    Unreadable,
)
from bridge.domain.xapi import verbs
from bridge.domain.xapi.actors import account_of, clean, shortened
from bridge.domain.xapi.content import content_key
from bridge.domain.xapi.durations import minutes_of
from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.logstore import is_doubtful

Json = dict[str, Any]
ACTIVITY_KIND = "xapi-activity"
#: Groups with more members are held back for a person to look at.
MOST_MEMBERS = 500
#: No year before the first, and none from the second on, is believed: it is a clock that was wrong.
_OLDEST, _LATEST = 1900, 3000


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """How the statements of one source are read.

    `verbs` say of further verbs which status they tell, "none" for no learning. `homes` say what
    account names at a home page are: "staff-number" or "email". `satisfied`: cmi5's "satisfied" is
    believed where it does not say what was asked for. A failure, or an "uncompleted", takes back
    what the same account achieved of the same activity in `takes_back_days` before it.
    """

    verbs: Mapping[str, Status | None] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    satisfied: bool = False
    takes_back_days: int = 90


USUAL = ReadingRules()


def natural_key(statement: Json) -> str:
    """What a statement is known by: its id, whatever its case; without one, its content."""
    given = statement.get("id")
    return given.lower() if given else content_key(statement)


def items_of(statement: Json, body: bytes, rules: ReadingRules = USUAL) -> list[Pulled]:
    """A valid statement as items to take in: one for each learner it names, at least one."""
    key = natural_key(statement)
    verb, about = statement["verb"]["id"], statement["object"]
    kind = about.get("objectType", "Activity")
    if verb == verbs.VOIDED:
        return [Pulled(key, body, NoRecord("voiding", voids=about["id"].lower()))]
    if kind == "StatementRef":
        return [Pulled(key, body, NoRecord("about-a-statement"))]
    if kind == "SubStatement":
        return [Pulled(key, body, NoRecord("sub-statement"))]
    if kind != "Activity":
        return [Pulled(key, body, NoRecord("about-a-person"))]
    told = told_by(statement, rules)
    if isinstance(told, NoRecord):
        return [Pulled(key, body, told)]
    return _for_each(statement, key, body, told, rules)


def told_by(statement: Json, rules: ReadingRules) -> Status | NoRecord | None:
    """The status that a statement about an activity tells; None where it takes one back; or why it
    tells none."""
    verb, result = statement["verb"]["id"], statement.get("result", {})
    kind = statement["object"].get("definition", {}).get("type")
    if kind in verbs.COMPETENCY_TYPES:
        return NoRecord("about-a-competency")
    if kind in verbs.SITE_TYPES:
        return NoRecord("nothing-done")
    if verb in rules.verbs:
        return rules.verbs[verb] or NoRecord("nothing-done")
    if verb in verbs.UNCOMPLETED:
        return None
    if verb == verbs.SATISFIED:
        return _satisfied(statement, result, rules)
    status = verbs.STATUS_OF.get(verb)
    if status is None:
        return NoRecord(verbs.REASON_OF.get(verb, "nothing-done"))
    success, completion = result.get("success"), result.get("completion")
    if status in (Status.COMPLETED, Status.PASSED):
        if success is False:
            return Status.FAILED
        if status is Status.COMPLETED and (completion is False or is_doubtful(statement)):
            return NoRecord("nothing-done")
    if status is Status.ATTENDED and completion is False:
        return Status.PARTLY_ATTENDED
    return status


def _satisfied(statement: Json, result: Json, rules: ReadingRules) -> Status | NoRecord:
    """A course of whose parts nothing is asked is satisfied when somebody is put down for it."""
    extensions = statement.get("context", {}).get("extensions", {})
    move_on = extensions.get(verbs.MOVE_ON)
    shown = isinstance(move_on, str) or result.get("completion") is True or rules.satisfied
    if move_on == "NotApplicable" or not shown:
        return NoRecord("satisfied-at-once")
    return Status.COMPLETED


def is_believed(at: datetime) -> bool:
    """Whether it is a time at which something may have been learnt."""
    return _OLDEST <= at.year < _LATEST


def _for_each(
    statement: Json, key: str, body: bytes, status: Status | None, rules: ReadingRules
) -> list[Pulled]:
    """The same for each learner: the actor, or the members of a group."""
    actor = statement["actor"]
    is_group = actor.get("objectType") == "Group"
    learners: Sequence[Json] = actor.get("member", ()) if is_group else (actor,)
    if not learners:
        return [Pulled(key, body, NoRecord("group-without-members"))]
    if len(learners) > MOST_MEMBERS:
        words = (
            f"The statement is about a group of {len(learners)}. Above {MOST_MEMBERS} a person "
            "looks first whether it is meant of each of them."
        )
        return [Pulled(key, body, Unreadable("too-many-members", words))]
    written = statement.get("timestamp") or statement.get("stored")
    at = read_instant(written, second=False) if written else None
    if at is None:
        words = (
            "The statement has neither a timestamp nor a time at which it was stored, so it is not "
            "known when it happened."
        )
        return [Pulled(key, body, Unreadable("no-date", words))]
    if not is_believed(at):
        words = f"The statement says that it happened in the year {at.year}, which cannot be meant."
        return [Pulled(key, body, Unreadable("no-date", words))]
    activity, score = activity_of(statement), score_of(statement)
    booking = None if status is None else booking_of(statement, status)
    found = {}
    for learner in learners:
        account = account_of(learner, rules.homes)
        fact = fact_of(account, activity, status, at, score, booking, rules)
        found[account.value] = fact
    if not is_group:
        return [Pulled(key, body, fact)]
    # In an order of our own: an LRS may give the members in any.
    return [
        Pulled(member_key(key, number), body, found[who])
        for number, who in enumerate(sorted(found))
    ]


def fact_of(
    account: AccountFacts,
    activity: ActivityFacts,
    status: Status | None,
    at: datetime,
    score: float | None,
    booking: Booking | None,
    rules: ReadingRules,
) -> LearningFact | NoRecord:
    """What is told of one learner; without a status, that something is taken back."""
    days = rules.takes_back_days
    if status is None:
        return NoRecord("uncompleted", account=account, activity=activity, at=at, days=days)
    return LearningFact(
        account,
        activity,
        status,
        at,
        score=score,
        booking=booking,
        takes_back_days=days if status is Status.FAILED else 0,
    )


def member_key(key: str, number: int) -> str:
    """What a statement about a group is known by, for one of its members."""
    return f"{key}#{number}"


# --- what it is about ------------------------------------------------------------------------
def activity_of(statement: Json) -> ActivityFacts:
    """The activity of a statement about one.

    An attempt is an attempt at its parent. By cmi5 an object's id is the LMS's own, for each
    registration another: what the publisher calls it stands first in its grouping.
    """
    about = statement["object"]
    around = statement.get("context", {}).get("contextActivities", {})
    parents, grouping = _several(around.get("parent")), _several(around.get("grouping"))
    if grouping and any(a["id"] == verbs.CMI5 for a in _several(around.get("category"))):
        published, grouping = grouping[0], grouping[1:]
        about = {"definition": about.get("definition", {}), **published}
    if about.get("definition", {}).get("type") == verbs.ATTEMPT_TYPE and parents:
        about, parents = parents[0], parents[1:]
    course = _course((*parents, *grouping))
    definition = about.get("definition", {})
    extensions = definition.get("extensions", {})
    iri = clean(about["id"]) or ""
    return ActivityFacts(
        kind=ACTIVITY_KIND,
        value=shortened(iri),
        title=title_of(definition),
        idnumber=_text(extensions.get(verbs.EXTERNAL_ID)),
        shortname=_text(extensions.get(verbs.SHORT_ID)),
        category=title_of(course.get("definition", {})) if course is not about else None,
        iri=iri,
        partial=True,
    )


def _several(around: Any) -> tuple[Json, ...]:
    return (around,) if isinstance(around, dict) else tuple(around or ())


def _course(around: Sequence[Json]) -> Json:
    """What it is a part of: a course, before anything else."""
    named = [a for a in around if title_of(a.get("definition", {}))]
    courses = [a for a in named if a["definition"].get("type") in verbs.COURSE_TYPES]
    return (courses or named or [{}])[0]


def title_of(definition: Json) -> str | None:
    """A name in English where there is one, or the first."""
    names = definition.get("name") or {}
    for tag, name in names.items():
        if tag.lower().startswith("en"):
            return clean(name)
    return clean(next(iter(names.values()), None))


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean(value)


# --- how it went --------------------------------------------------------------------------------
def score_of(statement: Json) -> float | None:
    """The mark as a fraction from 0 to 1: scaled, or raw between min and max; None without.

    Moodle's logstore stretches 0 to 100 marks over -1 to 1: there, raw is what was reached.
    """
    score = statement.get("result", {}).get("score")
    if not score:
        return None
    share: float | None = None
    if all(name in score for name in ("raw", "min", "max")):
        width = float(score["max"]) - score["min"]
        share = (score["raw"] - score["min"]) / width if math.isfinite(width) else None
    if "scaled" not in score:
        return share
    scaled = float(score["scaled"])
    if (
        share is not None
        and score["min"] >= 0
        and math.isclose(scaled, 2 * share - 1, abs_tol=1e-9)
    ):
        return share
    return max(0.0, scaled)


def booking_of(statement: Json, status: Status) -> Booking | None:
    """How long it took, and that somebody was there, as a booking system would say it."""
    duration = statement.get("result", {}).get("duration")
    minutes = minutes_of(duration) if duration else None
    if status in (Status.ATTENDED, Status.PARTLY_ATTENDED):
        full = status is Status.ATTENDED
        state = AttendanceState.FULLY_ATTENDED if full else AttendanceState.PARTIALLY_ATTENDED
        return Booking(state, _word(statement["verb"]["id"]), minutes)
    return Booking(said=status.value, minutes=minutes) if minutes is not None else None


@lru_cache(maxsize=256)
def _word(verb: str) -> str:
    return verb.rstrip("/").rsplit("/", 1)[-1]


def instant_of(statement: Json, name: str) -> datetime | None:
    """`timestamp` or `stored` as an aware instant; None where it has none."""
    written = statement.get(name)
    return read_instant(written, second=False) if isinstance(written, str) else None
