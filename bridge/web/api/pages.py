"""Every operation of the API: importing this adds them to the blueprint."""

from __future__ import annotations

from bridge.web.api import badges, counts, desk, frameworks, mine, openapi, verifying
from bridge.web.api.operations import api

__all__ = ["api", "badges", "counts", "desk", "frameworks", "mine", "openapi", "verifying"]
