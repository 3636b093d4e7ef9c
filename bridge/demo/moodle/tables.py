"""The rows a stand-in Moodle keeps: users, courses, completions, cohorts, badges, tokens, reports.

Plain data, named as Moodle names its tables and columns; the rules are in `state.py`.
Times are Unix seconds, as Moodle stores them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class User:
    """An account. Capabilities matter for those that call web services only."""

    id: int
    username: str
    firstname: str
    lastname: str
    email: str
    idnumber: str = ""
    department: str = ""
    institution: str = ""
    suspended: bool = False
    deleted: bool = False
    lang: str = "en"
    timezone: str = "UTC"
    capabilities: set[str] = field(default_factory=set)
    blocked_courses: set[int] = field(default_factory=set)

    @property
    def fullname(self) -> str:
        """The name as Moodle shows it in English."""
        return f"{self.firstname} {self.lastname}"


@dataclass
class Category:
    """A course category."""

    id: int
    name: str
    parent: int = 0


@dataclass
class Course:
    """A course. `has_criteria` is false where nobody said what completes it."""

    id: int
    shortname: str
    fullname: str
    category: int
    idnumber: str = ""
    visible: bool = True
    enablecompletion: bool = True
    has_criteria: bool = True
    startdate: int = 1641772800


@dataclass
class Enrolment:
    """One user in one course by one method; two methods make two rows of a report.

    `status` is Active, Suspended or Not current, as the report shows it.
    """

    userid: int
    courseid: int
    method: str = "manual"
    status: str = "Active"


@dataclass
class Completion:
    """That a user completed a course. Moodle stores when it was not recorded as None.

    `criteria_dated` is false for a completion that was set directly (an import): the report
    knows its date, but the per-user web service shows every date as null.
    """

    userid: int
    courseid: int
    timecompleted: int | None
    grade: float | None = None
    criteria_dated: bool = True
    id: int = 0


@dataclass
class Module:
    """An activity inside a course. `gradepass` is a fraction, None where there is no pass mark."""

    cmid: int
    courseid: int
    modname: str
    name: str
    idnumber: str = ""
    gradepass: float | None = None


@dataclass
class ActivityCompletion:
    """How far a user is with an activity: state 0 to 3, when that changed, grade as a fraction."""

    id: int
    userid: int
    cmid: int
    state: int
    time: int
    grade: float | None = None


@dataclass
class Cohort:
    """A system-wide cohort; `members` are user ids in the order they were added."""

    id: int
    name: str
    idnumber: str
    description: str = ""
    visible: bool = True
    members: list[int] = field(default_factory=list)


@dataclass
class Badge:
    """A site badge, issued to whoever is in all its cohorts and proficient in all its competencies.

    `lasts` is its expiry after issue, in seconds; None means that it never expires.
    """

    id: int
    name: str
    description: str
    timecreated: int
    cohorts: tuple[int, ...] = ()
    competencies: tuple[int, ...] = ()
    lasts: int | None = None
    active: bool = True
    image: bytes = b""
    manual: bool = False


@dataclass
class IssuedBadge:
    """One badge held by one user."""

    badgeid: int
    userid: int
    dateissued: int
    dateexpire: int | None
    uniquehash: str
    visible: bool = True
    row: int = 0


@dataclass
class Framework:
    """A competency framework. Its scale is the same for all: Not yet competent, Competent.

    `scaleconfiguration` None is the usual one, whose second value is proficient.
    """

    id: int
    shortname: str
    idnumber: str
    timecreated: int
    description: str = ""
    visible: bool = True
    taxonomies: str = "competency,competency,competency,competency"
    scaleconfiguration: str | None = None


@dataclass
class Competency:
    """A competency of a framework; `parentid` 0 at the top."""

    id: int
    shortname: str
    idnumber: str
    frameworkid: int
    timecreated: int
    sortorder: int = 0
    description: str = ""
    parentid: int = 0
    ruleoutcome: int = 0


@dataclass
class CourseCompetency:
    """A competency that a course is linked to, and what completing the course does to it."""

    id: int
    courseid: int
    competencyid: int
    timecreated: int
    ruleoutcome: int = 1


@dataclass
class Rating:
    """One rating of a user's competency, kept as a line of evidence."""

    id: int
    grade: int
    note: str | None
    actionuserid: int
    timecreated: int


@dataclass
class UserCompetency:
    """How one user stands in one competency; the last rating decides."""

    id: int
    userid: int
    competencyid: int
    timecreated: int
    ratings: list[Rating] = field(default_factory=list)

    @property
    def grade(self) -> int | None:
        """The present grade (1 or 2), or None before any rating."""
        return self.ratings[-1].grade if self.ratings else None

    @property
    def proficient(self) -> bool | None:
        """Whether the grade is the proficient one, or None before any rating."""
        return None if self.grade is None else self.grade == PROFICIENT_GRADE


SCALE = {1: "Not yet competent", 2: "Competent"}
PROFICIENT_GRADE = 2


@dataclass
class Service:
    """An external service: which functions it offers, and to whom if it is restricted."""

    shortname: str
    functions: set[str]
    enabled: bool = True
    allowed_users: set[int] | None = None


@dataclass
class Token:
    """A web service token. `validuntil` is Unix seconds; `iprestriction` a network."""

    value: str
    userid: int
    service: str
    validuntil: int | None = None
    iprestriction: str | None = None


@dataclass
class Report:
    """A custom report. Columns, filters and conditions use Moodle's own identifiers.

    `conditions` are the stored condition values, `audience` the user ids that may view it.
    """

    id: int
    name: str
    source: str
    columns: list[str]
    filters: set[str]
    conditions: dict[str, int]
    audience: set[int]
    timecreated: int
    sorted_by: list[str] = field(default_factory=list)
