"""The bench of the pages still runs: a small partnership, made in a moment, on every page."""

from __future__ import annotations

from pathlib import Path

from bridge.bootstrap import web_site
from bridge.services.counts import recount
from bridge.web.app import create_app
from tests.bench.partnership import BUSIEST, fill, make_folder, open_site, sign_in
from tests.bench.visits import visits


def test_a_small_partnership_can_be_looked_at_on_every_page(
    tmp_path: Path, postgres_url: str
) -> None:
    make_folder(tmp_path / "site", postgres_url)
    bridge = open_site(tmp_path / "site")
    try:
        filled = fill(bridge, people=400, claims=3000)
        assert filled.people == 400
        assert filled.claims >= 3000
        assert recount(bridge.context) > 0
        app = create_app(web_site(bridge, "http://127.0.0.1"))
        with bridge.engine.connect() as connection:
            pages, unknown = visits(app, connection)
        # A new route takes something that the bench must be told a value for.
        assert unknown == []
        assert len(pages) > 50
        browser = app.test_client()
        browser.set_cookie("bridge", sign_in(bridge, BUSIEST))
        for page in pages:
            if page.person == BUSIEST and page.endpoint.startswith("practitioner."):
                assert browser.get(page.path).status_code == 200, page
    finally:
        bridge.close()
