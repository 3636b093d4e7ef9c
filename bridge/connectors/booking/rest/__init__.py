"""Any booking system with a JSON API, understood by a profile; see docs/booking-apis.md."""

from bridge.connectors.booking.rest.profile import RestProfile, RestSettings
from bridge.connectors.booking.rest.source import RestSource

__all__ = ["RestProfile", "RestSettings", "RestSource"]
