"""Bringing a published framework, and the links of mapped courses, into an LMS; read first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.domain.errors import PeerError, Refused
from bridge.domain.frameworks import Edition, edition_hash
from bridge.domain.lms_frameworks import (
    CompetencyPeer,
    CourseLink,
    FrameworkPlan,
    LinkPlan,
    RuleOutcome,
    Wanted,
    competency_idnumber,
    plain_text,
    plan_framework,
    plan_links,
    wanted_framework,
)
from bridge.domain.mapping import CompetencyRef
from bridge.domain.records import ActivityFacts
from bridge.domain.times import london_date
from bridge.services.context import Context, audit, training_team_only
from bridge.services.mapped import load_mapped


@dataclass(slots=True)
class FrameworksReport:
    """What was, or would be, done in one LMS; `failed` says in words where it stopped."""

    source: str
    dry_run: bool
    frameworks: list[FrameworkPlan] = field(default_factory=list)
    links: LinkPlan | None = None
    made: int = 0
    restored: int = 0
    linked: int = 0
    calmed: int = 0
    failed: str = ""
    courses_read: int = 0
    courses_suggested: int = 0

    @property
    def in_step(self) -> bool:
        """Whether nothing is left to do, as far as everything could be read."""
        return (
            not self.failed
            and all(plan.in_step for plan in self.frameworks)
            and (self.links is None or self.links.in_step)
        )


def bring_frameworks(
    ctx: Context,
    source: str,
    peer: CompetencyPeer,
    editions: Sequence[Edition],
    *,
    dry_run: bool,
    restore: bool = False,
    link_courses: bool = True,
    source_kind: str = "moodle",
    course_kind: str = "moodle-course",
) -> FrameworksReport:
    """Make what is missing, put right what goes round people, and list everything else.

    Nothing is ever removed from the LMS, and what reads differently there is put back only with
    `restore`. Running it again continues where it stopped. Raises Refused for an edition whose
    file no longer says what was published, and PeerError before anything was changed.
    """
    training_team_only(ctx)
    _check_unchanged(ctx, editions)
    report = FrameworksReport(source, dry_run)
    there = {one.idnumber: one for one in peer.frameworks()}
    for edition in editions:
        wanted = wanted_framework(edition)
        has = there.get(wanted.idnumber)
        seen = peer.competencies(has.id) if has else []
        report.frameworks.append(plan_framework(wanted, has, seen))
    ids = {key: value for plan in report.frameworks for key, value in plan.ids.items()}
    suggested: Mapping[str, Sequence[CompetencyRef]] = {}
    links: Mapping[str, Sequence[CourseLink]] = {}
    if link_courses:
        suggested = _suggested(ctx, source, peer, source_kind, course_kind)
        report.courses_suggested = len(suggested)
        links = peer.course_links(sorted(suggested, key=int))
        report.courses_read = len(links)
    own = {edition.id for edition in editions}
    suggested = {
        course: [ref for ref in refs if ref.edition in own] for course, refs in suggested.items()
    }
    if dry_run:
        if link_courses:
            report.links = plan_links(suggested, links, ids)
        return report
    try:
        # The one change that must not wait for any other: a rating without a person's word.
        if link_courses:
            report.links = plan_links(suggested, links, ids)
            _calm(peer, report.links.loud, report)
        for plan in report.frameworks:
            ids |= _bring(peer, plan, report, restore=restore)
        if link_courses:
            report.links = plan_links(suggested, links, ids)
            for course, ref in report.links.add:
                peer.link(course, ids[competency_idnumber(ref)])
                report.linked += 1
    except PeerError as error:
        report.failed = str(error)
    finally:
        _note(ctx, report)
    return report


def _check_unchanged(ctx: Context, editions: Sequence[Edition]) -> None:
    with ctx.store.reading() as uow:
        for edition in editions:
            published = uow.catalog.edition_hash(edition.id)
            if published not in (None, edition_hash(edition)):
                raise Refused(
                    f"The edition '{edition.id}' is published, and its file says something else "
                    "now. An edition never changes: give the new text a new edition id."
                )


def _suggested(
    ctx: Context, source: str, peer: CompetencyPeer, source_kind: str, course_kind: str
) -> dict[str, list[CompetencyRef]]:
    """What the mappings in force suggest today, by course id: of every course that the LMS shows,
    or else of those that records came from."""
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        index = load_mapped(uow).index
        facts = {
            alias.facts.value: alias.facts
            for alias in uow.intake.all_aliases()
            if alias.source_key == source and alias.facts.kind == course_kind
        }
    for course, (idnumber, shortname, title, category) in (peer.courses() or {}).items():
        # Without moodle/course:update Moodle leaves ID numbers out; the report has them.
        known = facts.get(course)
        facts[course] = ActivityFacts(
            course_kind,
            course,
            title or None,
            idnumber or (known.idnumber if known else None),
            shortname or None,
            category or None,
        )
    found = {
        course: list(index.decide(source, source_kind, each).refs_on(today))
        for course, each in facts.items()
    }
    return {course: refs for course, refs in found.items() if refs}


def _bring(
    peer: CompetencyPeer, plan: FrameworkPlan, report: FrameworksReport, *, restore: bool
) -> dict[str, int]:
    wanted, ids = plan.wanted, dict(plan.ids)
    has = plan.existing
    if has is None:
        has = peer.create_framework(wanted)
        report.made += 1
    elif plan.renamed and restore:
        peer.rename_framework(has, wanted)
        report.restored += 1
    for item in plan.create:
        parent = ids.get(item.parent, 0) if item.parent else 0
        ids[item.idnumber] = peer.create_competency(has.id, item, parent)
        report.made += 1
    by_idnumber = {item.idnumber: item for item in wanted.items}
    again = {one.idnumber: one for one in plan.concluding}
    if restore:
        again |= {one.idnumber: one for one, _ in (*plan.unlike, *plan.moved)}
    for idnumber, one in again.items():
        item = by_idnumber[idnumber]
        parent = ids.get(item.parent, 0) if item.parent else 0
        if not restore:
            # Only the rule is taken away; its words and place are somebody's doing.
            item = Wanted(idnumber, plain_text(one.name), one.description)
            parent = one.parent
        peer.restore_competency(has.id, one, item, parent)
        report.restored += 1
    return ids


def _calm(peer: CompetencyPeer, loud: Sequence[CourseLink], report: FrameworksReport) -> None:
    for link in loud:
        peer.set_outcome(link.link_id, RuleOutcome.EVIDENCE)
        report.calmed += 1


def _note(ctx: Context, report: FrameworksReport) -> None:
    """What was done, in the trail; nothing where nothing was."""
    counts = {
        "made": report.made,
        "restored": report.restored,
        "linked": report.linked,
        "outcomes put back": report.calmed,
    }
    if not any(counts.values()):
        return
    detail: dict[str, object] = {
        **{name: count for name, count in counts.items() if count},
        "editions": [plan.wanted.idnumber for plan in report.frameworks],
    }
    if report.failed:
        detail["stopped"] = True
    with ctx.store.begin() as uow:
        audit(ctx, uow, "lms-frameworks", f"source:{report.source}", detail)
