"""The small resources: about, agents, activities."""

from __future__ import annotations

import orjson
from flask import Response

from bridge.lrs import values
from bridge.lrs.asked import Asked
from bridge.lrs.settings import EndpointSite
from bridge.services.lrs import asking

VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
_IFIS = ("mbox", "mbox_sha1sum", "openid", "account")


def about(site: EndpointSite, asked: Asked) -> Response:
    """Which versions we speak; anybody may ask."""
    values.only(asked, ())
    return _json({"version": VERSIONS, "extensions": {}})


def agents(site: EndpointSite, asked: Asked) -> Response:
    """What is known of an agent, as a Person: what was asked by, and nothing else.

    What else statements say of people is for whoever may read those.
    """
    values.only(asked, ("agent",))
    asking.may_read_anything(asked.who)
    agent = values.agent(asked)
    person: dict[str, object] = {"objectType": "Person"}
    person |= {name: [agent[name]] for name in ("name", *_IFIS) if name in agent}
    return _json(person)


def activities(site: EndpointSite, asked: Asked) -> Response:
    """An activity, with all that statements have said of it."""
    values.only(asked, ("activityId",))
    asking.may_read_anything(asked.who)
    iri = values.iri(asked, "activityId")
    known = asking.definitions_now(site.ctx, asked.who, iri)
    activity = {"objectType": "Activity", "id": iri}
    return _json(activity if known is None else {**activity, "definition": known})


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), content_type="application/json")
