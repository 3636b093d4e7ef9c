"""The training desk: true, signed in only, with numbers that lead to their lists."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.errors import BadAnswer
from bridge.domain.mail import MailKind, NewMail
from bridge.domain.permissions import Role
from bridge.domain.records import Disposition
from bridge.jobs import work
from bridge.jobs.work import Works
from bridge.services import people, roles, signin
from bridge.services.ledger import ledger
from bridge.services.pull import Trusted, pull
from bridge.services.status import JobTime, StatusReader
from bridge.services.verify import revoke
from tests.jobs.site import TestSite, play, prepare, web_app
from tests.support import NOW, Completion, ListSource, World, opened
from tests.web.site import Browser, WebWorld
from tests.web.test_practitioner_cost import MOST, asked

STRANGER = "Zebedee.Quillfeather@example.org"
DESK = "/training/"


@dataclass
class Populated:
    """A site in which all sorts of things went wrong, and a training team's browser on it."""

    world: World
    works: Works
    browser: Browser

    @property
    def told(self) -> Any:
        """What the desk tells machines."""
        return self.browser.get("/training/status.json").json


@pytest.fixture(scope="module")
def populated(
    databases: Callable[[str], AbstractContextManager[str]],
) -> Iterator[Populated]:
    """200 learners pulled; four badges: in step, waiting for an account, and to be taken away."""
    with (
        databases("sqlite") as url,
        opened(url) as engine,
        StandInMoodle(seed.demo_site(NOW)) as moodle,
    ):
        world = prepare(engine)
        works = TestSite("", moodle, time.time()).works(engine)
        work.sweep(works, "moodle")
        play(world, moodle, 4)
        work.deliver(works, "moodle")
        _revoke_one(world)
        _unlink_one(world)
        work.deliver(works, "moodle")
        _fail_another_source(works)
        jobs = [JobTime("pull moodle", NOW), JobTime("never", None)]
        keys = {"moodle", "quiet"}
        read = StatusReader(works.context, "SQLite", keys, keys, lambda: jobs)
        client = web_app(works, status=read).test_client()
        team = world.person("Tess Team")
        roles.grant_role(world.ctx, team, Role.TRAINING_TEAM)
        secret = signin.start_session(works.context, team, "password", signin.Lasting())
        client.set_cookie("bridge", secret)
        yield Populated(world, works, Browser(client, secret))


def _revoke_one(world: World) -> None:
    """The manager takes a verification back, so a badge is to go that stock Moodle keeps."""
    claim, manager = world.rows("SELECT claim_id, verifier_id FROM verifications ORDER BY id")[0]
    revoke(world.as_(manager), claim, "It was somebody else's work.")


def _unlink_one(world: World) -> None:
    """An account turns out to be nobody's, and a badge is wanted again for its person."""
    ((account, state),) = world.rows(
        "SELECT account_id, id FROM target_states ORDER BY id DESC LIMIT 1"
    )
    people.unlink(world.ctx, account, "Not theirs.")
    with world.engine.begin() as connection:
        lost = text("UPDATE target_states SET observed = 'absent' WHERE id = :id")
        connection.execute(lost, {"id": state})


def _fail_another_source(works: Works) -> None:
    """One whose answer held somebody's address, and what it gave before was unreadable."""
    source = ListSource("events", [Completion(when=None), Completion("u2")])

    def complain(number: int) -> None:
        raise BadAnswer(f"events: nonsense about {STRANGER}", peer="events")

    trusted = Trusted(source, "events")
    pull(works.context, trusted)
    source.before_page = complain
    with pytest.raises(BadAnswer):
        pull(works.context, trusted)


def test_nobodys_name_address_or_number_is_on_it(populated: Populated) -> None:
    shown = [populated.browser.get(path).text for path in (DESK, "/training/status.json")]
    shown = [page.replace("Tess Team", "").casefold() for page in shown]
    names: set[str] = {STRANGER}
    for query in (
        "SELECT display_name FROM people",
        "SELECT value FROM person_identifiers",
        "SELECT display_name FROM accounts",
        "SELECT email FROM accounts",
        "SELECT staff_number FROM accounts",
        "SELECT username FROM accounts",
    ):
        names.update(row[0] for row in populated.world.rows(query) if row[0])
    assert len(names) > 700
    for name in names:
        assert not any(name.casefold() in page for page in shown), name


def test_it_tells_each_sources_ledger_and_that_it_adds_up(populated: Populated) -> None:
    told = {source["source"]: source for source in populated.told["sources"]}
    for line in ledger(populated.world.ctx):
        shown = told[line.source]
        assert shown["received"] == line.received
        assert shown["dispositions"] == dict(line.counts)
        assert shown["adds_up"] is True
    assert told["moodle"]["health"] == "well"
    assert told["moodle"]["lag_seconds"] >= 0
    assert told["events"]["dispositions"][Disposition.QUARANTINED.value] == 1
    assert told["events"]["outcome"] == "events: nonsense about (address)"
    assert told["quiet"]["outcome"] == "It has not been pulled yet."
    page = populated.browser.get(DESK).text
    assert page.count("✓ The ledger adds up.") == 2


def test_it_names_unmapped_activities_and_how_many_wait(populated: Populated) -> None:
    titles = {each["title"]: each for each in populated.told["unmapped"]}
    assert titles["Fire Safety"]["people"] > 0
    assert "Fire Safety" in populated.browser.get(DESK).text


def test_it_tells_what_each_target_waits_for_in_counts(populated: Populated) -> None:
    status = populated.told
    told = {target["target"]: target for target in status["targets"]}
    assert told["moodle"]["in_step"] == 2
    assert told["moodle"]["needs_you"] == 2
    assert len(told["moodle"]["reasons"]) == 2
    assert told["quiet"]["health"] == "well"
    assert status["health"] == "needs you"


def test_it_tells_when_each_job_comes_next(populated: Populated) -> None:
    assert populated.told["jobs"] == [
        {"job": "pull moodle", "next_at": "2026-06-15T09:00:00+00:00"},
        {"job": "never", "next_at": None},
    ]
    assert "Mon 15 Jun 2026, 10:00" in populated.browser.get(DESK).text


def test_every_number_leads_to_its_list(populated: Populated) -> None:
    page = populated.browser.get(DESK).text
    for path, word in (
        ("/training/unmapped?source=moodle", "Fire Safety"),
        ("/training/quarantine?source=events", "no date"),
        ("/training/unmatched", "Settle"),
        ("/training/pulls?source=events", "nonsense about"),
    ):
        assert f'href="{path}"' in page, path
        answer = populated.browser.get(path)
        assert answer.status_code == 200
        assert word in answer.text, path


def test_the_page_has_neither_inline_script_nor_inline_style(populated: Populated) -> None:
    page = populated.browser.get(DESK).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page, re.IGNORECASE)


@pytest.mark.parametrize("path", [DESK, "/training/status.json", "/training/pulls"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_it_can_only_be_read(populated: Populated, path: str, method: str) -> None:
    assert populated.browser.client.open(path, method=method).status_code == 405


@pytest.mark.parametrize("path", [DESK, "/training/status.json", "/training/trail"])
def test_a_stranger_is_sent_to_sign_in(populated: Populated, path: str) -> None:
    stranger = populated.browser.client.application.test_client()
    answer = stranger.get(path)
    assert answer.status_code == 302
    assert "/sign-in?next=" in answer.headers["Location"]


def test_only_health_is_public(populated: Populated) -> None:
    stranger = populated.browser.client.application.test_client()
    assert stranger.get("/healthz").json == {"ok": True}
    assert stranger.get("/readyz").json == {"ok": True}


def test_every_mail_that_is_stuck_is_found_page_by_page(pages: WebWorld) -> None:
    world = pages.world
    team = world.person("team")
    pages.give(team, [Role.TRAINING_TEAM])
    browser = pages.browser(team)
    people = [world.person(f"Stuck {n:02}") for n in range(45)]
    now = world.clock.now()
    with world.store.begin() as uow:
        mails = [NewMail(MailKind.WAITING, f"waiting:{p}", p, {}, now) for p in people]
        uow.outbox.put(mails, now)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET needs_you = true, error = '550 gone'"))
    queries = asked(world, browser, "/training/stuck")
    assert len(queries) <= MOST, "\n\n".join(queries)
    path, seen = "/training/stuck", []
    for _ in range(3):
        page = browser.get(path).text
        seen += re.findall(r"To <a [^>]*>(Stuck \d\d)</a>", page)
        onward = re.search(r'href="(/training/mails\?after=\d+)"', page)
        path = onward[1] if onward else ""
    assert path == ""
    assert seen == [f"Stuck {n:02}" for n in range(45)]
    (mail,) = world.rows("SELECT min(id) FROM outbox")[0]
    back = browser.post(f"/training/mails/{mail}/retry", {"from": "mails"})
    assert back.headers["Location"] == "/training/mails"
    assert "44 mails need somebody" in browser.get("/training/mails").text


def test_a_site_without_anything_has_a_desk(pages: WebWorld) -> None:
    team = pages.world.person("team")
    pages.give(team, [Role.TRAINING_TEAM])
    page = pages.browser(team).get(DESK).text
    assert "It has not been pulled yet." in page
    assert "✓ None." in page
    for path in ("unmapped", "unmatched", "quarantine", "stuck", "mappings", "people", "pulls",
                 "trail", "staff", "people/unplaced/post", "people/unplaced/manager"):  # fmt: skip
        assert pages.browser(team).get(f"/training/{path}").status_code == 200, path
