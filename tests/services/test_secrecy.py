"""Whose eyes see what: scopes, reflections as ciphertext, and the trail of every look."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.domain.authority import Authority
from bridge.domain.errors import Damaged, NotAllowed, NotFound
from bridge.services import evidence, explain, people, verify
from bridge.services.context import Context
from bridge.storage.vault import KeyVault
from tests.support import Cast, Completion, World, cast, ref

SECRET = "The Hargreaves twins were at risk"
NOTE = "I saw the Hargreaves visit"


@pytest.fixture
def folk(world: World) -> Cast:
    """A learner whose reflection, submitted and returned with a note, is to be kept secret."""
    folk = cast(world)
    me = world.as_(folk.learner)
    evidence.submit(me, folk.evidence, [ref(1), ref(2)], SECRET, folk.manager)
    verify.send_back(world.as_(folk.manager), folk.evidence, [ref(2)], NOTE)
    return folk


def test_anothers_evidence_looks_as_if_it_did_not_exist(world: World, folk: Cast) -> None:
    nosy = world.as_(folk.other)
    absent = folk.evidence + 1000
    for look in (evidence.item, evidence.read_reflection, evidence.recall):
        with pytest.raises(NotFound) as seen:
            look(nosy, folk.evidence)
        with pytest.raises(NotFound) as nothing:
            look(nosy, absent)
        assert str(seen.value) == str(nothing.value).replace(str(absent), str(folk.evidence))
    with pytest.raises(NotFound):
        verify.verify(nosy, folk.evidence, None, "discussion")
    with pytest.raises(NotFound):
        verify.revoke(nosy, world.claim_id(folk.evidence, 1), "because")
    assert evidence.items(nosy) == []
    assert evidence.items(nosy, person=folk.learner) == []


def test_a_verifier_does_not_act_for_the_learner(world: World, folk: Cast) -> None:
    manager = world.as_(folk.manager)
    assert evidence.item(manager, folk.evidence).evidence.person == folk.learner
    with pytest.raises(NotAllowed, match="whose evidence it is"):
        evidence.dismiss(manager, folk.evidence, [ref(2)])


def test_who_has_no_more_to_do_with_it_sees_what_they_decided_and_nothing_else(
    world: World, folk: Cast
) -> None:
    """The manager of today sees the whole; the one before only their own decision; whoever it was
    put before and taken from again, nothing."""

    def seen(person: int) -> list[str]:
        try:
            return [c.ref.code for c in evidence.item(world.as_(person), folk.evidence).claims]
        except NotFound:
            return []

    assert seen(folk.manager) == ["1", "2"]
    whole = explain.evidence(world.as_(folk.manager), folk.evidence, {})
    assert len(whole.parts) == 3  # two claims and the record
    assessor = world.person("assessor")
    people.approve(world.ctx, assessor, Authority.ASSESSOR)
    evidence.submit(world.as_(folk.learner), folk.evidence, [ref(2)], SECRET, assessor)
    assert seen(assessor) == ["1", "2"]
    evidence.recall(world.as_(folk.learner), folk.evidence)
    assert seen(assessor) == []
    assert evidence.items(world.as_(assessor)) == []
    # The manager moves on; what waited for them is with their successor.
    world.post(folk.learner, folk.other, date(2020, 1, 1))
    assert seen(folk.manager) == ["2"]
    (item,) = evidence.items(world.as_(folk.manager), person=folk.learner)
    assert [c.ref.code for c in item.claims] == ["2"]
    told = explain.evidence(world.as_(folk.manager), folk.evidence, {})
    (part,) = told.parts
    assert f"{ref(2)}, " in part.heading
    assert "returned by manager" in part.lines[-1]
    assert told.lines == []
    with pytest.raises(NotFound):
        explain.evidence(world.as_(assessor), folk.evidence, {})


def test_reading_anothers_reflection_is_written_down(world: World, folk: Cast) -> None:
    def reads() -> list[tuple[str, str]]:
        return [
            (actor, subject)
            for actor, subject in world.rows(
                "SELECT actor, subject FROM audit WHERE act = 'read-reflection'"
            )
        ]

    assert evidence.read_reflection(world.as_(folk.learner), folk.evidence)["reflection"] == SECRET
    assert reads() == []
    assert evidence.read_reflection(world.as_(folk.manager), folk.evidence)["reflection"] == SECRET
    assert reads() == [(f"person:{folk.manager}", f"evidence:{folk.evidence}")]


def test_the_training_team_sees_states_and_no_reflection(world: World, folk: Cast) -> None:
    assert world.states(folk.evidence) == {"1": "submitted", "2": "returned"}
    with pytest.raises(NotAllowed):
        evidence.read_reflection(world.ctx, folk.evidence)


def test_what_people_wrote_is_nowhere_in_plain_text(
    world: World, folk: Cast, tmp_path: Path
) -> None:
    written = [SECRET, NOTE, "Hargreaves"]
    everything = repr(world.dump()).encode() + raw_bytes(world)
    assert b"u1@example.org" in everything
    for words in written:
        assert words.encode() not in everything
        assert words.encode().hex().encode() not in everything


def raw_bytes(world: World) -> bytes:
    """The database as it lies on the disk: SQLite's files, or what COPY writes out."""
    database = world.engine.url.database
    if world.engine.name == "sqlite":
        assert database is not None
        files = Path(database).parent.glob(f"{Path(database).name}*")
        return b"".join(file.read_bytes() for file in files)
    whole = b""
    with world.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for table in world.dump():
            with driver.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                whole += b"".join(bytes(part) for part in rows)
    return whole


@pytest.mark.parametrize("how", ["swapped", "altered", "cut"])
def test_a_reflection_changed_behind_our_back_is_noticed(
    world: World, folk: Cast, how: str
) -> None:
    world.pull(Completion("other"))
    (own,) = world.items_of(folk.other)
    evidence.submit(world.as_(folk.other), own.evidence.id, [ref(1)], "Mine.", folk.manager)
    mine, theirs = (
        world.scalar("SELECT ciphertext FROM reflections WHERE evidence_id = :e", e=e)
        for e in (folk.evidence, own.evidence.id)
    )
    mine = bytes(mine)
    forged = {"swapped": bytes(theirs), "altered": mine[:-1] + bytes([mine[-1] ^ 1]),
              "cut": mine[:5]}[how]  # fmt: skip
    with world.engine.begin() as connection:
        off = "DROP TRIGGER guard_reflections_no_update"
        on = "" if world.engine.name == "sqlite" else " ON reflections"
        connection.execute(text(off + on))
        connection.execute(
            text("UPDATE reflections SET ciphertext = :c WHERE evidence_id = :e"),
            {"c": forged, "e": folk.evidence},
        )
    with pytest.raises(Damaged, match=f"reflection:{folk.evidence}:1 was changed"):
        evidence.read_reflection(world.as_(folk.learner), folk.evidence)
    assert evidence.read_reflection(world.as_(folk.other), own.evidence.id)["reflection"] == "Mine."


def test_old_texts_open_after_a_new_key_is_added_and_not_without_the_old(
    world: World, folk: Cast
) -> None:
    def with_keys(keys: dict[str, bytes]) -> Context:
        me = world.as_(folk.learner)
        return Context(me.store, me.clock, KeyVault(keys), me.actor, me.policy)

    both = with_keys({"k1": b"k" * 32, "k2": os.urandom(32)})
    assert evidence.read_reflection(both, folk.evidence)["reflection"] == SECRET
    with pytest.raises(Damaged, match="'k1' is missing"):
        evidence.read_reflection(with_keys({"k2": os.urandom(32)}), folk.evidence)
    evidence.submit(both, folk.evidence, [ref(2)], "Anew.", folk.manager)
    keys = world.rows("SELECT version, key_id FROM reflections ORDER BY version")
    assert keys == [(1, "k1"), (2, "k2")]


def test_looking_cannot_write(world: World) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"), world.store.reading() as uow:
        uow.people.add("nobody", world.clock.now())
    assert world.scalar("SELECT count(*) FROM people") == 0
    with world.store.begin() as uow:
        uow.people.add("somebody", world.clock.now())
    assert world.scalar("SELECT count(*) FROM people") == 1


def test_a_look_is_at_one_moment(world: World) -> None:
    cast(world)
    with world.store.reading() as uow:
        before = uow.ops.ledger()
        world.pull(Completion("u1", "C1"), Completion("other", "C1"))
        assert uow.ops.ledger() == before
    with world.store.reading() as uow:
        assert uow.ops.ledger() != before
