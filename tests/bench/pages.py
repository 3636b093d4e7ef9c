"""The pages of a made-up Moodle report, byte for byte as Moodle sends them, and their source."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bridge.connectors.moodle import MoodleClient, MoodleSettings, MoodleSource
from bridge.connectors.moodle.client import Answer, Params
from bridge.connectors.moodle.reports import RETRIEVE
from bridge.demo.moodle.functions import php_json
from bridge.demo.moodle.reports import COLUMNS
from bridge.demo.moodle.seed import COMPLETION_COLUMNS
from bridge.demo.moodle.words import userdate
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.ports import Clock
from bridge.domain.times import aware

COURSES = 20
SITE = "https://learning.example.org"
_FIRST_USER, _FIRST_COURSE = 3, 2
_DAYS = 330
_MINUTES = _DAYS * 24 * 60


def people_for(records: int) -> int:
    """How many people it takes for every record to be another person's or another course's."""
    return -(-records // COURSES)


def staff_number(person: int) -> str:
    """What the staff list and Moodle both know a person by; people are counted from 0."""
    return f"ESR{100_000 + person}"


def course_idnumber(course: int) -> str:
    """What the mapping knows a course by; courses are counted from 0."""
    return f"LSCP-{course:03}"


def write_pages(folder: Path, records: int, page: int, now: datetime) -> int:
    """Write `records` completions of the months before `now` as answers of `page` rows each.

    They come in the order of their dates, as the report is sorted: every page tells of nearly
    all courses and of hundreds of people. Returns how many pages there are.
    """
    rows = _rows(records, now)
    count = 0
    for count, start in enumerate(range(0, records, page), start=1):
        part = [{"columns": next(rows)} for _ in range(min(page, records - start))]
        (folder / f"{count - 1}.json").write_text(_answer(part, records), encoding="ascii")
    return count


def _rows(records: int, now: datetime) -> Iterator[list[str]]:
    chance = random.Random(1)  # noqa: S311 - the same on every run, on purpose
    done = [
        (chance.randrange(_MINUTES), person, course)
        for person in range(people_for(records))
        for course in range(COURSES)
    ][:records]
    start = aware(now) - timedelta(days=_DAYS)
    for minute, person, course in sorted(done):
        moment = start + timedelta(minutes=minute)
        name, title = f"Person {person} O&#039;Example", f"Safeguarding &amp; course {course}"
        yield [
            staff_number(person),
            f"person{person}@agency{person % 5}.example.org",
            f"person{person}",
            f'<a href="{SITE}/user/profile.php?id={_FIRST_USER + person}">{name}</a>',
            "No",
            course_idnumber(course),
            f"SG-{course}",
            f'<a href="{SITE}/course/view.php?id={_FIRST_COURSE + course}">{title}</a>',
            "Classroom and multi-agency" if course % 2 else "E-learning",
            userdate(int(moment.timestamp()), lang="en", timezone="UTC"),
            f"{60 + person % 40}.00" if course % 4 == 0 else "",
            "Active",
        ]


def _answer(rows: list[dict[str, list[str]]], total: int) -> str:
    return php_json(
        {
            "details": {
                "name": "Bridge completions",
                "source": "core_course\\reportbuilder\\datasource\\participants",
                "conditiondata": '{"completion:completed_operator":1}',
                "id": 1,
            },
            "data": {
                "headers": [COLUMNS[name][0] for name in COMPLETION_COLUMNS],
                "rows": rows,
                "totalrowcount": total,
            },
            "warnings": [],
        }
    )


class CannedMoodle(MoodleClient):
    """Answers from a folder of pages, in place of HTTP."""

    def __init__(self, settings: MoodleSettings, folder: Path) -> None:
        super().__init__(settings)
        self._folder = folder

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        """A page of the report; filters are taken, and nothing else is in the service."""
        self.calls += 1
        if function == RETRIEVE and params is not None:
            return Answer((self._folder / f"{params['page']}.json").read_bytes(), None)
        if function.startswith("core_reportbuilder_"):
            return Answer(b"true", None)
        raise NeedsAdministrator(f"no {function}", peer=self.settings.key, detail="accessexception")


def canned_source(folder: Path, page: int, clock: Clock) -> MoodleSource:
    """The ordinary Moodle source, fed from a folder of pages."""
    settings = MoodleSettings("bench", SITE, "none", report=1, page_size=page)
    source = MoodleSource(settings, clock)
    source.client = CannedMoodle(settings, folder)
    return source
