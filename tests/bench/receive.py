"""How fast /xapi takes statements in, durable, from four clients at once, and the floor.

The real service runs (`bridge run`, with gunicorn), with its jobs: they read what comes into
records while it comes. The floor is the bare insert of the very same bytes into a table of the same
server, by as many clients, in transactions of as many rows.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, text

from bridge.domain.lrs.senders import Scope
from bridge.services.lrs.senders import issue
from bridge.storage.engine import open_engine
from bridge.storage.vault import write_key_file
from tests.bench.databases import SERVERS, context, set_up
from tests.bench.logstore import SITE, completion
from tests.bench.pages import COURSES, course_idnumber, staff_number
from tests.bench.sending import LEARNERS, MARK

ROOT = Path(__file__).parents[2]
CLIENTS, BATCH, BATCHES = 4, 50, 24
_EXTERNAL = "https://w3id.org/learning-analytics/learning-management-system/external-id"
#: One statement in so many is about a course that a rule names.
_MAPPED = 10
_DRAINED_WITHIN = 600.0
_FLOOR = """
import sys, time, psycopg
url, seconds, client = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
rows = [line.rstrip(b"\\n") for line in sys.stdin.buffer]
with psycopg.connect(url) as connection:
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        with connection.cursor() as cursor:
            with cursor.copy("COPY floor (client, n, body) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((client, count, row))
                    count += 1
        connection.commit()
    print(count / (time.perf_counter() - began))
"""


def measure_receive(seconds: float, half_seconds: float, workers: int) -> dict[str, Any]:
    """Statements a second, how long answers take, how long the rest is drained, and the floor."""
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        with SERVERS["postgresql"](folder) as server:
            url = server.new("bench")
            set_up(url, 10_000)
            floor = _floor(url)
            authorization = _site(folder, url)
            with _running(folder, url, workers) as (port, service):
                engine = open_engine(url)
                with engine.connect() as connection:
                    backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                    database = psutil.Process(backend).parent()
                    assert database is not None
                cpu_before = _cpu(service) + _cpu(database)
                full = _load(port, service, authorization, seconds, 0.0, 0)
                full |= _drained(engine, full.pop("ended"))
                spent = _cpu(service) + _cpu(database) - cpu_before
                # All of it: received, read into records, and most of the index.
                full["cpu_microseconds_each"] = round(spent / full["statements"] * 1e6)
                rate = full["statements_per_second"] / 2
                half = _load(
                    port, service, authorization, half_seconds, BATCH * CLIENTS / rate, 100_000
                )
                half.pop("ended")
                sums = _sums(engine)
                engine.dispose()
    return {
        "clients": CLIENTS,
        "batch": BATCH,
        "mean_bytes": round(len(_batches()[0]) / BATCH),
        "workers": workers,
        "python": platform.python_version(),
        "postgresql": server.version,
        "cores": os.cpu_count(),
        "floor_statements_per_second": round(floor),
        "share_of_floor": round(full["statements_per_second"] / floor, 3),
        # Of both, whoever sends runs on the same processors; the floor's clients do little else.
        "share_with_load_not_counted": round(full["load_not_counted_per_second"] / floor, 3),
        "full_load": full,
        "half_load": half,
        **sums,
    }


def _batches() -> list[str]:
    """Batches as logstore_xapi sends them; MARK and LEARNERS in them are others in each that is
    sent. A thousand learners do 240 modules; one in thirty fails."""
    batches = []
    for first in range(0, BATCHES * BATCH, BATCH):
        statements = []
        for number in range(first, first + BATCH):
            each = completion(number)
            learner = f"{LEARNERS}{number % 10}"
            each["actor"] = {
                "name": f"Learner {learner}",
                "account": {"homePage": SITE, "name": staff_number(0)[:-3] + learner},
            }
            each["timestamp"] = each["timestamp"].replace(".000Z", f".{MARK}Z")
            each["result"]["success"] = number % 30 != 7
            if number % _MAPPED == 0:
                extensions = each["object"]["definition"]["extensions"]
                extensions[_EXTERNAL] = course_idnumber(number % 240 // _MAPPED % COURSES)
            statements.append(each)
        batches.append(json.dumps(statements, separators=(",", ":")).replace("/", "\\/"))
    return batches


def _floor(url: str) -> float:
    """Rows a second of the bare insert: `CLIENTS` processes, `BATCH` rows a transaction."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE floor (client int, n bigint, body bytea, PRIMARY KEY (client, n))")
        )
    rows = "\n".join(
        json.dumps(each, separators=(",", ":")).replace("/", "\\/")
        for each in json.loads(_batches()[0])
    ).encode()
    started = []
    for client in range(CLIENTS):
        process = subprocess.Popen(
            [sys.executable, "-c", _FLOOR, url, "8", str(client)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(rows)
        process.stdin.close()
        started.append(process)
    rates = []
    for process in started:
        assert process.stdout is not None
        rates.append(float(process.stdout.read()))
        process.wait()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE floor"))
    engine.dispose()
    return sum(rates)


def _site(folder: Path, url: str) -> str:
    """A site's folder, with a credential; the Authorization header of that."""
    write_key_file(folder / "keys.txt")
    (folder / "mappings").mkdir()
    (folder / "frameworks").mkdir()
    (folder / "bridge.toml").write_text(
        "[jobs]\nstatus_port = 0\n"
        '[xapi.source.moodle-xapi]\nidentity = ["staff-number"]\n'
        f'homes = {{ "{SITE}" = "staff-number" }}\n'
    )
    engine = open_engine(url)
    sender, secret = issue(context(engine), "moodle-xapi", "The bench", scopes=[Scope.WRITE])
    engine.dispose()
    return "Basic " + base64.b64encode(f"{sender.name}:{secret}".encode()).decode()


@contextmanager
def _running(folder: Path, url: str, workers: int) -> Iterator[tuple[int, psutil.Process]]:
    """The service, and its port."""
    toml = folder / "bridge.toml"
    toml.write_text(toml.read_text() + f"[web]\nworkers = {workers}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "run", "--site", str(folder), "--gunicorn"],
        cwd=ROOT,
        env={**os.environ, "BRIDGE_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        port = int(line.rstrip().rstrip("/").rpartition(":")[2])
        time.sleep(8)  # until the workers are there
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)
        if os.environ.get("BENCH_LOG"):
            print((folder / "log").read_text()[-3000:], file=sys.stderr)


def _load(
    port: int,
    service: psutil.Process,
    authorization: str,
    seconds: float,
    every: float,
    offset: int,
) -> dict[str, Any]:
    before = _cpu(service)
    memory = 0
    started = []
    for client in range(CLIENTS):
        # Not a pipe: nobody reads before the end, and what a fast client tells would not fit.
        told_in = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed where it is read
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sending", str(port), str(seconds), str(every),
             str(offset + client * 200_000)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=told_in,
            text=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps([authorization, _batches()]))
        process.stdin.close()
        started.append((process, told_in))
    while any(process.poll() is None for process, _ in started):
        memory = max(memory, _rss(service))
        time.sleep(1)
    told = []
    for _, told_in in started:
        with told_in:
            told_in.seek(0)
            told.append(json.load(told_in))
    took = sorted(ms for one in told for ms in one["ms"])
    wrong = [each for one in told for each in one["wrong"]]
    elapsed = max(one["seconds"] for one in told)
    sent = BATCH * (len(took) - len(wrong))
    clients_cpu = sum(one["cpu"] for one in told)
    cores = os.cpu_count() or 1
    return {
        "statements": sent,
        "seconds": round(elapsed, 1),
        "statements_per_second": round(sent / elapsed),
        # What the same processors would do if somebody else's sent the statements.
        "load_not_counted_per_second": round(sent / (elapsed - clients_cpu / cores)),
        "p50_ms": round(took[len(took) // 2]),
        "p99_ms": round(took[int(len(took) * 0.99)]),
        "worst_ms": round(took[-1]),
        "wrong": len(wrong),
        "wrong_said": sorted(set(wrong))[:5],
        "clients_cpu_seconds": round(clients_cpu, 1),
        "service_cpu_seconds": round(_cpu(service) - before, 1),
        "service_peak_rss_mb": memory // 1_000_000,
        "ended": time.monotonic(),
    }


def _family(service: psutil.Process) -> Sequence[psutil.Process]:
    return [service, *service.children(recursive=True)]


def _cpu(service: psutil.Process) -> float:
    total = 0.0
    for each in _family(service):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _rss(service: psutil.Process) -> int:
    total = 0
    for each in _family(service):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _drained(engine: Engine, ended: float) -> dict[str, Any]:
    """How long it takes until everything that came has its disposition."""
    waits = text("SELECT count(*) FROM lrs_queue WHERE work = 'drain'")
    left = None
    while time.monotonic() - ended < _DRAINED_WITHIN:
        with engine.connect() as connection:
            count = connection.execute(waits).scalar_one()
        left = count if left is None else left
        if not count:
            break
        time.sleep(0.5)
    return {
        "requests_left_at_the_end": left,
        "drained_seconds_after_the_end": round(time.monotonic() - ended, 1),
    }


def _sums(engine: Engine) -> dict[str, Any]:
    time.sleep(5)
    with engine.connect() as connection:
        received = connection.execute(text("SELECT count(*) FROM received")).scalar_one()
        decided = connection.execute(
            text("SELECT disposition, count(*) FROM learning_records GROUP BY disposition")
        ).all()
        waits = connection.execute(text("SELECT work, count(*) FROM lrs_queue GROUP BY work")).all()
    return {
        "received": received,
        "dispositions": {row[0]: row[1] for row in decided},
        "requests_waiting_at_the_end": {row[0]: row[1] for row in waits},
    }
