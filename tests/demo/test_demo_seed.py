"""The demo's Moodle and staff list hold what the demo and the measures count on."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from bridge.demo.moodle import Site, seed
from bridge.demo.moodle.tables import User
from tests.demo.conftest import NOW


def learners(site: Site) -> list[User]:
    """The accounts that learn."""
    return [one for one in site.users.values() if one.id > 2 and not one.capabilities]


def staff() -> list[dict[str, str]]:
    """The rows of the staff list."""
    return list(csv.DictReader(io.StringIO(seed.staff_list(NOW))))


def test_the_site_has_exactly_what_the_measures_ask_for() -> None:
    site = seed.demo_site(NOW)
    assert (len(learners(site)), len(site.courses), len(site.completions)) == (200, 14, 840)
    assert len({one.username for one in learners(site)}) == 200
    assert all(site.is_enrolled(user, course) for user, course in site.completions)


def test_the_same_day_gives_the_same_site_and_another_day_moves_every_date() -> None:
    one, same, later = (seed.demo_site(NOW + timedelta(days=days)) for days in (0, 0, 10))
    assert list(map(asdict, one.completions.values())) == list(
        map(asdict, same.completions.values())
    )
    moved = {
        later.completions[key].timecompleted - row.timecompleted  # type: ignore[operator]
        for key, row in one.completions.items()
    }
    assert moved == {10 * 86400}
    assert seed.staff_list(NOW) == seed.staff_list(NOW)


def test_most_completions_are_recent_and_many_are_not() -> None:
    ages = Counter(
        (NOW - datetime.fromtimestamp(one.timecompleted or 0, UTC)).days // 365
        for one in seed.demo_site(NOW).completions.values()
    )
    assert set(ages) == {0, 1, 2, 3}
    assert 840 / 2 < ages[0] < 840 * 0.7


def test_the_awkward_cases_are_there() -> None:
    site = seed.demo_site(NOW)
    people = learners(site)
    assert sum(not one.idnumber for one in people) == 25
    assert sum(one.suspended for one in people) == 2
    assert [count for count in Counter(one.email for one in people).values() if count > 1] == [2]
    assert [one.fullname for one in site.courses.values() if not one.idnumber] == [
        "Early Help Assessment"
    ]
    assert [one.shortname for one in site.courses.values() if not one.visible] == ["EXPLOIT-OLD"]
    assert any(not one.criteria_dated for one in site.completions.values())
    assert all(one.email.endswith("example.org") for one in people)


def test_the_staff_list_covers_most_learners_and_their_managers() -> None:
    rows = staff()
    numbers = [row["staff_number"] for row in rows]
    assert len(numbers) == len(set(numbers)) == 190
    known = set(numbers)
    assert {row["manager_staff_number"] for row in rows} - {""} <= known
    assert all(row["manager_staff_number"] != row["staff_number"] for row in rows)
    emails = {row["email"] for row in rows}
    unknown = [one for one in learners(seed.demo_site(NOW)) if one.email not in emails]
    assert len(unknown) == 20
    assert len({row["organisation"] for row in rows}) == 5


def test_a_staff_number_in_moodle_names_the_same_person_in_the_staff_list() -> None:
    by_number = {row["staff_number"]: row for row in staff()}
    for learner in learners(seed.demo_site(NOW)):
        if learner.idnumber in by_number:
            assert by_number[learner.idnumber]["name"] == learner.fullname
            assert by_number[learner.idnumber]["email"] == learner.email


def test_badges_cover_last_year_to_next_by_both_roads() -> None:
    site = seed.demo_site(NOW)
    roads = {
        badge.name: (bool(badge.cohorts), bool(badge.competencies))
        for badge in site.badges.values()
    }
    assert roads == {
        f"{name} {year}": road
        for year in (2025, 2026, 2027)
        for name, road in (
            ("LLR Core", (True, False)),
            ("Recognise and respond", (True, False)),
            ("London Level 1", (False, True)),
        )
    }
    assert site.issued == []
