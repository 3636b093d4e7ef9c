"""Every page of visitors, practitioners and verifiers by link, in all its widths."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.looking import look_around
from tests.browser.site import BridgeSite
from tests.browser.visit import Window
from tests.browser.walk import OUTSIDE


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_page(window: Window, site: BridgeSite, shots: Path, name: str) -> None:
    look_around(window, site, shots, name)
