"""A staff list is read whole, or every wrong cell is named and nothing is taken in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bridge.catalog.staff import parse_staff_list, read_staff_list
from bridge.domain.problems import BadFile

GROUPS = {"frontline", "managers"}
HEADER = "staff_number,email,name,organisation,role,target_groups,manager,start_date,end_date\n"


def test_a_good_list_gives_people_and_posts() -> None:
    text = HEADER + (
        "ESR 1,Ada@Example.org,Ada Frost,St Mark's School,Teacher,frontline;managers,M1,"
        "2025-09-01,\n"
    )
    (row,) = parse_staff_list(text, "staff.csv", GROUPS)
    assert (row.name, row.staff_number, row.email) == ("Ada Frost", "esr1", "ada@example.org")
    assert row.post.organisation_key == "st-marks-school"
    assert row.post.target_groups == ("frontline", "managers")
    assert row.post.valid_from == date(2025, 9, 1)
    assert row.manager == "M1"


def test_uk_dates_semicolons_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "staff.csv"
    path.write_bytes(
        "\ufeffname;organisation;email;start_date;end_date\n"
        "Bilal;Office;b@x.org;03/04/2025;04/04/2025\n".encode()
    )
    (row,) = read_staff_list(path, GROUPS)
    assert row.post.valid_from == date(2025, 4, 3)
    assert row.post.valid_to == date(2025, 4, 4)


def test_every_wrong_cell_is_named_at_once() -> None:
    text = HEADER + (
        "1,not-an-email,,Office,Teacher,frontline,,2025-13-01,\n"
        "2,a@x.org,Cleo,,Teacher,magicians,,2025-01-01,2024-01-01\n"
    )
    with pytest.raises(BadFile) as caught:
        parse_staff_list(text, "staff.csv", GROUPS)
    places = {(p.line, p.column) for p in caught.value.problems}
    assert places == {(2, 2), (2, 3), (2, 8), (3, 4), (3, 6), (3, 9)}
    assert "frontline, managers" in str(caught.value)


def test_a_person_needs_something_to_be_known_by() -> None:
    text = "name,organisation,start_date,email\nDora,Office,2025-01-01,\n"
    with pytest.raises(BadFile, match="neither a staff number nor an email"):
        parse_staff_list(text, "staff.csv", GROUPS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("name,organisation,email", "no column 'start_date'"),
        ("name,organisation,start_date", "Names alone match nobody"),
        ("name,organisation,start_date,email,shoe_size", "'shoe_size' is unknown"),
        ("name,name,organisation,start_date,email", "stands twice"),
    ],
)
def test_a_wrong_header_is_refused(header: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        parse_staff_list(header + "\n", "staff.csv", GROUPS)
