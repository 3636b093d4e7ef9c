"""Re-mapping: only untouched suggestions come and go, and a look beforehand tells the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.domain.errors import Refused
from bridge.services import evidence, explain, ledger, mappings
from bridge.services.mappings import SiteSources
from tests.support import (
    BADGE,
    EDITION,
    MAPPING,
    NOW,
    RULES,
    Completion,
    World,
    cast,
    mapping_file,
    ref,
    rule,
)


def claims(world: World, evidence_id: int) -> dict[str, tuple[str, bool]]:
    """Code to state and whether it is suggested."""
    found = evidence.item(world.ctx, evidence_id).claims
    return {c.ref.code: (c.state.value, c.suggested) for c in found}


def test_only_untouched_suggestions_are_withdrawn(world: World) -> None:
    folk = cast(world)
    world.publish([rule("r1", "C1", 1, 2, 3, 4, 5)])
    me = world.as_(folk.learner)
    world.submit(folk.learner, folk.evidence, folk.manager, 1, 2)
    world.verify(folk.manager, folk.evidence, 1)
    evidence.dismiss(me, folk.evidence, [ref(3)])
    world.submit(folk.learner, folk.evidence, folk.manager, 4)
    evidence.recall(me, folk.evidence)
    world.publish([rule("r1", "C1", 6)])
    assert claims(world, folk.evidence) == {
        "1": ("verified", False), "2": ("suggested", False), "3": ("dismissed", False),
        "4": ("suggested", False), "5": ("withdrawn", False), "6": ("suggested", True),
    }  # fmt: skip
    world.publish(MAPPING)
    assert claims(world, folk.evidence) == {
        "1": ("verified", True), "2": ("suggested", True), "3": ("dismissed", False),
        "4": ("suggested", False), "5": ("withdrawn", False), "6": ("withdrawn", False),
    }  # fmt: skip


def test_a_reflection_alone_keeps_the_evidence(world: World) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    evidence.recall(world.as_(folk.learner), folk.evidence)
    before = world.dump()["reflections"]
    world.publish([])
    assert claims(world, folk.evidence) == {"1": ("suggested", False), "2": ("withdrawn", False)}
    assert world.dump()["reflections"] == before
    (line,) = ledger.ledger(world.ctx)
    assert (line.counts["evidence"], line.adds_up) == (1, True)


@pytest.fixture
def lived_in(world: World) -> World:
    """Several people, several courses, some of it worked on."""
    manager = world.person("manager")
    learners = [world.person(f"u{n}", manager=manager) for n in range(1, 4)]
    world.pull(
        *(Completion(f"u{n}", course, score=1.0) for n in range(1, 4) for course in ("C1", "C2")),
        Completion("u1", "C1", when=NOW - timedelta(days=6)),
        Completion("u1", "C9"),
        Completion("stranger"),
    )
    for learner in learners[:2]:
        for item in world.items_of(learner):
            world.submit(learner, item.evidence.id, manager, 2)
    world.verify(manager, world.items_of(learners[0])[0].evidence.id)
    return world


CHANGES = {
    "one more": [*MAPPING, rule("r9", "C9", 5)],
    "one less": MAPPING[:1],
    "none": [],
    "other competencies": [rule("r1", "C1", 3, 4), MAPPING[1]],
    "stricter": [MAPPING[0], replace(MAPPING[1], counts_when=replace(
        MAPPING[1].counts_when, min_score=None, statuses=frozenset()))],
    "later": [replace(r, effective_from=NOW.date()) for r in MAPPING],
    "both": [*MAPPING, rule("more", "C1", 6, also=True)],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_look_beforehand_writes_nothing_and_tells_what_publishing_then_does(
    lived_in: World, change: str
) -> None:
    world = lived_in
    file = mapping_file(CHANGES[change])
    before = world.dump()
    told = mappings.impact(world.ctx, SiteSources((EDITION,), (file,), (BADGE,)))
    assert world.dump() == before
    done = mappings.publish(world.ctx, [file], "for real")
    assert told == done
    assert told.human_before == told.human_after
    # And what it told is what is in the tables.
    after = world.dump()

    def by_state(dump: dict[str, list[tuple[object, ...]]]) -> dict[object, object]:
        return {row[0]: row[3] for row in dump["claims"]}

    was, is_now = by_state(before), by_state(after)
    new = [c for c in is_now if c not in was]
    restored = [c for c in was if (was[c], is_now[c]) == ("withdrawn", "suggested")]
    withdrawn = [c for c in was if (was[c], is_now[c]) == ("suggested", "withdrawn")]
    assert (len(new) + len(restored), len(withdrawn)) == (told.added, told.withdrawn)
    touched = {c for c in was if was[c] != is_now[c]} - {*restored, *withdrawn}
    assert touched == set()
    assert after["reflections"] == before["reflections"]
    assert after["verifications"] == before["verifications"]
    assert mappings.impact(world.ctx, SiteSources((EDITION,), (file,), (BADGE,))).nothing


def test_a_record_names_the_rule_and_version_that_decided_it(world: World) -> None:
    folk = cast(world)
    world.publish([rule("r1", "C1", 1, 2, 3)])
    rules = world.rows(
        "SELECT m.version, r.key, c.code FROM claims k JOIN competencies c ON"
        " c.id = k.competency_id JOIN rules r ON r.id = k.rule_id"
        " JOIN mapping_versions m ON m.id = r.mapping_version_id ORDER BY c.code"
    )
    assert rules == [(1, "r1", "1"), (1, "r1", "2"), (2, "r1", "3")]
    told = explain.evidence(world.ctx, folk.evidence, {"moodle": RULES})
    assert "version 2" in str(told)


def test_withdrawing_a_file_retires_its_rules(world: World) -> None:
    folk = cast(world)
    mappings.publish(world.ctx, [mapping_file([rule("x", "C5", 1)], "other")], "instead")
    assert set(world.states(folk.evidence).values()) == {"withdrawn"}
    (line,) = ledger.ledger(world.ctx)
    assert line.counts["unmapped"] == 1


def test_a_published_edition_does_not_change(world: World) -> None:
    reworded = replace(EDITION, competencies=(replace(EDITION.competencies[0], text="Else"),))
    with pytest.raises(Refused, match="must not change"):
        mappings.publish_frameworks(world.ctx, [reworded])
    assert mappings.publish_frameworks(world.ctx, [EDITION]) == []


def test_an_activity_before_the_rule_came_into_force_does_not_count(world: World) -> None:
    world.person("u1")
    world.publish([replace(MAPPING[0], effective_from=datetime(2026, 6, 1, tzinfo=UTC).date())])
    world.pull(Completion(when=NOW - timedelta(days=15)), Completion())
    reasons = world.rows("SELECT disposition, reason FROM learning_records ORDER BY 1, 2")
    assert reasons == [("evidence", "counts"), ("not counting", "before-effective")]
