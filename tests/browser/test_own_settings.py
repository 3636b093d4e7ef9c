"""People's own settings: forced colours, more contrast, wider text, larger text, a print-out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.fill import someone
from tests.browser.site import BridgeSite
from tests.browser.visit import DESKTOP, NARROW, Window

MAIN = {"many": "/evidence", "long": "/log", "big": "/team/", "training": "/training/",
        "admin": "/lms/", "analyst": "/counts/"}  # fmt: skip
#: WCAG 1.4.12: nothing may be lost when somebody spaces text so.
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; ' +
    'word-spacing: .16em !important } p { margin-bottom: 2em !important }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
#: A state that is told by colour alone would have no text once colours are forced.
_STATES = """() => [...document.querySelectorAll('.state, .sign')].filter(e =>
  e.checkVisibility() && (!e.textContent.trim() || getComputedStyle(e).borderStyle === 'none'))
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(
    ("name", "settings"),
    [("forced-colours", {"forced_colors": "active"}), ("more-contrast", {"contrast": "more"}),
     ("dark", {"color_scheme": "dark"})],
)  # fmt: skip
def test_forced_colours_and_contrast(
    window: Window, site: BridgeSite, name: str, settings: dict[str, Any]
) -> None:
    for key, path in MAIN.items():
        visit = window(**settings).sign_in(someone(site, key))
        visit.shots = visit.shots / name
        visit.open(path)
        assert visit.page.evaluate(_STATES) == []
        visit.page.keyboard.press("Tab")
        visit.tab_to("My evidence")
        visit.shoot(path.strip("/"))


@pytest.mark.parametrize("width", [DESKTOP, NARROW])
def test_wider_text_loses_nothing(window: Window, site: BridgeSite, width: int) -> None:
    found = []
    for key, path in MAIN.items():
        visit = window(width=width).sign_in(someone(site, key))
        visit.open(path)
        visit.page.evaluate(_SPACED)
        found += [f"{path}: {fault}" for fault in visit.faults()]
    assert found == []


def test_the_focus_goes_through_a_draft_as_one_reads_it(window: Window, site: BridgeSite) -> None:
    item = next(i for i in site.items(someone(site, "long")))
    visit = window().sign_in(someone(site, "long"))
    visit.open(f"/evidence/{item.evidence.id}")
    for name in ("Skip to main content", "Competency Bridge", someone(site, "long").name,
                 "Sign out", "My evidence", "My log", "Back to my evidence"):  # fmt: skip
        visit.tab_to(name)
    visit.tab_to("Your reflection")
    visit.tab_to("Who is to verify it?")
    visit.tab_to("Submit for verification")
    visit.tab_to("Save for later")
    visit.tab_to("Accessibility")
