"""What the endpoint is handed: the surroundings of the use cases, its address, its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.services.context import Context

PREFIX = "/xapi"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may bring or ask for; bytes, and statements.

    `body`: a request of statements, without files beside it; `multipart`: one with them.
    """

    body: int = 5_000_000
    multipart: int = 25_000_000
    document: int = 1_000_000
    statements: int = 2_000
    page: int = 100
    most_page: int = 500


@dataclass(frozen=True, slots=True)
class EndpointSite:
    """`ctx` acts as the system. `home_page` is the bridge's own address, which is in the authority
    of what it receives; `key` (32 bytes) seals the links to further pages. `forgives` says of a
    source, by its key, whether small errors of Moodle's logstore are let through."""

    ctx: Context
    home_page: str
    key: bytes
    limits: Limits = field(default_factory=Limits)
    forgives: Callable[[str], bool] = lambda source: False
