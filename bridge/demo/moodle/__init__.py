"""A stand-in Moodle that speaks the stock web services as the real one does."""

from bridge.demo.moodle.faults import Fault, Faults
from bridge.demo.moodle.server import Seen, StandInMoodle
from bridge.demo.moodle.state import Site

__all__ = ["Fault", "Faults", "Seen", "Site", "StandInMoodle"]
