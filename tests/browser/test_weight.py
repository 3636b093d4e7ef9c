"""What a page costs on a phone: bytes as they travel, on a first visit and after."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.fill import someone
from tests.browser.site import BridgeSite
from tests.browser.visit import Visit, Window

#: Transferred bytes, compressed, with their headers.
FIRST, AFTER = 200_000, 30_000
PLACES = {
    "many": ("/evidence", "/log", "/evidence/new", "/evidence/pile/drafts", "/account/"),
    "big": ("/verify/", "/team/", "/team/deputies"),
    "training": ("/training/", "/training/unmapped", "/training/unmatched", "/training/mappings"),
    "admin": ("/lms/", "/lms/meaning"),
    "analyst": ("/counts/",),
}


class Meter:
    """Counts the bytes that travel to a window, as Chromium's network reports them."""

    def __init__(self, visit: Visit) -> None:
        self.bytes = 0.0
        self._session = visit.context.new_cdp_session(visit.page)
        self._session.send("Network.enable")
        self._session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def of(self, visit: Visit, path: str) -> float:
        """What going to this page takes."""
        before = self.bytes
        visit.open(path)
        visit.page.wait_for_load_state("networkidle")
        return self.bytes - before


@pytest.mark.parametrize("key", PLACES)
def test_pages_are_light(window: Window, site: BridgeSite, key: str) -> None:
    paths = PLACES[key]
    if key == "many":
        draft = next(i for i in site.items(someone(site, key)))
        paths = (f"/evidence/{draft.evidence.id}", *paths)
    visit = window().sign_in(someone(site, key))
    meter = Meter(visit)
    first = meter.of(visit, paths[0])
    assert 5_000 < first < FIRST, (paths[0], first)
    for path in paths:
        after = meter.of(visit, path)
        assert 500 < after < AFTER, (path, after)
