"""The compiled mapping engine: decides once per activity, then judges each record cheaply."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from bridge.domain.counting import Part
from bridge.domain.mapping import (
    NAMES,
    PATTERNS,
    CompetencyRef,
    Matcher,
    Reason,
    Rule,
    course_of,
    fits,
    fold,
    has_wildcard,
    names_of,
    pattern_source,
)
from bridge.domain.mapping_trace import Match, Role, Standing, Subject, reason_words, trace_lines
from bridge.domain.records import ActivityFacts, Booking, Status


class Outcome(StrEnum):
    """What the mappings say of a record; finding its learner is another matter."""

    UNMAPPED = "unmapped"
    NOT_COUNTING = "not counting"
    COUNTS = "counts"


class Suggestion(NamedTuple):
    """One suggested competency, and the rule that suggests it."""

    ref: CompetencyRef
    rule: Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a record as far as the mappings go, shared by all records alike.

    `rules` are those that count it, the deciding one first; for `NOT_COUNTING` the one rule that
    said so. `suggestions` name each competency once. `tied` are rules in conflict with the
    deciding one: as specific, and later in order.
    """

    outcome: Outcome
    reason: Reason
    words: str
    rules: tuple[Rule, ...]
    suggestions: tuple[Suggestion, ...]
    tied: tuple[Rule, ...]
    _tell: Callable[[], list[str]] = field(repr=False, compare=False)

    @property
    def rule(self) -> Rule | None:
        """The rule that decided, if there is one."""
        return self.rules[0] if self.rules else None

    def trace(self) -> list[str]:
        """For every candidate rule, why it did or did not match and count; made when asked."""
        return self._tell()


class ActivityDecision:
    """The rules that match one activity, ready to judge its records.

    Hold on to it while the mappings stay as they are: judging a record is then a few look-ups.
    """

    __slots__ = ("_cuts", "_rules", "_segments", "matches", "part_of", "subject")

    def __init__(
        self,
        subject: Subject,
        matches: Iterable[Match],
        rules: Sequence[Rule],
        part_of: Rule | None = None,
    ) -> None:
        self.subject = subject
        #: Of an activity inside a course that no rule names: the rule about the course.
        self.part_of = part_of
        self.matches = tuple(sorted(matches, key=lambda match: match.order))
        self._rules = rules
        self._cuts = _cuts(match.rule for match in self.matches)
        days = [date.min, *self._cuts]
        self._segments = [
            _Segment(self.subject, self._standings(day), rules, part_of) for day in days
        ]

    @property
    def mapped(self) -> bool:
        """Whether any rule matches, in force or not."""
        return bool(self.matches)

    def judge(
        self,
        status: Status,
        score: float | None,
        attendance: float | None,
        occurred_on: date,
        booking: Booking | None = None,
        parts: Sequence[Part] | None = None,
    ) -> Verdict:
        """What becomes of a record with this result (fractions from 0 to 1, or None), done on
        that London date. `parts` are the sessions of its event, where `needs_parts` says so.
        """
        segment = self._segments[bisect_right(self._cuts, occurred_on)]
        return segment.settled.get(status) or segment.judge(
            status, score, attendance, booking, parts
        )

    def needs_parts(self, booking: Booking | None, occurred_on: date) -> bool:
        """Whether a record of one session counts only together with others of its event."""
        if booking is None or not booking.session:
            return False
        return self._segments[bisect_right(self._cuts, occurred_on)].several

    def refs_on(self, day: date) -> tuple[CompetencyRef, ...]:
        """What the rules in force on that London date suggest, if all of them count."""
        judged = self._segments[bisect_right(self._cuts, day)].judged
        return tuple(dict.fromkeys(ref for rule in judged for ref in rule.suggests))

    @property
    def names_one(self) -> set[str]:
        """The rules that say that this activity is one with all others that they decide on."""
        return {name for segment in self._segments for name in segment.names_one}

    def _standings(self, day: date) -> list[Standing]:
        """The part of each matching rule on a day."""
        winner = next((m for m in self.matches if m.rule.in_force(day) and not m.rule.also), None)
        return [Standing(match, _role(match, winner, day)) for match in self.matches]


def _cuts(rules: Iterable[Rule]) -> list[date]:
    """The days on which another set of rules comes into force, in order."""
    cuts = set()
    for rule in rules:
        if rule.effective_from is not None:
            cuts.add(rule.effective_from)
        if rule.effective_until is not None and rule.effective_until < date.max:
            cuts.add(rule.effective_until + timedelta(days=1))
    return sorted(cuts)


def _role(match: Match, winner: Match | None, day: date) -> Role:
    rule = match.rule
    if not rule.in_force(day):
        early = rule.effective_from is not None and day < rule.effective_from
        return Role.NOT_YET if early else Role.ENDED
    if rule.also:
        ignored = winner is not None and winner.rule.ignore is not None
        return Role.SILENCED if ignored else Role.ADDS
    if winner is None or match is winner:
        return Role.DECIDES
    return Role.TIED if match.specificity == winner.specificity else Role.LESS_SPECIFIC


class _Segment:
    """A stretch of days on which the same rules are in force, with its verdicts as they arise.

    `settled` holds the verdicts that no score or attendance can change.
    """

    __slots__ = (
        "_by_checks",
        "_part_of",
        "_rules",
        "_standings",
        "_subject",
        "_tied",
        "judged",
        "names_one",
        "settled",
        "several",
    )

    def __init__(
        self,
        subject: Subject,
        standings: Sequence[Standing],
        rules: Sequence[Rule],
        part_of: Rule | None,
    ) -> None:
        self._subject = subject
        self._part_of = part_of
        self._standings = standings
        self._rules = rules
        parts: dict[Role, list[Rule]] = defaultdict(list)
        for standing in standings:
            parts[standing.role].append(standing.match.rule)
        self.judged = (*parts[Role.DECIDES], *parts[Role.ADDS])
        self._tied = tuple(parts[Role.TIED])
        self.several = any(rule.counts_when.sessions is not None for rule in self.judged)
        self.names_one = {rule.name for rule in parts[Role.DECIDES] if rule.one_activity}
        self.settled: dict[Status, Verdict] = {}
        self._by_checks: dict[tuple[Status, tuple[Reason, ...]], Verdict] = {}

    def judge(
        self,
        status: Status,
        score: float | None,
        attendance: float | None,
        booking: Booking | None,
        parts: Sequence[Part] | None,
    ) -> Verdict:
        checks = tuple(
            Reason.IGNORED
            if rule.ignore is not None
            else rule.counts_when.check(status, score, attendance, booking, parts)
            for rule in self.judged
        )
        verdict = self._by_checks.get((status, checks))
        if verdict is None:
            verdict = self._verdict(status, checks)
            self._by_checks[status, checks] = verdict
            if not any(rule.counts_when.measures(status) for rule in self.judged):
                self.settled[status] = verdict
        return verdict

    def _verdict(self, status: Status, checks: tuple[Reason, ...]) -> Verdict:
        if not self._standings and self._part_of is not None:
            return self._not_counting(self._part_of, Reason.PART, status, ())
        if not self._standings:
            words = "No rule names this activity."
            return Verdict(
                Outcome.UNMAPPED, Reason.NO_RULE, words, (), (), (), lambda: self._trace(())
            )
        if not self.judged:
            first = self._standings[0]
            early = first.role is Role.NOT_YET
            reason = Reason.BEFORE_EFFECTIVE if early else Reason.AFTER_EFFECTIVE
            return self._not_counting(first.match.rule, reason, status, ())
        counting = tuple(
            rule for rule, check in zip(self.judged, checks, strict=True) if check is Reason.COUNTS
        )
        said = tuple(
            reason_words(rule, check, status)
            for rule, check in zip(self.judged, checks, strict=True)
        )
        if not counting:
            return self._not_counting(self.judged[0], checks[0], status, said)
        suggestions: dict[CompetencyRef, Suggestion] = {}
        for rule in counting:
            for ref in rule.suggests:
                suggestions.setdefault(ref, Suggestion(ref, rule))
        words = " ".join(reason_words(rule, Reason.COUNTS, status) for rule in counting)
        return Verdict(
            Outcome.COUNTS,
            Reason.COUNTS,
            words,
            counting,
            tuple(suggestions.values()),
            self._tied,
            lambda: self._trace(said),
        )

    def _not_counting(
        self, rule: Rule, reason: Reason, status: Status, said: tuple[str, ...]
    ) -> Verdict:
        words = reason_words(rule, reason, status)
        return Verdict(
            Outcome.NOT_COUNTING,
            reason,
            words,
            (rule,),
            (),
            self._tied,
            lambda: self._trace(said or (words,)),
        )

    def _trace(self, said: Sequence[str]) -> list[str]:
        return trace_lines(self._subject, self._rules, self._standings, said)


class _Patterns:
    """The wildcard patterns of one name. Most activities fit none: one search tells."""

    def __init__(self) -> None:
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        self._any: re.Pattern[str] | None = None

    def add(self, pattern: str, entry: _Entry) -> None:
        self._entries[pattern].append(entry)

    def compile(self) -> None:
        if self._entries:
            self._any = re.compile("|".join(pattern_source(pattern) for pattern in self._entries))

    def find(self, text: str) -> list[_Entry]:
        if self._any is None or self._any.match(fold(text)) is None:
            return []
        return [
            entry
            for pattern, entries in self._entries.items()
            if fits(pattern, text)
            for entry in entries
        ]


class _Entry(NamedTuple):
    position: int
    rule: Rule
    matcher: Matcher


class MappingIndex:
    """Rules compiled for look-up by every kind of name.

    Rules of one mapping must come in the order of their file; the order in which mappings come
    makes no difference.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.mapping))
        #: Whether any rule joins activities; mostly none does.
        self.joins = any(rule.one_activity for rule in self.rules)
        self._exact: dict[tuple[str | None, str, str], list[_Entry]] = defaultdict(list)
        self._open = {name: _Patterns() for name in PATTERNS}
        for position, rule in enumerate(self.rules):
            for matcher in rule.matchers:
                self._add(_Entry(position, rule, matcher))
        for patterns in self._open.values():
            patterns.compile()

    def _add(self, entry: _Entry) -> None:
        name = entry.matcher.best_name
        wanted = entry.matcher.conditions[name]
        if name in PATTERNS and has_wildcard(wanted):
            self._open[name].add(wanted, entry)
        else:
            key = fold(wanted) if name in PATTERNS else wanted
            self._exact[entry.matcher.source, name, key].append(entry)

    def decide(self, source_key: str, source_kind: str, facts: ActivityFacts) -> ActivityDecision:
        """Which rules match an activity of that source; do this once per activity."""
        subject = Subject(source_key, source_kind, facts)
        matches = self._matches(source_key, source_kind, facts)
        part_of = None
        if facts.module is not None and not matches:
            whole = self._matches(source_key, source_kind, course_of(facts))
            part_of = min(whole, key=lambda match: match.order).rule if whole else None
        return ActivityDecision(subject, matches, self.rules, part_of)

    def _matches(
        self, source_key: str, source_kind: str, facts: ActivityFacts
    ) -> Collection[Match]:
        """Each rule that matches, by its most specific matcher."""
        best: dict[int, Match] = {}
        for entry in self._candidates(source_key, facts):
            if entry.matcher.unmet(source_key, source_kind, facts):
                continue
            match = Match(entry.rule, entry.matcher, entry.position)
            known = best.get(entry.position)
            if known is None or match.order < known.order:
                best[entry.position] = match
        return best.values()

    def _candidates(self, source_key: str, facts: ActivityFacts) -> list[_Entry]:
        """The matchers whose most telling name fits; their other conditions are still open."""
        found: list[_Entry] = []
        for name in NAMES:
            for given in names_of(facts, name):
                key = fold(given) if name in PATTERNS else given
                for source in (source_key, None):
                    found += self._exact.get((source, name, key), ())
                if name in PATTERNS:
                    found += self._open[name].find(given)
        return found


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules with the same matcher, in force on a common day: the first always wins."""

    first: Rule
    second: Rule
    matcher: Matcher


def conflicts(rules: Iterable[Rule]) -> list[Conflict]:
    """The conflicts that can be seen without any activity: equal matchers in different rules."""
    seen: dict[tuple[tuple[str, str], ...], list[Rule]] = defaultdict(list)
    found = []
    for rule in sorted(rules, key=lambda rule: rule.mapping):
        if rule.also:
            continue
        for identity, matcher in {m.identity: m for m in rule.matchers}.items():
            found += [
                Conflict(earlier, rule, matcher)
                for earlier in seen[identity]
                if earlier.overlaps(rule)
            ]
            seen[identity].append(rule)
    return found
