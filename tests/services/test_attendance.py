"""Attendance that means something: states, sessions, corrections, trainers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from bridge.domain.counting import CountsWhen
from bridge.domain.errors import NotAllowed
from bridge.domain.mail import LetterLine, MailKind
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    Trainer,
)
from bridge.services import (
    evidence,
    explain,
    ledger,
    letters,
    people,
    pull,
    verify,
)
from tests.services.booked import BOTH, RULES_OF, Booked, S, Seat, drafts, event_rule
from tests.support import NOW, Completion, World, cast, rule


def told(world: World) -> set[int]:
    """Whom a mail about a correction waits for."""
    query = "SELECT person_id FROM outbox WHERE kind = 'mail:corrected'"
    return {person for (person,) in world.rows(query)}


def letter(world: World, person: int) -> tuple[LetterLine, ...]:
    """What the mail about corrections would tell somebody now."""
    with world.store.begin() as uow:
        queued = uow.outbox.open_mails(stuck=False, limit=50)
        mine = [m for m in queued if m.kind is MailKind.CORRECTED and m.person == person]
        return letters.content(world.ctx, uow, mine).lines


# --- states ----------------------------------------------------------------------------------
def test_each_state_becomes_what_it_means_and_the_word_is_kept(world: World) -> None:
    booked = Booked(world, event_rule(1))
    learners = {s: world.person(f"p{s.value}") for s in S} | {None: world.person("nobody-marked")}
    booked.pull(*(Seat(f"p{s.value}", state=s) for s in S), Seat("nobody-marked", state=None))
    drafted = {s for s, person in learners.items() if drafts(world, person)}
    assert drafted == {S.FULLY_ATTENDED}
    reasons = {r for (r,) in world.rows("SELECT DISTINCT reason FROM learning_records")}
    assert reasons == {"counts", "status", "only-booked", "waiting-list", "cancelled", "not-marked"}
    (missed,) = world.rows("SELECT id, said FROM learning_records WHERE status = 'missed'")
    assert missed[1] == "DNA"
    told = explain.record(world.ctx, missed[0], RULES_OF)
    assert any("DNA" in line for line in told.lines)
    assert all(" " in words for _, _, words, _ in ledger.reasons(world.ctx))
    assert all(line.adds_up for line in ledger.ledger(world.ctx))


@pytest.mark.parametrize(
    ("asked", "counted"), [({"sessions": "all"}, 3), ({"sessions": 2}, 2), ({}, 1)]
)
def test_sessions_make_one_draft_once_enough_were_attended(
    world: World, asked: dict[str, object], counted: int
) -> None:
    """Weeks apart, they are one event; dated when enough of them had been attended."""
    booked = Booked(world, event_rule(1, counts=asked))
    learner = world.person("u1")
    seats = [Seat(session=f"Day {n}", sessions=3, day=-60 + 20 * n) for n in range(3)]
    for there in range(1, 4):
        report = booked.pull(*seats[:there])
        found = drafts(world, learner)
        if asked:
            assert report.tally.drafts == (there == counted)
        if there < counted:
            assert found == []
            assert booked.why()[-1] == "sessions-few"
        elif asked:
            (item,) = found
            day = -60 + 20 * (counted - 1)
            assert item.evidence.occurred_on == (NOW + timedelta(days=day)).date()
        else:
            assert len(found) == there
    assert all(line.adds_up for line in ledger.ledger(world.ctx))


def test_a_course_of_two_days_that_is_taken_again_counts_again(world: World) -> None:
    """It is held every year under one name; what was missed may be caught up until it is whole."""
    booked = Booked(world, event_rule(1, counts={"sessions": "all"}))
    learner = world.person("u1")

    def day(number: int, when: int, **more: object) -> Seat:
        return Seat(session=f"Day {number}", sessions=2, day=when, key=str(when), **more)  # type: ignore[arg-type]

    earlier = [day(1, -300), day(2, -299, state=S.NO_SHOW), day(2, -250)]
    again = [day(1, -30), day(2, -29)]
    booked.pull(*earlier, *again[:1])
    assert [(d.evidence.occurred_on - NOW.date()).days for d in drafts(world, learner)] == [-250]
    booked.pull(*earlier, *again)
    found = {(d.evidence.occurred_on - NOW.date()).days for d in drafts(world, learner)}
    assert found == {-250, -29}
    # The first is too old a year later, and the second is not.
    world.clock.advance(days=200)
    pull.age_out(world.ctx)
    pull.settle_pending(world.ctx)
    assert len(drafts(world, learner)) == 1
    booked.pull(*earlier, day(1, -30), day(2, -29, state=S.NO_SHOW))
    assert drafts(world, learner) == []


def test_sessions_come_in_any_order_and_by_minutes_and_from_two_accounts(world: World) -> None:
    asked = CountsWhen(BOTH, min_minutes=100, sessions="any")
    booked = Booked(world, event_rule(1, counts_when=asked))
    seats = [
        Seat(session="am", sessions=2, minutes=60, state=S.PARTIALLY_ATTENDED),
        Seat(session="pm", sessions=2, minutes=45),
        Seat(session="eve", sessions=2, minutes=99, state=S.NO_SHOW),
    ]
    for n, order in enumerate(permutations(seats)):
        learner = world.person(f"v{n}")
        mine = [replace(s, name=f"v{n}") for s in order]
        for upto in range(1, 4):
            booked.pull(*mine[:upto], full=False)
            been = {s.session for s in mine[:upto]}
            assert bool(drafts(world, learner)) is (been >= {"am", "pm"})
        (item,) = drafts(world, learner)
        assert world.states(item.evidence.id) == {"1": "suggested"}
    # Two addresses of one person: together they have been to both.
    one = world.person("Two Desks", email="one@example.org")
    booked.pull(
        Seat("Two Desks", session="am", sessions=2, minutes=60, email="one@example.org"),
        Seat("Two Desks", session="pm", sessions=2, minutes=60, email="two@example.org"),
        full=False,
    )
    assert drafts(world, one) == []
    second = world.scalar("SELECT id FROM accounts WHERE email = 'two@example.org'")
    people.link(world.ctx, second, one, "She told us.")
    assert len(drafts(world, one)) == 1
    people.unlink(world.ctx, second, "She was mistaken.")
    assert drafts(world, one) == []


# --- corrections -----------------------------------------------------------------------------
def test_a_correction_withdraws_reopens_and_tells_and_loses_nothing(world: World) -> None:
    live = replace(world.ctx.policy, mail_from=NOW.date() - timedelta(days=90))
    world.ctx = replace(world.ctx, policy=live)
    booked = Booked(world, event_rule(1, 2))
    manager = world.person("manager")
    untouched, waiting, done = (world.person(f"u{n}", manager=manager) for n in (1, 2, 3))
    everyone = [Seat(f"u{n}") for n in (1, 2, 3)]
    booked.pull(*everyone)
    of = {p: drafts(world, p)[0].evidence.id for p in (untouched, waiting, done)}
    for person in (waiting, done):
        world.submit(person, of[person], manager, 1)
    world.verify(manager, of[done])
    booked.pull(*(replace(s, state=S.NO_SHOW) for s in everyone))
    assert world.states(of[untouched]) == {"1": "withdrawn", "2": "withdrawn"}
    assert world.states(of[waiting])["1"] == "submitted"
    assert world.states(of[done])["1"] == "verified"
    contested = "SELECT contested_reason FROM claims WHERE contested_at IS NOT NULL"
    assert world.rows(contested) == [("source-changed",)]
    assert told(world) == {untouched, waiting, done, manager}
    assert evidence.version_if_any(world.as_(waiting), of[waiting])[1] is not None
    lines = letter(world, untouched)
    assert [(line.text, "“DNA”" in line.detail) for line in lines] == [("Event E1", True)]
    assert [line.url for line in letter(world, manager)] == [f"/verify/{of[waiting]}"]
    # Taken back before it was sent, it is no verifier's business any more.
    evidence.recall(world.as_(waiting), of[waiting])
    with pytest.raises(letters.Nothing):
        letter(world, manager)
    booked.pull(*everyone)
    # Turned back before it was sent, it is no news.
    with pytest.raises(letters.Nothing):
        letter(world, untouched)
    assert world.states(of[untouched]) == {"1": "suggested", "2": "suggested"}
    assert world.rows(contested) == []
    assert [len(drafts(world, p)) for p in of] == [1, 1, 1]


def test_a_score_corrected_below_the_mark_contests_and_a_changed_rule_does_not(
    world: World,
) -> None:
    who = cast(world)
    marked = Completion(course="C2", score=0.7)
    world.pull(marked)
    (mine,) = {i.evidence.id for i in drafts(world, who.learner)} - {who.evidence}
    world.submit(who.learner, mine, who.manager, 2)
    world.verify(who.manager, mine)
    contested = "SELECT COUNT(*) FROM claims WHERE contested_at IS NOT NULL"
    harder = rule("r2", "C2", 2, 3, counts_when=CountsWhen(min_score=0.9))
    world.publish([rule("r1", "C1", 1, 2), harder])
    assert world.scalar(contested) == 0
    world.pull(replace(marked, score=0.8))
    assert world.scalar(contested) == 0
    world.pull(replace(marked, score=0.3))
    assert world.scalar(contested) == 1
    world.pull(replace(marked, score=0.6))
    assert world.scalar(contested) == 0


# --- trainers ------------------------------------------------------------------------------------
def test_a_trainer_assesses_their_event_only_where_the_rule_says_so_and_while_listed(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1, assessed=True), event_rule(2, event="E2"))
    learner, trainer = world.person("u1"), world.person("Tess Trainer", email="tess@example.org")
    tess = AccountFacts("booking", "tess", "tess@example.org", display_name="Tess Trainer")
    booked.events.trainers = [
        Trainer(tess, ActivityFacts("event", e, title=f"Event {e}")) for e in ("E1", "E2")
    ]
    booked.pull(Seat(), Seat(event="E2", day=-40), Seat("Tess Trainer", email="tess@example.org"))
    mine = {i.evidence.title: i.evidence.id for i in drafts(world, learner)}
    assert evidence.may_verify(world.ctx, learner) == []
    listed = evidence.may_verify(world.ctx, learner, mine["Event E1"])
    assert [(p, a.value) for p, _, a in listed] == [(trainer, "assessor")]
    assert evidence.may_verify(world.ctx, learner, mine["Event E2"]) == []
    with pytest.raises(NotAllowed):
        world.submit(learner, mine["Event E2"], trainer, 2)
    (own,) = drafts(world, trainer)
    assert evidence.may_verify(world.ctx, trainer, own.evidence.id) == []
    world.submit(learner, mine["Event E1"], trainer, 1)
    # Taken off the list, they decide no more; put back, they do.
    named, booked.events.trainers = booked.events.trainers, []
    booked.pull()
    with pytest.raises(NotAllowed):
        world.verify(trainer, mine["Event E1"])
    booked.events.trainers = named
    booked.pull()
    ctx = world.as_(trainer)
    assert evidence.read_reflection(ctx, mine["Event E1"])
    assert verify.verify(ctx, mine["Event E1"], None, "observation")
