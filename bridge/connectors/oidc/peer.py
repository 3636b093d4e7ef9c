"""Asks an identity provider: its settings, its keys, and an id token for a code.

Redirects are not followed: the client's secret goes to the address that was configured, or nowhere.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from bridge.connectors.oidc.settings import OidcSettings, may_ask
from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater
from bridge.domain.sso import SignInRefused

MAX_BYTES = 512_000
#: Settings and keys are asked for again after this long; for a key that is unknown at most so
#: often, so that forged tokens cannot make us hammer the provider.
KEEP = timedelta(hours=6)
ASK_AGAIN = timedelta(seconds=30)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Peer:
    """One provider over HTTP; what it says of itself is kept for a while. Shared by threads."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Mapping[str, Any]]] = {}

    def metadata(self, now: datetime) -> Mapping[str, Any]:
        """What the provider says of itself. Raises PeerError."""
        found = self._keep(self._settings.discovery_url, now, KEEP)
        if not all(may_ask(str(found.get(name, ""))) for name in _ENDPOINTS):
            raise BadAnswer(
                f"{self._settings.title} names no https:// addresses in its settings.",
                peer=self._settings.key,
            )
        return found

    def keys(self, now: datetime, *, anew: bool = False) -> list[Mapping[str, Any]]:
        """The provider's public keys, as JWKs. Raises PeerError."""
        url = str(self.metadata(now)["jwks_uri"])
        listed = self._keep(url, now, ASK_AGAIN if anew else KEEP).get("keys")
        if not isinstance(listed, list):
            raise BadAnswer(f"{self._settings.title} publishes no keys.", peer=self._settings.key)
        return [key for key in listed if isinstance(key, dict)]

    def _keep(self, url: str, now: datetime, longest: timedelta) -> Mapping[str, Any]:
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and timedelta(0) <= now - kept[0] < longest:
            return kept[1]
        with requests.Session() as session:
            session.trust_env = False
            answer = self._send(lambda: session.get(url, **self._how()))
            if answer.status_code != 200:
                raise self._refused(answer)
            found = self._json(answer)
        with self._lock:
            self._kept[url] = (now, found)
        return found

    def client(self, now: datetime, redirect_uri: str) -> OAuth2Session:
        """A client of this provider. Raises PeerError."""
        offered = self.metadata(now).get("token_endpoint_auth_methods_supported")
        body = isinstance(offered, list) and "client_secret_basic" not in offered
        session = OAuth2Session(
            self._settings.client_id,
            self._settings.secret,
            token_endpoint_auth_method="client_secret_post" if body else "client_secret_basic",
            scope=" ".join(self._settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        session.trust_env = False
        return session

    def exchange(self, now: datetime, redirect_uri: str, code: str, verifier: str) -> str:
        """The id token for a code. Raises SignInRefused where the code is not good, PeerError."""
        url = str(self.metadata(now)["token_endpoint"])
        with self.client(now, redirect_uri) as session:
            session.register_compliance_hook("access_token_response", self._token_answer)
            try:
                token = self._send(
                    lambda: session.fetch_token(
                        url, grant_type="authorization_code", code=code,
                        redirect_uri=redirect_uri, code_verifier=verifier, **self._how(),
                    )
                )  # fmt: skip
            except OAuthError as error:
                if error.error == "invalid_grant":
                    raise SignInRefused(
                        "code", "That sign-in has run out. Please sign in once more."
                    ) from None
                raise NeedsAdministrator(
                    f"{self._settings.title} does not accept the bridge ({error.error}). An "
                    f"administrator looks at client_id and secret of oidc.{self._settings.key}.",
                    peer=self._settings.key,
                ) from None
        found = token.get("id_token")
        if not isinstance(found, str):
            raise BadAnswer(
                f"{self._settings.title} gave no id token. Is the scope 'openid' allowed?",
                peer=self._settings.key,
            )
        return found

    def _how(self) -> dict[str, Any]:
        proxy = self._settings.proxy
        return {
            "timeout": self._settings.timeout,
            "verify": self._settings.verify,
            "allow_redirects": False,
            "stream": True,
            "proxies": {"http": proxy, "https": proxy} if proxy else None,
        }

    def _send(self, ask: Any) -> Any:
        try:
            return ask()
        except requests.RequestException as error:
            raise TryLater(
                f"{self._settings.title} could not be reached ({type(error).__name__}). Please "
                "try again in a few minutes, or sign in another way.",
                peer=self._settings.key,
            ) from None

    def _token_answer(self, answer: requests.Response) -> requests.Response:
        """Read an answer of the token endpoint, no more than it may be, before it is believed."""
        if answer.status_code not in (200, 400, 401):
            raise self._refused(answer)
        self._json(answer)
        return answer

    def _refused(self, answer: requests.Response) -> PeerError:
        title, key = self._settings.title, self._settings.key
        if 300 <= answer.status_code < 400:
            return BadAnswer(
                f"{title} sent the bridge on to another address, which it does not follow.",
                peer=key,
            )
        if answer.status_code >= 500 or answer.status_code == 429:
            return TryLater(
                f"{title} is busy (status {answer.status_code}). Please try again in a few "
                "minutes, or sign in another way.", peer=key,
            )  # fmt: skip
        return NeedsAdministrator(
            f"{title} refused (status {answer.status_code}). An administrator looks at the "
            f"issuer of oidc.{key}.", peer=key,
        )  # fmt: skip

    def _json(self, answer: requests.Response) -> Mapping[str, Any]:
        body = b""
        for part in answer.iter_content(16_384):
            body += part
            if len(body) > MAX_BYTES:
                raise BadAnswer(f"{self._settings.title} answered far more than it should.",
                                peer=self._settings.key)  # fmt: skip
        answer._content = body  # so that Authlib reads these bytes, and no more from the line
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise BadAnswer(f"{self._settings.title} did not answer in JSON.",
                            peer=self._settings.key)  # fmt: skip
        return found
