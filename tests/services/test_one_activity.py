"""One activity, one draft, whatever its names and the order; shared addresses are nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.bookings import SEVERAL_NAMES, SEVERAL_PEOPLE
from bridge.domain.errors import Refused
from bridge.services import (
    accounts,
    activities,
    people,
)
from tests.services.booked import ONE, RULES_OF, Booked, Seat, drafts, event_rule
from tests.support import NOW, Completion, World


# --- one activity, one draft -------------------------------------------------------------------
def test_a_rule_makes_two_sources_names_one_draft_and_takes_it_back(world: World) -> None:
    booked = Booked(world, ONE)
    learner = world.person("u1")
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    (item,) = drafts(world, learner)
    with world.store.reading() as uow:
        behind = uow.intake.records_of_evidence([item.evidence.id])
    assert {r.source_key for r in behind} == {"moodle", "events"}
    (joined,) = activities.activities(world.ctx, joined=True).items
    assert len(joined.names) == 2
    # The mapping says so no more: two drafts again; a person says so: one, and it stays.
    world.publish([replace(ONE, one_activity=False)], "events")
    assert len(drafts(world, learner)) == 2
    one, other = (activities.activities(world.ctx, w).items[0].id for w in ("e1", "c9"))
    with pytest.raises(Refused, match="how you know"):
        activities.join(world.ctx, one, other, " ")
    activities.join(world.ctx, one, other, "The course page says so.")
    (item,) = drafts(world, learner)
    (join,) = activities.activity(world.ctx, one).joins
    activities.part(world.ctx, join.id)
    assert len(drafts(world, learner)) == 2
    # Together and apart as often as one likes, nothing is drafted twice.
    assert world.scalar("SELECT COUNT(*) FROM evidence") == 2


def test_what_people_worked_on_survives_joining_and_parting(world: World) -> None:
    booked = Booked(world, replace(ONE, one_activity=False))
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    first, second = (i.evidence.id for i in drafts(world, learner))
    world.submit(learner, first, manager, 1)
    world.verify(manager, first)
    verified = "SELECT id, evidence_id, state FROM claims WHERE state = 'verified'"
    before = world.rows(verified)
    world.publish([ONE], "events")
    (item,) = drafts(world, learner)
    assert item.evidence.id == first
    (joined,) = activities.activities(world.ctx, joined=True).items
    (join,) = activities.activity(world.ctx, joined.id).joins
    activities.part(world.ctx, join.id)
    world.publish([replace(ONE, title="Worded anew")], "events")
    assert activities.activities(world.ctx, joined=True).items == ()
    assert world.rows(verified) == before
    assert world.scalar("SELECT COUNT(*) FROM claims WHERE contested_at IS NOT NULL") == 0
    assert second not in {i.evidence.id for i in drafts(world, learner)}


def test_the_order_of_arrival_makes_no_difference_to_drafts(world: World) -> None:
    """Two systems, a chain of days 0, 3, 7, 9, 14, in orders that used to differ."""
    booked, other = Booked(world, ONE), Booked(world)
    other.events.key = "hub"
    days = (0, 3, 7, 9, 14)
    for n, order in enumerate([days, (14, 7, 0, 9, 3), (7, 14, 3, 0, 9), (9, 3, 14, 7, 0)]):
        learner = world.person(f"h{n}")
        for day in order:
            system = booked if day % 2 else other
            system.pull(Seat(f"h{n}", day=day - 30, session=f"s{day}"), full=False)
        with world.store.reading() as uow:
            together = {
                frozenset((r.occurred_at - NOW).days + 30 for r in behind)
                for i in drafts(world, learner)
                if (behind := uow.intake.records_of_evidence([i.evidence.id]))
            }
        assert together == {frozenset({0, 3, 7}), frozenset({9, 14})}, order


def test_a_split_stays_split_whatever_comes_later(world: World) -> None:
    booked = Booked(world, ONE)
    learner = world.person("u1")
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    (item,) = drafts(world, learner)
    with world.store.reading() as uow:
        records = uow.intake.records_of_evidence([item.evidence.id])
    ours = next(r for r in records if r.source_key == "events")
    people.split(world.as_(learner), item.evidence.id, ours.id)
    booked.pull(Seat(day=-12), full=False)
    booked.pull(Seat(day=-40), full=False)
    booked.pull(Seat(day=-9, minutes=30), full=False)
    world.pull(*(Completion(course="C9", when=NOW - timedelta(days=d)) for d in (8, 7)))
    with world.store.reading() as uow:
        again = uow.intake.record(ours.id)
        alone = uow.intake.records_of_evidence([again.evidence_id or 0])
        rest = uow.intake.records_of_evidence([item.evidence.id])
    assert [r.id for r in alone] == [ours.id]
    assert len(rest) == 2


# --- shared addresses ----------------------------------------------------------------------------
def test_an_address_on_several_names_is_no_identity_and_answers_are_remembered(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Smith", email="office@nursery.example")
    bob = world.person("Bob Jones", email="bob@nursery.example")
    booked.pull(Seat("Ann Smith", email="office@nursery.example"))
    assert len(drafts(world, ann)) == 1
    booked.pull(
        Seat("Ann Smith", email="office@nursery.example"),
        Seat("Bob Jones", email="Office@nursery.example"),
    )
    assert drafts(world, bob) == []
    (waits,) = people.unmatched(world.ctx, RULES_OF)
    assert waits.why.code == "several-names"
    assert "Ann Smith" in waits.why.message
    assert "Bob Jones" in waits.why.message
    assert [c.id for c in waits.candidates] == [ann]
    (hint,) = waits.hints
    assert (hint.person, "nursery.example" in hint.reason) == (bob, True)
    # What had matched before stays, and is flagged once.
    (doubt,) = accounts.doubts(world.ctx).items
    assert (doubt.person, doubt.code) == (ann, SEVERAL_NAMES)
    booked.pull(full=True)
    assert len(accounts.doubts(world.ctx).items) == 1
    accounts.keep(world.ctx, doubt.account.id, "It is hers; Bob used it once.")
    assert accounts.doubts(world.ctx).items == ()
    assert len(drafts(world, ann)) == 1
    # "None of these" is asked once; a rule that points at somebody else asks again.
    with pytest.raises(Refused):
        accounts.nobody(world.ctx, waits.account.id, "", RULES_OF)
    accounts.nobody(world.ctx, waits.account.id, "A visitor.", RULES_OF)
    booked.pull(full=True)
    people.rematch(world.ctx, RULES_OF)
    assert people.unmatched(world.ctx, RULES_OF) == []
    assert [a.account.id for a in accounts.answered(world.ctx).items] == [waits.account.id]
    accounts.ask_again(world.ctx, waits.account.id)
    (again,) = people.unmatched(world.ctx, RULES_OF)
    people.link(world.ctx, again.account.id, bob, "By telephone.")
    assert len(drafts(world, bob)) == 1


def test_an_address_that_several_people_have_later_is_flagged_and_names_never_match(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Smith", email="desk@example.org")
    booked.pull(
        Seat("Ann Smith", email="desk@example.org"), Seat("Cy Lee", email="x@other.example")
    )
    world.person("Cy Lee")
    other = world.person("Other", email="desk@example.org")
    people.rematch(world.ctx, RULES_OF)
    (doubt,) = accounts.doubts(world.ctx).items
    assert (doubt.person, doubt.code) == (ann, SEVERAL_PEOPLE)
    assert [w.account.facts.display_name for w in people.unmatched(world.ctx, RULES_OF)] == [
        "Cy Lee"
    ]
    accounts.take_away(world.ctx, doubt.account.id)
    people.rematch(world.ctx, RULES_OF)
    assert world.states(1) == {"1": "suggested"} or drafts(world, ann) == []
    assert drafts(world, other) == []


def test_a_session_that_counts_by_itself_and_moves_far_leaves_its_draft(world: World) -> None:
    """As it would be had it been told of that day from the start."""
    booked = Booked(world, ONE)
    learner = world.person("u1")
    booked.pull(Seat(day=-32, session="x"))
    world.pull(Completion(course="C9", when=NOW - timedelta(days=38)))
    assert len(drafts(world, learner)) == 1
    booked.pull(Seat(day=-12, session="x"))
    assert len(drafts(world, learner)) == 2


def test_a_booking_that_names_somebody_else_by_an_address_is_flagged(world: World) -> None:
    """A manager books for one of the team with her own address."""
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Marie Smith", email="ann@nursery.example")
    world.person("u1")
    hers = Seat("A. Smith", email="ann@nursery.example")
    booked.pull(hers, Seat("Una One", email="u1@example.org"), full=False)
    flagged = {d.account.facts.display_name: d for d in accounts.doubts(world.ctx).items}
    assert set(flagged) == {"Una One"}
    assert flagged["Una One"].code == "another-name"
    booked.pull(Seat("Bob Jones", event="E2", email="zoe@nursery.example"), full=False)
    world.person("Zoe Day", email="zoe@nursery.example")
    people.rematch(world.ctx, RULES_OF)
    assert {d.account.facts.display_name for d in accounts.doubts(world.ctx).items} == {
        "Una One", "Bob Jones"
    }  # fmt: skip
    assert len(drafts(world, ann)) == 1
