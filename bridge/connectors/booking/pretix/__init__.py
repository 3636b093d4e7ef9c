"""pretix: who booked, who came and for how long, by its REST API; see docs/booking-apis.md."""

from bridge.connectors.booking.pretix.settings import PretixSettings
from bridge.connectors.booking.pretix.source import PretixSource

__all__ = ["PretixSettings", "PretixSource"]
