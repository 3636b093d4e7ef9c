"""Files beside one's own evidence: encrypted, and opened only by whom they are for."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.services import evidence, files, verify
from bridge.services.evidence import OwnActivity
from bridge.services.files import Upload
from tests.support import Cast, World, cast, ref

PDF = b"%PDF-1.7\nwhat was agreed"
MEGABYTE = 1_000_000


def own(world: World) -> tuple[Cast, int]:
    """The usual people, and a supervision of the learner's own."""
    who = cast(world)
    activity = OwnActivity("A supervision", "supervision", date(2026, 6, 10))
    return who, evidence.add_own(world.as_(who.learner), activity, [ref(3)])


def attach(world: World, person: int, evidence_id: int, body: bytes = PDF) -> int:
    upload = Upload("notes.exe", body)
    return files.attach(world.as_(person), evidence_id, upload, largest=MEGABYTE)


def test_the_owner_reads_it_again_and_the_database_holds_no_word_of_it(world: World) -> None:
    who, evidence_id = own(world)
    made = attach(world, who.learner, evidence_id)
    facts, body = files.read(world.as_(who.learner), evidence_id, made)
    assert (facts.name, facts.media_type, body) == ("notes.pdf", "application/pdf", PDF)
    ((stored,),) = world.rows("SELECT ciphertext FROM evidence_files")
    assert b"agreed" not in bytes(stored)


def test_only_whom_it_was_put_before_reads_it_and_that_is_in_the_trail(world: World) -> None:
    who, evidence_id = own(world)
    made = attach(world, who.learner, evidence_id)
    for somebody in (who.manager, who.other):
        with pytest.raises(NotFound):
            files.read(world.as_(somebody), evidence_id, made)
    world.submit(who.learner, evidence_id, who.manager, 3)
    _, body = files.read(world.as_(who.manager), evidence_id, made)
    assert body == PDF
    assert world.scalar("SELECT actor FROM audit WHERE act = 'read-file'") == (
        f"person:{who.manager}"
    )
    with pytest.raises(NotFound):
        files.read(world.as_(who.other), evidence_id, made)
    evidence.recall(world.as_(who.learner), evidence_id)
    with pytest.raises(NotFound):
        files.read(world.as_(who.manager), evidence_id, made)


def test_it_can_be_removed_until_it_is_submitted(world: World) -> None:
    who, evidence_id = own(world)
    made = attach(world, who.learner, evidence_id)
    files.remove(world.as_(who.learner), evidence_id, made)
    assert files.files_of(world.as_(who.learner), evidence_id) == []
    assert world.rows("SELECT ciphertext FROM evidence_files") == [(None,)]
    kept = attach(world, who.learner, evidence_id)
    world.submit(who.learner, evidence_id, who.manager, 3)
    verify.send_back(world.as_(who.manager), evidence_id, None, "How?")
    with pytest.raises(Refused, match="stay"):
        files.remove(world.as_(who.learner), evidence_id, kept)
    with pytest.raises(NotAllowed):
        files.remove(world.as_(who.manager), evidence_id, kept)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"", "empty"), (b"x" * (MEGABYTE + 1), "larger than 1 MB"), (b"MZ\x00", "not taken")],
)
def test_what_is_not_taken(world: World, body: bytes, words: str) -> None:
    who, evidence_id = own(world)
    with pytest.raises(Refused, match=words):
        attach(world, who.learner, evidence_id, body)


def test_off_means_off_and_five_are_enough(world: World) -> None:
    who, evidence_id = own(world)
    with pytest.raises(Refused, match="Say where"):
        files.attach(world.as_(who.learner), evidence_id, Upload("a.pdf", PDF), largest=0)
    for _ in range(5):
        attach(world, who.learner, evidence_id)
    with pytest.raises(Refused, match="5 files"):
        attach(world, who.learner, evidence_id)


def test_nobody_attaches_to_anothers(world: World) -> None:
    who, evidence_id = own(world)
    with pytest.raises(NotFound):
        attach(world, who.other, evidence_id)
