"""Which pages there are, who opens each, and with which ids: every GET route of the application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.routing import Rule

from bridge.domain.permissions import MAY, Permission, Role
from bridge.web.access import permission_of
from bridge.web.practitioner.home import PILES
from tests.bench.partnership import BUSIEST, LMS_ADMIN, MANAGER, NEWCOMER, PARTNER, TRAINER

#: Signing in is left out by the measure; the others answer machines (statements have a bench of
#: their own), or need a secret that was sent to somebody.
_LEFT_OUT = frozenset({"auth", "oidc", "joining", "lti", "unsubscribe", "unsubscribing", "xapi"})
_LEFT_OUT_PAGES = frozenset(
    {"static", "bootstrap.static", "bench_floor", "manager.linked", "practitioner.file"}
)  # fmt: skip  uploads are off
#: What a route must be asked besides its own arguments.
_ASKED: Mapping[str, dict[str, str]] = {
    "api.counts_by_group": {"edition": "llr-2020", "code": "2"},
    "api.counts_by_kind": {"edition": "llr-2020", "code": "2"},
    "api.counts_by_organisation": {"edition": "llr-2020", "code": "2"},
}
_PEOPLE: Mapping[Role, tuple[int, ...]] = {
    Role.PRACTITIONER: (BUSIEST, NEWCOMER),
    Role.VERIFIER: (MANAGER,),
    Role.TRAINING_TEAM: (TRAINER,),
    Role.LMS_ADMIN: (LMS_ADMIN,),
    Role.PARTNERSHIP: (PARTNER,),
    Role.VISITOR: (BUSIEST,),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One page as one person opens it; `evidence` is what a verifier's link was for."""

    endpoint: str
    path: str
    person: int
    evidence: int | None = None


def visits(app: Flask, connection: Connection) -> tuple[list[Visit], list[str]]:
    """Every page, once for each sort of person who opens it, and each sort of thing on it.

    Second, the routes for which the bench knows no value: there should be none.
    """
    found: list[Visit] = []
    unknown: list[str] = []
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "GET" not in (rule.methods or ()) or rule.endpoint in _LEFT_OUT_PAGES:
            continue
        blueprint, _, _ = rule.endpoint.rpartition(".")
        if blueprint in _LEFT_OUT or "secret" in rule.arguments:
            continue
        permission = permission_of(app.view_functions[rule.endpoint])
        try:
            for person in _openers(permission):
                for values in _values(connection, rule, blueprint, person):
                    asked = values | _ASKED.get(rule.endpoint, {})
                    path = app.url_map.bind("").build(rule.endpoint, asked)
                    found.append(Visit(rule.endpoint, path, person))
        except KeyError as missing:
            unknown.append(f"{rule} ({missing})")
    # The first page of somebody who leads people tells them what waits.
    found.append(Visit("practitioner.home", "/evidence", MANAGER))
    evidence = _evidence_of(connection, BUSIEST, "submitted")
    if evidence is not None:
        found.append(Visit("manager.linked", "/verify/linked", MANAGER, evidence))
    return found, unknown


def _openers(permission: Permission | None) -> tuple[int, ...]:
    """Who opens pages with this permission; the first role that is good for it."""
    holders = MAY[permission] if permission else frozenset()
    return next((people for role, people in _PEOPLE.items() if role in holders), ())


def _one(connection: Connection, query: str, **values: Any) -> Any:
    return connection.execute(text(query), values).scalar()


def _evidence_of(connection: Connection, person: int, state: str) -> int | None:
    found: int | None = _one(
        connection,
        "SELECT max(e.id) FROM evidence e JOIN claims c ON c.evidence_id = e.id"
        " WHERE e.person_id = :person AND c.state = :state",
        person=person,
        state=state,
    )
    return found


def _values(
    connection: Connection, rule: Rule, blueprint: str, person: int
) -> Sequence[dict[str, Any]]:
    """The values of a route's arguments, for each sort of thing. Raises KeyError."""
    whose = person if blueprint in ("practitioner", "api") else BUSIEST
    if blueprint == "manager" and person == NEWCOMER:
        whose = person  # who leads nobody opens their own log alone
    sorts: list[dict[str, Any]] = [{}]
    if "evidence_id" in rule.arguments:
        states = ("suggested", "submitted", "returned", "verified")
        # A draft has no reflection to be read yet.
        written = rule.endpoint == "api.reflection"
        wanted = ("submitted",) if blueprint == "manager" else states[1:] if written else states
        ids = [_evidence_of(connection, whose, state) for state in wanted]
        sorts = [{"evidence_id": each} for each in ids if each is not None]
    elif "which" in rule.arguments:
        sorts = [{"which": which} for which in PILES]
    elif "kind" in rule.arguments:
        sorts = [{"kind": kind} for kind in ("manager", "post")]
    rest = rule.arguments - {"evidence_id", "which", "kind"}
    return [sort | {each: _value(connection, each, whose) for each in rest} for sort in sorts]


def _value(connection: Connection, argument: str, person: int) -> Any:
    queries = {
        "post_id": "SELECT max(id) FROM posts WHERE person_id = :person",
        "starts_on": "SELECT max(starts_on) FROM logs WHERE person_id = :person",
        "version_id": "SELECT max(id) FROM mapping_versions",
        "received_id": "SELECT max(received_id) FROM quarantine",
        "account_id": "SELECT max(id) FROM accounts",
        "activity_id": "SELECT max(id) FROM activities",
        "claim_id": "SELECT max(c.id) FROM claims c JOIN evidence e ON e.id = c.evidence_id"
        " WHERE e.person_id = :person",
        "award_id": "SELECT max(id) FROM awards",
        "state_id": "SELECT max(id) FROM target_states",
        "log_id": "SELECT max(id) FROM logs WHERE person_id = :person",
        "organisation": "SELECT key FROM organisations ORDER BY id LIMIT 1",
    }
    if argument in queries:
        return _one(connection, queries[argument], person=person) or 0
    fixed = {
        "person_id": person, "person": person, "edition": "llr-2020", "code": "2",
        "source": "moodle", "target": "moodle", "group": "frontline", "key": "org-1",
        "mapping": "programme", "subject": f"person:{person}",
    }  # fmt: skip
    return fixed[argument]
