"""A practitioner's pages ask the database the same few things, whatever the person has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bridge.services import verify
from tests.support import NOW, Completion, World, cast
from tests.web.site import Browser, WebWorld

#: What a page may ask, the sign-in included (issue: every page within 12 queries).
MOST = 12


def asked(world: World, browser: Browser, path: str) -> list[str]:
    """What opening a page asks the database, transactions aside."""
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SET ")):
            statements.append(statement)

    event.listen(world.engine, "before_cursor_execute", note)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(world.engine, "before_cursor_execute", note)
    return statements


@pytest.mark.parametrize(
    "path",
    ["/evidence", "/evidence/{draft}", "/evidence/{returned}", "/evidence/new",
     "/evidence/pile/drafts", "/log", "/log/levels", "/log/dates", "/log/history",
     "/log/competency/care-2026/1"],
)  # fmt: skip
def test_few_queries_and_no_more_with_more_evidence(pages: WebWorld, path: str) -> None:
    world = pages.world
    who = cast(world)
    world.submit(who.learner, who.evidence, who.manager)
    verify.send_back(world.as_(who.manager), who.evidence, None, "How?")
    days = range(45, 320, 20)
    one = Completion(when=NOW - timedelta(days=25))
    world.pull(Completion(), one, full=True)
    draft = max(i.evidence.id for i in world.items_of(who.learner))
    browser = pages.browser(who.learner)
    opened = path.format(draft=draft, returned=who.evidence)
    browser.get(opened)  # what is published is read once
    few = asked(world, browser, opened)
    world.pull(Completion(), one, *(Completion(when=NOW - timedelta(days=d)) for d in days),
               full=True)  # fmt: skip
    many = asked(world, browser, opened)
    assert len(many) == len(few), "\n\n".join(many)
    assert len(many) <= MOST, "\n\n".join(many)
