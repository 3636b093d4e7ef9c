"""Finding a person, and those whom nobody's team has: without a post, or without a manager."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, url_for

from bridge.domain.permissions import Permission
from bridge.services import desk as desk_service
from bridge.services.directory import search_people
from bridge.web.access import ctx, permits
from bridge.web.asked import number, words
from bridge.web.training.blueprint import training


@training.get("/people")
@permits(Permission.TRAINING)
def people() -> Response:
    """Search by name, email, staff number or number; the only one found is shown at once."""
    asked = words("q")
    after = words("after") or None
    page = search_people(ctx(), asked, after) if asked else None
    if page is not None and len(page.items) == 1 and after is None:
        only = page.items[0].person.canonical
        return make_response(redirect(url_for("training.person", person_id=only)))
    return make_response(render_template("training/people.html", asked=asked, page=page))


@training.get("/people/unplaced/<kind>")
@permits(Permission.TRAINING)
def unplaced(kind: str) -> str:
    """People without a present post, or posts without a manager."""
    read = desk_service.without_manager if kind == "manager" else desk_service.without_post
    kind = "manager" if kind == "manager" else "post"
    return render_template(
        "training/unplaced.html", page=read(ctx(), number("after") or 0), kind=kind
    )
