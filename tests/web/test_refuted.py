"""Attacks on the pages that a reviewer tried: each was a hole once, or must never become one."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bridge.domain.errors import NotAllowed
from bridge.domain.permissions import Role
from bridge.services import drafts, evidence, signin
from bridge.services.drafts import Words
from tests.support import Cast, World, cast, ref
from tests.web.site import Browser, WebWorld

WORDS = "What I learned changed my visits."
SECOND = "A second text that nobody has read."


@pytest.fixture
def folk(pages: WebWorld) -> Cast:
    return cast(pages.world)


def form_of(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms, as a browser sends them back."""
    found = {}
    for field in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
        if name and name[1] != "csrf_token":
            found[name[1]] = value[1] if value else ""
    return found


def claims_form(world: World, evidence_id: int, *codes: int) -> dict[str, str]:
    """A verifier's form that verifies these."""
    said = {f"claim-{world.claim_id(evidence_id, code)}": "verify" for code in codes}
    return {**said, "method": "discussion"}


# --- the human decision --------------------------------------------------------------------------
@pytest.mark.parametrize("whole", [False, True])
def test_nobody_decides_on_a_text_they_have_not_seen(
    pages: WebWorld, folk: Cast, whole: bool
) -> None:
    """Taken back and submitted anew between the page and its form: the form decides nothing."""
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    path = f"/verify/with/{folk.learner}" if whole else f"/verify/{folk.evidence}"
    page = browser.get(path).text
    assert WORDS in page
    form = form_of(page) | claims_form(world, folk.evidence, 1, 2) | {"note": "We talked."}
    learner = world.as_(folk.learner)
    evidence.recall(learner, folk.evidence)
    evidence.submit(learner, folk.evidence, [ref(1), ref(2)], SECOND, folk.manager)
    answer = browser.post(path, form)
    assert answer.status_code == 422
    assert world.states(folk.evidence) == {"1": "submitted", "2": "submitted"}
    assert SECOND in answer.text
    assert "We talked." in answer.text
    again = form_of(answer.text) | claims_form(world, folk.evidence, 1, 2)
    assert browser.post(path, again).status_code == 303
    assert world.states(folk.evidence) == {"1": "verified", "2": "verified"}


def test_a_form_that_does_not_say_what_was_read_decides_nothing(
    pages: WebWorld, folk: Cast
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    answer = browser.post(f"/verify/{folk.evidence}", claims_form(world, folk.evidence, 1))
    assert answer.status_code == 422
    assert world.states(folk.evidence)["1"] == "submitted"


def test_no_page_shows_a_way_to_come_in_as_somebody_else(pages: WebWorld, folk: Cast) -> None:
    """A sign-in link goes to its owner's mailbox; whoever else held it could verify as them."""
    boss = pages.world.person("boss")
    pages.give(boss, [Role.TRAINING_TEAM])
    answer = pages.browser(boss).post(f"/training/people/{folk.manager}/invite")
    assert "/link/" not in answer.text
    assert pages.links_sent == [folk.manager]
    assert pages.world.scalar("SELECT count(*) FROM one_time_links") == 0


def test_a_launch_from_an_lms_opens_ones_own_evidence_and_nothing_else(
    pages: WebWorld, folk: Cast
) -> None:
    """An LMS says who a learner is. Its administrators can be anybody there ("log in as"), so a
    launch verifies nothing, opens no desk, and leaves no other way in behind."""
    world = pages.world
    pages.give(folk.manager, [Role.TRAINING_TEAM])
    world.submit(folk.learner, folk.evidence, folk.manager)
    secret = signin.start_session(world.ctx, folk.manager, "lti", pages.settings.lasting)
    client = pages.app.test_client()
    client.set_cookie("bridge", secret)
    browser = Browser(client, secret)
    assert browser.get(f"/logs/{folk.manager}").status_code == 200
    assert browser.get(f"/logs/{folk.learner}").status_code == 404
    handed = browser.post(f"/evidence/{folk.evidence}/reassign", {"verifier": str(folk.other)})
    assert handed.status_code == 404
    for path in (f"/verify/{folk.evidence}", "/verify/", "/team/", "/training/people"):
        assert browser.get(path).status_code == 403, path
    posted = browser.post(f"/verify/{folk.evidence}", claims_form(world, folk.evidence, 1))
    assert posted.status_code == 403
    made = browser.post("/account/tokens", {"name": "mine"})
    assert "cb_" not in made.text
    new = {"login": "m", "password": "correct horse battery", "again": "correct horse battery"}
    browser.post("/account/password", new)
    with pytest.raises(NotAllowed):
        signin.check_password(world.ctx, "m", "correct horse battery", "here")
    assert world.states(folk.evidence)["1"] == "submitted"


# --- what is not theirs to see -------------------------------------------------------------------
def test_who_has_left_reads_nothing_that_waits(pages: WebWorld, folk: Cast) -> None:
    world = pages.world
    boss = world.person("boss")
    world.post(folk.manager, boss, date(2020, 1, 1))
    world.submit(folk.learner, folk.evidence, folk.manager)
    browser = pages.browser(folk.manager)
    assert WORDS in browser.get(f"/verify/{folk.evidence}").text
    world.post(folk.manager, boss, date(2020, 1, 1), date(2026, 6, 14))
    for path in (f"/verify/{folk.evidence}", f"/verify/with/{folk.learner}"):
        assert WORDS not in browser.get(path).text, path


def test_a_former_manager_reads_no_more_what_they_once_verified(
    pages: WebWorld, folk: Cast
) -> None:
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    world.post(folk.learner, folk.manager, date(2020, 1, 1), date(2026, 6, 14))
    world.post(folk.learner, folk.other, date(2026, 6, 15))
    assert evidence.version_if_any(world.as_(folk.manager), folk.evidence) == (None, None)


def test_errors_do_not_tell_what_exists(pages: WebWorld, folk: Cast) -> None:
    """The same words for what is another's and for what is not there."""
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager)
    stranger = world.person("stranger")
    world.person("theirs", manager=stranger)
    claim = world.claim_id(folk.evidence, 1)
    browser = pages.browser(stranger)

    def told(path: str, number: int, **form: str) -> tuple[int, str]:
        asked = path.format(number)
        answer = browser.post(asked, form) if form else browser.get(asked)
        text = re.search(r'<p class="lead">(.*?)</p>|class="wrong"[^>]*>(.*?)</p>', answer.text)
        return answer.status_code, (text[0] if text else answer.text).replace(str(number), "N")

    for path, mine, form in (
        ("/evidence/{}", folk.evidence, {}),
        ("/verify/{}", folk.evidence, {}),
        ("/verify/{}/reassign", folk.evidence, {"verifier": str(folk.other)}),
        ("/verify/claims/{}", claim, {"do": "revoke", "reason": "because"}),
        ("/logs/{}", folk.learner, {}),
        ("/logs/{}/2026-01-01", folk.learner, {}),
        ("/team/{}", folk.learner, {}),
        ("/team/{}/deputies", folk.manager, {}),
        ("/team/{}/not-applicable", folk.learner, {}),
        ("/verify/with/{}", folk.learner, {}),
    ):
        assert told(path, mine, **form) == told(path, 987654, **form), path


# --- people's work -------------------------------------------------------------------------------
def test_what_is_typed_in_a_sitting_is_shown_when_the_session_has_run_out(
    pages: WebWorld, folk: Cast
) -> None:
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager)
    browser = pages.browser(folk.manager)
    world.clock.advance(hours=3)
    typed = {
        f"question-{folk.evidence}": "A question typed with care.",
        f"note-{folk.evidence}": "A note typed with care.",
        "step-care-2026:3": "A step.",
    }
    text = browser.post(f"/verify/{folk.evidence}", typed).text
    for words in typed.values():
        assert words in text


def test_a_window_left_open_does_not_bring_old_words_back(pages: WebWorld, folk: Cast) -> None:
    """Submitted in one window and taken back, the old text of another window is a conflict."""
    world, learner = pages.world, pages.world.as_(folk.learner)
    first = drafts.save(learner, folk.evidence, Words("An early text."))
    world.clock.advance(minutes=1)
    evidence.submit(learner, folk.evidence, [ref(1)], "The text I worked on.", folk.manager)
    evidence.recall(learner, folk.evidence)
    old = Words("An early text.", seen=first.saved_at)
    with pytest.raises(drafts.TypedElsewhere) as conflict:
        drafts.save(learner, folk.evidence, old)
    assert conflict.value.other.reflection == "The text I worked on."
    form = {"reflection": old.reflection, "seen": first.saved_at.isoformat()}
    path = f"/evidence/{folk.evidence}"
    answer = pages.browser(folk.learner).post(path, form)
    assert answer.status_code == 409
    assert "The text I worked on." in answer.text
    assert "An early text." in answer.text
    seen = form_of(answer.text)["seen"]
    again = pages.browser(folk.learner).post(path, form | {"seen": seen})
    assert again.status_code == 303
    kept = drafts.typed(learner, folk.evidence)
    assert kept is not None
    assert kept.reflection == "An early text."  # they chose it


def test_a_second_submission_of_one_form_shows_what_it_could_not_keep(
    pages: WebWorld, folk: Cast
) -> None:
    pages.world.submit(folk.learner, folk.evidence, folk.manager)
    form = {"reflection": "Words of the second window.", "do": "submit", "verifier": "1"}
    answer = pages.browser(folk.learner).post(f"/evidence/{folk.evidence}", form)
    assert answer.status_code == 422
    assert "Words of the second window." in answer.text


def test_a_gap_that_closed_meanwhile_does_not_shift_the_next_steps(
    pages: WebWorld, folk: Cast
) -> None:
    """A next step belongs to its competency, whatever else changes before the log is signed."""
    world = pages.world
    world.post(folk.learner, folk.manager, date(2025, 1, 1))
    browser = pages.browser(folk.manager)
    home = browser.get(f"/logs/{folk.learner}").text
    starts = sorted(re.findall(rf"/logs/{folk.learner}/(\d{{4}}-\d\d-\d\d)", home))
    path = next(
        p for p in (f"/logs/{folk.learner}/{s}" for s in starts)
        if "Sign the log off" in browser.get(p).text
    )  # fmt: skip
    page = browser.get(path).text
    fields = re.findall(r'<textarea[^>]*name="(step-[^"]*)"', page)
    labels = re.findall(r"Next step for (\w+)", page)
    assert labels[:2] == ["1", "2"]
    form = {name: f"Step for {code}." for name, code in zip(fields, labels, strict=True)}
    values = re.findall(r'name="(seen-[^"]*)"', page)
    form |= dict.fromkeys(values, "on") | {"variety": "Varied.", "note": ""}
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    world.verify(folk.manager, folk.evidence, 1)
    browser.post(f"{path}/sign", form)
    signed = browser.get(path).text
    assert "Signed off by" in signed
    steps = dict(re.findall(r"<dt>(\w+)</dt><dd>[^<]*<br><strong>([^<]*)</strong>", signed))
    assert steps == {"2": "Step for 2."}
