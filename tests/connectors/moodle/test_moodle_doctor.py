"""The doctor: each thing that can be wrong is found, named, and given its remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.domain.ports import Finding
from tests.connectors.moodle.conftest import Peer

Break = Callable[[StandInMoodle], object]
SERVICE = "competency_bridge"


def wrong(findings: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings if not one.ok}


def lose_capability(name: str) -> Break:
    return lambda moodle: moodle.site.user("svc-bridge").capabilities.discard(name)


def lose_function(name: str) -> Break:
    return lambda moodle: moodle.site.services[SERVICE].functions.discard(name)


def test_a_moodle_in_order_has_nothing_wrong(stand_in: Peer) -> None:
    target = stand_in.target()
    target.award([stand_in.placement(stand_in.cohort)])
    assert wrong(stand_in.source().doctor()) == {}
    assert wrong(target.doctor()) == {}


@pytest.mark.parametrize(
    ("broken", "check", "words"),
    [
        (lose_capability("webservice/rest:use"), "connection", "webservice/rest:use"),
        (lambda m: m.faults.add(Fault.WEB_SERVICES_OFF), "connection", "switched off"),
        (lambda m: m.faults.add(Fault.HTML_PAGE), "connection", "web page"),
        (lambda m: m.faults.add(Fault.TOKEN_EXPIRED), "connection", "not expired"),
        (
            lose_function("core_reportbuilder_set_filters"),
            "functions for pulling",
            "core_reportbuilder_set_filters",
        ),
        (lambda m: m.faults.add(Fault.OTHER_LANGUAGE), "language", "'fr'"),
        (lambda m: m.faults.add(Fault.OTHER_LANGUAGE), "report columns", "English"),
        (lambda m: m.faults.add(Fault.OTHER_ZONE), "time zone", "another time zone"),
        (lose_function("core_calendar_get_timestamps"), "time zone", "cannot be checked"),
        (lambda m: m.faults.add(Fault.MISSING_COLUMN), "report columns", "Time completed"),
        (
            lambda m: m.faults.add(Fault.MISSING_COLUMN, value="user:email"),
            "report columns",
            "Email address",
        ),
        (lambda m: m.site.reports[1].audience.clear(), "report", "Audience"),
        (lose_capability("moodle/reportbuilder:view"), "report", "moodle/reportbuilder:view"),
        (lambda m: m.faults.add(Fault.REPORTS_MISSING), "report", "does not exist"),
        (lambda m: m.site.completions.clear(), "report rows", "no completion at all"),
        (lambda m: m.site.reports[1].conditions.clear(), "report condition", "everybody"),
    ],
)
def test_what_is_wrong_with_a_source_is_named(
    stand_in: Peer, moodle: StandInMoodle, broken: Break, check: str, words: str
) -> None:
    broken(moodle)
    found = wrong(stand_in.source().doctor())[check]
    assert words in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("broken", "check", "words"),
    [
        (
            lose_function("core_badges_get_user_badges"),
            "function for reading badges",
            "core_badges_get_user_badges",
        ),
        (
            lose_capability("moodle/badges:viewotherbadges"),
            "badges readable",
            "moodle/badges:viewotherbadges",
        ),
        (lose_capability("moodle/cohort:view"), "cohorts visible", "moodle/cohort:view"),
        (lambda m: m.site.cohorts.clear(), "cohorts visible", "no cohort"),
        (
            lose_capability("moodle/competency:competencygrade"),
            "competencies can be rated",
            "not rate them",
        ),
        (lambda m: m.site.competencies.clear(), "competencies can be rated", "no competency"),
        (
            lambda m: (m.site.competencies.clear(), m.site.frameworks.clear()),
            "competencies can be rated",
            "no competency",
        ),
        (lambda m: m.site.issued.clear(), "badges report", "shows no badge"),
        (lambda m: m.site.reports[2].audience.clear(), "badges report", "tab Audience"),
        (
            lose_function("core_cohort_add_cohort_members"),
            "functions for via: cohort",
            "core_cohort_add_cohort_members",
        ),
    ],
)
def test_what_is_wrong_with_a_target_is_named(
    stand_in: Peer, moodle: StandInMoodle, broken: Break, check: str, words: str
) -> None:
    broken(moodle)
    found = wrong(stand_in.target().doctor())[check]
    assert words in found.message
    assert found.remedy


def test_a_badges_report_that_nobody_made_is_a_warning(stand_in: Peer) -> None:
    (found,) = wrong(stand_in.target(badges_report="No such report").doctor()).values()
    assert found.warning
    assert "'No such report'" in found.message


def test_one_road_to_a_badge_is_enough(stand_in: Peer, moodle: StandInMoodle) -> None:
    functions = moodle.site.services[SERVICE].functions
    functions.discard("core_competency_grade_competency")
    missing = wrong(stand_in.target(badges_report=None).doctor())["functions for via: competency"]
    assert missing.warning
    functions.discard("core_cohort_add_cohort_members")
    found = wrong(stand_in.target(badges_report=None).doctor())
    assert {one.warning for one in found.values()} == {False}


def test_without_a_report_the_cost_is_said_and_the_courses_are_looked_at(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    found = wrong(stand_in.source(report=None).doctor())
    assert "per enrolment" in found["report"].message
    assert found["report"].warning
    assert found["course ID numbers"].warning
    moodle.faults.add(Fault.EMPTY_ANSWER, function="core_course_get_courses_by_field")
    found = wrong(stand_in.source(report=None).doctor())
    assert "moodle/course:view" in found["courses"].remedy


@pytest.mark.parametrize(
    ("broken", "check", "words"),
    [
        (lose_capability("moodle/course:viewparticipants"), "courses", "viewparticipants"),
        (lose_capability("moodle/site:viewuseridentity"), "people of courses", "viewuseridentity"),
        (lose_capability("moodle/user:viewdetails"), "people of courses", "viewdetails"),
        (lose_capability("report/completion:view"), "courses", "report/completion:view"),
    ],
)
def test_what_reading_person_by_person_lacks_is_named(
    stand_in: Peer, moodle: StandInMoodle, broken: Break, check: str, words: str
) -> None:
    settings = replace(stand_in.settings, report=None)
    assert not any(
        each for each in replace(stand_in, settings=settings).source().doctor()
        if not each.ok and not each.warning
    )  # fmt: skip
    broken(moodle)
    found = wrong(replace(stand_in, settings=settings).source().doctor())
    assert words in found[check].message + found[check].remedy


def test_the_doctor_changes_nothing(stand_in: Peer, moodle: StandInMoodle) -> None:
    stand_in.source().doctor()
    stand_in.target().doctor()
    changing = ("set_filters", "filters_reset", "add_", "delete_", "grade_competency")
    assert not [one.function for one in moodle.requests if any(x in one.function for x in changing)]
