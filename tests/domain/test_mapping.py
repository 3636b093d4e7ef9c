"""When a record counts by a rule, and how a rule is stored, hashed and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from bridge.domain.mapping import (
    CompetencyRef,
    CountsWhen,
    Matcher,
    Reason,
    Rule,
    rule_content,
    rule_from_content,
)
from bridge.domain.records import Status

COMPLETED, PASSED, ATTENDED = Status.COMPLETED, Status.PASSED, Status.ATTENDED
BY_SCORE = CountsWhen(frozenset(Status), min_score=0.7)
BY_ATTENDANCE = CountsWhen(frozenset(Status), min_attendance=0.8)
BY_BOTH = CountsWhen(frozenset({COMPLETED, ATTENDED}), 0.7, 0.8)

FULL = Rule(
    mapping="training",
    key="s47",
    title="Section 47",
    matchers=(Matcher(source="moodle", idnumber="S47"), Matcher(title="Section 47*")),
    counts_when=CountsWhen(frozenset({PASSED, ATTENDED}), 0.7, 0.8),
    learning_activity="taught-course",
    delivery="multi-agency",
    level="london-2024:3",
    suggests=(CompetencyRef("llr-2020", "13"), CompetencyRef("london-2024", "L3.1")),
    verification="manager",
    assessed=True,
    effective_from=date(2026, 4, 1),
    effective_until=date(2027, 3, 31),
)


@pytest.mark.parametrize(
    ("when", "status", "score", "attendance", "expected"),
    [
        (CountsWhen(), COMPLETED, None, None, Reason.COUNTS),
        (CountsWhen(), PASSED, None, None, Reason.COUNTS),
        (CountsWhen(), ATTENDED, None, 1.0, Reason.STATUS),
        (CountsWhen(), Status.FAILED, 1.0, None, Reason.STATUS),
        (CountsWhen(), Status.MISSED, None, None, Reason.STATUS),
        (BY_SCORE, COMPLETED, 0.7, None, Reason.COUNTS),
        (BY_SCORE, COMPLETED, 0.69, None, Reason.SCORE_LOW),
        (BY_SCORE, COMPLETED, None, None, Reason.SCORE_MISSING),
        (BY_SCORE, ATTENDED, None, 1.0, Reason.SCORE_MISSING),
        (BY_SCORE, COMPLETED, float("nan"), None, Reason.SCORE_LOW),
        (BY_SCORE, COMPLETED, 1 - 0.1 - 0.1 - 0.1, None, Reason.COUNTS),
        (BY_ATTENDANCE, ATTENDED, None, 0.8, Reason.COUNTS),
        (BY_ATTENDANCE, ATTENDED, None, 0.79, Reason.ATTENDANCE_LOW),
        (BY_ATTENDANCE, COMPLETED, 1.0, None, Reason.ATTENDANCE_MISSING),
        (BY_BOTH, ATTENDED, None, 0.8, Reason.COUNTS),
        (BY_BOTH, COMPLETED, 0.7, None, Reason.COUNTS),
        (BY_BOTH, ATTENDED, 1.0, None, Reason.ATTENDANCE_MISSING),
        (BY_BOTH, COMPLETED, None, 1.0, Reason.SCORE_MISSING),
        (BY_BOTH, ATTENDED, 0.1, 1.0, Reason.SCORE_LOW),
        (BY_BOTH, COMPLETED, 1.0, 0.1, Reason.ATTENDANCE_LOW),
    ],
)
def test_when_a_record_counts(
    when: CountsWhen,
    status: Status,
    score: float | None,
    attendance: float | None,
    expected: Reason,
) -> None:
    assert when.check(status, score, attendance) is expected


def test_a_rule_comes_back_from_the_database_as_it_went_in() -> None:
    ignoring = Rule(
        "training", "fire", "Fire", (Matcher(course_id="9", source="moodle"),), ignore="No"
    )
    for rule in (FULL, ignoring):
        stored = json.loads(json.dumps(rule_content(rule)))
        assert rule_from_content(stored) == rule
        assert rule_from_content(stored).content_hash == rule.content_hash


def test_the_hash_tells_every_change_but_the_order_of_matchers() -> None:
    changes = [
        replace(FULL, mapping="other"),
        replace(FULL, title="Section 47 enquiries"),
        replace(FULL, matchers=FULL.matchers[:1]),
        replace(FULL, counts_when=CountsWhen()),
        replace(FULL, learning_activity=None),
        replace(FULL, delivery=None),
        replace(FULL, level=None),
        replace(FULL, suggests=FULL.suggests[:1]),
        replace(FULL, verification=None),
        replace(FULL, assessed=False),
        replace(FULL, effective_from=None),
        replace(FULL, effective_until=None),
        replace(FULL, also=True),
    ]
    assert len({each.content_hash for each in [FULL, *changes]}) == len(changes) + 1
    assert replace(FULL, matchers=FULL.matchers[::-1]).content_hash == FULL.content_hash


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    # Published rules are compared by it: a change here would make every rule look edited.
    assert FULL.content_hash == "a8a5e3dbcefea1ecc7ca44ea08da1ca07056b67294179e355ceb6b0fc4889bb0"


def test_a_matcher_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one name"):
        Matcher(source="moodle", kind="moodle")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"matchers": ()}, "no matchers"),
        ({"suggests": ()}, "either suggest or ignore"),
        ({"ignore": "why"}, "either suggest or ignore"),
        ({"ignore": "why", "suggests": (), "also": True}, "nothing to add"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(FULL, **changes)  # type: ignore[arg-type]
