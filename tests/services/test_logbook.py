"""The log: where each competency stands, what it rests on, what is missing and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Competency, Delivery, Level
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import PostDetails
from bridge.domain.notebook import Pile
from bridge.services import evidence, logbook, mappings, people, practitioner, verify
from bridge.services.evidence import OwnActivity
from bridge.services.progress import Stand
from tests.support import EDITION, NOW, Completion, World, cast, ref


def own(world: World, person: int, *codes: int, kind: str = "supervision") -> int:
    activity = OwnActivity("A supervision", kind, date(2026, 6, 10))
    return evidence.add_own(world.as_(person), activity, [ref(code) for code in codes])


def at_level(world: World, person: int, manager: int, level: str) -> None:
    """Their present post asks for a level."""
    details = PostDetails("agency", "Worker", ("core",), (), level, date(2020, 1, 1), None)
    with world.store.begin() as uow:
        organisation, _ = uow.people.organisation("agency", "Agency", "", None)
        uow.people.put_post(person, details, organisation)
        uow.people.set_manager(person, details, manager)


def test_what_rests_on_courses_alone(world: World) -> None:
    who = cast(world)
    world.submit(who.learner, who.evidence, who.manager)
    world.verify(who.manager, who.evidence)
    rows = {row.line.ref.code: row for row in logbook.logbook(world.as_(who.learner)).rows}
    assert rows["1"].courses_only
    assert rows["2"].courses_only
    supervision = own(world, who.learner, 1)
    world.submit(who.learner, supervision, who.manager, 1)
    assert {r.line.ref.code: r.courses_only for r in logbook.logbook(world.as_(who.learner)).rows}[
        "1"
    ], "what only waits does not vary the log"
    world.verify(who.manager, supervision)
    rows = {row.line.ref.code: row for row in logbook.logbook(world.as_(who.learner)).rows}
    assert (rows["1"].courses_only, rows["1"].verified) == (False, 2)
    assert rows["2"].courses_only


def test_gaps_and_what_expires_when(world: World) -> None:
    who = cast(world)
    world.submit(who.learner, who.evidence, who.manager, 1)
    world.verify(who.manager, who.evidence)
    log = logbook.logbook(world.as_(who.learner))
    assert [(row.line.ref.code, row.line.stand) for row in log.rows if row.gap] == [
        ("2", Stand.DRAFT)
    ]
    assert [(row.line.ref.code, row.line.until) for row in log.by_date] == [
        ("1", date(2027, 6, 15))
    ]
    (part,) = log.parts
    assert (part.framework, part.title, part.settled) == ("Care", "Core", 1)


def test_one_competency_with_every_piece_and_decision(world: World) -> None:
    who = cast(world)
    world.submit(who.learner, who.evidence, who.manager)
    world.verify(who.manager, who.evidence, 1)
    verify.send_back(world.as_(who.manager), who.evidence, [ref(2)], "How?")
    page = logbook.competency(world.as_(who.learner), ref(1))
    (entry,) = page.entries
    assert (entry.decision, entry.by, entry.method) == ("verified", "manager", "discussion")
    (entry,) = logbook.competency(world.as_(who.learner), ref(2)).entries
    assert (entry.decision, entry.state) == ("returned", "returned")
    assert page.courses == ("Rule r1", "Rule online")


def test_why_something_did_not_count(world: World) -> None:
    who = cast(world)
    world.pull(Completion(), Completion(course="C2", score=0.2))
    page = logbook.competency(world.as_(who.learner), ref(3))
    ((past, why),) = page.missed
    assert past.source_key == "moodle"
    assert why == "The score is below what the rule asks for."
    assert logbook.competency(world.as_(who.other), ref(3)).missed == ()


def test_an_unknown_competency_is_not_found(world: World) -> None:
    who = cast(world)
    for unknown in (CompetencyRef("care-2026", "99"), CompetencyRef("nothing", "1")):
        with pytest.raises(NotFound):
            logbook.competency(world.as_(who.learner), unknown)


def test_what_is_too_long_ago_is_history(world: World) -> None:
    who = cast(world)
    old = Completion(course="C2", score=0.9, when=NOW - timedelta(days=500))
    world.pull(Completion(), old, full=True)
    (past,) = logbook.history(world.as_(who.learner)).past
    assert past.reason == "too-old"
    assert logbook.history(world.as_(who.other)).past == ()


def test_not_applicable_names_who_said_so_and_why(world: World) -> None:
    who = cast(world)
    people.waive(world.as_(who.manager), who.learner, ref(2), "No home visits in this role.")
    rows = {row.line.ref.code: row for row in logbook.logbook(world.as_(who.learner)).rows}
    waiver = rows["2"].waiver
    assert waiver is not None
    assert (waiver.by, waiver.reason) == ("manager", "No home visits in this role.")
    assert not rows["2"].gap


def test_a_level_is_met_by_every_statement_and_asks_for_a_way_of_training(world: World) -> None:
    level = Level("3", "Level 3", "", (Delivery.MULTI_AGENCY,), (), ("L3.1", "L3.2"))
    statements = (Competency("L3.1", "One"), Competency("L3.2", "Two"))
    london = replace(
        EDITION, id="london-t", framework="london", competencies=statements, levels=(level,),
        groups=(),
    )  # fmt: skip
    mappings.publish_frameworks(world.ctx, [london])
    who = cast(world)
    mine = world.as_(who.learner)
    assert logbook.logbook(mine).levels == ()
    at_level(world, who.learner, who.manager, "london:3")
    first, second = (CompetencyRef("london-t", code) for code in ("L3.1", "L3.2"))
    activity = OwnActivity("A talk", "supervision", date(2026, 6, 10), delivery="single-agency")
    made = evidence.add_own(mine, activity, [first])
    evidence.submit(mine, made, [first], "I learned.", who.manager)
    verify.verify(world.as_(who.manager), made, None, "discussion")
    (view,) = logbook.logbook(mine).levels
    assert (view.met, view.fits, view.delivered) == (False, False, ("single-agency",))
    people.waive(world.as_(who.manager), who.learner, second, "Not in this role.")
    (view,) = logbook.logbook(mine).levels
    assert view.met


def test_piles(world: World) -> None:
    who = cast(world)
    mine = world.as_(who.learner)
    assert practitioner.desk(mine).counts == {Pile.DRAFT: 1}
    world.submit(who.learner, who.evidence, who.manager, 1)
    desk = practitioner.desk(mine)
    assert desk.counts == {Pile.WAITING: 1}
    assert desk.listed[Pile.WAITING][0].waits_for == ("manager", NOW)
    verify.send_back(world.as_(who.manager), who.evidence, None, "How do you know?")
    desk = practitioner.desk(mine)
    ((question,),) = desk.questions.values()
    assert (question.by, question.text, question.codes) == ("manager", "How do you know?", ("1",))
    world.submit(who.learner, who.evidence, who.manager, 1)
    world.verify(who.manager, who.evidence)
    evidence.dismiss(mine, own(world, who.learner, 3), [ref(3)])
    assert practitioner.desk(mine).counts == {Pile.DONE: 1, Pile.ASIDE: 1}


def test_a_pile_is_shown_a_page_at_a_time(world: World) -> None:
    who = cast(world)
    for _ in range(26):
        own(world, who.learner, 1)
    first = practitioner.pile_page(world.as_(who.learner), Pile.DRAFT, 1)
    second = practitioner.pile_page(world.as_(who.learner), Pile.DRAFT, 2)
    assert (len(first.listed), first.more, len(second.listed), second.more) == (25, True, 2, False)
    assert second.listed[-1].slip.sources == ("moodle",)
