"""Pages of a list: an opaque, signed cursor that goes on where the last page ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from flask import request, url_for
from itsdangerous import BadData, URLSafeSerializer
from pydantic import Field

from bridge.domain.errors import NotFound
from bridge.web.access import site, visitor
from bridge.web.api.operations import Query

T = TypeVar("T")
#: How many are on a page, unless asked, and at the most.
USUAL, MOST = 50, 200


class Cursor(Query):
    """Where in a list to go on."""

    cursor: Annotated[
        str | None,
        Field(max_length=1000, description="From `next` of the page before; nothing else."),
    ] = None


class Paged(Cursor):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most.")] = USUAL


def _signer() -> URLSafeSerializer:
    # Bound to the list and its reader: nobody's cursor says anything about another's list.
    return URLSafeSerializer(site().key, salt=f"cursor:{request.endpoint}:{visitor().person}")


def position(query: Cursor) -> Any:
    """Where the page begins; None for the first. Raises NotFound for a cursor that is not ours."""
    if query.cursor is None:
        return None
    try:
        return _signer().loads(query.cursor)
    except BadData:
        raise NotFound(
            "There is no such page. Follow 'next' as it was given, or start without a cursor."
        ) from None


def next_url(query: Cursor, after: Any) -> str | None:
    """The address of the next page; None where `after` is."""
    if after is None:
        return None
    said = {k: v for k, v in query.model_dump(exclude_none=True).items() if k != "cursor"}
    values = {**(request.view_args or {}), **said, "cursor": _signer().dumps(after)}
    return site().settings.base_url + url_for(str(request.endpoint), **values)


def part(query: Paged, everything: Sequence[T], key: Any) -> tuple[list[T], str | None]:
    """A page of a list that is at hand whole, in ascending order of `key`, and the next one's
    address. What is added or goes between two pages neither doubles nor hides another."""
    began = position(query)
    rest = [one for one in everything if began is None or list(key(one)) > began]
    shown = rest[: query.limit]
    more = len(rest) > len(shown)
    return shown, next_url(query, list(key(shown[-1])) if more else None)
