"""The practitioner's way: from their first page to what was submitted, and every stumble on it."""

from __future__ import annotations

from tests.support import cast
from tests.web.site import WebWorld


def test_home_shows_the_draft_and_its_source(pages: WebWorld) -> None:
    people = cast(pages.world)
    page = pages.browser(people.learner).get("/evidence")
    assert page.status_code == 200
    assert "1 draft to reflect on" in page.text
    assert f"/evidence/{people.evidence}" in page.text
    assert "from moodle" in page.text


def test_a_draft_is_submitted(pages: WebWorld) -> None:
    people = cast(pages.world)
    browser = pages.browser(people.learner)
    page = browser.get(f"/evidence/{people.evidence}")
    print(page.text)
    assert page.status_code == 200
    assert "checked" not in page.text
    sent = browser.post(
        f"/evidence/{people.evidence}",
        {"do": "submit", "tick": ["care-2026 1"], "reflection": "I listen more.",
         "verifier": str(people.manager)},
    )  # fmt: skip
    assert sent.status_code == 303
    assert pages.world.states(people.evidence) == {"1": "submitted", "2": "suggested"}
    assert "Waiting for manager" in browser.get(f"/evidence/{people.evidence}").text
