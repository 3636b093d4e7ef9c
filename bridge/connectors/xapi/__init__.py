"""Learning Record Stores, read by `since` and `more`; see docs/xapi.md."""

from bridge.connectors.xapi.settings import LrsSettings
from bridge.connectors.xapi.source import LrsSource

__all__ = ["LrsSettings", "LrsSource"]
