"""The door, as people meet it: by password, by a link in a mail, and their account behind it."""

from __future__ import annotations

import re

from bridge.services import signin
from tests.browser.site import BridgeSite, Someone
from tests.browser.visit import NARROW, PHONE, Window

PASSWORD = "three otters crossing"


def link_in(letter: str) -> str:
    """The address of the first link in a mail."""
    found = re.search(r"https?://\S+", letter)
    assert found is not None, letter
    return found[0]


def with_password(site: BridgeSite, someone: Someone) -> Someone:
    """They have set a password."""
    lasting = signin.Lasting()
    secret = signin.start_session(site.ctx, someone.id, "link", lasting)
    session = signin.who_is(site.ctx, secret, lasting).session
    signin.set_password(site.acting(someone), someone.email, PASSWORD, session)
    return someone


def test_a_wrong_password_is_told_kindly_and_the_right_one_signs_in(
    window: Window, site: BridgeSite
) -> None:
    who = with_password(site, site.person("Petra Password"))
    visit = window(width=PHONE)
    visit.open("/evidence")
    assert visit.heading == "Sign in"
    visit.write("Sign-in name", who.email)
    visit.write("Password", "not this one at all")
    visit.page.get_by_role("button", name="Sign in").click()
    visit.says("Please look at this")
    assert visit.page.evaluate("document.activeElement.className") == "error-summary"
    assert visit.field("Sign-in name").input_value() == who.email
    assert visit.field("Password").input_value() == ""
    assert visit.faults() == []
    visit.write("Password", PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    # To where they wanted to go in the first place.
    assert visit.page.url == f"{site.address}/evidence"
    assert visit.heading == "My evidence"
    visit.click("button", "Sign out")
    assert visit.heading == "Sign in"
    visit.open("/evidence")
    assert visit.heading == "Sign in"


def test_a_link_in_a_mail_signs_in_once(window: Window, site: BridgeSite) -> None:
    who = site.person("Lina Link")
    visit = window(width=NARROW)
    visit.open("/")
    visit.write("Work email address", who.email)
    visit.click("button", "Send me a link")
    assert visit.heading == "Look in your mail"
    assert visit.faults() == []
    site.send_mail()
    (letter,) = site.letters(who)
    link = link_in(letter)
    visit.open(link)
    visit.click("button", "Continue")
    assert visit.heading == "My evidence"
    other = window()
    other.open(link)
    other.says("link")
    assert "Continue" not in other.text
    assert other.faults() == []


def test_an_address_that_nobody_has_gets_the_same_answer(window: Window, site: BridgeSite) -> None:
    visit = window()
    visit.open("/sign-in")
    visit.write("Work email address", "nobody@northmere.example.org")
    visit.click("button", "Send me a link")
    assert visit.heading == "Look in your mail"
    site.send_mail()
    assert site.letters("nobody@") == []


def test_the_account_sets_a_password_and_makes_and_ends_a_token(
    window: Window, site: BridgeSite
) -> None:
    who = site.person("Anwen Account")
    visit = window().sign_in(who)
    visit.open("/account/")
    visit.write("Sign-in name", who.email)
    visit.write("New password", "short")
    visit.write("The same once more", "shorter")
    visit.click("button", "Set password")
    visit.says("Please look at this", "The two passwords are not the same.")
    assert visit.faults() == []
    visit.write("New password", PASSWORD)
    visit.write("The same once more", PASSWORD)
    visit.click("button", "Set password")
    assert visit.heading == "Your account"
    visit.write("Name of the token", "laptop script")
    visit.click("button", "Make a token")
    visit.says("Copy your new token now.", "laptop script")
    visit.shoot("account-new-token")
    assert visit.faults() == []
    visit.click("button", "End laptop script")
    visit.says("The token has ended.")
    assert visit.page.get_by_role("button", name="End laptop script").count() == 0


def test_a_mail_is_switched_off_from_the_mail_itself(window: Window, site: BridgeSite) -> None:
    boss = site.person("Uma Unsubscribed", moodle=False)
    who = site.person("Nadia Newdraft", boss)
    site.complete(who, "SGC-L1")
    site.pull()
    (item,) = site.items(who)
    site.submit(who, item, boss)
    site.send_mail(days_later=4)
    letter = site.letters(boss)[-1]
    (address,) = re.findall(r"https?://\S+/unsubscribe/\S+", letter)
    visit = window()
    visit.open(address)
    assert visit.faults() == []
    visit.click("button", "Switch it off")
    visit.says("You will get no more of this mail")
    visit.click("button", "Switch it on again")
    visit.says("You will get this mail again")
