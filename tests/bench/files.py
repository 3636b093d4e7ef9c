"""The bench of files: a CSV learned and loaded to dispositions, against csv and a bulk insert.

The floor is what reading the same file with Python's csv module takes, and a bulk insert of the
very same final rows.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench.databases import NOW, SERVERS, Server, set_up
from tests.bench.floor import insert_seconds, read_back
from tests.bench.pages import COURSES, course_idnumber, people_for, staff_number

ROOT = Path(__file__).parents[2]
PAGE = 1000
WORDS = ("Attended", "Attended", "Attended", "Partially attended", "Did not attend", "Cancelled",
         "Booked")  # fmt: skip


def measure_files(names: list[str], rows: int, repeat: int) -> dict[str, Any]:
    """The figures of each named database, and what they were measured on."""
    figures: dict[str, Any] = {
        "rows": rows,
        "repeat": repeat,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        table = folder / "bookings.csv"
        write_table(table, rows)
        figures["megabytes"] = round(table.stat().st_size / 1e6, 1)
        for database in names:
            with SERVERS[database](folder) as server:
                rounds = [_round(server, str(n), rows, table) for n in range(repeat)]
                figures[database] = _figures(server, rows, rounds)
    return figures


def write_table(path: Path, rows: int) -> None:
    """Bookings of twenty courses as a booking system exports them, the same on every run."""
    chance = random.Random(1)  # noqa: S311 - the same on every run, on purpose
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["Booking ref", "Course ref", "Course title", "Course date", "Venue", "First name",
             "Surname", "Email", "Staff number", "Organisation", "Attendance", "Dietary needs",
             "Booked on"]
        )  # fmt: skip
        days = [NOW - timedelta(days=10 + 15 * n) for n in range(COURSES)]
        for number in range(rows):
            person, course = number % people_for(rows), number // people_for(rows)
            day = days[course]
            writer.writerow(
                [f"B{100_000 + number}", course_idnumber(course), f"Safeguarding: part {course}",
                 f"{day:%d/%m/%Y %H:%M}", "County Hall, Room 2", f"Given{person % 800}",
                 f"Family{person}", f"person{person}@agency{person % 5}.example.org",
                 staff_number(person), f"Agency {person % 40}", chance.choice(WORDS), "",
                 f"{day - timedelta(days=30):%d/%m/%Y}"]
            )  # fmt: skip


def _round(server: Server, number: str, rows: int, table: Path) -> dict[str, Any]:
    loaded, floor = server.new(f"loaded{number}"), server.new(f"filesfloor{number}")
    for url in (loaded, floor):
        set_up(url, rows)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.filechild", loaded, str(table)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    written = read_back(loaded, floor)
    started = perf_counter()
    with table.open(encoding="utf-8", newline="") as stream:
        read = sum(1 for _ in csv.reader(stream))
    csv_seconds = perf_counter() - started
    insert = insert_seconds(floor, written, -(-rows // PAGE))
    told: dict[str, Any] = json.loads(done.stdout)
    return told | {
        "csv_rows": read,
        "csv_seconds": csv_seconds,
        "insert_seconds": insert,
        "rows_written": sum(len(one.rows) for one in written),
    }


def _figures(server: Server, rows: int, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = min(one["learn_seconds"] + one["load_seconds"] for one in rounds)
    floor = min(one["csv_seconds"] + one["insert_seconds"] for one in rounds)
    last = rounds[-1]
    return {
        "version": server.version,
        "rows_per_second": round(rows / seconds),
        "floor_rows_per_second": round(rows / floor),
        "times_floor": round(seconds / floor, 2),
        "learn_seconds": round(min(one["learn_seconds"] for one in rounds), 2),
        "load_seconds": round(min(one["load_seconds"] for one in rounds), 2),
        "csv_seconds": round(min(one["csv_seconds"] for one in rounds), 2),
        "insert_seconds": round(min(one["insert_seconds"] for one in rounds), 2),
        "peak_rss_mb": round(max(one["peak_rss_mb"] for one in rounds)),
        "rows_written": last["rows_written"],
        "dispositions": last["dispositions"],
        "questions": last["questions"],
        "load_again": {
            "rows_per_second": round(rows / min(one["again_seconds"] for one in rounds)),
            "says_nothing_written": last["again_says_nothing_written"],
        },
    }
