"""Reads an id token: signature, issuer, audience, times and nonce, nothing taken on trust.

Rules: OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 (JSON Web Token best practices).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from bridge.domain.sso import SignInRefused

#: The signatures that are accepted, and the kind of key that each goes with. Whatever a token's
#: header says, "none" and the symmetric ones are never tried.
ALGORITHMS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
LEEWAY = timedelta(seconds=90)
#: How old a token may be: it has just been asked for.
OLDEST = timedelta(minutes=15)
MAX_TOKEN = 64_000
_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
_registry = JWSRegistry(algorithms=list(ALGORITHMS))
_registry.max_payload_length = MAX_TOKEN

#: Gives the provider's public keys; with True, as they are now.
Keys = Callable[[bool], Sequence[Mapping[str, Any]]]


def read_id_token(
    token: str, keys: Keys, client_id: str, nonce_sha256: bytes, now: datetime
) -> Mapping[str, Any]:
    """The claims of a token that is genuine, fresh, and for us. Raises SignInRefused.

    Its issuer is left to the caller, who knows which may be believed.
    """
    claims = _signed(token, keys)
    audience, azp = claims.get("aud"), claims.get("azp")
    several = audience if isinstance(audience, list) else [audience]
    if client_id not in several or (len(several) > 1 and azp is None):
        raise SignInRefused("audience", "The answer is meant for another service.")
    if azp is not None and azp != client_id:
        raise SignInRefused("audience", "The answer is meant for another service.")
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        hashlib.sha256(nonce.encode()).digest(), nonce_sha256
    ):
        raise SignInRefused("nonce", "The answer belongs to another sign-in. Please try again.")
    return claims


def _signed(token: str, keys: Keys) -> Mapping[str, Any]:
    if len(token) > MAX_TOKEN:
        raise SignInRefused("malformed", "The answer cannot be read.")
    try:
        header = jws.extract_compact(token.encode(), registry=_registry).headers()
    except (JoseError, ValueError) as error:
        raise SignInRefused("malformed", "The answer cannot be read.") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise SignInRefused("algorithm", "The answer is not signed in a way that proves anything.")
    key = _key(keys(False), algorithm, kid) or _key(keys(True), algorithm, kid)
    if key is None:
        raise SignInRefused("unknown-key", "The answer is signed with a key that is not published.")
    try:
        return jwt.decode(token, key, algorithms=[algorithm], registry=_registry).claims
    except (JoseError, ValueError) as error:
        raise SignInRefused("signature", "The answer was not signed by the provider.") from error


def _key(
    published: Sequence[Mapping[str, Any]], algorithm: str, kid: object
) -> RSAKey | ECKey | None:
    """The key of that id; where the token names none, the only one that fits."""
    kind = ALGORITHMS[algorithm]
    fitting = [
        entry for entry in published
        if entry.get("kty") == kind and entry.get("use", "sig") == "sig"
        and entry.get("alg", algorithm) == algorithm and kid in (None, entry.get("kid"))
    ]  # fmt: skip
    if len(fitting) != 1:
        return None
    try:
        # The public members alone: nothing else in the entry has a say in how it is used.
        plain: dict[str, str | list[str]] = {name: str(fitting[0][name]) for name in _MEMBERS[kind]}
        return RSAKey.import_key(plain) if kind == "RSA" else ECKey.import_key(plain)
    except (JoseError, ValueError, KeyError):
        return None


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is None and name == "nbf":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SignInRefused("times", "The answer does not say until when it is good.")
        if name != "exp" and value > at + leeway:
            raise SignInRefused(
                "early", "By our clock the answer comes from the future. Tell your training team: "
                "the clock of the server is wrong.",
            )  # fmt: skip
    if claims["exp"] <= at - leeway or claims["iat"] < at - OLDEST.total_seconds():
        raise SignInRefused("expired", "The answer has run out. Please sign in once more.")
