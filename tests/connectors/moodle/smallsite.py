"""A Moodle of a few people and courses, with the plugin and a report, for tests that change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bridge.connectors.moodle import MoodleSettings, MoodleSource
from bridge.demo.moodle import Site, StandInMoodle, seed
from bridge.demo.moodle.functions import FUNCTIONS
from bridge.demo.moodle.plugin.feed import READ
from bridge.demo.moodle.reports import PARTICIPANTS
from bridge.demo.moodle.tables import Category, Course, Module, Service, User
from bridge.domain.ports import Clock

RETRIEVE = "core_reportbuilder_retrieve_report"
PEOPLE = (11, 12, 13, 14)
COURSES = (21, 22, 23)
QUIZ, PAGE = 501, 502
SERVICE = "competency_bridge"


def small_site(clock: Callable[[], datetime]) -> Site:
    """Four people; courses of ID numbers C1, C2 and C3, with a quiz and a page in the first."""
    site = Site("Small", clock)
    site.add_category(Category(1, "Everything"))
    for number, course in enumerate(COURSES, 1):
        site.add_course(Course(course, f"c{number}", f"Course {number}", 1, f"C{number}"))
    for person in PEOPLE:
        site.add_user(User(person, f"u{person}", "User", str(person), f"u{person}@example.org"))
    site.add_module(Module(QUIZ, COURSES[0], "quiz", "Final quiz", "Q1", 0.8))
    site.add_module(Module(PAGE, COURSES[0], "page", "Reading list"))
    site.install_plugin()
    service = Service(SERVICE, set(FUNCTIONS))
    site.add_service(service)
    user = site.add_user(User(90, "svc-bridge", "Bridge", "Service", "svc@example.org"))
    user.capabilities = set(seed.AUTHENTICATED | seed.BRIDGE_ROLE | {READ})
    site.add_token(user, service)
    site.add_report(
        "Bridge completions",
        PARTICIPANTS,
        seed.COMPLETION_COLUMNS,
        filters=("completion:timecompleted",),
        conditions={"completion:completed_operator": 1},
        audience=(user,),
    )
    return site


def source_of(moodle: StandInMoodle, clock: Clock, **changes: object) -> MoodleSource:
    """The site as a source."""
    given = {"key": "moodle", "url": moodle.base_url, "token": moodle.site.token_of("svc-bridge"),
             "report": 1}  # fmt: skip
    return MoodleSource(MoodleSettings(**{**given, **changes}), clock)  # type: ignore[arg-type]
