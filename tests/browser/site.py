"""A whole site for the browser: a stand-in Moodle, a site folder, and the pages really served."""

from __future__ import annotations

import email
import email.policy
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from bridge import log
from bridge.bootstrap import Bridge, SystemClock, open_bridge, publish_files, web_site
from bridge.bootstrap_doors import mail_room
from bridge.catalog.staff import parse_staff_list
from bridge.demo.idp import StandInProvider
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.tables import User
from bridge.domain.claims import ClaimState
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.mapping import CompetencyRef
from bridge.domain.permissions import Role
from bridge.domain.scope import SYSTEM, Actor, of_person
from bridge.jobs import work
from bridge.jobs.servers import threads
from bridge.jobs.work import Works
from bridge.services import evidence as evidence_service
from bridge.services import people as people_service
from bridge.services import pull as pull_service
from bridge.services import roles, signin
from bridge.services import verify as verify_service
from bridge.services.context import Context
from bridge.services.evidence import Item
from bridge.services.signin import Lasting
from bridge.services.staff import StaffReport, take_staff_list
from bridge.sitefolder import make_site
from bridge.web.app import create_app
from tests.support import FrozenClock

SOURCE = "moodle"
HEADER = (
    "staff_number,email,name,organisation,role,target_groups,manager_staff_number,"
    "start_date,london_level"
)
AGENCY = "Northmere Council Children's Services"
#: An organisation that follows a framework of its own (R11).
ACADEMY = "Saint Cuthbert's Academy"
SETTINGS = """\
database = "sqlite:///bridge.db"

[moodle.moodle]
url = "{url}"
token_file = "moodle.token"
identity = ["staff-number"]

[mail]
sender = "Competency Bridge <bridge@northmere.example.org>"
go_live = 2020-01-01

[web]
contact = "training@northmere.example.org"
upload_megabytes = 2

[oidc.council]
title = "Northmere work account"
issuer = "{issuer}"
client_id = "competency-bridge"
secret_file = "work.secret"
identity = ["staff-number"]

[organisation.saint-cuthbert-s-academy]
name = "Saint Cuthbert's Academy"
kind = "school"
exempt = "Keeping Children Safe in Education"
"""
WORDS = (
    "I asked what a day is like for the child and wrote it down the same day. Since then I hand "
    "over to the evening team in person."
)


@dataclass(frozen=True)
class Someone:
    """A person of the site: the bridge's number, the staff number, and Moodle's user number."""

    id: int
    name: str
    number: str
    moodle: int = 0

    @property
    def email(self) -> str:
        """The work address that the staff list has."""
        return address_of(self.name)


def address_of(name: str) -> str:
    """The work address of somebody of that name."""
    return re.sub(r"[^a-z]+", ".", name.casefold()).strip(".")[:60] + "@northmere.example.org"


@dataclass
class BridgeSite:
    """The site while it is served; `address` is where."""

    bridge: Bridge
    moodle: StandInMoodle
    idp: StandInProvider
    address: str
    app: Flask
    mail_folder: Path
    _users: int = 5000
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        """The surroundings of the system's acts."""
        return self.bridge.context

    def works(self) -> Works:
        """What the jobs work with."""
        system = self.ctx.acting_as(Actor(SYSTEM, "job"))
        room = mail_room(self.bridge, self.address)
        return Works(system, self.bridge.sources, self.bridge.targets, room)

    # --- what happens elsewhere, and what the jobs do then ------------------------------------
    def complete(self, someone: Someone, course: str, *, hours_ago: float = 3) -> None:
        """They complete a course in Moodle."""
        site = self.moodle.site
        with self.moodle.lock:
            (found,) = (c for c in site.courses.values() if c.shortname == course)
            site.complete(someone.moodle, found.id, site.clock() - timedelta(hours=hours_ago),
                          grade=92.0)  # fmt: skip

    def pull(self, *, full: bool = False) -> None:
        """The job that pulls runs; in full, as somebody asks for it by hand."""
        if full:
            # The job of the night makes one full pull a night.
            works = self.works()
            pull_service.pull(works.context, works.sources[SOURCE], full=True)
        else:
            work.pull(self.works(), SOURCE, timedelta(0))

    def deliver(self) -> None:
        """The jobs that award and deliver badges run."""
        work.deliver(self.works(), SOURCE)

    def count(self) -> None:
        """The nightly job that makes the partnership's counts runs."""
        work.count_all(self.works())

    def send_mail(self, *, days_later: int = 0) -> None:
        """The job that sends mail runs; so many days later, at noon, if told."""
        works = self.works()
        if days_later:
            noon = (self.ctx.clock.now() + timedelta(days=days_later)).replace(hour=12)
            works = replace(works, context=replace(works.context, clock=FrozenClock(noon)))
        work.mail(works)

    def letters(self, to: Someone | str, kind: str = "") -> list[str]:
        """The text of the mails that somebody got, oldest first."""
        address = to if isinstance(to, str) else to.email
        found: list[tuple[float, str]] = []
        for path in self.mail_folder.glob(f"{kind}*.eml"):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            if address in str(message["To"]) and body is not None:
                found.append((path.stat().st_mtime_ns, body.get_content()))
        return [text for _, text in sorted(found)]

    # --- people ---------------------------------------------------------------------------------
    def staff(self, *rows: str) -> None:
        """A staff list with these lines is taken in."""
        report = self.staff_list("\n".join((HEADER, *rows)) + "\n")
        assert report.rows == len(rows), report

    def staff_list(self, text: str) -> StaffReport:
        """A whole staff list is taken in; the files behind it are read but once."""
        if "staff-file" not in self.kept:
            self.kept["staff-file"] = self.bridge.read_staff(text, "staff.csv")
            editions = self.bridge.files().frameworks.editions
            self.kept["groups"] = {group.key for edition in editions for group in edition.groups}
        rows = parse_staff_list(text, "staff.csv", self.kept["groups"])
        organisations = self.kept["staff-file"].organisations
        return take_staff_list(self.ctx, rows, organisations, self.bridge.identity)

    def pair(self, learner: str, manager: str, *courses: str) -> tuple[Someone, Someone]:
        """A practitioner who has just completed these courses in Moodle, and their manager."""
        boss = self.person(manager, moodle=False)
        who = self.person(learner, boss)
        for course in courses:
            self.complete(who, course)
        self.pull()
        return who, boss

    def person(
        self,
        name: str,
        manager: Someone | None = None,
        *,
        groups: str = "frontline",
        organisation: str = AGENCY,
        role: str = "Social worker",
        moodle: bool = True,
    ) -> Someone:
        """Somebody new in the staff list, with an account in Moodle unless told otherwise."""
        self._users += 1
        number = f"NEW{self._users}"
        boss = manager.number if manager else ""
        self.staff(
            f'{number},{address_of(name)},"{name}","{organisation}",{role},{groups},{boss},'
            "2021-04-01,2"
        )
        if moodle:
            self.account(name, number, organisation)
        return Someone(self.find(number), name, number, self._users if moodle else 0)

    def outsider(self, name: str) -> Someone:
        """Somebody with an address and without a post: from outside the partnership."""
        with self.ctx.store.begin() as uow:
            person = uow.people.add(name, self.ctx.clock.now())
            address = Identifier(IdentifierKind.EMAIL, address_of(name))
            uow.people.add_identifier(person, address, self.ctx.clock.now())
        return Someone(person, name, "")

    def account(self, name: str, number: str, organisation: str = AGENCY) -> int:
        """An account in Moodle with that staff number; its user number."""
        first, _, last = name.rpartition(" ")
        with self.moodle.lock:
            self.moodle.site.add_user(
                User(self._users, f"user{self._users}", first, last, address_of(name), number,
                     institution=organisation)
            )  # fmt: skip
        return self._users

    def find(self, number: str) -> int:
        """The person with that staff number."""
        return people_service.find(self.ctx, number).id

    def give(self, someone: Someone, role: Role, organisation: str | None = None) -> None:
        """Give somebody a role."""
        roles.grant_role(self.ctx, someone.id, role, organisation)

    def acting(self, person: Someone | int) -> Context:
        """The surroundings of a person's acts."""
        number = person if isinstance(person, int) else person.id
        return self.ctx.acting_as(Actor(of_person(number), "web"))

    def items(self, someone: Someone) -> list[Item]:
        """Somebody's evidence."""
        return evidence_service.items(self.acting(someone), person=someone.id)

    def submit(self, someone: Someone, item: Item, verifier: Someone, *codes: str) -> None:
        """They submit a piece of evidence, by the service that the page uses."""
        refs = [c.ref for c in item.claims if not codes or c.ref.code in codes]
        evidence_service.submit(
            self.acting(someone), item.evidence.id, refs, WORDS, verifier.id,
            used="In my visits and in supervision, every week since.",
        )  # fmt: skip

    def verify(self, verifier: Someone, item: Item, *codes: str) -> None:
        """They verify it, by the service that the page uses."""
        refs = [CompetencyRef("llr-2020", code) for code in codes] or None
        verify_service.verify(self.acting(verifier), item.evidence.id, refs, "supervision")

    def states(self, someone: Someone) -> list[ClaimState]:
        """The states of all their claims."""
        return [claim.state for item in self.items(someone) for claim in item.claims]

    def session(self, person: int, data: Mapping[str, Any] | None = None) -> str:
        """A session that somebody began elsewhere; the secret that a browser would hold."""
        return signin.start_session(self.ctx, person, "password", Lasting(), data)


@contextmanager
def serving(pages: Callable[[str], Flask]) -> Iterator[tuple[str, Flask]]:
    """Serve pages with the bridge's own server, on a free port, from a thread."""
    made: list[Flask] = []

    def make(address: str) -> Flask:
        made.append(pages(address))
        return made[0]

    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop = threading.Event()
    with threads(make)(listener, address) as tend:

        def run() -> None:
            while not stop.is_set():
                tend(0.05)

        thread = threading.Thread(target=run, name="pages", daemon=True)
        thread.start()
        try:
            yield address, made[0]
        finally:
            stop.set()
            thread.join()


@contextmanager
def provider() -> Iterator[StandInProvider]:
    """The identity provider of somebody's work, running."""
    idp = StandInProvider([], SystemClock().now)
    idp.start()
    try:
        yield idp
    finally:
        idp.stop()


@contextmanager
def whole_site(folder: Path) -> Iterator[BridgeSite]:
    """The demo's Moodle and a fresh site on it, published, pulled and served."""
    clock = SystemClock()
    log.set_up(level="WARNING")
    with StandInMoodle(seed.demo_site(clock.now(), clock.now)) as moodle, provider() as idp:
        make_site(folder, url=moodle.base_url, token_file="moodle.token")
        secrets = {"moodle.token": moodle.site.token_of(seed.SERVICE_USER),
                   "work.secret": idp.secret}  # fmt: skip
        for name, secret in secrets.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(secret, encoding="utf-8")
        settings = SETTINGS.format(url=moodle.base_url, issuer=idp.issuer)
        (folder / "bridge.toml").write_text(settings, encoding="utf-8")
        bridge = open_bridge(folder)
        try:
            publish_files(bridge, "As the demo has it")
            with serving(lambda address: create_app(web_site(bridge, address))) as (address, app):
                idp.redirect_uris.add(f"{address}/sign-in/with/council/back")
                mail = folder / bridge.config.mail.folder
                yield BridgeSite(bridge, moodle, idp, address, app, mail)
        finally:
            bridge.close()


def long_ago(days: int) -> datetime:
    """A moment so many days back."""
    return SystemClock().now() - timedelta(days=days)
