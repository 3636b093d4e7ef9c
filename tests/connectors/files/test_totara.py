"""The profiles for Totara's exports read tables of the shape that its reports have."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.catalog.profiles import parse_profile
from bridge.connectors.files import OneFile, Profile
from bridge.connectors.files.presets import presets
from bridge.domain.records import AttendanceState, LearningFact, Status
from bridge.tables import SiteTables
from tests.exports.making import as_csv

COMPLETIONS = [
    ["User's Fullname", "User ID Number", "User's Email", "Course Name", "Course ID Number",
     "Completion Status", "Completion Date", "Grade", "Organisation"],
    ["Ann Lee", "E1", "ann@x.org", "Neglect", "N-1", "Complete", "14 Mar 2026", "85.0%", "Ward"],
    ["Bo Ode", "E2", "bo@x.org", "Neglect", "N-1", "In progress", "", "", "Ward"],
    ["Cy Day", "E3", "cy@x.org", "Neglect", "N-1", "Complete via rpl", "15 Mar 2026", "", "Ward"],
]  # fmt: skip
SEMINAR = [
    ["User's Fullname", "User ID Number", "User's Email", "Course ID Number", "Seminar Name",
     "Session Start Date/Time", "Session Finish Date/Time", "Status"],
    ["Ann Lee", "E1", "ann@x.org", "N-1", "Neglect day", "14 March 2026, 9:30 AM",
     "14 March 2026, 4:30 PM", "Fully attended"],
    ["Bo Ode", "E2", "bo@x.org", "N-1", "Neglect day", "14 March 2026, 9:30 AM",
     "14 March 2026, 4:30 PM", "No show"],
    ["Cy Day", "E3", "cy@x.org", "N-1", "Neglect day", "14 March 2026, 9:30 AM",
     "14 March 2026, 4:30 PM", "Partially attended"],
    ["Di Fox", "E4", "di@x.org", "N-1", "Neglect day", "14 March 2026, 9:30 AM",
     "14 March 2026, 4:30 PM", "Not set"],
]  # fmt: skip


def read(tmp_path: Path, name: str, rows: list[list[str]]) -> dict[str, LearningFact]:
    """What is made of the rows, by staff number."""
    path = tmp_path / "export.csv"
    path.write_bytes(as_csv(rows))
    desk = SiteTables(tmp_path / "profiles", tmp_path / "uploads", 10**7)
    one = OneFile("totara", path, desk.read(name), 10**7)
    items = [item.fact for page in one.pull(None) for item in page.items]
    assert all(isinstance(fact, LearningFact) for fact in items), items
    return {f.account.staff_number or "": f for f in items if isinstance(f, LearningFact)}


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_shipped_profile_is_sound(name: str) -> None:
    assert Profile.from_data(parse_profile(presets()[name], f"{name}.yaml"))


def test_only_who_completed_the_course_itself_has_a_record(tmp_path: Path) -> None:
    facts = read(tmp_path, "totara-completions", COMPLETIONS)
    assert set(facts) == {"E1"}
    assert facts["E1"].status is Status.COMPLETED
    assert facts["E1"].score == pytest.approx(0.85)
    assert facts["E1"].activity.idnumber == "N-1"
    assert f"{facts['E1'].occurred_at:%Y-%m-%d}" == "2026-03-14"


def test_the_states_of_a_seminar_are_what_they_say(tmp_path: Path) -> None:
    facts = read(tmp_path, "totara-seminar", SEMINAR)
    states = {staff: fact.booking.state for staff, fact in facts.items() if fact.booking}
    assert states == {
        "E1": AttendanceState.FULLY_ATTENDED,
        "E2": AttendanceState.NO_SHOW,
        "E3": AttendanceState.PARTIALLY_ATTENDED,
        "E4": None,
    }


def test_a_profile_of_the_sites_own_goes_before(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    own = presets()["totara-completions"].replace("Complete via rpl: not done",
                                                  "Complete via rpl: completed")  # fmt: skip
    (folder / "totara-completions.yaml").write_text(own)
    assert set(read(tmp_path, "totara-completions", COMPLETIONS)) == {"E1", "E3"}
