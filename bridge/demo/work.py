"""The demo's sign-in at work: its stand-in identity provider, and who has an account there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import requests

from bridge.bootstrap import Bridge, web_site
from bridge.config import FILE_NAME
from bridge.demo.idp import StandInProvider, WorkUser
from bridge.demo.idp.server import CLIENT_ID
from bridge.domain.identity import IdentifierKind
from bridge.domain.model import Person
from bridge.web.app import create_app

NAME = "demo"
TITLE = "Stand-in work account"
BACK = f"/sign-in/with/{NAME}/back"
#: Somebody at work whom no staff list has: the bridge asks them to sign in once in another way.
UNKNOWN = WorkUser("work-unknown", "Sam Newcomer (in no staff list)")
_SECTION = """
[oidc.{name}]
title = "{title}"
issuer = "{issuer}"
client_id = "{client}"
secret_file = "work.secret"
identity = ["staff-number"]        # the employer's own number says who somebody is
"""


def configure(folder: Path, idp: StandInProvider) -> None:
    """Put the provider, which is running, into a site's configuration."""
    secret = folder / "work.secret"
    secret.touch(mode=0o600)
    secret.write_text(idp.secret, encoding="utf-8")
    config = folder / FILE_NAME
    section = _SECTION.format(name=NAME, title=TITLE, issuer=idp.issuer, client=CLIENT_ID)
    config.write_text(config.read_text(encoding="utf-8") + section, encoding="utf-8")


def employ(bridge: Bridge, idp: StandInProvider, people: Iterable[Person]) -> None:
    """Give these people an account at work, which carries their staff number."""
    idp.users[:] = [UNKNOWN]
    with bridge.context.store.reading() as uow:
        for person in people:
            numbers = [
                each.value
                for each in uow.people.identifiers(person.id)
                if each.kind is IdentifierKind.STAFF_NUMBER
            ]
            claims = {"employeeid": numbers[0]} if numbers else {}
            idp.users.insert(-1, WorkUser(_sub(person), person.name, claims))


def _sub(person: Person) -> str:
    return f"work-{person.id}"


def sign_in(bridge: Bridge, idp: StandInProvider, person: Person) -> int:
    """Sign somebody in at work, as a browser does; the status of the page that they come to."""
    address = "http://localhost"
    idp.redirect_uris.add(address + BACK)
    browser = create_app(web_site(bridge, address)).test_client()
    asked = browser.get(f"/sign-in/with/{NAME}?next=/evidence").headers.get("Location", "")
    if not asked.startswith(idp.base_url):
        return 0
    chosen = requests.get(
        f"{asked}&choose={_sub(person)}", timeout=10, allow_redirects=False
    ).headers.get("Location", "")
    came = browser.get(chosen.removeprefix(address))
    if not came.headers.get("Location", "").endswith("/evidence"):
        return came.status_code
    return browser.get("/evidence").status_code
