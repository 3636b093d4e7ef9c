"""The database itself refuses whatever would count without another person's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bridge.domain.authority import Authority
from bridge.domain.errors import Refused
from bridge.services import evidence, mappings, people, verify
from bridge.storage import guards
from tests.storage.attacks import ATTACKS, HARMLESS, Attack
from tests.support import BADGE, NOW, Completion, FrozenClock, World, badge, opened, ref

MESSAGES = {guard.name: guard.message for guard in guards.GUARDS}
SQL_NOW = "2026-06-15 09:00:00.000000"


@dataclass
class Attacked:
    """A lived-in world, and the ids in it by short names."""

    world: World
    ids: dict[str, int]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(
    request: pytest.FixtureRequest, databases: Callable[[str], AbstractContextManager[str]]
) -> Iterator[Attacked]:
    """One world for all attacks; each is rolled back."""
    with databases(request.param) as url, opened(url) as engine:
        world = World(engine, FrozenClock(NOW))
        yield Attacked(world, lived_in(world))


def lived_in(world: World) -> dict[str, int]:
    """Every state that could be attacked, made by ordinary acts where those lead there."""
    manager, boss = world.person("manager"), world.person("boss")
    ids = {name: world.person(name, manager=manager)
           for name in ("learner", "other", "revoked", "contested")}  # fmt: skip
    ids |= {"manager": manager, "boss": boss, "merging": world.person("merging", manager=boss)}
    ids |= {name: world.person(name) for name in ("stranger", "twin", "double")}
    learner, other, stranger = ids["learner"], ids["other"], ids["stranger"]
    mappings.publish_badges(
        world.ctx,
        [BADGE, badge(4, 5, key="hard"), badge(2, key="easy"), badge(1, 5, key="part")],
    )
    world.pull(
        *(Completion(n) for n in ("learner", "other", "revoked", "contested", "merging")),
        Completion("learner", "C2", score=1.0),
        Completion("learner", "CE"),
        Completion("other", "C2", score=1.0),
        Completion("other", when=NOW - timedelta(days=90)),
    )
    # The learner: verified and awarded, with a merged entry, a draft, and e-learning that waits.
    of = Finder(world)
    ids |= verified(world, learner, manager, "learner")
    ids["e_draft"], ids["k_draft"] = of.claim(learner, "r2", 2)
    people.merge(world.ctx, ids["twin"], learner, "one person")
    online, ids["k_twin"] = of.claim(learner, "online", 1)
    ids["s_twin"] = evidence.submit(
        world.as_(learner), online, [ref(1)], "I learned.", manager, used="On visits."
    )
    # Another: waiting, returned, and once left half-decided and then put before somebody else.
    ids["e_other"], ids["k_submitted"] = of.claim(other, "r1", 1)
    ids["s_other"] = world.submit(other, ids["e_other"], manager, 1)
    e_returned, ids["k_returned"] = of.claim(other, "r2", 2)
    ids["s_returned"] = world.submit(other, e_returned, manager, 2)
    (ids["x_returned"],) = verify.send_back(world.as_(manager), e_returned, None, "How?")
    e_stale, ids["k_stale"] = of.claim(other, "r1", 1, nth=1)
    ids["s_stale"] = world.submit(other, e_stale, manager, 1)
    ids["x_stale"] = 700
    run(world, "INSERT INTO verifications (id, claim_id, submission_id, verifier_id, decision,"
        " authority, channel, decided_at) VALUES (700, :k_stale, :s_stale, :manager, 'verified',"
        " 'manager', 'test', :now)", ids)  # fmt: skip
    evidence.recall(world.as_(other), e_stale)
    people.approve(world.ctx, stranger, Authority.PEER)
    world.submit(other, e_stale, stranger, 1)
    # One whose award is withdrawn, one to be contested, one to be merged with their verifier.
    ids |= verified(world, ids["revoked"], manager, "revoked")
    ids |= verified(world, ids["contested"], manager, "contested")
    ids |= verified(world, ids["merging"], boss, "merging")
    world.awarded()
    verify.revoke(world.as_(manager), ids["k_revoked"], "a mistake")
    world.awarded()
    for name, person in (("held", learner), ("withdrawn", ids["revoked"])):
        ids[f"a_{name}"] = world.scalar(
            "SELECT id FROM awards WHERE person_id = :p AND badge_key = 'safe'", p=person
        )
        ids[f"t_{name}"] = world.scalar(
            "SELECT id FROM target_states WHERE award_id = :a", a=ids[f"a_{name}"]
        )
    ids["target"] = world.scalar("SELECT id FROM targets")
    ids["n_other"] = people.waive(world.as_(manager), other, ref(4), "not in this role")
    ids["n_ended"] = people.waive(world.as_(manager), learner, ref(5), "not in this role")
    for name in ("learner", "other"):
        ids[f"r_{name}"] = world.scalar(
            "SELECT id FROM reflections WHERE evidence_id = :e", e=ids[f"e_{name}"]
        )
    for n in range(1, 7):
        ids[f"c{n}"] = world.scalar("SELECT id FROM competencies WHERE code = :code", code=str(n))
    for key in ("safe", "hard", "easy", "part"):
        ids[f"v_{key}"] = world.scalar("SELECT id FROM badge_versions WHERE key = :key", key=key)
    half_made_awards(world, ids)
    around_the_evidence(world, ids)
    # Only now are those grounds lost.
    run(world, "UPDATE not_applicable SET ended_at = :now WHERE id = :n_ended", ids)
    run(world, "UPDATE claims SET contested_at = :now, contested_reason = 'source-gone'"
        " WHERE evidence_id = :e_contested", ids)  # fmt: skip
    people.merge(world.ctx, boss, ids["merging"], "one person")
    people.merge(world.ctx, ids["double"], stranger, "one person")
    people.unmerge(world.ctx, ids["double"], "They are two.")
    return ids


@dataclass
class Finder:
    """Finds the evidence that a rule drafted."""

    world: World

    def claim(self, person: int, rule: str, code: int, nth: int = 0) -> tuple[int, int]:
        """The nth newest piece of evidence, and its claim for a competency."""
        found = [i.evidence.id for i in self.world.items_of(person)
                 if i.evidence.title == f"Rule {rule}"]  # fmt: skip
        return found[nth], self.world.claim_id(found[nth], code)


def verified(world: World, person: int, verifier: int, name: str) -> dict[str, int]:
    """Somebody's first course, submitted and verified."""
    e, k = Finder(world).claim(person, "r1", 1)
    s = world.submit(person, e, verifier)
    x, x2 = world.verify(verifier, e)
    return {f"e_{name}": e, f"k_{name}": k, f"s_{name}": s, f"x_{name}": x, f"x2_{name}": x2}


def run(world: World, sql: str, ids: dict[str, int]) -> None:
    """One statement, committed."""
    with world.engine.begin() as connection:
        connection.execute(text(sql), {**ids, "now": SQL_NOW})


def half_made_awards(world: World, ids: dict[str, int]) -> None:
    """Awards that were put together and never held, each lacking something."""
    ids["v_void"] = 700
    run(world, "INSERT INTO badge_versions (id, key, version, content_hash, definition,"
        " published_at, published_by) VALUES (700, 'void', 1, '', '{}', :now, 'test')",
        ids)  # fmt: skip
    basis: list[tuple[str, str, str, str, list[tuple[str, str | None, str | None]]]] = [
        ("empty", "other", "safe", "safe", []),
        ("half", "learner", "safe", "safe", [("c1", "x_learner", None)]),
        ("mixed", "learner", "hard", "easy", [("c2", "x2_learner", None)]),
        ("void", "learner", "void", "void", [("c1", "x_learner", None)]),
        ("contested", "contested", "safe", "safe",
         [("c1", "x_contested", None), ("c2", "x2_contested", None)]),
        ("merged", "merging", "safe", "safe",
         [("c1", "x_merging", None), ("c2", "x2_merging", None)]),
        ("waived", "learner", "part", "part", [("c1", "x_learner", None), ("c5", None, "n_ended")]),
    ]  # fmt: skip
    for number, (name, person, key, version, grounds) in enumerate(basis, 700):
        ids[f"a_{name}"] = number
        run(world, "INSERT INTO awards (id, badge_version_id, badge_key, person_id, period, status,"
            f" awarded_on, expires_on) VALUES ({number}, :v_{version}, '{key}', :{person}, '2030',"
            " 'assembling', '2026-06-15', '2027-06-15')", ids)  # fmt: skip
        for at, (competency, verification, waived) in enumerate(grounds):
            x = f":{verification}" if verification else "NULL"
            n = f":{waived}" if waived else "NULL"
            run(world, "INSERT INTO award_basis (id, award_id, competency_id, verification_id,"
                f" not_applicable_id) VALUES ({number * 10 + at}, {number}, :{competency}, {x},"
                f" {n})", ids)  # fmt: skip


def around_the_evidence(world: World, ids: dict[str, int]) -> None:
    """A signed log with an addendum and an open one, a draft, an agreement, a deputy, links."""
    ids |= {"l_open": 700, "l_signed": 701, "o_fresh": 700, "o_used": 701}
    ids["p_learner"] = world.scalar("SELECT id FROM posts WHERE person_id = :p", p=ids["learner"])
    for log, year in ((700, 2001), (701, 2002)):
        run(world, "INSERT INTO logs (id, person_id, starts_on, ends_on) VALUES"
            f" ({log}, :learner, '{year}-01-01', '{year + 1}-01-01')", ids)  # fmt: skip
    run(world, "UPDATE logs SET signed_at = :now, signed_by = :manager, next_steps = 'x',"
        " key_id = 'k1' WHERE id = :l_signed", ids)  # fmt: skip
    run(world, "INSERT INTO log_addenda (id, log_id, author_id, ciphertext, key_id, written_at)"
        " VALUES (700, :l_signed, :learner, 'x', 'k1', :now)", ids)  # fmt: skip
    run(world, "INSERT INTO reflection_drafts (evidence_id, author_id, ciphertext, key_id,"
        " saved_at) VALUES (:e_draft, :learner, 'x', 'k1', :now)", ids)  # fmt: skip
    run(world, "INSERT INTO evidence_files (id, evidence_id, name, media_type, size, ciphertext,"
        " key_id, added_by, added_at) VALUES (700, :e_draft, 'a.pdf', 'application/pdf', 1, 'x',"
        " 'k1', :learner, :now)", ids)  # fmt: skip
    run(world, "INSERT INTO post_agreements (id, post_id, target_groups, extra_competencies,"
        " agreed_by, agreed_at) VALUES (700, :p_learner, '[]', '[]', :manager, :now)",
        ids)  # fmt: skip
    run(world, "INSERT INTO deputies (id, manager_id, deputy_id, valid_from, named_by, named_at)"
        " VALUES (700, :manager, :boss, '2026-06-01', 'test', :now)", ids)  # fmt: skip
    for link, used in (("o_fresh", "NULL"), ("o_used", ":now")):
        run(world, "INSERT INTO one_time_links (id, sha256, purpose, person_id, evidence_id,"
            f" created_at, created_by, expires_at, used_at) VALUES (:{link}, '{link}', 'verify',"
            f" :stranger, :e_other, :now, 'test', :now, {used})", ids)  # fmt: skip
    run(world, "INSERT INTO activity_joins (id, activity_id, into_id, reason, joined_at, joined_by)"
        " SELECT 700, MIN(id), MAX(id), 'same', :now, 'test' FROM activities", ids)  # fmt: skip
    run(world, "INSERT INTO account_answers (id, account_id, refused, reason, answered_at,"
        " answered_by) SELECT 700, MIN(id), '[]', 'nobody', :now, 'test' FROM accounts",
        ids)  # fmt: skip
    run(world, "INSERT INTO split_records (record_id, evidence_id, split_at)"
        " SELECT MIN(id), :e_learner, :now FROM learning_records", ids)  # fmt: skip
    run(world, "INSERT INTO handshakes (state_sha256, kind, nonce_sha256, data, expires_at,"
        " used_at) VALUES ('state', 'oidc', 'nonce', '{}', :now, :now)", ids)  # fmt: skip


def counted(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """Everything that counts for somebody."""
    queries = {
        "held": "SELECT a.id, a.badge_key, a.badge_version_id, p.canonical_id, a.period,"
        " a.expires_on FROM awards a JOIN people p ON p.id = a.person_id WHERE a.status = 'held'",
        "verified": "SELECT c.id, p.canonical_id, c.competency_id FROM claims c"
        " JOIN evidence e ON e.id = c.evidence_id JOIN people p ON p.id = e.person_id"
        " WHERE c.state = 'verified'",
        "by oneself": "SELECT v.id FROM verifications v JOIN people w ON w.id = v.verifier_id"
        " JOIN claims c ON c.id = v.claim_id JOIN evidence e ON e.id = c.evidence_id"
        " JOIN people l ON l.id = e.person_id WHERE w.canonical_id = l.canonical_id",
        "pushed": "SELECT id, award_id, target_id, settings FROM target_states"
        " WHERE desired = 'held'",
        "waived": "SELECT id, person_id, competency_id FROM not_applicable WHERE ended_at IS NULL",
    }
    return {
        name: {tuple(row) for row in connection.execute(text(query))}
        for name, query in queries.items()
    }


def for_this_database(attack: Attack, attacked: Attacked) -> bool:
    return attack.only in ("", attacked.world.engine.dialect.name)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name.replace(" ", "-"))
def test_the_database_refuses(attacked: Attacked, attack: Attack) -> None:
    if not for_this_database(attack, attacked):
        return
    messages = [m for name, m in MESSAGES.items() if name.startswith(attack.guard)]
    with attacked.world.engine.connect() as connection:
        before = counted(connection)
        with pytest.raises(IntegrityError) as refusal:
            connection.exec_driver_sql(attack.sql.format(**attacked.ids))
        connection.rollback()
        assert any(message in str(refusal.value.orig) for message in messages)
        assert counted(connection) == before
        connection.rollback()


@pytest.mark.parametrize("name", HARMLESS, ids=lambda n: n.replace(" ", "-"))
def test_nothing_comes_to_count(attacked: Attacked, name: str) -> None:
    with attacked.world.engine.connect() as connection:
        before = counted(connection)
        done = connection.exec_driver_sql(HARMLESS[name].format(**attacked.ids))
        assert done.rowcount > 0
        for sort, after in counted(connection).items():
            assert after <= before[sort]
        connection.rollback()


def test_every_guard_is_attacked() -> None:
    assert {guard.name for guard in guards.GUARDS} - {attack.guard for attack in ATTACKS} == set()


def test_a_refusal_reaches_people_in_words(attacked: Attacked) -> None:
    with (
        pytest.raises(Refused, match="a claim is verified only by another person's verification"),
        attacked.world.store.begin() as uow,
    ):
        uow.connection.execute(
            text("UPDATE claims SET state = 'verified' WHERE id = :k_draft"), attacked.ids
        )
