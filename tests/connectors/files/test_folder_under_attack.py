"""Watched folders under attack: kills, replaced files, odd names, lists and rows in doubt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bridge.connectors.booking.dates import Order
from bridge.connectors.files import FolderSource
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.ports import Finding
from bridge.domain.records import Page, Pulled
from bridge.services import ledger
from bridge.services.pull import pull
from tests.connectors.files.test_watched_folder import HEAD, PROFILE, ROWS, Folder
from tests.exports.making import as_csv
from tests.support import FrozenClock, World

GONE = "select count(*) from received where gone_at is not null"
WHOLE = replace(PROFILE, complete=True)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Folder:
    return Folder(world, tmp_path)


class Killed(BaseException):
    """The process is gone, at once."""


class Dying:
    """A folder whose process is killed before its last page is committed."""

    def __init__(self, inner: FolderSource) -> None:
        self.inner, self.key = inner, inner.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        for page in self.inner.pull(since):
            if page.last:
                raise Killed
            yield page

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        raise NotImplementedError

    def doctor(self) -> list[Finding]:
        return []


def test_what_a_whole_list_lacks_is_gone_though_the_process_was_killed(
    world: World, tmp_path: Path
) -> None:
    """And an older list that lay beside it is never taken for the newest."""
    folder = Folder(world, tmp_path, WHOLE)
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    folder.put("older.csv", as_csv([HEAD, *ROWS]), age=800)
    folder.put("newer.csv", as_csv([HEAD, *ROWS[:2]]), age=700)
    with pytest.raises(Killed):
        pull(world.ctx, replace(folder.trusted, connector=Dying(folder.source)))
    world.clock.advance(hours=1)
    assert folder.pull().complete
    assert (world.scalar(GONE), folder.names()) == (1, [])


TWICE = [*ROWS, [*ROWS[0][:5], "DNA"]]
UNDATED = [[*ROWS[0][:2], "32/06/2026", *ROWS[0][3:]], *ROWS[1:]]


@pytest.mark.parametrize("rows", [TWICE, UNDATED])
def test_a_list_with_rows_in_doubt_does_not_say_what_is_gone(
    world: World, tmp_path: Path, rows: list[list[str]]
) -> None:
    """Two rows of one key, or a row whose key cannot be read."""
    folder = Folder(world, tmp_path, replace(WHOLE, key=("event", "date", "person")))
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    folder.put("two.csv", as_csv([HEAD, *rows]), age=800)
    report = folder.pull()
    assert (world.scalar(GONE), report.needs_you) == (0, True)
    assert "nothing was taken to be gone" in report.note
    folder.put("three.csv", as_csv([HEAD, *ROWS[:2]]), age=700)
    folder.pull()
    gone = "select status from learning_records where reason = 'gone' or status = 'booked'"
    assert world.rows(gone) == [("booked",)]
    assert world.scalar(f"{GONE} and id in (select received_id from learning_records)") == 1


def test_many_that_are_gone_are_believed_once_the_file_is_put_in_again(
    world: World, tmp_path: Path
) -> None:
    folder = Folder(world, tmp_path, WHOLE)
    many = [[str(n), *ROWS[0][1:4], f"a{n}@x.org", "Attended"] for n in range(60)]
    folder.put("one.csv", as_csv([HEAD, *many]), age=900)
    folder.pull()
    for believe in (False, True):
        folder.put("two.csv", as_csv([HEAD, *many[:5]]), age=800)
        report = pull(world.ctx, folder.trusted, full=True, believe=believe)
        assert report.tally.vanished == (55 if believe else 0)
        assert ("put the file in again" in report.note) is not believe


def test_a_file_that_is_replaced_while_others_are_read_waits_its_turn(folder: Folder) -> None:
    folder.put("a.csv", as_csv([HEAD, ROWS[0]]), age=3600)
    folder.put("b.csv", as_csv([HEAD, ROWS[1]]), age=3500)
    folder.put("c.csv", as_csv([HEAD, ROWS[2]]), age=3400)
    pages = folder.source.pull(None)
    next(pages)
    folder.put("b.csv", as_csv([HEAD, ROWS[1]])[:-20], age=0)
    (folder.path / "c.csv").unlink()
    assert [page.note for page in pages] == [""]
    assert folder.names() == ["b.csv"]
    assert not (folder.path / "set-aside").exists()


@pytest.mark.parametrize("after", ["move", "leave"])
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("name", [b"b" * 250 + b".csv", b"b-Caf\xe9.csv", b"b\n\rx.csv"])
def test_any_name_that_a_file_can_have_is_put_away(
    sqliteopened: Engine, clock: FrozenClock, tmp_path: Path, name: bytes, good: bool, after: str
) -> None:
    """Too long for anything to be added, or no text in UTF-8: the rest of the folder goes on."""
    folder = Folder(World(sqliteopened, clock), tmp_path, after=after)
    rows = [HEAD, [*ROWS[0][:5], "Who knows"], ROWS[1]] if good else [["No", "table"], ["1", "2"]]
    path = os.fsencode(folder.path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(as_csv(rows))
    os.utime(path, (1, 1))
    folder.put("c.csv", as_csv([HEAD, ROWS[2]]))
    assert folder.pull().tally.new == (3 if good else 1)
    assert folder.pull().tally.items == 0
    assert folder.source.doctor()[0].ok


def test_a_correction_that_cannot_be_read_is_told_until_it_can_be(folder: Folder) -> None:
    world = folder.world
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    for age in (800, 700):
        folder.put("two.csv", as_csv([HEAD, [*ROWS[0][:5], "Withdrew late"], *ROWS[1:]]), age=age)
        report = folder.pull()
        assert (report.needs_you, report.tally.wrote_nothing) == (True, True)
        assert "Withdrew late" in report.note
        assert ("attended",) in world.rows("select status from learning_records")
    folder.profile = replace(PROFILE, words={"Withdrew late": "user_cancelled"})
    folder.put("two.csv", as_csv([HEAD, [*ROWS[0][:5], "Withdrew late"], *ROWS[1:]]), age=600)
    assert not folder.pull().needs_you
    assert ("cancelled",) in world.rows("select status from learning_records")


@pytest.mark.parametrize("replayed_first", [True, False])
def test_a_row_that_waited_for_its_date_is_not_known_twice(
    world: World, tmp_path: Path, replayed_first: bool
) -> None:
    """Its key holds the date, so it waits by its bytes alone; then the profile says the order."""
    profile = replace(PROFILE, key=("event", "date", "person"))
    folder = Folder(world, tmp_path, replace(profile, dates=None))
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    assert folder.pull().tally.dispositions["quarantined"] == 2
    folder.profile = profile
    if replayed_first:
        assert ledger.replay(world.ctx, folder.trusted) == (2, 0)
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=800)
    folder.pull()
    assert ledger.replay(world.ctx, folder.trusted) == (0, 0 if replayed_first else 2)
    assert world.scalar("select count(*) from learning_records") == 3
    waits = {code for (code,) in world.rows("select code from quarantine")}
    assert waits == (set() if replayed_first else {"told-elsewhere"})


def test_a_thin_row_of_somebody_is_no_foot(world: World, tmp_path: Path) -> None:
    """A sheet from the door: few cells filled, and names that begin as totals do."""
    head = ["Name", "Email", "Organisation", "Attended", "Notes"]
    profile = replace(
        PROFILE,
        columns={"name": "Name", "email": "Email", "employer": "Organisation",
                 "status": "Attended"},
        fixed={"event_code": "C1", "event_date": "02/06/2026"}, key=(),
        words={"Yes": "fully_attended"},
    )  # fmt: skip
    folder = Folder(world, tmp_path, profile)
    rows = [["Ann Lee", "ann@example.org", "X", "Yes", ""], ["Sum Li", "sum@x.org", "", "", ""],
            ["Cy Lee", "c@x.org", "X", "Yes", ""], ["Jo Doe", "", "", "Yes", ""],
            ["Total", "", "", "4", ""], ["Printed on 3 June 2026", "", "", "", ""]]  # fmt: skip
    folder.put("one.csv", as_csv([head, *rows]), age=900)
    assert folder.pull().tally.items == 4


@pytest.mark.parametrize("key", [("event", "date", "person"), ("reference", "person")])
def test_rows_keep_their_identity_when_the_profile_names_another_key(
    world: World, tmp_path: Path, key: tuple[str, ...]
) -> None:
    """So the same file writes nothing twice, and a later correction still is one."""
    folder = Folder(world, tmp_path)
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    folder.profile = replace(folder.profile, key=key)
    folder.put("one.csv", as_csv([HEAD, [*ROWS[0][:5], "DNA"], *ROWS[1:]]), age=800)
    report = folder.pull()
    assert (report.tally.new, report.tally.changed) == (0, 1)
    assert ("attended",) not in world.rows("select status from learning_records")


def test_dates_that_were_read_the_wrong_way_round_are_corrected(
    world: World, tmp_path: Path
) -> None:
    folder = Folder(
        world, tmp_path, replace(PROFILE, key=("event", "date", "person"), dates=Order.MONTH_FIRST)
    )
    folder.put("one.csv", as_csv([HEAD, *ROWS[:2]]), age=900)
    folder.pull()
    folder.profile = replace(folder.profile, dates=Order.DAY_FIRST)
    folder.put("one.csv", as_csv([HEAD, *ROWS[:2]]), age=800)
    assert folder.pull().tally.changed == 2
    days = world.rows("select distinct occurred_at from learning_records")
    assert [str(day)[:10] for (day,) in days] == ["2026-06-01"]


@pytest.mark.parametrize("complete", [False, True])
def test_a_key_of_what_was_not_kept_is_refused_unless_the_file_is_the_whole(
    world: World, tmp_path: Path, complete: bool
) -> None:
    columns = {f: h for f, h in PROFILE.columns.items() if f != "reference"}
    folder = Folder(world, tmp_path, replace(PROFILE, columns=columns, key=()))
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    folder.profile = replace(PROFILE, key=(), complete=complete)
    folder.put("two.csv", as_csv([HEAD, *ROWS]), age=800)
    if complete:
        assert (folder.pull().tally.new, world.scalar(GONE)) == (3, 3)
        return
    with pytest.raises(NeedsAdministrator, match="reference"):
        folder.pull()
    assert folder.names() == ["two.csv"]
    assert world.scalar("select count(*) from received") == 3
