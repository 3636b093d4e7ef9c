"""The database itself refuses whatever would count without another person's word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bridge.domain.errors import Refused
from bridge.services import awards, mappings, people, verify
from bridge.storage import guards
from tests.storage.attacks import ATTACKS, HARMLESS, Attack
from tests.support import BADGE, NOW, Completion, FrozenClock, World, badge, opened, ref

MESSAGES = {guard.name: guard.message for guard in guards.GUARDS}


@dataclass
class Attacked:
    """A lived-in world, and the ids in it by short names."""

    world: World
    ids: dict[str, int]

    def run(self, connection: Connection, sql: str) -> None:
        """One statement, as an attacker with the application's connection sends it."""
        connection.exec_driver_sql(sql.format(**self.ids))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(
    request: pytest.FixtureRequest, databases: Callable[[str], AbstractContextManager[str]]
) -> Iterator[Attacked]:
    """One world for all attacks; each is rolled back."""
    with databases(request.param) as url, opened(url) as engine:
        world = World(engine, FrozenClock(NOW))
        yield Attacked(world, live(world))


def live(world: World) -> dict[str, int]:
    """Verify, return, revoke, merge, waive and award, so that every state is there to attack."""
    manager = world.person("manager")
    names = ("learner", "other", "revoked", "contested", "merging")
    ids = {name: world.person(name, manager=manager) for name in names}
    ids |= {"manager": manager, "stranger": world.person("stranger"), "twin": world.person("twin")}
    mappings.publish_badges(
        world.ctx, [BADGE, badge(4, 5, key="hard"), badge(2, key="easy"), badge(6, key="void")]
    )
    learner, other = ids["learner"], ids["other"]
    world.pull(
        *(Completion(user=name, course="C1") for name in names),
        Completion(user="learner", course="C2", score=1.0),
        Completion(user="other", course="C2", score=1.0),
        Completion(user="other", course="C1", when=NOW - timedelta(days=90)),
        Completion(user="learner", course="CE"),
    )

    def evidence(person: int, course: str, nth: int = 0) -> int:
        found = [i.evidence for i in world.items_of(person) if i.evidence.title == f"Rule {course}"]
        return found[nth].id

    # The learner: verified and awarded, with a merged entry, and another draft.
    ids["e_learner"] = evidence(learner, "r1")
    ids["s_learner"] = world.submit(learner, ids["e_learner"], manager)
    ids["x_learner"], _ = world.verify(manager, ids["e_learner"])
    ids["k_verified"] = world.claim_id(ids["e_learner"], 1)
    ids["e_draft"] = evidence(learner, "r2")
    ids["k_draft"] = world.claim_id(ids["e_draft"], 2)
    people.merge(world.ctx, ids["twin"], learner, "one person")
    # The learner's e-learning waits for the manager; the merged entry would like to decide.
    ids["k_twin"] = world.claim_id(evidence(learner, "online"), 1)
    ids["s_twin"] = submit_online(world, learner, evidence(learner, "online"), manager)
    # Another: waiting, returned, and verified once but submitted anew.
    ids["e_other"] = evidence(other, "r1")
    ids["s_other"] = ids["s_own"] = world.submit(other, ids["e_other"], manager, 1)
    ids["k_submitted"] = ids["k_own"] = world.claim_id(ids["e_other"], 1)
    ids["k_returned"] = world.claim_id(evidence(other, "r2"), 2)
    ids["s_returned"] = world.submit(other, evidence(other, "r2"), manager, 2)
    (ids["x_returned"],) = verify.send_back(
        world.as_(manager), evidence(other, "r2"), None, "How?"
    )
    stale = evidence(other, "r1", 1)
    ids["k_stale"] = world.claim_id(stale, 1)
    ids["s_stale"] = world.submit(other, stale, manager, 1)
    ids["x_stale"] = unfinished(world, ids["k_stale"], ids["s_stale"], manager)
    with world.engine.begin() as connection:
        connection.execute(
            text("UPDATE claims SET state = 'returned' WHERE id = :id"), {"id": ids["k_stale"]}
        )
    people.approve(world.ctx, ids["stranger"], people.Authority.PEER)
    world.submit(other, stale, ids["stranger"], 1)
    # One whose award was withdrawn, one contested, one merged with their own verifier.
    for name in ("revoked", "contested", "merging"):
        own = evidence(ids[name], "r1")
        ids[f"e_{name}"] = own
        ids[f"s_{name}"] = world.submit(ids[name], own, manager)
        ids[f"x_{name}"] = world.verify(manager, own)[0]
        ids[f"k_{name}"] = world.claim_id(own, 1)
    awards.update_awards(world.ctx)
    verify.revoke(world.as_(manager), ids["k_revoked"], "a mistake")
    awards.update_awards(world.ctx)
    ids["a_held"] = award_of(world, learner, "safe")
    ids["a_withdrawn"] = award_of(world, ids["revoked"], "safe")
    ids["t_held"] = state_of(world, ids["a_held"])
    ids["t_withdrawn"] = state_of(world, ids["a_withdrawn"])
    ids["target"] = world.scalar("SELECT id FROM targets")
    # Exemptions: one that stands, one that was ended.
    ids["n_other"] = people.waive(world.as_(manager), other, ref(4), "not in this role")
    ids["n_ended"] = people.waive(world.as_(manager), other, ref(5), "not in this role")
    for n in range(1, 7):
        ids[f"c{n}"] = world.scalar("SELECT id FROM competencies WHERE code = :code", code=str(n))
    for key in ("safe", "hard", "easy", "void"):
        ids[f"v_{key}"] = world.scalar("SELECT id FROM badge_versions WHERE key = :key", key=key)
    with world.engine.begin() as connection:
        ids["v_naked"] = naked_badge(connection)
        half_made_awards(connection, ids)
        execute = connection.execute
        execute(text("UPDATE not_applicable SET ended_at = decided_at WHERE id = :n_ended"), ids)
        execute(
            text("UPDATE claims SET contested_at = :now, contested_reason = 'source-gone'"
                 " WHERE evidence_id = :e_contested"),
            {**ids, "now": "2026-06-15 09:00:00.000000"},
        )  # fmt: skip
    merge_and_undo(world, ids["stranger"])
    # Now the verifier of `merging` turns out to be they themselves.
    ids["x_merged"] = ids["x_merging"]
    return ids
