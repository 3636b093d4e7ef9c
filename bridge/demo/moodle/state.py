"""The stand-in Moodle's site in memory, and what Moodle does to it: enrol, complete, award, delete.

Pure: no I/O; the clock is given. Not safe for threads by itself; the server takes a lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from bridge.demo.moodle import lifecycle
from bridge.demo.moodle.errors import deleted_user, invalid_record, invalid_user
from bridge.demo.moodle.plugin.outbox import Plugin
from bridge.demo.moodle.tables import (
    ActivityCompletion,
    Badge,
    Category,
    Cohort,
    Competency,
    Completion,
    Course,
    CourseCompetency,
    Enrolment,
    Framework,
    IssuedBadge,
    Module,
    Rating,
    Report,
    Service,
    Token,
    User,
    UserCompetency,
)

ADMIN = 2
Row = TypeVar("Row")


class Site:
    """Everything one Moodle knows. `clock` gives the present instant, aware."""

    def __init__(self, name: str, clock: Callable[[], datetime]) -> None:
        self.name = name
        self.clock = clock
        self.users: dict[int, User] = {}
        self.categories: dict[int, Category] = {}
        self.courses: dict[int, Course] = {}
        self.enrolments: list[Enrolment] = []
        self.completions: dict[tuple[int, int], Completion] = {}
        self.modules: dict[int, Module] = {}
        self.activity_completions: dict[tuple[int, int], ActivityCompletion] = {}
        self.plugin: Plugin | None = None
        self.cohorts: dict[int, Cohort] = {}
        self.badges: dict[int, Badge] = {}
        self.issued: list[IssuedBadge] = []
        self.badge_keys: dict[str, int] = {}
        self.by_bridge: set[int] = set()
        self.statuses: dict[int, dict[str, Any]] = {}
        self.frameworks: dict[int, Framework] = {}
        self.competencies: dict[int, Competency] = {}
        self.user_competencies: dict[tuple[int, int], UserCompetency] = {}
        self.services: dict[str, Service] = {}
        self.tokens: dict[str, Token] = {}
        self.reports: dict[int, Report] = {}
        self.course_competencies: dict[int, CourseCompetency] = {}
        self.role_assignments: list[tuple[int, int, int]] = []
        self.user_filters: dict[tuple[int, int], dict[str, object]] = {}
        self._ratings = 0
        self._issued_rows = 0
        self._rows = 0
        self.add_user(User(1, "guest", "Guest user", "", "root@localhost"))
        self.add_user(User(ADMIN, "admin", "Admin", "User", "admin@example.org"))

    @property
    def now(self) -> int:
        """The present in Unix seconds."""
        return int(self.clock().timestamp())

    def install_plugin(self) -> Plugin:
        """Install the bridge's plugin: from now on its outbox hears of everything."""
        self.plugin = Plugin(f"{len(self.users):04x}{self.now:012x}", self.now)
        return self.plugin

    def happened(self, kind: str, **about: int) -> None:
        """Let the plugin, where it is installed, note a change."""
        if self.plugin is not None:
            self.plugin.note(kind, self.now, **about)

    def _row(self) -> int:
        self._rows += 1
        return self._rows

    # People and courses

    def add_user(self, user: User) -> User:
        """Create an account; its id must be free."""
        self.users[user.id] = _new(self.users, user.id, user)
        return user

    def user(self, username: str) -> User:
        """The account of that name; KeyError when there is none."""
        for user in self.users.values():
            if user.username == username:
                return user
        raise KeyError(username)

    def active_user(self, userid: int) -> User:
        """The user, or Moodle's error for one that never was or was deleted."""
        user = self.users.get(userid)
        if user is None:
            raise invalid_user()
        if user.deleted:
            raise deleted_user()
        return user

    def add_category(self, category: Category) -> None:
        """Create a course category."""
        self.categories[category.id] = _new(self.categories, category.id, category)

    def add_course(self, course: Course) -> Course:
        """Create a course."""
        self.courses[course.id] = _new(self.courses, course.id, course)
        return course

    def course(self, courseid: int) -> Course:
        """The course, or Moodle's error for one that does not exist."""
        course = self.courses.get(courseid)
        if course is None:
            raise invalid_record("course")
        return course

    def enrol(self, userid: int, courseid: int, method: str = "manual") -> None:
        """Enrol by a method. A second method adds a second enrolment."""
        if all(one.method != method for one in self.enrolments_of(userid, courseid)):
            self.enrolments.append(Enrolment(userid, courseid, method))

    def enrolments_of(self, userid: int, courseid: int) -> list[Enrolment]:
        """The enrolments of a user in a course, oldest first."""
        return [one for one in self.enrolments if (one.userid, one.courseid) == (userid, courseid)]

    def is_enrolled(self, userid: int, courseid: int) -> bool:
        """Whether an active enrolment exists."""
        return any(one.status == "Active" for one in self.enrolments_of(userid, courseid))

    def complete(
        self,
        userid: int,
        courseid: int,
        when: datetime | None,
        *,
        grade: float | None = None,
        criteria_dated: bool = True,
    ) -> None:
        """Record a completion, enrolling by hand if needed. `when` None leaves the date null.

        A user who completed before keeps the old date: re-taking never moves `timecompleted`
        until the row is deleted.
        """
        if (userid, courseid) in self.completions:
            return
        if not self.enrolments_of(userid, courseid):
            self.enrol(userid, courseid)
        moment = None if when is None else int(when.timestamp())
        self.completions[userid, courseid] = Completion(
            userid, courseid, moment, grade, criteria_dated, self._row()
        )
        self.happened("course_completed", userid=userid, courseid=courseid)

    def grade_course(self, userid: int, courseid: int, grade: float) -> None:
        """Give another final grade (of 100) to whoever completed."""
        self.completions[userid, courseid].grade = grade
        self.happened("grade", userid=userid, courseid=courseid)

    def add_module(self, module: Module) -> Module:
        """Put an activity into a course."""
        self.modules[module.cmid] = _new(self.modules, module.cmid, module)
        return module

    def complete_activity(
        self, userid: int, cmid: int, when: datetime, *, state: int = 1, grade: float | None = None
    ) -> None:
        """Complete an activity, or take another attempt. `grade` is a fraction."""
        before = self.activity_completions.get((userid, cmid))
        moment = int(when.timestamp())
        if before is not None and before.state == state:
            # Moodle touches the completion only when its state changes.
            moment = before.time
        number = before.id if before else self._row()
        self.activity_completions[userid, cmid] = ActivityCompletion(
            number, userid, cmid, state, moment, grade
        )
        courseid = self.modules[cmid].courseid
        self.happened("module_completed", userid=userid, courseid=courseid, cmid=cmid)

    def next_user_id(self) -> int:
        """The number that the next account gets: one more than the highest there is."""
        return max(self.users) + 1

    # What becomes of them, in `lifecycle.py`
    reset_course = lifecycle.reset_course
    unlock_and_delete = lifecycle.unlock_and_delete
    uncomplete = lifecycle.uncomplete
    unenrol = lifecycle.unenrol
    suspend_enrolment = lifecycle.suspend_enrolment
    suspend = lifecycle.suspend
    delete_user = lifecycle.delete_user
    change_user = lifecycle.change_user
    change_course = lifecycle.change_course
    delete_course = lifecycle.delete_course
    remove_module = lifecycle.remove_module
    merge_users = lifecycle.merge_users
    backup = lifecycle.backup
    restore = lifecycle.restore

    # Cohorts, competencies and the badges that follow

    def add_cohort(self, name: str, idnumber: str, description: str = "") -> Cohort:
        """Create a system cohort."""
        cohort = Cohort(len(self.cohorts) + 1, name, idnumber, description)
        self.cohorts[cohort.id] = cohort
        return cohort

    def add_member(self, cohort: Cohort, userid: int) -> None:
        """Add to a cohort and issue at once what that earns, suspended accounts included."""
        cohort.members.append(userid)
        self._review(
            userid, (badge for badge in self.badges.values() if cohort.id in badge.cohorts)
        )

    def remove_member(self, cohort: Cohort, userid: int) -> None:
        """Remove from a cohort. No badge is ever revoked by it."""
        if userid in cohort.members:
            cohort.members.remove(userid)

    def add_framework(self, shortname: str, idnumber: str) -> Framework:
        """Create a competency framework."""
        framework = Framework(len(self.frameworks) + 1, shortname, idnumber, self.now)
        self.frameworks[framework.id] = framework
        return framework

    def add_competency(self, framework: Framework, shortname: str, idnumber: str) -> Competency:
        """Create a competency in a framework."""
        order = sum(one.frameworkid == framework.id for one in self.competencies.values())
        competency = Competency(
            len(self.competencies) + 1, shortname, idnumber, framework.id, self.now, order
        )
        self.competencies[competency.id] = competency
        return competency

    def link_course(self, courseid: int, competencyid: int, outcome: int = 1) -> CourseCompetency:
        """Link a course to a competency, once; Moodle's own outcome is to add evidence."""
        for link in self.course_competencies.values():
            if (link.courseid, link.competencyid) == (courseid, competencyid):
                return link
        number = len(self.course_competencies) + 1
        link = CourseCompetency(number, courseid, competencyid, self.now, outcome)
        self.course_competencies[number] = link
        return link

    def user_competency(self, userid: int, competencyid: int) -> UserCompetency:
        """The user's row for a competency, made when first asked for, as Moodle does."""
        key = (userid, competencyid)
        if key not in self.user_competencies:
            self.user_competencies[key] = UserCompetency(
                len(self.user_competencies) + 1, userid, competencyid, self.now
            )
        return self.user_competencies[key]

    def rate(
        self, userid: int, competencyid: int, grade: int, note: str | None, actionuserid: int
    ) -> Rating:
        """Rate a competency, and issue at once what a proficient rating earns."""
        standing = self.user_competency(userid, competencyid)
        self._ratings += 1
        rating = Rating(self._ratings, grade, note, actionuserid, self.now)
        standing.ratings.append(rating)
        self._review(
            userid, (badge for badge in self.badges.values() if competencyid in badge.competencies)
        )
        return rating

    def add_badge(
        self,
        name: str,
        *,
        description: str = "",
        cohorts: Iterable[Cohort] = (),
        competencies: Iterable[Competency] = (),
        lasts_days: int | None = None,
    ) -> Badge:
        """Create an active site badge with those criteria, all of which must be met."""
        badge = Badge(
            id=max(self.badges, default=0) + 1,
            name=name,
            description=description or name,
            timecreated=self.now,
            cohorts=tuple(one.id for one in cohorts),
            competencies=tuple(one.id for one in competencies),
            lasts=None if lasts_days is None else lasts_days * 86400,
        )
        self.badges[badge.id] = badge
        return badge

    def issued_to(self, userid: int) -> list[IssuedBadge]:
        """The badges a user was ever issued, newest first, expired ones included."""
        return sorted(
            (one for one in self.issued if one.userid == userid),
            key=lambda one: (-one.dateissued, one.badgeid),
        )

    def revoke(self, badgeid: int, userid: int) -> None:
        """What only an administrator or a plugin can do: take an issued badge away."""
        self.issued = [one for one in self.issued if (one.badgeid, one.userid) != (badgeid, userid)]
        self.happened("badge_revoked", userid=userid, badgeid=badgeid)

    def issue(self, badgeid: int, userid: int, expires: int | None) -> IssuedBadge:
        """Issue a badge, as an administrator may by hand, or a plugin."""
        self._issued_rows += 1
        key = f"{badgeid}/{userid}/{self.now}/{self._issued_rows}"
        unique = hashlib.sha256(key.encode()).hexdigest()[:40]
        issued = IssuedBadge(badgeid, userid, self.now, expires, unique, row=self._issued_rows)
        self.issued.append(issued)
        self.happened("badge_awarded", userid=userid, badgeid=badgeid)
        return issued

    def delete_badge(self, badgeid: int) -> None:
        """Delete a badge, and with it what was issued."""
        del self.badges[badgeid]
        self.issued = [one for one in self.issued if one.badgeid != badgeid]

    def _review(self, userid: int, badges: Iterable[Badge]) -> None:
        """Issue those badges whose criteria are met and that were never issued before.

        Moodle looks for an issued row without looking at its expiry, so a badge that expired
        is never issued again.
        """
        for badge in badges:
            held = any((one.badgeid, one.userid) == (badge.id, userid) for one in self.issued)
            if badge.active and not held and self._meets(userid, badge):
                expires = None if badge.lasts is None else self.now + badge.lasts
                self.issue(badge.id, userid, expires)

    def _meets(self, userid: int, badge: Badge) -> bool:
        in_cohorts = all(userid in self.cohorts[one].members for one in badge.cohorts)
        ratings = (self.user_competencies.get((userid, one)) for one in badge.competencies)
        return in_cohorts and all(one is not None and one.proficient for one in ratings)

    # Access and reports

    def add_service(self, service: Service) -> None:
        """Create an external service."""
        self.services[service.shortname] = service

    def add_token(
        self,
        user: User,
        service: Service,
        *,
        validuntil: int | None = None,
        iprestriction: str | None = None,
    ) -> Token:
        """Give a user a token for a service. The value follows from both, so it is the same
        every time, and opens nothing but this stand-in.
        """
        value = hashlib.sha256(f"{user.username}@{service.shortname}".encode()).hexdigest()[:32]
        self.tokens[value] = Token(value, user.id, service.shortname, validuntil, iprestriction)
        return self.tokens[value]

    def token_of(self, username: str) -> str:
        """The first token of that user; KeyError when there is none."""
        userid = self.user(username).id
        for token in self.tokens.values():
            if token.userid == userid:
                return token.value
        raise KeyError(username)

    def add_report(
        self,
        name: str,
        source: str,
        columns: Iterable[str],
        *,
        filters: Iterable[str] = (),
        conditions: dict[str, int] | None = None,
        audience: Iterable[User] = (),
    ) -> Report:
        """Create a custom report for an audience."""
        report = Report(
            id=len(self.reports) + 1,
            name=name,
            source=source,
            columns=list(columns),
            filters=set(filters),
            conditions=dict(conditions or {}),
            audience={user.id for user in audience},
            timecreated=self.now,
        )
        self.reports[report.id] = report
        return report


def _new(rows: dict[int, Row], key: int, row: Row) -> Row:
    if key in rows:
        raise ValueError(f"id {key} is taken")
    return row
