"""`bridge run --gunicorn`: several web processes beside the jobs, begun and ended with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from bridge.sitefolder import make_site
from tests.jobs.site import eventually


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A site that is served by gunicorn, and its address. Its Moodle is not there."""
    folder = tmp_path / "site"
    make_site(folder, url="http://127.0.0.1:9")
    config = folder / "bridge.toml"
    config.write_text(config.read_text() + "\n[jobs]\nstatus_port = 0\n[web]\nworkers = 2\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "run", "--gunicorn", "--site", str(folder)],
        env={**os.environ, "BRIDGE_MOODLE_TOKEN": "x"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().rpartition(" ")[2].strip()
    try:
        yield process, address
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ready(address: str) -> bool:
    """Whether the pages answer, with their database."""
    try:
        return requests.get(f"{address}readyz", timeout=10).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def test_it_serves_comes_back_after_a_crash_and_ends_with_the_jobs(
    running: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = running
    eventually(lambda: ready(address), "a page from gunicorn")
    answer = requests.get(f"{address}sign-in", timeout=10)
    assert answer.headers["Server"] == "gunicorn"
    (master,) = psutil.Process(process.pid).children()
    assert len(master.children()) == 2
    workers = master.children(recursive=True)
    for each in (*workers, master):
        each.kill()
    eventually(lambda: ready(address), "a page again after gunicorn was killed")
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert not any(child.is_running() for child in children)
