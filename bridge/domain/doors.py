"""The door: sessions, passwords, links and roles as the services handle them, and their port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from bridge.domain.permissions import Role
from bridge.domain.sso import WorkAccount


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in. `method` is how ("password", "link", "oidc:NAME", "lti", "verifier-link").

    `data` is small: messages to show once, a pending LTI launch, what a verifier's link is for.
    """

    id: int
    person: int | None
    person_name: str
    method: str
    data: Mapping[str, Any]
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Password:
    """Somebody's password, as its argon2 hash."""

    person: int
    login: str
    hash: str


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link in a mail. `purpose`: "sign-in" or "verify" (then `evidence_id` says what)."""

    id: int
    purpose: str
    person: int
    evidence_id: int | None
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Handshake:
    """A conversation with an identity provider or an LTI platform that was begun here."""

    kind: str
    nonce_sha256: bytes
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that was given. `organisation_id` None: for the whole partnership."""

    id: int
    person: int
    person_name: str
    role: Role
    organisation_id: int | None
    organisation_name: str | None
    granted_at: datetime
    granted_by: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A personal token without its secret."""

    id: int
    name: str
    read_only: bool
    created_at: datetime
    expires_at: datetime


class AccessRepository(Protocol):
    """Who may come in, how, and as what. Secrets are known here by their SHA-256 alone."""

    def add_session(
        self,
        sha256: bytes,
        person: int | None,
        method: str,
        data: Mapping[str, Any],
        now: datetime,
        expires: datetime,
    ) -> int: ...
    def session(self, sha256: bytes, now: datetime, idle_since: datetime) -> Session | None: ...
    def sessions_of(self, person: int, now: datetime) -> list[Session]: ...
    def touch_session(self, session_id: int, now: datetime) -> None: ...
    def put_session_data(self, session_id: int, data: Mapping[str, Any]) -> None: ...
    def revoke_session(self, session_id: int, person: int, now: datetime) -> bool: ...
    def revoke_sessions(self, person: int, now: datetime) -> int: ...
    def stands_as(self, person: int, day: date) -> tuple[bool, list[tuple[Role, int | None]]]: ...
    def grants_of(self, person: int) -> list[Grant]: ...
    def grants(self) -> list[Grant]: ...
    def grant(
        self, person: int, role: Role, organisation_id: int | None, by: str, now: datetime
    ) -> None: ...
    def end_grant(self, grant_id: int, by: str, now: datetime) -> bool: ...
    def organisation_id(self, key: str) -> int | None: ...
    def password_of_login(self, login: str) -> Password | None: ...
    def password_of(self, person: int) -> Password | None: ...
    def set_password(self, person: int, login: str, hash_: str, by: str, now: datetime) -> None: ...
    def close_ways_in(self, person: int, since: datetime, now: datetime) -> None: ...
    def person_of_identity(self, provider: str, subject: str) -> int | None: ...
    def link_identity(
        self, provider: str, subject: str, person: int, proof: str, now: datetime
    ) -> None: ...
    def identities_of(self, person: int) -> list[WorkAccount]: ...
    def end_identity(self, identity_id: int, person: int, now: datetime) -> bool: ...
    def add_link(
        self,
        sha256: bytes,
        purpose: str,
        person: int,
        evidence_id: int | None,
        by: str,
        now: datetime,
        expires: datetime,
    ) -> None: ...
    def link(self, sha256: bytes) -> OneTimeLink | None: ...
    def use_link(self, link_id: int, now: datetime) -> bool: ...
    def begin_handshake(
        self,
        state_sha256: bytes,
        kind: str,
        nonce_sha256: bytes,
        data: Mapping[str, Any],
        expires: datetime,
    ) -> None: ...
    def look_at_handshake(
        self, state_sha256: bytes, kind: str, now: datetime
    ) -> Handshake | None: ...
    def use_handshake(self, state_sha256: bytes, kind: str, now: datetime) -> Handshake | None: ...
    def attempts(self, key: str, window_start: datetime) -> int: ...
    def attempt(self, key: str, window_start: datetime) -> int: ...
    def forget_old(self, now: datetime) -> None: ...
    def tokens_of(self, person: int, now: datetime) -> list[TokenInfo]: ...
    def add_named_token(
        self,
        person: int,
        sha256: bytes,
        name: str,
        read_only: bool,
        now: datetime,
        expires: datetime,
    ) -> int: ...
    def token(self, sha256: bytes, now: datetime) -> tuple[int, bool] | None: ...
    def revoke_token(self, token_id: int, person: int, now: datetime) -> bool: ...
