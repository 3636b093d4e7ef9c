"""Keys: our own, kept in a file that only its owner reads; and the platforms', fetched and kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from bridge.connectors.lti.fetch import PeerWeb
from bridge.domain.errors import Damaged
from bridge.domain.lti import LaunchRefused, Platform

RS256 = "RS256"
_BITS = 2048
#: Keys are asked for again after this long, and for a key that is unknown at most this often.
KEEP_KEYS = timedelta(hours=1)
ASK_AGAIN = timedelta(seconds=10)


class OwnKey:
    """The bridge's RSA key, made when it is first needed. `path` is in the site's folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def key(self) -> RSAKey:
        """The key. Raises Damaged for a file that holds none."""
        if not self._path.exists():
            self._make()
        try:
            read = RSAKey.import_key(self._path.read_bytes())
            thumbprint = read.thumbprint()
            return RSAKey.import_key(
                self._path.read_bytes(), {"kid": thumbprint, "use": "sig", "alg": RS256}
            )
        except (JoseError, ValueError) as error:
            raise Damaged(
                f"The key file {self._path} holds no RSA key. Put it back from your backup, or "
                "remove it: a new one is made, and platforms fetch it by themselves."
            ) from error

    def _make(self) -> None:
        made = RSAKey.generate_key(_BITS, private=True).as_pem(private=True)
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}-{threading.get_ident()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(made)
            # Whole or not at all; where another process was faster, its key stands.
            os.link(fresh, self._path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()

    def public(self) -> dict[str, Any]:
        """The public half, as a JWK."""
        return dict(self.key.as_dict(private=False))


class PlatformKeys:
    """The public keys of platforms, by their address. Shared by the threads of one process."""

    def __init__(self, web: Mapping[str, PeerWeb]) -> None:
        self._web = web
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Mapping[str, RSAKey]]] = {}

    def find(self, platform: Platform, kid: str, now: datetime) -> RSAKey:
        """The key of that id; asked for once more where it is new.

        Raises LaunchRefused, PeerError.
        """
        with self._lock:
            fetched_at, keys = self._kept.get(platform.jwks_url, (None, {}))
        old = fetched_at is None or not timedelta(0) <= now - fetched_at < KEEP_KEYS
        unknown = kid not in keys and (fetched_at is None or now - fetched_at >= ASK_AGAIN)
        if old or unknown:
            document = self._web[platform.source_key].get(platform.jwks_url, platform.source_key)
            keys = _signing_keys(document)
            with self._lock:
                self._kept[platform.jwks_url] = (now, keys)
        if kid not in keys:
            raise LaunchRefused(
                "unknown-key", "The message is signed with a key that Moodle does not publish."
            )
        return keys[kid]


def _signing_keys(document: Mapping[str, Any]) -> dict[str, RSAKey]:
    """The RSA keys for signing in a JWK set; anything else in it is left aside."""
    listed = document.get("keys")
    found: dict[str, RSAKey] = {}
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        kid, use, alg = entry.get("kid"), entry.get("use", "sig"), entry.get("alg", RS256)
        if not isinstance(kid, str) or use != "sig" or alg != RS256:
            continue
        try:
            # The public numbers alone: nothing else in the entry has a say in how it is used.
            key = RSAKey.import_key({name: str(entry[name]) for name in ("kty", "n", "e")})
        except (JoseError, ValueError, KeyError):
            continue
        public = key.public_key
        if isinstance(public, RSAPublicKey) and public.key_size >= _BITS:
            found[kid] = key
    return found
