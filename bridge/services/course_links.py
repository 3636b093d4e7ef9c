"""A Moodle's own links of courses to competencies: read now and then, shown as suggestions.

They are never in force by themselves: a person copies them into a mapping file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.frameworks import Edition
from bridge.domain.lms_frameworks import CourseLink, KeptLink, ReadsLinks, RuleOutcome, match_link
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Alias
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context, training_team_only
from bridge.services.mapped import load_mapped
from bridge.services.snippets import rule_snippet

#: How many courses one reading asks about, those that no rule names first.
AT_ONCE = 2000
Table = Mapping[tuple[str, str], CompetencyRef]


@dataclass(frozen=True, slots=True)
class LinkedCourse:
    """One course with what its source links it to.

    `refs` are competencies of ours, `strange` links that are not told to be any of ours; `loud`
    let the source complete a competency without a person's word; `mapped` is what the rules in
    force suggest today. `snippet` is a rule with `refs` filled in, where no rule names the course.
    """

    alias: Alias
    refs: tuple[CompetencyRef, ...]
    strange: tuple[CourseLink, ...]
    loud: tuple[CourseLink, ...]
    mapped: tuple[CompetencyRef, ...] | None
    seen_at: datetime | None
    snippet: str = ""

    @property
    def missing(self) -> tuple[CompetencyRef, ...]:
        """What is linked there and not suggested by any rule."""
        return tuple(ref for ref in self.refs if ref not in (self.mapped or ()))


@dataclass(frozen=True, slots=True)
class LinksRead:
    """How a reading went: courses asked about, courses that answered, links seen."""

    source: str
    asked: int
    read: int
    links: int


def read_links(
    ctx: Context,
    source: str,
    reader: ReadsLinks,
    table: Table | None = None,
    *,
    course_kind: str = "moodle-course",
    limit: int = AT_ONCE,
) -> LinksRead:
    """Ask a source about the courses that records came from, and keep what it says.

    A course that does not answer keeps what was read of it before. Raises PeerError, with
    nothing changed, where none answers.
    """
    with ctx.store.reading() as uow:
        index = load_mapped(uow).index
        aliases = [
            alias
            for alias in uow.intake.all_aliases()
            if alias.source_key == source and alias.facts.kind == course_kind
        ]

    def rank(alias: Alias) -> tuple[bool, int]:
        decision = index.decide(alias.source_key, alias.source_kind, alias.facts)
        return decision.mapped, -alias.id

    courses = [alias.facts.value for alias in sorted(aliases, key=rank)][:limit]
    found = reader.course_links(courses) if courses else {}
    now = ctx.clock.now()
    told = table or {}
    with ctx.store.begin() as uow:
        for course, links in found.items():
            rows = [(link, _said(told.get((link.framework, link.idnumber)))) for link in links]
            uow.course_links.replace(source, course, rows, now)
    return LinksRead(source, len(courses), len(found), sum(map(len, found.values())))


def _said(ref: CompetencyRef | None) -> str:
    return f"{ref.edition}:{ref.code}" if ref else ""


def linked_courses(ctx: Context, source: str) -> list[LinkedCourse]:
    """Every course of a source of which something was read, those with most to copy first."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        editions = uow.catalog.editions()
        index = load_mapped(uow).index
        kept = uow.course_links.of(source)
        aliases = [
            alias
            for alias in uow.intake.all_aliases()
            if (alias.source_key, alias.facts.value) in kept
        ]
    today = london_date(ctx.clock.now())
    found = []
    for alias in aliases:
        decision = index.decide(alias.source_key, alias.source_kind, alias.facts)
        mapped = decision.refs_on(today) if decision.mapped else None
        links = kept[alias.source_key, alias.facts.value]
        if links:
            found.append(_linked(alias, links, editions, mapped))
    return sorted(found, key=lambda one: (-len(one.missing), one.alias.facts.title or ""))


def links_of(
    uow: UnitOfWork, aliases: Sequence[Alias], editions: list[Edition]
) -> dict[int, LinkedCourse]:
    """What is kept of the links of activities that no rule names, by the alias's id."""
    kept = uow.course_links.of()
    found = {}
    for alias in aliases:
        links = kept.get((alias.source_key, alias.facts.value))
        if links:
            found[alias.id] = _linked(alias, links, editions, None)
    return found


def _linked(
    alias: Alias,
    links: Sequence[KeptLink],
    editions: list[Edition],
    mapped: tuple[CompetencyRef, ...] | None,
) -> LinkedCourse:
    known = {e.id: frozenset(c.code for c in e.competencies) for e in editions}
    matched = [(kept, kept.said or match_link(kept.link, known, {})) for kept in links]
    sound = [(k, ref) for k, ref in matched if ref and ref.code in known.get(ref.edition, ())]
    refs = tuple(sorted({ref for _, ref in sound}, key=lambda ref: _place(ref, editions)))
    told = {k.link.link_id for k, _ in sound}
    return LinkedCourse(
        alias=alias,
        refs=refs,
        strange=tuple(k.link for k in links if k.link.link_id not in told),
        loud=tuple(k.link for k in links if k.link.outcome == RuleOutcome.COMPLETE),
        mapped=mapped,
        seen_at=max(k.seen_at for k in links),
        snippet=rule_snippet(alias, editions, refs) if refs and mapped is None else "",
    )


def _place(ref: CompetencyRef, editions: list[Edition]) -> tuple[int, int]:
    """In the order of the editions and their competencies, not of their codes as text."""
    for number, edition in enumerate(editions):
        if edition.id == ref.edition:
            return number, [c.code for c in edition.competencies].index(ref.code)
    return len(editions), 0
