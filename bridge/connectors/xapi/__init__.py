"""Learning Record Stores: read by `since` and `more`, and told of verifications; docs/xapi*.md."""

from bridge.connectors.xapi.settings import LrsSettings
from bridge.connectors.xapi.source import LrsSource
from bridge.connectors.xapi.teller import LrsTeller

__all__ = ["LrsSettings", "LrsSource", "LrsTeller"]
