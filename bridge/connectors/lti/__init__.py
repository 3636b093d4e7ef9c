"""LTI 1.3: the bridge as a tool that Moodle launches."""

from bridge.connectors.lti.fetch import PeerWeb
from bridge.connectors.lti.keys import OwnKey
from bridge.connectors.lti.tool import Tool

__all__ = ["OwnKey", "PeerWeb", "Tool"]
