"""What a manager agrees and signs off: agreements, what does not apply, and the yearly log."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.frameworks import Competency, Edition, Level, SourceText, TargetGroup
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import PostDetails
from bridge.domain.teams import Ask
from bridge.services import agreements, mappings, signoff
from bridge.services.progress import Stand, progress
from bridge.services.signoff import Looked, Step, Words
from tests.support import EDITION, Cast, Completion, cast
from tests.web.site import Browser, WebWorld

LONDON = Edition(
    id="london-2026",
    framework="london",
    edition="2026",
    title="London levels",
    language="en",
    source=SourceText("London", "Tests", "2026"),
    competencies=tuple(Competency(f"L3.{n}", f"Statement {n}", level="3") for n in (1, 2)),
    levels=(Level("3", "Level 3", "For those who work with children", (), (), ("L3.1", "L3.2")),),
)
LLR = Edition(
    id="llr-2026",
    framework="llr",
    edition="2026",
    title="LLR",
    language="en",
    source=SourceText("LLR", "Tests", "2026"),
    competencies=tuple(Competency(str(n), f"LLR {n}") for n in range(1, 4)),
    groups=(
        TargetGroup("everyone", "Core", "Everyone", ("1",), everyone=True),
        TargetGroup("frontline", "Frontline", "Those who meet children", ("2",)),
    ),
    core_values=("Place the child at the centre", "Work together with others"),
)


@pytest.fixture
def folk(pages: WebWorld) -> Cast:
    mappings.publish_frameworks(pages.world.ctx, [EDITION, LONDON, LLR])
    return cast(pages.world)


def post_of(pages: WebWorld, folk: Cast) -> int:
    return int(pages.world.scalar("SELECT id FROM posts WHERE person_id = :p", p=folk.learner))


def asked(pages: WebWorld, folk: Cast) -> set[str]:
    lines = progress(pages.world.as_(folk.manager), folk.learner).lines
    return {str(line.ref) for line in lines}


# --- agreements
def test_what_is_agreed_goes_before_the_staff_list_and_stays(pages: WebWorld, folk: Cast) -> None:
    world, post = pages.world, post_of(pages, folk)
    browser = pages.browser(folk.manager)
    path = f"/team/{folk.learner}/agreement/{post}"
    page = browser.get(path).text
    assert "Frontline" in page
    assert "Level 3" in page
    before = asked(pages, folk)
    assert before == {"care-2026 1", "care-2026 2", "llr-2026 1"}
    form = {"group": ["core", "frontline"], "extra": "llr-2026:3", "level": "london:3"}
    assert browser.post(path, form).status_code == 303
    agreed = before | {"llr-2026 2", "llr-2026 3", "london-2026 L3.1", "london-2026 L3.2"}
    assert asked(pages, folk) == agreed
    # A later staff list changes what it says, and nothing of what was agreed.
    details = PostDetails("agency", "Worker", ("other",), (), None, date(2020, 1, 1), None)
    with world.store.begin() as uow:
        organisation, _ = uow.people.organisation("agency", "Agency", "", None)
        assert uow.people.put_post(folk.learner, details, organisation)
        assert not uow.people.put_post(folk.learner, details, organisation)
    assert asked(pages, folk) == agreed
    member = browser.get(f"/team/{folk.learner}").text
    assert "The staff list says otherwise" in member
    page = browser.get(path).text
    assert "Agreed before" in page
    assert re.search(r'value="llr-2026:3" checked', page)


def test_agreeing_on_the_same_again_adds_nothing(pages: WebWorld, folk: Cast) -> None:
    me, post = pages.world.as_(folk.manager), post_of(pages, folk)
    agreements.agree(me, folk.learner, post, Ask(("core",), (), None))
    assert pages.world.scalar("SELECT count(*) FROM post_agreements") == 0
    for _ in range(2):
        agreements.agree(me, folk.learner, post, Ask(("core",), ("care-2026:5",), None))
    assert pages.world.scalar("SELECT count(*) FROM post_agreements") == 1


@pytest.mark.parametrize(
    "form", [{"group": "nonsense"}, {"extra": "llr-2026:99"}, {"level": "london:9"}]
)
def test_what_there_is_not_is_not_agreed(pages: WebWorld, folk: Cast, form: dict[str, Any]) -> None:
    path = f"/team/{folk.learner}/agreement/{post_of(pages, folk)}"
    answer = pages.browser(folk.manager).post(path, form)
    assert answer.status_code == 422
    assert "Choose from those shown" in answer.text


def test_only_the_posts_manager_agrees(pages: WebWorld, folk: Cast) -> None:
    world, post = pages.world, post_of(pages, folk)
    boss = world.person("boss")
    world.person("elsewhere", manager=boss)
    ask = Ask(("frontline",), (), None)
    for nobody in (boss, folk.learner, folk.other):
        with pytest.raises(NotFound):
            agreements.agree(world.as_(nobody), folk.learner, post, ask)
    theirs = world.scalar("SELECT id FROM posts WHERE person_id = :p", p=folk.other)
    with pytest.raises(NotFound):
        agreements.agree(world.as_(folk.manager), folk.learner, theirs, ask)


# --- what does not apply
def test_a_statement_is_marked_as_not_applicable_and_applies_again(
    pages: WebWorld, folk: Cast
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    ask = Ask(("core",), (), "london:3")
    agreements.agree(world.as_(folk.manager), folk.learner, post_of(pages, folk), ask)
    path = f"/team/{folk.learner}/not-applicable"
    answer = browser.post(path, {"statement": "care-2026 1", "reason": ""})
    assert answer.status_code == 422
    assert "Choose the statement" in answer.text
    assert "Say why" in answer.text
    form = {"statement": "london-2026 L3.1", "reason": "No direct work."}
    assert browser.post(path, form).status_code == 303
    assert "No direct work." in browser.get(path).text

    def stand() -> Stand:
        lines = progress(world.as_(folk.learner), folk.learner).lines
        return next(x.stand for x in lines if x.ref == CompetencyRef("london-2026", "L3.1"))

    assert stand() is Stand.NOT_APPLICABLE
    decision = world.scalar("SELECT id FROM not_applicable")
    assert pages.browser(folk.other).post(f"{path}/{decision}/end").status_code in (403, 404)
    assert browser.post(f"{path}/{decision}/end").status_code == 303
    assert stand() is Stand.MISSING
    assert browser.post(f"{path}/{decision}/end").status_code == 404


# --- the yearly log
@pytest.fixture
def last_year(pages: WebWorld, folk: Cast) -> str:
    """A log with one verified course in it, that ended yesterday."""
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.clock.moment = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
    return "2026-01-01"


def words(pages: WebWorld, folk: Cast, start: str) -> Words:
    shown = signoff.look(pages.world.as_(folk.manager), folk.learner, date.fromisoformat(start))
    return Words(
        tuple(Looked(value, True, "") for value in shown.core_values),
        "Varied enough.",
        tuple(Step(g.ref, g.text, str(g.stand), "Shadow a colleague.") for g in shown.gaps),
    )


def test_a_log_is_signed_with_values_variety_and_next_steps(
    pages: WebWorld, folk: Cast, last_year: str
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    assert "to be signed off" in browser.get(f"/logs/{folk.learner}").text
    path = f"/logs/{folk.learner}/{last_year}"
    page = browser.get(path).text
    assert "Rests on courses alone: 1 and 2" in page
    assert "Place the child at the centre" in page
    answer = browser.post(f"{path}/sign", {"seen-0": "on", "value-1": "With the new team."})
    assert answer.status_code == 422
    assert "With the new team." in answer.text
    assert "write the next step" in answer.text
    summary = answer.text.partition("Please look at this")[2].partition("</ul>")[0]
    assert "Core Value" not in summary
    (step,) = re.findall(r'name="(step-[^"]*)"', page)
    form = {"seen-0": "on", "value-1": "With the new team.", "variety": "Mostly courses so far.",
            step: "Shadow a colleague in March."}  # fmt: skip
    assert browser.post(f"{path}/sign", form).status_code == 303
    theirs = pages.browser(folk.learner).get(path).text
    for text in ("Signed off by manager", "With the new team.", "Mostly courses so far.",
                 "Shadow a colleague in March."):  # fmt: skip
        assert text in theirs
    stored = world.rows("SELECT next_steps FROM logs WHERE signed_at IS NOT NULL")
    assert b"Shadow" not in bytes(stored[0][0])
    assert browser.post(f"{path}/sign", form).status_code == 422
    assert "open" in browser.get(f"/logs/{folk.learner}").text


def test_a_signed_log_takes_addenda_only(pages: WebWorld, folk: Cast, last_year: str) -> None:
    world, start = pages.world, date.fromisoformat(last_year)
    me = world.as_(folk.manager)
    with pytest.raises(Refused, match="not signed off yet"):
        signoff.add(me, folk.learner, start, "Early.")
    signoff.sign(me, folk.learner, start, words(pages, folk, last_year))
    with pytest.raises(Refused, match="signed off"):
        signoff.sign(me, folk.learner, start, words(pages, folk, last_year))
    path = f"/logs/{folk.learner}/{last_year}/add"
    assert pages.browser(folk.learner).post(path, {"text": "I did it."}).status_code == 303
    assert pages.browser(folk.manager).post(path, {"text": "Well done."}).status_code == 303
    assert pages.browser(folk.other).post(path, {"text": "Me too."}).status_code == 404
    assert pages.browser(folk.manager).post(path, {"text": " "}).status_code == 422
    added = signoff.look(world.as_(folk.learner), folk.learner, start).addenda
    assert [(a.author, a.text) for a in added] == [("u1", "I did it."), ("manager", "Well done.")]


def test_late_evidence_goes_into_the_open_log_once_the_last_is_signed(
    pages: WebWorld, folk: Cast, last_year: str
) -> None:
    world = pages.world
    world.pull(Completion(), Completion(course="C2", score=1.0))
    signoff.sign(
        world.as_(folk.manager), folk.learner, date(2026, 1, 1), words(pages, folk, last_year)
    )
    late = next(i.evidence.id for i in world.items_of(folk.learner)
                if i.evidence.title == "Rule r2")  # fmt: skip
    world.submit(folk.learner, late, folk.manager, 3)
    shown = signoff.look(world.as_(folk.learner), folk.learner, date(2027, 1, 1))
    assert [(e.id, e.late) for e, _ in shown.evidence] == [(late, True)]
    assert "filed late" in pages.browser(folk.manager).get(f"/logs/{folk.learner}/2027-01-01").text


def test_nobody_signs_their_own_or_before_it_is_over(
    pages: WebWorld, folk: Cast, last_year: str
) -> None:
    world = pages.world
    good = words(pages, folk, last_year)
    for nobody in (folk.learner, folk.other):
        with pytest.raises((NotAllowed, NotFound)):
            signoff.sign(world.as_(nobody), folk.learner, date(2026, 1, 1), good)
    with pytest.raises(Refused, match="runs until 31 December 2027"):
        signoff.sign(world.as_(folk.manager), folk.learner, date(2027, 1, 1), good)
    assert world.scalar("SELECT count(*) FROM logs WHERE signed_at IS NOT NULL") == 0


def test_a_gap_without_a_next_step_is_not_signed_off(
    pages: WebWorld, folk: Cast, last_year: str
) -> None:
    me, start = pages.world.as_(folk.manager), date(2026, 1, 1)
    good = words(pages, folk, last_year)
    with pytest.raises(Refused, match="Still open: 1"):
        signoff.sign(me, folk.learner, start, Words(good.values, good.variety, ()))
    with pytest.raises(Refused, match="Core Value"):
        signoff.sign(me, folk.learner, start, Words((), good.variety, good.steps))


def test_who_signed_still_sees_what_they_signed_and_a_new_manager_sees_it_too(
    pages: WebWorld, folk: Cast, last_year: str
) -> None:
    world = pages.world
    signoff.sign(
        world.as_(folk.manager), folk.learner, date(2026, 1, 1), words(pages, folk, last_year)
    )
    new = world.person("new")
    world.post(folk.learner, new, date(2020, 1, 1))
    path = f"/logs/{folk.learner}/{last_year}"
    assert "Varied enough." in pages.browser(new).get(path).text
    assert "Varied enough." in pages.browser(folk.manager).get(path).text
    assert pages.browser(folk.manager).get(f"/logs/{folk.learner}").status_code == 404
    assert pages.browser(folk.other).get(path).status_code == 404


def test_an_empty_log_can_be_signed_too(pages: WebWorld, folk: Cast) -> None:
    me, start = pages.world.as_(folk.manager), date(2025, 1, 1)
    browser: Browser = pages.browser(folk.manager)
    assert "Nothing was submitted" in browser.get(f"/logs/{folk.learner}/2025-01-01").text
    signoff.sign(me, folk.learner, start, words(pages, folk, "2025-01-01"))
    assert signoff.look(me, folk.learner, start).words is not None
