"""The LMS administrator's part of the site, to which its modules add their pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from bridge.domain.permissions import Permission
from bridge.web.access import ctx

lms = Blueprint("lms", __name__, url_prefix="/lms")

#: The pages of this part: endpoint, title, and whether only a whole partnership's role has it.
_PAGES = (
    ("lms.badges", "Badges", False),
    ("lms.by_hand", "Given by hand", True),
    ("lms.ready", "Next year", True),
    ("lms.meanings", "What badges mean", False),
    ("lms.told", "Told of verifications", True),
    ("lms.platforms", "Launching from Moodle", True),
    ("lms.senders", "Statements sent here", True),
)


def whole_partnership() -> bool:
    """Whether the visitor's role is for everybody, not for some organisations alone."""
    return ctx(Permission.BADGES).actor.scope.organisations is None


@lms.context_processor
def for_every_lms_page() -> dict[str, Any]:
    """What the frame of these pages asks for."""
    whole = whole_partnership()
    pages = [
        (title, url_for(endpoint), endpoint)
        for endpoint, title, everybody in _PAGES
        if whole or not everybody
    ]
    return {"whole": whole, "lms_pages": pages}
