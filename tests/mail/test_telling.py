"""Who is told of what, and when: digests, reminders, go-live, and what people switched off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.authority import Authority
from bridge.domain.errors import NotFound
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.mail import FRESH, Letter, MailKind, due_at, next_digest, reminder_at
from bridge.domain.permissions import Role
from bridge.domain.times import LONDON
from bridge.services import escalation, evidence, notify, roles, signin, verify
from bridge.services import people as people_service
from tests.mail.post import (
    KEY,
    Postbox,
    go_live,
    later,
    morning,
    on,
    send,
    switch_off,
)
from tests.support import NOW, Cast, Completion, World, cast, ref, rule


@pytest.fixture
def box(world: World) -> Postbox:
    """Mail, from two weeks before NOW (a Monday, ten o'clock in London)."""
    return go_live(world)


def titles(letter: Letter) -> list[str]:
    return [line.text for line in letter.lines]


# --- drafts ---------------------------------------------------------------------------------
def test_new_drafts_come_as_one_mail_the_next_morning(world: World, box: Postbox) -> None:
    learner = world.person("u1")
    world.pull(
        *(
            Completion(course=c, title=c, score=1, when=NOW - timedelta(days=2))
            for c in ("C1", "C2")
        )
    )
    assert send(world, box).nothing
    morning(world)
    send(world, box)
    (letter,) = box.letters
    assert (letter.kind, letter.to, letter.count) == (MailKind.DRAFTS, "u1@example.org", 2)
    assert sorted(titles(letter)) == ["C1", "C2"]
    assert later(world, box, days=1).nothing, "a draft is told of once"
    assert world.items_of(learner)


def test_of_many_only_some_are_listed(world: World, box: Postbox) -> None:
    world.person("u1")
    world.publish(rule(f"r{n}", f"M{n}", 1) for n in range(12))
    world.pull(*(Completion(course=f"M{n}", when=NOW - timedelta(days=2)) for n in range(12)))
    morning(world)
    send(world, box)
    (letter,) = box.letters
    assert (letter.count, len(letter.lines)) == (12, 8)


def test_a_draft_that_was_dealt_with_is_not_mailed(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    morning(world)
    report = send(world, box)
    assert box.of(MailKind.DRAFTS) == []
    assert report.dropped == 1


def test_a_digest_comes_at_most_once_a_day(world: World, box: Postbox) -> None:
    world.person("u1")
    first = Completion(when=NOW - timedelta(days=1))
    world.pull(first)
    morning(world)
    send(world, box)
    # As a slow transaction would leave it: queued for this morning, committed after the digest.
    world.pull(first, Completion(course="C2", score=1, when=NOW))
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET next_at = created_at WHERE kind = 'mail:drafts' AND done_at IS NULL"
        )
    assert send(world, box).later == 1
    assert len(box.of(MailKind.DRAFTS)) == 1
    morning(world)
    send(world, box)
    assert [letter.count for letter in box.of(MailKind.DRAFTS)] == [1, 1]


def test_nothing_is_mailed_about_anything_before_the_go_live_date(
    world: World, box: Postbox
) -> None:
    world.person("u1")
    world.pull(Completion(when=datetime(2026, 5, 31, 12, tzinfo=UTC)))
    assert world.rows("SELECT kind FROM outbox") == []
    world.pull(Completion(course="C2", score=1, when=datetime(2026, 5, 31, 23, 30, tzinfo=UTC)))
    kinds = [kind for (kind,) in world.rows("SELECT kind FROM outbox ORDER BY kind")]
    assert kinds == ["mail:drafts", "mail:reminder"], "in London it was 1 June"


@pytest.mark.parametrize("day", [None, date(2026, 7, 1)])
def test_before_go_live_only_links_go(world: World, day: date | None) -> None:
    box = go_live(world, day)
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    verify.send_back(world.as_(folk.manager), folk.evidence, None, "How?")
    notify.look_for_overdue(world.ctx)
    notify.ask_for_link(world.ctx, folk.learner)
    assert world.rows("SELECT kind FROM outbox") == [("mail:sign-in",)]
    send(world, box)
    assert box.told() == [("sign-in", "u1@example.org")]


def test_one_reminder_while_it_is_fresh(world: World, box: Postbox) -> None:
    world.person("u1")
    world.pull(Completion(when=NOW - timedelta(days=3)))
    for _ in range(40):
        morning(world)
        send(world, box)
    assert [letter.kind for letter in box.letters] == [MailKind.DRAFTS, MailKind.REMINDER]
    assert box.letters[1].written_at == datetime(2026, 6, 19, 9, tzinfo=UTC)


def test_no_reminder_of_what_is_stale_or_done(world: World, box: Postbox) -> None:
    go_live(world, date(2026, 1, 1))
    world.person("u1")
    world.pull(Completion(when=NOW - timedelta(days=27)))
    assert world.rows("SELECT kind FROM outbox") == [("mail:drafts",)]


# --- when -----------------------------------------------------------------------------------
moments = st.datetimes(
    min_value=datetime(2026, 1, 1),
    max_value=datetime(2028, 1, 1),
    timezones=st.just(UTC),
)
hours = st.integers(7, 18)


@settings(deadline=None, max_examples=60)
@given(moments, hours)
def test_digests_go_in_london_on_weekdays_at_their_hour(now: datetime, hour: int) -> None:
    at = next_digest(now, hour).astimezone(LONDON)
    assert (at.hour, at.minute) == (hour, 0)
    assert at.weekday() < 5
    assert timedelta(0) < at - now <= timedelta(days=3, hours=1)


@settings(deadline=None, max_examples=60)
@given(moments, moments, hours)
def test_whatever_is_queued_between_two_digests_goes_with_the_second(
    one: datetime, other: datetime, hour: int
) -> None:
    first, second = sorted((one, other))
    at = due_at(MailKind.DRAFTS, first, hour)
    assert (second < at) == (due_at(MailKind.DRAFTS, second, hour) == at)


@settings(deadline=None, max_examples=60)
@given(moments, st.integers(0, 400), hours)
def test_a_reminder_comes_after_the_draft_and_while_it_is_fresh(
    now: datetime, age: int, hour: int
) -> None:
    occurred_on = now.astimezone(LONDON).date() - timedelta(days=age)
    at = reminder_at(occurred_on, now, hour)
    if at is None:
        assert age > 20
    else:
        day = at.astimezone(LONDON).date()
        assert occurred_on + timedelta(days=7) <= day <= occurred_on + FRESH
        assert at > next_digest(now, hour), "not with the digest that first tells of it"


# --- what people do -------------------------------------------------------------------------
def test_the_verifier_is_told_once_an_hour(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.pull(Completion(), Completion(course="C2", score=1, title="Second"))
    first, second = (item.evidence.id for item in world.items_of(folk.learner))
    world.submit(folk.learner, first, folk.manager, 2)
    world.clock.advance(minutes=20)
    world.submit(folk.learner, second, folk.manager, 2)
    later(world, box, hours=1)
    (letter,) = box.of(MailKind.WAITING)
    assert (letter.to, letter.count) == ("manager@example.org", 2)
    assert titles(letter) == ["u1", "u1"]


def test_what_was_recalled_or_decided_meanwhile_is_not_mailed(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    evidence.recall(world.as_(folk.learner), folk.evidence)
    later(world, box, hours=1)
    assert box.letters == []


def test_a_question_goes_back_without_its_text(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    verify.send_back(world.as_(folk.manager), folk.evidence, None, "Which Hargreaves visit?")
    later(world, box, minutes=10)
    (letter,) = box.of(MailKind.RETURNED)
    assert letter.to == "u1@example.org"
    assert letter.url == f"https://bridge.example/evidence/{folk.evidence}"
    assert "Hargreaves" not in repr(letter)


def test_a_badge_that_is_earned_and_one_that_is_lost_are_told(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.awarded()
    later(world, box, minutes=10)
    (earned,) = box.of(MailKind.AWARDED)
    assert titles(earned) == ["Safe practice"]
    verify.revoke(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "a mistake")
    world.awarded()
    later(world, box, minutes=10)
    (lost,) = box.of(MailKind.WITHDRAWN)
    assert (lost.to, titles(lost)) == ("u1@example.org", ["Safe practice"])


def test_reviews_are_told_of_a_month_ahead_and_when_due(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    on(world, 2027, 5, 14)
    send(world, box)
    box.letters.clear()
    for month, day, count in ((5, 17, 2), (5, 18, 0), (6, 14, 0), (6, 16, 2), (6, 30, 0)):
        on(world, 2027, month, day)
        send(world, box)
        assert sum(letter.count for letter in box.of(MailKind.REVIEW)) == count, (month, day)
        assert len(box.letters) <= 1, "bundled"
        box.letters.clear()


def test_a_review_that_was_renewed_is_not_told_of(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    on(world, 2027, 4, 1)
    world.pull(Completion(), Completion(when=world.clock.moment - timedelta(days=5)))
    (newest, *_) = world.items_of(folk.learner)
    world.submit(folk.learner, newest.evidence.id, folk.manager, 1)
    world.verify(folk.manager, newest.evidence.id)
    on(world, 2027, 5, 20)
    send(world, box)
    (letter,) = box.of(MailKind.REVIEW)
    assert [text.partition(":")[0] for text in titles(letter)] == ["2"]


def test_after_28_days_deputies_are_told_and_without_one_the_training_team(
    world: World, box: Postbox
) -> None:
    folk = cast(world)
    trainer = world.person("trainer")
    roles.grant_role(world.ctx, trainer, Role.TRAINING_TEAM)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.clock.advance(days=27)
    notify.look_for_overdue(world.ctx)
    world.clock.advance(days=2)
    for _ in range(2):
        notify.look_for_overdue(world.ctx)
    morning(world)
    send(world, box)
    (letter,) = box.of(MailKind.OVERDUE)
    assert letter.to == "trainer@example.org"
    assert "manager for" in letter.lines[0].detail
    deputy = world.person("deputy")
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO deputies (manager_id, deputy_id, valid_from, named_by, named_at) VALUES "
            f"({folk.manager}, {deputy}, '2026-06-01', 'test', '2026-06-01 00:00:00.000000')"
        )
    notify.look_for_overdue(world.ctx)
    morning(world)
    send(world, box)
    assert [each.to for each in box.of(MailKind.OVERDUE)] == [
        "trainer@example.org",
        "deputy@example.org",
    ]


def test_evidence_in_doubt_is_told_to_who_verified_it(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.source.holds = []
    world.pull(full=True, believe=True)
    notify.look_for_overdue(world.ctx)
    morning(world)
    send(world, box)
    (letter,) = box.of(MailKind.CONTESTED)
    assert (letter.to, letter.count) == ("manager@example.org", 2)


def test_mails_and_pages_agree_on_what_has_waited_too_long(world: World, box: Postbox) -> None:
    folk = cast(world)
    trainer = world.person("trainer")
    roles.grant_role(world.ctx, trainer, Role.TRAINING_TEAM)
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    world.verify(folk.manager, folk.evidence)
    world.submit(folk.learner, folk.evidence, folk.manager, 2)
    world.source.holds = []
    world.pull(full=True, believe=True)

    def told() -> list[str]:
        """What the training team is mailed about."""
        notify.look_for_overdue(world.ctx)
        rows = world.rows("SELECT kind FROM outbox WHERE person_id = :p ORDER BY kind", p=trainer)
        return [kind.removeprefix("mail:") for (kind,) in rows]

    def shown() -> list[str]:
        found = escalation.escalated(world.ctx)
        return ["contested"] * len(found.claims) + ["overdue"] * len(found.submissions)

    for days, together in ((28, []), (1, ["contested", "overdue"])):
        world.clock.advance(days=days)
        assert told() == shown() == together


# --- links ----------------------------------------------------------------------------------
def test_a_sign_in_link_goes_at_once_and_works_once(world: World, box: Postbox) -> None:
    person = world.person("u1")
    for _ in range(3):
        notify.ask_for_link(world.ctx, person)
    send(world, box)
    (letter,) = box.letters
    secret = letter.url.removeprefix("https://bridge.example/link/")
    found, _ = signin.use_link(world.ctx, secret, signin.Lasting())
    assert found.person == person
    assert letter.unsubscribe_url is None
    assert secret not in repr(world.dump())
    assert secret not in repr(letter)


def test_a_sign_in_link_that_nobody_waits_for_any_more_is_not_sent(
    world: World, box: Postbox
) -> None:
    notify.ask_for_link(world.ctx, world.person("u1"))
    report = later(world, box, hours=1)
    assert (report.dropped, box.letters) == (1, [])


def test_a_verifier_from_outside_gets_a_link_to_the_one_thing(world: World, box: Postbox) -> None:
    folk = cast(world)
    outside = world.person("assessor")
    people_service.approve(world.ctx, outside, Authority.ASSESSOR)
    world.submit(folk.learner, folk.evidence, outside)
    send(world, box)
    (letter,) = box.of(MailKind.VERIFIER_LINK)
    assert letter.to == "assessor@example.org"
    found = signin.look_at_link(world.ctx, letter.url.rpartition("/")[2])
    assert (found.purpose, found.person, found.evidence_id) == ("verify", outside, folk.evidence)


# --- choosing -------------------------------------------------------------------------------
def test_what_is_switched_off_does_not_come(world: World, box: Postbox) -> None:
    folk = cast(world)
    switch_off(world, folk.manager, MailKind.WAITING)
    world.submit(folk.learner, folk.evidence, folk.manager)
    report = later(world, box, hours=1)
    assert (report.dropped, box.letters) == (1, [])
    assert {c.kind for c in notify.choices(world.as_(folk.manager)) if not c.on} == {
        MailKind.WAITING
    }


def test_the_link_in_a_mail_switches_off_its_kind_alone(world: World, box: Postbox) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    later(world, box, hours=1)
    (letter,) = box.letters
    token = (letter.unsubscribe_url or "").rpartition("/")[2]
    assert notify.unsubscribe(world.ctx, KEY, token) is MailKind.WAITING
    off = [c.kind for c in notify.choices(world.as_(folk.manager)) if not c.on]
    assert off == [MailKind.WAITING]
    notify.unsubscribe(world.ctx, KEY, token, on=True)
    assert all(c.on for c in notify.choices(world.as_(folk.manager)))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("waiting", "returned"),
        lambda t: "9" + t,
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: t.rpartition(".")[0],
        lambda t: t.replace("waiting", "sign-in"),
        lambda t: t.replace("waiting", "wäiting"),
        lambda t: "",
        lambda t: "٣" + t,
    ],
)
def test_a_link_that_was_tampered_with_does_nothing(
    world: World, change: Callable[[str], str]
) -> None:
    person = world.person("u1")
    token = notify.unsubscribe_token(KEY, person, MailKind.WAITING)
    with pytest.raises(NotFound):
        notify.unsubscribe(world.ctx, KEY, change(token))


def test_links_cannot_be_switched_off(world: World, box: Postbox) -> None:
    person = world.person("u1")
    notify.choose(world.as_(person), set())
    notify.ask_for_link(world.ctx, person)
    send(world, box)
    assert box.told() == [("sign-in", "u1@example.org")]


# --- whom -----------------------------------------------------------------------------------
def test_mail_goes_to_the_newest_address_of_a_merged_person(world: World, box: Postbox) -> None:
    folk = cast(world)
    other = world.person("u1-other", email="new@example.org")
    with world.store.begin() as uow:
        uow.people.merge(other, folk.learner, "the same", "test", NOW)
        newest = Identifier(IdentifierKind.EMAIL, "newest@example.org")
        uow.people.add_identifier(other, newest, NOW + timedelta(seconds=1))
    switch_off(world, folk.learner, MailKind.RETURNED)
    notify.ask_for_link(world.ctx, other)
    send(world, box)
    assert box.told() == [("sign-in", "newest@example.org")]


def test_nothing_a_mail_is_queued_with_tells_about_people(world: World, box: Postbox) -> None:
    folk: Cast = cast(world)
    evidence.submit(
        world.as_(folk.learner), folk.evidence, [ref(1), ref(2)], "The Hargreaves", folk.manager
    )
    verify.send_back(world.as_(folk.manager), folk.evidence, [ref(2)], "Which Hargreaves?")
    world.verify(folk.manager, folk.evidence)
    notify.ask_for_link(world.ctx, folk.learner)
    later(world, box, days=1)
    kept = repr(world.rows("SELECT kind, dedupe_key, payload, error FROM outbox"))
    for words in ("Hargreaves", "manager", "example.org", "Rule", "/link/"):
        assert words not in kept
