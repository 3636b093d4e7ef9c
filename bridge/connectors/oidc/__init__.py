"""OpenID Connect: signs people in through their organisation's identity provider."""

from bridge.connectors.oidc.provider import OidcProvider
from bridge.connectors.oidc.settings import OidcSettings

__all__ = ["OidcProvider", "OidcSettings"]
