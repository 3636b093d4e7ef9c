"""Statements of what was verified, as tincan makes them.

By the profile of the Total Learning Architecture (MOM, "verified"): the actor is who decided, the
object a competency, the learner stands in a context extension, and there is no result.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import tincan

from bridge.domain import telling
from bridge.domain.telling import Act, NewStatement
from bridge.domain.xapi import verbs

TLA = "https://w3id.org/xapi/tla"
VERIFIED = f"{TLA}/verbs/verified"
COMPETENCY = f"{TLA}/activity-types/competency"
LEARNER, EVIDENCE, CONFIDENCE = (
    f"{TLA}/extensions/{name}" for name in ("learner", "evidence", "confidence")
)
#: How sure a verification is that the competency is met, from -1 to 1: it says that it is.
SURE = 1


def statement_of(new: NewStatement) -> tincan.Statement:
    """What is sent. It is read alike in versions 1.0.x and 2.0, and names neither."""
    told: dict[str, Any] = {
        "id": new.id,
        "actor": agent_of(new.actor),
        "verb": _verb(new),
        "timestamp": new.decided_at,
        # tincan would write its own; the LRS puts in the version that it was sent by.
        "version": None,
    }
    if new.act is Act.VOIDED:
        return tincan.Statement(**told, object=tincan.StatementRef(id=new.about))
    return tincan.Statement(**told, object=_competency(new), context=_context(new))


def agent_of(who: telling.Agent) -> tincan.Agent:
    """Somebody, by account or address; no name of theirs goes along."""
    if who.email:
        return tincan.Agent(mbox=f"mailto:{who.email}")
    return tincan.Agent(account=tincan.AgentAccount(home_page=who.home, name=who.name))


def _verb(new: NewStatement) -> tincan.Verb:
    ids = {
        Act.VERIFIED: VERIFIED,
        Act.REVOKED: f"{new.home}/xapi/verbs/revoked",
        Act.VOIDED: verbs.VOIDED,
    }
    return tincan.Verb(id=ids[new.act], display=tincan.LanguageMap({"en": new.act.value}))


def _edition(new: NewStatement) -> str:
    return f"{new.home}/frameworks/{quote(new.edition, safe='')}"


def _competency(new: NewStatement) -> tincan.Activity:
    language = new.language
    return tincan.Activity(
        id=f"{_edition(new)}/competencies/{quote(new.code, safe='')}",
        definition=tincan.ActivityDefinition(
            type=COMPETENCY,
            name=tincan.LanguageMap({language: f"{new.framework} {new.code}"}),
            description=tincan.LanguageMap({language: new.text}),
        ),
    )


def _context(new: NewStatement) -> tincan.Context:
    extensions: dict[str, Any] = {
        LEARNER: {"objectType": "Agent", **_plain(new.learner)},
        EVIDENCE: [f"{new.home}/evidence/{new.evidence}"],
        f"{new.home}/xapi/extensions/framework": new.framework,
        f"{new.home}/xapi/extensions/edition": new.edition,
        f"{new.home}/xapi/extensions/evidence-date": new.occurred_on.isoformat(),
    }
    if new.method_key:
        extensions[f"{new.home}/xapi/extensions/method"] = {
            "key": new.method_key, "text": new.method,
        }  # fmt: skip
    if new.act is Act.VERIFIED:
        extensions[CONFIDENCE] = SURE
    statement = None if new.about is None else tincan.StatementRef(id=new.about)
    return tincan.Context(
        platform="Competency Bridge",
        language=new.language,
        statement=statement,
        context_activities=tincan.ContextActivities(
            grouping=[
                tincan.Activity(
                    id=_edition(new),
                    definition=tincan.ActivityDefinition(
                        name=tincan.LanguageMap({new.language: new.title})
                    ),
                )
            ]
        ),
        extensions=tincan.Extensions(extensions),
    )


def _plain(who: telling.Agent) -> dict[str, Any]:
    if who.email:
        return {"mbox": f"mailto:{who.email}"}
    return {"account": {"homePage": who.home, "name": who.name}}
