"""The statement resource: sending statements, and asking for them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import orjson
from flask import Response

from bridge.domain.errors import NotAllowed
from bridge.domain.lrs import presenting
from bridge.domain.lrs.senders import Scope
from bridge.domain.lrs.statements import AnotherStatement, Kept, Query
from bridge.domain.lrs.terms import (
    ACTIVITY,
    AGENT,
    REGISTRATION,
    RELATED_ACTIVITY,
    RELATED_AGENT,
    SOURCE,
    VERB,
    activities_in,
    ifi,
    term,
)
from bridge.domain.records import from_epoch
from bridge.domain.xapi import BadStatement, Valid, Version, validate_all
from bridge.lrs import attached, more, multipart, values
from bridge.lrs.asked import Asked
from bridge.lrs.settings import PREFIX, EndpointSite
from bridge.lrs.wrong import Wrong, bad_statement, too_large
from bridge.services.lrs import asking
from bridge.services.lrs.indexing import up_to_date
from bridge.services.lrs.receiving import Letter, receive

Json = dict[str, Any]
THROUGH = "X-Experience-API-Consistent-Through"
_FORMATS = ("exact", "ids", "canonical")
_OF_ONE = ("statementId", "voidedStatementId")
_FILTERS = ("agent", "verb", "activity", "registration", "related_activities", "related_agents",
            "since", "until", "limit", "ascending")  # fmt: skip
_SHAPE = ("format", "attachments")


# --- sending ----------------------------------------------------------------------------------
def put(site: EndpointSite, asked: Asked) -> Response:
    """Keep one statement under the id in the address: 204."""
    values.only(asked, ("statementId",))
    statement_id = values.uuid(asked, "statementId")
    _may_write(asked)
    statements, files = _brought(site, asked)
    if len(statements) != 1:
        raise Wrong(400, "PUT takes exactly one statement, not an array.")
    own = statements[0].value.get("id")
    if own is not None and own.lower() != statement_id:
        raise Wrong(400, "The statement's id is not the statementId of the address.")
    _receive(site, asked, Letter(statements, asked.version, site.home_page, files, statement_id))
    return Response(status=204)


def post(site: EndpointSite, asked: Asked) -> Response:
    """Keep one statement, or an array of them: 200, and their ids."""
    values.only(asked, ())
    _may_write(asked)
    statements, files = _brought(site, asked)
    ids = _receive(site, asked, Letter(statements, asked.version, site.home_page, files))
    return _json(orjson.dumps(ids))


def _may_write(asked: Asked) -> None:
    if not asked.who.may(Scope.WRITE):
        raise NotAllowed("This credential may not send statements.")


def _receive(site: EndpointSite, asked: Asked, letter: Letter) -> list[str]:
    if not letter.statements:
        return []
    try:
        return receive(site.ctx, asked.who, letter)
    except AnotherStatement as error:
        raise Wrong(409, str(error), statement=error.statement_id) from None


def _brought(site: EndpointSite, asked: Asked) -> tuple[list[Valid], Sequence[Any]]:
    """The statements of a request, judged, and the files beside them."""
    limits = site.limits
    kind = asked.media_type
    if kind == "application/json":
        body = asked.body("A request of statements", limits.body, "largest_megabytes")
        statements = _judged(body, asked.version, limits.statements)
        attached.without_parts(statements)
        return statements, ()
    if kind != "multipart/mixed":
        raise Wrong(
            400, "Statements are sent as application/json, or as multipart/mixed with files."
        )
    boundary = multipart.boundary_of(asked.header("Content-Type") or "")
    body = asked.body(
        "A request of statements and files", limits.multipart, "largest_files_megabytes"
    )
    parts = multipart.parts_of(body, boundary)
    if not parts:
        raise Wrong(400, "The multipart body has no parts.")
    first, *others = parts
    if first.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Wrong(400, "The first part must be the statements, as application/json.")
    if len(first.body) > limits.body:
        raise too_large("The part with the statements", limits.body, "largest_megabytes")
    statements = _judged(first.body, asked.version, limits.statements)
    return statements, attached.sorted_out(statements, others, asked.version)


def _judged(body: bytes, version: Version, most: int) -> list[Valid]:
    try:
        found: list[Valid] = []
        for valid in validate_all(body, version):
            if len(found) == most:
                raise Wrong(
                    413,
                    f"A request may bring {most:,} statements (largest_batch under [xapi] in "
                    "bridge.toml). Send fewer at once.",
                    limit={"setting": "largest_batch", "statements": most},
                )
            found.append(valid)
    except BadStatement as error:
        raise bad_statement(error) from None
    return found


# --- asking -----------------------------------------------------------------------------------
def get(site: EndpointSite, asked: Asked) -> Response:
    """One statement by its id, or a page of those that fit the filters."""
    asking.may_read(asked.who)
    try:
        answer = _get(site, asked)
    except Wrong as wrong:
        wrong.headers[THROUGH] = presenting.as_instant(up_to_date(site.ctx, 0))
        raise
    if THROUGH not in answer.headers:
        answer.headers[THROUGH] = presenting.as_instant(up_to_date(site.ctx, 0))
    return answer


def _get(site: EndpointSite, asked: Asked) -> Response:
    values.only(asked, (*_OF_ONE, *_FILTERS, *_SHAPE))
    shape = asked.parameters.get("format", "exact")
    if shape not in _FORMATS:
        raise Wrong(400, f"The parameter 'format' must be one of {', '.join(_FORMATS)}.")
    files = values.yes(asked, "attachments")
    named = [name for name in _OF_ONE if name in asked.parameters]
    if not named:
        return _page(site, asked, _query(site, asked), shape, files)
    if len(named) == 2 or any(name in asked.parameters for name in _FILTERS):
        raise Wrong(400, f"With '{named[0]}', only {' and '.join(_SHAPE)} may be asked for.")
    wanted = values.uuid(asked, named[0]).replace("-", "")
    kept = asking.one(site.ctx, asked.who, wanted, voided=named[0] == "voidedStatementId")
    if kept is None:
        raise Wrong(404, "There is no such statement.")
    (body,) = _shown(site, asked, [kept], shape)
    answer = _answer(site, asked, body, [kept], files)
    answer.headers["Last-Modified"] = format_datetime(_moment(kept.stored), usegmt=True)
    return answer


def further(site: EndpointSite, asked: Asked, token: str) -> Response:
    """A page after the first one."""
    values.only(asked, ())
    asking.may_read(asked.who)
    told = more.opened(site.key, asked.who.source_id, token)
    after = told["after"]
    query = Query(
        tuple(map(tuple, told["terms"])), told["since"], told["until"], told["ascending"],
        told["limit"], (after[0], after[1]),
    )  # fmt: skip
    return _page(site, asked, query, told["format"], told["attachments"])


def _query(site: EndpointSite, asked: Asked) -> Query:
    given = asked.parameters
    terms: list[tuple[int, ...]] = []
    agents_too = values.yes(asked, "related_agents")
    activities_too = values.yes(asked, "related_activities")
    if "registration" in given:
        terms.append((term(REGISTRATION, values.uuid(asked, "registration")),))
    if "agent" in given:
        terms.append(_of_agent(site, values.agent(asked), related=agents_too))
    if "activity" in given:
        known = values.iri(asked, "activity")
        kinds = (ACTIVITY, RELATED_ACTIVITY) if activities_too else (ACTIVITY,)
        terms.append(tuple(term(kind, known) for kind in kinds))
    if "verb" in given:
        terms.append((term(VERB, values.iri(asked, "verb")),))
    limit = values.number(asked, "limit") or site.limits.page
    return Query(
        tuple(terms),
        values.instant(asked, "since"),
        values.instant(asked, "until"),
        values.yes(asked, "ascending"),
        min(limit, site.limits.most_page),
    )


def _of_agent(site: EndpointSite, agent: Json, *, related: bool) -> tuple[int, ...]:
    known = ifi(agent) or ""
    if not related:
        return (term(AGENT, known),)
    kinds = [term(AGENT, known), term(RELATED_AGENT, known)]
    account = agent.get("account", {})
    if account.get("homePage") == site.home_page:
        # As the authority, it is that of a whole source.
        kinds += [
            term(SOURCE, str(each.source_id))
            for each in asking.senders_of(site.ctx, str(account["name"]))
        ]
    return tuple(kinds)


def _page(site: EndpointSite, asked: Asked, query: Query, shape: str, files: bool) -> Response:
    page = asking.find(site.ctx, asked.who, query)
    link = ""
    if page.more is not None:
        told = {
            "terms": query.terms, "since": query.since, "until": query.until,
            "ascending": query.ascending, "limit": query.limit, "after": page.more,
            "format": shape, "attachments": files,
        }  # fmt: skip
        link = f"{PREFIX}/statements/more/{more.sealed(site.key, asked.who.source_id, told)}"
    shown = _shown(site, asked, page.statements, shape)
    body = b'{"statements":[%b],"more":%b}' % (b",".join(shown), orjson.dumps(link))
    answer = _answer(site, asked, body, page.statements, files)
    answer.headers[THROUGH] = presenting.as_instant(page.through)
    newest = max((each.stored for each in page.statements), default=page.through)
    answer.headers["Last-Modified"] = format_datetime(_moment(newest), usegmt=True)
    return answer


def _shown(site: EndpointSite, asked: Asked, kept: Sequence[Kept], shape: str) -> list[bytes]:
    """Statements in the form that was asked for."""
    written = []
    for each in kept:
        about = orjson.loads(each.envelope)
        authority = orjson.dumps(about["authority"])
        statement_id = str(uuid.UUID(each.id))
        written.append(
            presenting.exact(
                each.body or b"{}", statement_id, each.stored, about["version"], authority
            )
        )
    if shape == "exact":
        return written
    statements = [orjson.loads(each) for each in written]
    if shape == "ids":
        return [orjson.dumps(presenting.as_ids(each)) for each in statements]
    named = {a["id"] for each in statements for a in activities_in(each)}
    known = asking.definitions(site.ctx, asked.who, named)
    languages = list(asked.request.accept_languages.values())
    return [orjson.dumps(presenting.canonical(s, known.get, languages)) for s in statements]


def _answer(
    site: EndpointSite, asked: Asked, body: bytes, kept: Sequence[Kept], files: bool
) -> Response:
    if not files:
        return _json(body)
    wanted = {
        str(one.get("sha2", "")).lower(): one.get("contentType", "application/octet-stream")
        for each in kept
        if b"attachments" in (each.body or b"")
        for one in attached.declared(orjson.loads(each.body or b"{}"))
    }
    found = asking.attachments(site.ctx, asked.who, wanted)
    kind, whole = multipart.written(body, ((one.sha2, wanted[one.sha2], one.body) for one in found))
    return Response(whole, content_type=kind)


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")


def _moment(microseconds: int) -> datetime:
    return from_epoch(microseconds // 1_000_000)
