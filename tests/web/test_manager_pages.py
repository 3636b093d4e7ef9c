"""The manager's pages: the team, what waits, a sitting, and a verifier by link."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from bridge.domain.authority import Authority
from bridge.services import deputies, evidence, people, signin, verify
from bridge.services.deputies import Naming
from tests.support import NOW, Cast, Completion, World, cast, ref
from tests.web.site import Browser, WebWorld

WORDS = "What I learned changed my visits."


@pytest.fixture
def folk(pages: WebWorld) -> Cast:
    return cast(pages.world)


def sitting_form(world: World, evidence_id: int, **said: str) -> dict[str, str]:
    """Field names of a sitting, by code: `_1="verify"`."""
    newest = "SELECT max(id) FROM reflections WHERE evidence_id = :evidence"
    return {
        f"claim-{world.claim_id(evidence_id, int(code[1:]))}": what for code, what in said.items()
    } | {f"read-{evidence_id}": str(world.scalar(newest, evidence=evidence_id))}


def shown(browser: Browser, path: str) -> str:
    """A page that must open."""
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    assert answer.text.count("<h1") == 1
    return answer.text


# --- the team
def test_a_team_is_seen_by_states_and_never_by_text(pages: WebWorld, folk: Cast) -> None:
    page = shown(pages.browser(folk.manager), "/team/")
    row = re.search(r"<tr><th scope=\"row\"><a [^>]*>u1</a></th>(.*?)</tr>", page)
    assert row is not None
    assert row[1].count("draft to reflect on") == 2
    for word in ("current", "waiting for the verifier", "nothing yet", "not applicable"):
        assert word in page  # the legend
    member = shown(pages.browser(folk.manager), f"/team/{folk.learner}")
    assert "Rule r1" in member
    assert "5 June 2026" in member
    pages.world.submit(folk.learner, folk.evidence, folk.manager, 1)
    member = shown(pages.browser(folk.manager), f"/team/{folk.learner}")
    assert "waiting for the verifier" in member
    assert WORDS not in member


def test_somebody_of_another_team_is_not_there(pages: WebWorld, folk: Cast) -> None:
    stranger = pages.world.person("stranger")
    theirs = pages.world.person("theirs", manager=stranger)
    browser = pages.browser(folk.manager)
    for path in (f"/team/{theirs}", f"/team/{stranger}/deputies", f"/verify/with/{theirs}",
                 f"/logs/{theirs}/2026-01-01", "/logs/1/nonsense"):  # fmt: skip
        assert browser.get(path).status_code == 404, path
    assert "theirs" not in shown(browser, "/team/")


def test_a_former_manager_sees_the_team_no_more(pages: WebWorld, folk: Cast) -> None:
    pages.world.post(folk.learner, folk.manager, date(2020, 1, 1), date(2026, 6, 14))
    browser = pages.browser(folk.manager)
    assert ">u1<" not in shown(browser, "/team/")
    assert browser.get(f"/team/{folk.learner}").status_code == 404


def test_the_matrix_is_read_in_few_queries_however_many_there_are(pages: WebWorld) -> None:
    from sqlalchemy import event

    world = pages.world
    manager = world.person("manager")
    browser = None

    def asked() -> int:
        count = 0

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            nonlocal count
            count += statement.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE"))

        event.listen(world.engine, "before_cursor_execute", note)
        assert browser is not None
        shown(browser, "/team/")
        event.remove(world.engine, "before_cursor_execute", note)
        return count

    world.person("p0", manager=manager)
    browser = pages.browser(manager)
    shown(browser, "/team/")
    few = asked()
    for n in range(1, 12):
        world.person(f"p{n}", manager=manager)
    assert asked() == few <= 12


# --- what waits, and a sitting
def test_what_waits_is_listed_oldest_first_with_its_days(pages: WebWorld, folk: Cast) -> None:
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager, 1)
    world.clock.advance(days=29)
    page = shown(pages.browser(folk.manager), "/verify/")
    assert "29 days" in page
    assert "1 for more than 28 days" in page
    assert WORDS not in page


def test_one_piece_is_read_and_decided_claim_by_claim(pages: WebWorld, folk: Cast) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    page = shown(browser, f"/verify/{folk.evidence}")
    assert WORDS in page
    assert "checked" not in page
    assert world.rows("SELECT actor FROM audit WHERE act = 'read-reflection'") == [
        (f"person:{folk.manager}",)
    ]
    form = sitting_form(world, folk.evidence, _1="verify", _2="return")
    answer = browser.post(f"/verify/{folk.evidence}", form)
    assert answer.status_code == 422
    assert "Choose how you assessed" in answer.text
    assert "Write your question" in answer.text
    assert answer.text.count(" checked") == 2
    typed = {"method": "discussion", "note": "We talked.",
             f"question-{folk.evidence}": "What did you change?"}  # fmt: skip
    assert browser.post(f"/verify/{folk.evidence}", form | typed).status_code == 303
    assert world.states(folk.evidence) == {"1": "verified", "2": "returned"}
    told = evidence.notes(world.as_(folk.learner), folk.evidence)
    assert [(n.decision, n.text) for n in told] == [
        ("verified", "We talked."), ("returned", "What did you change?")
    ]  # fmt: skip
    assert browser.get(f"/verify/{folk.evidence}").status_code == 404


@pytest.fixture
def two(pages: WebWorld, folk: Cast) -> tuple[int, int]:
    """Two submitted pieces of one person: a course and e-learning."""
    world = pages.world
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.pull(Completion(), Completion(course="CE"))
    online = next(i.evidence.id for i in world.items_of(folk.learner) if len(i.claims) == 1)
    evidence.submit(world.as_(folk.learner), online, [ref(1)], WORDS, folk.manager, used="Twice.")
    return folk.evidence, online


def test_a_sitting_decides_several_pieces_at_once(
    pages: WebWorld, folk: Cast, two: tuple[int, int]
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    course, online = two
    assert "Go through all 2" in shown(browser, "/verify/")
    page = shown(browser, f"/verify/with/{folk.learner}")
    assert "Twice." in page
    form = sitting_form(world, course, _1="verify", _2="leave") | sitting_form(
        world, online, _1="verify"
    )
    form |= {"method": "module", f"method-{online}": "discussion", "note": "Supervision."}
    assert browser.post(f"/verify/with/{folk.learner}", form).status_code == 303
    assert world.states(course) == {"1": "verified", "2": "submitted"}
    assert world.states(online) == {"1": "verified"}
    methods = dict(world.rows("SELECT claim_id, method FROM verifications"))
    assert methods[world.claim_id(online, 1)] == "discussion"
    assert methods[world.claim_id(course, 1)] == "module"


def test_what_stands_in_the_way_of_one_piece_stops_all_and_keeps_what_was_typed(
    pages: WebWorld, folk: Cast, two: tuple[int, int]
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    course, online = two
    form = sitting_form(world, course, _1="verify") | sitting_form(world, online, _1="verify")
    form |= {"method": "module", "note": "Typed with care."}
    answer = browser.post(f"/verify/with/{folk.learner}", form)
    assert answer.status_code == 422
    assert "module alone" in answer.text
    assert f'href="#piece-{online}"' in answer.text
    assert "Typed with care." in answer.text
    assert answer.text.count(" checked") == 2
    assert set(world.states(course).values()) | set(world.states(online).values()) == {"submitted"}


def test_a_piece_taken_back_meanwhile_does_not_lose_the_rest(
    pages: WebWorld, folk: Cast, two: tuple[int, int]
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    course, online = two
    form = sitting_form(world, course, _1="verify") | sitting_form(world, online, _1="verify")
    evidence.recall(world.as_(folk.learner), online)
    answer = browser.post(f"/verify/with/{folk.learner}", form | {"method": "discussion"})
    assert answer.status_code == 303
    assert world.states(course)["1"] == "verified"
    assert world.states(online) == {"1": "suggested"}


def test_nothing_decided_is_said_and_changes_nothing(pages: WebWorld, folk: Cast) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    answer = browser.post(f"/verify/{folk.evidence}", {"method": "discussion"})
    assert answer.status_code == 422
    assert "Decide on at least one" in answer.text
    assert set(world.states(folk.evidence).values()) == {"submitted"}


def test_a_note_that_could_identify_a_child_is_asked_about_once(
    pages: WebWorld, folk: Cast
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    form = sitting_form(world, folk.evidence, _1="verify") | {
        "method": "discussion", "note": "The family lives at LE1 5WW."
    }  # fmt: skip
    answer = browser.post(f"/verify/{folk.evidence}", form)
    assert answer.status_code == 422
    assert "LE1 5WW" in answer.text
    mark = re.search(r'name="looked" value="(\w+)"', answer.text)
    assert mark is not None
    assert world.states(folk.evidence)["1"] == "submitted"
    assert browser.post(f"/verify/{folk.evidence}", form | {"looked": mark[1]}).status_code == 303
    assert world.states(folk.evidence)["1"] == "verified"


def test_what_waits_is_handed_to_another_who_may(pages: WebWorld, folk: Cast) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    people.approve(world.ctx, folk.other, Authority.ASSESSOR)
    world.submit(folk.learner, folk.evidence, folk.manager)
    assert "other (assessor" in shown(browser, f"/verify/{folk.evidence}/reassign")
    answer = browser.post(f"/verify/{folk.evidence}/reassign", {"verifier": str(folk.other)})
    assert answer.status_code == 303
    assert [i.evidence.id for i in verify.waiting(world.as_(folk.other))] == [folk.evidence]
    assert browser.get(f"/verify/{folk.evidence}").status_code == 404


# --- in doubt
def test_a_contested_claim_is_upheld_or_taken_back_with_a_reason(
    pages: WebWorld, folk: Cast
) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    assert "is in doubt" in shown(browser, "/verify/contested")
    world.source.holds = []
    world.pull(full=True, believe=True)
    assert "2 verified claims in doubt" in shown(browser, "/verify/").replace("</a>", "")
    one, second = (world.claim_id(folk.evidence, n) for n in (1, 2))
    answer = browser.post(f"/verify/claims/{one}", {"do": "uphold", "reason": " "})
    assert answer.status_code == 422
    assert "Say why" in answer.text
    named = {"do": "uphold", "reason": "I saw it at LE1 5WW."}
    answer = browser.post(f"/verify/claims/{one}", named)
    assert answer.status_code == 422
    mark = re.search(r'name="looked" value="(\w+)"', answer.text)
    assert mark is not None
    assert '<input type="hidden" name="do" value="uphold">' in answer.text
    assert browser.post(
        f"/verify/claims/{one}", named | {"looked": mark[1]}
    ).status_code == 303  # fmt: skip
    assert browser.post(
        f"/verify/claims/{second}", {"do": "revoke", "reason": "I did not."}
    ).status_code == 303  # fmt: skip
    assert world.states(folk.evidence) == {"1": "verified", "2": "revoked"}
    assert "None of the claims" in shown(browser, "/verify/contested")


def test_a_stranger_neither_sees_nor_decides_a_contested_claim(pages: WebWorld, folk: Cast) -> None:
    world = pages.world
    boss = world.person("boss")
    world.person("elsewhere", manager=boss)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    claim = world.claim_id(folk.evidence, 1)
    world.source.holds = []
    world.pull(full=True, believe=True)
    browser = pages.browser(boss)
    assert "None of the claims" in shown(browser, "/verify/contested")
    answer = browser.post(f"/verify/claims/{claim}", {"do": "revoke", "reason": "I say so."})
    assert answer.status_code == 422
    assert world.states(folk.evidence)["1"] == "verified"


def test_a_verification_is_taken_back_by_its_verifier_or_the_manager(
    pages: WebWorld, folk: Cast
) -> None:
    world = pages.world
    people.approve(world.ctx, folk.other, Authority.PEER)
    world.submit(folk.learner, folk.evidence, folk.other)
    verify.verify(world.as_(folk.other), folk.evidence, None, "peer-talk")
    one, second = (world.claim_id(folk.evidence, n) for n in (1, 2))
    browser = pages.browser(folk.manager)
    assert f"/verify/claims/{one}" in shown(browser, "/verify/decided")
    assert "Rule r1" in shown(browser, f"/verify/claims/{one}")
    path = f"/verify/claims/{one}/take-back"
    assert browser.post(path, {"reason": ""}).status_code == 422
    answer = browser.post(path, {"reason": "The family of LE1 5WW told me."})
    assert answer.status_code == 422
    assert "Could this tell who a child is?" in answer.text
    assert browser.post(path, {"reason": "Not shown in practice."}).status_code == 303
    assert browser.get(f"/verify/claims/{one}").status_code == 404
    by_peer = pages.browser(folk.other)
    assert by_peer.post(
        f"/verify/claims/{second}/take-back", {"reason": "A mistake."}
    ).status_code == 303  # fmt: skip
    assert world.states(folk.evidence) == {"1": "revoked", "2": "revoked"}
    assert pages.browser(folk.learner).get("/verify/decided").status_code == 403


# --- deputies, and what is overdue
def test_a_deputy_sees_the_team_takes_over_and_verifies(pages: WebWorld, folk: Cast) -> None:
    world = pages.world
    deputy = world.person("deputy", manager=world.person("boss"))
    browser = pages.browser(folk.manager)
    form = {"deputy": "deputy@example.org", "start": "2026-06-15", "end": "2026-08-31"}
    assert browser.post(f"/team/{folk.manager}/deputies", form).status_code == 303
    assert "deputy</strong>" in shown(browser, "/team/deputies")
    theirs = pages.browser(deputy)
    assert "You stand in for manager" in shown(theirs, "/team/")
    world.submit(folk.learner, folk.evidence, folk.manager)
    assert (deputy, "deputy", Authority.DEPUTY) in evidence.may_verify(world.ctx, folk.learner)
    world.clock.advance(days=29)
    theirs = pages.browser(deputy)
    page = shown(theirs, "/verify/overdue")
    assert "Take it over" in page
    assert WORDS not in page
    assert theirs.post(f"/verify/overdue/{folk.evidence}/take-over").status_code == 303
    form = sitting_form(world, folk.evidence, _1="verify") | {"method": "discussion"}
    assert theirs.post(f"/verify/{folk.evidence}", form).status_code == 303
    assert world.scalar("SELECT authority FROM verifications") == "deputy"


def test_a_managers_manager_sees_what_is_overdue_and_names_a_deputy(
    pages: WebWorld, folk: Cast
) -> None:
    world = pages.world
    boss = world.person("boss")
    world.post(folk.manager, boss, date(2020, 1, 1))
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.clock.advance(days=29)
    browser = pages.browser(boss)
    page = shown(browser, "/verify/overdue")
    assert "Name a deputy for manager" in page
    assert WORDS not in page
    answer = browser.post(f"/verify/overdue/{folk.evidence}/take-over")
    assert answer.status_code == 422
    form = {"deputy": "other@example.org", "start": "2026-07-14"}
    assert browser.post(f"/team/{folk.manager}/deputies", form).status_code == 303
    assert [d.deputy for d in deputies.deputies_of(world.as_(boss), folk.manager).named] == [
        folk.other
    ]
    at = f"/team/{folk.manager}/deputies"
    assert "Nobody names a deputy for the person who manages them" in shown(browser, at)
    world.post(boss, folk.manager, date(2020, 1, 1))
    page = shown(browser, at)
    assert "Nobody chooses who judges them" in page
    assert "Name deputy" not in page
    assert browser.post(at, form).status_code == 422


def test_a_deputy_ends_and_verifies_no_more(pages: WebWorld, folk: Cast) -> None:
    world, browser = pages.world, pages.browser(folk.manager)
    naming = Naming("other@example.org", date(2026, 6, 1), None)
    made = deputies.name_deputy(world.as_(folk.manager), folk.manager, naming)
    assert browser.post(f"/team/{folk.manager}/deputies/{made}/end").status_code == 303
    assert folk.other not in [v[0] for v in evidence.may_verify(world.ctx, folk.learner)]


# --- by link
def test_a_verifier_by_link_sees_that_one_thing_and_decides(pages: WebWorld, folk: Cast) -> None:
    world = pages.world
    outside = world.person("outside")
    people.approve(world.ctx, outside, Authority.ASSESSOR)
    world.submit(folk.learner, folk.evidence, outside)
    world.pull(Completion(), Completion(course="C2", score=1.0, when=NOW - timedelta(days=2)))
    second = next(i.evidence.id for i in world.items_of(folk.learner)
                  if i.evidence.title == "Rule r2")  # fmt: skip
    evidence.submit(world.as_(folk.learner), second, [ref(3)], "For later.", outside)
    with world.store.begin() as uow:
        secret = signin.new_link(world.ctx, uow, "verify", outside, folk.evidence)
    browser = pages.browser()
    looked = shown(browser, f"/link/{secret}")
    assert WORDS not in looked
    token = re.search(r'name="csrf_token" value="([^"]+)"', looked)
    assert token is not None
    answer = browser.post("/link", {"secret": secret, "csrf_token": token[1]})
    cookie = browser.client.get_cookie("bridge")
    assert cookie is not None
    browser = Browser(browser.client, cookie.value)
    assert answer.status_code == 302
    assert WORDS in shown(browser, "/verify/linked")
    for path in (
        "/verify/",
        f"/verify/{folk.evidence}",
        f"/verify/{second}",
        "/team/",
        "/account/",
    ):
        assert browser.get(path).status_code == 403, path
    form = sitting_form(world, second, _3="verify") | {"method": "observation"}
    assert browser.post("/verify/linked", form).status_code == 422
    form = sitting_form(world, folk.evidence, _1="verify", _2="verify")
    assert browser.post("/verify/linked", form | {"method": "observation"}).status_code == 303
    assert set(world.states(folk.evidence).values()) == {"verified"}
    assert world.states(second)["3"] == "submitted"
    assert "Nothing waits for you here" in shown(browser, "/verify/linked")
    assert pages.browser().get(f"/link/{secret}").status_code == 403
