"""Attacks on signing in and on the training team's powers that a reviewer tried."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.domain.authority import Authority
from bridge.domain.errors import NotAllowed, Refused
from bridge.domain.model import PostDetails
from bridge.domain.scope import Actor, Eyes, Scope
from bridge.domain.staff import StaffRow
from bridge.services import evidence, people, signin, sso
from bridge.services.context import Context
from bridge.services.staff import StaffListError, take_staff_list
from tests.support import World, cast, ref

SECRET_WORDS = "correct horse battery"


def on_the_team(world: World, person: int) -> Context:
    """Somebody of the whole partnership's training team, at their desk."""
    return world.ctx.acting_as(Actor(Scope(Eyes.TRAINING_TEAM, person), "web"))


def test_what_was_made_during_a_merge_opens_nothing_once_it_is_undone(world: World) -> None:
    """Whoever was merged by mistake must not keep a way in to the other's evidence."""
    one, other = world.person("one"), world.person("other")
    world.set_password(other, "other-before", SECRET_WORDS)
    before = world.scalar("SELECT set_at FROM passwords")
    world.clock.advance(hours=1)
    people.merge(world.ctx, one, other, "a mistake")
    world.clock.advance(hours=1)
    world.set_password(other, "made-meanwhile", SECRET_WORDS)
    link = signin.invite(world.ctx, one)
    with world.store.begin() as uow:
        uow.access.link_identity("work", "subject", other, "test", world.clock.now())
    people.unmerge(world.ctx, one, "They are two.")
    assert before is not None
    with pytest.raises(NotAllowed):
        signin.check_password(world.ctx, "made-meanwhile", SECRET_WORDS, "here")
    with pytest.raises(NotAllowed):
        signin.look_at_link(world.ctx, link)
    assert sso.work_accounts(world.as_(other)) == []


def test_what_was_there_before_a_merge_stays(world: World) -> None:
    one, other = world.person("one"), world.person("other")
    world.set_password(other, "other", SECRET_WORDS)
    world.clock.advance(hours=1)
    people.merge(world.ctx, one, other, "a mistake")
    people.unmerge(world.ctx, one, "They are two.")
    assert signin.check_password(world.ctx, "other", SECRET_WORDS, "here") == other


def test_nobody_merges_themselves_into_another(world: World) -> None:
    """They would read and decide at once what waits for the other."""
    who = cast(world)
    for one, into in ((who.manager, who.other), (who.other, who.manager)):
        with pytest.raises(Refused, match="their own"):
            people.merge(on_the_team(world, who.other), one, into, "they are one")


def test_nobody_is_verified_by_whom_they_approved_themselves(world: World) -> None:
    """An approval is the training team's word; a member's word for their own verifier is none."""
    who = cast(world)
    friend = world.person("friend")
    people.approve(on_the_team(world, who.learner), friend, Authority.PEER)
    learner = world.as_(who.learner)
    assert friend not in {v.person for v in evidence.verifiers_of(learner, who.learner)}
    with pytest.raises(NotAllowed):
        evidence.submit(learner, who.evidence, [ref(1)], "Words.", friend)
    # For everybody else the approval is as good as any.
    assert friend in {v.person for v in evidence.verifiers_of(world.ctx, who.other)}
    # A colleague's approval makes it good.
    people.approve(on_the_team(world, who.other), friend, Authority.ASSESSOR)
    evidence.submit(learner, who.evidence, [ref(1)], "Words.", friend)


def test_nobody_says_whose_their_own_account_is(world: World) -> None:
    """An account that is joined to a person signs in as that person from the LMS."""
    who = cast(world)
    account = world.scalar("SELECT id FROM accounts")
    with pytest.raises(Refused, match="colleague"):
        people.link(on_the_team(world, who.learner), account, who.manager, "it is theirs")


def _row(name: str, number: str, email: str, manager: str | None = None) -> StaffRow:
    post = PostDetails("agency", "Worker", (), (), None, date(2020, 1, 1), None)
    return StaffRow(2, name, number, email, "agency", post, manager)


def test_on_the_pages_nobody_gives_a_managers_entry_their_own_mailbox(world: World) -> None:
    """The sign-in link would go there, and whoever opens it could verify their own evidence."""
    trainer = world.person("trainer", staff_number="t1")
    manager = world.person("manager", staff_number="m1")
    as_trainer = on_the_team(world, trainer)
    taken = [_row("manager", "m1", "trainers-own@example.org")]
    with pytest.raises(StaffListError, match="changed on the server"):
        take_staff_list(as_trainer, taken, [], {})
    known = world.rows("SELECT value FROM person_identifiers WHERE person_id = :m", m=manager)
    assert sorted(known) == [("m1",), ("manager@example.org",)]
    take_staff_list(world.ctx, taken, [], {})  # the server's administrator may


def test_on_the_pages_nobody_chooses_their_own_manager(world: World) -> None:
    trainer = world.person("trainer", staff_number="t1")
    world.person("friend", staff_number="f1")
    as_trainer = on_the_team(world, trainer)
    taken = [_row("trainer", "t1", "trainer@example.org", manager="f1")]
    with pytest.raises(StaffListError, match="your own post"):
        take_staff_list(as_trainer, taken, [], {})
    assert world.scalar("SELECT COUNT(*) FROM posts WHERE manager_id IS NOT NULL") == 0
