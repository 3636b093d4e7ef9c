"""A watched folder, from the files in it to records, on both databases; and what is set aside."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.connectors.booking.dates import Order
from bridge.connectors.files import FilesSettings, FolderSource, OneFile, Profile
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.identity import IdentityRule
from bridge.domain.mapping import CountsWhen
from bridge.domain.records import Status
from bridge.services import evidence, ledger, people
from bridge.services.looking import look_at_source
from bridge.services.pull import PullReport, Trusted, pull
from tests.exports.making import as_csv, as_xlsx
from tests.support import World, rule

HEAD = ["Ref", "Course", "Date", "Name", "Email", "Attendance"]
ROWS = [
    ["1", "C1", "02/06/2026", "Ann Lee", "ann@example.org", "Attended"],
    ["2", "C1", "02/06/2026", "Bo Lee", "bo@example.org", "DNA"],
    ["3", "C2", "20/05/2026", "Cy Lee", "cy@example.org", "Booked"],
]
PROFILE = Profile(
    "events",
    columns={"reference": "Ref", "event_code": "Course", "event_date": "Date", "name": "Name",
             "email": "Email", "status": "Attendance"},
    dates=Order.DAY_FIRST,
    key=("reference",),
)  # fmt: skip


class Folder:
    """A folder that is watched, and short ways to put files there."""

    def __init__(self, world: World, path: Path, profile: Profile = PROFILE, **more: object):
        self.world, self.path = world, path / "in"
        self.path.mkdir(exist_ok=True)
        settings = FilesSettings("events", self.path, path / "memory", **more)  # type: ignore[arg-type]
        self.profile = profile
        self.source = FolderSource(settings, lambda: self.profile, world.clock)
        rules = (IdentityRule.VERIFIED_EMAIL,)
        self.trusted = Trusted(self.source, "files", identity=rules)

    def put(self, name: str, content: bytes, age: float = 3600) -> None:
        """A file that nobody has touched for so many seconds."""
        path = self.path / name
        path.write_bytes(content)
        when = self.world.clock.now().timestamp() - age
        os.utime(path, (when, when))

    def pull(self, *, full: bool = False) -> PullReport:
        """One pull."""
        return pull(self.world.ctx, self.trusted, full=full)

    def names(self, folder: str = "") -> list[str]:
        """What lies there, without the time before it."""
        place = self.path / folder
        return sorted(re.sub(r"^\d{8}T\d{6}-", "", p.name) for p in place.iterdir() if p.is_file())


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Folder:
    attended = CountsWhen(frozenset({Status.ATTENDED}))
    world.publish([rule("r1", "C1", 1, 2, counts_when=attended),
                   rule("r2", "C2", 2, counts_when=attended)])  # fmt: skip
    world.person("ann", email="ann@example.org")
    world.person("bo", email="bo@example.org")
    return Folder(world, tmp_path)


def test_the_same_file_a_longer_one_and_a_corrected_one(folder: Folder) -> None:
    """Idempotent; a changed row is a correction, a missing one is nothing at all."""
    world = folder.world
    folder.put("monday.csv", as_csv([HEAD, *ROWS[:2]]))
    one = OneFile("events", folder.path / "monday.csv", PROFILE, 10**8)
    looked = look_at_source(world.ctx, replace(folder.trusted, connector=one))
    assert (looked.tally.new, world.scalar("select count(*) from received")) == (2, 0)
    first = folder.pull()
    assert (first.tally.new, first.tally.drafts, first.complete) == (2, 1, True)
    assert (folder.names(), folder.names("processed")) == ([], ["monday.csv"])
    before = world.dump(without=("pull_runs", "bookmarks", "leases"))
    folder.put("again.csv", as_csv([HEAD, *ROWS[:2]], separator=";", encoding="utf-16"))
    assert folder.pull(full=True).tally.wrote_nothing
    assert world.dump(without=("pull_runs", "bookmarks", "leases")) == before
    folder.put("longer.xlsx", as_xlsx([["Bookings"], [], HEAD, *ROWS]))
    longer = folder.pull()
    assert (longer.tally.new, longer.tally.changed, longer.tally.unchanged) == (1, 0, 2)
    folder.put("corrected.csv", as_csv([HEAD, [*ROWS[0][:5], "DNA"], [*ROWS[1][:5], "Attended"]]))
    corrected = folder.pull(full=True)
    assert (corrected.tally.changed, corrected.tally.new, corrected.tally.vanished) == (2, 0, 0)
    statuses = dict(
        world.rows("""select r.natural_key, l.status from received r
        join learning_records l on l.received_id = r.id""")
    )
    assert sorted(statuses.values()) == ["attended", "booked", "missed"]
    (line,) = [x for x in ledger.ledger(world.ctx) if x.source == "events"]
    assert (line.received, line.adds_up) == (3, True)


def test_a_bad_file_is_set_aside_with_its_reason_and_the_rest_goes_on(folder: Folder) -> None:
    world = folder.world
    renamed = as_csv([[*HEAD[:5], "Outcome"], *ROWS])
    folder.put("a-renamed.csv", renamed, age=400)
    folder.put("b-letter.pdf", b"%PDF-1.7", age=300)
    folder.put("c-broken.csv", as_csv([HEAD, *ROWS, [*ROWS[0], "one more"]]), age=200)
    folder.put("d-good.csv", as_csv([HEAD, ROWS[0], [*ROWS[1][:5], "Who knows"]]), age=100)
    folder.put("e.csv.part", as_csv([HEAD, ROWS[0]]))
    folder.put("~$open.xlsx", b"locked")
    folder.put("f-hot.csv", as_csv([HEAD, ROWS[2]]), age=5)
    folder.put("g-half.csv", as_csv([HEAD, ROWS[2]])[:-20], age=70)
    folder.put("h-nearly.csv", as_csv([HEAD, ["9", *ROWS[2][1:]]])[:-2], age=80)
    report = folder.pull()
    assert report.needs_you
    assert report.complete
    assert (report.tally.new, report.tally.dispositions["quarantined"]) == (2, 1)
    assert folder.names() == [
        "e.csv.part",
        "f-hot.csv",
        "g-half.csv",
        "h-nearly.csv",
        "~$open.xlsx",
    ]
    assert folder.names("processed") == ["d-good.csv"]
    aside = folder.names("set-aside")
    assert [n for n in aside if not n.endswith(".txt")] == [
        "a-renamed.csv", "b-letter.pdf", "c-broken.csv"]  # fmt: skip
    reasons = {p.name.split("-")[1]: p.read_text() for p in
               (folder.path / "set-aside").glob("*.reason.txt")}  # fmt: skip
    assert "a-renamed.csv:1:6: The column 'Attendance' is not there" in reasons["a"]
    assert "c-broken.csv:5:7: This row has 7 cells" in reasons["c"]
    outcome, message = world.rows("select outcome, message from pull_runs order by id")[-1]
    assert outcome == "needs you"
    assert "a-renamed.csv:1:6" in message
    (waits,) = world.rows("select message from quarantine")
    assert "d-good.csv, row 3, column 6 (Attendance)" in waits[0]
    # The word is explained in the profile, and what waits is read again from its own bytes.
    folder.profile = replace(PROFILE, words={"Who knows": "no_show"})
    assert ledger.replay(world.ctx, folder.trusted) == (1, 0)
    world.clock.advance(hours=2)
    folder.put("f-hot.csv", as_csv([HEAD, ROWS[2]]))
    assert folder.pull().tally.new == 2
    # What stayed half for so long will not be whole any more.
    assert "g-half.csv" in folder.names("set-aside")
    checks = {f.check: f for f in folder.source.doctor()}
    assert not checks["set aside"].ok
    assert checks["folder"].ok


def test_only_a_file_that_is_the_whole_says_what_is_gone(world: World, tmp_path: Path) -> None:
    folder = Folder(world, tmp_path, replace(PROFILE, complete=True))
    folder.put("one.csv", as_csv([HEAD, *ROWS]), age=900)
    folder.pull()
    folder.put("older.csv", as_csv([HEAD, ROWS[1]]), age=800)
    folder.put("newer.csv", as_csv([HEAD, *ROWS[:2]]), age=700)
    report = folder.pull()
    assert (report.tally.vanished, report.tally.unchanged) == (1, 2)
    assert folder.names() == []
    assert folder.pull(full=True).tally.vanished == 0  # an empty folder says nothing


def test_a_folder_that_is_only_read_is_remembered(world: World, tmp_path: Path) -> None:
    folder = Folder(world, tmp_path, after="leave")
    folder.put("one.csv", as_csv([HEAD, *ROWS]))
    folder.put("nobody-booked.csv", as_csv([HEAD]))
    folder.put("bad.csv", b"No,Table\n1,2\n")
    assert folder.pull().tally.new == 3
    assert folder.names() == ["bad.csv", "nobody-booked.csv", "one.csv"]
    again = folder.pull()
    assert (again.tally.items, again.needs_you) == (0, False)
    folder.put("one.csv", as_csv([HEAD, *ROWS, ["4", *ROWS[0][1:]]]), age=200)
    assert folder.pull().tally.new == 1
    assert (tmp_path / "memory" / "set-aside").is_dir()


def test_trainers_are_told_with_their_event(world: World, tmp_path: Path) -> None:
    columns = dict(PROFILE.columns) | {"trainer": "Trainer", "trainer_email": "Trainer email"}
    folder = Folder(world, tmp_path, replace(PROFILE, columns=columns))
    rows = [[*row, "Tess Ray; Uma Bo", "tess@example.org; uma@example.org"] for row in ROWS]
    folder.put("one.csv", as_csv([[*HEAD, "Trainer", "Trainer email"], *rows]))
    folder.pull()
    assert world.scalar("select count(*) from event_trainers") == 4
    for name in folder.names("processed"):
        assert name == "one.csv"
    world.clock.advance(days=40)
    folder.put("two.csv", as_csv([[*HEAD, "Trainer", "Trainer email"], *rows[:1]]))
    assert folder.pull().tally.wrote_nothing
    assert folder.names("processed") == ["two.csv"]  # the first has been kept long enough


def test_a_trainer_assesses_the_day_on_which_they_trained(folder: Folder) -> None:
    """A course is held again under the same code; a later file ends nobody's earlier day."""
    world = folder.world
    world.publish([rule("r1", "C1", 1, assessed=True,
                        counts_when=CountsWhen(frozenset({Status.ATTENDED})))])  # fmt: skip
    trainers = {n: world.person(n, email=f"{n}@t.example") for n in ("tess", "uma")}
    columns = dict(PROFILE.columns) | {"trainer_email": "Trainer email"}
    folder.profile = replace(PROFILE, columns=columns)
    head, rows = (
        [*HEAD, "Trainer email"],
        [*ROWS[:1], ["2", "C1", "05/05/2026", *ROWS[1][3:5], "Attended"]],
    )
    for row, trainer in zip(rows, trainers, strict=True):
        folder.put("one.csv", as_csv([head, [*row, f"{trainer}@t.example"]]))
        folder.pull()
    for learner, trainer in (("ann", "tess"), ("bo", "uma")):
        person = people.find(world.ctx, f"{learner}@example.org").canonical
        (item,) = world.items_of(person)
        may = evidence.may_verify(world.ctx, person, item.evidence.id)
        assert [who for who, _, _ in may] == [trainers[trainer]]
        with world.store.reading() as uow:
            (support,) = uow.notebook.support([item.evidence.id])[item.evidence.id]
        assert support.assessors == (trainers[trainer],)


def test_a_missing_folder_or_a_broken_profile_needs_somebody(world: World, tmp_path: Path) -> None:
    folder = Folder(world, tmp_path)
    folder.path.rmdir()
    with pytest.raises(NeedsAdministrator, match="is not there"):
        folder.pull()
    assert not folder.source.doctor()[0].ok
    assert world.scalar("select outcome from pull_runs") == "needs you"
