"""Goes through the pages of a JSON API, by links, numbers or tokens, at one origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin

import jmespath
import orjson
from requests.utils import parse_header_links

from bridge.connectors.booking.rest.profile import Paging
from bridge.connectors.booking.web import Answer, JsonClient

#: An API that gives more pages than this is going round in circles.
MOST_PAGES = 100_000
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Got:
    """One page of records, and when it was sent by the peer's own clock."""

    records: list[Record]
    sent_at: datetime | None


def pages(
    client: JsonClient, url: str, query: Mapping[str, str], paging: Paging, records: str
) -> Iterator[Got]:
    """Every page. Raises PeerError, and BadAnswer for what has not the shape that is described."""
    asked: dict[str, str] | None = dict(query)
    number = paging.first if paging.kind == "page" else 0
    if asked is not None and paging.size_param:
        asked[paging.size_param] = str(paging.size)
    before = b""
    for _ in range(MOST_PAGES):
        if asked is not None and paging.kind in ("page", "offset"):
            asked[paging.param] = str(number)
        answer = client.get(url, asked)
        found = records_in(client, answer.value, records)
        digest = blake2b(_written(client, found)).digest()
        if found and digest == before:
            raise client.bad("the same page came twice; look at paging in the profile")
        before = digest
        yield Got(found, answer.sent_at)
        if paging.kind == "none" or not found or _says_no(paging, answer):
            return
        if paging.kind in ("link", "header"):
            following = _link(paging, answer)
            if not following:
                return
            url, asked = urljoin(answer.url, following), None
        elif paging.kind == "token":
            token = jmespath.search(paging.next, answer.value)
            if token in (None, ""):
                return
            asked = {**query, paging.param: str(token)}
            if paging.size_param:
                asked[paging.size_param] = str(paging.size)
        else:
            if _is_last(client, paging, answer, number, len(found)):
                return
            number += 1 if paging.kind == "page" else len(found)
    raise client.bad(f"there are more than {MOST_PAGES:,} pages; look at paging in the profile")


def _written(client: JsonClient, found: list[Record]) -> bytes:
    try:
        return orjson.dumps(found)
    except orjson.JSONEncodeError:
        raise client.bad("its records are nested deeper than can be read") from None


def records_in(client: JsonClient, value: Any, path: str) -> list[Record]:
    """The records in an answer. Raises BadAnswer where there is no list of them."""
    found = jmespath.search(path, value)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise client.bad(f"there is no list of records at {path}; look at records in the profile")
    return found


def _says_no(paging: Paging, answer: Answer) -> bool:
    return bool(paging.more) and not jmespath.search(paging.more, answer.value)


def _link(paging: Paging, answer: Answer) -> str:
    if paging.kind == "link":
        return str(jmespath.search(paging.next, answer.value) or "")
    links = parse_header_links(answer.headers.get("Link", ""))
    return next((str(link["url"]) for link in links if link.get("rel") == "next"), "")


def _is_last(client: JsonClient, paging: Paging, answer: Answer, number: int, count: int) -> bool:
    if paging.last:
        last = jmespath.search(paging.last, answer.value)
        if not isinstance(last, int):
            raise client.bad(f"there is no number at {paging.last}; look at paging in the profile")
        return number >= last
    return bool(paging.size) and count < paging.size and not paging.more
