"""Scores of activities inside courses on a stock Moodle: everybody's grades, a question a course.

The gradebook tells what was graded and when, and whether a pass mark was reached. It does not tell
of activities without a grade; for those, stock Moodle would have to be asked once for each person
and course.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.client import UNREADABLE, MoodleClient
from bridge.connectors.moodle.pluginrows import ACTIVITY_KIND, activity_stem
from bridge.connectors.moodle.rows import USER_KIND, instant_of
from bridge.connectors.moodle.settings import ALL_KINDS
from bridge.domain.errors import Damaged, NeedsAdministrator, PeerError, TryLater
from bridge.domain.records import (
    UNDATED,
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Page,
    Precision,
    Pulled,
    Status,
    Unreadable,
    cycle_of,
)

GRADES = "gradereport_user_get_grade_items"
ROUTE = "grades"
#: How the gradebook marks what has a pass mark, in English, which every call asks for.
_MARK = re.compile(r'title="(Pass|Fail)"')
_log = logging.getLogger(__name__)


class _Item(msgspec.Struct):
    """One grade item of one user, as the gradebook tells it."""

    itemtype: str = ""
    itemmodule: str | None = None
    itemname: str | None = None
    itemnumber: int | None = None
    idnumber: str | None = None
    cmid: int | None = None
    graderaw: float | None = None
    gradedatesubmitted: int | None = None
    gradedategraded: int | None = None
    gradeformatted: str | None = None
    grademin: float | None = None
    grademax: float | None = None


class _Graded(msgspec.Struct):
    userid: int
    userfullname: str = ""
    useridnumber: str | None = ""
    gradeitems: list[_Item] = []


class _Answer(msgspec.Struct):
    usergrades: list[_Graded]


class _Envelope(msgspec.Struct):
    base: str
    route: str = ROUTE


class _Body(msgspec.Struct):
    """What is stored of a grade: the item without its markup, whose it is, and of which course."""

    cmid: int
    modname: str
    name: str
    idnumber: str
    score: float
    passed: bool | None
    time: int
    user: dict[str, Any]
    course: dict[str, Any]


_decode = msgspec.json.Decoder(_Answer, strict=False).decode
_read = msgspec.json.Decoder(_Body).decode
_USER = ("value", "email", "staff_number", "username", "display_name", "suspended")
_COURSE = ("value", "title", "idnumber", "shortname", "category")


class GradesRoute:
    """Graded activities of some courses. `complete` says afterwards whether every course told."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client
        settings = client.settings
        self._every = ALL_KINDS in settings.activities
        self._kinds = frozenset(settings.activities)
        self._envelope = msgspec.json.encode(_Envelope(settings.base))
        self.complete = True

    def pull(
        self, courses: Iterable[ActivityFacts], people: Mapping[str, AccountFacts]
    ) -> Iterator[Page]:
        """A page a course. `people` are accounts that are known better than the gradebook does.

        A course that may not be looked into is passed over, and what was known of it stays.
        Raises TryLater.
        """
        for course in courses:
            try:
                answer = self._client.fetch(GRADES, {"courseid": course.value})
            except TryLater:
                raise
            except PeerError as error:
                _log.info("%s: no grades of course %s: %s", error.peer, course.value, error)
                self.complete = False
                if isinstance(error, NeedsAdministrator) and error.detail == "accessexception":
                    return
                continue
            try:
                told = _decode(answer.body).usergrades
            except UNREADABLE:
                raise self._client.unreadable(GRADES) from None
            items = tuple(self._items(course, told, people))
            if items:
                yield Page(items, self._envelope, coarser=True)

    def _items(
        self, course: ActivityFacts, told: list[_Graded], people: Mapping[str, AccountFacts]
    ) -> Iterator[Pulled]:
        names = {name: getattr(course, name) for name in _COURSE}
        for graded in told:
            account = people.get(str(graded.userid)) or AccountFacts(
                USER_KIND,
                str(graded.userid),
                staff_number=graded.useridnumber or None,
                display_name=text_of(graded.userfullname) or None,
            )
            user = {name: getattr(account, name) for name in _USER}
            for item in graded.gradeitems:
                body = self._body(item, user, names)
                if body is not None:
                    yield _pulled(msgspec.json.encode(body), body)

    def _body(self, item: _Item, user: dict[str, Any], course: dict[str, Any]) -> _Body | None:
        """What is kept of a grade; None for one that is no activity's, not given, not wanted."""
        if item.itemtype != "mod" or item.cmid is None or item.itemnumber not in (0, None):
            return None
        if item.graderaw is None or not (self._every or item.itemmodule in self._kinds):
            return None
        low, high = item.grademin or 0.0, item.grademax or 0.0
        if high <= low:
            return None
        mark = _MARK.search(item.gradeformatted or "")
        return _Body(
            cmid=item.cmid,
            modname=item.itemmodule or "",
            name=text_of(item.itemname or "") or f"{item.itemmodule} {item.cmid}",
            idnumber=item.idnumber or "",
            score=round((item.graderaw - low) / (high - low), 6),
            passed=None if mark is None else mark[1] == "Pass",
            time=item.gradedategraded or item.gradedatesubmitted or 0,
            user=user,
            course=course,
        )


def read_grade(natural_key: str, body: bytes) -> Pulled:
    """A stored grade read again, under the key it is stored by. Raises Damaged."""
    try:
        return Pulled(natural_key, body, _pulled(body, _read(body)).fact)
    except (msgspec.MsgspecError, TypeError) as error:
        raise Damaged(f"{natural_key}: what is stored of it cannot be read: {error}") from error


def _pulled(body: bytes, told: _Body) -> Pulled:
    account = AccountFacts(USER_KIND, **told.user)
    course = told.course
    whole = course["title"] or course["shortname"] or f"Course {course['value']}"
    activity = ActivityFacts(
        kind=ACTIVITY_KIND,
        value=f"{course['value']}/{told.cmid}",
        title=f"{whole}: {told.name}",
        idnumber=told.idnumber or None,
        category=course["category"],
        module=told.name,
        course_idnumber=course["idnumber"],
        course_shortname=course["shortname"],
    )
    stem = activity_stem(account.value, course["value"], told.cmid)
    moment = instant_of(told.time)
    if moment is None:
        return Pulled(
            f"{stem}{UNDATED}",
            body,
            Unreadable("no-date", f"Moodle shows a grade for {activity.title!r}, but not of when."),
        )
    status = {None: Status.COMPLETED, True: Status.PASSED, False: Status.FAILED}[told.passed]
    score = told.score if 0.0 <= told.score <= 1.0 else None
    fact = LearningFact(account, activity, status, moment, Precision.SECOND, score)
    return Pulled(f"{stem}{cycle_of(moment)}", body, fact)
