"""The edges of the mapping engine, one by one: which rule wins, names, dates, traces."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest

from bridge.domain.mapping import (
    CompetencyRef,
    CountsWhen,
    Matcher,
    Reason,
    Rule,
)
from bridge.domain.mapping_index import MappingIndex, Outcome, Verdict, conflicts
from bridge.domain.records import ActivityFacts, Status

REF = CompetencyRef("llr-2020", "2")
DAY = date(2026, 5, 1)
COURSE = ActivityFacts("course", "7", title="Section 47 Enquiries", idnumber="LSCP-S47")


def rule(key: str, *matchers: Matcher, mapping: str = "training", **given: object) -> Rule:
    if not given.get("ignore"):
        given.setdefault("suggests", (REF,))
    return Rule(mapping, key, key.title(), matchers, **given)  # type: ignore[arg-type]


def judge(rules: list[Rule], facts: ActivityFacts = COURSE, **given: object) -> Verdict:
    values = {"status": Status.COMPLETED, "score": None, "attendance": None, "occurred_on": DAY}
    decision = MappingIndex(rules).decide("moodle", "moodle", facts)
    return decision.judge(**{**values, **given})  # type: ignore[arg-type]


# --- which rule wins ------------------------------------------------------------------------------
ANY_TITLE = Matcher(title="Section*")
ALL_NAMES = ActivityFacts("course", "7", "Section 47", "LSCP-S47", "S47", "Children", "https://x/7")

LADDER = [
    Matcher(source="moodle", course_id="7"),
    Matcher(activity="https://x/7"),
    Matcher(source="moodle", idnumber="LSCP-S47"),
    Matcher(idnumber="LSCP-S47", title="Section*"),
    Matcher(idnumber="LSCP-S47"),
    Matcher(shortname="S47"),
    Matcher(source="moodle", title="section 47"),
    Matcher(title="section 47"),
    Matcher(title="Section*", category="child*"),
    Matcher(title="Section*"),
    Matcher(category="children"),
    Matcher(source="moodle", kind="moodle", category="*"),
    Matcher(category="c*"),
]


@pytest.mark.parametrize(("stronger", "weaker"), [*itertools.pairwise(LADDER)])
def test_the_more_specific_rule_wins_whatever_the_order(stronger: Matcher, weaker: Matcher) -> None:
    weak, strong = rule("a-weak", weaker), rule("b-strong", stronger)
    for rules in ([weak, strong], [strong, weak]):
        verdict = judge(rules, ALL_NAMES)
        assert verdict.rules == (strong,)
        assert verdict.tied == ()


def test_equal_rules_are_settled_by_mapping_name_then_place_and_the_trace_says_so() -> None:
    same = Matcher(idnumber="LSCP-S47")
    second, first = rule("z", same, mapping="alpha"), rule("a", same, mapping="beta")
    verdict = judge([first, second])
    assert verdict.rules == (second,)
    assert verdict.tied == (first,)
    assert any("beta/a" in line and "in conflict" in line for line in verdict.trace())


def test_an_also_rule_adds_what_is_new() -> None:
    other = CompetencyRef("london", "L3.1")
    winner = rule("winner", Matcher(idnumber="LSCP-S47"))
    extra = rule("extra", ANY_TITLE, suggests=(REF, other), also=True)
    verdict = judge([extra, winner])
    assert verdict.rules == (winner, extra)
    assert list(verdict.suggestions) == [(REF, winner), (other, extra)]


def test_an_also_rule_counts_by_itself_when_the_deciding_rule_does_not_count() -> None:
    winner = rule(
        "winner", Matcher(idnumber="LSCP-S47"), counts_when=CountsWhen(frozenset({Status.PASSED}))
    )
    extra = rule("extra", ANY_TITLE, also=True)
    verdict = judge([winner, extra])
    assert verdict.rules == (extra,)
    assert any("training/winner counts only passed" in line for line in verdict.trace())


def test_an_ignored_activity_suggests_nothing_and_says_why() -> None:
    fire = rule("fire", Matcher(idnumber="LSCP-S47"), ignore="Fire safety is not safeguarding")
    verdict = judge([fire, rule("extra", ANY_TITLE, also=True)])
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_COUNTING, Reason.IGNORED)
    assert verdict.rule == fire
    assert "Fire safety is not safeguarding" in verdict.words
    assert verdict.suggestions == ()


# --- names ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pattern", "title", "expected"),
    [
        ("Section 47*", "SECTION  47 enquiries", True),
        ("*enquiries", " Section 47\u00a0Enquiries ", True),
        ("Section 4?", "Section 47", True),
        ("Section 4?", "Section 4", False),
        ("Section 47", "Section 47 Enquiries", False),
        ("Level [1]", "level [1]", True),
        ("Level [1]", "Level 1", False),
        ("a.c", "abc", False),
        ("*", None, False),
        ("*a*a*a*a*a*a*a*a*b", "a" * 5000, False),
    ],
)
def test_title_patterns(pattern: str, title: str | None, expected: bool) -> None:
    verdict = judge([rule("r", Matcher(title=pattern))], ActivityFacts("course", "7", title=title))
    assert (verdict.outcome is Outcome.COUNTS) is expected


def test_every_condition_of_a_matcher_must_hold_and_any_matcher_will_do() -> None:
    strict = Matcher(source="moodle", idnumber="LSCP-S47", title="Neglect*")
    assert judge([rule("r", strict)]).outcome is Outcome.UNMAPPED
    assert judge([rule("r", strict, Matcher(course_id="7"))]).outcome is Outcome.COUNTS


def test_exact_names_stay_exact_and_the_trace_points_at_the_difference() -> None:
    verdict = judge([rule("r", Matcher(idnumber="lscp-s47"))])
    assert verdict.outcome is Outcome.UNMAPPED
    assert any("but for capitals or spaces the same" in line for line in verdict.trace())


def test_the_trace_of_an_unmapped_activity_names_near_misses_nearest_first() -> None:
    far = rule("far", Matcher(title="Fire Safety"))
    alike = rule("alike", Matcher(title="Section 47 Inquiries*"))
    elsewhere = rule("elsewhere", Matcher(source="events", idnumber="LSCP-S47"))
    lines = judge([far, alike, elsewhere]).trace()
    near = [line for line in lines if "does not match" in line]
    assert len(near) == 2
    assert "training/elsewhere" in near[0]
    assert "source 'events', not 'moodle'" in near[0]
    assert "training/alike" in near[1]


def test_the_trace_says_what_an_activity_has_no_name_for() -> None:
    verdict = judge([], ActivityFacts("course", "7", title="Early Help"))
    assert any("has no idnumber and no shortname" in line for line in verdict.trace())
    assert any("No rule comes near it" in line for line in verdict.trace())


# --- dates ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 3, 31), Reason.BEFORE_EFFECTIVE),
        (date(2026, 4, 1), Reason.COUNTS),
        (date(2026, 8, 31), Reason.COUNTS),
        (date(2026, 9, 1), Reason.AFTER_EFFECTIVE),
        (date.min, Reason.BEFORE_EFFECTIVE),
        (date.max, Reason.AFTER_EFFECTIVE),
    ],
)
def test_both_effective_dates_are_included(day: date, reason: Reason) -> None:
    spring = rule(
        "spring", ANY_TITLE, effective_from=date(2026, 4, 1), effective_until=date(2026, 8, 31)
    )
    assert judge([spring], occurred_on=day).reason is reason


def test_a_rule_to_the_end_of_time_applies_on_its_last_day() -> None:
    assert (
        judge([rule("r", ANY_TITLE, effective_until=date.max)], occurred_on=date.max).outcome
        is Outcome.COUNTS
    )


def test_a_less_specific_rule_takes_over_while_the_other_is_out_of_force() -> None:
    general = rule("general", ANY_TITLE)
    special = rule("special", Matcher(idnumber="LSCP-S47"), effective_from=date(2026, 4, 1))
    assert judge([general, special], occurred_on=date(2026, 3, 31)).rule == general
    verdict = judge([general, special], occurred_on=date(2026, 4, 1))
    assert verdict.rule == special
    assert any("general" in line and "less specific" in line for line in verdict.trace())


# --- conflicts that can be seen in the files ------------------------------------------------------
def test_the_same_name_in_two_rules_is_a_conflict_while_both_are_in_force() -> None:
    one = rule("one", Matcher(title="Section  47*"), effective_until=date(2026, 8, 31))
    two = rule("two", Matcher(title="section 47**"), effective_from=date(2026, 8, 31))
    (conflict,) = conflicts([one, two])
    assert (conflict.first, conflict.second) == (one, two)
    assert conflicts([one, replace(two, effective_from=date(2026, 9, 1))]) == []
    assert conflicts([one, replace(two, also=True)]) == []
    assert conflicts([one, rule("three", Matcher(source="moodle", title="Section 47*"))]) == []


def test_the_worked_example_of_the_documentation() -> None:
    facts = ActivityFacts(
        "course", "9", "Section 47 Enquiries", "LSCP-S47", category="Safeguarding children"
    )
    london = CompetencyRef("london-2024", "L3.1")
    children = rule("children", Matcher(category="Safeguarding*"))
    titles = rule("s47-titles", Matcher(title="Section 47*"))
    s47 = rule(
        "s47", Matcher(source="moodle", idnumber="LSCP-S47"), effective_from=date(2026, 4, 1)
    )
    elsewhere = rule("s47-elsewhere", Matcher(source="events", idnumber="LSCP-S47"))
    agencies = rule("multi-agency", Matcher(title="*enquiries*"), suggests=(london,), also=True)
    rules = [children, titles, s47, elsewhere, agencies]
    verdict = judge(rules, facts, occurred_on=date(2026, 4, 1))
    assert verdict.rules == (s47, agencies)
    assert verdict.suggestions == ((REF, s47), (london, agencies))
    assert judge(rules, facts, occurred_on=date(2026, 3, 31)).rules == (titles, agencies)
    told = {line.split()[1]: line for line in verdict.trace() if line.startswith("Rule training/")}
    assert "source 'events', not 'moodle'" in told["training/s47-elsewhere"]
    assert "less specific" in told["training/children"]
