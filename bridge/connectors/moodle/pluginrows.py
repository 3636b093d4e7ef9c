"""Turns what the plugin tells into learning facts, and the bytes that are kept of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.plugin import Activity, Completion, Course, Module, User
from bridge.connectors.moodle.rows import (
    COURSE_KIND,
    USER_KIND,
    completion_key,
    instant_of,
    undated,
)
from bridge.domain.errors import Damaged
from bridge.domain.records import (
    UNDATED,
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Precision,
    Pulled,
    Status,
    Unreadable,
    cycle_of,
)

ACTIVITY_KIND = "moodle-activity"
#: States of an activity's completion in Moodle; 4 is a fail that the learner is not shown.
_COMPLETE, _PASSED, _FAILED, _FAILED_HIDDEN = 1, 2, 3, 4
_DONE = frozenset((_COMPLETE, _PASSED, _FAILED, _FAILED_HIDDEN))
_encode = msgspec.json.Encoder().encode


class Envelope(msgspec.Struct):
    """What must be known to read an item again: that it came from this plugin."""

    base: str
    route: str = "plugin"


class _CompletionBody(msgspec.Struct):
    completion: Completion
    user: User
    course: Course


class _ActivityBody(msgspec.Struct):
    activity: Activity
    module: Module
    user: User
    course: Course


_read_completion = msgspec.json.Decoder(_CompletionBody).decode
_read_activity = msgspec.json.Decoder(_ActivityBody).decode


class _Whose(NamedTuple):
    facts: AccountFacts
    row: User
    body: bytes


class _Where(NamedTuple):
    facts: ActivityFacts
    row: Course
    body: bytes


class _What(NamedTuple):
    facts: ActivityFacts
    row: Module
    body: bytes


class PageReader:
    """Reads the rows of one answer; its users, courses and modules are read once each.

    An unchanged row gives the same bytes by feed and by snapshot: they are written anew from what
    was read. `modnames` are the kinds of activities that are wanted, None for every kind.
    """

    def __init__(
        self,
        users: Iterable[User],
        courses: Iterable[Course],
        modules: Iterable[Module] = (),
        modnames: frozenset[str] | None = None,
    ) -> None:
        self._users = {u.id: _Whose(account_of(u), u, _encode(u)) for u in users}
        self._courses = {c.id: _Where(course_of(c), c, _encode(c)) for c in courses}
        self._modules = {
            m.cmid: _What(module_of(m, self._courses[m.courseid].row), m, _encode(m))
            for m in modules
            if m.courseid in self._courses and (modnames is None or m.modname in modnames)
        }

    @property
    def accounts(self) -> tuple[AccountFacts, ...]:
        """Everybody that the answer names."""
        return tuple(each.facts for each in self._users.values())

    @property
    def activities(self) -> tuple[ActivityFacts, ...]:
        """Every course and activity that the answer names."""
        courses = [each.facts for each in self._courses.values()]
        return (*courses, *(each.facts for each in self._modules.values()))

    def completion(self, row: Completion) -> Pulled:
        """A course completion. Raises KeyError where the answer does not tell of its user."""
        user, course = self._users[row.userid], self._courses[row.courseid]
        body = b'{"completion":%b,"user":%b,"course":%b}' % (_encode(row), user.body, course.body)
        return _completion(body, row, user.facts, course.facts)

    def activity(self, row: Activity) -> Pulled | None:
        """How an activity was completed; None where it is not done, or not of a wanted kind."""
        module = self._modules.get(row.cmid)
        if module is None or row.state not in _DONE:
            return None
        user, course = self._users[row.userid], self._courses[row.courseid]
        body = b'{"activity":%b,"module":%b,"user":%b,"course":%b}' % (
            _encode(row), module.body, user.body, course.body,
        )  # fmt: skip
        return _activity(body, row, user.facts, module.facts)


def read_again(natural_key: str, body: bytes) -> Pulled:
    """A stored item read again, under the key it is stored by. Raises Damaged."""
    try:
        if natural_key.startswith("activity:"):
            told = _read_activity(body)
            facts = module_of(told.module, told.course)
            fact = _activity(body, told.activity, account_of(told.user), facts).fact
        else:
            row = _read_completion(body)
            fact = _completion(
                body, row.completion, account_of(row.user), course_of(row.course)
            ).fact
    except msgspec.MsgspecError as error:
        raise Damaged(f"{natural_key}: what is stored of it cannot be read: {error}") from error
    return Pulled(natural_key, body, fact)


def account_of(user: User) -> AccountFacts:
    """A user as an account."""
    return AccountFacts(
        kind=USER_KIND,
        value=str(user.id),
        email=user.email or None,
        staff_number=user.idnumber or None,
        username=user.username or None,
        display_name=_text(user.fullname),
        suspended=user.suspended,
        deleted=user.deleted,
    )


def course_of(course: Course) -> ActivityFacts:
    """A course as an activity."""
    return ActivityFacts(
        kind=COURSE_KIND,
        value=str(course.id),
        title=_text(course.fullname),
        idnumber=course.idnumber or None,
        shortname=_text(course.shortname),
        category=_text(course.category),
    )


def module_of(module: Module, course: Course) -> ActivityFacts:
    """An activity inside a course, with the names of the course."""
    name = _text(module.name) or f"{module.modname} {module.cmid}"
    whole = _text(course.fullname) or _text(course.shortname) or f"Course {course.id}"
    return ActivityFacts(
        kind=ACTIVITY_KIND,
        value=f"{course.id}/{module.cmid}",
        title=f"{whole}: {name}",
        idnumber=module.idnumber or None,
        category=_text(course.category),
        module=name,
        course_idnumber=course.idnumber or None,
        course_shortname=_text(course.shortname),
    )


def completion_stem(userid: int | str, courseid: int) -> str:
    """How the natural keys of a user's completions of a course begin."""
    return f"completion:{userid}:{courseid}:"


def activity_stem(userid: int | str, courseid: int | str, cmid: int | str) -> str:
    """How the natural keys of a user's completions of an activity inside a course begin."""
    return f"activity:{userid}:{courseid}:{cmid}:"


def _text(told: str | None) -> str | None:
    return text_of(told or "") or None


def _completion(
    body: bytes, row: Completion, account: AccountFacts, course: ActivityFacts
) -> Pulled:
    moment = instant_of(row.timecompleted)
    if moment is None:
        return undated(account.value, course.value, body)
    fact = LearningFact(
        account, course, Status.COMPLETED, moment, Precision.SECOND, _score(row.grade)
    )
    return Pulled(completion_key(account.value, course.value, moment), body, fact)


def _activity(body: bytes, row: Activity, account: AccountFacts, module: ActivityFacts) -> Pulled:
    stem = activity_stem(account.value, module.course_id, row.cmid)
    moment = instant_of(row.time)
    if moment is None:
        return Pulled(
            f"{stem}{UNDATED}",
            body,
            Unreadable(
                "no-date",
                f"Moodle says that user {account.value} completed {module.title!r}, but not when. "
                "Without a date it cannot count.",
            ),
        )
    fact = LearningFact(account, module, _status(row), moment, Precision.SECOND, _score(row.grade))
    return Pulled(f"{stem}{cycle_of(moment)}", body, fact)


def _status(row: Activity) -> Status:
    """A grade to pass says more than that the activity was gone through."""
    if row.passed is not None:
        return Status.PASSED if row.passed else Status.FAILED
    return {
        _COMPLETE: Status.COMPLETED, _PASSED: Status.PASSED,
        _FAILED: Status.FAILED, _FAILED_HIDDEN: Status.FAILED,
    }[row.state]  # fmt: skip


def _score(grade: float | None) -> float | None:
    return round(grade, 6) if grade is not None and 0.0 <= grade <= 1.0 else None
