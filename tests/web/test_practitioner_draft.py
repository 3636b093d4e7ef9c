"""The practitioner's way: from their first page to what was submitted, and every stumble on it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bridge.domain.authority import Authority
from bridge.services import evidence, people, verify
from bridge.services.evidence import OwnActivity
from bridge.web.site import WebSettings
from tests.support import NOW, Cast, Completion, World, cast, ref
from tests.web.site import Browser, WebWorld

WORDS = "I ask what a day is like for the child."


def form(who: Cast, *codes: int, **more: Any) -> dict[str, Any]:
    """What the form sends when it is filled in."""
    ticks = [str(ref(code)) for code in codes or (1,)]
    return {"do": "submit", "tick": ticks, "reflection": WORDS,
            "verifier": str(who.manager), **more}  # fmt: skip


def at(who: Cast) -> str:
    return f"/evidence/{who.evidence}"


def seen(page: str) -> str:
    """The save that the form on a page starts from."""
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_home_shows_the_draft_and_its_source(pages: WebWorld) -> None:
    who = cast(pages.world)
    page = pages.browser(who.learner).get("/evidence")
    assert page.status_code == 200
    assert "1 draft to reflect on; core 0 of 2 current." in page.text
    assert at(who) in page.text
    assert "5 June 2026, from Moodle" in page.text


def test_a_draft_is_submitted(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    page = browser.get(at(who)).text
    assert " checked" not in page
    assert "Rule r1" in page
    assert "What did you learn, or what happened?" in page
    sent = browser.post(at(who), form(who))
    assert sent.status_code == 303
    assert pages.world.states(who.evidence) == {"1": "submitted", "2": "suggested"}
    after = browser.get(at(who)).text
    assert "Submitted to manager" in after
    assert "Waiting for manager" in after
    assert "Rule r1" in browser.get("/evidence").text


def test_everything_that_is_missing_is_said_at_once_and_what_was_typed_stays(
    pages: WebWorld,
) -> None:
    who = cast(pages.world)
    pages.world.pull(Completion(course="CE"), full=True)
    online = next(i.evidence.id for i in pages.world.items_of(who.learner)
                  if i.evidence.title == "Rule online")  # fmt: skip
    browser = pages.browser(who.learner)
    answer = browser.post(f"/evidence/{online}", {"do": "submit", "reflection": WORDS})
    assert answer.status_code == 422
    for field in ("competencies", "used", "verifier"):
        assert f'<a href="#{field}">' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert WORDS in answer.text
    assert "<title>Error: " in answer.text
    # It is kept, too: on the next visit it is there, with the tick made meanwhile.
    browser.post(
        f"/evidence/{online}",
        {"do": "save", "reflection": WORDS, "tick": str(ref(1)), "seen": seen(answer.text)},
    )
    again = browser.get(f"/evidence/{online}").text
    assert WORDS in again
    assert re.search(r'value="care-2026 1"[^>]* checked', again)


def test_autosave_says_when_and_another_window_is_not_overwritten(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    kept = browser.post(f"{at(who)}/autosave", {"reflection": "one", "seen": ""})
    assert kept.json == {"at": "10:00", "seen": "2026-06-15T09:00:00+00:00"}
    pages.world.clock.advance(minutes=2)
    stale = browser.post(f"{at(who)}/autosave", {"reflection": "two", "seen": ""})
    assert stale.status_code == 409
    both = browser.post(at(who), {"do": "save", "reflection": "two", "seen": ""})
    assert both.status_code == 409
    assert "Changed in another window" in both.text
    assert "<p>one</p>" in both.text
    assert ">\ntwo</textarea>" in both.text
    assert (
        browser.post(
            at(who), {"do": "save", "reflection": "two", "seen": seen(both.text)}
        ).status_code
        == 303
    )
    assert ">\ntwo</textarea>" in browser.get(at(who)).text


def test_autosave_is_the_owners_alone(pages: WebWorld) -> None:
    who = cast(pages.world)
    for other in (who.manager, who.other):
        answer = pages.browser(other).post(f"{at(who)}/autosave", {"reflection": "mine"})
        assert answer.status_code == 404
    assert pages.browser().post(f"{at(who)}/autosave", {"reflection": "x"}).status_code == 401
    assert pages.world.rows("SELECT * FROM reflection_drafts") == []


def test_a_session_that_ran_out_gives_back_what_was_typed(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    pages.world.clock.advance(hours=3)
    answer = browser.post(at(who), form(who))
    assert answer.status_code == 401
    assert WORDS in answer.text
    assert pages.world.states(who.evidence) == {"1": "suggested", "2": "suggested"}
    elsewhere = browser.post(at(who), form(who), headers={"Sec-Fetch-Site": "cross-site"})
    assert WORDS not in elsewhere.text


def test_what_could_tell_who_a_child_is_is_asked_about_once(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    words = "I visited a child called Tyrone at SE13 6LG."
    warned = browser.post(at(who), form(who, reflection=words))
    assert warned.status_code == 422
    assert "<mark>Tyrone</mark>" in warned.text
    assert "<mark>SE13 6LG</mark>" in warned.text
    assert pages.world.states(who.evidence)["1"] == "suggested"
    looked = re.search(r'name="looked" value="([^"]+)"', warned.text)
    assert looked is not None
    again = {"seen": seen(warned.text), "looked": looked[1]}
    other = browser.post(at(who), form(who, reflection=f"{words} His DOB 1/2/2015.", **again))
    assert other.status_code == 422, "new details are asked about anew"
    sent = browser.post(at(who), form(who, reflection=words, looked=looked[1],
                                      seen=seen(other.text)))  # fmt: skip
    assert sent.status_code == 303
    told = str(pages.world.rows("SELECT detail FROM audit"))
    assert "Tyrone" not in told


def test_suggestions_are_set_aside_brought_back_and_added(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    typed = {"reflection": WORDS, "tick": str(ref(1))}
    browser.post(at(who), {"do": f"dismiss:{ref(2)}", **typed})
    assert pages.world.states(who.evidence) == {"1": "suggested", "2": "dismissed"}
    page = browser.get(at(who)).text
    assert WORDS in page
    assert "Bring back 2" in page
    browser.post(at(who), {"do": f"reopen:{ref(2)}", "seen": seen(page), **typed})
    assert pages.world.states(who.evidence)["2"] == "suggested"
    page = browser.get(at(who)).text
    browser.post(at(who), form(who, 1, 5, seen=seen(page)))
    assert pages.world.states(who.evidence) == {
        "1": "submitted", "2": "suggested", "5": "submitted",
    }  # fmt: skip


def test_a_model_of_reflection_is_remembered_and_nothing_typed_is_lost(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    sent = browser.post(at(who), {"do": "model:gibbs", "reflection": WORDS})
    assert sent.headers["Location"].endswith("#prompts")
    page = browser.get(at(who)).text
    assert "Action plan" in page
    assert WORDS in page


def test_returned_recalled_and_handed_over(pages: WebWorld) -> None:
    who = cast(pages.world)
    world = pages.world
    assessor = world.person("Assessor")
    people.approve(world.ctx, assessor, Authority.ASSESSOR)
    browser = pages.browser(who.learner)
    browser.post(at(who), form(who))
    handed = browser.post(f"{at(who)}/reassign", {"verifier": str(assessor)})
    assert handed.status_code == 303
    assert "Waiting for Assessor" in browser.get(at(who)).text
    verify.send_back(world.as_(assessor), who.evidence, None, "How do you know?\n<b>Say</b>")
    for page in (browser.get("/evidence").text, browser.get(at(who)).text):
        assert "How do you know?" in page
        assert "<b>Say</b>" not in page
        assert "Assessor" in page
    page = browser.get(at(who)).text
    assert WORDS in page
    assert " checked" not in page
    browser.post(at(who), form(who, reflection="I asked her.", seen=seen(page)))
    assert browser.post(f"{at(who)}/recall").status_code == 303
    assert world.states(who.evidence)["1"] == "suggested"
    refused = browser.post(f"{at(who)}/recall")
    assert refused.status_code == 422
    assert "nothing here to recall" in refused.text


def test_after_28_days_somebody_else_is_offered(pages: WebWorld) -> None:
    who = cast(pages.world)
    people.approve(pages.world.ctx, pages.world.person("Assessor"), Authority.ASSESSOR)
    pages.world.submit(who.learner, who.evidence, who.manager)
    assert "more than 28 days" not in pages.browser(who.learner).get(at(who)).text
    pages.world.clock.advance(days=28)
    page = pages.browser(who.learner).get(at(who)).text
    assert "more than 28 days" in page
    assert "Assessor (assessor)" in page


def test_nobody_to_verify_is_said_in_words(pages: WebWorld) -> None:
    world = pages.world
    alone = world.person("u1")
    world.pull(Completion())
    (item,) = world.items_of(alone)
    page = pages.browser(alone).get(f"/evidence/{item.evidence.id}").text
    assert "Nobody can verify your evidence yet" in page
    assert "Submit for verification" not in page
    assert "Save for later" in page


def test_joined_records_are_split(pages: WebWorld) -> None:
    who = cast(pages.world)
    world = pages.world
    twice = Completion(when=NOW - timedelta(days=8))
    world.pull(Completion(), twice, full=True)
    browser = pages.browser(who.learner)
    assert "Are these really one piece of learning?" in browser.get(at(who)).text
    record = world.scalar("SELECT max(record_id) FROM evidence_records")
    made = browser.post(f"{at(who)}/split", {"record": str(record)})
    assert made.status_code == 303
    assert len(world.items_of(who.learner)) == 2


def test_anothers_evidence_is_not_there(pages: WebWorld) -> None:
    who = cast(pages.world)
    pages.world.submit(who.learner, who.evidence, who.manager)
    for other in (who.other, who.manager):
        browser = pages.browser(other)
        for path in ("", "/recall", "/reassign", "/split"):
            answer = browser.post(f"{at(who)}{path}", {"do": "submit", "verifier": "1"})
            assert answer.status_code in (403, 404, 422), path
        assert browser.get(at(who)).status_code == 404
    assert pages.world.states(who.evidence) == {"1": "submitted", "2": "submitted"}


def test_a_broken_form_is_no_error_of_ours(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    for odd in (
        {"do": "dismiss:nothing"}, {"do": "reopen:care-2026 99"}, {"do": "what:ever"},
        {"do": "model:mine"}, {"do": "submit", "tick": "care-2026 99", "verifier": "999999",
         "reflection": WORDS}, {"seen": "never"}, {"seen": "2026-06-15T09:00:00"},
        {"do": "remove:x"}, {"do": "attach"}, {"do": "submit", "tick": "nonsense",
         "verifier": "x"},
    ):  # fmt: skip
        assert browser.post(at(who), odd).status_code in (303, 404, 409, 422), odd


# --- evidence of one's own ---------------------------------------------------------------------
OWN = {"learning_activity": "supervision", "title": "Supervision on neglect",
       "occurred_on": "2026-06-10", "reference": "Supervision file", "tick": str(ref(3)),
       "delivery": ""}  # fmt: skip


def test_ones_own_evidence_goes_the_same_way(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    page = browser.get("/evidence/new").text
    assert "is background" in page
    assert 'value="qualification"' not in page
    made = browser.post("/evidence/new", OWN)
    assert made.status_code == 303
    page = browser.get(made.headers["Location"]).text
    assert "Supervision file" in page
    assert " checked" not in page
    sent = browser.post(made.headers["Location"], form(who, 3))
    assert sent.status_code == 303


def test_what_is_wrong_with_ones_own_is_said_and_kept(pages: WebWorld) -> None:
    who = cast(pages.world)
    browser = pages.browser(who.learner)
    for wrong, words in (
        ({"tick": ""}, "Tick at least one"), ({"title": ""}, "Give it a short name"),
        ({"occurred_on": "2027-01-01"}, "lies in the future"), ({"occurred_on": "x"}, "day"),
        ({"learning_activity": "qualification"}, "Not a valid choice"),
    ):  # fmt: skip
        answer = browser.post("/evidence/new", {**OWN, **wrong})
        assert answer.status_code == 422
        assert words in answer.text
        assert "Supervision file" in answer.text
    assert len(pages.world.items_of(who.learner)) == 1


# --- files -----------------------------------------------------------------------------------
def supervision(world: World, who: Cast) -> int:
    activity = OwnActivity("A supervision", "supervision", date(2026, 6, 10))
    return evidence.add_own(world.as_(who.learner), activity, [ref(3)])


def attach(browser: Browser, path: str, body: bytes, **more: Any) -> Any:
    upload = (io.BytesIO(body), "../notes.html")
    return browser.post(
        path, {"do": "attach", "file": upload, **more}, content_type="multipart/form-data"
    )


def test_a_file_is_kept_and_given_out_as_an_attachment_only(world: World) -> None:
    settings = replace(WebSettings(base_url="http://localhost"), upload_bytes=1_000_000)
    pages = WebWorld(world, settings)
    who = cast(world)
    own = supervision(world, who)
    browser = pages.browser(who.learner)
    path = f"/evidence/{own}"
    assert attach(browser, path, b"%PDF-1.7 notes", reflection=WORDS).status_code == 303
    page = browser.get(path).text
    assert "notes.pdf" in page
    assert WORDS in page
    found = re.search(rf'href="({path}/files/\d+)"', page)
    assert found is not None
    answer = browser.get(found[1])
    assert answer.data == b"%PDF-1.7 notes"
    assert answer.headers["Content-Disposition"] == "attachment; filename=notes.pdf"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert pages.browser(who.manager).get(found[1]).status_code == 404
    browser.post(path, form(who, 3, seen=seen(page)))
    assert pages.browser(who.manager).get(found[1]).status_code == 200
    assert pages.browser(who.other).get(found[1]).status_code == 404
    assert pages.browser(who.manager, {"only_evidence": who.evidence}).get(
        found[1]
    ).status_code == 404  # fmt: skip


def test_other_kinds_of_file_are_refused_with_words_kept(world: World) -> None:
    settings = replace(WebSettings(base_url="http://localhost"), upload_bytes=1_000_000)
    pages = WebWorld(world, settings)
    who = cast(world)
    browser = pages.browser(who.learner)
    answer = attach(browser, f"/evidence/{supervision(world, who)}", b"MZ\x00", reflection=WORDS)
    assert answer.status_code == 422
    assert "not taken" in answer.text
    assert WORDS in answer.text


def test_files_are_off_unless_a_site_takes_them(pages: WebWorld) -> None:
    who = cast(pages.world)
    own = supervision(pages.world, who)
    browser = pages.browser(who.learner)
    assert 'type="file"' not in browser.get(f"/evidence/{own}").text
    assert attach(browser, f"/evidence/{own}", b"%PDF-1.7").status_code == 422
