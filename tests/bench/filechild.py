"""One process of the bench of files: learns a table, loads it twice, and prints how it went.

Run as `python -m tests.bench.filechild URL TABLE`, so that its memory is that of the loading.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from time import perf_counter

from bridge.connectors.files import OneFile, Profile
from bridge.connectors.files.learn import learn
from bridge.domain.identity import IdentityRule
from bridge.services.pull import Trusted, pull
from bridge.storage.engine import open_engine
from tests.bench.child import peak_rss_mb
from tests.bench.databases import context

LARGEST = 2_000_000_000


def main(url: str, table: str) -> None:
    """Print a JSON object of the figures."""
    gc.freeze()  # as the command line does when it starts
    engine = open_engine(url)
    ctx = context(engine)
    started = perf_counter()
    proposal = learn(Path(table), name="bench")
    profile = Profile.from_data(proposal.profile)
    learned = perf_counter() - started
    source = OneFile("bench", Path(table), profile, LARGEST)
    trusted = Trusted(source, "files", identity=(IdentityRule.STAFF_NUMBER,))
    started = perf_counter()
    first = pull(ctx, trusted).tally
    seconds = perf_counter() - started
    peak = peak_rss_mb()
    started = perf_counter()
    again = pull(ctx, trusted).tally
    figures = {
        "learn_seconds": learned,
        "load_seconds": seconds,
        "peak_rss_mb": peak,
        "dispositions": {str(k): v for k, v in first.dispositions.items()},
        "questions": [question.id for question in proposal.questions],
        "again_seconds": perf_counter() - started,
        "again_says_nothing_written": again.wrote_nothing,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
