"""The partnership's counts: no names, small numbers hidden, and no formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest

from bridge.domain.model import PostDetails
from bridge.domain.permissions import Role
from bridge.services import counts
from bridge.web.partnership.pages import safe_cell
from tests.support import Completion, World
from tests.web.site import Browser, WebWorld
from tests.web.test_practitioner_cost import MOST, asked


def employed(world: World, name: str, organisation: str, title: str = "", kind: str = "") -> int:
    """Somebody with a present post in an organisation, of whom the core is asked."""
    person = world.person(name)
    details = PostDetails(organisation, "Worker", ("core",), (), None, date(2020, 1, 1), None)
    with world.store.begin() as uow:
        made, _ = uow.people.organisation(organisation, title or organisation.title(), kind, None)
        uow.people.put_post(person, details, made)
    return person


@pytest.fixture
def partner(pages: WebWorld) -> Browser:
    """A browser of the partnership, over two agencies of 7 and of 2 people; 6 have a draft."""
    world = pages.world
    for n in range(7):
        employed(world, f"north{n}", "north", "=North()")
    for n in range(2):
        employed(world, f"south{n}", "south")
    world.pull(*(Completion(f"north{n}", "C1") for n in range(6)))
    counts.recount(world.ctx, everybody=True)
    person = world.person("partner")
    pages.give(person, [Role.PARTNERSHIP])
    return pages.browser(person)


def cells(text: str) -> list[list[str]]:
    """A CSV file's rows."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_small_numbers_are_hidden_and_nobody_is_named(pages: WebWorld, partner: Browser) -> None:
    page = partner.get("/counts/").text
    assert "Competency 1" in page
    assert "hidden" in page
    assert "Why some numbers are hidden" in page
    one = partner.get("/counts/competency/care-2026/1").text
    assert "South" in one
    for name in ("north0", "south1", "Worker"):
        assert name not in page
        assert name not in one


def test_kinds_of_organisations_are_counted_together(pages: WebWorld, partner: Browser) -> None:
    world = pages.world
    assert "Kind of organisation" not in partner.get("/counts/competency/care-2026/1").text
    for n in range(12):
        employed(world, f"pupil{n}", f"school-{n % 4}", kind="school")
    counts.recount(world.ctx)
    page = partner.get("/counts/competency/care-2026/1").text
    assert "by kind of organisation" in page
    row = re.search(r">School</th>\s*<td[^>]*>12</td>", page)
    assert row is not None
    page = partner.get("/counts/?kind=school").text
    assert "Everyone, School" in page
    assert 'value="school" selected' in page
    (first, *_) = [row for row in cells(partner.get("/counts/counts.csv?kind=school").text)
                   if row[0].startswith("1.")]  # fmt: skip
    # Of the other kind 3 have nothing yet, which the total would tell without the schools' hidden.
    assert first[1:7] == ["12", "0", "0", "0", "hidden", "hidden"]
    assert partner.get("/counts/?kind=-").status_code == 200
    assert partner.get("/counts/?kind=nothing").status_code == 404
    for path in ("/counts/", "/counts/?kind=school", "/counts/competency/care-2026/1"):
        queries = asked(world, partner, path)
        assert len(queries) <= MOST, "\n\n".join(queries)


def test_one_agencys_counts_leave_no_way_to_a_small_number(
    pages: WebWorld, partner: Browser
) -> None:
    rows = cells(partner.get("/counts/counts.csv?organisation=south").text)
    first = next(row for row in rows if row[0].startswith("1."))
    assert set(first[1:7]) == {"hidden"}


def test_the_spreadsheet_says_what_the_page_says(pages: WebWorld, partner: Browser) -> None:
    answer = partner.get("/counts/competency/care-2026/1/counts.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    rows = cells(answer.text)
    assert rows[0][:3] == ["Organisation", "People asked", "Current"]
    names = [row[0] for row in rows]
    assert "'=North()" in names
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_no_text_begins_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("1. Plain") == "1. Plain"


def test_one_organisations_partner_sees_that_one_alone(pages: WebWorld, partner: Browser) -> None:
    person = employed(pages.world, "nora", "north", "=North()")
    pages.give(person, [Role.PARTNERSHIP], "north")
    browser = pages.browser(person)
    page = browser.get("/counts/").text
    assert "All together" not in page
    assert "South" not in page
    assert "South" not in browser.get("/counts/competency/care-2026/1").text
    assert browser.get("/counts/?organisation=south").status_code == 404
    assert browser.get("/counts/counts.csv?organisation=south").status_code == 404


def test_what_does_not_exist_is_answered(pages: WebWorld, partner: Browser) -> None:
    assert partner.get("/counts/competency/nothing/1").status_code == 404
    assert partner.get("/counts/competency/care-2026/99/counts.csv").status_code == 404
    assert partner.get("/counts/?organisation=nowhere").status_code == 404
    assert partner.get("/counts/?group=nothing").status_code == 200


def test_before_anything_was_counted_the_page_says_so(pages: WebWorld) -> None:
    person = pages.world.person("partner")
    pages.give(person, [Role.PARTNERSHIP])
    assert "Nothing has been counted yet" in pages.browser(person).get("/counts/").text
