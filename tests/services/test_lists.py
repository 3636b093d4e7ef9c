"""Long lists, a page at a time: everything once, in order, and for the right eyes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.domain.errors import Refused
from bridge.domain.lists import ListPage
from bridge.services.directory import search_people
from bridge.services.ledger import unmapped_page
from bridge.services.people import unmatched_page
from bridge.services.publish import badge_page
from tests.support import RULES, Completion, World


def all_of(read: Callable[[str | None], ListPage[Any]]) -> list[Any]:
    """Every item, from the first page to the last."""
    found: list[Any] = []
    page = read(None)
    found += page.items
    while page.after is not None:
        page = read(page.after)
        assert page.items
        found += page.items
    return found


def test_people_are_found_by_words_of_their_name_and_by_what_they_are_known_by(
    world: World,
) -> None:
    people = [world.person(f"Sam {n % 3} Jones", email=f"s{n}@example.org") for n in range(7)]
    found = all_of(lambda after: search_people(world.ctx, "jones sam", after, 2))
    assert sorted(entry.person.id for entry in found) == people
    assert [e.person.name for e in found] == sorted(e.person.name for e in found)
    (only,) = search_people(world.ctx, " S3@example.org ").items
    assert only.person.id == people[3]
    assert search_people(world.ctx, "100%").items == ()


def test_a_person_finds_nobody_but_themselves(world: World) -> None:
    one, _ = world.person("one"), world.person("two")
    assert [e.person.id for e in search_people(world.as_(one)).items] == [one]


def test_what_waits_is_paged_without_loss(world: World) -> None:
    world.pull(*(Completion(f"u{n}", "C1") for n in range(7)),
               *(Completion("u0", f"X{n}") for n in range(7)))  # fmt: skip
    waiting = all_of(lambda after: unmatched_page(world.ctx, {"moodle": RULES}, None, after, 2))
    assert len({each.account.id for each in waiting}) == len(waiting) == 7
    activities = all_of(lambda after: unmapped_page(world.ctx, "moodle", after, 3))
    assert len({alias.id for alias, _, _ in activities}) == len(activities) == 7
    assert unmapped_page(world.ctx, "another").items == ()


def test_a_broken_link_to_the_next_page_says_so(world: World) -> None:
    for read in (
        lambda: unmapped_page(world.ctx, None, "x"),
        lambda: search_people(world.ctx, "", "1-2"),
        lambda: badge_page(world.ctx, after="-"),
    ):
        with pytest.raises(Refused, match="broken"):
            read()
