"""The benches still run: the pages over a small partnership, and a Moodle that is the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.bootstrap import web_site
from bridge.demo.moodle import StandInMoodle, seed
from bridge.services.counts import recount
from bridge.web.app import create_app
from tests.bench.lrsmemory import pulled, received
from tests.bench.lrspull import serving
from tests.bench.moodle import measure_moodle
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


def test_memory_of_statements_is_measured_on_both_sides(tmp_path: Path) -> None:
    with serving(30, 0, 5000) as lrs:
        told = pulled(f"sqlite:///{tmp_path / 'pulled.sqlite'}", 10, 30, lrs)
    taken = received(f"sqlite:///{tmp_path / 'received.sqlite'}", 10, 30)
    for marks in (told, taken):
        assert 0 < marks["idle_mb"] <= marks["half_mb"] <= marks["peak_mb"]


def test_a_moodle_is_measured_by_each_road_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with StandInMoodle(seed.demo_site(datetime.now(UTC), plugin=True)) as moodle:
        monkeypatch.setenv("BRIDGE_TEST_MOODLE_URL", moodle.base_url)
        token = moodle.site.token_of(seed.SERVICE_USER)
        monkeypatch.setenv("BRIDGE_TEST_MOODLE_TOKEN", token)
        monkeypatch.delenv("BRIDGE_TEST_MOODLE_REPORT", raising=False)
        figures = measure_moodle(["sqlite"], page=100, repeat=1, road="both")
    for road in ("report", "plugin"):
        told = figures[road]
        assert told["rows"] == 840
        assert told["calls"] == told["sqlite"]["calls"]
        assert told["sqlite"]["drafts"] > 0
        assert told["sqlite"]["idle"]["calls"] <= 4
        assert told["sqlite"]["idle"]["says_nothing_written"]
