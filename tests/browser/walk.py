"""Finds every page that somebody can open, as people do: from the first page on, link by link."""

from __future__ import annotations

import html
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException

from bridge.domain.authority import Authority
from bridge.domain.claims import ClaimState
from bridge.domain.permissions import Permission, Role, may
from bridge.services import people, signin
from bridge.services.evidence import Item
from bridge.web.access import permission_of
from tests.browser.fill import cast_of, someone
from tests.browser.site import BridgeSite, Someone

#: Answers that are no pages: files, what machines read, and addresses that only lead on.
NO_PAGES = frozenset({"health.healthz", "health.readyz", "training.status", "public.start",
                      "lti.jwks", "lti.login", "oidc.begin", "oidc.back", "practitioner.file",
                      "partnership.counts_csv", "partnership.competency_csv"})  # fmt: skip
#: Pages that no link leads to: people come from a mail or another system, or are not signed in;
#: and what is in quarantine, which this site's Moodle gives no cause for.
FROM_ELSEWHERE = frozenset(
    {"auth.look_at_link", "auth.sign_in", "manager.linked", "lti.opened_by_hand",
     "lti.look_at_invite", "joining.show", "unsubscribe.ask", "oidc.show_join",
     "training.quarantined"}
)  # fmt: skip
#: Pages that everybody has: looked at in full with a practitioner's eyes, who has evidence, and
#: for the other roles by these two.
SHARED = frozenset({Permission.PUBLIC, Permission.ACCOUNT, Permission.OWN_EVIDENCE})
OF_THE_SHARED = frozenset({"practitioner.home", "account.show"})
#: So many pages of one kind are looked at.
EXAMPLES = 2


@dataclass(frozen=True)
class Eyes:
    """Whose eyes the pages are seen with; `more` are addresses that no link leads to."""

    name: str
    person: int | None
    roles: frozenset[Role]
    more: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


OUTSIDE = ("visitor", "practitioner", "long-names", "nothing-yet", "exempt", "verifier-by-link")
OFFICE = ("manager", "training-team", "lms-admin", "partnership")


def eyes_of(site: BridgeSite, name: str) -> Eyes:
    """The eyes of that name: one for each role, and more where people of a role differ."""
    own = {Role.PRACTITIONER}
    if name == "visitor":
        return Eyes(name, None, frozenset({Role.VISITOR}), _public(site))
    if name == "verifier-by-link":
        person, evidence = _linked(site)
        roles = frozenset({Role.LINKED_VERIFIER})
        return Eyes(name, person, roles, ("/verify/linked",), {"only_evidence": evidence})
    key, more = {
        "practitioner": ("many", own), "long-names": ("long", own), "nothing-yet": ("none", own),
        "exempt": ("pupil", own), "manager": ("big", own | {Role.VERIFIER}),
        "training-team": ("training", own | {Role.TRAINING_TEAM}),
        "lms-admin": ("admin", own | {Role.LMS_ADMIN}),
        "partnership": ("analyst", own | {Role.PARTNERSHIP}),
    }[name]  # fmt: skip
    who = someone(site, key)
    paths = _in_every_state(site, who) if name in ("practitioner", "long-names") else []
    if name == "manager":
        # Linked to once something is overdue with them.
        paths.append(f"/team/{someone(site, 'long').id}/deputies")
    if name == "training-team":
        # Linked to once more mails are stuck than one page shows.
        paths.append("/training/mails")
    return Eyes(name, who.id, frozenset(more), [*paths, "/nothing-is-here"])


def _public(site: BridgeSite) -> list[str]:
    who = site.person("Greta Guest")
    return ["/accessibility", "/sign-in", f"/link/{signin.invite(site.ctx, who.id)}",
            "/link/one-that-nobody-sent", "/lti/launch", "/lti/register/one-that-nobody-sent",
            "/join", "/unsubscribe/one-that-nobody-sent", "/nothing-is-here"]  # fmt: skip


def _in_every_state(site: BridgeSite, who: Someone) -> list[str]:
    items = site.items(who)
    found = [next(_in(items, state), None) for state in ClaimState]
    return [f"/evidence/{item.evidence.id}" for item in found if item is not None]


def _in(items: Sequence[Item], state: ClaimState) -> Iterator[Item]:
    return (item for item in items if any(claim.state is state for claim in item.claims))


def _linked(site: BridgeSite) -> tuple[int, int]:
    """Somebody without an account who was asked to verify, and what they were asked about."""
    if "linked" not in site.kept:
        who = site.person("Avery Assessor", moodle=False)
        people.approve(site.ctx, who.id, Authority.ASSESSOR)
        waiting = cast_of(site).waiting
        learner = Someone(waiting.id, waiting.name, "")
        item = next(_in(site.items(learner), ClaimState.SUGGESTED))
        site.submit(learner, item, who)
        site.kept["linked"] = (who.id, item.evidence.id)
    found: tuple[int, int] = site.kept["linked"]
    return found


def endpoint_of(site: BridgeSite, path: str) -> str:
    """The endpoint that answers at an address; nothing where none does."""
    try:
        return str(site.app.url_map.bind("127.0.0.1").match(urlsplit(path).path)[0])
    except HTTPException:
        return ""


def pages_for(site: BridgeSite, roles: frozenset[Role]) -> set[str]:
    """The endpoints that answer with a page to somebody with these roles."""
    found = set()
    for rule in site.app.url_map.iter_rules():
        name = rule.endpoint
        if "GET" not in (rule.methods or ()) or name in NO_PAGES or name.endswith("static"):
            continue
        permission = permission_of(site.app.view_functions[name])
        if name.startswith(("api.", "xapi.")) or _left_out(site, roles, name):
            continue
        if permission is not None and may(roles, permission):
            found.add(name)
    return found


def _left_out(site: BridgeSite, roles: frozenset[Role], endpoint: str) -> bool:
    permission = permission_of(site.app.view_functions[endpoint])
    return permission in SHARED and len(roles) > 1 and endpoint not in OF_THE_SHARED


def addresses(site: BridgeSite, eyes: Eyes) -> list[str]:
    """Every kind of page that these eyes come to, each by a few of its addresses."""
    client = site.app.test_client()
    if eyes.person is not None:
        client.set_cookie("bridge", site.session(eyes.person, eyes.data))
    found = list(eyes.more)
    kinds: Counter[tuple[str, ...]] = Counter()
    seen = {"/", *found}
    waiting = deque(["/", *found])
    while waiting:
        path = waiting.popleft()
        answer = client.get(path, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        if path not in found and path != "/":
            found.append(path)
        for link in re.findall(r'<a\b[^>]*\bhref="([^"#]+)', answer.text):
            to = html.unescape(link)
            parts = urlsplit(to)
            endpoint = endpoint_of(site, to)
            if parts.netloc or to in seen or not endpoint or endpoint in NO_PAGES:
                continue
            if endpoint.startswith("api.") or _left_out(site, eyes.roles, endpoint):
                continue
            asked = re.findall(r"(?:^|&)(\w+)=", parts.query)
            kind = (endpoint, *sorted(asked))
            kinds[kind] += 1
            if kinds[kind] > EXAMPLES:
                continue
            seen.add(to)
            waiting.append(to)
    return found
