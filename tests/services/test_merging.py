"""Who is whom: matching by named rules, by hand, merging and unmerging, splitting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.errors import NotFound, Refused
from bridge.services import evidence, ledger, people, verify
from bridge.services.ledger import LedgerLine
from tests.support import MAPPING, NOW, RULES, Completion, World, cast, rule

RULES_OF = {"moodle": RULES}


def line(world: World) -> LedgerLine:
    (found,) = ledger.ledger(world.ctx)
    assert found.adds_up
    return found


def account(world: World, user: str) -> int:
    found = world.scalar("SELECT id FROM accounts WHERE value = :user", user=user)
    assert isinstance(found, int)
    return found


def why_unmatched(world: World) -> dict[str, str]:
    return {w.account.facts.value: w.why.code for w in people.unmatched(world.ctx, RULES_OF)}


# --- matching
def test_a_shared_mailbox_names_nobody(world: World) -> None:
    for name in ("ann", "ben"):
        world.person(name, email="office@example.org")
    world.pull(Completion("u1", email="office@example.org"))
    assert why_unmatched(world) == {"u1": "shared"}
    (waiting,) = people.unmatched(world.ctx, RULES_OF)
    assert sorted(p.name for p in waiting.candidates) == ["ann", "ben"]


def test_rules_that_disagree_match_nobody(world: World) -> None:
    world.person("ann", staff_number="7")
    world.person("ben")
    world.pull(Completion("u1", email="ben@example.org", staff_number="7"))
    assert why_unmatched(world) == {"u1": "disagree"}


def test_a_staff_number_decides_whatever_its_spelling(world: World) -> None:
    ann = world.person("ann", staff_number="ab7")
    world.pull(Completion("u1", email="private@example.net", staff_number=" AB 7 "))
    assert len(world.items_of(ann)) == 1


def test_a_name_is_never_enough(world: World) -> None:
    world.person("User u1", email="real@example.org")
    world.pull(Completion("u1", email="u1@elsewhere.example"))
    assert why_unmatched(world) == {"u1": "unknown"}


def test_an_account_that_can_be_matched_later_brings_its_earlier_records(world: World) -> None:
    world.pull(Completion("u1", "C1"))
    ann = world.person("ann", staff_number="7")
    world.pull(Completion("u1", "C2", score=1.0, staff_number="7"))
    assert sorted(i.evidence.title for i in world.items_of(ann)) == ["Rule r1", "Rule r2"]
    assert line(world).counts["unmatched"] == 0


def test_a_new_person_takes_over_what_waited(world: World) -> None:
    world.pull(Completion("u1"))
    ann = world.person("u1")
    assert people.rematch(world.ctx, RULES_OF) == 1
    assert len(world.items_of(ann)) == 1
    assert people.rematch(world.ctx, RULES_OF) == 0


# --- by hand
def test_linking_by_hand_moves_drafts_and_leaves_what_people_worked_on(world: World) -> None:
    folk = cast(world)
    world.pull(Completion(), Completion(course="C2", score=1.0), full=True)
    by_title = {i.evidence.title: i.evidence.id for i in world.items_of(folk.learner)}
    world.submit(folk.learner, by_title["Rule r1"], folk.manager)
    world.verify(folk.manager, by_title["Rule r1"])
    people.link(world.ctx, account(world, "u1"), folk.other, "They told me.")
    mine, theirs = world.items_of(folk.learner), world.items_of(folk.other)
    assert {i.evidence.title: {c.state.value for c in i.claims} for i in mine} == {
        "Rule r1": {"verified"}, "Rule r2": {"withdrawn"}
    }  # fmt: skip
    assert all(c.contested for i in mine for c in i.claims if i.evidence.title == "Rule r1")
    assert {i.evidence.title: {c.state.value for c in i.claims} for i in theirs} == {
        "Rule r1": {"suggested"}, "Rule r2": {"suggested"}
    }  # fmt: skip
    line(world)
    # And back again: nothing is lost, and nothing is drafted twice.
    people.link(world.ctx, account(world, "u1"), folk.learner, "They were wrong.")
    assert {i.evidence.title: {c.state.value for c in i.claims} for i in
            world.items_of(folk.learner)} == {"Rule r1": {"verified"},
                                              "Rule r2": {"suggested"}}  # fmt: skip
    assert not any(c.contested for i in world.items_of(folk.learner) for c in i.claims)
    assert {c.state.value for i in world.items_of(folk.other) for c in i.claims} == {"withdrawn"}


def test_unlinking_withdraws_untouched_suggestions(world: World) -> None:
    folk = cast(world)
    people.unlink(world.ctx, account(world, "u1"))
    assert set(world.states(folk.evidence).values()) == {"withdrawn"}
    assert line(world).counts["unmatched"] == 1
    with pytest.raises(Refused, match="nobody already"):
        people.unlink(world.ctx, account(world, "u1"))


def test_linking_needs_a_reason_an_account_and_a_person(world: World) -> None:
    folk = cast(world)
    with pytest.raises(Refused, match="how you know"):
        people.link(world.ctx, account(world, "u1"), folk.other, " ")
    with pytest.raises(NotFound):
        people.link(world.ctx, 4711, folk.other, "x")
    with pytest.raises(NotFound):
        people.link(world.ctx, account(world, "u1"), 4711, "x")


def test_links_and_merges_are_in_the_trail(world: World) -> None:
    folk = cast(world)
    people.link(world.ctx, account(world, "u1"), folk.other, "They told me.")
    people.merge(world.ctx, folk.other, folk.learner, "One person.")
    people.unmerge(world.ctx, folk.other)
    acts = world.rows("SELECT act, os_user FROM audit WHERE subject LIKE 'person:%'"
                      " OR subject LIKE 'account:%' ORDER BY id")  # fmt: skip
    assert acts == [("link-account", "tester"), ("merge", "tester"), ("unmerge", "tester")]


# --- merging
def test_a_merge_is_one_log_and_can_be_undone(world: World) -> None:
    manager = world.person("manager")
    one, two = world.person("u1", manager=manager), world.person("u2", manager=manager)
    world.pull(Completion("u1", "C1"), Completion("u2", "C2", score=1.0))
    before = world.rows("SELECT id, person_id FROM evidence ORDER BY id")
    people.merge(world.ctx, two, one, "Changed her name.")
    assert sorted(i.evidence.title for i in world.items_of(one)) == ["Rule r1", "Rule r2"]
    assert world.rows("SELECT id, person_id FROM evidence ORDER BY id") == before
    with pytest.raises(Refused, match="one person already"):
        people.merge(world.ctx, one, two, "Again.")
    assert people.unmerge(world.ctx, two) == one
    assert [i.evidence.title for i in world.items_of(one)] == ["Rule r1"]
    assert [i.evidence.title for i in world.items_of(two)] == ["Rule r2"]
    with pytest.raises(NotFound, match="not merged"):
        people.unmerge(world.ctx, two)


def test_chains_of_merges_come_apart_in_any_order(world: World) -> None:
    a, b, c, d = (world.person(name) for name in "abcd")
    for person, into in ((a, b), (b, c), (c, d)):
        people.merge(world.ctx, person, into, "one person")

    def canonical() -> list[int]:
        return [who for (who,) in world.rows("SELECT canonical_id FROM people ORDER BY id")]

    assert canonical() == [d, d, d, d]
    people.unmerge(world.ctx, b)
    assert canonical() == [b, b, d, d]
    people.unmerge(world.ctx, a)
    assert canonical() == [a, b, d, d]
    people.unmerge(world.ctx, c)
    assert canonical() == [a, b, c, d]


def test_what_came_during_a_merge_goes_to_its_owner_afterwards(world: World) -> None:
    manager = world.person("manager")
    one, two = world.person("u1", manager=manager), world.person("u2", manager=manager)
    people.merge(world.ctx, two, one, "I thought so.")
    world.pull(Completion("u1", "C1"), Completion("u2", "C1"))
    assert {i.evidence.person for i in world.items_of(one)} == {one}
    people.unmerge(world.ctx, two)
    (mine,) = [i for i in world.items_of(one) if any(c.suggested for c in i.claims)]
    (theirs,) = [i for i in world.items_of(two) if any(c.suggested for c in i.claims)]
    assert {c.state.value for c in (*mine.claims, *theirs.claims)} == {"suggested"}
    line(world)
    world.pull(Completion("u2", "C2", score=1.0))
    assert "Rule r2" in {i.evidence.title for i in world.items_of(two)}


def test_a_merge_of_verifier_and_learner_contests_and_earns_nothing_new(world: World) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.awarded()
    assert people.merge(world.ctx, folk.manager, folk.learner, "One person!") == 2
    claims = evidence.item(world.ctx, folk.evidence).claims
    assert [(c.state.value, c.contested_reason) for c in claims] == [
        ("verified", "same-person"), ("verified", "same-person")
    ]  # fmt: skip
    assert world.awarded() == (0, 0, 0)
    assert world.rows("SELECT status FROM awards") == [("held",)]
    people.unmerge(world.ctx, folk.manager)
    assert not any(c.contested for c in evidence.item(world.ctx, folk.evidence).claims)


def test_no_award_is_earned_on_ones_own_word(world: World) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    people.merge(world.ctx, folk.learner, folk.manager, "One person!")
    assert world.awarded() == (0, 0, 0)
    with pytest.raises(Refused, match="own evidence"):
        verify.uphold(world.as_(folk.manager), world.claim_id(folk.evidence, 1), "I am sure.")


def test_an_award_on_both_peoples_claims_ends_with_their_merge(world: World) -> None:
    manager = world.person("manager")
    one, two = world.person("u1", manager=manager), world.person("u2", manager=manager)
    world.publish([*MAPPING, rule("only2", "C9", 2)])
    world.pull(Completion("u1", "C1"), Completion("u2", "C9"))
    for person, code in ((one, 1), (two, 2)):
        (item,) = world.items_of(person)
        world.submit(person, item.evidence.id, manager, code)
        world.verify(manager, item.evidence.id)
    people.merge(world.ctx, two, one, "One person.")
    assert world.awarded() == (1, 0, 0)
    world.deliver()
    people.unmerge(world.ctx, two)
    assert world.awarded() == (0, 0, 1)
    world.deliver()
    assert world.target.held == set()


# --- splitting
def test_what_was_split_stays_split(world: World) -> None:
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    both = (Completion(when=NOW - timedelta(days=3)), Completion(when=NOW - timedelta(days=8)))
    world.pull(*both)
    (joined,) = world.items_of(learner)
    with world.store.reading() as uow:
        records = uow.intake.records_of_evidence([joined.evidence.id])
    assert len(records) == 2
    with pytest.raises(NotFound):
        people.split(world.as_(manager), joined.evidence.id, records[1].id)
    people.split(world.as_(learner), joined.evidence.id, records[1].id)

    def drafts() -> list[set[str]]:
        return [{f"{c.ref.code} {c.state}" for c in i.claims} for i in world.items_of(learner)]

    assert drafts() == [{"1 suggested", "2 suggested"}] * 2
    world.pull(*both, full=True)
    assert drafts() == [{"1 suggested", "2 suggested"}] * 2
    world.publish([rule("r1", "C1", 1, 3)])
    assert drafts() == [{"1 suggested", "2 withdrawn", "3 suggested"}] * 2
    with pytest.raises(Refused, match="several joined records"):
        people.split(world.as_(learner), joined.evidence.id, records[0].id)
