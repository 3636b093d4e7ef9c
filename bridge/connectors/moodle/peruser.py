"""Pulls completions without a report: every user of every course is asked about, one by one.

The fallback where no report is configured. It costs a question for each enrolment (in batches of
100 where the service has the batch function), reads everything every time, and cannot see people
who were unenrolled or deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from bridge.connectors.moodle.cells import text_of
from bridge.connectors.moodle.client import BATCH_SIZE, MoodleClient
from bridge.connectors.moodle.rows import (
    COURSE_KIND,
    USER_KIND,
    completion_key,
    instant_of,
    undated,
)
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import Clock
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Page,
    Precision,
    Pulled,
    Status,
)
from bridge.domain.times import aware

COURSES = "core_course_get_courses_by_field"
ENROLLED = "core_enrol_get_enrolled_users"
COMPLETION = "core_completion_get_course_completion_status"
_FRONT_PAGE = 1
_USER_FIELDS = ("id", "username", "fullname", "email", "idnumber", "suspended")
_COURSE_FIELDS = ("id", "fullname", "shortname", "idnumber", "categoryname")
# Nothing of this kind can be learned of a person, or of a whole course, and that is no fault.
_NO_SUCH_PERSON = frozenset({"userdeleted", "invaliduser", "usernotenroled"})
_NOT_TRACKED = frozenset({"nocriteriaset", "completionnotenabled"})
Thing = Mapping[str, Any]


class _Body(msgspec.Struct):
    """What is stored of a completion: the parts of three answers, joined."""

    course: dict[str, Any]
    user: dict[str, Any]
    completion: dict[str, Any]


class _Envelope(msgspec.Struct):
    base: str
    route: str = "per-user"


class PerUserRoute:
    """Completions of one Moodle, asked for one enrolment at a time. Raises PeerError."""

    def __init__(self, client: MoodleClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._settings = client.settings
        self._envelope = msgspec.json.encode(_Envelope(self._settings.base))

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Pages of everything, or of what was completed at or after `since` (which saves nothing).

        A course that may not be looked into ends the run without a last page, after the others:
        what is not seen there must not be taken for gone.
        """
        bookmark = aware(self._clock.now())
        refused: list[str] = []
        for course in self._courses():
            users = list(self._enrolled(course, refused))
            # The first is asked alone: a course without criteria would fail one by one.
            for start, end in _slices(len(users)):
                items = self._ask(course, users[start:end], refused)
                if items is None:
                    break
                wanted = tuple(item for item in items if _is_wanted(item, since))
                if wanted:
                    yield Page(wanted, self._envelope)
        if refused:
            raise NeedsAdministrator(
                f"{self._settings.key}: some courses could not be looked into, so this pull is not "
                f"complete. {' '.join(refused[:3])}",
                peer=self._settings.key,
                detail="courses",
            )
        yield Page((), self._envelope, last=True, bookmark=bookmark)

    def _courses(self) -> list[Thing]:
        """Every course the service user may see; those it may not are silently left out."""
        answer = self._client.call(COURSES)
        courses = answer.get("courses") if isinstance(answer, dict) else None
        if not isinstance(courses, list):
            raise self._client.unreadable(COURSES)
        if not courses:
            raise NeedsAdministrator(
                f"{self._settings.key}: no course is shown to the service user. Give its role "
                "moodle/course:view and moodle/course:viewhiddencourses, at system level.",
                peer=self._settings.key,
                detail="courses",
            )
        return [
            course
            for course in courses
            if course.get("id") != _FRONT_PAGE and course.get("enablecompletion", 1)
        ]

    def _enrolled(self, course: Thing, refused: list[str]) -> Iterator[Thing]:
        """The people of a course, a page at a time."""
        size = self._settings.page_size
        start = 0
        while True:
            options = {
                "userfields": ",".join(_USER_FIELDS),
                "limitfrom": start,
                "limitnumber": size,
                "sortby": "id",
            }
            try:
                users = self._client.call(
                    ENROLLED,
                    {
                        "courseid": course["id"],
                        "options": [{"name": n, "value": v} for n, v in options.items()],
                    },
                )
            except NeedsAdministrator as error:
                refused.append(f"{_name(course)}: {error}")
                return
            if not isinstance(users, list):
                raise self._client.unreadable(ENROLLED)
            yield from users
            if len(users) < size:
                return
            start += size

    def _ask(self, course: Thing, users: list[Thing], refused: list[str]) -> list[Pulled] | None:
        """The completions among these users; None when the course tells of none."""
        answers = self._client.call_many(
            [(COMPLETION, {"courseid": course["id"], "userid": user["id"]}) for user in users]
        )
        items: list[Pulled] = []
        for user, answer in zip(users, answers, strict=True):
            if isinstance(answer, PeerError):
                if answer.detail in _NO_SUCH_PERSON:
                    continue
                if answer.detail not in _NOT_TRACKED:
                    refused.append(f"{_name(course)}: {answer}")
                return None
            item = self._item(course, user, answer)
            if item is not None:
                items.append(item)
        return items

    def _item(self, course: Thing, user: Thing, answer: Any) -> Pulled | None:
        status = answer.get("completionstatus") if isinstance(answer, dict) else None
        if not isinstance(status, dict):
            raise self._client.unreadable(COMPLETION)
        if not status.get("completed"):
            return None
        dates = [criterion.get("timecompleted") for criterion in status.get("completions", ())]
        body = _Body(
            course={name: course.get(name) for name in _COURSE_FIELDS},
            user={name: user.get(name) for name in _USER_FIELDS},
            completion={"completed": True, "dates": dates},
        )
        return _read(msgspec.json.encode(body))


def _slices(count: int) -> Iterator[tuple[int, int]]:
    if count:
        yield 0, 1
    for start in range(1, count, BATCH_SIZE):
        yield start, start + BATCH_SIZE


def _name(course: Thing) -> str:
    return f"Course {course.get('shortname') or course.get('id')}"


def _is_wanted(item: Pulled, since: datetime | None) -> bool:
    if since is None or not isinstance(item.fact, LearningFact):
        return True
    return item.fact.occurred_at >= since


def read_answer(natural_key: str, body: bytes) -> Pulled:
    """A stored completion of this route read again, under the key it is stored by."""
    return Pulled(natural_key, body, _read(body).fact)


def _read(body: bytes) -> Pulled:
    """The date is that of the last criterion met: the course's own is not told by this function."""
    told = msgspec.json.decode(body, type=_Body)
    course, user = told.course, told.user
    dates = [int(date) for date in told.completion["dates"] if date]
    moment = instant_of(max(dates, default=0))
    if moment is None:
        return undated(str(user["id"]), str(course["id"]), body)
    fact = LearningFact(
        account=AccountFacts(
            kind=USER_KIND,
            value=str(user["id"]),
            email=user.get("email") or None,
            staff_number=user.get("idnumber") or None,
            username=user.get("username") or None,
            display_name=text_of(user.get("fullname") or "") or None,
            suspended=bool(user.get("suspended")),
        ),
        activity=ActivityFacts(
            kind=COURSE_KIND,
            value=str(course["id"]),
            title=text_of(course.get("fullname") or "") or None,
            idnumber=course.get("idnumber") or None,
            shortname=text_of(course.get("shortname") or "") or None,
            category=text_of(course.get("categoryname") or "") or None,
        ),
        status=Status.COMPLETED,
        occurred_at=moment,
        precision=Precision.SECOND,
    )
    return Pulled(completion_key(fact.account.value, fact.activity.value, moment), body, fact)
