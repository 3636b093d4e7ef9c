"""bridge.toml: what a site configures, checked, with every error at once and its remedy."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bridge.config_booking import PretixSection, RestSection, names_given_twice
from bridge.config_endpoint import XapiSection
from bridge.config_errors import problems, toml_problem
from bridge.config_moodle import MoodleSection
from bridge.config_secrets import secret_in
from bridge.config_telling import tellings
from bridge.config_xapi import LrsSection
from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule
from bridge.domain.policy import Policy
from bridge.domain.problems import BadFile

FILE_NAME = "bridge.toml"
_DEFAULTS = Policy()
#: An address, with a name before it or without; nothing that could end a header.
_MAIL_ADDRESS = r"^(?:[^<>\x00-\x1f]* <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$"
_GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]

#: Short enough to stand in a session's "how" as oidc:NAME.
ShortName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilesSection(_Strict):
    """`[files.NAME]`: a watched folder of tables that a booking system or an LMS exports.

    `profile` names a file of `profiles/`. A file is read once it was left alone for
    `settle_seconds`, and then moved into `processed/` for `keep_days`, or with `after = "leave"`
    left where it is. `identity` as for a Moodle: `verified-email` only where the system proves
    addresses.
    """

    folder: Path
    profile: Name
    pattern: Annotated[str, Field(min_length=1, max_length=80)] = "*"
    identity: tuple[IdentityRule, ...] = (IdentityRule.STAFF_NUMBER,)
    trust: Literal["trusted", "untrusted"] = "trusted"
    settle_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60
    after: Literal["move", "leave"] = "move"
    keep_days: Annotated[int, Field(ge=0, le=3660)] = 30
    largest_megabytes: Annotated[int, Field(ge=1, le=2000)] = 200

    @model_validator(mode="after")
    def _automatic_rules(self) -> FilesSection:
        if {IdentityRule.BY_HAND, IdentityRule.LTI_LAUNCH} & set(self.identity):
            raise ValueError(
                "identity: name the automatic rules only, 'staff-number' and 'verified-email'"
            )
        return self


class OrganisationSection(_Strict):
    """`[organisation.NAME]`: what a staff list does not say of an organisation.

    `exempt` names the framework it follows instead, as "Keeping Children Safe in Education": its
    people then show "other framework", not gaps (rule R11).
    """

    name: str = ""
    kind: str = ""
    exempt: str | None = None


class JobsSection(_Strict):
    """`[jobs]`: how often things run. Minutes, and London time for the nightly sweep."""

    pull_minutes: Annotated[float, Field(gt=0)] = 15
    deliver_minutes: Annotated[float, Field(gt=0)] = 5
    sweep_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "02:30"
    sweep_until: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "07:00"
    status_host: str = "127.0.0.1"
    status_names: tuple[str, ...] = ()
    status_port: Annotated[int, Field(ge=0, le=65535)] = 8765


class WebSection(_Strict):
    """`[web]`: the pages. `base_url` is their public address, which links in mails carry.

    `upload_megabytes` 0 keeps file uploads off, and `table_megabytes` 0 those of tables by the
    training team; `proxies` counts our own reverse proxies.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^/?#@]+$")] | None = None
    names: tuple[str, ...] = ()
    title: Annotated[str, Field(min_length=1, max_length=80)] = "Competency Bridge"
    contact: str = ""
    session_hours: Annotated[float, Field(gt=0, le=72)] = 12
    idle_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 120
    passwords: bool = True
    links: bool = True
    upload_megabytes: Annotated[int, Field(ge=0, le=20)] = 0
    table_megabytes: Annotated[int, Field(ge=0, le=200)] = 20
    proxies: Annotated[int, Field(ge=0, le=5)] = 0
    server: Literal["waitress", "gunicorn"] = "waitress"
    workers: Annotated[int, Field(ge=1, le=64)] = 2


class MailSection(_Strict):
    """`[mail]`: letters out, by SMTP where `host` is set, and into `folder` otherwise.

    The password comes from the environment variable `password_env` or the file `password_file`.
    Nothing from before `go_live` is ever mailed; without it only links go out (rule R1).
    """

    sender: Annotated[str, Field(pattern=_MAIL_ADDRESS)] = "bridge@localhost"
    reply_to: Annotated[str, Field(pattern=_MAIL_ADDRESS)] | None = None
    go_live: date | None = None
    digest_hour: Annotated[int, Field(ge=7, le=18)] = _DEFAULTS.mail_hour
    folder: Path = Path("mail")
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_env: str = "BRIDGE_SMTP_PASSWORD"  # noqa: S105  where it is, not what it is
    password_file: Path | None = None
    ca_bundle: Path | None = None
    timeout: Annotated[float, Field(gt=0, le=12)] = 10.0

    @model_validator(mode="after")
    def _sensible(self) -> MailSection:
        if self.host and self.sender == "bridge@localhost":
            raise ValueError("sender: say from which address mail comes, as bridge@example.org")
        if self.user and self.security == "none":
            raise ValueError(
                "security: 'none' would send the password in the clear; use starttls or tls"
            )
        return self

    def password(self, folder: Path) -> str:
        """The mail server's password. Raises BridgeError, saying where it was looked for."""
        if not self.user:
            return ""
        if self.password_file is not None:
            path = folder / self.password_file
            try:
                return path.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BridgeError(
                    f"The password file {path} cannot be read ({error.strerror})."
                ) from None
        found = os.environ.get(self.password_env, "").strip()
        if not found:
            raise BridgeError(
                "There is no password for the mail server. Put it in the environment variable "
                f"{self.password_env}, or name a file with password_file under [mail]."
            )
        return found


class OidcSection(_Strict):
    """`[oidc.NAME]`: an identity provider that people sign in with (OpenID Connect).

    The secret comes from the environment variable `secret_env` or the file `secret_file`. With
    `kind = "entra"` people are known by tenant and object id, and only `tenants` may come.
    `identity` names what this provider is trusted with; an email address is never among it.
    """

    title: Annotated[str, Field(min_length=1, max_length=60)]
    issuer: Annotated[str, Field(pattern=r"^https?://[^?#@\s]+$", max_length=140)]
    client_id: Annotated[str, Field(min_length=1)]
    secret_env: str = ""
    secret_file: Path | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    kind: Literal["oidc", "entra"] = "oidc"
    tenants: tuple[Annotated[str, Field(pattern=_GUID)], ...] = ()
    identity: tuple[Literal["staff-number"], ...] = ()
    staff_number_claim: Annotated[str, Field(min_length=1)] = "employeeid"
    timeout: Annotated[float, Field(gt=0, le=60)] = 10.0
    ca_bundle: Path | None = None
    proxy: str | None = None

    @model_validator(mode="after")
    def _known_tenants(self) -> OidcSection:
        if self.kind == "entra" and not self.tenants:
            raise ValueError(
                "tenants: list the ids of the tenants that may sign in; without them every "
                "organisation in the world could"
            )
        if "openid" not in self.scopes:
            raise ValueError("scopes: 'openid' must be among them")
        if self.staff_number_claim.casefold() in ("email", "upn", "preferred_username", "name"):
            raise ValueError(
                "staff_number_claim: people may change their names and addresses; name a claim "
                "that the organisation fills in, as 'employeeid'"
            )
        return self

    def secret(self, folder: Path, name: str) -> str:
        """The client's secret. Raises BridgeError, saying where it was looked for."""
        variable = self.secret_env or f"BRIDGE_{name.upper().replace('-', '_')}_SECRET"
        return secret_in(
            folder,
            self.secret_file,
            variable,
            f"There is no secret for the sign-in with '{name}'. Put it in the environment "
            f"variable {variable}, or name a file with secret_file in {FILE_NAME}.",
        )


class PolicySection(_Strict):
    """`[policy]`: the organisation's numbers; see `bridge.domain.policy.Policy`."""

    join_days: Annotated[int, Field(ge=0, le=60)] = _DEFAULTS.join_days
    overlap_days: Annotated[int, Field(ge=1, le=90)] = _DEFAULTS.overlap_days
    vanish_limit: Annotated[float, Field(ge=0, le=1)] = _DEFAULTS.vanish_limit
    token_days: Annotated[int, Field(ge=1, le=730)] = _DEFAULTS.token_days
    prepare_days: Annotated[int, Field(ge=0, le=366)] = _DEFAULTS.prepare_days


class Config(_Strict):
    """A site's settings. Paths in it are relative to its folder."""

    database: str = "sqlite:///bridge.db"
    keys: Path = Path("keys.txt")
    frameworks: Path = Path("frameworks")
    mappings: Path = Path("mappings")
    profiles: Path = Path("profiles")
    files: dict[Name, FilesSection] = {}
    pretix: dict[Name, PretixSection] = {}
    rest: dict[Name, RestSection] = {}
    moodle: dict[Name, MoodleSection] = {}
    lrs: dict[Name, LrsSection] = {}
    organisation: dict[Name, OrganisationSection] = {}
    jobs: JobsSection = JobsSection()
    web: WebSection = WebSection()
    policy: PolicySection = PolicySection()
    mail: MailSection = MailSection()
    oidc: dict[ShortName, OidcSection] = {}
    xapi: XapiSection = XapiSection()

    @model_validator(mode="after")
    def _one_source_a_name(self) -> Config:
        if twice := sorted({*self.files} & {*self.moodle}):
            raise ValueError(
                f"[files.{twice[0]}] and [moodle.{twice[0]}] are two sources of one name; "
                "rename one of them"
            )
        return self

    @model_validator(mode="after")
    def _one_name_each(self) -> Config:
        twice = names_given_twice((self.moodle, self.files, self.pretix, self.rest, self.lrs))
        if twice:
            raise ValueError(f"two sources are called {', '.join(twice)}; give each its own name")
        return self

    @model_validator(mode="after")
    def _told_as_it_can_be(self) -> Config:
        tellings(self.lrs, self.web.base_url)
        return self

    def database_url(self, folder: Path) -> str:
        """The database, from BRIDGE_DATABASE_URL where that is set; SQLite paths are absolute."""
        url = os.environ.get("BRIDGE_DATABASE_URL") or self.database
        prefix = "sqlite:///"
        if not url.startswith((prefix, "postgresql://")):
            raise BridgeError(
                "The database must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
            )
        if url.startswith(prefix) and not url.startswith(f"{prefix}/"):
            return f"{prefix}{(folder / url.removeprefix(prefix)).resolve()}"
        return url

    def status_host(self) -> str:
        """Where the pages are served: loopback unless configured, or BRIDGE_STATUS_HOST."""
        return os.environ.get("BRIDGE_STATUS_HOST") or self.jobs.status_host

    def rules(self) -> Policy:
        """The policy that the services use."""
        mail = self.mail
        return Policy(
            **self.policy.model_dump(),
            mail_from=mail.go_live,
            mail_hour=mail.digest_hour,
            tells=tellings(self.lrs, self.web.base_url),
        )


def load_config(folder: Path) -> Config:
    """Read a site's `bridge.toml`. Raises BridgeError where there is none, BadFile for errors."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BridgeError(
            f"There is no {FILE_NAME} in the folder {folder.resolve()} . Make a site there with "
            "'bridge init', or name one with --site."
        ) from None
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadFile([toml_problem(path, error)]) from None
    except ValidationError as error:
        raise BadFile(problems(path, text, error.errors(include_url=False), Config)) from None
