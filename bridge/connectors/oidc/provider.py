"""One identity provider: where to send a browser, and who it was that came back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.connectors.oidc.idtoken import read_id_token
from bridge.connectors.oidc.peer import Peer
from bridge.connectors.oidc.settings import OidcSettings
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.identity import Identifier, IdentifierKind, normal_staff_number
from bridge.domain.ports import Clock
from bridge.domain.sso import Asserted, SignInRefused

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_TENANT = "{tenantid}"
_LONGEST_SUBJECT = 400


class OidcProvider:
    """Implements `bridge.domain.sso.IdentityProvider` by the authorization code flow with PKCE."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._peer = Peer(settings)

    @property
    def key(self) -> str:
        """Its configured name."""
        return self._settings.key

    @property
    def title(self) -> str:
        """What people call it."""
        return self._settings.title

    def ask(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """The address to sign in at. Raises PeerError."""
        now = self._clock.now()
        url = str(self._issuer_checked(now)["authorization_endpoint"])
        with self._peer.client(now, redirect_uri) as session:
            address, _ = session.create_authorization_url(
                url, state=state, code_verifier=verifier, nonce=nonce
            )
        return str(address)

    def finish(
        self,
        redirect_uri: str,
        code: str,
        issuer: str | None,
        verifier: str,
        nonce_sha256: bytes,
        now: datetime,
    ) -> Asserted:
        """Who signed in. Raises SignInRefused, PeerError."""
        now = now.astimezone(UTC)
        metadata = self._issuer_checked(now)
        named = str(metadata["issuer"])
        # RFC 9207: an answer that says who it is from must be from whom we asked (mix-up).
        must_say = metadata.get("authorization_response_iss_parameter_supported") is True
        if (issuer is None and must_say) or (issuer is not None and not self._is(named, issuer)):
            raise SignInRefused("mix-up", "The answer comes from another provider than was asked.")
        token = self._peer.exchange(now, redirect_uri, code, verifier)
        claims = read_id_token(
            token,
            lambda anew: self._peer.keys(now, anew=anew),
            self._settings.client_id,
            nonce_sha256,
            now,
        )
        return self._asserted(named, claims)

    def _issuer_checked(self, now: datetime) -> Mapping[str, Any]:
        metadata = self._peer.metadata(now)
        named = metadata.get("issuer")
        # Entra ID's common settings stand for every tenant; which may come is checked by tenant.
        shared = self._settings.entra and isinstance(named, str) and _ANY_TENANT in named
        if not isinstance(named, str) or (named != self._settings.issuer and not shared):
            raise NeedsAdministrator(
                f"{self.title} calls itself {str(named)[:200]!r}. An administrator sets that as "
                f"the issuer of oidc.{self.key}, if it is right.", peer=self.key,
            )  # fmt: skip
        return metadata

    def _is(self, named: str, issuer: str) -> bool:
        """Whether an issuer is this one, or one of the tenants that it stands for."""
        return issuer == named or (
            self._settings.entra
            and any(issuer == named.replace(_ANY_TENANT, t) for t in self._settings.tenants)
        )

    def _asserted(self, named: str, claims: Mapping[str, Any]) -> Asserted:
        if self._settings.entra:
            subject = self._entra_subject(named, claims)
        else:
            if claims.get("iss") != named:
                raise SignInRefused("issuer", "The answer comes from another provider than asked.")
            subject = f"{named} {_text(claims, 'sub')}"
        if len(subject) > _LONGEST_SUBJECT:
            raise SignInRefused("subject", "The provider names you in a way we cannot keep.")
        name = claims.get("name") or claims.get("preferred_username") or ""
        number = claims.get(self._settings.staff_number_claim or "-")
        value = normal_staff_number(str(number)) if type(number) in (str, int) else None
        kept = (Identifier(IdentifierKind.STAFF_NUMBER, value),) if value else ()
        return Asserted(subject, str(name)[:200], kept)

    def _entra_subject(self, named: str, claims: Mapping[str, Any]) -> str:
        """Tenant and object id: names and addresses are handed on to others, these never are."""
        tenant, person = (_text(claims, name).casefold() for name in ("tid", "oid"))
        if not _GUID.fullmatch(tenant) or not _GUID.fullmatch(person):
            raise SignInRefused("subject", "The provider does not say who you are.")
        if claims.get("iss") != named.replace(_ANY_TENANT, tenant):
            raise SignInRefused("issuer", "The answer comes from another provider than was asked.")
        if tenant not in self._settings.tenants:
            raise SignInRefused(
                "tenant", "This account belongs to an organisation that is not part of this "
                "bridge. Sign in with your work account, or ask your training team.",
            )  # fmt: skip
        return f"{tenant}/{person}"


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip():
        raise SignInRefused("subject", "The provider does not say who you are.")
    return value
