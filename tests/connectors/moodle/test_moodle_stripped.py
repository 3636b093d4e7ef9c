"""A system with few of Moodle's functions, as Totara is: what it has is probed, not assumed."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.connectors.moodle import MoodleClient
from bridge.connectors.moodle.setup import SetupWalk
from bridge.connectors.moodle.setupaccess import Access
from bridge.demo.moodle import StandInMoodle
from bridge.domain.ports import DeliveryStatus, Finding
from bridge.domain.records import LearningFact
from bridge.domain.setup import BadgeNeed, SetupWishes, StepState, WayIn
from tests.connectors.moodle.conftest import Peer, Script

#: What the public sources of Totara 12 have of the functions that the bridge knows.
TOTARA = {
    "core_webservice_get_site_info",
    "core_badges_get_user_badges",
    "core_cohort_add_cohort_members",
    "core_cohort_delete_cohort_members",
    "core_cohort_get_cohort_members",
    "core_cohort_get_cohorts",
    "core_completion_get_course_completion_status",
    "core_course_get_courses_by_field",
    "core_enrol_get_enrolled_users",
    "core_user_get_users_by_field",
}


@pytest.fixture
def totara(stand_in: Peer, moodle: StandInMoodle) -> Peer:
    moodle.site.services["competency_bridge"].functions &= TOTARA
    return stand_in


def wrong(findings: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings if not one.ok and not one.warning}


def test_completions_come_person_by_person_without_batches(totara: Peer) -> None:
    source = totara.source(report=None)
    assert wrong(source.doctor()) == {}
    facts = [item.fact for page in source.pull(None) for item in page.items]
    assert sum(isinstance(fact, LearningFact) for fact in facts) > 700


def test_a_cohort_is_found_without_the_search(totara: Peer, moodle: StandInMoodle) -> None:
    target = totara.target(badges_report=None)
    found = wrong(target.doctor())
    assert found == {}
    (told,) = target.award([totara.placement(totara.cohort)])
    assert told.status is DeliveryStatus.DONE
    cohort = next(c for c in moodle.site.cohorts.values() if c.idnumber == totara.cohort["cohort"])
    assert totara.user in cohort.members


def test_a_missing_report_function_is_a_finding_and_no_failure(totara: Peer) -> None:
    found = wrong(totara.source().doctor())
    assert "core_reportbuilder_list_reports" in found["functions for pulling"].message


def test_the_walk_of_set_up_goes_through(totara: Peer) -> None:
    client = MoodleClient(totara.settings)
    access = Access(totara.settings, client, None)
    access.look()
    needs = (BadgeNeed("LLR Core 2026", "cohort", cohort=totara.cohort["cohort"]),)
    steps = {s.key: s for s in SetupWalk(access, SetupWishes(WayIn.PER_USER, needs)).walk()}
    assert steps["cohorts"].state is StepState.DONE
    assert "core_cohort_search_cohorts" not in steps["service"].values[0][1]


@pytest.mark.parametrize("functions", [None, "none", [], [None, 3, {}, {"name": 7}], {"a": 1}])
def test_an_odd_answer_about_the_site_is_told_in_words(script: Script, functions: Any) -> None:
    info = {"userid": 5, "username": "svc", "sitename": "Odd", "functions": functions, "lang": "en"}
    script.says("core_webservice_get_site_info", info)
    found = script.source().doctor()
    assert found[0].ok
    assert "core_reportbuilder_list_reports" in wrong(found)["functions for pulling"].message
    access = Access(script.settings(), MoodleClient(script.settings()), None)
    access.look()
    assert SetupWalk(access, SetupWishes(WayIn.REPORT)).walk()
