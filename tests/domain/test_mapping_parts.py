"""Activities inside courses are matched as easily as courses, and never by accident."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bridge.domain.mapping import CompetencyRef, Matcher, Rule, rule_content, rule_from_content
from bridge.domain.mapping_index import MappingIndex, Outcome, Verdict
from bridge.domain.records import ActivityFacts, Status

COURSE = ActivityFacts("moodle-course", "7", "Section 47", "S47", "s47", "Classroom")
QUIZ = ActivityFacts(
    "moodle-activity", "7/42", "Section 47: Final quiz", "Q47", None, "Classroom", None,
    "Final quiz", "S47", "s47",
)  # fmt: skip


def rule(key: str, *ways: dict[str, Any], **more: Any) -> Rule:
    matchers = tuple(Matcher(**way) for way in ways)
    return Rule("m", key, key, matchers, suggests=(CompetencyRef("e", "1"),), **more)


def judged(facts: ActivityFacts, *rules: Rule) -> Verdict:
    decision = MappingIndex(rules).decide("moodle", "moodle", facts)
    return decision.judge(Status.PASSED, 0.9, None, date(2026, 5, 1))


@pytest.mark.parametrize(
    "way",
    [
        {"idnumber": "Q47"},
        {"source": "moodle", "cmid": "42"},
        {"module": "Final*"},
        {"idnumber": "S47", "module": "final QUIZ"},
        {"shortname": "s47", "module": "*"},
        {"title": "Section 4?", "module": "Final quiz"},
        {"title": "Section 47: Final*", "module": "*"},
        {"source": "moodle", "course_id": "7", "module": "*quiz"},
        {"category": "class*", "module": "*quiz"},
    ],
)
def test_an_activity_inside_a_course_is_found_by_its_names_and_its_courses(
    way: dict[str, Any],
) -> None:
    found = rule("r", way)
    assert judged(QUIZ, found).outcome is Outcome.COUNTS
    assert judged(COURSE, found).outcome is Outcome.UNMAPPED


@pytest.mark.parametrize(
    "way",
    [
        {"idnumber": "S47"}, {"shortname": "s47"}, {"title": "Section 47*"}, {"category": "*room"},
        {"source": "moodle", "course_id": "7"},
    ],
)  # fmt: skip
def test_a_rule_for_a_course_never_takes_what_is_inside_it(way: dict[str, Any]) -> None:
    about = rule("whole", way)
    assert judged(COURSE, about).outcome is Outcome.COUNTS
    verdict = judged(QUIZ, about)
    assert verdict.outcome is Outcome.NOT_COUNTING
    assert verdict.rule == about
    assert "a part of a course, which rule m/whole is about" in verdict.words


@pytest.mark.parametrize(
    "way",
    [
        {"idnumber": "S47", "module": "Another*"}, {"idnumber": "S48", "module": "*"},
        {"source": "moodle", "cmid": "7"}, {"source": "moodle", "course_id": "42", "module": "*"},
        {"source": "elsewhere", "module": "*"},
    ],
)  # fmt: skip
def test_another_activity_is_not_taken_for_it(way: dict[str, Any]) -> None:
    assert judged(QUIZ, rule("r", way)).outcome is Outcome.UNMAPPED


def test_the_more_telling_way_decides() -> None:
    any_quiz = rule("any", {"module": "*quiz"})
    of_course = rule("course", {"idnumber": "S47", "module": "*"})
    this = rule("this", {"source": "moodle", "cmid": "42"})
    assert judged(QUIZ, any_quiz, of_course).rule == of_course
    assert judged(QUIZ, any_quiz, of_course, this).rule == this


def test_the_trace_says_why_a_course_rule_passed_it_over() -> None:
    lines = judged(QUIZ, rule("whole", {"idnumber": "S47"})).trace()
    assert any("about whole courses" in line for line in lines)
    assert any("module 'Final quiz'" in line for line in lines)


def test_rules_for_activities_are_kept_and_read_back() -> None:
    kept = rule("r", {"source": "moodle", "cmid": "42"}, {"idnumber": "S47", "module": "F*"})
    assert rule_from_content(rule_content(kept)) == kept
