"""Frameworks: editions with their competencies, target groups, levels and lists; crosswalks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bridge.domain.errors import NotFound
from bridge.domain.mapping import CompetencyRef


@dataclass(frozen=True, slots=True)
class SourceText:
    """The document a framework was copied from. `date` is as printed there ("March 2020")."""

    title: str
    publisher: str
    date: str
    where: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a reader should know about a source text: how another place in the document
    words it (`text`), or that the text is broken. `kind` is a short stable word."""

    kind: str
    note: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Competency:
    """One thing a person must show. `owner` is the organisation that added it, if one did."""

    code: str
    text: str
    suggested_evidence: tuple[str, ...] = ()
    level: str | None = None
    flags: tuple[Flag, ...] = ()
    owner: str | None = None

    @property
    def display(self) -> str:
        """The text without a last semicolon, which only marks its place in a printed list."""
        return self.text.removesuffix(";")


@dataclass(frozen=True, slots=True)
class Intervals:
    """How long things count, in calendar months (rules R1 and R2)."""

    recordable_months: int = 12
    current_months: int = 12
    refresh_months: int = 36
    training_months: int = 36

    def shortest(self, other: Intervals) -> Intervals:
        """Each interval as the stricter of the two has it."""
        return Intervals(
            min(self.recordable_months, other.recordable_months),
            min(self.current_months, other.current_months),
            min(self.refresh_months, other.refresh_months),
            min(self.training_months, other.training_months),
        )


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Who the competencies `codes` are for. Groups overlap; `everyone` marks the core.

    `intervals` only where the group's differ from the edition's.
    """

    key: str
    title: str
    description: str
    codes: tuple[str, ...]
    everyone: bool = False
    intervals: Intervals | None = None


class Delivery(StrEnum):
    """How training is given."""

    E_LEARNING = "e-learning"
    SINGLE_AGENCY = "single-agency"
    MULTI_AGENCY = "multi-agency"


@dataclass(frozen=True, slots=True)
class Level:
    """A level: who it is for, and the ways of training it admits. Levels are not cumulative."""

    key: str
    title: str
    heading: str
    delivery: tuple[Delivery, ...]
    audience: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LearningActivity:
    """A recognised way of learning. `asks_use`: the person says how they used it in the role.
    `background_only`: it cannot be the dated activity that evidence rests on."""

    key: str
    text: str
    asks_use: bool = False
    background_only: bool = False


class AssessedBy(StrEnum):
    """Who may use an assessment method."""

    MANAGER = "manager"
    ASSESSOR = "assessor"
    PRACTITIONER = "practitioner"


@dataclass(frozen=True, slots=True)
class AssessmentMethod:
    """A way to assess. One that is not `sufficient_alone` cannot verify e-learning by itself."""

    key: str
    text: str
    by: AssessedBy
    sufficient_alone: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the source that a rule rests on, word for word, and where it stands."""

    key: str
    text: str
    where: str
    supports: str = ""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Another framework whose users need not complete this one as well."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a framework; once published it never changes.

    `extends` names the edition that an organisation's own edition adds to; its target groups
    are then all those of the other, holding the added codes alone.
    """

    id: str
    framework: str
    edition: str
    title: str
    language: str
    source: SourceText
    competencies: tuple[Competency, ...]
    groups: tuple[TargetGroup, ...] = ()
    levels: tuple[Level, ...] = ()
    core_values: tuple[str, ...] = ()
    learning_activities: tuple[LearningActivity, ...] = ()
    assessment_methods: tuple[AssessmentMethod, ...] = ()
    intervals: Intervals = Intervals()
    exemptions: tuple[Exemption, ...] = ()
    statements: tuple[Statement, ...] = ()
    notes: tuple[str, ...] = ()
    extends: str | None = None
    organisation: str | None = None

    def competency(self, code: str) -> Competency:
        """The competency with this code. Raises NotFound."""
        for competency in self.competencies:
            if competency.code == code:
                return competency
        raise NotFound(f"{self.id} has no competency '{code}'.")

    def group(self, key: str) -> TargetGroup:
        """The target group with this key. Raises NotFound."""
        for group in self.groups:
            if group.key == key:
                return group
        known = ", ".join(group.key for group in self.groups) or "none"
        raise NotFound(f"{self.id} has no target group '{key}'. Its groups: {known}.")

    def level(self, key: str) -> Level:
        """The level with this key. Raises NotFound."""
        for level in self.levels:
            if level.key == key:
                return level
        known = ", ".join(level.key for level in self.levels) or "none"
        raise NotFound(f"{self.id} has no level '{key}'. Its levels: {known}.")

    def required_codes(
        self, group_keys: Iterable[str], extra_codes: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """What a person must meet, in the edition's order: the core, what each of their groups
        adds, and the extras agreed with the manager. Raises NotFound for a key or code that the
        edition does not have."""
        wanted = {code for group in self.groups if group.everyone for code in group.codes}
        for key in group_keys:
            wanted.update(self.group(key).codes)
        wanted.update(self.competency(code).code for code in extra_codes)
        return tuple(c.code for c in self.competencies if c.code in wanted)

    def intervals_for(self, group_keys: Iterable[str]) -> Intervals:
        """The edition's intervals, or the strictest of those that its groups set themselves.

        Groups of other frameworks, which a person may well be in, say nothing here.
        """
        keys = set(group_keys)
        own = [group.intervals for group in self.groups if group.key in keys and group.intervals]
        if not own:
            return self.intervals
        strictest = own[0]
        for intervals in own:
            strictest = strictest.shortest(intervals)
        return strictest


class Relation(StrEnum):
    """What the second competency is to the first, as SKOS means it: `broader` says that the
    second is the broader of the two (skos:broadMatch)."""

    EXACT = "exact"
    CLOSE = "close"
    BROADER = "broader"
    NARROWER = "narrower"
    RELATED = "related"

    @property
    def inverse(self) -> Relation:
        """The same line read from the other end."""
        swapped = {Relation.BROADER: Relation.NARROWER, Relation.NARROWER: Relation.BROADER}
        return swapped.get(self, self)


@dataclass(frozen=True, slots=True)
class CrosswalkLine:
    """One relation between two competencies, with the reason for it."""

    first: CompetencyRef
    relation: Relation
    second: CompetencyRef
    because: str


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Relations between the competencies of two editions: a proposal until it is adopted."""

    key: str
    title: str
    adopted: bool
    editions: tuple[str, str]
    lines: tuple[CrosswalkLine, ...]
    without_counterpart: Mapping[CompetencyRef, str]

    def counterparts(self, ref: CompetencyRef) -> tuple[tuple[Relation, CompetencyRef], ...]:
        """What `ref` relates to, from either end. Nothing before the crosswalk is adopted."""
        if not self.adopted:
            return ()
        forth = [(line.relation, line.second) for line in self.lines if line.first == ref]
        back = [(line.relation.inverse, line.first) for line in self.lines if line.second == ref]
        return (*forth, *back)


@dataclass(frozen=True, slots=True)
class Question:
    """One reflective question, word for word."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class ReflectiveQuestions:
    """Questions for looking back over a log, with the guidance that goes with them."""

    key: str
    title: str
    language: str
    source: SourceText
    guidance: tuple[str, ...]
    questions: tuple[Question, ...]
    dating_note: str
    resources: tuple[str, ...]


def edition_content(edition: Edition) -> dict[str, Any]:
    """The edition as plain JSON data, to be stored; `edition_from_content` reads it back."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(edition)))
    return content


def edition_from_content(content: Mapping[str, Any]) -> Edition:
    """The edition that `edition_content` wrote. Raises KeyError or ValueError for other data."""
    lists: dict[str, Any] = {
        "source": SourceText(**content["source"]),
        "competencies": tuple(map(_competency, content["competencies"])),
        "groups": tuple(map(_group, content["groups"])),
        "levels": tuple(map(_level, content["levels"])),
        "core_values": tuple(content["core_values"]),
        "learning_activities": tuple(
            LearningActivity(**item) for item in content["learning_activities"]
        ),
        "assessment_methods": tuple(
            AssessmentMethod(**{**item, "by": AssessedBy(item["by"])})
            for item in content["assessment_methods"]
        ),
        "intervals": Intervals(**content["intervals"]),
        "exemptions": tuple(Exemption(**item) for item in content["exemptions"]),
        "statements": tuple(Statement(**item) for item in content["statements"]),
        "notes": tuple(content["notes"]),
    }
    return Edition(**{**content, **lists})


def _competency(item: Mapping[str, Any]) -> Competency:
    flags = tuple(Flag(**flag) for flag in item["flags"])
    evidence = tuple(item["suggested_evidence"])
    return Competency(**{**item, "flags": flags, "suggested_evidence": evidence})


def _group(item: Mapping[str, Any]) -> TargetGroup:
    intervals = Intervals(**item["intervals"]) if item["intervals"] else None
    return TargetGroup(**{**item, "codes": tuple(item["codes"]), "intervals": intervals})


def _level(item: Mapping[str, Any]) -> Level:
    return Level(
        **{
            **item,
            "delivery": tuple(Delivery(way) for way in item["delivery"]),
            "audience": tuple(item["audience"]),
            "codes": tuple(item["codes"]),
        }
    )


_COMMENTARY = {"title", "source", "flags", "statements", "notes"}


def edition_hash(edition: Edition) -> str:
    """A SHA-256 of what the edition means, in hexadecimal: equal for equal meaning.

    Left out is what only comments on it (titles, source, flags, quoted statements, notes), and
    whatever is empty, so that a field added to the program later leaves old hashes as they were.
    """
    canonical = json.dumps(
        _meaning(asdict(edition)), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _meaning(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _meaning(item) for key, item in value.items() if key not in _COMMENTARY}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {}, False)}
    return [_meaning(item) for item in value] if isinstance(value, (list, tuple)) else value
