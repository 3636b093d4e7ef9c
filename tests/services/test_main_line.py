"""The main line, once through: pull, draft, submit, verify, award, deliver."""

from __future__ import annotations

from bridge.services import ledger
from tests.support import World, cast


def test_a_completion_becomes_a_badge_only_by_two_peoples_word(world: World) -> None:
    people = cast(world)
    assert world.states(people.evidence) == {"1": "suggested", "2": "suggested"}
    assert world.awarded() == (0, 0, 0)

    world.submit(people.learner, people.evidence, people.manager)
    assert world.states(people.evidence) == {"1": "submitted", "2": "submitted"}
    assert world.awarded() == (0, 0, 0)

    world.verify(people.manager, people.evidence)
    assert world.states(people.evidence) == {"1": "verified", "2": "verified"}
    assert world.awarded() == (1, 0, 0)

    assert world.deliver().delivered == 1
    assert world.target.held == {("u1", "safe-2026")}
    assert world.deliver().nothing
    (line,) = ledger.ledger(world.ctx)
    assert line.received == 1
    assert line.adds_up
