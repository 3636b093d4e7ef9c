"""The pages for a web server with processes of its own: `gunicorn "bridge.wsgi:application()"`.

BRIDGE_SITE names the site's folder, BRIDGE_ADDRESS where the pages are (`[web] base_url` wins).
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from bridge import log
from bridge.bootstrap import open_bridge, web_site
from bridge.jobs.servers import calm_collector
from bridge.web.app import create_app


def application() -> Flask:
    """Open the site and make its pages, once in each process. Raises BridgeError."""
    log.set_up(level=os.environ.get("BRIDGE_LOG_LEVEL", "INFO"))
    bridge = open_bridge(Path(os.environ.get("BRIDGE_SITE", ".")))
    address = os.environ.get("BRIDGE_ADDRESS", "http://127.0.0.1:8765")
    app = create_app(web_site(bridge, address.rstrip("/")))
    calm_collector()
    return app
