"""Who may name a deputy, for whom and when; and who is told of what waits too long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.scope import Actor, Eyes, Scope
from bridge.services import deputies, escalation, evidence
from bridge.services.deputies import Naming
from tests.support import NOW, Cast, World, cast

TODAY = date(2026, 6, 15)
NAMING = Naming("other@example.org", TODAY, date(2026, 7, 1))


@pytest.fixture
def folk(world: World) -> Cast:
    return cast(world)


def test_a_deputy_verifies_on_the_days_named_and_on_no_others(world: World, folk: Cast) -> None:
    me = world.as_(folk.manager)
    deputies.name_deputy(me, folk.manager, Naming("other@example.org", date(2026, 6, 20), None))
    assert folk.other not in [v[0] for v in evidence.may_verify(world.ctx, folk.learner)]
    world.clock.advance(days=5)
    assert folk.other in [v[0] for v in evidence.may_verify(world.ctx, folk.learner)]
    world.submit(folk.learner, folk.evidence, folk.other, 1)
    (named,) = deputies.deputies_of(me, folk.manager).named
    deputies.end_deputy(me, named.id)
    with pytest.raises(NotAllowed, match="stand in"):
        world.verify(folk.other, folk.evidence)


def test_a_deputy_never_verifies_their_own(world: World, folk: Cast) -> None:
    deputies.name_deputy(world.as_(folk.manager), folk.manager, NAMING)
    assert folk.other not in [v[0] for v in evidence.may_verify(world.ctx, folk.other)]


def test_a_deputy_whose_posts_have_ended_has_left(world: World, folk: Cast) -> None:
    deputies.name_deputy(world.as_(folk.manager), folk.manager, NAMING)
    world.post(folk.other, folk.manager, date(2020, 1, 1), TODAY - timedelta(days=1))
    assert folk.other not in [v[0] for v in evidence.may_verify(world.ctx, folk.learner)]


def test_a_deputy_is_named_by_the_manager_theirs_or_the_training_team(
    world: World, folk: Cast
) -> None:
    boss, stranger = world.person("boss"), world.person("stranger")
    world.post(folk.manager, boss, date(2020, 1, 1))
    organisation = world.scalar("SELECT id FROM organisations WHERE key = 'agency'")
    team = Scope(Eyes.TRAINING_TEAM, None, frozenset({organisation}), TODAY)
    elsewhere = Scope(Eyes.TRAINING_TEAM, None, frozenset({999}), TODAY)
    may = (world.as_(folk.manager), world.as_(boss), world.ctx,
           world.ctx.acting_as(Actor(team, "test")))  # fmt: skip
    for ctx in may:
        made = deputies.name_deputy(ctx, folk.manager, NAMING)
        deputies.end_deputy(ctx, made)
    for ctx in (world.as_(stranger), world.as_(folk.learner), world.as_(folk.other),
                world.ctx.acting_as(Actor(elsewhere, "test"))):  # fmt: skip
        with pytest.raises(NotFound):
            deputies.name_deputy(ctx, folk.manager, NAMING)


def test_nobody_names_or_ends_the_deputy_of_their_own_manager(world: World, folk: Cast) -> None:
    organisation = world.scalar("SELECT id FROM organisations WHERE key = 'agency'")
    world.post(folk.manager, None, date(2020, 1, 1))
    made = deputies.name_deputy(world.as_(folk.manager), folk.manager, NAMING)

    def desk(person: int, organisations: frozenset[int] | None) -> Scope:
        return Scope(Eyes.TRAINING_TEAM, person, organisations, TODAY)

    for scope in (desk(folk.learner, frozenset({organisation})), desk(folk.learner, None)):
        ctx = world.ctx.acting_as(Actor(scope, "test"))
        assert deputies.deputies_of(ctx, folk.manager).own_manager
        with pytest.raises(Refused, match="chooses who judges them"):
            deputies.name_deputy(ctx, folk.manager, Naming("u1@example.org", TODAY, None))
        with pytest.raises(Refused, match="chooses who judges them"):
            deputies.end_deputy(ctx, made)
    # Once they are managed by somebody else they may, and so may the manager from their desk.
    for scope in (desk(world.person("nora"), None), desk(folk.manager, frozenset({organisation}))):
        ctx = world.ctx.acting_as(Actor(scope, "test"))
        assert not deputies.deputies_of(ctx, folk.manager).own_manager
        made = deputies.name_deputy(
            ctx, folk.manager, Naming("u1@example.org", TODAY + timedelta(days=20), None)
        )
        deputies.end_deputy(ctx, made)


@pytest.mark.parametrize(
    ("naming", "words"),
    [
        (Naming("other@example.org", TODAY, TODAY - timedelta(days=1)), "before the first"),
        (Naming("other@example.org", date(2026, 1, 1), date(2026, 2, 1)), "has gone by"),
        (Naming("manager@example.org", TODAY, None), "another person"),
    ],
)
def test_a_deputy_that_cannot_be_is_refused(
    world: World, folk: Cast, naming: Naming, words: str
) -> None:
    world.post(folk.manager, None, date(2020, 1, 1))
    with pytest.raises(Refused, match=words):
        deputies.name_deputy(world.as_(folk.manager), folk.manager, naming)


def test_nobody_from_elsewhere_is_named_whatever_is_typed(world: World, folk: Cast) -> None:
    world.person("elsewhere")
    for text in ("elsewhere@example.org", "nobody@example.org", "other", "", "%"):
        with pytest.raises(NotFound, match="in your organisation"):
            deputies.name_deputy(world.as_(folk.manager), folk.manager, Naming(text, TODAY, None))


def test_the_same_deputy_twice_on_a_day_is_refused(world: World, folk: Cast) -> None:
    me = world.as_(folk.manager)
    deputies.name_deputy(me, folk.manager, NAMING)
    with pytest.raises(Refused, match="some of those days already"):
        deputies.name_deputy(me, folk.manager, Naming("other@example.org", date(2026, 7, 1), None))
    deputies.name_deputy(me, folk.manager, Naming("other@example.org", date(2026, 7, 2), None))


# --- what waits too long
def test_what_waits_for_28_days_is_told_to_those_around_the_verifier(
    world: World, folk: Cast
) -> None:
    boss, stranger = world.person("boss"), world.person("stranger")
    world.post(folk.manager, boss, date(2020, 1, 1))
    deputies.name_deputy(
        world.as_(folk.manager), folk.manager, Naming("other@example.org", TODAY, None)
    )
    world.submit(folk.learner, folk.evidence, folk.manager)
    organisation = world.scalar("SELECT id FROM organisations WHERE key = 'agency'")

    def seen() -> list[int]:
        there = Scope(Eyes.TRAINING_TEAM, None, frozenset({organisation}), TODAY)
        elsewhere = Scope(Eyes.TRAINING_TEAM, None, frozenset({999}), TODAY)
        readers = [world.as_(p) for p in (folk.other, boss, stranger, folk.learner, folk.manager)]
        readers += [world.ctx, *(world.ctx.acting_as(Actor(s, "test")) for s in (there, elsewhere))]
        return [len(escalation.escalated(ctx).submissions) for ctx in readers]

    world.clock.advance(days=28)
    assert seen() == [0] * 8
    world.clock.advance(days=1)
    assert seen() == [1, 1, 0, 0, 0, 1, 1, 0]
    (late,) = escalation.escalated(world.as_(boss)).submissions
    assert (late.learner_name, late.verifier_name, late.claims) == ("u1", "manager", 2)
    world.verify(folk.manager, folk.evidence)
    assert seen() == [0] * 8


def test_a_claim_in_doubt_for_28_days_is_told_on(world: World, folk: Cast) -> None:
    boss = world.person("boss")
    world.post(folk.manager, boss, date(2020, 1, 1))
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.source.holds = []
    world.pull(full=True, believe=True)
    assert len(escalation.in_doubt(world.as_(folk.manager))) == 2
    assert escalation.in_doubt(world.as_(folk.learner)) == []
    assert not escalation.escalated(world.as_(boss))
    world.clock.moment = NOW + timedelta(days=29)
    assert len(escalation.escalated(world.as_(boss)).claims) == 2
    assert len(escalation.escalated(world.ctx).claims) == 2
    assert not escalation.escalated(world.as_(folk.learner))
