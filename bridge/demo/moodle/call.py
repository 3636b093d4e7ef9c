"""One call of a web service: who calls, what they may do, and what Moodle shows of users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.demo.moodle.errors import MoodleError, course_closed, course_context, missing_capability
from bridge.demo.moodle.faults import Fault
from bridge.demo.moodle.params import Schema
from bridge.demo.moodle.state import ADMIN, Site
from bridge.demo.moodle.tables import Course, Service, User
from bridge.demo.moodle.words import userdate

Answer = Any


@dataclass(frozen=True, slots=True)
class Call:
    """The caller's view of the site. `base_url` is the site's address, without a slash.

    `settings` are what the call itself asks for ("lang", "timezone"): they go before the
    user's own, and neither goes before what the site forces, which the faults stand for.
    """

    site: Site
    user: User
    service: Service
    base_url: str
    faults: Mapping[Fault, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def can(self, capability: str) -> bool:
        """Whether whoever calls holds a capability; the administrator holds every one."""
        return self.user.id == ADMIN or capability in self.user.capabilities

    def require(self, *any_of: str) -> None:
        """Raise Moodle's error, naming the last one, unless the user holds one of them."""
        if not any(self.can(one) for one in any_of):
            raise missing_capability(any_of[-1])

    def empty_handed(self) -> bool:
        """Whether lists come back empty by the fault of that name."""
        return Fault.EMPTY_ANSWER in self.faults

    def enter(self, course: Course) -> None:
        """Raise Moodle's error unless the service user may enter the course."""
        allowed = self.can("moodle/course:view") or self.site.is_enrolled(self.user.id, course.id)
        hidden = not course.visible and not self.can("moodle/course:viewhiddencourses")
        if not allowed or hidden or course.id in self.user.blocked_courses:
            raise course_closed()

    def may_enter(self, course: Course) -> bool:
        """Whether `enter` would let the service user in."""
        try:
            self.enter(course)
        except MoodleError:
            return False
        return True

    def enter_or_wrap(self, course: Course) -> None:
        """As `enter`, with the error that lists wrap around it."""
        try:
            self.enter(course)
        except MoodleError as error:
            raise course_context(course.id, error) from error

    def date(self, moment: int | None) -> str:
        """A date as this user sees it."""
        return userdate(moment, lang=self.lang, timezone=self.timezone)

    @property
    def lang(self) -> str:
        """The language that this call is answered in."""
        forced = self.faults.get(Fault.OTHER_LANGUAGE)
        return forced or self.settings.get("lang") or self.user.lang

    @property
    def timezone(self) -> str:
        """The zone that this call is answered in, by its IANA name."""
        forced = self.faults.get(Fault.OTHER_ZONE)
        return forced or self.settings.get("timezone") or self.user.timezone

    def pictures(self) -> dict[str, str]:
        """The addresses of a user's picture, which are the same for all here."""
        base = f"{self.base_url}/theme/image.php/boost/core/1/u"
        return {"profileimageurlsmall": f"{base}/f2", "profileimageurl": f"{base}/f1"}

    def user_summary(self, userid: int) -> dict[str, Any]:
        """A user as reports and competencies show them."""
        user = self.site.users[userid]
        return {
            "id": user.id,
            "email": user.email,
            "idnumber": user.idnumber,
            "phone1": "",
            "phone2": "",
            "department": user.department,
            "institution": user.institution,
            "fullname": user.fullname,
            "identity": ", ".join(part for part in (user.email, user.idnumber) if part),
            "profileurl": f"{self.base_url}/user/profile.php?id={user.id}",
            **dict(reversed(self.pictures().items())),
        }


@dataclass(frozen=True, slots=True)
class Function:
    """A web service function: the parameters it takes, and what it does."""

    name: str
    params: Schema
    run: Callable[[Call, dict[str, Any]], Answer]


def format_string(text: str) -> str:
    """A name as Moodle's `format_string` gives it: an ampersand is escaped."""
    return text.replace("&", "&amp;")
