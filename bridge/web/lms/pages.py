"""Every page of the LMS administrator: importing this adds them to the blueprint."""

from __future__ import annotations

from bridge.web.lms import badges, platforms, senders, told, upkeep
from bridge.web.lms.blueprint import lms

__all__ = ["badges", "lms", "platforms", "senders", "told", "upkeep"]
