"""The process: one at a time on SQLite, ended by a signal, with its pages."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import Engine

from bridge.demo.moodle import Fault
from bridge.domain.errors import BridgeError
from bridge.domain.permissions import Role
from bridge.jobs.embedded import EmbeddedJobs, JobTimes
from bridge.jobs.lock import only_one
from bridge.jobs.run import serve
from bridge.jobs.servers import threads
from bridge.services import roles, signin
from bridge.services.context import Context
from bridge.services.ledger import runs
from tests.jobs.site import TestSite, eventually, prepare, pulled_whole, web_app
from tests.support import opened


@pytest.fixture
def engine(sqlite_site: TestSite) -> Iterator[Engine]:
    """The site's database, prepared."""
    with opened(sqlite_site.database) as engine:
        prepare(engine)
        yield engine


def test_a_second_run_refuses_naming_the_first_until_that_is_killed(
    sqlite_site: TestSite,
) -> None:
    assert sqlite_site.lock is not None
    with sqlite_site.running() as first:
        with (
            pytest.raises(BridgeError, match=f"process {first.process.pid} on .*PostgreSQL"),
            only_one(sqlite_site.lock),
        ):
            pass
        with pytest.raises(AssertionError, match="did not start"):
            sqlite_site.start()
        first.kill()
        with sqlite_site.running() as second:
            assert requests.get(second.page, timeout=10).status_code == 200
            assert second.end() == 0
    with only_one(sqlite_site.lock):
        assert sqlite_site.lock.with_suffix(".txt").exists()
    assert not sqlite_site.lock.with_suffix(".txt").exists()


def test_asked_to_end_it_finishes_the_page_in_hand_and_gives_the_lease_back(
    engine: Engine, sqlite_site: TestSite
) -> None:
    retrieve = "core_reportbuilder_retrieve_report"
    sqlite_site.moodle.faults.add(Fault.SLOW, value=0.3, function=retrieve)
    with sqlite_site.running() as run:
        eventually(lambda: sqlite_site.moodle.calls(retrieve) >= 3, "the third page")
        assert run.end() == 0
    asked = sqlite_site.moodle.calls(retrieve)
    assert asked < 14, "it read on to the last page"
    context = sqlite_site.works(engine).context
    (left,) = runs(context)
    assert left.ended_at is not None
    assert "stopped" in left.message
    # Everything that was asked for is there, so no page was dropped half-way.
    assert left.counts["new"] in (60 * asked, 60 * (asked - 1))
    sqlite_site.moodle.faults.clear()
    with sqlite_site.running() as again:
        eventually(pulled_whole(engine), "the rest")
        assert again.end() == 0


def test_the_pages_are_served_by_the_same_process_until_it_is_stopped(
    engine: Engine, sqlite_site: TestSite
) -> None:
    works = sqlite_site.works(engine)
    jobs = EmbeddedJobs(works, JobTimes())
    stop = threading.Event()
    told: list[str] = []
    thread = threading.Thread(
        target=serve,
        args=(jobs, threads(lambda address: web_app(works, jobs, address.rstrip("/")))),
        kwargs={"host": "127.0.0.1", "port": 0, "lock_path": sqlite_site.lock,
                "on_ready": told.append, "stop": stop},
    )  # fmt: skip
    thread.start()
    try:
        eventually(lambda: told, "the address of the page")
        assert requests.get(f"{told[0]}healthz", timeout=10).json() == {"ok": True}
        assert requests.get(f"{told[0]}readyz", timeout=10).json() == {"ok": True}
        desk = f"{told[0]}training/"
        assert requests.get(desk, timeout=10).url.startswith(f"{told[0]}sign-in")
        browser = {"bridge": _signed_in(works.context)}
        status = requests.get(f"{desk}status.json", cookies=browser, timeout=10).json()
        assert [source["source"] for source in status["sources"]] == ["moodle"]
        assert {job["job"] for job in status["jobs"]} >= {"pull moodle", "sweep moodle"}
    finally:
        stop.set()
        thread.join()
    with pytest.raises(requests.ConnectionError):
        requests.get(told[0], timeout=10)


def _signed_in(system: Context) -> str:
    """The secret of a browser in which somebody of the training team is signed in."""
    with system.store.begin() as uow:
        person = uow.people.add("Tess Team", system.clock.now())
    roles.grant_role(system, person, Role.TRAINING_TEAM)
    return signin.start_session(system, person, "password", signin.Lasting())


def test_a_port_in_use_is_refused_in_words(engine: Engine, sqlite_site: TestSite) -> None:
    works = sqlite_site.works(engine)
    jobs = EmbeddedJobs(works, JobTimes())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BridgeError, match=f"port {port} .*status_port"):
            serve(
                jobs,
                threads(lambda address: web_app(works, jobs, address)),
                host="127.0.0.1",
                port=port,
                lock_path=None,
                on_ready=print,
            )
    assert sqlite_site.moodle.calls() == 0
