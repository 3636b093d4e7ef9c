"""Two walks through every route: with every role, and with two organisations kept apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bridge.domain.authority import Authority
from bridge.domain.model import PostDetails
from bridge.domain.permissions import MAY, Permission, Role, may
from bridge.services import people, signin, tokens
from bridge.web.access import permission_of
from tests.support import NOW, Completion, FrozenClock, World, opened
from tests.web.site import Browser, WebWorld, csrf_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Agency:
    """One organisation's people. `evidence`: the learner's, submitted; `draft`: theirs alone."""

    name: str
    learner: int
    manager: int
    training: int
    admin: int
    counts: int
    evidence: int
    draft: int


@dataclass(frozen=True)
class Towns:
    """Two organisations on one bridge, and a browser for each role."""

    pages: WebWorld
    one: Agency
    other: Agency
    link_only: int

    @property
    def world(self) -> World:
        """Their world."""
        return self.pages.world


def agency(world: World, pages: WebWorld, name: str) -> Agency:
    """People of one organisation, everybody's name with its mark in it."""

    def somebody(role: str, manager: int | None = None) -> int:
        person = world.person(f"{name}-{role}")
        details = PostDetails(name, "Worker", ("core",), (), None, date(2020, 1, 1), None)
        with world.store.begin() as uow:
            organisation, _ = uow.people.organisation(name, f"Organisation {name}", "", None)
            uow.people.put_post(person, details, organisation)
            uow.people.set_manager(person, details, manager)
        return person

    boss = somebody("boss")
    manager = somebody("manager", boss)
    learner = somebody("learner", manager)
    training, admin, counts = (somebody(role) for role in ("training", "admin", "counts"))
    for person, role in (
        (training, Role.TRAINING_TEAM), (admin, Role.LMS_ADMIN), (counts, Role.PARTNERSHIP)
    ):  # fmt: skip
        pages.give(person, [role], name)
    source = [*world.source.holds]
    world.pull(
        *source,
        Completion(f"{name}-learner", "C1", title=f"Course {name}"),
        Completion(f"{name}-learner", "C2", NOW - timedelta(days=3), score=1.0),
    )
    items = sorted(world.items_of(learner), key=lambda i: i.evidence.occurred_on)
    evidence, draft = (item.evidence.id for item in items)
    world.submit(learner, evidence, manager, 1)
    return Agency(name, learner, manager, training, admin, counts, evidence, draft)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def towns(
    request: pytest.FixtureRequest, databases: Callable[[str], AbstractContextManager[str]]
) -> Iterator[Towns]:
    """Two organisations, and somebody approved who comes by a link alone."""
    with databases(request.param) as url, opened(url) as engine:
        world = World(engine, FrozenClock(NOW))
        pages = WebWorld(world)
        one, other = agency(world, pages, "wychwood"), agency(world, pages, "zennor")
        linked = world.person("wychwood-assessor")
        people.approve(world.ctx, linked, Authority.ASSESSOR)
        yield Towns(pages, one, other, linked)


def routes(pages: WebWorld) -> list[tuple[Rule, str]]:
    """Every route with every method that it takes; files that are the same for all left out."""
    return [
        (rule, method)
        for rule in pages.app.url_map.iter_rules()
        for method in METHODS
        if method in (rule.methods or ()) and not rule.endpoint.endswith("static")
    ]


def path_of(rule: Rule, ids: Mapping[str, int | str]) -> str:
    """The route with numbers and words in it: those named, or one that nothing has."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        plain = "987654" if match["kind"] in ("int:", "int(signed=True):") else "nothing"
        return str(ids.get(name, plain))

    return re.sub(r"<(?P<kind>[^<>]*:)?(?P<name>[^<>]+)>", fill, rule.rule)


def send(browser: Browser, method: str, path: str, token: str = "") -> TestResponse:
    """Ask as a browser does (or, with a token, as a program)."""
    if path.startswith("/api/"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "GET":
            return browser.client.open(path, method=method, headers=headers)
        return browser.client.open(path, method=method, headers=headers, json={})
    if method == "GET":
        return browser.get(path)
    return browser.client.open(path, method=method, data={"csrf_token": csrf_of(browser.secret)})


def turned_away(answer: TestResponse) -> bool:
    """Whether the door stayed shut."""
    to_sign_in = answer.status_code == 302 and "/sign-in?next=" in answer.headers["Location"]
    return to_sign_in or answer.status_code in (401, 403)


def test_every_permission_is_in_the_table_and_every_route_names_one(pages: WebWorld) -> None:
    assert set(MAY) == set(Permission)
    for rule, _ in routes(pages):
        assert permission_of(pages.app.view_functions[rule.endpoint]) in MAY, rule


def _as(towns: Towns, role: Role) -> tuple[Browser, str, frozenset[Role]]:
    person = {
        Role.PRACTITIONER: towns.one.learner,
        Role.VERIFIER: towns.one.manager,
        Role.TRAINING_TEAM: towns.one.training,
        Role.LMS_ADMIN: towns.one.admin,
        Role.PARTNERSHIP: towns.one.counts,
    }.get(role)
    if role is Role.VISITOR:
        return towns.pages.browser(), "", frozenset({role})
    if role is Role.LINKED_VERIFIER:
        data = {"only_evidence": towns.one.evidence}
        return towns.pages.browser(towns.link_only, data), "", frozenset({role})
    assert person is not None
    token = tokens.make_token(towns.world.as_(person), "walk", read_only=False)
    who, _ = signin.who_has_token(towns.world.ctx, token)
    assert role in who.roles
    return towns.pages.browser(person), token, who.roles


@pytest.mark.parametrize("role", list(Role))
def test_every_route_opens_to_the_roles_of_the_table_and_to_no_other(
    towns: Towns, role: Role
) -> None:
    """Forms are sent empty, with ids that nothing has: the door is tried, not what is behind it."""
    browser, token, roles = _as(towns, role)
    for rule, method in routes(towns.pages):
        if rule.endpoint in ("auth.sign_out", "account.set_password", "account.sign_in_again"):
            continue
        permission = permission_of(towns.pages.app.view_functions[rule.endpoint])
        assert permission is not None
        with closing(send(browser, method, path_of(rule, {}), token)) as answer:
            where = f"{role}: {method} {rule.rule} -> {answer.status_code}"
            assert answer.status_code < 500, where
            if permission is Permission.PUBLIC:
                continue
            if may(roles, permission):
                # Behind the door a use case may still say no, in its own words.
                shut = turned_away(answer) and "for another role" in answer.text
                assert not shut, where
                assert answer.status_code not in (302, 401) or "next=" not in str(
                    answer.headers.get("Location")
                ), where
            else:
                assert turned_away(answer), where


def _ids(agency: Agency, world: World) -> dict[str, int | str]:
    """Numbers of the other organisation's things, by the names that routes have for them."""
    claim = world.claim_id(agency.evidence, 1)
    return {
        "evidence_id": agency.draft, "evidence": agency.draft, "claim_id": claim, "claim": claim,
        "person_id": agency.learner, "person": agency.learner, "learner": agency.learner,
        "edition": "care-2026", "code": "1", "badge": "safe", "organisation": agency.name,
    }  # fmt: skip


@pytest.mark.parametrize("who", ["learner", "manager", "training", "admin", "counts"])
@pytest.mark.parametrize("which", ["draft", "evidence"])
def test_two_organisations_never_meet(towns: Towns, who: str, which: str) -> None:
    """Nothing that one organisation's people open, or send, shows or changes the other's."""
    person: int = getattr(towns.one, who)
    browser = towns.pages.browser(person)
    token = tokens.make_token(towns.world.as_(person), "walk", read_only=False)
    ids = _ids(towns.other, towns.world)
    ids["evidence_id"] = ids["evidence"] = getattr(towns.other, which)
    before = towns.world.dump(without=("sessions", "person_tokens", "audit", "attempts"))
    for rule, method in routes(towns.pages):
        if rule.endpoint in ("auth.sign_out", "account.set_password", "account.sign_in_again"):
            continue
        path = path_of(rule, ids)
        with closing(send(browser, method, path, token)) as answer:
            shown = answer.text.casefold()
            # A page may say back what was asked for; it may not know more.
            shown = shown.replace(path.casefold(), "")
            where = f"{who}: {method} {path} -> {answer.status_code}"
            assert answer.status_code < 500, where
            assert "zennor-" not in shown, where
            assert "course zennor" not in shown, where
    after = towns.world.dump(without=("sessions", "person_tokens", "audit", "attempts"))
    for table, rows in before.items():
        lost = [row for row in rows if row not in after[table]]
        assert lost == [], table


def test_the_same_walk_does_show_ones_own(towns: Towns) -> None:
    """The walk can fail: with one's own numbers, pages do tell."""
    browser = towns.pages.browser(towns.other.learner)
    shown = [
        send(browser, "GET", path_of(rule, _ids(towns.other, towns.world))).text.casefold()
        for rule, method in routes(towns.pages)
        if method == "GET"
    ]
    assert any("course zennor" in text for text in shown)
