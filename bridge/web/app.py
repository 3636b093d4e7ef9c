"""The web application: its parts, put together for one site."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_bootstrap import Bootstrap5
from flask_compress import Compress
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from bridge import __version__
from bridge.domain.errors import Refused
from bridge.domain.permissions import Permission, Role
from bridge.web.access import FROM_AN_LMS, allowed, permission_of, site, visitor
from bridge.web.errors import add_error_pages, page, to_sign_in
from bridge.web.navigation import navigation
from bridge.web.parts import BLUEPRINTS, CSRF_EXEMPT
from bridge.web.security import protect
from bridge.web.sessions import ServerSessions
from bridge.web.site import WebSite
from bridge.web.words import add_words

#: Static files are named with a digest of what they hold, so a browser may keep them for ever.
FOREVER = 365 * 24 * 3600
#: The largest request that is read: a long reflection, or a file where uploads are on.
FORM_BYTES = 1_000_000
#: Whose pages have forms that people fill in.
_FORMS = frozenset(blueprint.name for blueprint in BLUEPRINTS) - CSRF_EXEMPT


def create_app(bridge_site: WebSite) -> Flask:
    """The application for one site. Raises RuntimeError where a view names no permission."""
    app = Flask("bridge.web")
    app.config.update(
        SECRET_KEY=bridge_site.key,
        MAX_CONTENT_LENGTH=max(FORM_BYTES, bridge_site.settings.upload_bytes + FORM_BYTES),
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=FOREVER,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # it lives as long as the session that it is derived from
        WTF_CSRF_SSL_STRICT=False,  # it asks for a Referer, which our own policy forbids to send
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["bridge"] = bridge_site
    app.session_interface = ServerSessions(bridge_site)
    if bridge_site.settings.proxies:
        count = bridge_site.settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    add_words(app)
    # Before CSRF: a stranger's host name is turned away first.
    protect(app, bridge_site.settings)
    app.before_request(enforce)
    csrf = CSRFProtect(app)
    app.before_request(refuse_nul)
    # Of rows with longer numbers there are none, and no database could be asked for one.
    app.url_map.converters["int"] = RowNumber
    Bootstrap5(app)
    PageCompress(app)
    add_error_pages(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
        if blueprint.name in CSRF_EXEMPT:
            csrf.exempt(blueprint)
    for receiver in bridge_site.receivers:
        app.register_blueprint(receiver)
        csrf.exempt(receiver)
    _serve_forever(app)
    app.context_processor(_for_every_page)
    _check_permissions(app)
    return app


def enforce() -> Response | None:
    """Turn away whoever may not open the view that was asked for."""
    if request.endpoint is None or request.endpoint.endswith("static"):
        return None
    permission = permission_of(current_app.view_functions[request.endpoint])
    g.permission = permission
    if request.blueprint == "api":
        # Programs come with a token, not with a session: the API looks for itself.
        return None
    if allowed(visitor(), permission):
        return None
    if not visitor().signed_in:
        return to_sign_in()
    if visitor().launched:
        return page(403, FROM_AN_LMS)
    return page(403, "You are signed in, but this page is for another role. If you need it, ask "
                "your training team.")  # fmt: skip


class PageCompress(Compress):
    """Compresses pages, and nothing that guards itself: there an ETag is that of the very bytes."""

    def after_request(self, response: Any) -> Any:
        """Compress an answer, if it is one of ours to compress."""
        return response if request.blueprint in receivers() else super().after_request(response)


def receivers() -> frozenset[str]:
    """The parts for programs that bring no cookie: their names."""
    return frozenset(receiver.name for receiver in site().receivers)


class RowNumber(IntegerConverter):
    """A row's number in an address."""

    regex = r"\d{1,18}"


def refuse_nul() -> None:
    """Turn away a form with a character that no keyboard has and no database keeps.

    Raises Refused.
    """
    if request.method != "POST" or request.blueprint not in _FORMS:
        return
    if any("\0" in text for texts in request.form.listvalues() for text in texts):
        raise Refused("There is a character in it that cannot be kept. Type it again.")


def _check_permissions(app: Flask) -> None:
    for name, view in app.view_functions.items():
        if permission_of(view) is None and not name.endswith("static"):
            raise RuntimeError(f"The view {name} declares no permission.")


def _serve_forever(app: Flask) -> None:
    digests: dict[tuple[str, str], str] = {}

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if not endpoint.endswith("static") or "filename" not in values:
            return
        name = values["filename"]
        if (endpoint, name) not in digests:
            owner = app if endpoint == "static" else app.blueprints[endpoint.rpartition(".")[0]]
            path = Path(str(owner.static_folder)) / name
            digests[endpoint, name] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        values["v"] = digests[endpoint, name]


def _for_every_page() -> dict[str, Any]:
    settings = site().settings
    who = visitor()
    return {
        "who": who,
        "site_title": settings.title,
        "contact": settings.contact,
        "Role": Role,
        "may_open": lambda permission: allowed(who, Permission[permission]),
        "here": request.blueprint or "",
        "navigation": navigation(who) if who.signed_in and who.only_evidence is None else [],
        "providers": [(name, one.title) for name, one in site().providers.items()],
        "version": __version__,
    }
