"""What an LMS should hold of our frameworks, how that differs from what it holds, and its links.

Pure: editions and what was read from the LMS go in, changes to make and things to say come out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol, runtime_checkable

from bridge.domain.frameworks import Edition, TargetGroup
from bridge.domain.mapping import CompetencyRef

#: Moodle's columns for names and ID numbers hold so many characters.
NAME_LENGTH = 100
_TAGS = re.compile(r"<[^>]*>")


class RuleOutcome(IntEnum):
    """What a Moodle does with a linked competency when its course is completed.

    `COMPLETE` rates the learner without any person's word, so the bridge never sets it.
    """

    NONE = 0
    EVIDENCE = 1
    RECOMMEND = 2
    COMPLETE = 3


@dataclass(frozen=True, slots=True)
class LmsFramework:
    """A competency framework as the LMS has it."""

    id: int
    idnumber: str
    name: str
    description: str
    scale_id: int
    scale_configuration: str = ""
    visible: bool = True


@dataclass(frozen=True, slots=True)
class LmsCompetency:
    """A competency as the LMS has it; `parent` is its parent's id, 0 at the top.

    `rule_outcome` above 0 means that the LMS itself concludes it from those below.
    """

    id: int
    idnumber: str
    name: str
    description: str
    parent: int = 0
    rule_outcome: int = 0


@dataclass(frozen=True, slots=True)
class CourseLink:
    """One competency that a course is linked to in the LMS.

    `course` is the LMS's own id of the course, `framework` the ID number of the competency's
    framework ("" where it cannot be seen).
    """

    course: str
    link_id: int
    competency_id: int
    framework: str
    idnumber: str
    name: str
    outcome: int = RuleOutcome.EVIDENCE


@dataclass(frozen=True, slots=True)
class Wanted:
    """One competency as it should be; `parent` is the ID number of the one above it, or None."""

    idnumber: str
    name: str
    description: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class WantedFramework:
    """One edition as a framework. Items come after the one above them."""

    idnumber: str
    name: str
    description: str
    taxonomies: str
    items: tuple[Wanted, ...]


def competency_idnumber(ref: CompetencyRef) -> str:
    """The ID number of a competency of ours: `llr-2020:13`."""
    return f"{ref.edition}:{ref.code}"


def plain_text(text: str) -> str:
    """The words of a description or name, whatever its markup, as they are compared."""
    return " ".join(html.unescape(_TAGS.sub(" ", text)).split())


def wanted_framework(edition: Edition) -> WantedFramework:
    """An edition as a framework: levels as parents; groups too, where none overlaps another.

    Groups that overlap make no tree, so only the one that is for everybody, if it stands apart
    from all others, becomes a parent, and each other competency says whom it is for.
    """
    parents = _parents(edition)
    items = list(parents.values())
    above = {code: parents[key] for key, codes in _codes_below(edition) for code in codes}
    for competency in edition.competencies:
        parent = above.get(competency.code)
        words = [competency.display]
        groups = [g.title for g in edition.groups if competency.code in g.codes]
        if groups and parent is None:
            words.append(f"For: {', '.join(groups)}.")
        items.append(
            Wanted(
                competency_idnumber(CompetencyRef(edition.id, competency.code)),
                _name(f"{competency.code}. {competency.display}"),
                _paragraphs(words),
                parent.idnumber if parent else None,
            )
        )
    source = edition.source
    about = [
        f"{source.title}, {source.publisher}, {source.date}.",
        f"Edition {edition.edition}, as kept in Competency Bridge ({edition.id}).",
    ]
    kind = "level" if edition.levels else "competency"
    return WantedFramework(
        edition.id,
        _name(f"{edition.title} ({edition.edition})"),
        _paragraphs(about),
        f"{kind},competency,competency,competency",
        tuple(items),
    )


def _codes_below(edition: Edition) -> list[tuple[str, Sequence[str]]]:
    """What each parent has below it: levels first, or the groups that stand apart."""
    if edition.levels:
        return [(f"level:{level.key}", level.codes) for level in edition.levels]
    apart = [group for group in edition.groups if _apart(group, edition.groups)]
    if len(apart) < len(edition.groups):
        apart = [group for group in apart if group.everyone]
    return [(f"group:{group.key}", group.codes) for group in apart if group.codes]


def _apart(group: TargetGroup, groups: Sequence[TargetGroup]) -> bool:
    return not any(set(group.codes) & set(other.codes) for other in groups if other is not group)


def _parents(edition: Edition) -> dict[str, Wanted]:
    titles = {
        f"level:{one.key}": (one.title, (one.heading, *one.audience)) for one in edition.levels
    }
    titles |= {f"group:{one.key}": (one.title, (one.description,)) for one in edition.groups}
    return {
        key: Wanted(f"{edition.id}:{key}", _name(titles[key][0]), _paragraphs(titles[key][1]))
        for key, _ in _codes_below(edition)
    }


def _name(text: str) -> str:
    """As much of a text as a name holds. Angle brackets would be refused as markup."""
    said = " ".join(text.replace("<", "(").replace(">", ")").split())
    return said if len(said) <= NAME_LENGTH else f"{said[: NAME_LENGTH - 3].rstrip()}..."


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{html.escape(text, quote=False)}</p>" for text in texts if text)


@dataclass(frozen=True, slots=True)
class FrameworkPlan:
    """What there is to do for one edition. `existing` is the framework's id if it is there.

    `unlike` reads differently in the LMS, and is put back only when asked to: an edition never
    changes, so somebody changed it there. `moved` stands elsewhere in the tree. `concluding` lets
    the LMS conclude a competency from others, which goes round the human word. `extra` is there
    and not in the file: it is listed and left alone.
    """

    wanted: WantedFramework
    existing: LmsFramework | None
    create: tuple[Wanted, ...]
    unlike: tuple[tuple[LmsCompetency, Wanted], ...]
    moved: tuple[tuple[LmsCompetency, Wanted], ...]
    concluding: tuple[LmsCompetency, ...]
    extra: tuple[LmsCompetency, ...]
    renamed: bool
    ids: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_step(self) -> bool:
        """Whether nothing is to be made or put right."""
        return (
            self.existing is not None
            and not (self.create or self.unlike or self.moved or self.concluding)
            and not self.renamed
        )


def plan_framework(
    wanted: WantedFramework, existing: LmsFramework | None, seen: Sequence[LmsCompetency]
) -> FrameworkPlan:
    """Compare one edition to what the LMS has of it; things are known by their ID numbers."""
    by_idnumber = {one.idnumber: one for one in seen}
    numbers = {one.id: one.idnumber for one in seen}
    pairs = [(by_idnumber[w.idnumber], w) for w in wanted.items if w.idnumber in by_idnumber]
    ours = {w.idnumber for w in wanted.items}
    return FrameworkPlan(
        wanted,
        existing,
        tuple(w for w in wanted.items if w.idnumber not in by_idnumber),
        tuple((has, w) for has, w in pairs if _reads_differently(has, w)),
        tuple((has, w) for has, w in pairs if numbers.get(has.parent) != w.parent),
        tuple(has for has, _ in pairs if has.rule_outcome),
        tuple(one for one in seen if one.idnumber not in ours),
        existing is not None
        and (
            plain_text(existing.name) != wanted.name
            or plain_text(existing.description) != plain_text(wanted.description)
        ),
        {one.idnumber: one.id for one in seen},
    )


def _reads_differently(has: LmsCompetency, wanted: Wanted) -> bool:
    return plain_text(has.name) != wanted.name or plain_text(has.description) != plain_text(
        wanted.description
    )


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What there is to do for the links of courses.

    `add` are (course id, reference); `loud` are links of ours whose outcome is "complete";
    `others_loud` are such links to competencies that are not ours, which are only told of.
    `waiting` are suggested competencies that the LMS does not have yet.
    """

    add: tuple[tuple[str, CompetencyRef], ...]
    loud: tuple[CourseLink, ...]
    others_loud: tuple[CourseLink, ...]
    waiting: tuple[tuple[str, CompetencyRef], ...]

    @property
    def in_step(self) -> bool:
        """Whether no link is to be made or put right."""
        return not (self.add or self.loud or self.waiting)


def plan_links(
    suggested: Mapping[str, Sequence[CompetencyRef]],
    links: Mapping[str, Sequence[CourseLink]],
    ids: Mapping[str, int],
) -> LinkPlan:
    """Compare what mappings suggest per course id to what the LMS links, as far as it was read.

    `ids` are the LMS's competencies of ours by their ID numbers. A course that could not be read
    (it is missing from `links`) is left out: nothing is concluded from silence.
    """
    ours = set(ids)
    add: list[tuple[str, CompetencyRef]] = []
    waiting: list[tuple[str, CompetencyRef]] = []
    for course, refs in suggested.items():
        if course not in links:
            continue
        linked = {link.idnumber for link in links[course]}
        for ref in refs:
            idnumber = competency_idnumber(ref)
            if idnumber in linked:
                continue
            (add if idnumber in ours else waiting).append((course, ref))
    loud = [
        link for each in links.values() for link in each if link.outcome == RuleOutcome.COMPLETE
    ]
    return LinkPlan(
        tuple(add),
        tuple(link for link in loud if link.idnumber in ours),
        tuple(link for link in loud if link.idnumber not in ours),
        tuple(waiting),
    )


def match_link(
    link: CourseLink,
    known: Mapping[str, Iterable[str]],
    table: Mapping[tuple[str, str], CompetencyRef],
) -> CompetencyRef | None:
    """Which competency of ours a linked one is, or None. Exact only, never by its name.

    `known` has the codes of each edition by its id. The ID number is read as `edition:code`; or
    the framework's ID number names the edition and the competency's the code; or `table` says so,
    by (framework ID number, competency ID number).
    """
    said = table.get((link.framework, link.idnumber))
    if said is not None:
        return said
    edition, colon, code = link.idnumber.partition(":")
    if colon and code in known.get(edition, ()):
        return CompetencyRef(edition, code)
    if link.idnumber in known.get(link.framework, ()):
        return CompetencyRef(link.framework, link.idnumber)
    return None


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link as it was last read. `said` is the competency that the table of the site names."""

    link: CourseLink
    said: CompetencyRef | None
    seen_at: datetime


class CourseLinkRepository(Protocol):
    """The links of courses, as they were last read from each source."""

    def replace(
        self, source_key: str, course: str, links: Sequence[tuple[CourseLink, str]], now: datetime
    ) -> None:
        """All that is kept of one course. Beside each link `edition:code`, or "", as the site's
        table says."""
        ...

    def of(self, source_key: str | None = None) -> dict[tuple[str, str], list[KeptLink]]:
        """What is kept, by source and course."""
        ...


@runtime_checkable
class ReadsLinks(Protocol):
    """A source that can tell which competencies its courses are linked to."""

    def course_links(self, courses: Sequence[str]) -> Mapping[str, Sequence[CourseLink]]:
        """The links of each course that could be read; others are left out. Raises PeerError."""
        ...


class CompetencyPeer(ReadsLinks, Protocol):
    """An LMS whose competency frameworks can be read and written. All may raise PeerError."""

    def frameworks(self) -> list[LmsFramework]: ...

    def competencies(self, framework_id: int) -> list[LmsCompetency]: ...

    def courses(self) -> Mapping[str, tuple[str, str, str, str]] | None:
        """Every course by id: ID number, short name, title, category; None where not allowed."""
        ...

    def create_framework(self, wanted: WantedFramework) -> LmsFramework: ...

    def rename_framework(self, framework: LmsFramework, wanted: WantedFramework) -> None: ...

    def create_competency(self, framework_id: int, wanted: Wanted, parent_id: int) -> int: ...

    def restore_competency(
        self, framework_id: int, competency: LmsCompetency, wanted: Wanted, parent_id: int
    ) -> None:
        """Give it the words, the place and the rule (none) that it should have."""
        ...

    def link(self, course: str, competency_id: int) -> None: ...

    def set_outcome(self, link_id: int, outcome: RuleOutcome) -> None: ...
