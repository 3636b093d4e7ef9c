"""Where a person stands: each competency they are to meet, current, due, waiting or missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bridge.domain import currency
from bridge.domain.claims import ClaimState
from bridge.domain.currency import Currency
from bridge.domain.frameworks import Edition
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Post
from bridge.domain.records import Status
from bridge.domain.scope import SYSTEM
from bridge.domain.times import london_date
from bridge.services.context import Context, require_sight_of

ATTENDED = frozenset({Status.COMPLETED, Status.PASSED, Status.ATTENDED})


class Stand(StrEnum):
    """Where one competency stands for one person."""

    CURRENT = "current"
    REVIEW_DUE = "review due"
    REFRESH_OVERDUE = "refresh overdue"
    CONTESTED = "contested"
    WAITING = "waiting for the verifier"
    RETURNED = "returned with a question"
    DRAFT = "draft to reflect on"
    NOT_APPLICABLE = "not applicable"
    MISSING = "nothing yet"


@dataclass(frozen=True, slots=True)
class Line:
    """One competency. `until` is the last day it is current, where it was verified."""

    ref: CompetencyRef
    text: str
    stand: Stand
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's posts and competencies.

    `other_frameworks` names what exempt organisations follow instead: their people show that,
    not gaps (R11). `training_due` says that the last attended learning is 3 years ago or more.
    """

    person: int
    name: str
    posts: tuple[Post, ...]
    other_frameworks: tuple[str, ...]
    lines: tuple[Line, ...]
    training_due: bool

    @property
    def headline(self) -> str:
        """Where they stand, in one line."""
        current = sum(line.stand is Stand.CURRENT for line in self.lines)
        drafts = sum(line.stand is Stand.DRAFT for line in self.lines)
        nearest = min((line.until for line in self.lines if line.until), default=None)
        words = f"{current} of {len(self.lines)} current"
        if drafts:
            words += f"; {drafts} with a draft to reflect on"
        return words + (f"; first review due {nearest:%-d %B %Y}" if nearest else "")


def progress(ctx: Context, person: int) -> Progress:
    """Where a (canonical) person stands today, by their present posts. Raises NotFound."""
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        require_sight_of(ctx, uow, person)
        who = uow.people.get(person)
        posts = [p for p in uow.people.posts_of([person]).get(person, ()) if p.holds_on(today)]
        editions = uow.catalog.editions()
        ids = {row_id: ref for ref, row_id in uow.catalog.competency_ids().items()}
        # Its states are shown, no text: a manager sees that drafts exist.
        evidence = uow.evidence.visible(SYSTEM, person=person)
        claims = uow.evidence.claims([e.id for e in evidence])
        verified: dict[CompetencyRef, date] = {}
        for ground in uow.awards.grounds([person]).get(person, ()):
            ref, day = ids[ground.competency_id], london_date(ground.decided_at)
            verified[ref] = max(day, verified.get(ref, day))
        waived = {ids[c] for c in uow.awards.not_applicable([person]).get(person, {})}
        records = uow.intake.records_of_person(person)
    held = [p for p in posts if not p.exempt]
    groups = [g for p in held for g in p.target_groups]
    lines = [
        _line(ref, edition, groups, claims, verified, waived, today)
        for edition in editions
        for ref in _required(edition, editions, held)
    ]
    attended = max(
        (london_date(r.occurred_at) for r in records if r.status in ATTENDED and not r.gone),
        default=None,
    )
    intervals = editions[0].intervals_for(groups) if editions else None
    return Progress(
        person=person,
        name=who.name,
        posts=tuple(posts),
        other_frameworks=tuple(
            dict.fromkeys(p.other_framework for p in posts if p.other_framework)
        ),
        lines=tuple(lines),
        training_due=attended is not None
        and intervals is not None
        and currency.training_due(attended, today, intervals),
    )


def _required(
    edition: Edition, editions: Sequence[Edition], posts: Sequence[Post]
) -> list[CompetencyRef]:
    """What a person's posts ask of them in one edition; extras are `code` or `edition:code`."""
    if not posts or (edition.organisation and not _works_for(edition.organisation, posts)):
        return []
    keys = {group.key for group in edition.groups}
    groups = [g for p in posts for g in p.target_groups if g in keys]
    extras = [code for p in posts for code in _extras(edition, editions, p.extra_competencies)]
    wanted = set(edition.required_codes(groups, extras))
    for post in posts:
        level = (post.london_level or "").rpartition(":")[2]
        if level and edition.framework == "london":
            wanted |= {c for each in edition.levels if each.key == level for c in each.codes}
    return [CompetencyRef(edition.id, c.code) for c in edition.competencies if c.code in wanted]


def _works_for(organisation: str, posts: Iterable[Post]) -> bool:
    return any(post.organisation_key == organisation for post in posts)


def _extras(edition: Edition, editions: Sequence[Edition], extras: Iterable[str]) -> list[str]:
    own = {competency.code for competency in edition.competencies}
    found = []
    for extra in extras:
        named, _, code = extra.rpartition(":")
        first = next((e.id for e in editions if any(c.code == code for c in e.competencies)), None)
        if code in own and edition.id == (named or first):
            found.append(code)
    return found


_BY_STATE: Mapping[ClaimState, Stand] = {
    ClaimState.SUBMITTED: Stand.WAITING,
    ClaimState.RETURNED: Stand.RETURNED,
    ClaimState.SUGGESTED: Stand.DRAFT,
}


_BY_CURRENCY: Mapping[Currency, Stand] = {
    Currency.CURRENT: Stand.CURRENT,
    Currency.REVIEW_DUE: Stand.REVIEW_DUE,
    Currency.REFRESH_OVERDUE: Stand.REFRESH_OVERDUE,
}


def _line(
    ref: CompetencyRef,
    edition: Edition,
    groups: Sequence[str],
    claims: Sequence[Claim],
    verified: Mapping[CompetencyRef, date],
    waived: set[CompetencyRef],
    today: date,
) -> Line:
    text = edition.competency(ref.code).display
    own = [c for c in claims if c.ref == ref]
    if ref in verified:
        intervals = edition.intervals_for(groups)
        stand = _BY_CURRENCY[currency.currency(verified[ref], today, intervals)]
        if all(c.contested for c in own if c.state is ClaimState.VERIFIED):
            stand = Stand.CONTESTED
        return Line(ref, text, stand, currency.current_until(verified[ref], intervals))
    if ref in waived:
        return Line(ref, text, Stand.NOT_APPLICABLE)
    for state, stand in _BY_STATE.items():
        if any(c.state is state for c in own):
            return Line(ref, text, stand)
    return Line(ref, text, Stand.MISSING)
