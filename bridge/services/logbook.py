"""A practitioner's log: by competency and by level, what it rests on, and what expires when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import AssessmentMethod, Competency, Edition, Level
from bridge.domain.mapping import CompetencyRef
from bridge.domain.notebook import Entry, Past, Waiver, Weight
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person
from bridge.services.ledger import reason_words
from bridge.services.mapped import load_mapped
from bridge.services.practitioner import A_PAGE
from bridge.services.progress import Asked, Line, Progress, Stand, lines_of, progress_within
from bridge.services.signoff import COURSES

#: Nothing is to be done about these.
SETTLED = frozenset({Stand.CURRENT, Stand.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Row:
    """One competency of the log. `courses_only`: verified by attended courses alone (QIF)."""

    line: Line
    verified: int
    waiting: int
    drafts: int
    courses_only: bool
    waiver: Waiver | None

    @property
    def gap(self) -> bool:
        """Whether something is to be done about it."""
        return self.line.stand not in SETTLED


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that stand together: a target group's of one framework."""

    framework: str
    title: str
    rows: tuple[Row, ...]

    @property
    def settled(self) -> int:
        """How many are current, or do not apply."""
        return sum(not row.gap for row in self.rows)


@dataclass(frozen=True, slots=True)
class LevelView:
    """A level that somebody is asked for. Met when all its statements are settled (R7).

    `delivered` are the ways in which what was verified for it was delivered; `fits`: one of them
    is a way that the level asks for, None while nothing is known.
    """

    edition: str
    level: Level
    rows: tuple[Row, ...]
    delivered: tuple[str, ...]
    fits: bool | None

    @property
    def met(self) -> bool:
        """R7: every statement verified and current, or marked not applicable with a reason."""
        complete = len(self.rows) == len(self.level.codes) > 0
        return complete and not any(row.gap for row in self.rows)


@dataclass(frozen=True, slots=True)
class Logbook:
    """The whole log as it stands today, by what present posts ask for."""

    standing: Progress
    parts: tuple[Part, ...]
    levels: tuple[LevelView, ...]
    core_values: tuple[str, ...]

    @property
    def rows(self) -> list[Row]:
        """Every competency once."""
        return [row for part in self.parts for row in part.rows]

    @property
    def by_date(self) -> list[Row]:
        """What has been verified, by when it stops being current, the soonest first."""
        dated = [row for row in self.rows if row.line.until is not None]
        return sorted(dated, key=lambda row: (row.line.until or date.max, row.line.ref))


def logbook(ctx: Context) -> Logbook:
    """The actor's log."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        (standing,) = progress_within(ctx, uow, [person])
        editions = uow.catalog.editions()
        weights = uow.notebook.weights(person)
        waivers = {waiver.ref: waiver for waiver in uow.notebook.waivers(person)}
    by_ref = _by_ref(weights)
    rows = {line.ref: _row(line, by_ref.get(line.ref, ()), waivers) for line in standing.lines}
    return Logbook(
        standing,
        tuple(_parts(editions, rows)),
        tuple(_levels(editions, standing, rows, by_ref)),
        tuple(dict.fromkeys(v for e in editions for v in e.core_values)),
    )


def _by_ref(weights: Sequence[Weight]) -> dict[CompetencyRef, list[Weight]]:
    found: dict[CompetencyRef, list[Weight]] = defaultdict(list)
    for weight in weights:
        found[weight.ref].append(weight)
    return found


def _row(line: Line, weights: Sequence[Weight], waivers: Mapping[CompetencyRef, Waiver]) -> Row:
    def count(*states: ClaimState) -> int:
        return sum(w.number for w in weights if w.state in states)

    kinds = {w.learning_activity for w in weights if w.state is ClaimState.VERIFIED}
    waived = line.stand is Stand.NOT_APPLICABLE
    return Row(
        line,
        verified=count(ClaimState.VERIFIED),
        waiting=count(ClaimState.SUBMITTED),
        drafts=count(ClaimState.SUGGESTED, ClaimState.RETURNED),
        courses_only=bool(kinds) and kinds <= COURSES,
        waiver=waivers.get(line.ref) if waived else None,
    )


def _parts(editions: Sequence[Edition], rows: Mapping[CompetencyRef, Row]) -> list[Part]:
    """The rows under the first group or level that names them, in the frameworks' order."""
    left = dict(rows)
    found = []
    for edition in editions:
        named = [(g.title, g.codes) for g in edition.groups]
        named += [(level.title, level.codes) for level in edition.levels]
        named.append(("Other competencies", tuple(c.code for c in edition.competencies)))
        for title, codes in named:
            refs = [CompetencyRef(edition.id, code) for code in codes]
            part = tuple(left.pop(ref) for ref in refs if ref in left)
            if part:
                found.append(Part(edition.title, title, part))
    return found


def _levels(
    editions: Sequence[Edition],
    standing: Progress,
    rows: Mapping[CompetencyRef, Row],
    by_ref: Mapping[CompetencyRef, Sequence[Weight]],
) -> list[LevelView]:
    asked = {(p.london_level or "").rpartition(":")[2] for p in standing.posts if not p.exempt}
    found = []
    for edition in editions:
        for level in edition.levels:
            if edition.framework != "london" or level.key not in asked:
                continue
            refs = [CompetencyRef(edition.id, code) for code in level.codes]
            ways = {
                w.delivery
                for ref in refs
                for w in by_ref.get(ref, ())
                if w.state is ClaimState.VERIFIED and w.delivery
            }
            fits = bool(ways & {way.value for way in level.delivery}) if ways else None
            found.append(
                LevelView(
                    edition.title, level, tuple(rows[ref] for ref in refs if ref in rows),
                    tuple(sorted(ways)), fits,
                )
            )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class CompetencyPage:
    """One competency: its text, where it stands, all evidence for it, and why there is not more.

    `line` is None where the actor's posts do not ask for it. `courses` are the published rules
    that suggest it; `missed` their records that did not count, each with the reason in words.
    """

    ref: CompetencyRef
    edition: str
    competency: Competency
    line: Line | None
    waiver: Waiver | None
    entries: tuple[Entry, ...]
    page: int
    more: bool
    methods: Mapping[str, AssessmentMethod]
    courses: tuple[str, ...]
    missed: tuple[tuple[Past, str], ...]


def competency(ctx: Context, ref: CompetencyRef, page: int = 1) -> CompetencyPage:
    """The actor and one competency. Raises NotFound where no framework has it."""
    person = acting_person(ctx)
    page = max(page, 1)
    with ctx.store.reading() as uow:
        editions = uow.catalog.editions()
        edition = next((e for e in editions if e.id == ref.edition), None)
        if edition is None:
            raise NotFound(f"There is no published edition '{ref.edition}'.")
        one = edition.competency(ref.code)
        ids = uow.catalog.competency_ids()
        day = london_date(ctx.clock.now())
        posts = [p for p in uow.people.posts_of([person]).get(person, ()) if p.holds_on(day)]
        lines = lines_of(uow, Asked(editions, ids), {person: posts}, day)[person]
        line = next((each for each in lines if each.ref == ref), None)
        entries = uow.notebook.entries(person, ids[ref], A_PAGE + 1, (page - 1) * A_PAGE)
        waived = line is not None and line.stand is Stand.NOT_APPLICABLE
        waivers = uow.notebook.waivers(person) if waived else []
        courses, missed = _why_not(uow, person, ref)
    return CompetencyPage(
        ref, edition.title, one, line,
        next((w for w in waivers if w.ref == ref), None),
        tuple(entries[:A_PAGE]), page, len(entries) > A_PAGE,
        {m.key: m for e in editions for m in e.assessment_methods},
        courses, missed,
    )  # fmt: skip


def _why_not(
    uow: UnitOfWork, person: int, ref: CompetencyRef
) -> tuple[tuple[str, ...], tuple[tuple[Past, str], ...]]:
    """The rules in force that suggest it, and this person's records that they turned away."""
    mapped = load_mapped(uow)
    rules = [rule for rule in mapped.index.rules if ref in rule.suggests]
    ids: Collection[int] = [i for rule in rules if (i := mapped.rule_id(rule)) is not None]
    missed = uow.notebook.not_counting(person, ids, 20) if ids else []
    return (
        tuple(dict.fromkeys(rule.title for rule in rules)),
        tuple((past, reason_words(past.reason)) for past in missed),
    )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of the learning that was too long ago to be recorded."""

    past: tuple[Past, ...]
    page: int
    more: bool


def history(ctx: Context, page: int = 1) -> HistoryPage:
    """What the actor learned longer ago than can be recorded (R1), newest first."""
    person = acting_person(ctx)
    page = max(page, 1)
    with ctx.store.reading() as uow:
        past = uow.notebook.too_old(person, A_PAGE + 1, (page - 1) * A_PAGE)
    return HistoryPage(tuple(past[:A_PAGE]), page, len(past) > A_PAGE)


def today(ctx: Context) -> date:
    """The London date that the log is shown for."""
    return london_date(ctx.clock.now())
