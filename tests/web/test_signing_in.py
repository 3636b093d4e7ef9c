"""The door: ways in that work, and every way that must not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, Type

from bridge.domain.errors import NotAllowed, Refused
from bridge.services import limits, people, signin, tokens
from bridge.web.site import WebSettings
from tests.support import World
from tests.web.site import Browser, WebWorld, csrf_of

WORDS = "correct horse battery"


def with_password(world: World, name: str = "u1") -> int:
    """Somebody with a password."""
    person = world.person(name)
    world.set_password(person, f"{name}@example.org", WORDS)
    return person


def sign_in(browser: Browser, login: str, password: str = WORDS, **more: str) -> str:
    """Send the sign-in form; where it leads, or nothing where it stays."""
    answer = browser.post("/sign-in/password", {"login": login, "password": password, **more})
    return answer.headers.get("Location", "")


def fresh(pages: WebWorld) -> Browser:
    """A browser that opened the sign-in page."""
    client = pages.app.test_client()
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    found = re.match(r"bridge=([^;]+)", cookie)
    assert found is not None
    return Browser(client, found[1])


def test_a_password_signs_in_and_out(pages: WebWorld) -> None:
    with_password(pages.world)
    browser = fresh(pages)
    assert sign_in(browser, " U1@Example.org ", next="/account/") == "/account/"
    cookie = browser.client.get_cookie("bridge")
    assert cookie is not None
    assert cookie.value != browser.secret  # a new secret, against fixation
    assert "u1" in browser.get("/account/").text
    browser.client.post("/sign-out", data={"csrf_token": csrf_of(cookie.value)})
    assert browser.get("/account/").headers["Location"] == "/sign-in?next=/account/"
    # The secret itself is worthless from now on, wherever it is kept.
    other = pages.app.test_client()
    other.set_cookie("bridge", cookie.value)
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize("login", ["u1@example.org", "nobody@example.org", ""])
def test_a_wrong_password_says_the_same_for_everybody(pages: WebWorld, login: str) -> None:
    with_password(pages.world)
    answer = fresh(pages).post("/sign-in/password", {"login": login, "password": "wrong"})
    assert answer.status_code == 422
    words = "do not go together" if login else "Enter your sign-in name"
    assert words in answer.text
    assert "wrong&#34;" not in answer.text


def test_too_many_tries_must_wait_even_with_the_right_password(pages: WebWorld) -> None:
    with_password(pages.world)
    browsers = [fresh(pages) for _ in range(3)]  # the count is shared, whoever asks
    for number in range(signin.ATTEMPTS_A_LOGIN):
        assert sign_in(browsers[number % 3], "u1@example.org", "wrong") == ""
    assert sign_in(browsers[0], "u1@example.org") == ""
    pages.world.clock.advance(minutes=16)
    assert sign_in(browsers[0], "u1@example.org") == "/"


@pytest.mark.parametrize(
    "asked",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil",
     "/\tevil", "\\\\evil", "http:evil"],
)  # fmt: skip
def test_nobody_is_sent_to_a_strangers_page_after_signing_in(pages: WebWorld, asked: str) -> None:
    with_password(pages.world)
    assert sign_in(fresh(pages), "u1@example.org", next=asked) == "/"


def test_a_form_without_its_token_changes_nothing(pages: WebWorld) -> None:
    person = with_password(pages.world)
    browser = pages.browser(person)
    answer = browser.client.post("/account/tokens", data={"name": "stolen"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    others = csrf_of("y" * 43)
    answer = browser.client.post("/account/tokens", data={"name": "x", "csrf_token": others})
    assert answer.status_code == 400
    assert tokens.tokens(pages.world.as_(person)) == []


def test_a_link_is_sent_only_to_a_known_address_and_the_answer_is_the_same(
    pages: WebWorld,
) -> None:
    person = pages.world.person("u1")
    known = fresh(pages).post("/sign-in/link", {"email": "U1@example.org"})
    unknown = fresh(pages).post("/sign-in/link", {"email": "u2@example.org"})
    assert known.text.replace(known.headers["X-Request-ID"], "") == unknown.text.replace(
        unknown.headers["X-Request-ID"], ""
    )
    assert pages.links_sent == [person]


def test_an_address_that_several_share_gets_no_link(pages: WebWorld) -> None:
    for name in ("a", "b"):
        pages.world.person(name, email="office@example.org")
    fresh(pages).post("/sign-in/link", {"email": "office@example.org"})
    assert pages.links_sent == []


def test_a_link_works_once_and_only_by_a_click(pages: WebWorld) -> None:
    person = pages.world.person("u1")
    secret = signin.invite(pages.world.ctx, person)
    for _ in range(3):  # mail scanners open links
        assert "One more click" in fresh(pages).get(f"/link/{secret}").text
    browser = fresh(pages)
    assert browser.post("/link", {"secret": secret}).headers["Location"] == "/"
    assert browser.get("/account/").status_code == 200
    again = fresh(pages).post("/link", {"secret": secret})
    assert again.status_code == 403
    assert "used or has run out" in again.text
    assert pages.world.rows("SELECT sha256 FROM one_time_links WHERE used_at IS NULL") == []


def test_a_link_runs_out(pages: WebWorld) -> None:
    secret = signin.invite(pages.world.ctx, pages.world.person("u1"))
    pages.world.clock.advance(minutes=31)
    assert fresh(pages).get(f"/link/{secret}").status_code == 403


def test_a_sign_in_ends_by_itself(pages: WebWorld) -> None:
    person = pages.world.person("u1")
    idle, busy = pages.browser(person), pages.browser(person)
    for _ in range(11):
        pages.world.clock.advance(hours=1)
        assert busy.get("/account/").status_code == 200
    assert idle.get("/account/").status_code == 302  # two hours without use
    pages.world.clock.advance(hours=1)
    assert busy.get("/account/").status_code == 302  # twelve hours in all


def test_somebody_sees_and_ends_their_own_sign_ins_alone(pages: WebWorld) -> None:
    world = pages.world
    one, other = world.person("one"), world.person("other")
    here, there, stranger = pages.browser(one), pages.browser(one), pages.browser(other)
    ids = [row[0] for row in world.rows("SELECT id FROM sessions ORDER BY id")]
    assert stranger.post(f"/account/sessions/{ids[1]}/end").status_code == 404
    assert here.post(f"/account/sessions/{ids[1]}/end").status_code == 302
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


def test_links_are_counted_by_the_address_however_it_is_typed(pages: WebWorld) -> None:
    pages.world.person("ada.lovelace")
    typed = ["ada.lovelace@example.org", " ADA.Lovelace@Example.ORG ", "a.d.a.lovelace@example.org",
             "ada.lovelace@example.org.", "ada.lovelace+1@example.org",
             "ADA.LOVELACE＠example.org", "ada . lovelace@example.org"]  # fmt: skip
    browser = fresh(pages)
    said = [browser.post("/sign-in/link", {"email": address}).text for address in typed]
    assert ["tried too often" in each for each in said] == [False] * 5 + [True] * 2
    other = browser.post("/sign-in/link", {"email": "ada.lovelace@elsewhere.example"})
    assert other.status_code == 200


def test_a_new_password_ends_every_other_sign_in(pages: WebWorld) -> None:
    person = with_password(pages.world)
    here, there = pages.browser(person), pages.browser(person)
    new = "another three words"
    values = {"login": "u1@example.org", "present": WORDS, "password": new, "again": new}
    assert here.post("/account/password", values).status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert sign_in(fresh(pages), "u1@example.org") == ""
    assert sign_in(fresh(pages), "u1@example.org", new) == "/"


def test_an_open_page_changes_no_password_without_the_present_one(pages: WebWorld) -> None:
    person = with_password(pages.world)
    browser = pages.browser(person)
    new = {"login": "u1@example.org", "password": "mallorys own three words"}
    new["again"] = new["password"]
    assert "Present password" in browser.get("/account/").text
    for present in ("", "a guess at the words"):
        answer = browser.post("/account/password", new | {"present": present})
        assert answer.status_code == 422
        assert "not your present password" in answer.text
    assert sign_in(fresh(pages), "u1@example.org", new["password"]) == ""
    for _ in range(signin.ATTEMPTS_A_LOGIN):
        answer = browser.post("/account/password", new | {"present": "another guess"})
    assert "tried too often" in answer.text
    pages.world.clock.advance(minutes=20)
    assert browser.post("/account/password", new | {"present": WORDS}).status_code == 302


def test_without_a_password_only_a_fresh_sign_in_sets_one(pages: WebWorld) -> None:
    world = pages.world
    person = world.person("u1")
    new = {"login": "u1@example.org", "password": WORDS, "again": WORDS}
    browser = pages.browser(person, method="link")
    assert "Present password" not in browser.get("/account/").text
    world.clock.advance(minutes=16)
    page = browser.get("/account/").text
    assert "Sign in again before you set a password" in page
    assert "Set password" not in page
    assert browser.post("/account/password", new).status_code == 422
    assert world.rows("SELECT * FROM passwords") == []
    again = browser.post("/account/sign-in-again")
    assert again.headers["Location"] == "/sign-in?next=/account/"
    assert browser.get("/account/").status_code == 302
    assert pages.browser(person, method="link").post("/account/password", new).status_code == 302
    # Who forgot it comes in another way, and sets a new one.
    new["password"] = new["again"] = "another three words"
    world.clock.advance(days=1)
    assert pages.browser(person, method="link").post("/account/password", new).status_code == 302
    assert sign_in(fresh(pages), "u1@example.org", new["password"]) == "/"


@pytest.mark.parametrize(
    ("login", "password", "words"),
    [
        ("u2", "short", "at least 12"),
        ("u2@example.org", "u2@example.org!!", "Leave your sign-in name out"),
        ("", WORDS, "Choose a sign-in name"),
        ("taken@example.org", WORDS, "is taken"),
        ("u2", "x" * 1001, "at most 1,000"),
    ],
)
def test_bad_passwords_are_refused_in_words(
    world: World, login: str, password: str, words: str
) -> None:
    with_password(world, "taken")
    with pytest.raises(Refused, match=words):
        world.set_password(world.person("u2"), login, password)


def test_a_password_costs_a_thief_what_rfc_9106_asks(real_hasher: PasswordHasher) -> None:
    assert real_hasher.type is Type.ID
    assert real_hasher.time_cost >= 3
    assert real_hasher.memory_cost >= 64 * 1024


def test_secrets_are_stored_by_their_hash_alone(pages: WebWorld) -> None:
    world = pages.world
    person = with_password(world)
    browser = pages.browser(person)
    token = tokens.make_token(world.as_(person), "script", read_only=True)
    link = signin.invite(world.ctx, person)
    stored = repr(world.dump())
    for secret in (browser.secret, token, link, WORDS):
        assert secret not in stored


def test_a_token_knows_whether_it_may_only_read_and_ends(world: World) -> None:
    person = world.person("u1")
    token = tokens.make_token(world.as_(person), "script", read_only=True)
    who, read_only = signin.who_has_token(world.ctx, token)
    assert (who.person, read_only) == (person, True)
    (info,) = tokens.tokens(world.as_(person))
    tokens.end_token(world.as_(person), info.id)
    with pytest.raises(NotAllowed):
        signin.who_has_token(world.ctx, token)


def test_after_an_unmerge_each_signs_in_as_themselves(world: World) -> None:
    one, other = world.person("one"), world.person("other")
    people.merge(world.ctx, one, other, "one person")
    secret = signin.start_session(world.ctx, one, "password", signin.Lasting())
    assert signin.who_is(world.ctx, secret, signin.Lasting()).person == other
    people.unmerge(world.ctx, one, "They are two.")
    # What was signed in during the merge may be the other's hand: it ends.
    assert signin.who_is(world.ctx, secret, signin.Lasting()).person is None


def test_over_https_the_cookie_is_bound_to_this_host_and_to_https(world: World) -> None:
    secure = WebWorld(world, WebSettings(base_url="https://bridge.example.org"))
    client = secure.app.test_client()
    answer = client.get("/sign-in", base_url="https://bridge.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-bridge=")
    for wanted in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert wanted in cookie
    assert answer.headers["Strict-Transport-Security"]


def test_ways_that_are_switched_off_are_neither_shown_nor_taken(world: World) -> None:
    with_password(world)
    settings = replace(WebSettings(base_url="http://localhost"), passwords=False, links=False)
    pages = WebWorld(world, settings)
    client = pages.app.test_client()
    shown = client.get("/sign-in").text
    assert "With a password" not in shown
    assert "With a link" not in shown
    browser = Browser(client, "x" * 43)
    client.set_cookie("bridge", browser.secret)
    assert sign_in(browser, "u1@example.org") == ""
    assert browser.post("/sign-in/link", {"email": "u1@example.org"}).status_code == 422
    assert pages.links_sent == []


def test_old_counts_and_handshakes_are_cleared_away(world: World) -> None:
    limits.count_attempt(world.ctx, "login:x", 5)
    with world.store.begin() as uow:
        uow.access.begin_handshake(b"s" * 32, "oidc", b"n" * 32, {}, world.clock.now())
    world.clock.advance(days=2)
    signin.clear_away(world.ctx)
    assert world.scalar("SELECT COUNT(*) FROM attempts") == 0
    assert world.scalar("SELECT COUNT(*) FROM handshakes") == 0


def test_a_handshake_is_answered_once_in_time_and_by_its_own_kind(world: World) -> None:
    def begin(state: bytes, lasts: timedelta) -> None:
        with world.store.begin() as uow:
            until = world.clock.now() + lasts
            uow.access.begin_handshake(state, "lti", b"n" * 32, {"to": "/"}, until)

    def use(state: bytes, kind: str = "lti") -> bool:
        with world.store.begin() as uow:
            return uow.access.use_handshake(state, kind, world.clock.now()) is not None

    begin(b"a" * 32, timedelta(minutes=5))
    begin(b"b" * 32, timedelta(minutes=1))
    assert not use(b"a" * 32, "oidc")
    assert use(b"a" * 32)
    assert not use(b"a" * 32)
    world.clock.advance(minutes=2)
    assert not use(b"b" * 32)
