"""What the web is handed: the surroundings of the use cases, the settings, and ports to peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flask import Blueprint

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import ReflectiveQuestions
from bridge.domain.identity import IdentityRule
from bridge.domain.lrs.forgetting import Keeping
from bridge.domain.lti import LtiTool
from bridge.domain.ports import Target
from bridge.domain.problems import Problem
from bridge.domain.proposals import TableReader
from bridge.domain.sso import IdentityProvider
from bridge.services.context import Context
from bridge.services.mappings import SiteSources
from bridge.services.pull import Trusted
from bridge.services.signin import Lasting
from bridge.services.staff import StaffFile
from bridge.services.status import StatusReader


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The web's own settings; `bridge.toml` has them under `[web]`.

    `base_url` is the public address, without a slash at its end. `names` are the host names that
    it may be asked by, besides its own, localhost and plain addresses. `upload_bytes` 0 keeps
    file uploads off, `table_bytes` 0 those of tables. `proxies` is how many of our own reverse
    proxies stand before it.
    """

    base_url: str = "http://127.0.0.1:8765"
    names: tuple[str, ...] = ()
    title: str = "Competency Bridge"
    contact: str = ""
    lasting: Lasting = field(default_factory=Lasting)
    passwords: bool = True
    links: bool = True
    upload_bytes: int = 0
    table_bytes: int = 0
    proxies: int = 0

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may say so."""
        return self.base_url.startswith("https://")


def _no_files(source: str, path: Path, name: str) -> Trusted:
    raise NotFound(f"There is no source of files '{source}'.")


@dataclass(frozen=True, slots=True)
class WebSite:
    """One site, as its pages see it.

    `ctx` acts as the system: pages act as whoever is signed in (`bridge.web.access.ctx`). `key`
    signs what a browser keeps. `files` reads the site's files, checked (raises BadFile);
    `problems` tells everything that is wrong or doubtful in them. `read_staff` reads a staff list
    from its text, naming it as told (raises BadFile).
    `ask_for_link` has a sign-in link sent to a person, if mail is configured. `lti` lets LMSs
    launch the bridge. `questions` are those for looking back over a log. `table_desk` looks at
    tables; `file_profiles` gives the profile of each source of files, and `file_source` one file
    as if it lay in the folder of such a source.
    `received` gives a source whose statements are sent to us, for reading them again.
    `receivers` are the routes for what other systems send; they guard themselves. `keeping` says
    how long what comes to /xapi is kept.
    """

    ctx: Context
    settings: WebSettings
    key: bytes
    identity: Mapping[str, Sequence[IdentityRule]]
    targets: Mapping[str, Target]
    status: StatusReader
    files: Callable[[], SiteSources]
    problems: Callable[[], Sequence[Problem]] = tuple
    sources: Mapping[str, Trusted] = field(default_factory=dict)
    read_staff: Callable[[str, str], StaffFile] | None = None
    ask_for_link: Callable[[int], None] | None = None
    providers: Mapping[str, IdentityProvider] = field(default_factory=dict)
    unsubscribe_key: bytes | None = None
    lti: LtiTool | None = None
    questions: Callable[[], Sequence[ReflectiveQuestions]] = tuple
    table_desk: TableReader | None = None
    file_profiles: Mapping[str, str] = field(default_factory=dict)
    file_source: Callable[[str, Path, str], Trusted] = _no_files
    receivers: Sequence[Blueprint] = ()
    received: Callable[[str], Trusted | None] = lambda key: None
    keeping: Keeping = field(default_factory=Keeping)
