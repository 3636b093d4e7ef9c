"""How long pulling and taking in statements lasts, against bare paging with JSON decoding.

The stand-in LRS serves from a process of its own, so that it takes no time from either side. The
bare paging asks for the same pages one after another and decodes them, and does nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urljoin

import orjson
import requests

from bridge.connectors.xapi import LrsSettings, LrsSource
from bridge.demo.lrs import StandInLrs, Store
from bridge.domain.identity import IdentityRule
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.reading import ReadingRules
from bridge.services import pull
from bridge.services.pull import Trusted
from bridge.storage.engine import migrate
from tests.bench.databases import SERVERS
from tests.bench.logstore import SITE, START, completion
from tests.support import FrozenClock, World, opened, ref

ROOT = Path(__file__).parents[2]
PAGE = 100


def measure_pull(
    folder: Path, names: list[str], count: int, latency_ms: int, repeat: int
) -> dict[str, Any]:
    """Seconds of each, and how many times the bare paging the whole pull takes."""
    figures: dict[str, Any] = {"statements": count, "page": PAGE, "latency_ms": latency_ms}
    with serving(count, latency_ms) as url:
        for name in names:
            with SERVERS[name](folder) as server:
                rounds = []
                for number in range(repeat):
                    bare = _bare(url)
                    rounds.append((bare, *_pulled(server.new(f"pulled{number}"), url)))
            bare, whole, drafts = min(rounds, key=lambda r: r[1] / r[0])
            figures[name] = {
                "bare_paging_seconds": round(bare, 2),
                "pull_and_ingest_seconds": round(whole, 2),
                "times_bare": round(whole / bare, 3),
                "drafts": drafts,
            }
    return figures


def _bare(url: str) -> float:
    session = requests.Session()
    session.trust_env = False
    session.auth = (StandInLrs.user, StandInLrs.secret)
    session.headers["X-Experience-API-Version"] = "2.0.0"
    began = perf_counter()
    link = f"{url}/statements?ascending=true&limit={PAGE}"
    while link:
        page = orjson.loads(session.get(link, timeout=60).content)
        link = urljoin(url, page["more"]) if page["more"] else ""
    return perf_counter() - began


def _pulled(database: str, url: str) -> tuple[float, int]:
    with opened(database) as engine:
        migrate(engine)
        clock = FrozenClock(START + timedelta(days=60))
        world = World(engine, clock)
        # Every second learner is known, and a rule counts the modules of some courses.
        for learner in range(0, 500, 2):
            world.person(f"l{learner}", staff_number=str(1000 + learner))
        matchers = tuple(Matcher(idnumber=f"QUIZ-{n}") for n in range(0, 240, 4))
        rule = Rule("told", "quizzes", "Quizzes", matchers, suggests=(ref(1), ref(2)),
                    learning_activity="e-learning")  # fmt: skip
        world.publish([rule], "told")
        settings = LrsSettings(
            "lrs", url, StandInLrs.user, StandInLrs.secret, page_size=PAGE,
            rules=ReadingRules(homes={SITE: "staff-number"}),
        )  # fmt: skip
        source = LrsSource(settings, clock)
        trusted = Trusted(source, STATEMENTS, identity=(IdentityRule.STAFF_NUMBER,))
        began = perf_counter()
        report = pull.pull(world.ctx, trusted)
        seconds = perf_counter() - began
        assert report.complete
        return seconds, report.tally.drafts


@contextmanager
def serving(count: int, latency_ms: int, most: int = PAGE) -> Iterator[str]:
    """A stand-in LRS with so many statements, and at most so many on a page, in a process of its
    own; its address."""
    command = [sys.executable, "-m", "tests.bench.lrspull", str(count), str(latency_ms), str(most)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()


def _serve(count: int, latency_ms: int, most: int) -> None:
    """Serve until the input ends, having said where."""
    store = Store(lambda: datetime.now(UTC))
    for number in range(count):
        told = completion(number)
        happened = datetime.fromisoformat(told["timestamp"])
        store.put(told, stored=happened + timedelta(seconds=40))
    with StandInLrs(store, latency=latency_ms / 1000, most=most) as lrs:
        print(lrs.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
