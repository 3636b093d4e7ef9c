"""The bridge as an LTI tool: registering with a platform, reading launches, answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.connectors.lti.fetch import PeerWeb
from bridge.connectors.lti.keys import RS256, OwnKey, PlatformKeys
from bridge.connectors.lti.messages import read_message, write_answer
from bridge.domain.errors import BadAnswer, Refused
from bridge.domain.lti import (
    DeepLinking,
    Launch,
    LaunchRefused,
    Link,
    LmsSource,
    NewPlatform,
    Platform,
    ToolPages,
    origin_of,
)

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
#: What Moodle's pages are called, for registrations by hand.
_MOODLE = {
    "auth_url": "/mod/lti/auth.php",
    "token_url": "/mod/lti/token.php",
    "jwks_url": "/mod/lti/certs.php",
}
#: What people call what they type in.
_TYPED = {
    "issuer": "platform ID (issuer)",
    "auth_url": "authentication request URL",
    "token_url": "access token URL",
    "jwks_url": "public keyset URL",
}
_ENDPOINTS = {
    "auth_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "jwks_url": "jwks_uri",
    "registration": "registration_endpoint",
}


class Tool:
    """Implements `bridge.domain.lti.LtiTool`. `web` says how each source is reached."""

    def __init__(
        self, sources: Mapping[str, LmsSource], web: Mapping[str, PeerWeb], own: OwnKey
    ) -> None:
        self.sources = sources
        self._web = web
        self._own = own
        self._keys = PlatformKeys(web)

    def public_keys(self) -> dict[str, Any]:
        """Our own public keys, as a JWK set."""
        return {"keys": [self._own.public()]}

    def by_hand(
        self, source_key: str, client_id: str, deployments: Sequence[str], **given: str
    ) -> NewPlatform:
        """A registration typed in; what is not `given` follows from the source. Raises Refused.

        Issuer and addresses are on the source's own site, as with dynamic registration: whoever
        could name another would say who its users are.
        """
        base = self._source(source_key).base_url
        issuer = given.get("issuer") or base
        addresses = {name: given.get(name) or f"{base}{path}" for name, path in _MOODLE.items()}
        for name, url in {"issuer": issuer, **addresses}.items():
            if origin_of(url) != origin_of(base):
                raise Refused(
                    f"The {_TYPED[name]} is not on the site of '{source_key}'. bridge.toml has "
                    f"{base}, so it must begin with {origin_of(base)}. Correct it, or the url in "
                    "bridge.toml."
                )
            if not self._web[source_key].may_ask(url):
                raise Refused(
                    f"The {_TYPED[name]} must start with https:// and carry no "
                    "password. (http:// works only where this computer speaks to itself.)"
                )
        wanted = tuple(dict.fromkeys(one.strip() for one in deployments if one.strip()))
        if not client_id.strip() or not wanted:
            raise Refused(
                "Give the client ID and the deployment ID: Moodle shows both under Manage tools, "
                "at the list icon of the tool."
            )
        return NewPlatform(
            given.get("title") or _host(base), issuer, client_id.strip(), wanted,
            source_key=source_key, **addresses,
        )  # fmt: skip

    def register(
        self, source_key: str, configuration_url: str, token: str, pages: ToolPages
    ) -> NewPlatform:
        """Register with a platform, as it asked us to. Raises LaunchRefused, PeerError."""
        source, web = self._source(source_key), self._web[source_key]
        if origin_of(configuration_url) != origin_of(source.base_url):
            raise LaunchRefused(
                "other-site",
                f"This link registers {_host(source.base_url)} alone; the request came from "
                "another site. Ask for a link for that one.",
            )
        found = web.get(configuration_url, source_key)
        endpoints = self._endpoints(source, found)
        answer = web.post(endpoints["registration"], source_key, self._wish(source, pages), token)
        told = answer.get(TOOL)
        client_id = answer.get("client_id")
        deployment = told.get("deployment_id") if isinstance(told, dict) else None
        if not isinstance(client_id, str) or not isinstance(deployment, str):
            raise BadAnswer(
                f"{_host(source.base_url)} did not say which client and deployment the bridge is.",
                peer=source_key,
            )
        return NewPlatform(
            _host(source.base_url), source.base_url, client_id, (deployment,),
            endpoints["auth_url"], endpoints["token_url"], endpoints["jwks_url"], source_key,
        )  # fmt: skip

    def _endpoints(self, source: LmsSource, found: Mapping[str, Any]) -> dict[str, str]:
        if found.get("issuer") != source.base_url:
            raise LaunchRefused(
                "issuer",
                f"The site calls itself {str(found.get('issuer'))[:100]!r}, but the bridge knows "
                f"it as {source.base_url!r}. Make the two the same in bridge.toml.",
            )
        endpoints = {name: found.get(key) for name, key in _ENDPOINTS.items()}
        for name, url in endpoints.items():
            if not isinstance(url, str) or origin_of(url) != origin_of(source.base_url):
                raise LaunchRefused(
                    "other-site", f"The site's {_ENDPOINTS[name]} is not on the site itself."
                )
        algorithms = found.get("id_token_signing_alg_values_supported", [RS256])
        if not isinstance(algorithms, list) or RS256 not in algorithms:
            raise LaunchRefused("algorithm", "The site does not sign as LTI 1.3 asks (RS256).")
        return {name: str(url) for name, url in endpoints.items()}

    def _wish(self, source: LmsSource, pages: ToolPages) -> dict[str, Any]:
        """What we are, and the least that we ask to be told of people."""
        claims = ["iss", "sub", "name", *(["email"] if source.shares_email else [])]
        return {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["implicit", "client_credentials"],
            "initiate_login_uri": pages.login,
            "redirect_uris": [pages.launch],
            "client_name": pages.title,
            "jwks_uri": pages.jwks,
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": "",
            TOOL: {
                "domain": urlsplit(pages.base_url).netloc,
                "target_link_uri": pages.launch,
                "description": "Your safeguarding evidence, drafted from your training.",
                "claims": claims,
                "messages": [
                    {"type": "LtiResourceLinkRequest", "target_link_uri": pages.launch},
                    {"type": "LtiDeepLinkingRequest", "target_link_uri": pages.launch},
                ],
            },
        }

    def read(self, platform: Platform, token: str, nonce_sha256: bytes, now: datetime) -> Launch:
        """Check a signed message against its platform. Raises LaunchRefused, PeerError."""
        source = self.sources.get(platform.source_key)
        if source is None:
            raise LaunchRefused(
                "no-source",
                f"The source '{platform.source_key}' of this Moodle is no longer configured.",
            )
        return read_message(platform, source, self._keys, token, nonce_sha256, now)

    def answer(
        self, platform: Platform, asked: DeepLinking, links: Sequence[Link], now: datetime
    ) -> str:
        """The signed answer to a deep linking request."""
        return write_answer(platform, self._own, asked, links, now)

    def _source(self, key: str) -> LmsSource:
        source = self.sources.get(key)
        if source is None:
            known = ", ".join(self.sources) or "none"
            raise Refused(f"There is no LMS '{key}' in bridge.toml; there is: {known}.")
        return source


def _host(url: str) -> str:
    return urlsplit(url).netloc
