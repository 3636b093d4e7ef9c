"""A staff list gives people, posts and managers: all of it or nothing, and twice is once."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.catalog.staff import parse_staff_list
from bridge.domain.model import Post
from bridge.domain.staff import Organisation
from bridge.domain.teams import Ask
from bridge.services import agreements, people
from bridge.services.evidence import may_verify
from bridge.services.progress import Stand, progress
from bridge.services.staff import StaffListError, StaffReport, take_staff_list
from tests.support import RULES, Completion, World

HEADER = "staff_number,email,name,organisation,role,target_groups,manager,start_date,end_date\n"
LIST = HEADER + (
    "1,ada@example.org,Ada,School,Teacher,core,2,2020-01-01,\n"
    "2,ben@example.org,Ben,School,Head,core,,2020-01-01,\n"
)


def take(world: World, text: str, *organisations: Organisation) -> StaffReport:
    rows = parse_staff_list(text, "staff.csv", {"core"})
    return take_staff_list(world.ctx, rows, organisations, {"moodle": RULES})


def test_the_same_list_twice_changes_nothing(world: World) -> None:
    first = take(world, LIST)
    assert (first.added, first.changed) == (2, 1)
    before = world.dump()
    again = take(world, LIST)
    assert (again.added, again.changed) == (0, 0)
    assert world.dump() == before


def test_people_who_are_not_on_the_list_stay(world: World) -> None:
    take(world, LIST)
    take(world, HEADER + "2,ben@example.org,Ben,School,Head,core,,2020-01-01,\n")
    assert {p.name for p in people.everyone(world.ctx)} == {"Ada", "Ben"}


def test_an_unknown_manager_stops_everything(world: World) -> None:
    with pytest.raises(StaffListError, match=r"line 2: the manager '99' is not known"):
        take(world, HEADER + "1,,Ada,School,Teacher,core,99,2020-01-01,\n")
    assert people.everyone(world.ctx) == []


def test_nobody_manages_themselves(world: World) -> None:
    with pytest.raises(StaffListError, match="nobody manages themselves"):
        take(world, HEADER + "1,,Ada,School,Teacher,core,1,2020-01-01,\n")


def test_a_list_matches_accounts_that_were_waiting(world: World) -> None:
    world.pull(Completion("u1", staff_number="1"))
    assert len(people.unmatched(world.ctx, {"moodle": RULES})) == 1
    assert take(world, LIST).accounts_matched == 1
    assert people.unmatched(world.ctx, {"moodle": RULES}) == []
    ada = people.find(world.ctx, "ada@example.org")
    assert len(world.items_of(ada.id)) == 1


def test_a_shared_mailbox_makes_two_people_and_matches_neither(world: World) -> None:
    shared = LIST.replace("ada@", "office@").replace("ben@", "office@")
    assert take(world, shared).added == 2
    world.pull(Completion("u1", email="office@example.org"))
    (waiting,) = people.unmatched(world.ctx, {"moodle": RULES})
    assert waiting.why.code == "shared"
    assert {p.name for p in waiting.candidates} == {"Ada", "Ben"}


def test_a_manager_of_an_ended_post_does_not_verify(world: World) -> None:
    take(world, LIST.replace("2,2020-01-01,\n2,", "2,2020-01-01,2021-01-01\n2,"))
    ada = people.find(world.ctx, "1")
    assert may_verify(world.ctx, ada.id) == []


def test_an_exempt_organisation_shows_its_framework_and_no_gaps(world: World) -> None:
    ada = _ada(world, Organisation("school", "School", exempt="Keeping Children Safe"))
    found = progress(world.ctx, ada)
    assert found.other_frameworks == ("Keeping Children Safe",)
    assert found.lines == ()


def test_gaps_are_the_groups_competencies(world: World) -> None:
    found = progress(world.ctx, _ada(world))
    assert {line.ref.code: line.stand for line in found.lines} == {
        "1": Stand.MISSING,
        "2": Stand.MISSING,
    }


def test_drafts_then_verified_claims_then_a_review_are_told(world: World) -> None:
    ada = _ada(world)
    ben = people.find(world.ctx, "2").id
    world.pull(Completion("u1", staff_number="1"))
    assert "2 with a draft to reflect on" in progress(world.ctx, ada).headline
    (item,) = world.items_of(ada)
    world.submit(ada, item.evidence.id, ben, 1)
    assert progress(world.ctx, ada).lines[0].stand is Stand.WAITING
    world.verify(ben, item.evidence.id)
    assert progress(world.ctx, ada).headline.startswith("1 of 2 current")
    world.clock.advance(days=370)
    assert progress(world.ctx, ada).lines[0].stand is Stand.REVIEW_DUE
    world.clock.advance(days=3 * 365)
    assert progress(world.ctx, ada).lines[0].stand is Stand.REFRESH_OVERDUE
    assert progress(world.ctx, ada).training_due


def _posts(world: World, person: int) -> list[tuple[object, ...]]:
    return world.rows(
        "SELECT id, title, valid_to IS NULL FROM posts WHERE person_id = :p ORDER BY id", p=person
    )


def test_a_reworded_title_is_the_same_post_with_what_was_agreed(world: World) -> None:
    ada, ben = _ada(world), people.find(world.ctx, "2").id
    ((post, *_),) = _posts(world, ada)
    ask = Ask((), ("care-2026:3",), None)
    agreements.agree(world.as_(ben), ada, int(str(post)), ask)
    reworded = LIST.replace("Teacher", "Teacher of music")
    assert take(world, reworded).changed == 1
    assert _posts(world, ada) == [(post, "Teacher of music", True)]
    assert [line.ref.code for line in progress(world.ctx, ada).lines] == ["1", "2", "3"]
    assert [v[1] for v in may_verify(world.ctx, ada)] == ["Ben"]
    assert take(world, reworded).changed == 0
    # A second post from the same day is a second post, and either can be reworded.
    second = reworded + "1,ada@example.org,Ada,School,Choir leader,core,2,2020-01-01,\n"
    take(world, second)
    take(world, second.replace("Choir leader", "Leader of the choir"))
    assert [title for _, title, _ in _posts(world, ada)] == [
        "Teacher of music", "Leader of the choir"
    ]  # fmt: skip


def test_titles_that_could_be_either_post_leave_no_two_open(world: World) -> None:
    second = LIST + "1,ada@example.org,Ada,School,Choir leader,core,2,2020-01-01,\n"
    take(world, second)
    ada = people.find(world.ctx, "1").id
    take(world, second.replace("Teacher", "Tutor").replace("Choir leader", "Conductor"))
    there = {title for _, title, is_open in _posts(world, ada) if is_open}
    assert there == {"Tutor", "Conductor"}
    (held,) = {p.valid_to for p in _all(world, ada) if p.title in ("Teacher", "Choir leader")}
    assert held == date(2026, 6, 14)


def _all(world: World, person: int) -> list[Post]:
    with world.store.reading() as uow:
        return uow.people.posts_of([person])[person]


def _ada(world: World, *organisations: Organisation) -> int:
    take(world, LIST, *organisations)
    return people.find(world.ctx, "1").id
