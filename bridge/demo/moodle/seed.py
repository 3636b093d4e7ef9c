"""The demo's Moodle: 200 learners, 14 courses, 840 completions, quizzes, cohorts, badges, tokens.

The same for the same `now`: dates are counted back from it, and the rest follows from numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bridge.demo.moodle.functions import FOR_SETUP, FUNCTIONS
from bridge.demo.moodle.people import Person, learners, staff_list
from bridge.demo.moodle.plugin.feed import MANAGE_BADGES, READ, SET_STATUS
from bridge.demo.moodle.reports import BADGES, PARTICIPANTS
from bridge.demo.moodle.state import Site
from bridge.demo.moodle.tables import Category, Course, Module, Service, User

SERVICE_USER = "svc-bridge"

E_LEARNING, CLASSROOM = 1, 2

# Shortname, full name, category, idnumber, how often it is chosen.
_COURSES = (
    ("S47", "Section 47 Enquiries and Core Groups", CLASSROOM, "LSCP-S47", 8),
    ("SGC-L1", "Safeguarding Children Level 1", E_LEARNING, "LSCP-SGC-L1", 14),
    ("WT", "Working Together to Safeguard Children", CLASSROOM, "LSCP-WT", 10),
    ("DSL", "Designated Safeguarding Lead", CLASSROOM, "LSCP-DSL", 5),
    ("DA", "Domestic Abuse: Recognise & Respond", CLASSROOM, "LSCP-DA", 8),
    ("FGM", "Female Genital Mutilation: recognition and duty to report", E_LEARNING, "LSCP-FGM", 6),
    ("EXPLOIT", "Child Exploitation", CLASSROOM, "LSCP-EXPLOIT", 7),
    ("SAFER-REC", "Safer Recruitment", E_LEARNING, "LSCP-SAFER-REC", 5),
    ("NEGLECT", "Neglect: seeing the child's world", CLASSROOM, "LSCP-NEGLECT", 7),
    ("MCA", "Mental Capacity Act", E_LEARNING, "LSCP-MCA", 5),
    ("FIRE", "Fire Safety", E_LEARNING, "EST-FIRE", 12),
    ("EARLY-HELP", "Early Help Assessment", CLASSROOM, "", 5),
    ("EXPLOIT-OLD", "Child Exploitation (archived edition)", E_LEARNING, "LSCP-EXPLOIT-OLD", 3),
    ("SUPERVISION", "Supervision Skills for Managers", CLASSROOM, "LSCP-SUPERVISION", 4),
)
_ARCHIVED = "EXPLOIT-OLD"
_FIRST_COURSE_ID = 2

COMPLETION_COLUMNS = (
    "user:idnumber",
    "user:email",
    "user:username",
    "user:fullnamewithlink",
    "user:suspended",
    "course:idnumber",
    "course:shortname",
    "course:coursefullnamewithlink",
    "course_category:name",
    "completion:timecompleted",
    "completion:grade",
    "enrolment:status",
)
BADGE_COLUMNS = (
    "badge:name",
    "user:idnumber",
    "user:email",
    "user:username",
    "user:fullnamewithlink",
    "badge_issued:issued",
    "badge_issued:expire",
    "badge_issued:visible",
    "badge:namewithlink",
)

# Of which course, its kind, name, ID number and pass mark: the final quiz of two e-learnings.
_MODULES = (
    ("SGC-L1", "quiz", "Final quiz", "SGC-L1-QUIZ", 0.8),
    ("FGM", "quiz", "What would you do?", "", None),
    ("FGM", "page", "Reading list", "", None),
)
_FIRST_MODULE_ID = 500

_COHORT_BADGES = (
    ("LLR Core", "LLR-CORE", "The ten core competencies, each verified by a second person."),
    (
        "Recognise and respond",
        "LLR-RESPOND",
        "The signs of abuse and neglect, and what to do with important information.",
    ),
)

# What every logged-in user may do unless a site forbids it.
AUTHENTICATED = frozenset(
    {
        "moodle/badges:viewotherbadges",
        "moodle/competency:competencyview",
        "moodle/competency:coursecompetencyview",
        "moodle/reportbuilder:view",
    }
)
# What the bridge's role adds: enough for every road it takes, and no more.
BRIDGE_ROLE = frozenset(
    {
        "webservice/rest:use",
        "gradereport/user:view",
        "moodle/grade:viewall",
        "moodle/cohort:assign",
        "moodle/cohort:view",
        "moodle/competency:competencygrade",
        "moodle/competency:usercompetencyview",
        "moodle/course:view",
        "moodle/course:viewhiddencourses",
        "moodle/course:viewparticipants",
        "moodle/site:viewuseridentity",
        "moodle/user:viewdetails",
        "report/completion:view",
        "report/progress:view",
    }
)

# What the bridge's role adds where its plugin is installed.
PLUGIN_ROLE = frozenset({READ, MANAGE_BADGES, SET_STATUS})


def demo_site(
    now: datetime, clock: Callable[[], datetime] | None = None, *, plugin: bool = False
) -> Site:
    """The demo's Moodle as it stands at `now` (aware). `clock` moves on from there if given.

    With `plugin`, the bridge's plugin is installed, and its service user may use it.
    """
    site = Site("Northmere Safeguarding Learning", clock or (lambda: now))
    site.add_category(Category(E_LEARNING, "E-learning"))
    site.add_category(Category(CLASSROOM, "Classroom and multi-agency"))
    for number, (shortname, fullname, category, idnumber, _) in enumerate(_COURSES):
        site.add_course(
            Course(
                id=_FIRST_COURSE_ID + number,
                shortname=shortname,
                fullname=fullname,
                category=category,
                idnumber=idnumber,
                visible=shortname != _ARCHIVED,
            )
        )
    people = learners()
    for person in people:
        site.add_user(_account(person))
    _complete(site, people, now)
    _add_quizzes(site)
    add_access(site)
    _add_badges(site, now.year)
    if plugin:
        site.install_plugin()
        site.user(SERVICE_USER).capabilities |= PLUGIN_ROLE
    return site


def _account(person: Person) -> User:
    return User(
        id=person.moodle_id,
        username=person.username,
        firstname=person.first,
        lastname=person.last,
        email=person.email,
        idnumber=person.moodle_idnumber,
        department=person.organisation.department,
        institution=person.organisation.name,
        suspended=person.suspended,
    )


def _complete(site: Site, people: list[Person], now: datetime) -> None:
    """Four completions a learner, five for every fifth: 840. Each began one more or so."""
    chance = random.Random(840)  # noqa: S311 - invented data, not a secret
    ids = {shortname: _FIRST_COURSE_ID + i for i, (shortname, *_) in enumerate(_COURSES)}
    weights = {shortname: weight for shortname, *_, weight in _COURSES}
    made = 0
    for person in people:
        done = 5 if person.number % 5 == 0 else 4
        chosen = _choose(chance, weights, done + 1)
        for shortname in chosen[:done]:
            when = _moment(chance, now, archived=shortname == _ARCHIVED)
            course = site.courses[ids[shortname]]
            online = course.category == E_LEARNING
            site.complete(
                person.moodle_id,
                course.id,
                when,
                grade=float(chance.randint(70, 100)) if online else None,
                # One in twenty came by an import, without dates on its criteria.
                criteria_dated=made % 20 != 0,
            )
            made += 1
        site.enrol(person.moodle_id, ids[chosen[done]])


def _add_quizzes(site: Site) -> None:
    """Whoever completed the course took its quiz a little before; four in nine did not pass."""
    ids = {course.shortname: course.id for course in site.courses.values()}
    for number, (shortname, kind, name, idnumber, passmark) in enumerate(_MODULES):
        module = site.add_module(
            Module(_FIRST_MODULE_ID + number, ids[shortname], kind, name, idnumber, passmark)
        )
        for row in list(site.completions.values()):
            if row.courseid != module.courseid or row.timecompleted is None:
                continue
            when = datetime.fromtimestamp(row.timecompleted - 600, UTC)
            grade = None if kind != "quiz" else 0.6 + (row.userid % 9) * 0.05
            failed = passmark is not None and grade is not None and grade < passmark
            state = 1 if passmark is None else 3 if failed else 2
            site.complete_activity(row.userid, module.cmid, when, state=state, grade=grade)


def _choose(chance: random.Random, weights: dict[str, int], count: int) -> list[str]:
    """Different courses, the popular ones more often."""
    left = dict(weights)
    chosen: list[str] = []
    while len(chosen) < count:
        (one,) = chance.choices(list(left), list(left.values()))
        del left[one]
        chosen.append(one)
    return chosen


def _moment(chance: random.Random, now: datetime, *, archived: bool) -> datetime:
    """Six in ten within the last year, the others up to four years ago; archived ones all old."""
    recent = chance.random() < 0.6 and not archived
    days = chance.randint(1, 364) if recent else chance.randint(366, 4 * 365)
    return now - timedelta(days=days, seconds=chance.randrange(86400))


def add_access(site: Site) -> None:
    """The bridge's service, its user with a token and one without capabilities, and two reports."""
    # As docs/moodle.md has it; the gradebook is for whoever wants scores without the plugin.
    offered = set(FUNCTIONS) - FOR_SETUP - {"gradereport_user_get_grade_items"}
    service = Service("competency_bridge", offered, allowed_users=set())
    site.add_service(service)
    bridge = _service_user(site, 203, SERVICE_USER, "Bridge", AUTHENTICATED | BRIDGE_ROLE)
    _service_user(
        site, 204, "svc-nocap", "No Capabilities", AUTHENTICATED | {"webservice/rest:use"}
    )
    completed = {"completion:completed_operator": 1}
    site.add_report(
        "Bridge completions",
        PARTICIPANTS,
        COMPLETION_COLUMNS,
        filters=("completion:timecompleted",),
        conditions=completed,
        audience=(bridge,),
    )
    site.add_report(
        "Bridge issued badges",
        BADGES,
        BADGE_COLUMNS,
        filters=("badge_issued:issued",),
        audience=(bridge,),
    )


def _service_user(
    site: Site, userid: int, username: str, firstname: str, capabilities: frozenset[str] | set[str]
) -> User:
    """An account of the bridge's service, authorised for it, with a token."""
    (service,) = site.services.values()
    user = site.add_user(User(userid, username, firstname, "Service", f"{username}@example.org"))
    user.capabilities = set(capabilities)
    if service.allowed_users is not None:
        service.allowed_users.add(user.id)
    site.add_token(user, service)
    return user


def _add_badges(site: Site, year: int) -> None:
    """A badge a year by either stock road, for last year, this one and the next.

    Each year has a competency of its own, because a second proficient rating of the same
    one issues nothing.
    """
    framework = site.add_framework("London safeguarding levels", "LONDON")
    for each in (year - 1, year, year + 1):
        for title, idnumber, description in _COHORT_BADGES:
            cohort = site.add_cohort(f"{title} {each} holders", f"{idnumber}-{each}")
            site.add_badge(
                f"{title} {each}", description=description, cohorts=(cohort,), lasts_days=365
            )
        competency = site.add_competency(framework, f"London Level 1 {each}", f"LONDON-L1-{each}")
        site.add_badge(
            f"London Level 1 {each}",
            description="Every statement of London Level 1, verified by a second person.",
            competencies=(competency,),
            lasts_days=365,
        )


__all__ = ["SERVICE_USER", "add_access", "demo_site", "staff_list"]
