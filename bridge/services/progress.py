"""Where a person stands: each competency they are to meet, current, due, waiting or missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bridge.domain import currency
from bridge.domain.claims import ClaimState
from bridge.domain.currency import Currency
from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition, Intervals
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Post
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import Context, require_sight_of_all


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
    """One competency. `until` is the last day it is current, where it was verified; `core`: it
    is asked of everyone."""

    ref: CompetencyRef
    text: str
    stand: Stand
    until: date | None = None
    core: bool = False


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
    (found,) = progress_of_many(ctx, [person])
    return found


def progress_of_many(ctx: Context, people: Sequence[int]) -> list[Progress]:
    """Where these (canonical) people stand today, in that order, in a constant number of queries.

    Raises NotFound where one of them is not there, or not for the actor to see.
    """
    with ctx.store.reading() as uow:
        return progress_within(ctx, uow, people)


def progress_within(ctx: Context, uow: UnitOfWork, people: Sequence[int]) -> list[Progress]:
    """The same within a transaction."""
    today = london_date(ctx.clock.now())
    names = uow.standing.names(people)
    of_all = uow.people.posts_of(people)
    posts = {p: [each for each in of_all.get(p, ()) if each.holds_on(today)] for p in people}
    for absent in set(people) - names.keys():
        raise NotFound(f"There is no person {absent} for you to see.")
    require_sight_of_all(ctx, uow, posts)
    asked = Asked(uow.catalog.editions(), uow.catalog.competency_ids())
    # States are shown, no text: a manager sees that drafts exist.
    lines = lines_of(uow, asked, posts, today)
    attended = uow.standing.last_attended(people)
    return [
        Progress(
            person=person,
            name=names[person],
            posts=tuple(posts[person]),
            other_frameworks=tuple(
                dict.fromkeys(p.other_framework for p in posts[person] if p.other_framework)
            ),
            lines=tuple(lines[person]),
            training_due=_training_due(asked, posts[person], attended.get(person), today),
        )
        for person in people
    ]


def _training_due(
    asked: Asked, posts: Sequence[Post], attended: datetime | None, today: date
) -> bool:
    if attended is None or not asked.editions:
        return False
    groups = [g for p in posts if not p.exempt for g in p.target_groups]
    intervals = asked.editions[0].intervals_for(groups)
    return currency.training_due(london_date(attended), today, intervals)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One competency that a person's posts ask for. `intervals` as for their groups; `core`:
    it is asked of everyone."""

    ref: CompetencyRef
    competency_id: int
    text: str
    intervals: Intervals
    core: bool = False


class Asked:
    """What the published editions ask of people; worked out once for all in alike posts."""

    def __init__(self, editions: Sequence[Edition], ids: Mapping[CompetencyRef, int]) -> None:
        self.editions = editions
        self._ids = ids
        self._known: dict[tuple[object, ...], tuple[Requirement, ...]] = {}

    def of(self, posts: Sequence[Post]) -> tuple[Requirement, ...]:
        """What these posts ask for, in the editions' order; nothing from exempt ones (R11)."""
        held = [p for p in posts if not p.exempt]
        key = tuple(
            (p.organisation_key, p.target_groups, p.extra_competencies, p.london_level)
            for p in held
        )
        if key not in self._known:
            groups = [g for p in held for g in p.target_groups]
            self._known[key] = tuple(
                Requirement(
                    ref,
                    self._ids[ref],
                    edition.competency(ref.code).display,
                    edition.intervals_for(groups),
                    any(g.everyone and ref.code in g.codes for g in edition.groups),
                )
                for edition in self.editions
                for ref in _required(edition, self.editions, held)
            )
        return self._known[key]


def lines_of(
    uow: UnitOfWork, asked: Asked, posts: Mapping[int, Sequence[Post]], today: date
) -> dict[int, list[Line]]:
    """Each (canonical) person's competencies by the posts that they hold today."""
    states: dict[tuple[int, int], set[ClaimState]] = defaultdict(set)
    uncontested: set[tuple[int, int]] = set()
    for count in uow.standing.claim_counts(posts):
        states[count.person, count.competency_id].add(count.state)
        if count.state is ClaimState.VERIFIED and not count.contested:
            uncontested.add((count.person, count.competency_id))
    verified = {(p, c): london_date(at) for p, c, at in uow.standing.verified_at(posts)}
    waived = uow.awards.not_applicable(posts)
    return {
        person: [
            _line(
                requirement,
                states.get(key := (person, requirement.competency_id), frozenset()),
                verified.get(key),
                key not in uncontested,
                requirement.competency_id in waived.get(person, ()),
                today,
            )
            for requirement in asked.of(held)
        ]
        for person, held in posts.items()
    }


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
    asked: Requirement,
    states: Collection[ClaimState],
    verified: date | None,
    contested: bool,
    waived: bool,
    today: date,
) -> Line:
    """One competency of one person. `contested`: no verified claim for it is uncontested."""
    until = None
    if verified is not None:
        stand = _BY_CURRENCY[currency.currency(verified, today, asked.intervals)]
        stand = Stand.CONTESTED if contested else stand
        until = currency.current_until(verified, asked.intervals)
    elif waived:
        stand = Stand.NOT_APPLICABLE
    else:
        own = (stand for state, stand in _BY_STATE.items() if state in states)
        stand = next(own, Stand.MISSING)
    return Line(asked.ref, asked.text, stand, until, asked.core)
