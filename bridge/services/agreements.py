"""What a manager agrees with a person for a post: groups, extra competencies, London level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.frameworks import Competency, Edition, Level, TargetGroup
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Post
from bridge.domain.repositories import UnitOfWork
from bridge.domain.teams import Ask
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person, audit


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to agree on, edition by edition. `levels` are of the London framework."""

    groups: tuple[tuple[Edition, tuple[TargetGroup, ...]], ...]
    competencies: tuple[tuple[Edition, tuple[Competency, ...]], ...]
    levels: tuple[tuple[Edition, Level], ...]


def choices(ctx: Context, post: Post) -> Choices:
    """What can be agreed for a post: the published frameworks, and its organisation's own."""
    with ctx.store.reading() as uow:
        return _choices(uow, post)


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


def present_posts(ctx: Context, person: int) -> list[Post]:
    """The posts that a person of the actor's team holds today under the actor. Raises NotFound."""
    with ctx.store.reading() as uow:
        return _posts_under(ctx, uow, person)


def _posts_under(ctx: Context, uow: UnitOfWork, person: int) -> list[Post]:
    manager = acting_person(ctx)
    today = london_date(ctx.clock.now())
    canonical = uow.people.get(person).canonical
    posts = uow.people.posts_of([canonical]).get(canonical, ())
    found = [p for p in posts if p.holds_on(today) and p.manager == manager != canonical]
    if not found:
        raise NotFound("There is nobody here with a post that you manage today.")
    return found


def agree(ctx: Context, person: int, post_id: int, ask: Ask) -> None:
    """Record what the post's manager agreed with its holder.

    It goes before the staff list from now on, and a later list does not undo it. Saying again what
    holds already changes nothing. Raises NotFound where the actor does not manage the post today,
    Refused for a group, competency or level that there is not.
    """
    now = ctx.clock.now()
    manager = acting_person(ctx)
    with ctx.store.begin() as uow:
        posts = {p.id: p for p in _posts_under(ctx, uow, person)}
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


def statements_of(ctx: Context, posts: Sequence[Post]) -> list[tuple[CompetencyRef, str]]:
    """The statements of the levels agreed for these posts: what may not apply to somebody (R7)."""
    wanted = {(p.london_level or "").rpartition(":")[2] for p in posts}
    with ctx.store.reading() as uow:
        editions = [e for e in uow.catalog.editions() if e.framework == "london"]
    return [
        (CompetencyRef(e.id, code), e.competency(code).display)
        for e in editions
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


def editions(ctx: Context) -> list[Edition]:
    """The published frameworks, oldest first."""
    with ctx.store.reading() as uow:
        return list(uow.catalog.editions())


def group_titles(ctx: Context) -> dict[str, str]:
    """What the target groups of the published frameworks are called, by their keys."""
    return {group.key: group.title for edition in editions(ctx) for group in edition.groups}
