"""Reads and writes the signed messages of LTI 1.3: every claim checked, nothing taken on trust.

Rules: 1EdTech Security Framework 1.0 section 5.1.3, LTI Core 1.3 section 5, Deep Linking 2.0.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from bridge.connectors.lti.keys import RS256, OwnKey, PlatformKeys
from bridge.domain.lti import (
    DeepLinking,
    Launch,
    LaunchRefused,
    Link,
    LmsSource,
    Message,
    Opens,
    Platform,
    origin_of,
)
from bridge.domain.records import AccountFacts

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
VERSION = "1.3.0"
#: How far two clocks may differ, and how old a message may be whose end is far.
LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=15)
ANSWER_LASTS = timedelta(minutes=5)
MAX_TOKEN = 64_000
_LONGEST = 400
_registry = JWSRegistry(algorithms=[RS256])
_registry.max_payload_length = MAX_TOKEN


def read_message(
    platform: Platform,
    source: LmsSource,
    keys: PlatformKeys,
    token: str,
    nonce_sha256: bytes,
    now: datetime,
) -> Launch:
    """What a platform's message says. Raises LaunchRefused, or PeerError for its keys."""
    claims = _signed_by(platform, keys, token, now)
    _check_who(platform, claims)
    _check_when(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        hashlib.sha256(nonce.encode()).digest(), nonce_sha256
    ):
        raise LaunchRefused("nonce", "The message answers another question than ours.")
    deployment = claims.get(f"{CLAIM}deployment_id")
    if not isinstance(deployment, str) or deployment not in platform.deployments:
        raise LaunchRefused(
            "deployment",
            f"Deployment {str(deployment)[:40]!r} of {platform.title} is not registered here. The "
            "LMS administrator can add it: bridge lti list.",
        )
    if claims.get(f"{CLAIM}version") != VERSION:
        raise LaunchRefused("version", "The message is not LTI 1.3.")
    try:
        message = Message(str(claims.get(f"{CLAIM}message_type")))
    except ValueError:
        raise LaunchRefused(
            "message-type", "Moodle asks for something that the bridge does not do."
        ) from None
    return _launch(platform, source, message, deployment, claims)


def _signed_by(
    platform: Platform, keys: PlatformKeys, token: str, now: datetime
) -> Mapping[str, Any]:
    if not token or len(token) > MAX_TOKEN:
        raise LaunchRefused("no-token", "There is no message from Moodle in this request.")
    try:
        header = jws.extract_compact(token.encode(), registry=_registry).headers()
    except (JoseError, ValueError) as error:
        raise LaunchRefused("malformed", "The message from Moodle cannot be read.") from error
    kid = header.get("kid")
    # Before any key is looked for: "none" and HMAC with a public key are never even tried.
    if header.get("alg") != RS256 or not isinstance(kid, str):
        raise LaunchRefused("algorithm", "The message is not signed as LTI 1.3 asks (RS256).")
    key = keys.find(platform, kid, now)
    try:
        return jwt.decode(token, key, algorithms=[RS256], registry=_registry).claims
    except (JoseError, ValueError) as error:
        raise LaunchRefused("signature", "The message was not signed by this Moodle.") from error


def _check_who(platform: Platform, claims: Mapping[str, Any]) -> None:
    if claims.get("iss") != platform.issuer:
        raise LaunchRefused("issuer", "The message comes from another site than it says.")
    audience, azp = claims.get("aud"), claims.get("azp")
    several = audience if isinstance(audience, list) else [audience]
    if platform.client_id not in several or (len(several) > 1 and azp is None):
        raise LaunchRefused("audience", "The message is meant for somebody else.")
    if azp is not None and azp != platform.client_id:
        raise LaunchRefused("audience", "The message is meant for somebody else.")


def _check_when(claims: Mapping[str, Any], now: datetime) -> None:
    """Times are seconds since 1970 (RFC 7519); a boolean or a text is none."""
    at = now.timestamp()
    leeway = LEEWAY.total_seconds()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is None and name == "nbf":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise LaunchRefused("times", "The message does not say until when it is good.")
        if name != "exp" and value > at + leeway:
            raise LaunchRefused(
                "early", "By our clock the message comes from the future. Check both clocks."
            )
    if claims["exp"] <= at - leeway or claims["iat"] < at - OLDEST.total_seconds():
        raise LaunchRefused(
            "expired", "The message has run out. Go back to Moodle and open the link again."
        )


def _text(value: Any) -> str | None:
    """A claim as a short text; numbers as they are written; None where it is empty or no text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        return None
    return value.strip()[:_LONGEST]


def _group(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _launch(
    platform: Platform,
    source: LmsSource,
    message: Message,
    deployment: str,
    claims: Mapping[str, Any],
) -> Launch:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > 255:
        raise LaunchRefused(
            "nobody", "Moodle does not say who you are. Sign in to Moodle, then open it again."
        )
    context = _group(claims, f"{CLAIM}context")
    presentation = _group(claims, f"{CLAIM}launch_presentation")
    return Launch(
        message=message,
        account=AccountFacts(
            kind=source.account_kind,
            value=subject,
            email=_text(claims.get("email")),
            staff_number=_text(_group(claims, f"{CLAIM}lis").get("person_sourcedid")),
            display_name=_text(claims.get("name")),
        ),
        course=_text(context.get("id")),
        course_title=_text(context.get("title")),
        opens=_text(_group(claims, f"{CLAIM}custom").get("open")),
        target=_text(claims.get(f"{CLAIM}target_link_uri")),
        framed=presentation.get("document_target") in ("iframe", "frame"),
        deep_linking=(
            _deep_linking(platform, deployment, claims) if message is Message.DEEP_LINKING else None
        ),
    )


def _deep_linking(platform: Platform, deployment: str, claims: Mapping[str, Any]) -> DeepLinking:
    settings = _group(claims, f"{DL_CLAIM}deep_linking_settings")
    back, accepts = settings.get("deep_link_return_url"), settings.get("accept_types")
    # The answer goes to a page of the platform itself, wherever the message points.
    if not isinstance(back, str) or origin_of(back) != platform.origin or len(back) > 2000:
        raise LaunchRefused("return-url", "Moodle asks for the answer to go to another site.")
    if isinstance(accepts, list) and "ltiResourceLink" not in accepts:
        raise LaunchRefused("content", "Only links to the bridge can be put into a course.")
    data = settings.get("data")
    if data is not None and (not isinstance(data, str) or len(data) > 8000):
        raise LaunchRefused("content", "Moodle's request is too long to send back.")
    return DeepLinking(back, deployment, data)


def write_answer(
    platform: Platform,
    own: OwnKey,
    asked: DeepLinking,
    links: Sequence[Link],
    now: datetime,
) -> str:
    """The signed answer to a deep linking request.

    Links carry no address: they open the tool's own page, and what it shows is a parameter. So
    a platform has nothing to match, and the link survives a change of the bridge's address.
    """
    claims: dict[str, Any] = {
        "iss": platform.client_id,
        "aud": [platform.issuer],
        "iat": int(now.timestamp()),
        "exp": int((now + ANSWER_LASTS).timestamp()),
        "nonce": secrets.token_urlsafe(16),
        f"{CLAIM}deployment_id": asked.deployment_id,
        f"{CLAIM}message_type": "LtiDeepLinkingResponse",
        f"{CLAIM}version": VERSION,
        f"{DL_CLAIM}content_items": [_item(link) for link in links],
    }
    if asked.data is not None:
        claims[f"{DL_CLAIM}data"] = asked.data
    key = own.key
    return jwt.encode({"alg": RS256, "kid": key.kid}, claims, key, algorithms=[RS256])


def _item(link: Link) -> dict[str, Any]:
    return {
        "type": "ltiResourceLink",
        "title": link.title,
        "text": link.text,
        "custom": {"open": Opens(link.opens).value},
    }
