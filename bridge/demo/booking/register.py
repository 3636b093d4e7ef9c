"""Shows what becomes of a table: a register is learned, read from its folder, and joined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bridge.bootstrap import Bridge
from bridge.demo.booking.seed import TITLE, Scene
from bridge.demo.moodle.people import Person as Invented
from bridge.services import evidence as evidence_service
from bridge.services import ledger
from bridge.services import people as people_service
from bridge.services import pull as pull_service
from bridge.services.tables import keep_profile

REGISTER = "register"
SETTINGS = f"""
[files.{REGISTER}]
folder = "{REGISTER}"              # whatever is put in here is read by profiles/{REGISTER}.yaml
profile = "{REGISTER}"
settle_seconds = 0
"""


@dataclass(frozen=True, slots=True)
class RegisterShown:
    """What came of it, for `--check` to look at: open questions, drafts, and sources of one."""

    questions: int
    walked_in: bool
    sources_of_one: int
    adds_up: bool


def furnish(folder: Path, scene: Scene) -> None:
    """Put the folder into the demo site's settings, and the day's register into the folder."""
    with (folder / "bridge.toml").open("a", encoding="utf-8") as config:
        config.write(SETTINGS)
    kept = folder / REGISTER
    kept.mkdir()
    (kept / "register of the day.csv").write_text(_table(scene), encoding="utf-8")


def _table(scene: Scene) -> str:
    """As an office types it: a title, an empty line, the headings, a total at the foot."""

    day = scene.began.strftime("%d/%m/%Y")

    def row(person: Invented, word: str) -> str:
        return f"{TITLE},{day},{person.first},{person.last},{person.staff_number},{word}"

    return "\n".join([
        "Register of attendance: Northmere Safeguarding Partnership,,,,,",
        ",,,,,",
        "Course,Date,First name,Surname,Staff no,Attended?",
        row(scene.came, "Yes"),
        row(scene.waiting, "Yes"),
        row(scene.absent, "Apologies"),
        "Total,,,,3,2",
        "",
    ])  # fmt: skip


def show(bridge: Bridge, scene: Scene, console: Console) -> RegisterShown:
    """Learn the register's columns, read the folder, and tell what became of it."""
    (table,) = (bridge.folder / REGISTER).glob("*.csv")
    proposal = bridge.tables.propose(table, table.name, REGISTER, {})
    columns = ", ".join(f"{head} = {f.replace('_', ' ')}"
                        for f, head in proposal.profile["columns"].items())  # fmt: skip
    console.print(
        f"The same day's register, typed by the office ('{table.name}'): {columns}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    if proposal.settled:
        keep_profile(bridge.context, bridge.tables, proposal)
        pull_service.pull(bridge.context, bridge.sources[REGISTER])
    walked_in = _sources(bridge, scene.waiting)
    of_one = _sources(bridge, scene.came)
    console.print(
        f"{scene.waiting.first} {scene.waiting.last} walked in on the day and has a draft now. "
        f"{scene.came.first} {scene.came.last} is in both: one draft, {of_one} records.",
        soft_wrap=True,
    )
    sums = [line for line in ledger.ledger(bridge.context) if line.source == REGISTER]
    return RegisterShown(
        len(proposal.questions), walked_in == 1, of_one, all(line.adds_up for line in sums)
    )


def _sources(bridge: Bridge, person: Invented) -> int:
    """How many records support this person's draft of the day; 0 where there is not one draft."""
    known = people_service.find(bridge.context, person.staff_number)
    drafts = [
        item.evidence.id
        for item in evidence_service.items(bridge.context, person=known.id)
        if item.evidence.title == TITLE
    ]
    if len(drafts) != 1:
        return 0
    with bridge.context.store.reading() as uow:
        return len(uow.intake.records_of_evidence(drafts))


def check(shown: RegisterShown) -> list[tuple[str, bool]]:
    """What must hold, in words."""
    return [
        ("the register's columns are understood without a question", shown.questions == 0),
        ("who walked in has a draft", shown.walked_in),
        ("who is in both systems has one draft, with both records", shown.sources_of_one == 2),
        ("the register adds up", shown.adds_up),
    ]
