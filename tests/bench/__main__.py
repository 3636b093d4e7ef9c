"""`python -m tests.bench ingest --records N`: how fast the intake is, as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.databases import CLAIMS_A_RECORD, NOW, SERVERS, Server, set_up
from tests.bench.floor import insert_seconds, read_back
from tests.bench.pages import write_pages

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ingest = commands.add_parser("ingest", help="from pulled pages to drafts, against the floor")
    ingest.add_argument("--records", type=_at_least_one, default=100_000)
    ingest.add_argument("--database", choices=[*SERVERS, "both"], default="both")
    ingest.add_argument("--page", type=_at_least_one, default=1000, help="rows in a page")
    given = parser.parse_args()
    names = list(SERVERS) if given.database == "both" else [given.database]
    print(json.dumps(measure_ingest(given.records, given.page, names), indent=2))


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def measure_ingest(records: int, page: int, names: list[str]) -> dict[str, Any]:
    """The figures of each named database, and what they were measured on."""
    figures: dict[str, Any] = {
        "records": records,
        "claims_a_record": CLAIMS_A_RECORD,
        "page": page,
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
                figures[database] = _measure(server, records, page, pages, count)
    return figures


def _measure(server: Server, records: int, page: int, pages: Path, count: int) -> dict[str, Any]:
    ingested, floor = server.new("ingested"), server.new("floor")
    for url in (ingested, floor):
        set_up(url, records)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.child", ingested, str(pages), str(page)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    written = read_back(ingested, floor)
    floor_seconds = insert_seconds(floor, written, count)
    return {
        "version": server.version,
        "records_per_second": round(records / told["seconds"]),
        "floor_records_per_second": round(records / floor_seconds),
        "times_floor": round(told["seconds"] / floor_seconds, 2),
        "peak_rss_mb": round(told["peak_rss_mb"]),
        "rows_written": sum(len(one.rows) for one in written),
        "drafts": told["drafts"],
        "claims": told["claims"],
        "pull_again": {
            "records_per_second": round(records / told["again_seconds"]),
            "rows_written": told["again_rows_written"],
            "says_nothing_written": told["again_says_nothing_written"],
        },
    }


if __name__ == "__main__":
    main()
