"""Profile files: every error at its place, and a schema that knows what the reader knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.catalog.profiles import parse_profile, profile_text, read_profile, write_profile
from bridge.catalog.yamlfile import load_schema
from bridge.connectors.booking.words import OUTCOME_NAMES, STATE_NAMES
from bridge.connectors.files import Profile
from bridge.connectors.files.profile import FIELDS, KEY_PARTS, TICKS
from bridge.domain.errors import BridgeError
from bridge.domain.problems import BadFile

GOOD = """\
profile: events
columns:
  event_title: Course
  event_date: Date
  email: Email
  status: Attendance
words: {A: no_show}
"""


def test_the_schema_lists_what_can_be_read() -> None:
    properties = load_schema("profile")["properties"]
    for part in ("columns", "above", "fixed"):
        assert set(properties[part]["properties"]) == set(FIELDS)
    assert set(properties["words"]["additionalProperties"]["enum"]) == {
        *STATE_NAMES, *OUTCOME_NAMES, *TICKS}  # fmt: skip
    assert set(properties["key"]["items"]["enum"]) == {*KEY_PARTS, *FIELDS}


def test_a_profile_is_written_for_people_and_read_back(tmp_path: Path) -> None:
    data = parse_profile(GOOD, "events.yaml")
    path = write_profile(tmp_path / "profiles" / "events.yaml", data)
    assert Profile.from_data(read_profile(path)) == Profile.from_data(data)
    assert Profile.from_data(Profile.from_data(data).to_data()) == Profile.from_data(data)
    assert "docs/booking.md" in path.read_text()
    with pytest.raises(BridgeError, match="already"):
        write_profile(path, data)
    write_profile(path, data | {"title": 'A: "b"'}, replace=True)
    assert read_profile(path)["title"] == 'A: "b"'
    assert profile_text(data).startswith("# yaml-language-server")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("event_title: Course", "event_titel: Course"), "events.yaml:3:3: `event_titel` is not"),
        (("A: no_show", "A: not_there"), "events.yaml:7:12: `not_there` is not one of"),
        (("email: Email\n", "role: Email\n"), "events.yaml:3:3: Nothing says whose row it is"),
        (("  event_date: Date\n", ""), "events.yaml:3:3: Nothing says when it was"),
        (("  status: Attendance\n", ""), "events.yaml:3:3: Nothing says who came"),
        (("status: Attendance", "status: EMAIL"), "events.yaml:6:11: The column `EMAIL` is email"),
        (("words:", "timezone: Mars/Olympus\nwords:"), "events.yaml:7:11: There is no time zone"),
        (("words:", "key: [reference]\nwords:"), "events.yaml:7:7: `reference` is no column"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(change: tuple[str, str], says: str) -> None:
    with pytest.raises(BadFile) as error:
        parse_profile(GOOD.replace(*change), "events.yaml")
    assert says in str(error.value)


def test_a_file_is_called_what_its_profile_is(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(GOOD)
    with pytest.raises(BadFile, match=r"other.yaml:1:10: The profile is called `events`"):
        read_profile(tmp_path / "other.yaml")
