"""What the database keeps up by itself: the queue of what waits, and the ledger's counts."""

from __future__ import annotations

from sqlalchemy import text

from bridge.domain.records import Disposition
from bridge.jobs import work
from bridge.services import evidence
from bridge.services.ledger import ledger, ledger_counted, prove_ledger
from bridge.storage import upkeep
from tests.support import World, cast


def _waiting(world: World) -> list[tuple[object, ...]]:
    return world.rows("SELECT claim_id, submission_id, verifier_id FROM waiting ORDER BY claim_id")


def test_a_claim_waits_from_submission_to_decision_and_with_whom(world: World) -> None:
    who = cast(world)
    assert _waiting(world) == []
    world.submit(who.learner, who.evidence, who.manager)
    first = _waiting(world)
    assert [row[2] for row in first] == [who.manager] * len(first) != []
    evidence.recall(world.as_(who.learner), who.evidence)
    assert _waiting(world) == []
    world.submit(who.learner, who.evidence, who.manager)
    assert [row[1] for row in _waiting(world)] > [row[1] for row in first]
    world.verify(who.manager, who.evidence, 1)
    assert len(_waiting(world)) == len(first) - 1


def test_the_queue_and_the_counts_can_be_drawn_anew(world: World) -> None:
    who = cast(world)
    world.submit(who.learner, who.evidence, who.manager)
    waiting, lines = _waiting(world), ledger(world.ctx)
    assert lines == ledger_counted(world.ctx)
    assert sum(line.counts[Disposition.EVIDENCE] for line in lines) > 0
    with world.engine.begin() as connection:
        connection.execute(text("DELETE FROM waiting"))
        connection.execute(text("DELETE FROM ledger_counts"))
        upkeep.rebuild(connection)
    assert _waiting(world) == waiting
    assert ledger(world.ctx) == lines


def test_counts_that_went_wrong_are_noticed_and_put_right_at_night(world: World) -> None:
    cast(world)
    right = ledger(world.ctx)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE ledger_counts SET n = n + 3 WHERE what = 'evidence'"))
    assert ledger(world.ctx) != right
    work.count_all(work.Works(world.ctx))
    assert ledger(world.ctx) == right
    assert prove_ledger(world.ctx) == []
