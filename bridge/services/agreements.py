"""What a manager agrees with a person for a post: groups, extra competencies, London level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.frameworks import Competency, Edition, Level, TargetGroup
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Person, Post
from bridge.domain.repositories import UnitOfWork
from bridge.domain.teams import Agreement, Ask, NotApplicable
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person, audit


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to agree on, edition by edition. `levels` are of the London framework."""

    groups: tuple[tuple[Edition, tuple[TargetGroup, ...]], ...]
    competencies: tuple[tuple[Edition, tuple[Competency, ...]], ...]
    levels: tuple[tuple[Edition, Level], ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """A post, who holds it, what there is to choose from, and what was agreed, newest first."""

    name: str
    post: Post
    choices: Choices
    titles: Mapping[str, str]
    earlier: tuple[Agreement, ...]


def of_post(ctx: Context, person: int, post_id: int) -> Agreed:
    """What is agreed for a post that the actor manages today. Raises NotFound."""
    with ctx.store.reading() as uow:
        holder, posts = _posts_under(ctx, uow, person)
        post = next((p for p in posts if p.id == post_id), None)
        if post is None:
            raise NotFound("That is not a post of theirs that you manage today.")
        return Agreed(
            holder.name,
            post,
            _choices(uow, post),
            titles_of(uow.catalog.editions()),
            tuple(uow.teams.agreements([post_id])),
        )


def _choices(uow: UnitOfWork, post: Post) -> Choices:
    editions = [
        e for e in uow.catalog.editions() if e.organisation in (None, post.organisation_key)
    ]
    groups = [(e, tuple(g for g in e.groups if not g.everyone)) for e in editions if not e.extends]
    extras = [
        (e, tuple(c for c in e.competencies if c.code not in _for_everyone(e)))
        for e in editions
        if not e.levels or e.groups
    ]
    levels = [(e, level) for e in editions if e.framework == "london" for level in e.levels]
    return Choices(
        tuple((e, g) for e, g in groups if g), tuple((e, c) for e, c in extras if c), tuple(levels)
    )


def _for_everyone(edition: Edition) -> set[str]:
    return {code for group in edition.groups if group.everyone for code in group.codes}


def _posts_under(ctx: Context, uow: UnitOfWork, person: int) -> tuple[Person, list[Post]]:
    """A person, and the posts that they hold today under the actor. Raises NotFound."""
    manager = acting_person(ctx)
    today = london_date(ctx.clock.now())
    holder = uow.people.get(person)
    posts = uow.people.posts_of([holder.canonical]).get(holder.canonical, ())
    found = [p for p in posts if p.holds_on(today) and p.manager == manager != holder.canonical]
    if not found:
        raise NotFound(f"There is no person {person} for you to see.")
    return holder, found


def agree(ctx: Context, person: int, post_id: int, ask: Ask) -> None:
    """Record what the post's manager agreed with its holder.

    It goes before the staff list from now on, and a later list does not undo it. Saying again what
    holds already changes nothing. Raises NotFound where the actor does not manage the post today,
    Refused for a group, competency or level that there is not.
    """
    now = ctx.clock.now()
    manager = acting_person(ctx)
    with ctx.store.begin() as uow:
        posts = {p.id: p for p in _posts_under(ctx, uow, person)[1]}
        if post_id not in posts:
            raise NotFound("That is not a post of theirs that you manage today.")
        post = posts[post_id]
        _check(_choices(uow, post), ask, post)
        if ask == Ask(post.target_groups, post.extra_competencies, post.london_level):
            return
        uow.teams.agree(post_id, ask, manager, now)
        uow.people.mark_for_awards([post.person])
        audit(ctx, uow, "agree", f"post:{post_id}",
              {"groups": list(ask.target_groups), "extras": list(ask.extra_competencies),
               "level": ask.london_level})  # fmt: skip


def _check(there: Choices, ask: Ask, post: Post) -> None:
    """What is listed already may stay, though no published framework has it."""
    known = {g.key for _, groups in there.groups for g in groups} | set(post.target_groups)
    for key in ask.target_groups:
        if key not in known:
            raise Refused(f"There is no target group '{key}'. Choose from those shown.")
    extras = {f"{e.id}:{c.code}" for e, competencies in there.competencies for c in competencies}
    extras |= set(post.extra_competencies)
    for extra in ask.extra_competencies:
        if extra not in extras:
            raise Refused(f"There is no competency '{extra}'. Choose from those shown.")
    levels = {f"{e.framework}:{level.key}" for e, level in there.levels} | {post.london_level, None}
    if ask.london_level not in levels:
        raise Refused(f"There is no level '{ask.london_level}'. Choose from those shown.")


@dataclass(frozen=True, slots=True)
class Exemptions:
    """What does not apply to somebody, and the other statements of their agreed levels (R7)."""

    name: str
    marked: tuple[NotApplicable, ...]
    statements: Mapping[CompetencyRef, str]


def exemptions(ctx: Context, person: int) -> Exemptions:
    """What does not apply to a person of the actor's team, and what might not. Raises NotFound."""
    with ctx.store.reading() as uow:
        holder, posts = _posts_under(ctx, uow, person)
        marked = uow.teams.not_applicable(holder.canonical)
        there = {each.ref for each in marked}
        statements = {
            ref: words
            for ref, words in _statements(uow.catalog.editions(), posts)
            if ref not in there
        }
        return Exemptions(holder.name, tuple(marked), statements)


def _statements(
    editions: Iterable[Edition], posts: Sequence[Post]
) -> list[tuple[CompetencyRef, str]]:
    wanted = {(p.london_level or "").rpartition(":")[2] for p in posts}
    return [
        (CompetencyRef(e.id, code), e.competency(code).display)
        for e in editions
        if e.framework == "london"
        for level in e.levels
        if level.key in wanted
        for code in level.codes
    ]


def applies_again(ctx: Context, person: int, decision: int) -> None:
    """End a decision that something does not apply to somebody. Raises NotFound, NotAllowed."""
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        if canonical == acting_person(ctx):
            raise NotAllowed("Your own manager decides what applies to you.")
        _posts_under(ctx, uow, canonical)
        found = [n for n in uow.teams.not_applicable(canonical) if n.id == decision]
        if not found:
            raise NotFound("That has ended already.")
        uow.teams.end_not_applicable(decision, now)
        uow.people.mark_for_awards([canonical])
        audit(ctx, uow, "applies-again", f"person:{canonical}",
              {"competency": str(found[0].ref)})  # fmt: skip


def titles_of(editions: Iterable[Edition]) -> dict[str, str]:
    """What the target groups of these frameworks are called, by their keys."""
    return {group.key: group.title for edition in editions for group in edition.groups}
