"""What is typed on a draft: its owner's alone, never silently overwritten, gone when sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.errors import NotFound, Refused
from bridge.services import drafts, evidence, practitioner, verify
from bridge.services.drafts import TypedElsewhere, Words
from tests.support import World, cast, ref

WORDS = "I ask what a day is like for the child."


def test_what_is_typed_comes_back(world: World) -> None:
    people = cast(world)
    mine = world.as_(people.learner)
    kept = drafts.save(mine, people.evidence, Words(WORDS, "On visits.", [ref(2)], people.manager))
    shown = practitioner.draft(mine, people.evidence)
    assert shown.typed == kept
    assert kept.reflection == WORDS
    assert kept.ticks == (ref(2),)


def test_nobody_else_can_read_or_write_it(world: World) -> None:
    people = cast(world)
    drafts.save(world.as_(people.learner), people.evidence, Words(WORDS))
    for other in (people.manager, people.other):
        with pytest.raises(NotFound):
            drafts.typed(world.as_(other), people.evidence)
        with pytest.raises(NotFound):
            drafts.save(world.as_(other), people.evidence, Words("mine"))
        with pytest.raises(NotFound):
            practitioner.draft(world.as_(other), people.evidence)
    assert WORDS.encode() not in b"".join(
        bytes(row[0]) for row in world.rows("SELECT ciphertext FROM reflection_drafts")
    )


def test_a_verifier_does_not_see_what_is_typed_after_a_return(world: World) -> None:
    people = cast(world)
    world.submit(people.learner, people.evidence, people.manager)
    verify.send_back(world.as_(people.manager), people.evidence, None, "How?")
    drafts.save(world.as_(people.learner), people.evidence, Words("Not yet for your eyes."))
    boss = world.as_(people.manager)
    assert "Not yet" not in evidence.read_reflection(boss, people.evidence)["reflection"]
    with pytest.raises(Exception, match="Only the person"):
        drafts.typed(boss, people.evidence)


def test_it_is_gone_when_it_is_submitted(world: World) -> None:
    people = cast(world)
    drafts.save(world.as_(people.learner), people.evidence, Words(WORDS))
    world.submit(people.learner, people.evidence, people.manager)
    assert world.rows("SELECT * FROM reflection_drafts") == []


def test_another_window_is_not_overwritten(world: World) -> None:
    people = cast(world)
    mine = world.as_(people.learner)
    first = drafts.save(mine, people.evidence, Words("one"))
    world.clock.advance(seconds=5)
    second = drafts.save(mine, people.evidence, Words("two", seen=first.saved_at))
    with pytest.raises(TypedElsewhere) as told:
        drafts.save(mine, people.evidence, Words("three", seen=first.saved_at))
    assert told.value.other.reflection == "two"
    assert drafts.typed(mine, people.evidence) == second
    world.clock.advance(seconds=5)
    third = drafts.save(mine, people.evidence, Words("three", seen=second.saved_at))
    assert third.reflection == "three"


def test_a_save_that_was_repeated_is_no_conflict(world: World) -> None:
    people = cast(world)
    mine = world.as_(people.learner)
    first = drafts.save(mine, people.evidence, Words("one"))
    world.clock.advance(seconds=5)
    assert drafts.save(mine, people.evidence, Words("one")) == first


def test_what_waits_cannot_be_rewritten(world: World) -> None:
    people = cast(world)
    world.submit(people.learner, people.evidence, people.manager)
    with pytest.raises(Refused, match="Take it back"):
        drafts.save(world.as_(people.learner), people.evidence, Words("later"))


def test_too_long_is_refused_in_words(world: World) -> None:
    people = cast(world)
    with pytest.raises(Refused, match="60,000"):
        drafts.save(world.as_(people.learner), people.evidence, Words("x" * 60_001))


def test_the_model_is_remembered(world: World) -> None:
    people = cast(world)
    mine = world.as_(people.learner)
    assert practitioner.draft(mine, people.evidence).model.key == "what"
    drafts.prefer_model(mine, "gibbs")
    assert practitioner.draft(mine, people.evidence).model.key == "gibbs"
    with pytest.raises(Refused):
        drafts.prefer_model(mine, "mine")


def test_after_a_recall_the_words_are_still_there_and_no_tick(world: World) -> None:
    people = cast(world)
    mine = world.as_(people.learner)
    world.submit(people.learner, people.evidence, people.manager)
    evidence.recall(mine, people.evidence)
    shown = practitioner.draft(mine, people.evidence)
    assert shown.written["reflection"] == "What I learned changed my visits."
    assert shown.typed is None


def test_history_starts_the_day_after_the_last_recordable_one(world: World) -> None:
    people = cast(world)  # the activity was on 5 June 2026
    mine = world.as_(people.learner)
    assert str(practitioner.draft(mine, people.evidence).last_day) == "2027-06-05"
    world.clock.moment += timedelta(days=355)
    assert not practitioner.draft(mine, people.evidence).history
    world.clock.moment += timedelta(days=1)
    assert practitioner.draft(mine, people.evidence).history
    with pytest.raises(Refused, match="history"):
        world.submit(people.learner, people.evidence, people.manager)


def test_why_it_is_suggested(world: World) -> None:
    people = cast(world)
    shown = practitioner.draft(world.as_(people.learner), people.evidence)
    assert shown.shared_why is not None
    assert (shown.shared_why.title, shown.shared_why.mapping) == ("Rule r1", "training")
    assert shown.shared_why.published_by == "the training team"
    assert [each.source_key for each in shown.support] == ["moodle"]
