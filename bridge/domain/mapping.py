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
from functools import lru_cache
from typing import Any

from bridge.domain.counting import USUAL, counts_content
from bridge.domain.counting import CountsWhen as CountsWhen
from bridge.domain.counting import Reason as Reason
from bridge.domain.records import ActivityFacts, Status


@dataclass(frozen=True, slots=True, order=True)
class CompetencyRef:
    """One competency of one edition: ("llr-2020", "13")."""

    edition: str
    code: str

    def __str__(self) -> str:
        return f"{self.edition} {self.code}"


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
#: most telling first. Those in PATTERNS are patterns, the others are compared exactly.
NAMES: dict[str, str] = {
    "activity": "iri",
    "cmid": "cmid",
    "course_id": "course_id",
    "idnumber": "idnumber",
    "shortname": "shortname",
    "title": "title",
    "module": "module",
    "category": "category",
}
PATTERNS = frozenset({"title", "category", "module"})
#: What is said of an activity inside a course by these is said of the course as well.
_COURSE_FIELDS = {
    "idnumber": "course_idnumber",
    "shortname": "course_shortname",
    "title": "course_title",
}

_RANKS = {"activity": 7, "cmid": 7, "course_id": 7, "idnumber": 6, "shortname": 5, "title": 4,
          "module": 3, "category": 2}  # fmt: skip


def course_of(facts: ActivityFacts) -> ActivityFacts:
    """The course that an activity is inside of, as far as the activity tells of it."""
    return ActivityFacts(
        facts.kind,
        facts.course_id,
        facts.course_title,
        facts.course_idnumber,
        facts.course_shortname,
        facts.category,
    )


def names_of(facts: ActivityFacts, name: str) -> tuple[str, ...]:
    """What an activity goes by under a key of NAMES: an activity inside a course by its own name
    and by that of the course."""
    own: str | None = getattr(facts, NAMES[name])
    course: str | None = None
    if facts.module is not None and name in _COURSE_FIELDS:
        course = getattr(facts, _COURSE_FIELDS[name])
    return tuple(each for each in dict.fromkeys((own, course)) if each is not None)


#: How specific a matcher is: its best name, whether it names the source, how much it asks.
Specificity = tuple[int, bool, int]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One way to recognise an activity; everything it says must hold.

    `source` and `kind` are those of the configured source. `course_id` is the source's own id
    of the course. `module`, the name of an activity inside a course, and its id `cmid` make it a
    way to recognise such activities, and its other names may be those of their course. Without
    them it is about whole courses and events, and finds what is inside a course by that
    activity's own `idnumber` or `activity` alone. Raises ValueError where no name is given.
    """

    source: str | None = None
    kind: str | None = None
    course_id: str | None = None
    idnumber: str | None = None
    shortname: str | None = None
    title: str | None = None
    category: str | None = None
    activity: str | None = None
    module: str | None = None
    cmid: str | None = None

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

        activity, cmid or course id, then idnumber, shortname, title, module, category (a whole
        text before one with wildcards); then naming the source; then asking for more.
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
        for name in NAMES:
            wanted: str | None = getattr(self, name)
            if wanted is None:
                continue
            given = names_of(facts, name)
            if not (any(fits(wanted, g) for g in given) if name in PATTERNS else wanted in given):
                missed.append(name)
        if facts.module is not None and not self._about_parts(facts):
            missed.append("module")
        return missed

    def _about_parts(self, facts: ActivityFacts) -> bool:
        """Whether it means this activity inside a course, not the course that this is a part of."""
        if self.module is not None or self.cmid is not None or self.activity is not None:
            return True
        return self.idnumber is not None and self.idnumber == facts.idnumber

    def __str__(self) -> str:
        return ", ".join(f"{name} '{value}'" for name, value in self.conditions.items())


@dataclass(frozen=True, slots=True)
class Rule:
    """Which activities suggest which competencies, and when they count.

    `effective_from` and `effective_until` are London dates of the activity, both included.
    `also` adds the rule's suggestions to those of whichever rule wins. `ignore` says on purpose,
    with the reason, that these activities never suggest anything. `level` is "edition:level".
    `one_activity` says that everything it decides on is one activity by several names.
    `untrusted`: it also counts what comes from sources that learners can write to.
    Raises ValueError for a rule without matchers, or that does not either suggest or ignore.
    """

    mapping: str
    key: str
    title: str
    matchers: tuple[Matcher, ...]
    counts_when: CountsWhen = USUAL
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
    one_activity: bool = False
    untrusted: bool = False

    def __post_init__(self) -> None:
        if not self.matchers:
            raise ValueError(f"rule {self.name} has no matchers")
        if bool(self.suggests) == (self.ignore is not None):
            raise ValueError(f"rule {self.name} must either suggest or ignore")
        if self.also and self.one_activity:
            raise ValueError(f"rule {self.name} only adds to others, so it joins no activities")
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
    content = {
        "mapping": rule.mapping,
        "rule": rule.key,
        "title": rule.title,
        "match": [matcher.conditions for matcher in rule.matchers],
        "counts_when": counts_content(rule.counts_when),
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
    # Left out where it is not said, so that rules from before it read the same.
    for name in ("one_activity", "untrusted"):
        if getattr(rule, name):
            content[name] = True
    return content


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
            counts.get("min_minutes"),
            counts.get("evaluation") == "required",
            counts.get("sessions"),
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
        one_activity=content.get("one_activity", False),
        untrusted=content.get("untrusted", False),
    )
