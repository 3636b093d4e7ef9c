"""Signing in by an identity provider: every refusal, every way of joining, nothing by email."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.connectors.oidc import OidcProvider, OidcSettings
from bridge.demo.idp import Fault, StandInProvider, WorkUser
from bridge.demo.idp.server import CLIENT_ID
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.storage.tables import metadata
from tests.support import World
from tests.web.site import Browser, WebWorld

TENANT = "11111111-1111-4111-8111-111111111111"
OID = "22222222-2222-4222-8222-222222222222"
BACK = "http://localhost/sign-in/with/council/back"


@dataclass
class Work:
    """A provider that the pages know as "council", and the person who has an account there."""

    pages: WebWorld
    idp: StandInProvider
    person: int

    @property
    def world(self) -> World:
        """Whose world it is."""
        return self.pages.world

    def to_provider(self, browser: Browser, next_page: str = "") -> str:
        """Begin; the address that the browser is sent to."""
        answer = browser.get(f"/sign-in/with/council?next={next_page}")
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    def at_provider(self, address: str) -> str:
        """Sign in there; the path that the browser comes back on."""
        answer = requests.get(address, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        back = answer.headers["Location"]
        assert back.startswith(BACK)
        return back.removeprefix("http://localhost")

    def sign_in(self, browser: Browser, next_page: str = "") -> TestResponse:
        """The whole way."""
        return browser.get(self.at_provider(self.to_provider(browser, next_page)))

    def joined(self) -> Browser:
        """A browser whose person has joined the account, signed out again."""
        browser = self.pages.browser(self.person)
        assert self.sign_in(browser).headers["Location"] == "/sign-in/with/join"
        assert browser.post("/sign-in/with/join").status_code == 302
        return self.pages.browser()


def _work(world: World, *, staff_number: bool = False, tenant: str = "",
          algorithm: str = "RS256") -> Work:  # fmt: skip
    person = world.person("Ada")
    with world.store.begin() as uow:
        uow.people.add_identifier(
            person, Identifier(IdentifierKind.STAFF_NUMBER, "s-77"), world.clock.now()
        )
        uow.people.add_identifier(
            person, Identifier(IdentifierKind.EMAIL, "ada@council.example"), world.clock.now()
        )
    claims = {
        "email": "ada@council.example", "email_verified": True, "employeeid": " S-77",
        "preferred_username": "ada@council.example",
    }  # fmt: skip
    if tenant:
        claims["oid"] = OID
    idp = StandInProvider(
        [WorkUser("ada-1", "Ada at work", claims)], world.clock.now, tenant=tenant,
        algorithm=algorithm,
    )  # fmt: skip
    idp.start()
    idp.chosen = "ada-1"
    idp.redirect_uris.add(BACK)
    settings = OidcSettings(
        "council", "Council sign-in", idp.discovery_base, CLIENT_ID, idp.secret,
        entra=bool(tenant), tenants=frozenset({TENANT} if tenant else ()),
        staff_number_claim="employeeid" if staff_number else "",
    )  # fmt: skip
    other = OidcSettings("other", "Other", "http://127.0.0.1:9", CLIENT_ID, "secret")
    pages = WebWorld(
        world,
        providers={name: OidcProvider(one, world.clock) for name, one in
                   (("council", settings), ("other", other))},
    )  # fmt: skip
    return Work(pages, idp, person)


@pytest.fixture
def work(world: World) -> Iterator[Work]:
    """A plain provider, trusted with no identifier."""
    made = _work(world)
    yield made
    made.idp.stop()


def rows(world: World, table: str) -> list[dict[str, Any]]:
    """A table's rows."""
    with world.engine.connect() as connection:
        found = connection.execute(select(metadata.tables[table])).mappings()
        return [dict(row) for row in found]


def signed_in(browser: Browser) -> bool:
    """Whether somebody is."""
    return browser.get("/account/").status_code == 200


def test_the_sign_in_page_offers_it_and_a_joined_account_signs_in(work: Work) -> None:
    browser = work.joined()
    assert "Continue with Council sign-in" in browser.get("/sign-in").text
    answer = work.sign_in(browser, "/account/?a=1")
    assert answer.headers["Location"] == "/account/?a=1"
    page = browser.get("/account/").text
    assert "Ada" in page
    acts = [row["act"] for row in rows(work.world, "audit")]
    assert "join-work-account" in acts


def test_nobody_is_known_by_email_and_the_page_says_what_to_do(work: Work) -> None:
    browser = work.pages.browser()
    answer = work.sign_in(browser)
    assert answer.status_code == 403
    assert "Sign in another way" in answer.text
    assert not signed_in(browser)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_trusted_staff_number_joins_the_account(world: World, algorithm: str) -> None:
    work = _work(world, staff_number=True, algorithm=algorithm)
    try:
        browser = work.pages.browser()
        assert work.sign_in(browser).status_code == 302
        assert "Ada" in browser.get("/account/").text
    finally:
        work.idp.stop()


def test_a_staff_number_that_two_people_share_names_nobody(world: World) -> None:
    work = _work(world, staff_number=True)
    try:
        other = world.person("Bea")
        with world.store.begin() as uow:
            uow.people.add_identifier(
                other, Identifier(IdentifierKind.STAFF_NUMBER, "s-77"), world.clock.now()
            )
        assert work.sign_in(work.pages.browser()).status_code == 403
    finally:
        work.idp.stop()


@pytest.mark.parametrize(
    "fault",
    [f for f in Fault if f not in (Fault.OTHER_TENANT, Fault.TOKEN_REDIRECT, Fault.TOKEN_DOWN,
                                   Fault.HUGE)],
)  # fmt: skip
def test_an_answer_that_is_not_as_it_must_be_signs_nobody_in(work: Work, fault: Fault) -> None:
    browser = work.joined()
    work.idp.faults.add(fault)
    answer = work.sign_in(browser)
    assert answer.status_code == 403
    assert "You are not signed in" in answer.text
    assert not signed_in(browser)


@pytest.mark.parametrize("fault", [Fault.TOKEN_REDIRECT, Fault.TOKEN_DOWN, Fault.HUGE])
def test_a_provider_in_trouble_is_told_in_words(work: Work, fault: Fault) -> None:
    browser = work.joined()
    work.idp.faults.add(fault)
    answer = work.sign_in(browser)
    assert answer.status_code == 502
    assert "Council sign-in" in answer.text
    assert not signed_in(browser)


def test_a_provider_that_is_away_is_told_in_words(work: Work) -> None:
    work.idp.stop()
    answer = work.pages.browser().get("/sign-in/with/council")
    assert answer.status_code == 502
    assert "could not be reached" in answer.text


def test_an_answer_is_good_once(work: Work) -> None:
    browser = work.joined()
    path = work.at_provider(work.to_provider(browser))
    assert browser.get(path).status_code == 302
    again = work.pages.browser()
    again.client.set_cookie("bridge-oidc", browser.client.get_cookie("bridge-oidc").value)  # type: ignore[union-attr]
    assert again.get(path).status_code == 403
    assert not signed_in(again)


def test_an_answer_is_good_for_ten_minutes(work: Work) -> None:
    browser = work.joined()
    path = work.at_provider(work.to_provider(browser))
    work.world.clock.advance(minutes=11)
    assert browser.get(path).status_code == 403
    assert not signed_in(browser)


def test_an_answer_of_another_browser_signs_nobody_in(work: Work) -> None:
    """Somebody cannot be signed in as the attacker, by a link that the attacker began."""
    path = work.at_provider(work.to_provider(work.joined()))
    victim = work.pages.browser()
    assert victim.get(path).status_code == 403
    assert not signed_in(victim)


def test_an_answer_is_held_against_the_provider_that_was_asked(work: Work) -> None:
    """Mix-up: a code of one provider is never sent to another."""
    browser = work.joined()
    path = work.at_provider(work.to_provider(browser))
    asked = len(work.idp.asked)
    assert browser.get(path.replace("/council/", "/other/")).status_code == 403
    assert len(work.idp.asked) == asked
    assert not signed_in(browser)


def test_a_new_key_is_fetched_when_the_provider_changes_keys(work: Work) -> None:
    browser = work.joined()
    work.idp.rotate()
    work.world.clock.advance(minutes=1)
    assert work.sign_in(browser).status_code == 302
    assert signed_in(browser)


def test_forged_keys_do_not_make_us_hammer_the_provider(work: Work) -> None:
    browser = work.joined()
    work.world.clock.advance(minutes=1)
    work.idp.asked.clear()
    for _ in range(3):
        work.idp.rotate()
        work.sign_in(work.pages.browser())
    assert work.idp.asked.count("/keys") <= 1
    assert not signed_in(browser)


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_next_leads_to_our_own_pages_alone(work: Work, where: str) -> None:
    answer = work.sign_in(work.joined(), where)
    assert answer.headers["Location"] == "/"


def test_the_secret_and_the_verifier_are_in_no_address(work: Work) -> None:
    address = work.to_provider(work.pages.browser())
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [BACK]
    assert work.idp.secret not in address
    (row,) = [r for r in rows(work.world, "handshakes") if r["kind"] == "oidc"]
    assert "verifier" in str(row["data"])
    assert asked["state"][0] not in str(row)
    assert asked["nonce"][0] not in str(row)


def test_an_unknown_account_is_joined_after_signing_in_another_way(work: Work) -> None:
    browser = work.pages.browser()
    assert "Sign in another way" in work.sign_in(browser).text
    own = work.pages.browser(work.person)
    browser.client.set_cookie("bridge", own.secret)
    browser.secret = own.secret
    page = browser.get("/sign-in/with/join").text
    assert "Ada at work" in page
    assert browser.post("/sign-in/with/join").status_code == 302
    fresh = work.pages.browser()
    assert work.sign_in(fresh).status_code == 302
    assert signed_in(fresh)


def test_joining_takes_a_form_of_ours_and_the_browser_it_waits_in(work: Work) -> None:
    browser = work.pages.browser(work.person)
    work.sign_in(browser)
    assert browser.client.post("/sign-in/with/join").status_code == 400
    other = work.pages.browser(work.person)
    assert other.post("/sign-in/with/join").status_code == 400
    assert work.sign_in(work.pages.browser()).status_code == 403


def test_an_account_is_one_persons(work: Work) -> None:
    work.joined()
    other = work.pages.browser(work.world.person("Bea"))
    answer = work.sign_in(other)
    assert answer.status_code == 403
    assert "somebody else" in answer.text


def test_parting_ends_it(work: Work) -> None:
    work.joined()
    browser = work.pages.browser(work.person)
    assert "Council sign-in" in browser.get("/sign-in/with/").text
    (row,) = rows(work.world, "identities")
    stranger = work.pages.browser(work.world.person("Bea"))
    path = f"/sign-in/with/accounts/{row['id']}/part"
    assert stranger.post(path).status_code == 404
    assert browser.post(path).status_code == 302
    assert work.sign_in(work.pages.browser()).status_code == 403


def test_entra_knows_people_by_tenant_and_object_id(world: World) -> None:
    work = _work(world, tenant=TENANT)
    try:
        assert work.sign_in(work.joined()).status_code == 302
        (row,) = rows(world, "identities")
        assert row["subject"] == f"{TENANT}/{OID}"
        work.idp.faults.add(Fault.OTHER_TENANT)
        answer = work.sign_in(work.pages.browser())
        assert answer.status_code == 403
        assert "not part of this bridge" in answer.text
    finally:
        work.idp.stop()
