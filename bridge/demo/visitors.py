"""Who comes to look at the demo's pages: one person for each role, with a link that signs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import url_for
from flask.testing import FlaskClient

from bridge.bootstrap import Bridge, web_site
from bridge.catalog.staff import parse_staff_list
from bridge.demo.play import Cast
from bridge.domain.model import Person
from bridge.domain.permissions import Role
from bridge.services import people as people_service
from bridge.services import roles, signin
from bridge.services.staff import take_staff_list
from bridge.web.app import create_app

#: The partnership's own office, which no Moodle course is for.
OFFICE = """\
staff_number,email,name,organisation,role,start_date
LSCP001,priya.nair@example.org,Priya Nair,Safeguarding Partnership,Training lead,2021-04-01
LSCP002,tom.okafor@example.org,Tom Okafor,Safeguarding Partnership,LMS administrator,2022-01-10
LSCP003,grace.lindqvist@example.org,Grace Lindqvist,Safeguarding Partnership,Data analyst,2020-09-01
"""
_GIVEN = {
    "LSCP001": Role.TRAINING_TEAM,
    "LSCP002": Role.LMS_ADMIN,
    "LSCP003": Role.PARTNERSHIP,
}
LINK_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody to look as: `role` in words, and the endpoint of the page that is theirs."""

    role: str
    person: Person
    page: str


def office(bridge: Bridge) -> None:
    """Take the partnership's office into the staff list, and give its people their roles."""
    rows = parse_staff_list(OFFICE, "office.csv", set())
    take_staff_list(bridge.context, rows, [], bridge.identity)
    for number, role in _GIVEN.items():
        roles.grant_role(bridge.context, people_service.find(bridge.context, number).id, role)


def visitors(bridge: Bridge, cast: Cast) -> list[Visitor]:
    """One visitor for each role."""
    given = [people_service.find(bridge.context, number) for number in _GIVEN]
    training, admin, analyst = given
    return [
        Visitor("Practitioner", cast.waiting, "practitioner.home"),
        Visitor("Manager", cast.manager, "manager.team"),
        Visitor("Training team", training, "training.desk"),
        Visitor("LMS administrator", admin, "lms.badges"),
        Visitor("Partnership", analyst, "partnership.counts"),
    ]


def links(bridge: Bridge, who: list[Visitor], address: str) -> Mapping[Visitor, str]:
    """A link for each that signs in once, whoever opens it."""
    return {
        visitor: f"{address.rstrip('/')}/link/"
        + signin.invite(bridge.context, visitor.person.id, LINK_LASTS)
        for visitor in who
    }


def open_pages(bridge: Bridge, who: list[Visitor]) -> dict[str, int]:
    """Sign every visitor in through their link, as a browser does; the status of their page."""
    app = create_app(web_site(bridge, "http://localhost"))
    opened = {}
    for visitor, link in links(bridge, who, "http://localhost").items():
        browser: FlaskClient = app.test_client()
        form = browser.get(link.removeprefix("http://localhost")).text
        token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
        browser.post("/link", data={"csrf_token": token, "secret": link.rpartition("/")[2]})
        with app.test_request_context():
            page = url_for(visitor.page)
        opened[visitor.role] = browser.get(page).status_code
    return opened
