"""Asks platforms for JSON: https alone, no redirects, little time, few bytes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.lti import origin_of

#: Seconds to connect, and between two parts of an answer.
TIMEOUT = (5.0, 10.0)
MAX_BYTES = 256_000


def is_loopback(url: str) -> bool:
    """Whether an address names this very computer."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class PeerWeb:
    """How platforms are reached. `verify` is True or the path of a CA bundle.

    `plain_loopback` allows http:// on this computer, for development; anything else is https.
    """

    verify: bool | str = True
    proxy: str | None = None
    plain_loopback: bool = False

    def may_ask(self, url: str) -> bool:
        """Whether an address is one that may be asked at all."""
        parts = urlsplit(url) if origin_of(url) else None
        if parts is None or parts.username or parts.password or parts.fragment:
            return False
        return parts.scheme == "https" or (self.plain_loopback and is_loopback(url))

    def get(self, url: str, peer: str) -> Mapping[str, Any]:
        """The JSON object at an address. Raises PeerError."""
        return self._ask("GET", url, peer, None, {})

    def post(self, url: str, peer: str, body: Mapping[str, Any], token: str) -> Mapping[str, Any]:
        """The JSON object that answers `body`. Raises PeerError."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._ask("POST", url, peer, orjson.dumps(body), headers)

    def _ask(
        self, method: str, url: str, peer: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, Any]:
        where = origin_of(url) or "that address"
        if not self.may_ask(url):
            raise NeedsAdministrator(
                f"{where} is not asked for its keys or settings: the address must start with "
                "https:// and carry no password.", peer=peer,
            )  # fmt: skip
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.verify = self.verify
                if self.proxy:
                    session.proxies = {"http": self.proxy, "https": self.proxy}
                with session.request(
                    method, url, data=body, headers={"Accept": "application/json", **headers},
                    timeout=TIMEOUT, allow_redirects=False, stream=True,
                ) as answer:  # fmt: skip
                    return self._read(answer, where, peer)
        except requests.RequestException as error:
            raise TryLater(
                f"{where} could not be reached ({type(error).__name__}). Try again in a few "
                "minutes.", peer=peer, detail=str(error),
            ) from None  # fmt: skip

    def _read(self, answer: requests.Response, where: str, peer: str) -> Mapping[str, Any]:
        if 300 <= answer.status_code < 400:
            raise BadAnswer(f"{where} sent us on to another address, which we do not follow.",
                            peer=peer)  # fmt: skip
        body = b""
        for part in answer.iter_content(16_384):
            body += part
            if len(body) > MAX_BYTES:
                raise BadAnswer(f"{where} answered far more than keys or settings.", peer=peer)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise TryLater(f"{where} is busy (status {answer.status_code}).", peer=peer)
        if answer.status_code >= 400:
            raise NeedsAdministrator(
                f"{where} refused (status {answer.status_code}). Look at its LTI settings.",
                peer=peer, detail=body[:200].decode("utf-8", "replace"),
            )  # fmt: skip
        try:
            read = orjson.loads(body)
        except orjson.JSONDecodeError:
            read = None
        if not isinstance(read, dict):
            raise BadAnswer(f"{where} did not answer in JSON.", peer=peer)
        return read
