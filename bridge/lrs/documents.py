"""The document resources: states, agent profiles and activity profiles."""

from __future__ import annotations

from email.utils import format_datetime

import orjson
from flask import Response

from bridge.domain.lrs.documents import (
    Conflict,
    Kind,
    NotMergeable,
    Place,
    Precondition,
    Unconditional,
)
from bridge.domain.lrs.terms import ifi
from bridge.domain.records import from_epoch
from bridge.domain.xapi import Version
from bridge.lrs import values
from bridge.lrs.asked import Asked
from bridge.lrs.settings import EndpointSite
from bridge.lrs.wrong import Wrong
from bridge.services.lrs import documents

#: The parameter that names a document, by resource.
NAMES = {
    Kind.STATE: "stateId",
    Kind.AGENT_PROFILE: "profileId",
    Kind.ACTIVITY_PROFILE: "profileId",
}
_PLACED_BY = {
    Kind.STATE: ("activityId", "agent", "registration"),
    Kind.AGENT_PROFILE: ("agent",),
    Kind.ACTIVITY_PROFILE: ("activityId",),
}
_LONGEST_NAME = 2000


def handle(site: EndpointSite, asked: Asked, kind: Kind) -> Response:
    """Answer a request to one of the resources."""
    documents.may_use(asked.who)
    named = NAMES[kind]
    reads = asked.method in ("GET", "HEAD")
    values.only(asked, (*_PLACED_BY[kind], named, *(("since",) if reads else ())))
    place = _place(asked, kind)
    try:
        if reads:
            return _read(site, asked, place)
        if asked.method == "DELETE":
            return _delete(site, asked, place)
        return _write(site, asked, place)
    except (NotMergeable, Unconditional) as error:
        raise Wrong(400, str(error)) from None
    except Conflict as error:
        raise Wrong(409, str(error)) from None
    except Precondition as error:
        raise Wrong(412, str(error)) from None


def _place(asked: Asked, kind: Kind) -> Place:
    parts = _PLACED_BY[kind]
    activity = values.iri(asked, "activityId") if "activityId" in parts else ""
    agent = (ifi(values.agent(asked)) or "") if "agent" in parts else ""
    if "\0" in agent:
        raise Wrong(400, "Documents of the parameter 'agent' cannot be kept: there is a NUL in it.")
    registration = ""
    if "registration" in asked.parameters:
        registration = values.uuid(asked, "registration")
    return Place(asked.who.source_id, kind, activity, agent, registration)


def _name(asked: Asked, place: Place) -> str:
    name = values.needed(asked, NAMES[place.kind])
    if len(name) > _LONGEST_NAME or "\0" in name:
        raise Wrong(400, f"The parameter '{NAMES[place.kind]}' cannot be kept.")
    return name


def _read(site: EndpointSite, asked: Asked, place: Place) -> Response:
    since = values.instant(asked, "since")
    if NAMES[place.kind] not in asked.parameters:
        anywhere = "registration" not in asked.parameters
        found = documents.names(site.ctx, asked.who, place, since, any_registration=anywhere)
        names = list(dict.fromkeys(name for name, _ in found))
        answer = Response(orjson.dumps(names), content_type="application/json")
        if found:
            answer.headers["Last-Modified"] = _http_date(max(at for _, at in found))
        return answer
    document = documents.get(site.ctx, asked.who, place, _name(asked, place))
    if document is None:
        raise Wrong(404, "There is no such document.")
    headers = {"ETag": f'"{document.etag}"', "Last-Modified": _http_date(document.updated)}
    return Response(document.body, content_type=document.media_type, headers=headers)


def _delete(site: EndpointSite, asked: Asked, place: Place) -> Response:
    if place.kind is Kind.STATE and NAMES[place.kind] not in asked.parameters:
        anywhere = "registration" not in asked.parameters
        documents.clear(site.ctx, asked.who, place, any_registration=anywhere)
    else:
        documents.delete(site.ctx, asked.who, place, _name(asked, place), _condition(asked, place))
    return Response(status=204)


def _write(site: EndpointSite, asked: Asked, place: Place) -> Response:
    name = _name(asked, place)
    limit = site.limits.document
    body = asked.body("A document", limit, "largest_document_kilobytes")
    media_type = asked.header("Content-Type") or "application/octet-stream"
    if len(media_type) > 255 or not media_type.isprintable():
        raise Wrong(400, "The Content-Type of the document cannot be kept.")
    write = documents.put if asked.method == "PUT" else documents.post
    write(site.ctx, asked.who, place, (name, media_type, body), _condition(asked, place))
    return Response(status=204)


def _condition(asked: Asked, place: Place) -> documents.Condition:
    # 1.0.3 (part 3, section 3.1) asks for it of profiles, always; 2.0 (4.1.4) of states as well,
    # where there is a document.
    first, profile = asked.version is Version.V1, place.kind is not Kind.STATE
    return documents.Condition(
        asked.header("If-Match"),
        asked.header("If-None-Match"),
        careful=profile or not first,
        always=profile and first,
    )


def _http_date(microseconds: int) -> str:
    return format_datetime(from_epoch(microseconds // 1_000_000), usegmt=True)
