"""`python -m tests.bench ingest` and others (--help): how fast the bridge is, as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.connectors.moodle.ways import PLUGIN, REPORT
from tests.bench.databases import CLAIMS_A_RECORD, NOW, SERVERS, Server, set_up
from tests.bench.files import measure_files
from tests.bench.floor import insert_seconds, read_back
from tests.bench.lrsmemory import measure_memory
from tests.bench.lrspull import measure_pull
from tests.bench.moodle import measure_moodle
from tests.bench.pages import write_pages
from tests.bench.receive import measure_receive
from tests.bench.statements import measure_statements
from tests.bench.webpages import measure_pages

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    ingest = commands.add_parser("ingest", help="from pulled pages to drafts, against the floor")
    ingest.add_argument("--records", type=_at_least_one, default=100_000)
    ingest.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    ingest.add_argument("--page", type=_at_least_one, default=1000, help="rows in a page")
    ingest.add_argument(
        "--repeat",
        type=_at_least_one,
        default=1,
        help="measure ingest and floor in turn this often, and take the fastest of each",
    )
    pages = commands.add_parser("pages", help="every page, over a whole partnership's data")
    pages.add_argument("--people", type=_at_least_one, default=100_000)
    pages.add_argument("--claims", type=_at_least_one, help="ten for each person, unless given")
    pages.add_argument("--rate", type=float, default=20.0, help="requests a second")
    pages.add_argument("--seconds", type=float, default=120.0, help="how long; 0 for no load")
    pages.add_argument("--times", type=_at_least_one, default=7, help="visits of each page")
    pages.add_argument("--folder", type=Path, help="keep the database here, and use it again")
    files = commands.add_parser("files", help="a CSV learned and loaded, against the floor")
    files.add_argument("--rows", type=_at_least_one, default=100_000)
    files.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    files.add_argument("--repeat", type=_at_least_one, default=1, help="as for ingest")
    moodle = commands.add_parser("moodle", help="a real Moodle, against the bare calls it takes")
    moodle.add_argument("--page", type=_at_least_one, default=1000, help="rows in a page")
    moodle.add_argument("--road", choices=[REPORT, PLUGIN, "both"], default="both")
    moodle.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    moodle.add_argument("--repeat", type=_at_least_one, default=1, help="as for ingest")
    statements = commands.add_parser("statements", help="xAPI statements judged, one core")
    statements.add_argument("--count", type=_at_least_one, default=20_000)
    statements.add_argument("--repeat", type=_at_least_one, default=5, help="the fastest counts")
    receive = commands.add_parser("receive", help="statements sent to /xapi by four clients")
    receive.add_argument("--seconds", type=float, default=60.0)
    receive.add_argument("--half-seconds", type=float, default=20.0, help="at half that load")
    receive.add_argument("--workers", type=_at_least_one, default=2, help="of gunicorn")
    pulled = commands.add_parser("lrs-pull", help="statements pulled, against bare paging")
    pulled.add_argument("--statements", type=_at_least_one, default=20_000)
    pulled.add_argument("--latency", type=int, default=100, help="of each answer, in ms")
    pulled.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    pulled.add_argument("--repeat", type=_at_least_one, default=1, help="the best ratio counts")
    memory = commands.add_parser("lrs-memory", help="memory by the size of pages and of batches")
    memory.add_argument("--statements", type=_at_least_one, default=20_000)
    memory.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    given = parser.parse_args()
    if given.command == "pages":
        print(json.dumps(_pages(given), indent=2))
        return
    if given.command == "receive":
        figures = measure_receive(given.seconds, given.half_seconds, given.workers)
        print(json.dumps(figures, indent=2))
        return
    if given.command == "statements":
        print(json.dumps(measure_statements(given.count, given.repeat), indent=2))
        return
    names = list(SERVERS) if given.database == "both" else [given.database]
    if given.command == "lrs-pull":
        with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
            told = measure_pull(Path(name), names, given.statements, given.latency, given.repeat)
        print(json.dumps(told, indent=2))
        return
    if given.command == "lrs-memory":
        with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
            print(json.dumps(measure_memory(Path(name), names, given.statements), indent=2))
        return
    if given.command == "files":
        print(json.dumps(measure_files(names, given.rows, given.repeat), indent=2))
        return
    if given.command == "moodle":
        print(json.dumps(measure_moodle(names, given.page, given.repeat, given.road), indent=2))
        return
    print(json.dumps(measure_ingest(names, given.records, given.page, given.repeat), indent=2))


def _pages(given: argparse.Namespace) -> dict[str, Any]:
    claims = given.claims or 10 * given.people
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return measure_pages(folder, given.people, claims, given.rate, given.seconds, given.times)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def measure_ingest(names: list[str], records: int, page: int, repeat: int) -> dict[str, Any]:
    """The figures of each named database, and what they were measured on."""
    figures: dict[str, Any] = {
        "records": records,
        "claims_a_record": CLAIMS_A_RECORD,
        "page": page,
        "repeat": repeat,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        pages = folder / "pages"
        pages.mkdir()
        count = write_pages(pages, records, page, NOW)
        for database in names:
            with SERVERS[database](folder) as server:
                rounds = [
                    _round(server, str(number), records, page, pages, count)
                    for number in range(repeat)
                ]
                figures[database] = _figures(server, records, rounds)
    return figures


@dataclass(frozen=True, slots=True)
class Round:
    """One ingest and one floor: what the ingesting process told, and the floor's seconds."""

    told: dict[str, Any]
    rows: int
    floor_seconds: float


def _round(server: Server, number: str, records: int, page: int, pages: Path, count: int) -> Round:
    ingested, floor = server.new(f"ingested{number}"), server.new(f"floor{number}")
    for url in (ingested, floor):
        set_up(url, records)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.child", ingested, str(pages), str(page)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    written = read_back(ingested, floor)
    rows = sum(len(one.rows) for one in written)
    return Round(json.loads(done.stdout), rows, insert_seconds(floor, written, count))


def _figures(server: Server, records: int, rounds: list[Round]) -> dict[str, Any]:
    seconds = min(one.told["seconds"] for one in rounds)
    floor_seconds = min(one.floor_seconds for one in rounds)
    last = rounds[-1]
    return {
        "version": server.version,
        "records_per_second": round(records / seconds),
        "floor_records_per_second": round(records / floor_seconds),
        "times_floor": round(seconds / floor_seconds, 2),
        "peak_rss_mb": round(max(one.told["peak_rss_mb"] for one in rounds)),
        "rows_written": last.rows,
        "drafts": last.told["drafts"],
        "claims": last.told["claims"],
        "pull_again": {
            "records_per_second": round(records / min(r.told["again_seconds"] for r in rounds)),
            "rows_written": last.told["again_rows_written"],
            "says_nothing_written": last.told["again_says_nothing_written"],
        },
    }


if __name__ == "__main__":
    main()
