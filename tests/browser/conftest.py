"""One Chromium and one site for each worker, and a fresh window for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.fill import fill
from tests.browser.site import BridgeSite, whole_site
from tests.browser.visit import Visit, Window, open_window

CHROMIUM = os.environ.get("BRIDGE_CHROMIUM", "/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--font-render-hinting=none", "--lang=en-GB")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"There is no Chromium at {CHROMIUM}: apt-get install chromium, or name it in "
                    "BRIDGE_CHROMIUM.")  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeSite]:
    """A served site with people in every state; each test brings people of its own."""
    with whole_site(tmp_path_factory.mktemp("browser") / "site") as made:
        fill(made)
        yield made


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where pictures are kept: BRIDGE_SCREENSHOTS, or browser-output/ of the checkout."""
    return Path(os.environ.get("BRIDGE_SCREENSHOTS") or ROOT / "browser-output")


@pytest.fixture
def window(chromium: Browser, site: BridgeSite, shots: Path) -> Iterator[Window]:
    """Opens windows; at the end none may have seen a script error or a request elsewhere."""
    opened: list[Visit] = []

    def make(**more: object) -> Visit:
        opened.append(open_window(chromium, site, shots, **more))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for visit in opened:
        visit.done()
