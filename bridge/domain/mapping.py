"""The words of a mapping: matchers, rules, and when a rule's activities count (DESIGN 6 and 7)."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bridge.domain.records import ActivityFacts, Status

# 70 of 100 must reach 0.7 whatever the division left behind.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, order=True)
class CompetencyRef:
    """One competency of one edition: ("llr-2020", "13")."""

    edition: str
    code: str

    def __str__(self) -> str:
        return f"{self.edition} {self.code}"


class Reason(StrEnum):
    """Why a record counts or does not, as a short stable word."""

    COUNTS = "counts"
    NO_RULE = "no-rule"
    IGNORED = "ignored"
    BEFORE_EFFECTIVE = "before-effective"
    AFTER_EFFECTIVE = "after-effective"
    STATUS = "status"
    SCORE_MISSING = "score-missing"
    SCORE_LOW = "score-low"
    ATTENDANCE_MISSING = "attendance-missing"
    ATTENDANCE_LOW = "attendance-low"


def fold(text: str) -> str:
    """Text as patterns compare it: case and runs of white space make no difference."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def has_wildcard(pattern: str) -> bool:
    """Whether a pattern leaves something open (`*` any text, `?` any one character)."""
    return "*" in pattern or "?" in pattern


def pattern_source(pattern: str) -> str:
    """The regular expression of a shell-style pattern, for folded text; brackets are literal."""
    return fnmatch.translate(fold(pattern).replace("[", "[[]"))


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern_source(pattern))


def fits(pattern: str, text: str | None) -> bool:
    """Whether the whole text fits the pattern. No text fits nothing, not even `*`."""
    return text is not None and _regex(pattern).match(fold(text)) is not None


#: What a matcher may say of an activity, with the field of `ActivityFacts` it looks at; the
#: most telling first. `title` and `category` are patterns, the others are compared exactly.
NAMES: dict[str, str] = {
    "activity": "iri",
    "course_id": "value",
    "idnumber": "idnumber",
    "shortname": "shortname",
    "title": "title",
    "category": "category",
}
PATTERNS = frozenset({"title", "category"})

_RANKS = {"activity": 7, "course_id": 7, "idnumber": 6, "shortname": 5, "title": 4, "category": 2}

#: How specific a matcher is: its best name, whether it names the source, how much it asks.
Specificity = tuple[int, bool, int]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One way to recognise an activity; everything it says must hold.

    `source` and `kind` are those of the configured source. `course_id` is the source's own id
    of the activity. Raises ValueError where no name is given.
    """

    source: str | None = None
    kind: str | None = None
    course_id: str | None = None
    idnumber: str | None = None
    shortname: str | None = None
    title: str | None = None
    category: str | None = None
    activity: str | None = None

    def __post_init__(self) -> None:
        if not any(getattr(self, name) is not None for name in NAMES):
            raise ValueError("a matcher needs at least one name of the activity")

    @property
    def conditions(self) -> dict[str, str]:
        """What it asks, by key as in the file."""
        given = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: value for name, value in given if value is not None}

    @property
    def best_name(self) -> str:
        """The most telling name it gives."""
        return next(name for name in NAMES if getattr(self, name) is not None)

    @property
    def specificity(self) -> Specificity:
        """How specific it is; the greater wins where several rules match one activity.

        activity or course id, then idnumber, shortname, title, category (a whole title or
        category before one with wildcards); then naming the source; then asking for more.
        """
        name = self.best_name
        open_ended = name in PATTERNS and has_wildcard(getattr(self, name))
        return _RANKS[name] - open_ended, self.source is not None, len(self.conditions)

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """Equal for two matchers that must match the very same activities."""
        return tuple(
            (name, re.sub(r"\*+", "*", fold(value)) if name in PATTERNS else value)
            for name, value in self.conditions.items()
        )

    def unmet(self, source_key: str, source_kind: str, facts: ActivityFacts) -> list[str]:
        """The keys of the conditions that this activity of that source does not meet."""
        missed = []
        if self.source is not None and self.source != source_key:
            missed.append("source")
        if self.kind is not None and self.kind != source_kind:
            missed.append("kind")
        for name, attribute in NAMES.items():
            wanted: str | None = getattr(self, name)
            if wanted is None:
                continue
            given: str | None = getattr(facts, attribute)
            if not (fits(wanted, given) if name in PATTERNS else wanted == given):
                missed.append(name)
        return missed

    def __str__(self) -> str:
        return ", ".join(f"{name} '{value}'" for name, value in self.conditions.items())


@dataclass(frozen=True, slots=True)
class CountsWhen:
    """What a record must show for its rule to count. Thresholds are fractions from 0 to 1.

    Attending alone is participation: it counts only where `statuses` names it. A threshold is
    held against the value wherever the source gives one. Where the source gives none, the
    record does not count; except that with both thresholds set, an `attended` record needs its
    attendance alone and any other its score alone.
    """

    statuses: frozenset[Status] = frozenset({Status.COMPLETED, Status.PASSED})
    min_score: float | None = None
    min_attendance: float | None = None

    def measures(self, status: Status) -> bool:
        """Whether score or attendance can decide about a record of this status."""
        return status in self.statuses and (
            self.min_score is not None or self.min_attendance is not None
        )

    def check(self, status: Status, score: float | None, attendance: float | None) -> Reason:
        """`Reason.COUNTS`, or the first thing that speaks against it."""
        if status not in self.statuses:
            return Reason.STATUS
        both = self.min_score is not None and self.min_attendance is not None
        by_presence = status is Status.ATTENDED
        if self.min_score is not None:
            if score is None:
                if not (both and by_presence):
                    return Reason.SCORE_MISSING
            elif not score + _ROUNDING >= self.min_score:
                return Reason.SCORE_LOW
        if self.min_attendance is not None:
            if attendance is None:
                if not (both and not by_presence):
                    return Reason.ATTENDANCE_MISSING
            elif not attendance + _ROUNDING >= self.min_attendance:
                return Reason.ATTENDANCE_LOW
        return Reason.COUNTS

    @property
    def status_words(self) -> str:
        """The statuses that count, in their usual order."""
        return ", ".join(status for status in Status if status in self.statuses)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which activities suggest which competencies, and when they count.

    `effective_from` and `effective_until` are London dates of the activity, both included.
    `also` adds the rule's suggestions to those of whichever rule wins. `ignore` says on purpose,
    with the reason, that these activities never suggest anything. `level` is "edition:level".
    Raises ValueError for a rule without matchers, or that does not either suggest or ignore.
    """

    mapping: str
    key: str
    title: str
    matchers: tuple[Matcher, ...]
    counts_when: CountsWhen = CountsWhen()
    learning_activity: str | None = None
    delivery: str | None = None
    level: str | None = None
    suggests: tuple[CompetencyRef, ...] = ()
    verification: str | None = None
    assessed: bool = False
    effective_from: date | None = None
    effective_until: date | None = None
    also: bool = False
    ignore: str | None = None

    def __post_init__(self) -> None:
        if not self.matchers:
            raise ValueError(f"rule {self.name} has no matchers")
        if bool(self.suggests) == (self.ignore is not None):
            raise ValueError(f"rule {self.name} must either suggest or ignore")
        if self.also and self.ignore is not None:
            raise ValueError(f"rule {self.name} ignores, so it has nothing to add to others")

    @property
    def name(self) -> str:
        """How people find it: mapping and rule key."""
        return f"{self.mapping}/{self.key}"

    def in_force(self, day: date) -> bool:
        """Whether it applies to an activity on that London date."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_until is None or day <= self.effective_until
        )

    def overlaps(self, other: Rule) -> bool:
        """Whether there is a date on which both are in force."""
        latest_from = max(self.effective_from or date.min, other.effective_from or date.min)
        earliest_until = min(self.effective_until or date.max, other.effective_until or date.max)
        return latest_from <= earliest_until

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what the rule says; the order of its matchers makes no difference."""
        content = rule_content(self)
        content["match"] = sorted(content["match"], key=lambda each: json.dumps(each))
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def rule_content(rule: Rule) -> dict[str, Any]:
    """The rule as plain JSON data, for the database; `rule_from_content` reads it back."""
    counts = rule.counts_when
    return {
        "mapping": rule.mapping,
        "rule": rule.key,
        "title": rule.title,
        "match": [matcher.conditions for matcher in rule.matchers],
        "counts_when": {
            "status": sorted(counts.statuses),
            "min_score": counts.min_score,
            "min_attendance": counts.min_attendance,
        },
        "learning_activity": rule.learning_activity,
        "delivery": rule.delivery,
        "level": rule.level,
        "suggests": [[ref.edition, ref.code] for ref in rule.suggests],
        "verification": rule.verification,
        "assessed": rule.assessed,
        "effective_from": rule.effective_from.isoformat() if rule.effective_from else None,
        "effective_until": rule.effective_until.isoformat() if rule.effective_until else None,
        "also": rule.also,
        "ignore": rule.ignore,
    }


def rule_from_content(content: Mapping[str, Any]) -> Rule:
    """The rule that `rule_content` wrote. Raises KeyError or ValueError for anything else."""
    counts = content["counts_when"]
    starts, ends = content["effective_from"], content["effective_until"]
    return Rule(
        mapping=content["mapping"],
        key=content["rule"],
        title=content["title"],
        matchers=tuple(Matcher(**conditions) for conditions in content["match"]),
        counts_when=CountsWhen(
            frozenset(Status(word) for word in counts["status"]),
            counts["min_score"],
            counts["min_attendance"],
        ),
        learning_activity=content["learning_activity"],
        delivery=content["delivery"],
        level=content["level"],
        suggests=tuple(CompetencyRef(edition, code) for edition, code in content["suggests"]),
        verification=content["verification"],
        assessed=content["assessed"],
        effective_from=date.fromisoformat(starts) if starts else None,
        effective_until=date.fromisoformat(ends) if ends else None,
        also=content["also"],
        ignore=content["ignore"],
    )
