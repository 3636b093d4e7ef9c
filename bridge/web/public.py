"""Pages for everybody: the way in, and the accessibility statement."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for

from bridge.domain.permissions import Permission, Role
from bridge.web.access import permits, visitor

public = Blueprint("public", __name__)
#: Where somebody with a role that was given begins.
_DESKS = {
    Role.TRAINING_TEAM: "training.desk",
    Role.LMS_ADMIN: "lms.badges",
    Role.PARTNERSHIP: "partnership.counts",
}


@public.get("/")
@permits(Permission.PUBLIC)
def start() -> Response:
    """To where the visitor begins: their desk, if they have one, or their own evidence."""
    who = visitor()
    if who.only_evidence is not None:
        where = "manager.linked"
    elif who.signed_in:
        desks = (endpoint for role, endpoint in _DESKS.items() if role in who.roles)
        where = next(desks, "practitioner.home")
    else:
        where = "auth.sign_in"
    return make_response(redirect(url_for(where)))


@public.get("/accessibility")
@permits(Permission.PUBLIC)
def accessibility() -> str:
    """The statement that the accessibility regulations ask for (PSBAR 2018, regulation 8)."""
    return render_template("accessibility.html")
