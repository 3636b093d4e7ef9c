"""One process of the bench: pulls a folder of pages twice into a database, and prints how it went.

Run as `python -m tests.bench.child URL FOLDER PAGE`, so that its memory is that of the intake.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from pathlib import Path
from time import perf_counter

from sqlalchemy import Engine

from bridge.domain.identity import IdentityRule
from bridge.services.pull import Trusted, pull
from bridge.storage import tables as t
from bridge.storage.engine import open_engine, read_only
from tests.bench.databases import context
from tests.bench.pages import canned_source

#: What any pull writes, whatever it brings.
RUN_HISTORY = frozenset({"pull_runs", "bookmarks", "leases"})


def main(url: str, folder: str, page: str) -> None:
    """Print a JSON object of the figures."""
    gc.freeze()  # as the command line does when it starts
    engine = open_engine(url)
    ctx = context(engine)
    source = canned_source(Path(folder), int(page), ctx.clock)
    trusted = Trusted(source, "moodle", identity=(IdentityRule.STAFF_NUMBER,))
    started = perf_counter()
    first = pull(ctx, trusted, full=True).tally
    seconds = perf_counter() - started
    peak = peak_rss_mb()
    before = _rows(engine)
    started = perf_counter()
    again = pull(ctx, trusted, full=True).tally
    again_seconds = perf_counter() - started
    figures = {
        "seconds": seconds,
        "peak_rss_mb": peak,
        "drafts": first.drafts,
        "claims": first.claims,
        "again_seconds": again_seconds,
        "again_rows_written": len(before ^ _rows(engine)),
        "again_says_nothing_written": again.wrote_nothing,
    }
    print(json.dumps(figures))


def peak_rss_mb() -> float:
    """The most memory that this process ever held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's ru_maxrss begins with what the parent held at the fork; this one does not.
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def _rows(engine: Engine) -> set[tuple[str, int]]:
    """Every row outside the run history, as a hash; on PostgreSQL also of who wrote it last."""
    what = "*, xmin::text" if engine.dialect.name == "postgresql" else "*"
    found = set()
    with read_only(engine) as connection:
        for table in t.metadata.sorted_tables:
            if table.name not in RUN_HISTORY:
                rows = connection.exec_driver_sql(f"SELECT {what} FROM {table.name}")
                found |= {(table.name, hash(tuple(row))) for row in rows}
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
