"""Why is always answerable: for each claim, and for each absence."""

from __future__ import annotations

import pytest

from bridge.domain.errors import NotFound
from bridge.services import explain, verify
from bridge.services.explain import Explanation
from tests.support import RULES, Completion, World, cast, ref

IDENTITY = {"moodle": RULES}


def words(told: Explanation) -> str:
    """Everything an explanation says."""
    return "\n".join([told.heading, *told.lines, *(words(part) for part in told.parts)])


def test_a_claim_names_record_rule_version_and_every_human_act(world: World) -> None:
    people = cast(world)
    world.submit(people.learner, people.evidence, people.manager)
    world.verify(people.manager, people.evidence)
    verify.revoke(world.as_(people.manager), world.claim_id(people.evidence, 1), "A mistake.")
    told = words(explain.evidence(world.ctx, people.evidence, IDENTITY))
    for part in (
        "rule training/r1, version 1",
        "verified by",
        "revoked by",
        "submit by person:",
        "Received from moodle as u1:C1:",
        "matches by idnumber 'C1'",
        "verified-email: u1@example.org",
    ):
        assert part in told


def test_no_explanation_holds_what_was_written(world: World) -> None:
    people = cast(world)
    world.submit(people.learner, people.evidence, people.manager)
    told = words(explain.evidence(world.ctx, people.evidence, IDENTITY))
    assert "What I learned" not in told


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (Completion(course="C9"), "No mapping names this activity"),
        (Completion(course="C2", score=0.2), "score"),
        (Completion(user="u7"), "nobody's yet"),
    ],
)
def test_each_absence_has_its_reason(world: World, completion: Completion, reason: str) -> None:
    world.person("u1", manager=world.person("boss"))
    world.pull(completion)
    record = world.scalar("SELECT min(id) FROM learning_records")
    assert reason in words(explain.record(world.ctx, record, IDENTITY))


def test_a_competency_without_evidence_says_which_rules_would_help(world: World) -> None:
    person = world.person("u1")
    told = words(explain.absence(world.ctx, person, ref(3), IDENTITY))
    assert "No evidence of theirs makes a claim for it" in told
    assert "training/r2" in told
    told = words(explain.absence(world.ctx, person, ref(6), IDENTITY))
    assert "No rule in force suggests it" in told


def test_what_is_not_there_is_not_explained(world: World) -> None:
    with pytest.raises(NotFound):
        explain.record(world.ctx, 99, IDENTITY)
