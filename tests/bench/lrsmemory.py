"""How much memory pulling from an LRS and receiving at /xapi take, by the size of what comes.

Each size has a process of its own. `idle_mb` is what it holds before the first statement, `half_mb`
and `peak_mb` the most it had held after half of the statements and after all: where the two differ
little, memory does not grow with how many come.

Run as `python -m tests.bench.lrsmemory SIDE DATABASE SIZE COUNT [LRS]` it is one of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.bootstrap_lrs import limits
from bridge.config import Config
from bridge.connectors.xapi import LrsSettings, LrsSource
from bridge.demo.lrs import StandInLrs
from bridge.domain.identity import IdentityRule
from bridge.domain.lrs.senders import Scope
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.reading import ReadingRules
from bridge.services import pull
from bridge.services.lrs.indexing import index_waiting
from bridge.services.pull import Trusted
from bridge.storage.engine import migrate
from tests.bench.child import peak_rss_mb
from tests.bench.databases import SERVERS
from tests.bench.logstore import SITE, START, completion
from tests.bench.lrspull import serving
from tests.lrs.site import Endpoint, TickingClock
from tests.support import FrozenClock, World, opened

ROOT = Path(__file__).parents[2]
PAGES = (10, 100, 1000, 5000)
BATCHES = (10, 100, 1000, 2000)
#: What waits is read into records as often: a job does so every two seconds.
DRAIN_EVERY = 5000


def measure_memory(folder: Path, names: list[str], count: int) -> dict[str, Any]:
    """Megabytes of each side, database and size."""
    figures: dict[str, Any] = {
        "statements": count,
        "mean_bytes": sum(len(json.dumps(completion(n))) for n in range(100)) // 100,
    }
    with serving(count, 0, max(PAGES)) as url:
        for name in names:
            with SERVERS[name](folder) as server:
                pulled = {n: _child("pull", server.new(f"pull{n}"), n, count, url) for n in PAGES}
                received = {n: _child("receive", server.new(f"take{n}"), n, count) for n in BATCHES}
            figures[name] = {"pulled_by_page": pulled, "received_by_batch": received}
    return figures


def _child(side: str, database: str, size: int, count: int, *more: str) -> dict[str, float]:
    words = [side, database, str(size), str(count), *more]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.lrsmemory", *words],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


class Held:
    """What the process has held, at its marks."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.idle = peak_rss_mb()
        self._half: float | None = None

    def look(self, done: int) -> None:
        """After so many statements."""
        if self._half is None and done >= self._count // 2:
            self._half = peak_rss_mb()

    def told(self) -> dict[str, float]:
        """In megabytes."""
        marks = {"idle_mb": self.idle, "half_mb": self._half or 0.0, "peak_mb": peak_rss_mb()}
        return {name: round(mb, 1) for name, mb in marks.items()}


def pulled(database: str, page: int, count: int, url: str) -> dict[str, float]:
    """Pull all, so many on a page."""
    with opened(database) as engine:
        migrate(engine)
        clock = FrozenClock(START + timedelta(days=60))
        world = World(engine, clock)
        for learner in range(0, 500, 2):
            world.person(f"l{learner}", staff_number=str(1000 + learner))
        settings = LrsSettings(
            "lrs", url, StandInLrs.user, StandInLrs.secret, page_size=page,
            rules=ReadingRules(homes={SITE: "staff-number"}),
        )  # fmt: skip
        source = Trusted(LrsSource(settings, clock), STATEMENTS,
                         identity=(IdentityRule.STAFF_NUMBER,))  # fmt: skip
        held = Held(count)
        report = pull.pull(world.ctx, source, progress=lambda done, _: held.look(done))
        assert report.complete
        assert report.tally.items == count
        return held.told()


def received(database: str, batch: int, count: int) -> dict[str, float]:
    """Receive all, so many in a request, and take them in."""
    with opened(database) as engine:
        migrate(engine)
        clock = TickingClock()
        made = Endpoint(World(engine, clock), clock, limits(Config()))  # type: ignore[arg-type]
        client = made.client("moodle-xapi", scopes=(Scope.WRITE,))
        held, waiting = Held(count), 0
        for first in range(0, count, batch):
            several = [completion(n) for n in range(first, min(first + batch, count))]
            answer = client.send("POST", "/statements", json.dumps(several).encode())
            assert answer.status_code == 200, answer.text
            waiting += len(several)
            if waiting >= DRAIN_EVERY or first + batch >= count:
                made.drained()
                index_waiting(made.ctx)
                waiting = 0
            held.look(first + len(several))
        return held.told()


if __name__ == "__main__":
    which, where, size, how_many, *lrs = sys.argv[1:]
    if which == "pull":
        print(json.dumps(pulled(where, int(size), int(how_many), lrs[0])))
    else:
        print(json.dumps(received(where, int(size), int(how_many))))
