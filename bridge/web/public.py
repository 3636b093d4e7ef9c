"""Pages for everybody: the way in, and the accessibility statement."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for

from bridge.domain.permissions import Permission
from bridge.web.access import permits, visitor

public = Blueprint("public", __name__)


@public.get("/")
@permits(Permission.PUBLIC)
def start() -> Response:
    """To where the visitor begins."""
    where = "practitioner.home" if visitor().signed_in else "auth.sign_in"
    if visitor().only_evidence is not None:
        where = "manager.linked"
    return make_response(redirect(url_for(where)))


@public.get("/accessibility")
@permits(Permission.PUBLIC)
def accessibility() -> str:
    """The statement that the accessibility regulations ask for (PSBAR 2018, regulation 8)."""
    return render_template("accessibility.html")
