"""What the bridge must know of an identity provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One provider.

    `issuer` is as the provider writes it; its settings are read from
    `ISSUER/.well-known/openid-configuration`. With `entra`, people are known by tenant and object
    id, and `tenants` are the tenants that may come. `staff_number_claim`, where it is not empty,
    is the claim that the organisation itself fills in. `timeout` is in seconds; `verify` True or
    the path of a CA bundle; http:// is for this computer alone.
    """

    key: str
    title: str
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "profile")
    entra: bool = False
    tenants: frozenset[str] = frozenset()
    staff_number_claim: str = ""
    timeout: float = 10.0
    verify: bool | str = True
    proxy: str | None = None

    def __post_init__(self) -> None:
        if not may_ask(self.issuer):
            raise ValueError(f"oidc.{self.key}: the issuer must start with https://")
        if self.entra and not self.tenants:
            raise ValueError(
                f"oidc.{self.key}: name the tenants that may come; without them every "
                "organisation's accounts would be let in"
            )

    @property
    def discovery_url(self) -> str:
        """Where the provider says how it is asked (OpenID Connect Discovery 1.0, section 4)."""
        return self.issuer.rstrip("/") + "/.well-known/openid-configuration"


def may_ask(url: str) -> bool:
    """Whether an address may be asked at all: https, or this very computer."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    )
