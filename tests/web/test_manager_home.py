"""A manager's first page counts what waits for them, in one line and one query."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bridge.domain.teams import Ask
from bridge.services import agreements, verify
from tests.support import NOW, Completion, cast
from tests.web.site import Browser, WebWorld
from tests.web.test_practitioner_cost import MOST, asked


def line(browser: Browser) -> str:
    """The line about the team, as it is read."""
    found = re.search(r'<p class="notice">For your team[^\n]*</p>', browser.get("/evidence").text)
    return re.sub(r"<[^>]+>", "", found[0]) if found else ""


def test_what_waits_for_a_manager_is_counted_in_one_line(pages: WebWorld) -> None:
    world = pages.world
    folk = cast(world)
    boss = world.person("boss")
    world.post(folk.manager, boss, date(2020, 1, 1))
    world.pull(Completion(), Completion(course="C2", score=1.0, when=NOW - timedelta(days=3)),
               Completion("other"))  # fmt: skip
    manager, above = pages.browser(folk.manager), pages.browser(boss)
    team = "For your team and others: "
    assert line(manager) == f"{team}2 agreements missing."
    world.submit(folk.learner, folk.evidence, folk.manager)
    second = max(i.evidence.id for i in world.items_of(folk.learner))
    world.submit(folk.learner, second, folk.manager, 2)
    assert line(manager) == f"{team}2 to verify; 2 agreements missing."
    world.clock.advance(days=29)
    manager, above = pages.browser(folk.manager), pages.browser(boss)
    assert line(manager) == f"{team}2 to verify (2 for more than 28 days); 2 agreements missing."
    assert line(above) == f"{team}2 overdue with others; 1 agreement missing."
    world.verify(folk.manager, folk.evidence)
    world.source.holds = [c for c in world.source.holds if c.course == "C2"]
    world.pull(full=True, believe=True)
    (post,) = world.rows("SELECT id FROM posts WHERE person_id = :p", p=folk.learner)[0]
    agreements.agree(world.as_(folk.manager), folk.learner, post, Ask((), (), None))
    assert line(manager) == (
        f"{team}1 to verify (1 for more than 28 days); 2 claims in doubt; 1 agreement missing."
    )
    # Nobody's own is counted as theirs to decide on, and who manages nobody has no such line.
    assert line(pages.browser(folk.learner)) == ""
    team_page = manager.get("/team/").text
    assert "Nothing agreed yet with 1 person" in team_page
    assert team_page.count("nothing agreed yet") == 1  # in the list of people
    # With all sorts of things of their own besides.
    days = (NOW - timedelta(days=d) for d in (10, 50, 90))
    mine = [Completion("manager", "C1", day) for day in days]
    world.pull(*world.source.holds, *mine, Completion("manager", "C2", score=1.0), full=True)
    own = [i.evidence for i in world.items_of(folk.manager)]
    own = [e for e in own if e.person == folk.manager and e.title == "Rule r1"]
    for each in own[:2]:
        world.submit(folk.manager, each.id, boss, 2)
    verify.send_back(world.as_(boss), own[0].id, None, "How?")
    queries = asked(world, manager, "/evidence")
    assert len(queries) <= MOST, "\n\n".join(queries)
