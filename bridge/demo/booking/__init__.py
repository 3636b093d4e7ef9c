"""A stand-in pretix, which answers as the real one was seen to; and the demo's bookings in it."""

from bridge.demo.booking.faults import Fault
from bridge.demo.booking.server import StandInPretix
from bridge.demo.booking.state import Shop

__all__ = ["Fault", "Shop", "StandInPretix"]
