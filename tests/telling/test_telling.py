"""What is told of which decision, when, by whose name; and what never is."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from bridge.domain.errors import NotFound
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.telling import KnownAs, Withdraw
from bridge.services import people, telling, verify
from tests.support import NOW, Completion
from tests.telling.told import HOME, SINCE, TELLING, VERIFIED, VOIDED, ToldWorld


def test_a_verification_is_told_once_and_says_who_verified_what_of_whom(told: ToldWorld) -> None:
    told.verify(1, 2)
    assert told.tell().told == 2
    first, second = told.held()
    assert first["verb"]["id"] == VERIFIED
    assert first["actor"]["account"]["homePage"] == HOME
    extensions = first["context"]["extensions"]
    learner = extensions["https://w3id.org/xapi/tla/extensions/learner"]
    assert learner["account"]["homePage"] == HOME
    assert learner["account"]["name"] != first["actor"]["account"]["name"]
    assert first["object"]["id"] == f"{HOME}/frameworks/care-2026/competencies/1"
    assert second["object"]["id"] == f"{HOME}/frameworks/care-2026/competencies/2"
    assert first["timestamp"].startswith("2026-06-15T09:00:00")
    assert told.tell().nothing
    assert len(told.held()) == 2


def test_no_word_that_anybody_wrote_and_no_name_goes_out(told: ToldWorld) -> None:
    folk = told.folk
    told.world.submit(folk.learner, folk.evidence, folk.manager)
    verify.verify(told.world.as_(folk.manager), folk.evidence, None, "discussion",
                  note="A remarkable talk.")  # fmt: skip
    told.revoke(1, "The wrong child.")
    told.set_up(withdraw=Withdraw.REVOKED)
    told.tell()
    assert told.verbs() == ["verified", "verified", "revoked"]
    text = orjson.dumps(told.held()).decode()
    for word in ("remarkable", "wrong child", "What I learned", "u1", "manager", "example.org/u",
                 "@", "Worker", "agency"):  # fmt: skip
        assert word not in text, word


def test_a_revocation_voids_the_statement(told: ToldWorld) -> None:
    told.verify(1)
    told.tell()
    (first,) = told.held()
    told.revoke(1)
    assert told.tell().told == 1
    voiding = told.held()[-1]
    assert voiding["verb"]["id"] == VOIDED
    assert voiding["object"] == {"objectType": "StatementRef", "id": first["id"]}
    assert told.lrs.store.one(first["id"], voided=True) is not None


def test_or_says_revoked_where_the_setting_says_so(told: ToldWorld) -> None:
    told.set_up(withdraw=Withdraw.REVOKED)
    told.verify(1)
    told.revoke(1)
    told.tell()
    first, second = told.held()
    assert second["verb"]["id"] == f"{HOME}/xapi/verbs/revoked"
    assert second["object"]["id"] == first["object"]["id"]
    assert second["context"]["statement"]["id"] == first["id"]
    assert told.lrs.store.one(first["id"], voided=False) is not None


def test_what_is_taken_back_at_once_is_told_in_order(told: ToldWorld) -> None:
    told.verify(1, 2)
    told.revoke(2)
    report = told.tell()
    assert (report.told, report.error) == (3, "")
    assert told.verbs() == ["verified", "verified", "voided"]


def test_verified_anew_after_a_revocation_it_is_another_statement(told: ToldWorld) -> None:
    told.verify(1)
    told.revoke(1)
    told.world.pull(Completion(), Completion(when=NOW - timedelta(days=60)), full=True)
    world, folk = told.world, told.folk
    again = next(i for i in world.items_of(folk.learner) if i.evidence.id != folk.evidence)
    world.submit(folk.learner, again.evidence.id, folk.manager, 1)
    world.verify(folk.manager, again.evidence.id)
    told.tell()
    assert told.verbs() == ["verified", "verified", "voided"]
    ids = {each["id"] for each in told.held()}
    assert len(ids) == 3
    standing = [h for h in told.held() if h["verb"]["id"] == VERIFIED
                and told.lrs.store.one(h["id"], voided=False)]  # fmt: skip
    assert len(standing) == 1
    assert f"/evidence/{again.evidence.id}" in orjson.dumps(standing[0]).decode()


def test_returned_and_upheld_are_nobodys_business(told: ToldWorld) -> None:
    folk = told.folk
    told.world.submit(folk.learner, folk.evidence, folk.manager)
    verify.send_back(told.world.as_(folk.manager), folk.evidence, None, "How so?")
    assert told.tell().nothing
    assert told.world.rows("SELECT id FROM outbox WHERE kind LIKE 'lrs:%'") == []


# --- by which name ------------------------------------------------------------------------------
def test_the_opaque_name_is_steady_and_another_for_each_lrs(told: ToldWorld) -> None:
    told.set_up(TELLING, type(TELLING)("other", SINCE, HOME))
    told.verify(1, 2)
    told.tell()
    one, two = told.held()
    assert one["actor"] == two["actor"]
    world, folk = told.world, told.folk
    here = telling.name_of(world.ctx, "lrs", folk.manager)
    assert one["actor"]["account"]["name"] == here
    assert here != telling.name_of(world.ctx, "other", folk.manager)


def test_staff_numbers_and_addresses_go_out_only_where_configured(told: ToldWorld) -> None:
    told.set_up(learner=KnownAs.EMAIL, assessor=KnownAs.STAFF_NUMBER,
                staff_home="https://hr.example.org")  # fmt: skip
    told.verify(1)
    told.tell()
    (first,) = told.held()
    learner = first["context"]["extensions"]["https://w3id.org/xapi/tla/extensions/learner"]
    assert learner["mbox"] == "mailto:u1@example.org"
    assert first["actor"]["account"]["homePage"] == HOME, "this manager has no staff number"
    with told.world.store.begin() as uow:
        number = Identifier(IdentifierKind.STAFF_NUMBER, "ESR7")
        uow.people.add_identifier(told.folk.manager, number, NOW)
    told.verify(2)
    told.tell()
    account = told.held()[-1]["actor"]["account"]
    assert account == {"homePage": "https://hr.example.org", "name": "ESR7"}


# --- since when -----------------------------------------------------------------------------------
def test_nothing_decided_before_the_day_is_told_by_itself(told: ToldWorld) -> None:
    told.set_up(since=NOW.date() + timedelta(days=1))
    told.verify(1)
    assert telling.catch_up(told.world.ctx, "lrs") == 0
    assert told.tell().nothing
    told.revoke(1)
    assert told.tell().nothing, "what was never told need not be taken back"


def test_earlier_decisions_are_told_when_asked_for_and_once(told: ToldWorld) -> None:
    told.not_told()
    told.verify(1, 2)
    told.revoke(2)
    told.world.clock.advance(days=5)
    told.set_up(since=told.world.clock.now().date())
    ctx = told.world.ctx
    assert telling.catch_up(ctx, "lrs") == 0
    assert telling.catch_up(ctx, "lrs", NOW.date() + timedelta(days=1)) == 0
    assert telling.catch_up(ctx, "lrs", NOW.date()) == 1, "what was revoked is not told first"
    assert telling.catch_up(ctx, "lrs", NOW.date()) == 0
    assert told.tell().told == 1
    told.revoke(1)
    assert told.tell().told == 1
    assert told.verbs() == ["verified", "voided"]


def test_what_a_process_without_the_setting_decided_is_found(told: ToldWorld) -> None:
    told.verify(1)
    told.tell()
    told.not_told()
    told.verify(2)
    told.revoke(1)
    told.set_up()
    assert telling.catch_up(told.world.ctx, "lrs") == 2
    told.tell()
    assert sorted(told.verbs()) == ["verified", "verified", "voided"]


def test_an_lrs_that_is_not_told_is_named(told: ToldWorld) -> None:
    with pytest.raises(NotFound, match="There are: lrs"):
        telling.catch_up(told.world.ctx, "elsewhere")


def test_two_entries_that_turn_out_to_be_one_person_verify_nothing(told: ToldWorld) -> None:
    told.verify(1)
    people.merge(told.world.ctx, told.folk.manager, told.folk.learner, "one person")
    report = told.tell()
    assert (report.told, report.dropped) == (0, 1)
    assert told.held() == []
