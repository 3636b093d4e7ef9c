"""Sending: claimed under a fence, told once by however many senders, and nothing is ever lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bridge.domain.errors import BadAnswer, NeedsAdministrator, NotAllowed, Refused, TryLater
from bridge.domain.mail import AddressRefused, MailKind
from bridge.services import mailing, notify
from bridge.services.mailing import MailRoom, send_due
from tests.mail.post import KEY, Postbox, go_live, later, morning, send
from tests.support import NOW, Completion, World, cast


@pytest.fixture
def box(world: World) -> Postbox:
    """Mail, switched on."""
    return go_live(world)


def asked(world: World, *names: str) -> list[int]:
    """People who asked for a sign-in link."""
    people = [world.person(name) for name in names]
    for person in people:
        notify.ask_for_link(world.ctx, person)
    return people


def rows(world: World) -> list[tuple[object, ...]]:
    """(attempts, done, needs you, error) of what waits for a verifier."""
    return world.rows(
        "SELECT attempts, done_at IS NOT NULL, needs_you, error FROM outbox"
        " WHERE kind = 'mail:waiting'"
    )


def submitted(world: World) -> None:
    """Something waits for the manager, and the mail about it is due."""
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.clock.advance(hours=1)


def test_it_is_tried_again_later_and_later(world: World, box: Postbox) -> None:
    submitted(world)
    box.fail = TryLater("The server is busy.")
    waits = []
    for _ in range(5):
        assert send(world, box).later == 1
        assert send(world, box).nothing, "not before its time"
        raw = world.scalar("SELECT next_at FROM outbox WHERE kind = 'mail:waiting'")
        at = datetime.fromisoformat(str(raw))
        wait = at.replace(tzinfo=at.tzinfo or UTC) - world.clock.moment
        waits.append(wait)
        world.clock.advance(seconds=wait.total_seconds())
    assert waits == sorted(waits)
    assert waits[-1] > 8 * waits[0]
    box.fail = None
    send(world, box)
    assert len(box.letters) == 1
    assert world.rows("SELECT attempts, error FROM outbox WHERE kind = 'mail:waiting'") == [
        (5, None)
    ]


def test_a_server_that_names_a_time_is_given_it(world: World, box: Postbox) -> None:
    submitted(world)
    box.fail = TryLater("Busy.", retry_after=3600)
    send(world, box)
    box.fail = None
    assert later(world, box, minutes=59).nothing
    assert later(world, box, minutes=2).sent == 1


def test_a_refused_address_waits_for_a_person_and_holds_nobody_up(
    world: World, box: Postbox
) -> None:
    asked(world, "gone", "here")
    box.fail = AddressRefused("550 no such user")
    report = send(world, box)
    assert report.needs_you == 2
    assert later(world, box, days=30).nothing, "never tried again by itself"
    stuck = mailing.queue(world.ctx, stuck=True)
    assert stuck.counts.needs_you == 2
    assert {(m.name, m.error) for m in stuck.mails} == {
        ("gone", "550 no such user"),
        ("here", "550 no such user"),
    }


def test_a_mail_that_a_person_lets_go_goes_again(world: World, box: Postbox) -> None:
    submitted(world)
    box.fail = AddressRefused("550 no such user")
    send(world, box)
    box.fail = None
    (mail,) = mailing.queue(world.ctx, stuck=True).mails
    mailing.retry(world.ctx, mail.id)
    assert send(world, box).sent == 1
    with pytest.raises(Refused, match="was sent"):
        mailing.retry(world.ctx, mail.id)
    assert mailing.queue(world.ctx).counts.sent == 1


def test_only_the_training_team_looks_after_the_queue(world: World) -> None:
    nosy = world.as_(world.person("u1"))
    with pytest.raises(NotAllowed):
        mailing.queue(nosy)
    with pytest.raises(NotAllowed):
        mailing.retry(nosy, 1)


def test_without_an_address_it_is_seen_as_stuck_and_goes_once_there_is_one(
    world: World, box: Postbox
) -> None:
    submitted(world)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE person_identifiers SET valid_to = valid_from"))
    assert send(world, box).needs_you == 1
    (mail,) = mailing.queue(world.ctx, stuck=True).mails
    assert "No email address" in str(mail.error)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE person_identifiers SET valid_to = NULL"))
    assert later(world, box, hours=25).sent == 1


def test_a_setting_that_is_wrong_stops_the_round_and_loses_nothing(
    world: World, box: Postbox
) -> None:
    asked(world, "a", "b", "c")
    tries: list[int] = []
    box.fail = NeedsAdministrator("The password is wrong.")
    box.during = lambda: tries.append(1)
    report = send(world, box)
    assert (len(tries), report.error) == (1, "The password is wrong.")
    box.fail = None
    assert later(world, box, minutes=1).sent == 2
    assert mailing.queue(world.ctx).counts.needs_you == 1


def test_a_server_that_is_down_is_not_asked_for_every_letter(world: World, box: Postbox) -> None:
    asked(world, *(f"p{n}" for n in range(10)))
    tries: list[int] = []
    box.fail = TryLater("It cannot be reached.")
    box.during = lambda: tries.append(1)
    send(world, box)
    assert len(tries) == 3


def test_a_letter_that_cannot_be_written_holds_up_none(world: World, box: Postbox) -> None:
    submitted(world)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET payload = '{}' WHERE kind = 'mail:waiting'"))
    asked(world, "here")
    report = send(world, box)
    assert (report.sent, report.needs_you) == (1, 1)
    (mail,) = mailing.queue(world.ctx, stuck=True).mails
    assert "could not be written (KeyError)" in str(mail.error)


# --- the same letter ------------------------------------------------------------------------
def test_after_a_lost_answer_the_same_message_goes_again(world: World, box: Postbox) -> None:
    world.person("u1")
    world.pull(Completion(when=NOW - timedelta(days=1)))
    morning(world)
    box.fail, box.lose_reply = BadAnswer("It hung up."), True
    send(world, box)
    # Another draft meanwhile is due with it, and must not change what may have arrived.
    world.pull(Completion(when=NOW - timedelta(days=1)), Completion(course="C2", score=1, when=NOW))
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET next_at = created_at WHERE attempts = 0"))
    box.fail = None
    later(world, box, minutes=10)
    first, second = box.of(MailKind.DRAFTS)
    assert first.message_id == second.message_id
    assert first.lines == second.lines


def test_a_sender_that_died_leaves_the_same_letter_to_the_next(world: World, box: Postbox) -> None:
    submitted(world)
    box.fail, box.lose_reply = KeyboardInterrupt(), True  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        send(world, box)
    box.fail = None
    assert send(world, box).nothing, "the lease still holds"
    later(world, box, seconds=121)
    first, second = box.letters
    assert first.message_id == second.message_id
    assert [bool(done) for _, done, _, _ in rows(world)] == [True]


def test_a_sender_that_was_too_slow_writes_nothing(world: World, box: Postbox) -> None:
    submitted(world)
    other = Postbox()

    def overtake() -> None:
        world.clock.advance(seconds=121)
        send(world, other)

    box.during, box.fail = overtake, TryLater("Too slow.")
    send(world, box)
    assert len(other.letters) == 1
    assert rows(world)[0][3] is None, "the outcome of the one that held the fence stands"


def test_different_things_have_different_message_ids(world: World, box: Postbox) -> None:
    asked(world, "a", "b")
    world.clock.advance(minutes=2)
    for (person,) in world.rows("SELECT id FROM people"):
        notify.ask_for_link(world.ctx, person)
    send(world, box)
    ids = [letter.message_id for letter in box.letters]
    assert len(ids) == len(set(ids)) == 4
    assert all(each.endswith("@bridge.example>") for each in ids)


def test_links_overtake_digests(world: World, box: Postbox) -> None:
    submitted(world)
    asked(world, "hurry")
    send(world, box)
    assert [letter.kind for letter in box.letters] == [MailKind.SIGN_IN, MailKind.WAITING]


# --- together -------------------------------------------------------------------------------
def test_two_senders_at_once_send_each_letter_once(world: World) -> None:
    go_live(world)
    people = [world.person(f"p{n}") for n in range(12)]
    world.pull(
        *(Completion(user=f"p{n}", course=c, score=1) for n in range(6) for c in ("C1", "C2", "CE"))
    )
    morning(world)
    for person in people:
        notify.ask_for_link(world.ctx, person)
    boxes = [Postbox(), Postbox(), Postbox()]
    errors: list[Exception] = []

    def work(box: Postbox) -> None:
        try:
            send_due(world.ctx, MailRoom(box, "https://bridge.example", KEY))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(box,)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    told = [each for box in boxes for each in box.told()]
    expected = [("sign-in", f"p{n}@example.org") for n in range(12)]
    expected += [("drafts", f"p{n}@example.org") for n in range(6)]
    assert sorted(told) == sorted(expected)
    drafts = [letter for box in boxes for letter in box.of(MailKind.DRAFTS)]
    assert {letter.count for letter in drafts} == {3}, "nobody's digest was split"


def test_the_act_and_its_mail_are_one_transaction(world: World, box: Postbox) -> None:
    folk = cast(world)
    with pytest.raises(Refused):
        world.submit(folk.learner, folk.evidence, folk.learner)
    assert world.rows("SELECT id FROM outbox WHERE kind = 'mail:waiting'") == []


def test_pulling_and_deciding_again_tells_nobody_twice(world: World, box: Postbox) -> None:
    cast(world)
    before = world.rows("SELECT dedupe_key FROM outbox ORDER BY id")
    world.pull(full=True)
    world.pull(full=True)
    assert world.rows("SELECT dedupe_key FROM outbox ORDER BY id") == before
    assert [key for (key,) in before] == ["mail:drafts:1", "mail:reminder:1"]
