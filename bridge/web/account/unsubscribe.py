"""The link in a mail that switches its kind off: confirmed by a POST, without signing in."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from bridge.domain.errors import NotFound
from bridge.domain.mail import TITLES
from bridge.domain.permissions import Permission
from bridge.domain.scope import Actor
from bridge.services import notify
from bridge.web.access import permits, site

#: Mail programs post here by themselves (RFC 8058), with neither session nor CSRF token: what
#: guards it is our signature in the address.
unsubscribe = Blueprint("unsubscribe", __name__)


def _key() -> bytes:
    key = site().unsubscribe_key
    if key is None:
        raise NotFound("No mail is sent from here.")
    return key


@unsubscribe.get("/unsubscribe/<token>")
@permits(Permission.PUBLIC)
def ask(token: str) -> str:
    """Ask for a click: mail scanners open links, and must not switch anything off."""
    _, kind = notify.read_unsubscribe(_key(), token)
    return render_template("account/unsubscribe.html", token=token, title=TITLES[kind], done=None)


@unsubscribe.post("/unsubscribe/<token>")
@permits(Permission.PUBLIC)
def confirm(token: str) -> str:
    """Switch it off, or on again."""
    on = request.form.get("on") == "yes"
    ctx = site().ctx
    kind = notify.unsubscribe(ctx.acting_as(Actor(ctx.actor.scope, "link")), _key(), token, on=on)
    done = "on" if on else "off"
    return render_template("account/unsubscribe.html", token=token, title=TITLES[kind], done=done)
