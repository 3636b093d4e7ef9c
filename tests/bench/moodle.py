"""The bench of Moodle: a full pull from a real one, against the bare HTTP calls that it needs.

The Moodle is the one that the contract suite's variables name (BRIDGE_TEST_MOODLE_URL, _TOKEN and
_REPORT). A first pull, which is not measured, keeps every request and answer. Then are measured
in turn: the same requests with the answers thrown away (the floor), the intake of the kept
answers (no Moodle at all), and the real pull into a fresh database.
"""

from __future__ import annotations

import http.client
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

from bridge.connectors.moodle import MoodleClient, MoodleSettings, MoodleSource
from bridge.connectors.moodle.client import ENDPOINT, Answer, Params, php_fields
from bridge.connectors.moodle.ways import PLUGIN, REPORT, choose, open_up
from bridge.domain.records import LearningFact
from tests.bench.databases import CLAIMS_A_RECORD, SERVERS, Server, furnish

ROOT = Path(__file__).parents[2]
TIMES = 1.3
FLAT = 1.1
IDLE_CALLS = 4
#: SQLite fills its own page cache (see bridge/storage/engine.py) while a database grows.
OWN_CACHE_MB = {"sqlite": 68, "postgresql": 0}
_CHUNK = 1 << 16


class SystemClock:
    """The time it is: a real Moodle lives in the present."""

    def now(self) -> datetime:
        """Now, aware."""
        return datetime.now(UTC)


def settings_of(environment: Mapping[str, str], page: int) -> MoodleSettings:
    """The Moodle that the environment names. Raises KeyError where it names none."""
    report = environment.get("BRIDGE_TEST_MOODLE_REPORT") or "Bridge completions"
    return MoodleSettings(
        key="moodle",
        url=environment["BRIDGE_TEST_MOODLE_URL"],
        token=environment["BRIDGE_TEST_MOODLE_TOKEN"],
        report=int(report) if report.isdecimal() else report,
        page_size=page,
    )


class Keeping(MoodleClient):
    """Asks the real Moodle, and keeps what was asked and answered in a folder, call by call."""

    def __init__(self, settings: MoodleSettings, folder: Path) -> None:
        super().__init__(settings)
        self._folder = folder

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        """As the client does."""
        number = self.calls
        answer = super().fetch(function, params, once=once)
        kept = pickle.dumps((function, dict(params or {}), answer))
        (self._folder / f"{number:05}").write_bytes(kept)
        return answer


class Kept(MoodleClient):
    """Answers as the real Moodle did, in the same order, without asking it."""

    def __init__(self, settings: MoodleSettings, folder: Path) -> None:
        super().__init__(settings)
        self._folder = folder

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        """The answer that was kept of this call."""
        asked, _, answer = read_kept(self._folder / f"{self.calls:05}")
        if asked != function:
            raise RuntimeError(f"{function} where {asked} was kept")
        self.calls += 1
        return answer


def read_kept(path: Path) -> tuple[str, dict[str, Any], Answer]:
    """One call: the function, its parameters, the answer."""
    # Nothing but this bench wrote the folder, which is its own.
    kept: tuple[str, dict[str, Any], Answer] = pickle.loads(path.read_bytes())  # noqa: S301
    return kept


@dataclass(frozen=True, slots=True)
class Seen:
    """What the unmeasured pull showed."""

    rows: int
    calls: int
    megabytes: float
    staff_numbers: list[str]
    courses: list[str]


def measure_moodle(names: list[str], page: int, repeat: int, road: str) -> dict[str, Any]:
    """The figures of each road into the bridge (or of one), by each named database."""
    settings = settings_of(os.environ, page)
    figures: dict[str, Any] = {
        "page": page,
        "repeat": repeat,
        "claims_a_record": CLAIMS_A_RECORD,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "moodle": MoodleClient(settings).call("core_webservice_get_site_info").get("release"),
    }
    over: list[str] = []
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        for each, chosen in roads(settings).items():
            if road in (each, "both"):
                figures[each] = _measure_road(chosen, folder / each, names, repeat)
                over += [f"{each}: {one}" for one in _over(each, figures[each], names)]
    # Above 1 before, or above the cores after, something else was at work too.
    figures["load"] = [round(load, 1), round(os.getloadavg()[0], 1)]
    figures["limits"] = {"times": TIMES, "memory": FLAT, "idle_calls": IDLE_CALLS}
    figures["over"] = over
    return figures


def roads(settings: MoodleSettings) -> dict[str, MoodleSettings]:
    """The roads by which this Moodle can be pulled: the report, and the plugin where it is."""
    found = {REPORT: replace(settings, way=REPORT)}
    opening = open_up(MoodleClient(settings), SystemClock().now())
    if choose(replace(settings, way="auto"), opening).way == PLUGIN:
        found[PLUGIN] = replace(settings, way=PLUGIN, activities=())
    return found


def _measure_road(
    settings: MoodleSettings, folder: Path, names: list[str], repeat: int
) -> dict[str, Any]:
    kept = folder / "kept"
    kept.mkdir(parents=True)
    seen = look(settings, kept)
    floors: list[float] = []
    figures: dict[str, Any] = {
        "rows": seen.rows,
        "calls": seen.calls,
        "megabytes": round(seen.megabytes, 1),
    }
    for database in names:
        with SERVERS[database](folder) as server:
            rounds = []
            for number in range(repeat):
                floors.append(bare_seconds(settings, kept))
                rounds.append(_round(server, str(number), settings, kept, seen))
            figures[database] = _figures(server, seen, rounds)
    floor = min(floors)
    figures["http_seconds"] = round(floor, 2)
    for database in names:
        told = figures[database]
        told["times_http"] = round(told["pull_seconds"] / floor, 2)
        told["times_larger"] = round(told["pull_seconds"] / max(floor, told["ingest_seconds"]), 2)
    return figures


def look(settings: MoodleSettings, kept: Path) -> Seen:
    """Pull once without storing; keep every call, and note whom and what it is about."""
    source = MoodleSource(settings, SystemClock())
    source.client = Keeping(settings, kept)
    staff_numbers: set[str] = set()
    courses: set[str] = set()
    rows = 0
    for page in source.pull(None):
        rows += len(page.items)
        facts = [item.fact for item in page.items if isinstance(item.fact, LearningFact)]
        staff_numbers |= {f.account.staff_number for f in facts if f.account.staff_number}
        courses |= {f.activity.idnumber for f in facts if f.activity.idnumber}
    files = sorted(kept.iterdir())
    size = sum(len(read_kept(path)[2].body) for path in files)
    return Seen(rows, len(files), size / 1e6, sorted(staff_numbers), sorted(courses))


def bare_seconds(settings: MoodleSettings, kept: Path) -> float:
    """How long the same calls take when their answers are read and thrown away."""
    parts = urlsplit(settings.page(ENDPOINT))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=settings.timeout)
    bodies = [_form(settings, *read_kept(path)[:2]) for path in sorted(kept.iterdir())]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    started = perf_counter()
    for body in bodies:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        while answer.read(_CHUNK):
            pass
    seconds = perf_counter() - started
    connection.close()
    return seconds


def _form(settings: MoodleSettings, function: str, params: Params) -> bytes:
    return urlencode(
        {
            "wstoken": settings.token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            "moodlewssettinglang": "en",
            "moodlewssettingtimezone": settings.timezone,
            **dict(php_fields(params)),
        }
    ).encode()


def _round(
    server: Server, number: str, settings: MoodleSettings, kept: Path, seen: Seen
) -> dict[str, Any]:
    """One intake of the kept answers, and one real pull, each by a process of its own."""
    ingested, pulled = server.new(f"ingested{number}"), server.new(f"pulled{number}")
    for url in (ingested, pulled):
        furnish(url, seen.staff_numbers, seen.courses)
    told = _child(ingested, settings, str(kept))
    return _child(pulled, settings, "") | {"ingest_seconds": told["seconds"]}


def _child(url: str, settings: MoodleSettings, kept: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.moodlechild", url, kept],
        cwd=ROOT,
        input=pickle.dumps(settings),  # not among the arguments, where others may read the token
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _figures(server: Server, seen: Seen, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    last = rounds[-1]
    seconds = _least(one["seconds"] for one in rounds)
    return {
        "version": server.version,
        "pull_seconds": round(seconds, 2),
        "waited_seconds": round(_least(one["waited_seconds"] for one in rounds), 2),
        "calling_seconds": round(_least(one["calling_seconds"] for one in rounds), 2),
        "times_own_larger": round(_least(_overlap(one) for one in rounds), 2),
        "ingest_seconds": round(_least(one["ingest_seconds"] for one in rounds), 2),
        "records_per_second": round(seen.rows / seconds),
        "calls": last["calls"],
        "drafts": last["drafts"],
        "claims": last["claims"],
        "peak_rss_mb": {at: round(max(one["peaks"][at] for one in rounds)) for at in last["peaks"]},
        "idle": {
            "calls": last["idle_calls"],
            "seconds": round(_least(one["idle_seconds"] for one in rounds), 2),
            "says_nothing_written": last["idle_says_nothing_written"],
        },
    }


def _overlap(told: dict[str, Any]) -> float:
    """A pull against the larger of what it spent on calls and on everything else.

    Both parts are of the same pull, so this holds on a machine that has other work to do, too: 1
    where calls and storing wholly go side by side, up to 2 where they take turns.
    """
    storing = told["seconds"] - told["waited_seconds"]
    return float(told["seconds"] / max(told["calling_seconds"], storing))


_least: Callable[[Iterable[float]], float] = min


def _over(road: str, figures: dict[str, Any], names: list[str]) -> list[str]:
    """What is over a limit, in words."""
    found = []
    measure = "times_http" if road == REPORT else "times_larger"
    for database in names:
        told = figures[database]
        peaks = list(told["peak_rss_mb"].values())
        if told[measure] > TIMES:
            found.append(f"{database}: {measure} {told[measure]}")
        if peaks[-1] > FLAT * peaks[0] + OWN_CACHE_MB[database]:
            found.append(f"{database}: memory grew from {peaks[0]} to {peaks[-1]} MB")
        if told["idle"]["calls"] > IDLE_CALLS:
            found.append(f"{database}: {told['idle']['calls']} calls when nothing has changed")
    return found
