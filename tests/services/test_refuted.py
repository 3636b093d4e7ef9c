"""What was tried to get round the one rule, or to lose a person's work, and must stay refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.catalog.staff import parse_staff_list
from bridge.domain.badges import BadgeDefinition, BadgeTarget, Criteria
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.services import evidence, explain, mappings, people, verify
from bridge.services.mappings import SiteSources
from bridge.services.progress import progress
from bridge.services.pull import age_out, settle_pending
from bridge.services.staff import take_staff_list
from tests.support import BADGE, EDITION, NOW, RULES, Completion, World, cast, ref

IDENTITY = {"moodle": RULES}


def lose_the_source(world: World) -> None:
    """The record vanishes from the source, and a full pull sees it."""
    world.pull(Completion(), Completion("z"), full=True)
    world.pull(Completion("z"), full=True)


def test_a_waiver_decided_by_who_turns_out_to_be_oneself_stops_nobody_elses_badges(
    world: World,
) -> None:
    people_ = cast(world)
    people.waive(world.as_(people_.manager), people_.learner, ref(2), "Not in this role.")
    people.merge(world.ctx, people_.manager, people_.learner, "They are one.")
    assert world.awarded() == (0, 0, 0)


def test_a_token_issued_during_a_wrong_merge_ends_with_it(world: World) -> None:
    people_ = cast(world)
    people.merge(world.ctx, people_.learner, people_.manager, "A mistake.")
    secret = people.issue_token(world.ctx, people_.learner)
    people.unmerge(world.ctx, people_.learner, "They are two.")
    with pytest.raises(NotAllowed):
        people.person_of_token(world.ctx, secret)


def test_a_source_reversed_before_the_decision_earns_nothing_until_somebody_upholds(
    world: World,
) -> None:
    people_ = cast(world)
    world.submit(people_.learner, people_.evidence, people_.manager)
    lose_the_source(world)
    world.verify(people_.manager, people_.evidence)
    assert world.awarded() == (0, 0, 0)
    for code in (1, 2):
        claim = world.claim_id(people_.evidence, code)
        verify.uphold(world.as_(people_.manager), claim, "I was there.")
    assert world.awarded() == (1, 0, 0)


def test_a_contested_claim_does_not_save_an_award_whose_ground_was_revoked(world: World) -> None:
    manager = world.person("boss")
    learner = world.person("u1", manager=manager)
    late, early = (
        Completion(when=NOW - timedelta(days=9)),
        Completion(when=NOW - timedelta(days=60)),
    )
    world.pull(late, early, Completion("z"), full=True)
    items = {i.evidence.occurred_on: i.evidence.id for i in world.items_of(learner)}
    first, second = items[min(items)], items[max(items)]
    for each in (first, second):
        world.submit(learner, each, manager)
        world.verify(manager, each)
    world.pull(early, Completion("z"), full=True)
    assert world.awarded() == (1, 0, 0)
    for code in (1, 2):
        verify.revoke(world.as_(manager), world.claim_id(first, code), "A mistake.")
    assert world.awarded()[2] == 1


def test_a_verifiers_clock_ahead_over_midnight_loses_nobody_an_award(world: World) -> None:
    people_ = cast(world)
    world.clock.moment = datetime(2026, 6, 15, 23, 0, 10, tzinfo=UTC)
    world.submit(people_.learner, people_.evidence, people_.manager)
    world.verify(people_.manager, people_.evidence)
    world.clock.moment = datetime(2026, 6, 15, 22, 59, 50, tzinfo=UTC)
    assert world.awarded() == (0, 0, 0)
    world.clock.advance(days=1)
    assert world.awarded() == (1, 0, 0)


def test_a_record_of_tomorrow_is_evidence_once_tomorrow_has_come(world: World) -> None:
    learner = world.person("u1", manager=world.person("boss"))
    world.pull(Completion(when=NOW + timedelta(days=1)))
    assert world.items_of(learner) == []
    world.clock.advance(days=2)
    assert age_out(world.ctx) == 1
    settle_pending(world.ctx)
    assert len(world.items_of(learner)) == 1


def test_a_slow_verifier_never_disqualifies_a_resubmission(world: World) -> None:
    manager = world.person("boss")
    learner = world.person("u1", manager=manager)
    world.pull(Completion(when=NOW - timedelta(days=340)))
    (item,) = world.items_of(learner)
    world.submit(learner, item.evidence.id, manager, 1)
    world.clock.advance(days=60)
    verify.send_back(world.as_(manager), item.evidence.id, [ref(1)], "Which visit was it?")
    world.submit(learner, item.evidence.id, manager, 1)
    with pytest.raises(Refused, match="history now"):
        world.submit(learner, item.evidence.id, manager, 2)


def test_the_question_of_a_return_reaches_the_learner_and_nobody_else(world: World) -> None:
    people_ = cast(world)
    world.submit(people_.learner, people_.evidence, people_.manager)
    verify.send_back(world.as_(people_.manager), people_.evidence, None, "Which visit was it?")
    told = evidence.notes(world.as_(people_.learner), people_.evidence)
    assert {note.text for note in told} == {"Which visit was it?"}
    with pytest.raises(NotFound):
        evidence.notes(world.as_(world.person("stranger")), people_.evidence)
    with pytest.raises(NotAllowed):
        evidence.notes(world.ctx, people_.evidence)


def test_a_staff_list_that_moves_somebody_ends_their_old_managers_authority(world: World) -> None:
    header = "staff_number,name,organisation,role,manager,start_date\n"
    bosses = "8,Old,School,Head,,2020-01-01\n9,New,School,Head,,2020-01-01\n"
    for line in ("1,Ada,School,Teacher,8,2024-01-01\n", "1,Ada,School,Mentor,9,2026-01-01\n"):
        rows = parse_staff_list(header + bosses + line, "staff.csv", set())
        take_staff_list(world.ctx, rows, [], IDENTITY)
    ada = people.find(world.ctx, "ada")
    assert [name for _, name, _ in evidence.may_verify(world.ctx, ada.id)] == ["New"]


def test_a_manager_who_has_left_verifies_nothing(world: World) -> None:
    people_ = cast(world)
    world.post(people_.manager, None, NOW.date() - timedelta(900), NOW.date() - timedelta(30))
    assert evidence.may_verify(world.ctx, people_.learner) == []


def test_a_number_added_to_an_email_list_names_the_same_person(world: World) -> None:
    header = "name,email,staff_number,organisation,start_date\n"
    for number in ("", "77"):
        text = f"{header}Ann,ann@example.org,{number},School,2025-01-01\n"
        rows = parse_staff_list(text, "staff.csv", set())
        take_staff_list(world.ctx, rows, [], IDENTITY)
    assert len(people.everyone(world.ctx)) == 1


def test_no_rule_joins_again_what_a_person_took_apart(world: World) -> None:
    people_ = cast(world)
    account = world.scalar("SELECT min(id) FROM accounts")
    people.unlink(world.ctx, account, "Not theirs.")
    assert people.rematch(world.ctx, {"moodle": RULES}) == 0
    world.pull(Completion(title="Renamed"), full=True)
    assert world.items_of(people_.learner)[0].claims[0].state.value == "withdrawn"


def test_a_target_named_later_receives_the_awards_that_are_held(world: World) -> None:
    bare = BadgeDefinition(BADGE.key, BADGE.title, BADGE.description, BADGE.criteria)
    mappings.publish_badges(world.ctx, [bare])
    people_ = cast(world)
    world.submit(people_.learner, people_.evidence, people_.manager)
    world.verify(people_.manager, people_.evidence)
    assert world.awarded() == (1, 0, 0)
    assert world.deliver().nothing
    mappings.publish_badges(world.ctx, [BADGE])
    world.awarded()
    assert world.deliver().delivered == 1


def test_a_delivered_badge_stays_with_the_account_it_went_to(world: World) -> None:
    people_ = cast(world)
    world.submit(people_.learner, people_.evidence, people_.manager)
    world.verify(people_.manager, people_.evidence)
    world.awarded()
    world.deliver()
    world.pull(Completion(), Completion("u9", "C2", email="u1@example.org", score=1.0))
    assert world.deliver().nothing
    assert {account for account, _ in world.target.held} == {"u1"}


def test_what_a_badge_names_one_by_one_cannot_be_waived(world: World) -> None:
    people_ = cast(world)
    people.waive(world.as_(people_.manager), people_.learner, ref(2), "Not in this role.")
    world.submit(people_.learner, people_.evidence, people_.manager, 1)
    world.verify(people_.manager, people_.evidence)
    assert world.awarded() == (0, 0, 0)


def test_publishing_is_all_or_nothing(world: World) -> None:
    empty = BadgeDefinition("none", "None", "Nothing.", Criteria(), targets=(BadgeTarget("m", {}),))
    before = world.dump()
    with pytest.raises(Refused, match="names no competency"):
        mappings.publish_site(world.ctx, SiteSources((EDITION,), (), (empty,)), "")
    assert world.dump() == before


def test_nobody_looks_at_or_acts_for_others_with_their_own_token(world: World) -> None:
    people_ = cast(world)
    stranger = world.as_(world.person("stranger"))
    record = world.scalar("SELECT min(id) FROM learning_records")
    for look in (
        lambda: progress(stranger, people_.learner),
        lambda: explain.record(stranger, record, IDENTITY),
        lambda: explain.absence(stranger, people_.learner, ref(1), IDENTITY),
    ):
        with pytest.raises(NotFound):
            look()
    for act in (
        lambda: people.issue_token(stranger, people_.manager),
        lambda: people.merge(stranger, people_.learner, people_.manager, "x"),
        lambda: people.unlink(stranger, 1, "Not theirs."),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert progress(world.as_(people_.manager), people_.learner).lines


def test_the_same_competency_ticked_twice_is_ticked_once(world: World) -> None:
    people_ = cast(world)
    world.submit(people_.learner, people_.evidence, people_.manager, 5, 5)
    assert world.states(people_.evidence)["5"] == "submitted"
