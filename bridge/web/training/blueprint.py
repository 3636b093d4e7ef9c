"""The training team's part of the site, to which its modules add their pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from bridge.domain.permissions import Permission
from bridge.web.access import ctx

training = Blueprint("training", __name__, url_prefix="/training")

#: The pages of the desk: endpoint, title, and whether only the whole partnership's team has it.
_PAGES = (
    ("training.desk", "Overview", False),
    ("training.unmapped", "Unmapped", False),
    ("training.unmatched", "Unmatched", True),
    ("training.activities", "Activities", True),
    ("training.quarantine", "Quarantine", True),
    ("training.stuck", "Stuck", False),
    ("training.mappings", "Mappings", False),
    ("training.tables", "Files", True),
    ("training.people", "People", False),
    ("training.runs", "Pulls", False),
    ("training.trail", "Audit trail", True),
)


def whole_partnership() -> bool:
    """Whether the visitor's training role is for everybody, not for some organisations alone."""
    return ctx(Permission.TRAINING).actor.scope.unrestricted


@training.context_processor
def for_every_desk_page() -> dict[str, Any]:
    """What the frame of these pages asks for."""
    whole = whole_partnership()
    pages = [
        (title, url_for(endpoint), endpoint)
        for endpoint, title, everybody in _PAGES
        if whole or not everybody
    ]
    return {"whole": whole, "desk_pages": pages}
