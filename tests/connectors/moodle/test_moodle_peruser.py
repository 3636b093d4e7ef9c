"""The per-user route at its edges: what cannot be told is said, and nothing is taken for gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.demo.moodle import Fault, StandInMoodle
from bridge.demo.moodle.tables import Course, User
from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.records import LearningFact, Page, Pulled, Unreadable
from tests.connectors.moodle.conftest import Peer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COMPLETION = "core_completion_get_course_completion_status"
ENROLLED = "core_enrol_get_enrolled_users"
COURSES = "core_course_get_courses_by_field"
BATCH = "tool_mobile_call_external_functions"


def items_of(pages: Iterable[Page]) -> dict[str, Pulled]:
    return {item.natural_key: item for page in pages for item in page.items}


@pytest.fixture
def small(moodle: StandInMoodle) -> StandInMoodle:
    """The stand-in with two courses and three learners left."""
    site = moodle.site
    site.enrolments.clear()
    site.completions.clear()
    site.complete(3, 2, NOW - timedelta(days=2))
    site.complete(4, 2, NOW - timedelta(days=40))
    site.complete(5, 3, NOW - timedelta(days=1), criteria_dated=False)
    site.enrol(4, 3)
    return moodle


def test_dates_are_to_the_second_and_missing_ones_are_flagged(
    small: StandInMoodle, stand_in: Peer
) -> None:
    items = items_of(stand_in.source(report=None).pull(None))
    assert sorted(items) == [
        "completion:3:2:20261121T1200",
        "completion:4:2:20261014T1200",
        "completion:5:3:undated",
    ]
    dated, undated = items["completion:3:2:20261121T1200"], items["completion:5:3:undated"]
    assert isinstance(dated.fact, LearningFact)
    assert dated.fact.occurred_at == NOW - timedelta(days=2)
    assert isinstance(undated.fact, Unreadable)
    assert undated.fact.code == "no-date"


def test_since_an_instant_gives_the_newer_and_the_undated(
    small: StandInMoodle, stand_in: Peer
) -> None:
    pages = list(stand_in.source(report=None).pull(NOW - timedelta(days=14)))
    assert pages[-1].last
    assert set(items_of(pages)) == {"completion:3:2:20261121T1200", "completion:5:3:undated"}


def test_people_are_read_in_pages(small: StandInMoodle, stand_in: Peer) -> None:
    whole = items_of(stand_in.source(report=None).pull(None))
    small.forget()
    assert items_of(stand_in.source(report=None, page_size=1).pull(None)) == whole
    assert small.calls(ENROLLED) > len(small.site.courses)


def test_courses_without_criteria_or_completion_tell_of_nothing_and_that_is_no_fault(
    small: StandInMoodle, stand_in: Peer
) -> None:
    small.site.courses[2].has_criteria = False
    small.site.courses[3].enablecompletion = False
    pages = list(stand_in.source(report=None).pull(None))
    assert items_of(pages) == {}
    assert pages[-1].last


def test_a_course_that_may_not_be_entered_keeps_the_run_from_being_complete(
    small: StandInMoodle, stand_in: Peer
) -> None:
    small.site.courses[2].visible = False
    small.site.user("svc-bridge").capabilities.discard("moodle/course:viewhiddencourses")
    small.site.add_course(Course(id=90, shortname="X1", fullname="X", category=1))
    small.site.user("svc-bridge").blocked_courses.add(3)
    seen: list[Page] = []
    with pytest.raises(NeedsAdministrator, match="not complete") as caught:
        seen.extend(stand_in.source(report=None).pull(None))
    assert "Course " + small.site.courses[3].shortname in str(caught.value)
    assert not any(one.last for one in seen)


def test_a_lost_capability_is_named(small: StandInMoodle, stand_in: Peer) -> None:
    small.site.user("svc-bridge").capabilities.discard("report/completion:view")
    with pytest.raises(NeedsAdministrator, match="report/completion:view"):
        list(stand_in.source(report=None).pull(None))


def test_no_course_at_all_is_not_believed(small: StandInMoodle, stand_in: Peer) -> None:
    small.faults.add(Fault.EMPTY_ANSWER, function=COURSES)
    with pytest.raises(NeedsAdministrator, match="no course is shown"):
        list(stand_in.source(report=None).pull(None))


def test_somebody_deleted_meanwhile_is_passed_over(
    small: StandInMoodle, stand_in: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stand_in.source(report=None)
    small.site.add_user(User(900, "gone", "Gone", "Away", "gone@example.org"))
    small.site.complete(900, 2, NOW - timedelta(days=3))
    before = items_of(source.pull(None))
    original = source.client.call_many

    def delete_first(calls: Any) -> list[Any]:
        small.site.users[900].deleted = True
        return list(original(calls))

    monkeypatch.setattr(source.client, "call_many", delete_first)
    after = items_of(source.pull(None))
    assert [key for key in before if key not in after] == ["completion:900:2:20261120T1200"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.HTML_PAGE, BadAnswer), (Fault.CUT_CONNECTION, TryLater), (Fault.MAINTENANCE, TryLater)],
)
@pytest.mark.parametrize("function", [COURSES, ENROLLED, COMPLETION])
def test_trouble_ends_the_run_without_a_last_page(
    small: StandInMoodle, stand_in: Peer, fault: Fault, kind: type[Exception], function: str
) -> None:
    small.site.services["competency_bridge"].functions.discard(BATCH)
    small.faults.add(fault, function=function)
    seen: list[Page] = []
    with pytest.raises((kind, NeedsAdministrator)):
        seen.extend(stand_in.source(report=None).pull(None))
    assert not any(one.last for one in seen)
