"""Where somebody can go: the sections of the site that their roles open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, g, request, url_for

from bridge.domain.permissions import Permission
from bridge.services.signin import Who
from bridge.web.access import allowed


@dataclass(frozen=True, slots=True)
class Item:
    """One link of the navigation. `here`: the page shown belongs to it."""

    title: str
    url: str
    here: bool


_SECTIONS: tuple[tuple[str, str, Permission], ...] = (
    ("My evidence", "practitioner.home", Permission.OWN_EVIDENCE),
    ("My log", "practitioner.log", Permission.OWN_EVIDENCE),
    ("To verify", "manager.waiting", Permission.VERIFY),
    ("My team", "manager.team", Permission.TEAM),
    ("Training desk", "training.desk", Permission.TRAINING),
    ("Badges", "lms.badges", Permission.BADGES),
    ("Counts", "partnership.counts", Permission.COUNTS),
)


def navigation(who: Who) -> list[Item]:
    """The sections that this visitor may open, in order."""
    blueprint = request.blueprint or ""
    endpoints = [e for _, e, _ in _SECTIONS]
    # A part with several sections says itself to which of them a page of its belongs.
    here = g.get("section") or (request.endpoint if request.endpoint in endpoints else "")
    if (request.endpoint or "").startswith("practitioner.log"):
        here = "practitioner.log"
    first_of = {e.partition(".")[0]: e for e in reversed(endpoints)}
    return [
        Item(title, url_for(endpoint), (here or first_of.get(blueprint, "")) == endpoint)
        for title, endpoint, permission in _SECTIONS
        if allowed(who, permission) and endpoint in current_app.view_functions
    ]
