"""A stand-in Learning Record Store: real enough to pull from and to send to, faults and all."""

from bridge.demo.lrs.faults import Fault
from bridge.demo.lrs.server import StandInLrs
from bridge.demo.lrs.state import Store

__all__ = ["Fault", "StandInLrs", "Store"]
