"""The partnership's counts agree with where each person stands, and publish no small number."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from bridge.domain.counts import EVERYONE, Standings
from bridge.domain.errors import NotFound
from bridge.domain.model import PostDetails
from bridge.domain.scope import Actor, Eyes, Scope
from bridge.domain.times import london_date
from bridge.services import evidence, people, verify
from bridge.services.context import Context
from bridge.services.counts import by_competency, by_group, by_kind, by_organisation, recount
from bridge.services.progress import Stand, progress_of_many
from tests.support import NOW, Completion, FrozenClock, World, ref

ORGANISATIONS = ("north", "south", "surgery")
PARTS = {
    Stand.CURRENT: "current",
    Stand.REVIEW_DUE: "due",
    Stand.REFRESH_OVERDUE: "due",
    Stand.CONTESTED: "due",
    Stand.WAITING: "waiting",
    Stand.RETURNED: "draft",
    Stand.DRAFT: "draft",
    Stand.MISSING: "missing",
}


def partnership(world: World) -> Context:
    """Somebody who sees counts."""
    scope = Scope(Eyes.PARTNERSHIP, day=london_date(world.clock.now()))
    return world.ctx.acting_as(Actor(scope, "test"))


def employ(
    world: World,
    person: int,
    manager: int,
    organisation: str,
    end: date | None = None,
    kind: str = "",
) -> None:
    """Give somebody a post; the surgery is exempt."""
    exempt = "Intercollegiate document" if organisation == "surgery" else None
    post = PostDetails(organisation, "Worker", ("core",), (), None, date(2020, 1, 1), end)
    with world.store.begin() as uow:
        place, _ = uow.people.organisation(organisation, organisation.title(), kind, exempt)
        uow.people.put_post(person, post, place)
        uow.people.set_manager(person, post, manager)


def practise(world: World, size: int, seed: int) -> list[int]:
    """People of three organisations who have got to different places with competencies 1 and 2."""
    chance = random.Random(seed)  # noqa: S311  the same worlds at every run
    manager = world.person("manager")
    staff = [world.person(f"p{n}", staff_number=f"s{n}") for n in range(size)]
    for person in staff:
        for place in chance.sample(ORGANISATIONS, chance.choice((1, 1, 1, 2))):
            employ(world, person, manager, place)
    learned = [n for n in range(size) if chance.random() < 0.8]
    world.pull(*(Completion(f"u{n}", "C1", staff_number=f"s{n}") for n in learned))
    for n in learned:
        person, way = staff[n], chance.choice(("draft", "submit", "return", "verify", "verify"))
        (item,) = world.items_of(person)
        if way == "draft":
            continue
        codes = chance.choice(((1,), (2,), (1, 2)))
        world.submit(person, item.evidence.id, manager, *codes)
        if way == "return":
            refs = [ref(code) for code in codes]
            verify.send_back(world.as_(manager), item.evidence.id, refs, "What changed?")
        elif way == "verify":
            world.verify(manager, item.evidence.id)
    if staff:
        people.waive(world.as_(manager), staff[0], ref(1), "Works with adults only.")
    return staff


def by_hand(world: World, staff: list[int], place: str | None, code: int) -> Counter[str]:
    """The count of one competency, from each person's own progress."""
    found: Counter[str] = Counter()
    for stands in progress_of_many(world.ctx, staff):
        here = {p.organisation_key for p in stands.posts if not p.exempt}
        for line in stands.lines:
            if line.ref == ref(code) and line.stand in PARTS:
                found[PARTS[line.stand]] += len(here) if place is None else place in here
    return found


def counted(world: World) -> dict[tuple[str | None, int], Counter[str]]:
    """What is rolled up, before anything is hidden: by organisation and competency."""
    names: dict[int, str] = dict(world.rows("SELECT id, key FROM organisations"))
    with world.store.reading() as uow:
        ids = {row_id: found for found, row_id in uow.catalog.competency_ids().items()}
        rows = uow.counts.read() + uow.counts.read(each=True)
    return {
        (names.get(r.organisation or 0), int(ids[r.competency_id].code)): Counter(
            dict(zip(Standings._fields[1:], r.numbers[1:], strict=True))
        )
        for r in rows
        if r.group == EVERYONE
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_agree_with_each_persons_progress(world: World, seed: int) -> None:
    staff = practise(world, 24, seed)
    recount(world.ctx)
    found = counted(world)
    for place in (None, "north", "south"):
        for code in (1, 2):
            assert +found[place, code] == +by_hand(world, staff, place, code)
    assert not any(place == "surgery" for place, _ in found)


def test_what_changes_is_counted_again_and_nothing_else(world: World) -> None:
    practise(world, 12, seed=3)
    assert recount(world.ctx) == 3
    assert recount(world.ctx) == 0
    manager = world.scalar("SELECT id FROM people WHERE display_name = 'manager'")
    newcomer = world.person("newcomer")
    employ(world, newcomer, manager, "north")
    assert recount(world.ctx) == 1
    assert recount(world.ctx, everybody=True) == 3


def test_every_act_of_people_and_machines_is_noticed(world: World, clock: FrozenClock) -> None:
    manager = world.person("manager")
    person = world.person("u1")
    employ(world, person, manager, "north")
    recount(world.ctx)

    def noticed() -> bool:
        return recount(world.ctx) == 1

    world.pull(Completion("u1", "C1", email="u1@example.org", staff_number=None))
    if not world.items_of(person):
        pytest.fail("the completion made no draft")
    assert noticed()
    (item,) = world.items_of(person)
    world.submit(person, item.evidence.id, manager, 1)
    assert noticed()
    world.verify(manager, item.evidence.id)
    assert noticed()
    evidence.dismiss(world.as_(person), item.evidence.id, [ref(2)])
    assert noticed()
    clock.advance(days=500)
    recount(world.ctx, everybody=True)
    assert counted(world)["north", 1] == Counter(due=1)
    employ(world, person, manager, "north", end=date(2026, 1, 1))
    assert noticed()
    assert ("north", 1) not in counted(world)


def test_small_numbers_and_what_gives_them_away_are_hidden(world: World) -> None:
    manager = world.person("manager")
    for place, size in (("north", 12), ("south", 3), ("east", 9)):
        for n in range(size):
            employ(world, world.person(f"{place}{n}"), manager, place)
    recount(world.ctx)
    look = by_organisation(partnership(world), ref(1))
    found = {line.title: line.standings for line in look.lines}
    assert found["South"] == Standings(None, None, None, None, None, None)
    # With all of 24 known and North's 12, South's 3 would be known from East's 9.
    assert people_of(found["East"]) is None
    assert people_of(found["North"]) == 12
    assert people_of(look.total.standings if look.total else None) == 24


def test_kinds_of_organisations_show_what_each_of_them_must_hide(world: World) -> None:
    manager = world.person("manager")
    for n in range(18):
        kind = "School " if n < 9 else "school"
        employ(world, world.person(f"s{n}"), manager, f"school-{n % 6}", kind=kind)
    for n in range(30):
        employ(world, world.person(f"f{n}"), manager, "police", kind="Police")
    recount(world.ctx)
    ctx = partnership(world)
    schools = [
        line.standings for line in by_organisation(ctx, ref(1)).lines if "School" in line.title
    ]
    assert len(schools) == 6
    assert {people_of(standings) for standings in schools} == {None}
    look = by_kind(ctx, ref(1))
    assert [(line.title, people_of(line.standings)) for line in look.lines] == [
        ("Police", 30), ("School", 18)
    ]  # fmt: skip
    assert look.total is not None
    assert people_of(look.total.standings) == 48
    assert [people_of(line.standings) for line in by_competency(ctx, kind="school").lines] == [
        18,
        18,
    ]
    assert [people_of(line.standings) for line in by_group(ctx, ref(1)).lines] == [48]
    with pytest.raises(NotFound, match="no kind"):
        by_competency(ctx, kind="charity")
    # A change in one of them counts its kind again.
    employ(world, world.person("new"), manager, "school-0", kind="school")
    assert recount(world.ctx) == 1
    assert [people_of(line.standings) for line in by_kind(ctx, ref(1)).lines] == [30, 19]
    school = world.scalar("SELECT id FROM organisations WHERE key = 'school-0'")
    scope = Scope(Eyes.PARTNERSHIP, None, frozenset({school}), london_date(NOW))
    narrow = world.ctx.acting_as(Actor(scope, "test"))
    assert by_kind(narrow, ref(1)).lines == ()
    with pytest.raises(NotFound):
        by_competency(narrow, kind="school")


def people_of(standings: Standings | None) -> int | None:
    """The people of a line that has numbers."""
    assert standings is not None
    return standings.people


def test_exempt_organisations_show_what_they_follow(world: World) -> None:
    practise(world, 12, seed=5)
    recount(world.ctx)
    look = by_organisation(partnership(world), ref(1))
    assert [(line.title, line.standings, line.other_framework) for line in look.lines][-1] == (
        "Surgery", None, "Intercollegiate document"
    )  # fmt: skip
    (line,) = by_competency(partnership(world), organisation="surgery").lines
    assert line.other_framework == "Intercollegiate document"


def test_counts_by_competency_and_by_group(world: World) -> None:
    practise(world, 24, seed=6)
    recount(world.ctx)
    look = by_competency(partnership(world))
    assert [line.ref for line in look.lines] == [ref(1), ref(2)]
    assert look.counted_at == NOW
    assert not look.stale
    assert [line.title for line in by_group(partnership(world), ref(1)).lines] == ["Everyone"]


def test_a_partnership_of_some_organisations_sees_no_other(world: World) -> None:
    practise(world, 24, seed=7)
    recount(world.ctx)
    north = world.scalar("SELECT id FROM organisations WHERE key = 'north'")
    scope = Scope(Eyes.PARTNERSHIP, None, frozenset({north}), london_date(NOW))
    ctx = world.ctx.acting_as(Actor(scope, "test"))
    look = by_organisation(ctx, ref(1))
    assert [line.title for line in look.lines] == ["North"]
    assert look.total is None
    assert {choice.title for choice in look.agencies} == {"North"}
    with pytest.raises(NotFound, match="no organisation 'south'"):
        by_competency(ctx, organisation="south")


def test_a_recount_that_died_is_made_up_for(world: World, clock: FrozenClock) -> None:
    practise(world, 6, seed=8)
    with world.store.begin() as uow:
        assert uow.ops.take_lease("recount", "a process that is gone", clock.now(), 900)
        uow.counts.note_changes(everybody=False)
    assert recount(world.ctx) == 0
    clock.advance(minutes=16)
    assert recount(world.ctx) == 3


def test_nobody_counted_yet(world: World) -> None:
    look = by_competency(partnership(world))
    assert (look.lines, look.counted_at) == ((), None)


def test_a_leaver_of_yesterday_counts_no_more(world: World) -> None:
    manager = world.person("manager")
    person = world.person("leaver")
    today = london_date(NOW)
    employ(world, person, manager, "north", end=today)
    recount(world.ctx)
    assert counted(world)["north", 1] == Counter(missing=1)
    employ(world, person, manager, "north", end=today - timedelta(days=1))
    recount(world.ctx)
    assert ("north", 1) not in counted(world)
