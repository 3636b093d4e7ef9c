"""Looks at every page somebody can open: what axe and our own rules find; a picture of each."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.site import BridgeSite
from tests.browser.visit import DESKTOP, NARROW, PHONE, Visit, Window
from tests.browser.walk import FROM_ELSEWHERE, addresses, endpoint_of, eyes_of, pages_for


def name_of(path: str) -> str:
    """A file's name for the picture of a page."""
    plain = re.sub(r"/link/[\w-]{30,}", "/link/secret", path)
    return re.sub(r"[^a-zA-Z0-9]+", "-", plain).strip("-")[:80] or "start"


def look_at(visit: Visit, path: str) -> list[str]:
    """What is wrong with one page, on a desk and on the narrowest phone; pictures are kept."""
    answer = visit.open(path)
    where = f"{path} ({answer.status})"
    found = [f"{where}: {fault}" for fault in visit.faults()]
    for width in (DESKTOP, PHONE, NARROW):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.shoot(f"{name_of(path)}-{width}")
        if width == NARROW:
            found += [f"{where} at {width}: {fault}" for fault in visit.faults()]
    visit.page.set_viewport_size({"width": DESKTOP, "height": 900})
    return found


def look_around(window: Window, site: BridgeSite, shots: Path, name: str) -> None:
    """Look at every page with these eyes. Raises AssertionError with all that is wrong."""
    eyes = eyes_of(site, name)
    visit = window()
    visit.shots = shots / name
    if eyes.person is not None:
        visit.sign_in(eyes.person, eyes.data)
    paths = addresses(site, eyes)
    found: list[str] = []
    titles: dict[str, list[str]] = {}
    for path in paths:
        found += look_at(visit, path)
        if endpoint_of(site, path):
            # Where an address leads on to another, the page is that of the other.
            titles.setdefault(visit.page.title(), []).append(urlsplit(visit.page.url).path)
    for title, same in titles.items():
        if len(set(same)) > 1:
            found.append(f"the same title {title!r}: {sorted(set(same))[:5]}")
    missed = pages_for(site, eyes.roles) - {endpoint_of(site, path) for path in ("/", *paths)}
    if eyes.person is not None and name not in ("nothing-yet", "exempt", "long-names"):
        missed -= FROM_ELSEWHERE
        found += [f"no link leads to {endpoint}" for endpoint in sorted(missed)]
    assert not found, "\n".join(found)
