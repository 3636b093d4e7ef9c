"""The compiled mapping engine against a slow and obvious one, over random rules and activities."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.mapping import CompetencyRef, CountsWhen, Matcher, Rule
from bridge.domain.mapping_index import MappingIndex, Outcome, conflicts
from bridge.domain.records import ActivityFacts, Status


# --- the slow and obvious engine ------------------------------------------------------------------
def slow_fits(pattern: str, text: str) -> bool:
    """Shell-style matching by trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(slow_fits(pattern[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and slow_fits(pattern[1:], text[1:])


def slow_same(one: str, other: str | None) -> bool:
    return other is not None and slow_fits(
        " ".join(one.lower().split()), " ".join(other.lower().split())
    )


def slow_matches(matcher: Matcher, source: str, kind: str, facts: ActivityFacts) -> bool:
    return (
        matcher.source in (None, source)
        and matcher.kind in (None, kind)
        and matcher.course_id in (None, facts.value)
        and matcher.activity in (None, facts.iri)
        and matcher.idnumber in (None, facts.idnumber)
        and matcher.shortname in (None, facts.shortname)
        and (matcher.title is None or slow_same(matcher.title, facts.title))
        and (matcher.category is None or slow_same(matcher.category, facts.category))
    )


def slow_strength(matcher: Matcher) -> tuple[int, bool, int]:
    asked = [matcher.activity or matcher.course_id, matcher.idnumber, matcher.shortname]
    asked += [p if p and not set(p) & {"*", "?"} else None for p in (matcher.title,)]
    asked += [matcher.title]
    asked += [p if p and not set(p) & {"*", "?"} else None for p in (matcher.category,)]
    asked += [matcher.category]
    first = next(i for i, value in enumerate(asked) if value is not None)
    given = (
        matcher.source, matcher.kind, matcher.course_id, matcher.idnumber,
        matcher.shortname, matcher.title, matcher.category, matcher.activity,
    )  # fmt: skip
    return -first, matcher.source is not None, sum(value is not None for value in given)


@dataclass
class Slow:
    outcome: Outcome
    rules: list[Rule]
    tied: list[Rule]
    suggestions: list[tuple[CompetencyRef, Rule]]


def slow_judge(
    rules: list[Rule],
    source: str,
    facts: ActivityFacts,
    result: tuple[Status, float | None, float | None],
    day: date,
) -> Slow:
    strength = {}
    for each in rules:
        fitting = [m for m in each.matchers if slow_matches(m, source, "moodle", facts)]
        if fitting:
            strength[each.name] = max(slow_strength(m) for m in fitting)
    if not strength:
        return Slow(Outcome.UNMAPPED, [], [], [])
    by_file = sorted(rules, key=lambda r: r.mapping)
    matched = [r for r in by_file if r.name in strength]
    matched.sort(key=lambda r: strength[r.name], reverse=True)
    active = [
        r
        for r in matched
        if (r.effective_from or date.min) <= day <= (r.effective_until or date.max)
    ]
    if not active:
        return Slow(Outcome.NOT_COUNTING, matched[:1], [], [])
    winners = [r for r in active if not r.also]
    tied = [r for r in winners[1:] if strength[r.name] == strength[winners[0].name]]
    if winners and winners[0].ignore:
        return Slow(Outcome.NOT_COUNTING, winners[:1], tied, [])
    taking_part = winners[:1] + [r for r in active if r.also]
    counting = [r for r in taking_part if slow_counts(r.counts_when, *result)]
    if not counting:
        return Slow(Outcome.NOT_COUNTING, taking_part[:1], tied, [])
    suggestions: list[tuple[CompetencyRef, Rule]] = []
    for each in counting:
        for ref in each.suggests:
            if ref not in [known for known, _ in suggestions]:
                suggestions.append((ref, each))
    return Slow(Outcome.COUNTS, counting, tied, suggestions)


NEVER_COUNT = {"booked", "waitlisted", "cancelled", "unknown"}


def slow_counts(
    when: CountsWhen, status: Status, score: float | None, attendance: float | None
) -> bool:
    if status not in when.statuses or status.value in NEVER_COUNT:
        return False
    if when.min_score is not None and score is not None and score < when.min_score:
        return False
    if (
        when.min_attendance is not None
        and attendance is not None
        and attendance < when.min_attendance
    ):
        return False
    if when.min_score is not None and when.min_attendance is not None:
        return (attendance if "attended" in status else score) is not None
    lacks_score = when.min_score is not None and score is None
    lacks_attendance = when.min_attendance is not None and attendance is None
    return not lacks_score and not lacks_attendance


# --- random rules over a small world, so that they meet often ------------------------------------
WORDS = st.sampled_from(["a", "a", "a b"])
PATTERNS = st.sampled_from(["A", "*", "a*", " A  b ", "a ?", "?", "*b", "a**", "[a]", "a.b"])
DAYS = st.sampled_from([None] * 6 + [date(2026, 1, n) for n in range(1, 5)])
FRACTIONS = st.sampled_from([None, 0.5, 0.7])
TITLES = WORDS | st.sampled_from(["A  B", "[a]", "ab"])

NAMED = st.one_of(
    st.tuples(st.sampled_from(["course_id", "idnumber", "shortname", "activity"]), WORDS),
    st.tuples(st.sampled_from(["title", "category"]), PATTERNS),
)
CONDITION = st.one_of(
    NAMED,
    st.tuples(st.just("source"), st.sampled_from(["moodle", "moodle", "events"])),
    st.tuples(st.just("kind"), st.sampled_from(["moodle", "moodle", "xapi"])),
)
MATCHERS = st.builds(
    lambda named, more: Matcher(**dict([*more, named])), NAMED, st.lists(CONDITION, max_size=2)
)


def random_rule(
    mapping: str,
    matchers: list[Matcher],
    counts_when: CountsWhen,
    codes: list[str],
    dates: tuple[date | None, date | None],
    part: str,
) -> Rule:
    ignore = part == "ignore"
    return Rule(
        mapping,
        key="",
        title="",
        matchers=tuple(matchers),
        counts_when=counts_when,
        suggests=() if ignore else tuple(CompetencyRef("llr-2020", code) for code in codes),
        effective_from=dates[0],
        effective_until=dates[1],
        also=part == "also",
        ignore="not safeguarding" if ignore else None,
    )


RULES = st.lists(
    st.builds(
        random_rule,
        st.sampled_from(["one", "two", "three"]),
        st.lists(MATCHERS, min_size=1, max_size=2),
        st.builds(
            CountsWhen,
            st.sampled_from([frozenset(Status), frozenset({Status.COMPLETED, Status.ATTENDED})]),
            FRACTIONS,
            FRACTIONS,
        ),
        st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=3, unique=True),
        st.tuples(DAYS, DAYS),
        st.sampled_from(["plain", "plain", "also", "ignore"]),
    ),
    min_size=1,
    max_size=6,
).map(lambda rules: [replace(each, key=f"r{number}") for number, each in enumerate(rules)])
ACTIVITIES = st.builds(
    ActivityFacts,
    kind=st.just("course"),
    value=WORDS,
    title=st.none() | TITLES,
    idnumber=WORDS,
    shortname=st.none() | WORDS,
    category=WORDS,
    iri=st.none() | WORDS,
)
RESULTS = st.tuples(st.sampled_from(Status), FRACTIONS, FRACTIONS)


@settings(max_examples=500)
@given(RULES, ACTIVITIES, st.lists(RESULTS, min_size=1, max_size=4), DAYS.filter(bool))
def test_the_engine_decides_as_the_obvious_one_does(
    rules: list[Rule],
    facts: ActivityFacts,
    results: list[tuple[Status, float | None, float | None]],
    day: date,
) -> None:
    decision = MappingIndex(rules).decide("moodle", "moodle", facts)
    for result in results:  # several, so that remembered verdicts are used again
        expected = slow_judge(rules, "moodle", facts, result, day)
        verdict = decision.judge(*result, day)
        assert verdict.outcome is expected.outcome
        assert list(verdict.rules) == expected.rules
        assert list(verdict.tied) == expected.tied
        assert list(verdict.suggestions) == expected.suggestions
        assert all(line for line in verdict.trace())


@given(RULES, ACTIVITIES, RESULTS)
def test_the_order_in_which_files_are_read_makes_no_difference(
    rules: list[Rule],
    facts: ActivityFacts,
    result: tuple[Status, float | None, float | None],
) -> None:
    files = {name: [r for r in rules if r.mapping == name] for name in ("one", "two", "three")}
    verdicts = {
        (verdict.outcome, verdict.reason, verdict.words, verdict.rules, verdict.suggestions)
        for order in itertools.permutations(files)
        for verdict in [
            MappingIndex([r for name in order for r in files[name]])
            .decide("moodle", "moodle", facts)
            .judge(*result, date(2026, 1, 3))
        ]
    }
    assert len(verdicts) == 1


@given(RULES, ACTIVITIES)
def test_a_conflict_seen_in_the_files_shows_wherever_its_matcher_alone_decides(
    rules: list[Rule], facts: ActivityFacts
) -> None:
    for conflict in conflicts(rules):
        pair = [
            replace(conflict.first, matchers=(conflict.matcher,)),
            replace(conflict.second, matchers=(conflict.matcher,)),
        ]
        for day in (date(2026, 1, n) for n in range(1, 6)):
            if not all(each.in_force(day) for each in pair):
                continue
            verdict = (
                MappingIndex(pair)
                .decide("moodle", "moodle", facts)
                .judge(Status.COMPLETED, 1, 1, day)
            )
            assert verdict.outcome is Outcome.UNMAPPED or verdict.tied == (pair[1],)
