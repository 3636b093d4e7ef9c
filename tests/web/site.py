"""A web application over a test's world, and browsers that are signed in as its people."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bridge.catalog.staff import parse_staff_list
from bridge.connectors.moodle.feed import site_of
from bridge.domain.permissions import Role
from bridge.domain.problems import Problem
from bridge.domain.scope import SYSTEM, Actor
from bridge.domain.sso import IdentityProvider
from bridge.services import signin
from bridge.services.mappings import SiteSources
from bridge.services.roles import grant_role
from bridge.services.staff import StaffFile
from bridge.services.status import StatusReader
from bridge.web.app import create_app
from bridge.web.site import WebSettings, WebSite
from tests.support import BADGE, EDITION, MAPPING, RULES, World, mapping_file
from webhooks.receivers.moodle import moodle_receiver
from webhooks.receivers.pretix import pretix_receiver

KEY = b"w" * 32


class CompiledOnce(BytecodeCache):
    """Keeps compiled templates in memory: each test has an application of its own, which would
    compile every template of its pages anew. A template that changed is told by its checksum."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what was compiled before."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


class BuiltOnce(Rule):
    """A route whose address builder, which Werkzeug compiles from a syntax tree, is made once for
    all applications: it depends on the rule's own words alone."""

    _built: ClassVar[dict[object, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._built:
            self._built[key] = super()._compile_builder(append_unknown)
        return self._built[key]


_compiled = CompiledOnce()
Flask.url_rule_class = BuiltOnce


@dataclass
class Browser:
    """A browser; `post` sends the form's CSRF token along, as a page's form does."""

    client: FlaskClient
    secret: str

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **more)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form."""
        values = {"csrf_token": csrf_of(self.secret), **(data or {})}
        return self.client.post(path, data=values, **more)


def csrf_of(secret: str) -> str:
    """The token that the forms of a browser with this secret carry."""
    token = hmac.new(KEY, b"csrf:" + secret.encode(), hashlib.sha256).hexdigest()
    return str(URLSafeTimedSerializer(KEY, salt="wtf-csrf-token").dumps(token))


@dataclass
class WebWorld:
    """The pages of a test's world."""

    world: World
    settings: WebSettings = field(default_factory=lambda: WebSettings(base_url="http://localhost"))
    links_sent: list[int] = field(default_factory=list)
    hook_secrets: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    files: Callable[[], SiteSources] = lambda: SiteSources(
        (EDITION,), (mapping_file(MAPPING),), (BADGE,)
    )
    problems: Sequence[Problem] = ()
    providers: Mapping[str, IdentityProvider] = field(default_factory=dict)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.site)
        self.app.jinja_env.bytecode_cache = _compiled

    @property
    def site(self) -> WebSite:
        """What the pages are handed."""
        system = self.world.ctx.acting_as(Actor(SYSTEM, "web"))
        return WebSite(
            ctx=system,
            settings=self.settings,
            key=KEY,
            identity={"moodle": RULES, "events": RULES},
            targets={"moodle": self.world.target},
            status=StatusReader(system, "SQLite", {"moodle"}, {"moodle"}),
            files=lambda: self.files(),
            problems=lambda: self.problems,
            sources={"moodle": self.world.trusted},
            read_staff=lambda text, name: StaffFile(parse_staff_list(text, name, {"core"}), ()),
            ask_for_link=self.links_sent.append,
            providers=self.providers,
            receivers=[
                pretix_receiver(system, ("events",)),
                moodle_receiver(
                    system,
                    {"moodle": lambda: tuple(self.hook_secrets)},
                    lambda: self.woken.append("moodle"),
                    site_of,
                ),
            ],
        )

    def browser(
        self,
        person: int | None = None,
        data: Mapping[str, Any] | None = None,
        method: str = "password",
    ) -> Browser:
        """A browser, signed in as that person, in that way."""
        client = self.app.test_client()
        if person is None:
            return Browser(client, "x" * 43)
        secret = signin.start_session(self.world.ctx, person, method, self.settings.lasting, data)
        client.set_cookie("bridge", secret)
        return Browser(client, secret)

    def give(self, person: int, roles: Iterable[Role], organisation: str | None = None) -> None:
        """Give somebody roles."""
        for role in roles:
            grant_role(self.world.ctx, person, role, organisation)
