"""Signing in through an organisation's identity provider (OpenID Connect): words and port."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.domain.errors import NotAllowed
from bridge.domain.identity import Identifier


class SignInRefused(NotAllowed):
    """An answer of an identity provider that is not let in. `code` is a short stable word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a provider has said, signed, of whoever signed in.

    `subject` names them for ever: tenant and object id (Entra ID), or issuer and subject; never
    an email address. `identifiers` are those that this provider is trusted with, and no other.
    """

    subject: str
    name: str
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkAccount:
    """A provider's account that is joined to a person."""

    id: int
    provider: str
    proof: str
    linked_at: datetime


class IdentityProvider(Protocol):
    """One configured provider. Its calls go over the network: never inside a transaction."""

    @property
    def key(self) -> str:
        """Its configured name."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def ask(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """The address that a browser goes to, to sign in. Raises PeerError.

        `verifier` is PKCE's secret (RFC 7636); the address carries its SHA-256 alone.
        """
        ...

    def finish(
        self,
        redirect_uri: str,
        code: str,
        issuer: str | None,
        verifier: str,
        nonce_sha256: bytes,
        now: datetime,
    ) -> Asserted:
        """Exchange the code of an answer and check the id token that comes for it.

        `issuer` is what the answer says of itself (RFC 9207), if it does. Raises SignInRefused
        for anything that is not as it must be, and PeerError.
        """
        ...
