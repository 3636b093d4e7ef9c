"""One process of the bench of Moodle: pulls in full, then what changed, and prints how it went.

Run as `python -m tests.bench.moodlechild URL KEPT` with the pickled settings on its input, so that
its memory is that of a pull. KEPT is a folder of kept answers, or "" to ask the real Moodle.
"""

from __future__ import annotations

import gc
import json
import pickle
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from time import perf_counter

from bridge.connectors.moodle import MoodleClient, MoodleSettings, MoodleSource
from bridge.connectors.moodle.client import Answer, Params
from bridge.domain.identity import IdentityRule
from bridge.domain.records import Page
from bridge.services.pull import Trusted, pull
from bridge.storage.engine import open_engine
from tests.bench.child import peak_rss_mb
from tests.bench.databases import context
from tests.bench.moodle import Kept, SystemClock

#: After how many records memory is read first; then at the end.
EARLY = 20_000


class Timed(MoodleSource):
    """Notes how long whoever takes the pages waits for them, reading them included."""

    waited = 0.0

    def pull_on(self, since: datetime | None, mark: str) -> Iterator[Page]:
        """As the source does."""
        pages = super().pull_on(since, mark)
        while True:
            started = perf_counter()
            page = next(pages, None)
            self.waited += perf_counter() - started
            if page is None:
                return
            yield page


class Gauged(MoodleClient):
    """Notes how long its calls took, of which most pass while something is being stored."""

    seconds = 0.0

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        """As the client does."""
        started = perf_counter()
        try:
            return super().fetch(function, params, once=once)
        finally:
            self.seconds += perf_counter() - started


def main(url: str, kept: str) -> None:
    """Print a JSON object of the figures."""
    gc.freeze()  # as the command line does when it starts
    settings: MoodleSettings = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    ctx = context(open_engine(url), SystemClock())
    source = Timed(settings, ctx.clock)
    gauge = Gauged(settings)
    source.client = Kept(settings, Path(kept)) if kept else gauge
    trusted = Trusted(source, "moodle", identity=(IdentityRule.STAFF_NUMBER,))
    peaks: dict[str, float] = {}

    def note(records: int, expected: int | None) -> None:
        if not peaks and records >= min(EARLY, expected or 0):
            peaks[str(records)] = peak_rss_mb()

    started = perf_counter()
    tally = pull(ctx, trusted, full=True, progress=note).tally
    figures = {
        "seconds": perf_counter() - started,
        "waited_seconds": source.waited,
        "calling_seconds": gauge.seconds,
        "calls": source.client.calls,
        "peaks": peaks | {str(tally.items): peak_rss_mb()},
        "drafts": tally.drafts,
        "claims": tally.claims,
    }
    if not kept:
        before = source.client.calls
        started = perf_counter()
        idle = pull(ctx, trusted).tally
        figures |= {
            "idle_seconds": perf_counter() - started,
            "idle_calls": source.client.calls - before,
            "idle_says_nothing_written": idle.wrote_nothing,
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
