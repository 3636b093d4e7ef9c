"""LTI 1.3 as the services see it: platforms, launches, what is asked back, and the ports.

A platform is an LMS that launches the bridge; a launch is what one of its signed messages says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from bridge.domain.doors import Handshake
from bridge.domain.errors import NotAllowed
from bridge.domain.records import AccountFacts


class LaunchRefused(NotAllowed):
    """A launch or a registration that is not let in. `code` is a short stable word, for the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Message(StrEnum):
    """What a platform may ask for."""

    RESOURCE_LINK = "LtiResourceLinkRequest"
    DEEP_LINKING = "LtiDeepLinkingRequest"


class Opens(StrEnum):
    """What a link in a course opens; deep linking writes it into the link's own parameters."""

    HOME = "home"
    COURSE = "course"


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers compare them; "" for one without."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


@dataclass(frozen=True, slots=True)
class NewPlatform:
    """A registration: who signs, for whom, and where things are asked for.

    `source_key` names the configured source whose user ids its launches carry. `deployments` are
    the deployment ids that may launch.
    """

    title: str
    issuer: str
    client_id: str
    deployments: tuple[str, ...]
    auth_url: str
    token_url: str
    jwks_url: str
    source_key: str


@dataclass(frozen=True, slots=True)
class Platform(NewPlatform):
    """A registered platform."""

    id: int
    registered_at: datetime
    registered_by: str

    @property
    def origin(self) -> str:
        """Where its pages are, and so who may show ours in a frame."""
        return origin_of(self.auth_url)


@dataclass(frozen=True, slots=True)
class DeepLinking:
    """How the answer to a deep linking request is to be made."""

    return_url: str
    deployment_id: str
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """What a checked message says. `opens` and `target` are wishes, to be looked at again."""

    message: Message
    account: AccountFacts
    course: str | None = None
    course_title: str | None = None
    opens: str | None = None
    target: str | None = None
    framed: bool = False
    deep_linking: DeepLinking | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A content item: a link to the bridge that a teacher puts into a course."""

    title: str
    text: str
    opens: Opens


@dataclass(frozen=True, slots=True)
class ToolPages:
    """Where the bridge's own LTI pages are. `base_url` has no slash at its end."""

    base_url: str
    title: str

    @property
    def login(self) -> str:
        """Where platforms begin a launch."""
        return f"{self.base_url}/lti/login"

    @property
    def launch(self) -> str:
        """Where platforms send their signed messages; also what links point at."""
        return f"{self.base_url}/lti/launch"

    @property
    def jwks(self) -> str:
        """The bridge's public keys."""
        return f"{self.base_url}/lti/jwks"


@dataclass(frozen=True, slots=True)
class LmsSource:
    """A configured source that can launch the bridge.

    `base_url` is the LMS's address, `account_kind` how its source names people, `course_kind` its
    courses. `shares_email`: its addresses are trusted to identify, so they are asked for.
    """

    key: str
    kind: str
    trust: str
    base_url: str
    account_kind: str
    course_kind: str
    shares_email: bool = False


class LtiTool(Protocol):
    """Speaks LTI 1.3 with the platforms, over the network and by signatures."""

    @property
    def sources(self) -> Mapping[str, LmsSource]:
        """The sources that may be platforms, by key."""
        ...

    def public_keys(self) -> dict[str, Any]:
        """Our own public keys, as a JWK set."""
        ...

    def by_hand(
        self, source_key: str, client_id: str, deployments: Sequence[str], **given: str
    ) -> NewPlatform:
        """A registration typed in; addresses that are not `given` follow from the source.

        `given` may name issuer, auth_url, token_url, jwks_url and title. Raises Refused.
        """
        ...

    def register(
        self, source_key: str, configuration_url: str, token: str, pages: ToolPages
    ) -> NewPlatform:
        """Register the bridge with a platform (dynamic registration).

        Raises LaunchRefused for a platform that is not the configured one, PeerError otherwise.
        """
        ...

    def read(self, platform: Platform, token: str, nonce_sha256: bytes, now: datetime) -> Launch:
        """Check a signed message against its platform. Raises LaunchRefused, or PeerError
        where the platform's keys cannot be had."""
        ...

    def answer(
        self, platform: Platform, asked: DeepLinking, links: Sequence[Link], now: datetime
    ) -> str:
        """The signed answer to a deep linking request."""
        ...


class LtiRepository(Protocol):
    """Registered platforms, and what waits between two pages of a launch."""

    def platforms(self) -> list[Platform]: ...
    def platform(self, platform_id: int) -> Platform | None: ...
    def add(self, platform: NewPlatform, by: str, now: datetime) -> int: ...
    def end(self, platform_id: int, now: datetime) -> bool: ...
    def waiting(self, sha256: bytes, kind: str, now: datetime) -> Handshake | None: ...
