"""Runs a test's bridge in a process of its own: `python -m tests.jobs.run_site '{...}'`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bridge import log
from bridge.jobs.embedded import EmbeddedJobs
from bridge.jobs.run import serve
from bridge.jobs.servers import threads
from bridge.storage.engine import migrate, open_engine
from tests.jobs.site import QUICK, web_app, works


def main() -> None:
    """Open the database, run, and print the address of its pages when ready."""
    told = json.loads(sys.argv[1])
    log.set_up()
    engine = open_engine(told["database"])
    migrate(engine)
    at_work = works(engine, told["url"], told["token"], told["started"], told["page_size"])
    jobs = EmbeddedJobs(at_work, QUICK)
    serve(
        jobs,
        threads(lambda address: web_app(at_work, jobs, address.rstrip("/"))),
        host="127.0.0.1",
        port=0,
        lock_path=Path(told["lock"]) if told["lock"] else None,
        on_ready=lambda url: print(url, flush=True),
    )
    engine.dispose()


if __name__ == "__main__":
    main()
