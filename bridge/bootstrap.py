"""Wires the house together: the only place that knows both the services and the adapters."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from bridge import bootstrap_booking as booking
from bridge import bootstrap_lrs as lrs
from bridge import bootstrap_setup, log
from bridge import bootstrap_telling as telling
from bridge import bootstrap_xapi as xapi
from bridge.bootstrap_doors import lti_tool, mail_room, open_vault, receivers
from bridge.bootstrap_files import SiteFolders
from bridge.catalog.badges import LoadedBadges, load_badges
from bridge.catalog.frameworks import LoadedFrameworks, load_editions
from bridge.catalog.mappings import KnownNames, LoadedMappings, load_mappings
from bridge.catalog.staff import parse_staff_list
from bridge.config import Config, load_config
from bridge.connectors.moodle import MoodleSettings, MoodleSource, MoodleTarget
from bridge.connectors.oidc import OidcProvider, OidcSettings
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.lrs.readings import Readings
from bridge.domain.ports import Clock, Target
from bridge.domain.problems import BadFile, Problem, errors_among, in_order
from bridge.domain.scope import SYSTEM, TRAINING_TEAM, Actor
from bridge.domain.staff import Organisation
from bridge.domain.statements import STATEMENTS
from bridge.domain.telling import Teller
from bridge.jobs.embedded import EmbeddedJobs, JobTimes
from bridge.jobs.run import serve
from bridge.jobs.servers import Gunicorn, Server, threads
from bridge.jobs.work import Works
from bridge.late import LateFeed
from bridge.services.context import Context
from bridge.services.lrs.draining import Drain, received_source
from bridge.services.mappings import Impact, MappingSource, SiteSources, publish_site
from bridge.services.notify import ask_for_link
from bridge.services.pull import Trusted
from bridge.services.signin import Lasting
from bridge.services.staff import StaffFile
from bridge.services.status import JobTime, StatusReader
from bridge.storage.engine import migrate, open_engine
from bridge.storage.unit import SqlStore
from bridge.tables import SiteTables
from bridge.web.app import create_app
from bridge.web.site import WebSettings, WebSite


class SystemClock:
    """Implements `bridge.domain.ports.Clock` by the computer's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """A site's files as they stand, with everything that is wrong in them."""

    frameworks: LoadedFrameworks
    mappings: LoadedMappings
    badges: LoadedBadges

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong or doubtful in them, by file and place."""
        return in_order([*self.frameworks.problems, *self.mappings.problems, *self.badges.problems])

    def checked(self) -> SiteSources:
        """The files, for publishing. Raises BadFile while any of them has an error."""
        problems = errors_among(self.problems)
        if problems:
            raise BadFile(problems)
        return SiteSources(
            self.frameworks.editions,
            tuple(
                MappingSource(f.name, f.source_bytes, f.content_hash, f.rules)
                for f in self.mappings.files
            ),
            self.badges.badges,
        )


@dataclass
class Bridge:
    """One opened site: its settings, its store, and its peers."""

    folder: Path
    config: Config
    engine: Engine
    context: Context
    clock: Clock = field(default_factory=SystemClock)

    @property
    def identity(self) -> dict[str, tuple[IdentityRule, ...]]:
        """The identity rules that each source is trusted with."""
        rules = {name: section.identity for name, section in self.config.moodle.items()}
        rules |= self.folders.identity() | booking.identity(self.config)
        rules |= xapi.identity(self.config)
        return rules | lrs.identity(self.context, self.readings)

    @cached_property
    def readings(self) -> Readings:
        """How statements that are sent to us are read."""
        return lrs.readings(self.config, xapi.sites(self.config))

    def received(self, key: str) -> Trusted | None:
        """A source whose statements are sent to us; None where it is none."""
        return received_source(self.context, self.readings, key)

    def moodle_settings(self, name: str, token: str | None = None) -> MoodleSettings:
        """How a Moodle is reached, by its service user's token or another. Raises BridgeError."""
        section = self.config.moodle[name]
        try:
            return MoodleSettings(
                key=name,
                url=section.url,
                token=token or section.token(self.folder, name),
                report=section.report or None,
                badges_report=section.badges_report or None,
                grade_max=section.grade_max,
                timeout=section.timeout,
                deadline=section.deadline,
                calls_per_second=section.calls_per_second,
                timezone=section.timezone,
                verify=str(self.folder / section.ca_bundle) if section.ca_bundle else True,
                proxy=section.proxy,
                profile_status=section.profile_status,
                way=section.way,
                activities=section.kinds_of_activities,
            )
        except ValueError as error:
            raise BridgeError(str(error)) from None

    def _picture(self, name: str) -> bytes | None:
        """A badge's image beside the badges file; None where there is none to be read."""
        try:
            return (self.folder / self.config.mappings / name).read_bytes()
        except OSError:
            return None

    def _moodle(self, name: str) -> MoodleSource:
        return MoodleSource(self.moodle_settings(name), self.clock)

    @cached_property
    def sources(self) -> Mapping[str, Trusted]:
        """The configured sources, by key."""
        found = {
            name: Trusted(
                LateFeed(name, partial(self._moodle, name)),
                "moodle",
                section.trust,
                section.identity,
            )
            for name, section in self.config.moodle.items()
        }
        found |= self.folders.sources()
        found |= booking.sources(self.folder, self.config, self.clock)
        return found | xapi.sources(self.folder, self.config, self.clock)

    @cached_property
    def folders(self) -> SiteFolders:
        """The watched folders of tables."""
        return SiteFolders(self.folder, self.config, self.clock)

    @cached_property
    def tables(self) -> SiteTables:
        """What looks at tables that nobody has described, and keeps profiles of them."""
        return self.folders.tables()

    @cached_property
    def targets(self) -> Mapping[str, Target]:
        """The configured targets, by key."""
        return {
            name: MoodleTarget(self.moodle_settings(name), self.clock, self._picture)
            for name in self.config.moodle
        }

    @cached_property
    def tellers(self) -> Mapping[str, Teller]:
        """The LRSs that are told what was verified, by key."""
        return telling.tellers(self.folder, self.config)

    @cached_property
    def providers(self) -> Mapping[str, OidcProvider]:
        """The identity providers that people sign in with. Raises BridgeError without a secret."""
        found = {}
        for name, section in self.config.oidc.items():
            try:
                settings = OidcSettings(
                    key=name,
                    title=section.title,
                    issuer=section.issuer,
                    client_id=section.client_id,
                    secret=section.secret(self.folder, name),
                    scopes=section.scopes,
                    entra=section.kind == "entra",
                    tenants=frozenset(section.tenants),
                    staff_number_claim=section.staff_number_claim if section.identity else "",
                    timeout=section.timeout,
                    verify=str(self.folder / section.ca_bundle) if section.ca_bundle else True,
                    proxy=section.proxy,
                )
            except ValueError as error:
                raise BridgeError(str(error)) from None
            found[name] = OidcProvider(settings, self.clock)
        return found

    def files(self) -> SiteFiles:
        """Read the site's files anew; nothing is in force before it is published."""
        frameworks = load_editions(self.folder / self.config.frameworks)
        known = KnownNames(
            # Also those that send statements here, and those that are only set up to.
            sources=tuple(dict.fromkeys((*self.identity, *self.config.xapi.source))),
            targets=tuple(self.config.moodle),
            kinds=("moodle", "files", *booking.KINDS, STATEMENTS),
            editions=frameworks.editions,
        )
        folder = self.folder / self.config.mappings
        return SiteFiles(
            frameworks, load_mappings(folder, known), load_badges(folder / "badges.yaml", known)
        )

    def read_staff(self, text: str, name: str) -> StaffFile:
        """Read a staff list's text; `name` stands in the messages. Raises BadFile."""
        editions = self.files().frameworks.editions
        groups = {group.key for edition in editions for group in edition.groups}
        return StaffFile(
            parse_staff_list(text, name, groups),
            [
                Organisation(key, section.name or key, section.kind, section.exempt)
                for key, section in self.config.organisation.items()
            ],
        )

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def publish_files(bridge: Bridge, comment: str) -> Impact:
    """Put a site's files in force, all or none.

    Raises BadFile while any file has an error: what is in force stays in force.
    """
    return publish_site(bridge.context, bridge.files().checked(), comment)


def administrator(channel: str = "cli") -> Actor:
    """Whoever runs a command on the server: for the trail; they act for no person."""
    return Actor(TRAINING_TEAM, channel, os_user())


def os_user() -> str:
    """The operating-system user, or nothing where there is none (a bare container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def open_bridge(folder: Path, *, actor: Actor | None = None, clock: Clock | None = None) -> Bridge:
    """Open a site and bring its database up to date. Raises BridgeError, in words."""
    config = load_config(folder)
    url = config.database_url(folder)
    engine = open_engine(url)
    try:
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise BridgeError(
            "The database cannot be opened or brought up to date: "
            f"{str(error.orig).strip().splitlines()[0]}"
        ) from None
    the_clock = clock or SystemClock()
    context = Context(
        store=SqlStore(engine),
        clock=the_clock,
        vault=open_vault(folder, config),
        actor=actor or administrator(),
        policy=config.rules(),
    )
    return Bridge(folder, config, engine, context, the_clock)


def status_reader(bridge: Bridge, jobs: Callable[[], Sequence[JobTime]] = tuple) -> StatusReader:
    """Tells how the bridge stands, by system eyes."""
    system = bridge.context.acting_as(Actor(SYSTEM, "job", os_user()))
    dialect = bridge.engine.dialect.name
    return StatusReader(system, dialect, bridge.sources, bridge.targets, jobs)


def web_site(
    bridge: Bridge,
    base_url: str,
    jobs: Callable[[], Sequence[JobTime]] = tuple,
    wake: Callable[[], None] = lambda: None,
) -> WebSite:
    """What the pages of a site are handed. `base_url` is where they are, unless configured.

    `wake` tells the jobs of this process, if it has any, that a webhook has left a note.
    """
    section = bridge.config.web
    vault = open_vault(bridge.folder, bridge.config)
    return WebSite(
        ctx=bridge.context.acting_as(Actor(SYSTEM, "web")),
        settings=WebSettings(
            base_url=section.base_url or base_url,
            names=(*section.names, *bridge.config.jobs.status_names),
            title=section.title,
            contact=section.contact,
            lasting=Lasting(
                timedelta(hours=section.session_hours), timedelta(minutes=section.idle_minutes)
            ),
            passwords=section.passwords,
            links=section.links,
            upload_bytes=section.upload_megabytes * 1_000_000,
            table_bytes=section.table_megabytes * 1_000_000,
            proxies=section.proxies,
        ),
        key=vault.derive("web"),
        unsubscribe_key=vault.derive("unsubscribe"),
        ask_for_link=partial(ask_for_link, bridge.context.acting_as(Actor(SYSTEM, "web"))),
        identity=bridge.identity,
        targets=bridge.targets,
        providers=bridge.providers,
        status=status_reader(bridge, jobs),
        files=lambda: bridge.files().checked(),
        problems=lambda: bridge.files().problems,
        sources=bridge.sources,
        read_staff=bridge.read_staff,
        lti=lti_tool(bridge, section.base_url or base_url),
        # They are read once: reading the files takes longer than a page may.
        questions=cache(lambda: bridge.files().frameworks.questions),
        table_desk=bridge.tables,
        file_profiles={name: files.profile for name, files in bridge.config.files.items()},
        file_source=bridge.folders.one,
        received=bridge.received,
        receivers=receivers(bridge, wake, section.base_url or base_url),
        keeping=lrs.keeping(bridge.config),
    )


def serve_site(
    bridge: Bridge,
    *,
    on_ready: Callable[[str], None],
    port: int | None = None,
    log_level: str = "INFO",
    server_name: str | None = None,
) -> None:
    """Run the jobs and the pages until stopped. Raises BridgeError.

    `port` and `server_name` ("waitress" or "gunicorn") win over the configured ones. On SQLite a
    second run refuses, naming the first.
    """
    settings = bridge.config.jobs
    system = bridge.context.acting_as(Actor(SYSTEM, "job", os_user()))
    room = mail_room(bridge)
    works = Works(
        system, bridge.sources, bridge.targets, room, lambda: room.base_url,
        bridge.tables.forget_old, bootstrap_setup.link_readers(bridge), bridge.tellers,
        Drain(system, bridge.readings), lrs.forget_documents(system, bridge.config),
        lrs.forget_statements(system, bridge.config) if lrs.keeping(bridge.config).statements
        else None,
    )  # fmt: skip
    times = JobTimes(
        settings.pull_minutes, settings.deliver_minutes, settings.sweep_at, settings.sweep_until
    )
    jobs = EmbeddedJobs(works, times)
    database = bridge.engine.url.database
    server: Server = threads(
        lambda address: create_app(
            web_site(bridge, address.rstrip("/"), jobs.next_times, jobs.wake)
        )
    )
    if (server_name or bridge.config.web.server) == "gunicorn":
        where = {"BRIDGE_SITE": str(bridge.folder.resolve()), "BRIDGE_LOG_LEVEL": log_level}
        server = Gunicorn("bridge.wsgi:application()", bridge.config.web.workers, where)

    def ready(address: str) -> None:
        # Mails carry the same addresses; a port that was free is known only now.
        room.base_url = bridge.config.web.base_url or address.rstrip("/")
        on_ready(address)

    log.set_up(level=log_level)
    serve(
        jobs,
        server,
        host=bridge.config.status_host(),
        port=settings.status_port if port is None else port,
        lock_path=Path(f"{database}.run.lock") if bridge.engine.dialect.name == "sqlite" else None,
        on_ready=ready,
    )
