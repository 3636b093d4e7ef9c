"""The practitioner's pages: what is theirs to do, and one draft with everything beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bridge.domain import currency
from bridge.domain.claims import ClaimState
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Competency, Edition, LearningActivity
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Evidence, Post
from bridge.domain.notebook import Pile, Put, Slip, Support, Typed
from bridge.domain.prompts import Model, model_of
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person
from bridge.services.drafts import MODEL
from bridge.services.evidence import Verifier, activity_of, groups_held, verifiers_in
from bridge.services.progress import Progress, progress_within
from bridge.services.why import Why, whys

#: How many of each pile the first page shows, and a page of one pile.
TOP = 8
A_PAGE = 25
#: After so many days without a decision a deputy, or another verifier, is offered (DESIGN 6).
WAITS_LONG_DAYS = 28


@dataclass(frozen=True, slots=True)
class Listed:
    """A piece of evidence in a list, with its claims and where its records came from."""

    slip: Slip
    claims: tuple[Put, ...]

    def codes(self, *states: ClaimState) -> list[str]:
        """The codes of the claims in these states."""
        return [put.ref.code for put in self.claims if put.state in states]

    @property
    def waits_for(self) -> tuple[str, datetime] | None:
        """Before whom it was put, and since when it waits there."""
        return next(
            (
                (put.verifier_name, put.submitted_at)
                for put in self.claims
                if put.state is ClaimState.SUBMITTED and put.verifier_name and put.submitted_at
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a verifier asked when they returned something."""

    evidence_id: int
    by: str
    text: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where they stand and what is theirs to do: the top of each pile, and how high it is."""

    standing: Progress
    counts: Mapping[Pile, int]
    listed: Mapping[Pile, tuple[Listed, ...]]
    questions: Mapping[int, tuple[Question, ...]]


def desk(ctx: Context) -> Desk:
    """The top of the actor's piles, with the questions on what was returned."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        (standing,) = progress_within(ctx, uow, [person])
        piles = uow.notebook.piles(person, TOP)
        shown = [slip for pile in _SHOWN for slip in piles.slips.get(pile, ())]
        listed = _listed(ctx, uow, shown)
        returned = [each for each in listed if each.slip.pile is Pile.RETURNED]
        return Desk(
            standing,
            piles.counts,
            {pile: tuple(e for e in listed if e.slip.pile is pile) for pile in _SHOWN},
            {each.slip.id: _questions(each) for each in returned},
        )


_SHOWN = (Pile.DRAFT, Pile.RETURNED, Pile.WAITING)


def _listed(ctx: Context, uow: UnitOfWork, slips: Sequence[Slip]) -> list[Listed]:
    ids = [slip.id for slip in slips]
    if not ids:
        return []
    puts = uow.notebook.puts(ids, ctx.vault)
    return [Listed(slip, tuple(puts.get(slip.id, ()))) for slip in slips]


def _sources(support: Sequence[Support]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.source_key for each in support))


def _questions(item: Listed) -> tuple[Question, ...]:
    asked: dict[tuple[str, str], list[str]] = {}
    for put in item.claims:
        if put.asked:
            asked.setdefault((put.asked_by, put.asked), []).append(put.ref.code)
    return tuple(
        Question(item.slip.id, by, text, tuple(codes)) for (by, text), codes in asked.items()
    )


@dataclass(frozen=True, slots=True)
class PileView:
    """A part of one pile."""

    pile: Pile
    listed: tuple[Listed, ...]
    page: int
    more: bool


def pile_page(ctx: Context, pile: Pile, page: int) -> PileView:
    """The `page`th part (from 1) of one of the actor's piles, newest activity first."""
    person = acting_person(ctx)
    page = max(page, 1)
    with ctx.store.reading() as uow:
        slips = uow.notebook.pile(person, pile, A_PAGE + 1, (page - 1) * A_PAGE)
        listed = _listed(ctx, uow, slips[:A_PAGE])
    return PileView(pile, tuple(listed), page, len(slips) > A_PAGE)


@dataclass(frozen=True, slots=True)
class Section:
    """Competencies of one framework that stand together, to choose from."""

    framework: str
    title: str
    edition: str
    competencies: tuple[Competency, ...]

    def ref(self, competency: Competency) -> CompetencyRef:
        """How claims name one of them."""
        return CompetencyRef(self.edition, competency.code)

    def without(self, taken: Collection[CompetencyRef]) -> list[Competency]:
        """Those that are not among these."""
        return [one for one in self.competencies if self.ref(one) not in taken]

    def holds(self, refs: Collection[CompetencyRef], named: str = "") -> bool:
        """Whether one of these, or the one named "edition code", is among them."""
        own = [self.ref(competency) for competency in self.competencies]
        return any(ref in refs or str(ref) == named for ref in own)


@dataclass(frozen=True, slots=True)
class Draft:
    """One piece of one's own evidence, with everything that helps to reflect on it.

    `history`: the activity is too old to be put forward (R1). `used`: ask how it was used.
    """

    item: Listed
    evidence: Evidence
    support: tuple[Support, ...]
    whys: Mapping[int, Why]
    competencies: Mapping[CompetencyRef, Competency]
    sections: tuple[Section, ...]
    activity: LearningActivity | None
    typed: Typed | None
    written: Mapping[str, str]
    questions: tuple[Question, ...]
    verifiers: tuple[Verifier, ...]
    model: Model
    last_day: date
    history: bool
    waits_long: bool

    def of(self, *states: ClaimState) -> list[Put]:
        """The claims in these states."""
        return [put for put in self.item.claims if put.state in states]

    @property
    def shared_why(self) -> Why | None:
        """The one reason for everything that is suggested, where there is one."""
        open_ = self.of(ClaimState.SUGGESTED, ClaimState.RETURNED)
        reasons = {self.whys.get(put.claim_id) for put in open_ if put.origin == "rule"}
        return next(iter(reasons)) if len(reasons) == 1 else None

    @property
    def asks_use(self) -> bool:
        """Whether it asks how this was used in the role."""
        return self.activity is not None and self.activity.asks_use

    @property
    def others(self) -> list[Verifier]:
        """Who could verify what waits now, besides those it waits for."""
        waits = {put.verifier for put in self.of(ClaimState.SUBMITTED)}
        return [each for each in self.verifiers if {each.person} != waits]

    @property
    def first_word(self) -> bool:
        """Whether it is their turn: nothing of it waits or is verified, or it was returned."""
        return self.item.slip.pile not in (Pile.WAITING, Pile.DONE)

    @property
    def open(self) -> bool:
        """Whether there is anything that could be put before somebody."""
        return bool(self.of(ClaimState.SUGGESTED, ClaimState.RETURNED, ClaimState.DISMISSED))


def draft(ctx: Context, evidence_id: int) -> Draft:
    """One piece of the actor's own evidence. Raises NotFound for anything else."""
    person = acting_person(ctx)
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        sheet = uow.notebook.sheet(evidence_id, person, MODEL, ctx.vault)
        if sheet is None:
            raise NotFound(f"There is no evidence {evidence_id} of yours.")
        evidence = sheet.evidence
        puts = tuple(uow.notebook.puts([evidence_id], ctx.vault).get(evidence_id, ()))
        support = tuple(uow.notebook.support([evidence_id]).get(evidence_id, ()))
        slip = Slip(evidence.id, evidence.title, evidence.occurred_on, evidence.origin,
                    evidence.learning_activity, evidence.level, evidence.late,
                    pile_of([put.state for put in puts]), _sources(support))  # fmt: skip
        item = Listed(slip, puts)
        editions = uow.catalog.editions()
        verifiers, posts = verifiers_in(
            uow, person, today, {each for one in support for each in one.assessors}
        )
        written: Mapping[str, str] = {}
        if any(put.submitted_at for put in puts):
            written = uow.evidence.reflection(evidence_id, ctx.vault)
        reasons = whys(uow, puts)
        questions = _questions(item)
    last_day = _last_day(evidence, editions, posts, today)
    return Draft(
        item=item,
        evidence=evidence,
        support=support,
        whys=reasons,
        competencies={CompetencyRef(e.id, c.code): c for e in editions for c in e.competencies},
        sections=sections(editions, posts),
        activity=_activity(editions, evidence.learning_activity),
        typed=sheet.typed,
        written=written,
        questions=questions,
        verifiers=tuple(verifiers),
        model=model_of(sheet.preference),
        last_day=last_day,
        history=today > last_day and not any(put.submitted_at for put in puts),
        waits_long=any(
            put.state is ClaimState.SUBMITTED
            and put.submitted_at is not None
            and (today - london_date(put.submitted_at)).days >= WAITS_LONG_DAYS
            for put in puts
        ),
    )


def pile_of(states: Sequence[ClaimState]) -> Pile:
    """On which pile evidence with claims in these states lies; as the lists have it."""
    for state, pile in (
        (ClaimState.RETURNED, Pile.RETURNED),
        (ClaimState.SUBMITTED, Pile.WAITING),
        (ClaimState.VERIFIED, Pile.DONE),
        (ClaimState.SUGGESTED, Pile.DRAFT),
    ):
        if state in states:
            return pile
    return Pile.ASIDE


def _activity(editions: Sequence[Edition], key: str | None) -> LearningActivity | None:
    for edition in editions:
        found = activity_of(edition, key)
        if found is not None:
            return found
    return None


def _last_day(
    evidence: Evidence, editions: Sequence[Edition], posts: Sequence[Post], today: date
) -> date:
    """R1: the last day on which it can still be put forward, by the most generous framework."""
    groups = groups_held(posts, today)
    months = max((e.intervals_for(groups).recordable_months for e in editions), default=12)
    return currency.last_recordable(evidence.occurred_on, months)


def sections(editions: Sequence[Edition], posts: Sequence[Post]) -> tuple[Section, ...]:
    """Every competency that somebody in these posts could claim, by group or level.

    Competencies that an organisation added are shown to its own people.
    """
    works_for = {post.organisation_key for post in posts}
    found = []
    for edition in editions:
        if edition.organisation and edition.organisation not in works_for:
            continue
        by_code = {c.code: c for c in edition.competencies}
        left = dict(by_code)
        parts = [(g.title, g.codes) for g in edition.groups]
        parts += [(level.title, level.codes) for level in edition.levels]
        for title, codes in parts:
            chosen = tuple(left.pop(code) for code in codes if code in left)
            if chosen:
                found.append(Section(edition.title, title, edition.id, chosen))
        if left:
            others = tuple(left.values())
            found.append(Section(edition.title, "Other competencies", edition.id, others))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Choices:
    """What one's own evidence can be: recognised activities, and competencies to claim."""

    activities: tuple[LearningActivity, ...]
    sections: tuple[Section, ...]


def own_choices(ctx: Context) -> Choices:
    """What the actor can choose from for evidence of their own."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        editions = uow.catalog.editions()
        posts = uow.people.posts_of([person]).get(person, ())
    activities = {a.key: a for e in reversed(editions) for a in e.learning_activities}
    return Choices(tuple(activities.values()), sections(editions, posts))
