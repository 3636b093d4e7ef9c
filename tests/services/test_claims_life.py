"""The life of a claim through the services: who may do what, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.domain.authority import Authority
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.services import evidence, people, verify
from bridge.services.evidence import OwnActivity
from tests.support import NOW, Cast, Completion, World, cast, ref


@pytest.fixture
def folk(world: World) -> Cast:
    return cast(world)


def test_a_draft_is_submitted_recalled_dismissed_and_reopened(world: World, folk: Cast) -> None:
    me = world.as_(folk.learner)
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    assert world.states(folk.evidence) == {"1": "submitted", "2": "suggested"}
    assert evidence.recall(me, folk.evidence) == 1
    evidence.dismiss(me, folk.evidence, [ref(2)])
    assert world.states(folk.evidence) == {"1": "suggested", "2": "dismissed"}
    evidence.reopen(me, folk.evidence, [ref(2)])
    assert world.states(folk.evidence) == {"1": "suggested", "2": "suggested"}


def test_a_returned_claim_is_answered_and_verified(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    verify.send_back(world.as_(folk.manager), folk.evidence, [ref(1)], "What did you change?")
    assert world.states(folk.evidence) == {"1": "returned", "2": "submitted"}
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    world.verify(folk.manager, folk.evidence)
    assert world.states(folk.evidence) == {"1": "verified", "2": "verified"}


def test_claims_are_decided_singly(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence, 2)
    assert world.states(folk.evidence) == {"1": "submitted", "2": "verified"}


def test_a_person_adds_a_competency_that_no_rule_suggested(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager, 1, 5)
    assert world.states(folk.evidence) == {"1": "submitted", "2": "suggested", "5": "submitted"}


def test_claims_of_one_piece_go_to_different_verifiers(world: World, folk: Cast) -> None:
    assessor = world.person("assessor")
    people.approve(world.ctx, assessor, Authority.ASSESSOR)
    first = evidence.submit(
        world.as_(folk.learner), folk.evidence, [ref(1)], "For my manager.", folk.manager
    )
    second = evidence.submit(
        world.as_(folk.learner), folk.evidence, [ref(2)], "For my assessor.", assessor
    )
    assert first != second
    assert [i.evidence.id for i in verify.waiting(world.as_(folk.manager))] == [folk.evidence]
    assert [i.evidence.id for i in verify.waiting(world.as_(assessor))] == [folk.evidence]
    # Each reads what was put before them, and decides that alone.
    manager, approved = world.as_(folk.manager), world.as_(assessor)
    assert evidence.read_reflection(manager, folk.evidence)["reflection"] == "For my manager."
    assert evidence.read_reflection(approved, folk.evidence)["reflection"] == "For my assessor."
    with pytest.raises(NotAllowed, match="not submitted to you"):
        verify.verify(approved, folk.evidence, [ref(1)], "observation")
    world.verify(folk.manager, folk.evidence)
    assert world.states(folk.evidence) == {"1": "verified", "2": "submitted"}
    verify.verify(approved, folk.evidence, None, "observation")
    assert world.states(folk.evidence) == {"1": "verified", "2": "verified"}


def test_a_reassigned_claim_is_no_longer_the_first_verifiers(world: World, folk: Cast) -> None:
    assessor = world.person("assessor")
    people.approve(world.ctx, assessor, Authority.ASSESSOR)
    world.submit(folk.learner, folk.evidence, folk.manager)
    evidence.recall(world.as_(folk.learner), folk.evidence)
    assert verify.waiting(world.as_(folk.manager)) == []
    with pytest.raises(NotFound):
        evidence.read_reflection(world.as_(folk.manager), folk.evidence)
    world.submit(folk.learner, folk.evidence, assessor)
    with pytest.raises(NotAllowed, match="not submitted to you"):
        world.verify(folk.manager, folk.evidence)
    assert len(verify.verify(world.as_(assessor), folk.evidence, None, "observation")) == 2


# --- authority
def test_nobody_is_chosen_to_verify_themselves(world: World, folk: Cast) -> None:
    with pytest.raises(Refused, match="own evidence"):
        world.submit(folk.learner, folk.evidence, folk.learner)


def test_a_manager_of_oneself_verifies_nothing(world: World, folk: Cast) -> None:
    world.post(folk.learner, folk.learner, date(2020, 1, 1))
    with pytest.raises(Refused, match="own evidence"):
        world.submit(folk.learner, folk.evidence, folk.learner)
    assert evidence.may_verify(world.ctx, folk.learner) == []


def test_a_typed_in_colleague_without_standing_is_refused(world: World, folk: Cast) -> None:
    with pytest.raises(NotAllowed, match="not the manager"):
        world.submit(folk.learner, folk.evidence, folk.other)
    assert world.states(folk.evidence) == {"1": "suggested", "2": "suggested"}


@pytest.mark.parametrize(
    ("start", "end"), [(date(2026, 6, 16), None), (date(2020, 1, 1), date(2026, 6, 14))]
)
def test_a_manager_must_manage_today(world: World, start: date, end: date | None) -> None:
    manager = world.person("manager")
    learner = world.person("u1", manager=manager, post_from=start, post_to=end)
    world.pull(Completion())
    (item,) = world.items_of(learner)
    with pytest.raises(NotAllowed):
        world.submit(learner, item.evidence.id, manager)


def test_a_manager_who_left_meanwhile_no_longer_verifies(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.post(folk.learner, folk.manager, date(2020, 1, 1), date(2026, 6, 14))
    with pytest.raises(NotAllowed, match="not the manager"):
        world.verify(folk.manager, folk.evidence)
    assert world.states(folk.evidence) == {"1": "submitted", "2": "submitted"}


def test_somebody_approved_verifies_by_their_own_methods(world: World, folk: Cast) -> None:
    people.approve(world.ctx, folk.other, Authority.PEER)
    assert [v[0] for v in evidence.may_verify(world.ctx, folk.learner)] == [
        folk.manager,
        folk.other,
    ]
    world.submit(folk.learner, folk.evidence, folk.other)
    with pytest.raises(Refused, match="not a method for a peer"):
        world.verify(folk.other, folk.evidence)
    verify.verify(world.as_(folk.other), folk.evidence, None, "peer-talk")
    assert set(world.states(folk.evidence).values()) == {"verified"}


def test_only_the_chosen_verifier_decides(world: World, folk: Cast) -> None:
    people.approve(world.ctx, folk.other, Authority.ASSESSOR)
    world.submit(folk.learner, folk.evidence, folk.manager)
    with pytest.raises((NotAllowed, NotFound)):
        verify.verify(world.as_(folk.other), folk.evidence, None, "observation")
    with pytest.raises((NotAllowed, Refused)):
        verify.verify(world.as_(folk.learner), folk.evidence, None, "discussion")
    with pytest.raises(NotAllowed, match="person's own act"):
        verify.verify(world.ctx, folk.evidence, None, "discussion")
    assert set(world.states(folk.evidence).values()) == {"submitted"}


def test_nothing_is_verified_before_it_is_submitted(world: World, folk: Cast) -> None:
    with pytest.raises((NotFound, NotAllowed, Refused)):
        world.verify(folk.manager, folk.evidence)


def test_reciprocal_verification_is_flagged(world: World, folk: Cast) -> None:
    world.post(folk.manager, folk.learner, date(2020, 1, 1))
    world.pull(Completion(), Completion("manager"))
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    own = next(
        i.evidence.id for i in world.items_of(folk.manager) if i.evidence.person == folk.manager
    )
    world.submit(folk.manager, own, folk.learner)
    world.verify(folk.learner, own)
    flags = world.rows("SELECT verifier_id, reciprocal FROM verifications ORDER BY id")
    assert [(who, bool(flag)) for who, flag in flags] == [
        (folk.manager, False), (folk.manager, False), (folk.learner, True), (folk.learner, True)
    ]  # fmt: skip


# --- what may be submitted
def test_e_learning_asks_how_it_was_used_and_a_module_alone_is_not_enough(world: World) -> None:
    folk = cast(world)
    world.pull(Completion(course="CE"))
    online = next(i.evidence.id for i in world.items_of(folk.learner) if len(i.claims) == 1)
    me = world.as_(folk.learner)
    with pytest.raises(Refused, match="how you have used it"):
        evidence.submit(me, online, [ref(1)], "I learned.", folk.manager, used="  ")
    evidence.submit(me, online, [ref(1)], "I learned.", folk.manager, used="On two visits.")
    with pytest.raises(Refused, match="module alone"):
        verify.verify(world.as_(folk.manager), online, None, "module")
    verify.verify(world.as_(folk.manager), online, None, "discussion")
    assert world.states(online) == {"1": "verified"}


def test_a_module_is_a_method_for_a_taught_course(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    verify.verify(world.as_(folk.manager), folk.evidence, None, "module")
    assert set(world.states(folk.evidence).values()) == {"verified"}


@pytest.mark.parametrize("words", ["", "   \n"])
def test_an_empty_reflection_is_refused(world: World, folk: Cast, words: str) -> None:
    with pytest.raises(Refused, match="your own words"):
        evidence.submit(world.as_(folk.learner), folk.evidence, [ref(1)], words, folk.manager)


def test_nothing_ticked_and_unknown_competencies_are_refused(world: World, folk: Cast) -> None:
    me = world.as_(folk.learner)
    with pytest.raises(Refused, match="Tick at least one"):
        evidence.submit(me, folk.evidence, [], "Words.", folk.manager)
    with pytest.raises(Refused, match="no competency care-2026 99"):
        evidence.submit(me, folk.evidence, [ref(99)], "Words.", folk.manager)
    assert world.scalar("SELECT count(*) FROM reflections") == 0


def test_twelve_months_are_counted_at_submission_and_not_at_verification(world: World) -> None:
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    world.pull(Completion(when=datetime(2025, 6, 15, 9, 0, tzinfo=UTC)))
    (item,) = world.items_of(learner)
    world.submit(learner, item.evidence.id, manager, 1)
    world.clock.advance(days=1)
    with pytest.raises(Refused, match="more than 12 months ago"):
        world.submit(learner, item.evidence.id, manager, 2)
    world.clock.advance(days=400)
    world.verify(manager, item.evidence.id, 1)
    assert world.states(item.evidence.id)["1"] == "verified"


def test_ones_own_evidence_goes_the_same_way(world: World, folk: Cast) -> None:
    me = world.as_(folk.learner)
    own = OwnActivity("Group supervision", "supervision", date(2026, 6, 1), "Minutes, shared drive")
    made = evidence.add_own(me, own, [ref(3)])
    world.submit(folk.learner, made, folk.manager, 3)
    world.verify(folk.manager, made)
    assert world.states(made) == {"3": "verified"}
    assert evidence.item(me, made).evidence.reference == "Minutes, shared drive"


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (OwnActivity("X", "qualification", date(2026, 6, 1)), "is background"),
        (OwnActivity("X", "dancing", date(2026, 6, 1)), "not a recognised activity"),
        (OwnActivity("X", "supervision", date(2026, 6, 16)), "in the future"),
    ],
)
def test_own_evidence_that_cannot_count_is_refused(
    world: World, folk: Cast, own: OwnActivity, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        evidence.add_own(world.as_(folk.learner), own, [ref(3)])


# --- second thoughts
def test_a_verification_is_revoked_by_its_verifier_or_the_present_manager(world: World) -> None:
    folk = cast(world)
    people.approve(world.ctx, folk.other, Authority.PEER)
    world.submit(folk.learner, folk.evidence, folk.other)
    verify.verify(world.as_(folk.other), folk.evidence, None, "peer-talk")
    stranger = world.person("stranger")
    people.approve(world.ctx, stranger, Authority.PEER)
    one, two = world.claim_id(folk.evidence, 1), world.claim_id(folk.evidence, 2)
    for nobody in (stranger, folk.learner):
        with pytest.raises((NotAllowed, NotFound, Refused)):
            verify.revoke(world.as_(nobody), one, "I say so")
    verify.revoke(world.as_(folk.other), one, "A mistake.")
    verify.revoke(world.as_(folk.manager), two, "Not shown in practice.")
    assert world.states(folk.evidence) == {"1": "revoked", "2": "revoked"}
    with pytest.raises(Refused, match="not verified"):
        verify.revoke(world.as_(folk.manager), two, "Again.")


def test_only_a_contested_claim_is_upheld(world: World, folk: Cast) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    claim = world.claim_id(folk.evidence, 1)
    with pytest.raises(Refused, match="not contested"):
        verify.uphold(world.as_(folk.manager), claim, "It stands.")
    world.source.holds = []
    world.pull(full=True, believe=True)
    assert [c.contested for c in evidence.item(world.ctx, folk.evidence).claims] == [True, True]
    verify.uphold(world.as_(folk.manager), claim, "I saw her do it.")
    assert [c.contested for c in evidence.item(world.ctx, folk.evidence).claims] == [False, True]
    assert set(world.states(folk.evidence).values()) == {"verified"}


def test_an_upheld_claim_stays_upheld_when_its_records_are_looked_at_again(
    world: World, folk: Cast
) -> None:
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.source.holds = []
    world.pull(full=True, believe=True)
    for code in (1, 2):
        verify.uphold(world.as_(folk.manager), world.claim_id(folk.evidence, code), "It stands.")
    with world.store.begin() as uow:
        uow.intake.mark_records([r.id for r in uow.intake.records_of_evidence([folk.evidence])])
    world.pull(Completion("somebody", when=NOW - timedelta(days=2)))
    assert [c.contested for c in evidence.item(world.ctx, folk.evidence).claims] == [False, False]
