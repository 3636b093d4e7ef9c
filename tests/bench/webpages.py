"""How every page does: queries, processor time, time to answer under load, and what is transferred.

`python -m tests.bench pages` prints it. The limits are those that the pages were built to.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from bridge.bootstrap import Bridge, web_site
from bridge.jobs.servers import Gunicorn
from bridge.services.people import issue_token
from bridge.web.app import create_app
from tests.bench.databases import postgresql
from tests.bench.partnership import TRAINER, fill, make_folder, open_site, sign_in
from tests.bench.server import CPU, FLOOR, QUERIES
from tests.bench.visits import Visit, visits

ROOT = Path(__file__).parents[2]
MOST_QUERIES, MOST_CPU_MS, MOST_P95_MS = 12, 40.0, 150.0
MOST_FIRST, MOST_AFTER = 200_000, 30_000
_TAGS = re.compile(r"<(?:link|script|img)\b[^>]*>")
_ADDRESS = re.compile(r'\b(?:href|src)="([^"]+)"')
_IN_CSS = re.compile(r"url\([\"']?([^)\"'#?]+)[^)]*\)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came over the wire; `size` is that of its head and (compressed) body."""

    status: int
    headers: dict[str, str]
    body: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks the server on 127.0.0.1, as somebody."""

    port: int
    head: dict[str, str]

    def get(self, path: str, encoding: str = "br, gzip") -> Answer:
        """Ask once, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": encoding, **self.head})
            response = connection.getresponse()
            body = response.read()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, body, len(body) + len(str(response.headers)))
        finally:
            connection.close()


def measure_pages(
    folder: Path, people: int, claims: int, rate: float, seconds: float, times: int
) -> dict[str, Any]:
    """Fill a database in `folder` unless that was done, serve it, and measure every page."""
    with postgresql(folder) as server:
        site = folder / "site"
        if not site.exists():
            url = server.new("pages")
            make_folder(site, url)
            with opened(site) as bridge:
                fill(bridge, people, claims)
        with opened(site) as bridge:
            wanted, unknown = _wanted(bridge)
            heads = _heads(bridge, wanted)
        with serving(site) as port:
            measured = [_one(Caller(port, heads[v]), v, times) for v in wanted]
            floor = _one(Caller(port, heads[wanted[0]]), Visit("floor", FLOOR, TRAINER), times)
            late = _load(port, [(v.path, heads[v]) for v in wanted], rate, seconds)
    for number, page in enumerate(measured):
        page |= _under_load(late.get(number, []))
    return {
        "database": server.version,
        "cores": len(os.sched_getaffinity(0)),
        "rate": rate,
        "floor": floor,
        "all_pages": _under_load([each for found in late.values() for each in found]),
        "over": [over for page in measured if (over := _over(page))],
        "not_visited": unknown,
        "pages": measured,
    }


@contextmanager
def opened(site: Path) -> Iterator[Bridge]:
    """The site, let go of at the end."""
    bridge = open_site(site)
    try:
        yield bridge
    finally:
        bridge.close()


def _wanted(bridge: Bridge) -> tuple[list[Visit], list[str]]:
    app = create_app(web_site(bridge, "http://127.0.0.1"))
    with bridge.engine.connect() as connection:
        return visits(app, connection)


def _heads(bridge: Bridge, wanted: Sequence[Visit]) -> dict[Visit, dict[str, str]]:
    """Sign everybody in: what each visit's requests carry."""
    secrets = {(v.person, v.evidence): "" for v in wanted}
    for person, evidence in secrets:
        secrets[person, evidence] = sign_in(bridge, person, evidence)
    tokens = {person: issue_token(bridge.context, person) for person, _ in secrets}
    return {
        v: {"Authorization": f"Bearer {tokens[v.person]}"}
        if v.endpoint.startswith("api.")
        else {"Cookie": f"bridge={secrets[v.person, v.evidence]}"}
        for v in wanted
    }


@contextmanager
def serving(site: Path) -> Iterator[int]:
    """The application in gunicorn's processes, as `bridge run` has it; gives the port."""
    where = {"BRIDGE_BENCH_SITE": str(site), "PYTHONPATH": str(ROOT)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        with Gunicorn("tests.bench.server:application()", 2, where)(
            listener, f"http://127.0.0.1:{port}"
        ):
            yield port


def _one(caller: Caller, visit: Visit, times: int) -> dict[str, Any]:
    """Open one page again and again, first to warm both processes up."""
    for _ in range(4):
        caller.get(visit.path)
    answers = [caller.get(visit.path) for _ in range(times)]
    cpu = [float(a.headers[CPU.lower()]) for a in answers]
    first, after = _weights(caller, visit.path)
    return {
        "page": visit.endpoint,
        "path": visit.path,
        "person": visit.person,
        "status": answers[-1].status,
        "queries": max(int(a.headers[QUERIES.lower()]) for a in answers),
        "cpu_ms": round(statistics.median(cpu), 1),
        "cpu_ms_max": round(max(cpu), 1),
        "first_visit_bytes": first,
        "later_visit_bytes": after,
    }


def _weights(caller: Caller, path: str) -> tuple[int, int]:
    """What a browser transfers for a page: with nothing kept, and with all kept that may be."""
    page = caller.get(path)
    first = after = page.size
    if not page.headers.get("content-type", "").startswith("text/html"):
        return first, after
    todo, seen = _linked(caller.get(path, "identity").body.decode(), path), set()
    while todo:
        address = todo.pop()
        if address in seen or not address.startswith("/"):
            continue
        seen.add(address)
        answer = caller.get(address)
        first += answer.size
        if "max-age" not in answer.headers.get("cache-control", ""):
            after += answer.size
        if answer.headers.get("content-type", "").startswith("text/css"):
            css = caller.get(address, "identity").body.decode()
            todo += [urljoin(address, found) for found in _IN_CSS.findall(css)]
    return first, after


def _linked(html: str, path: str) -> list[str]:
    found = []
    for tag in _TAGS.findall(html):
        address = _ADDRESS.search(tag)
        if address and (not tag.startswith("<link") or re.search(r'rel="(stylesheet|icon)"', tag)):
            found.append(urljoin(path, unescape(address[1])))
    return found


def _load(
    port: int, pages: Sequence[tuple[str, dict[str, str]]], rate: float, seconds: float
) -> dict[int, list[float]]:
    """Ask for all pages in turn at that rate from another process; the milliseconds of each, by its
    place in the list."""
    if not seconds:
        return {}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load", str(port), str(rate), str(seconds)],
        cwd=ROOT,
        input=json.dumps([[path, head] for path, head in pages]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[int, list[float]] = defaultdict(list)
    for number, milliseconds in json.loads(done.stdout):
        found[number].append(milliseconds)
    return found


def _under_load(milliseconds: Sequence[float]) -> dict[str, Any]:
    if len(milliseconds) < 2:
        return {"requests": len(milliseconds)}
    cuts = statistics.quantiles(milliseconds, n=20, method="inclusive")
    return {
        "requests": len(milliseconds),
        "p50_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": round(cuts[-1], 1),
    }


def _over(page: dict[str, Any]) -> dict[str, Any] | None:
    """What of a page is over its limit."""
    limits = {
        "queries": MOST_QUERIES,
        "cpu_ms": MOST_CPU_MS,
        "p95_ms": MOST_P95_MS,
        "first_visit_bytes": MOST_FIRST,
        "later_visit_bytes": MOST_AFTER,
    }
    found = {name: page[name] for name, most in limits.items() if page.get(name, 0) > most}
    if page["status"] >= 400:
        found["status"] = page["status"]
    return {"page": page["page"], "path": page["path"], **found} if found else None
