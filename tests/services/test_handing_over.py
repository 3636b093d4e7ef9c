"""Handing what waits to another verifier: the reflection goes with it, and who may is narrow."""

from __future__ import annotations

import pytest

from bridge.domain.authority import Authority
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.services import evidence, people, practitioner, verify
from bridge.services.handing_over import reassign
from tests.support import Cast, World, cast, ref


def submitted(world: World) -> tuple[Cast, int]:
    """The usual people with something that waits for the manager, and an approved assessor."""
    who = cast(world)
    assessor = world.person("assessor")
    people.approve(world.ctx, assessor, Authority.ASSESSOR)
    world.submit(who.learner, who.evidence, who.manager)
    return who, assessor


def test_the_owner_asks_somebody_else(world: World) -> None:
    who, assessor = submitted(world)
    reassign(world.as_(who.learner), who.evidence, assessor)
    assert verify.waiting(world.as_(who.manager)) == []
    assert len(verify.waiting(world.as_(assessor))) == 1
    words = evidence.read_reflection(world.as_(assessor), who.evidence)
    assert words["reflection"] == "What I learned changed my visits."
    verify.verify(world.as_(assessor), who.evidence, None, "observation")
    assert set(world.states(who.evidence).values()) == {"verified"}


def test_whom_it_left_may_no_longer_decide_or_read(world: World) -> None:
    who, assessor = submitted(world)
    reassign(world.as_(who.learner), who.evidence, assessor)
    with pytest.raises(NotAllowed):
        verify.verify(world.as_(who.manager), who.evidence, None, "discussion")
    with pytest.raises(NotFound):
        evidence.read_reflection(world.as_(who.manager), who.evidence)


def test_the_verifier_hands_over(world: World) -> None:
    who, assessor = submitted(world)
    reassign(world.as_(who.learner), who.evidence, assessor)
    (made,) = reassign(world.as_(assessor), who.evidence, who.manager)
    assert world.scalar("SELECT verifier_id FROM submissions WHERE id = :id", id=made) == (
        who.manager
    )
    assert world.rows("SELECT act, actor FROM audit WHERE act = 'reassign' ORDER BY id") == [
        ("reassign", f"person:{who.learner}"),
        ("reassign", f"person:{assessor}"),
    ]


def test_the_manager_takes_over_what_waits_elsewhere(world: World) -> None:
    who, assessor = submitted(world)
    reassign(world.as_(who.learner), who.evidence, assessor)
    reassign(world.as_(who.manager), who.evidence, who.manager)
    assert len(verify.waiting(world.as_(who.manager))) == 1


def test_a_bystander_finds_nothing(world: World) -> None:
    who, assessor = submitted(world)
    with pytest.raises(NotFound):
        reassign(world.as_(who.other), who.evidence, assessor)


def test_not_to_oneself_nor_to_somebody_without_authority(world: World) -> None:
    who, _ = submitted(world)
    with pytest.raises(Refused, match="own evidence"):
        reassign(world.as_(who.learner), who.evidence, who.learner)
    with pytest.raises(NotAllowed):
        reassign(world.as_(who.learner), who.evidence, who.other)
    with pytest.raises(Refused, match="already"):
        reassign(world.as_(who.learner), who.evidence, who.manager)


def test_only_what_waits_moves(world: World) -> None:
    who, assessor = submitted(world)
    world.verify(who.manager, who.evidence, 1)
    reassign(world.as_(who.learner), who.evidence, assessor)
    assert world.states(who.evidence) == {"1": "verified", "2": "submitted"}
    verify.verify(world.as_(assessor), who.evidence, [ref(2)], "observation")
    with pytest.raises(Refused, match="Nothing of this waits"):
        reassign(world.as_(who.learner), who.evidence, who.manager)


def test_a_slow_verifier_never_disqualifies(world: World) -> None:
    who, assessor = submitted(world)
    world.clock.advance(days=400)
    shown = practitioner.draft(world.as_(who.learner), who.evidence)
    assert shown.waits_long
    assert [v.name for v in shown.others] == ["assessor"]
    reassign(world.as_(who.learner), who.evidence, assessor)
    verify.verify(world.as_(assessor), who.evidence, None, "observation")
    assert set(world.states(who.evidence).values()) == {"verified"}
