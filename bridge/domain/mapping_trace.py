"""Says in words why rules matched, counted or did not, and what nearly matched (DESIGN 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from bridge.domain.mapping import NAMES, Matcher, Reason, Rule, Specificity, fold
from bridge.domain.records import ActivityFacts, Status

MAX_NEAR_MISSES = 5
_SIMILAR = 0.7


@dataclass(frozen=True, slots=True)
class Subject:
    """The activity in question, and where it comes from."""

    source_key: str
    source_kind: str
    facts: ActivityFacts


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches an activity, by its most specific matcher that does."""

    rule: Rule
    matcher: Matcher
    position: int

    @property
    def order(self) -> tuple[int, bool, int, int]:
        """Sorts the most specific first, then by mapping name and place in the file."""
        rank, with_source, conditions = self.matcher.specificity
        return -rank, not with_source, -conditions, self.position

    @property
    def specificity(self) -> Specificity:
        """That of its matcher."""
        return self.matcher.specificity


class Role(StrEnum):
    """The part a matching rule plays on a day, in words."""

    DECIDES = "the most specific in force, so it decides"
    ADDS = "marked `also`, so it adds to whichever rule decides"
    SILENCED = "marked `also`, but the deciding rule ignores this activity"
    TIED = (
        "as specific as the deciding rule and in conflict with it; it gives way because it comes "
        "later (by mapping name, then by place in the file)"
    )
    LESS_SPECIFIC = "less specific than the deciding rule, so it is passed over"
    NOT_YET = "not yet in force on that date"
    ENDED = "no longer in force on that date"


@dataclass(frozen=True, slots=True)
class Standing:
    """A matching rule and its part on the day."""

    match: Match
    role: Role


def reason_words(rule: Rule, reason: Reason, status: Status) -> str:
    """Why a record of this status counts or not by this rule, as a sentence."""
    counts = rule.counts_when
    match reason:
        case Reason.COUNTS:
            return f"Rule {rule.name} counts it."
        case Reason.IGNORED:
            return f"Rule {rule.name} ignores this activity: {rule.ignore}"
        case Reason.BEFORE_EFFECTIVE:
            return f"Rule {rule.name} applies only from {rule.effective_from}."
        case Reason.AFTER_EFFECTIVE:
            return f"Rule {rule.name} applied only until {rule.effective_until}."
        case Reason.STATUS:
            return f"Rule {rule.name} counts only {counts.status_words}; this one is {status}."
        case Reason.SCORE_MISSING:
            return (
                f"Rule {rule.name} asks for a score of at least {counts.min_score}, "
                "and the source gives no score."
            )
        case Reason.SCORE_LOW:
            return f"The score is below {counts.min_score}, which rule {rule.name} asks for."
        case Reason.ATTENDANCE_MISSING:
            return (
                f"Rule {rule.name} asks for an attendance of at least {counts.min_attendance}, "
                "and the source gives no attendance."
            )
        case Reason.ATTENDANCE_LOW:
            return (
                f"The attendance is below {counts.min_attendance}, which rule {rule.name} asks for."
            )
        case Reason.PART:
            return (
                f"It is a part of a course, which rule {rule.name} is about as a whole; no rule "
                "names the part (see `module`)."
            )
        case Reason.NO_RULE:
            return "No rule names this activity."
        case _:
            return _booking_words(rule, reason)


def _booking_words(rule: Rule, reason: Reason) -> str:
    """The same where bookings are asked about."""
    counts = rule.counts_when
    wanted = {"all": "every session", "any": "one session"}.get(
        str(counts.sessions), f"{counts.sessions} sessions"
    )
    return {
        Reason.BOOKED: "It is only booked so far, and a booking is never learning.",
        Reason.WAITLISTED: "It is a place on a waiting list, which is never learning.",
        Reason.CANCELLED: "It was cancelled.",
        Reason.NOT_MARKED: "Nobody has marked yet who came, so it is not known.",
        Reason.MINUTES_MISSING: (
            f"Rule {rule.name} asks for {counts.min_minutes:g} minutes, and the source gives none."
            if counts.min_minutes is not None
            else ""
        ),
        Reason.MINUTES_LOW: (
            f"It is shorter than the {counts.min_minutes:g} minutes rule {rule.name} asks for."
            if counts.min_minutes is not None
            else ""
        ),
        Reason.SESSIONS_FEW: (
            f"Rule {rule.name} asks for {wanted} of the event, and fewer were attended."
        ),
        Reason.SESSIONS_UNKNOWN: (
            f"Rule {rule.name} asks for {wanted} of the event, and the source does not say how "
            "many there are."
        ),
        Reason.NOT_EVALUATED: (
            f"Rule {rule.name} asks for the evaluation, which was not handed in."
        ),
        Reason.EVALUATION_UNKNOWN: (
            f"Rule {rule.name} asks for the evaluation, and the source does not say whether it was "
            "handed in."
        ),
    }[reason]


def trace_lines(
    subject: Subject,
    rules: Sequence[Rule],
    standings: Iterable[Standing],
    checks: Sequence[str],
) -> list[str]:
    """Every candidate rule with its part, then what the judged ones said, then near misses."""
    lines = [_subject_words(subject)]
    matched = set()
    for standing in standings:
        rule, matcher = standing.match.rule, standing.match.matcher
        matched.add(rule)
        dates = ""
        if standing.role is Role.NOT_YET:
            dates = f" (it starts on {rule.effective_from})"
        elif standing.role is Role.ENDED:
            dates = f" (its last day was {rule.effective_until})"
        lines.append(f"Rule {rule.name} matches by {matcher}: {standing.role.value}{dates}.")
    lines += checks
    if not matched:
        lines.append("No rule matches this activity.")
    near = near_misses(subject, [rule for rule in rules if rule not in matched], bool(matched))
    if not matched and not near:
        lines.append("No rule comes near it either.")
    return lines + near


def near_misses(subject: Subject, rules: Iterable[Rule], only_named: bool = False) -> list[str]:
    """The rules that came nearest without matching, nearest first, with what kept them apart.

    With `only_named`, only those of which a name fits and another condition does not.
    """
    found = []
    for position, rule in enumerate(rules):
        best = max((_nearness(subject, matcher) for matcher in rule.matchers), key=lambda n: n[0])
        nearness, words = best
        if nearness >= (1.0 if only_named else _SIMILAR):
            found.append((-nearness, position, f"Rule {rule.name} does not match: {words}."))
    return [line for _, _, line in sorted(found)[:MAX_NEAR_MISSES]]


def named_elsewhere(subject: Subject, rules: Iterable[Rule]) -> list[Rule]:
    """The rules that have a name of this activity, and are for another source or kind alone."""
    found = []
    for rule in rules:
        unmet = [
            set(m.unmet(subject.source_key, subject.source_kind, subject.facts))
            for m in rule.matchers
        ]
        if all(unmet) and any(each <= {"source", "kind"} for each in unmet):
            found.append(rule)
    return found[:MAX_NEAR_MISSES]


def _nearness(subject: Subject, matcher: Matcher) -> tuple[float, str]:
    """From 0 to 1, and what keeps this matcher from the activity."""
    unmet = matcher.unmet(subject.source_key, subject.source_kind, subject.facts)
    conditions = matcher.conditions
    named = [name for name in NAMES if name in conditions]
    if any(name not in unmet for name in named):
        return 1.0, "; ".join(_differs(subject, name, conditions.get(name)) for name in unmet)
    best = (0.0, "")
    for name in named:
        given = getattr(subject.facts, NAMES[name])
        if given is None:
            continue
        wanted = conditions[name]
        if _squeezed(wanted) == _squeezed(given):
            near = (0.95, f"{_differs(subject, name, wanted)}, but for capitals or spaces the same")
        elif name == "title":
            near = (_similarity(wanted, given), f"the titles '{wanted}' and '{given}' are similar")
        else:
            continue
        best = max(best, near)
    return best


def _differs(subject: Subject, name: str, wanted: str | None) -> str:
    if wanted is None:
        # Of the names, only `module` is asked for without being given.
        return "it is about whole courses, and this is an activity inside one (see `module`)"
    if name == "source":
        given: str | None = subject.source_key
    elif name == "kind":
        given = subject.source_kind
    else:
        given = getattr(subject.facts, NAMES[name])
    asked = f"it asks for {name} '{wanted}'"
    return f"{asked} and this activity has none" if given is None else f"{asked}, not '{given}'"


def _squeezed(text: str) -> str:
    return fold(text).replace(" ", "")


def _similarity(pattern: str, title: str) -> float:
    plain = fold(pattern.replace("*", " ").replace("?", " "))
    compared = SequenceMatcher(None, plain, fold(title), autojunk=False)
    return compared.ratio() if compared.quick_ratio() >= _SIMILAR else 0.0


def _subject_words(subject: Subject) -> str:
    names = {name: getattr(subject.facts, field) for name, field in NAMES.items()}
    known = ", ".join(f"{name} '{value}'" for name, value in names.items() if value is not None)
    missing = [name for name in ("idnumber", "shortname", "title") if names[name] is None]
    without = f"; it has no {' and no '.join(missing)}" if missing else ""
    return f"The activity from source '{subject.source_key}' is known by {known}{without}."
