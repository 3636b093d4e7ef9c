"""Guesses from one answer how an API pages; what cannot be told from it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.domain.proposals import Choice, Question

#: The parameter that a token of this name goes back in.
_TOKENS = {
    "continuation": "continuation", "continuation_token": "continuation_token",
    "next_cursor": "cursor", "nextcursor": "cursor", "cursor": "cursor", "after": "after",
    "nextpagetoken": "pageToken", "next_page_token": "page_token", "next_token": "next_token",
    "nexttoken": "nextToken",
}  # fmt: skip
_MORE = frozenset({"has_more", "has_more_items", "hasmore", "has_next", "hasnext", "more",
                   "has_next_page", "hasnextpage"})  # fmt: skip
_LAST = frozenset({"total_pages", "totalpages", "last_page", "lastpage", "page_count", "pages",
                   "pagecount", "num_pages"})  # fmt: skip
_NEXT = frozenset({"next", "next_url", "next_page_url", "nextlink", "next_link", "@odata.nextlink",
                   "next_page"})  # fmt: skip
#: A list of fewer records than this is all there is.
FEW = 10
_ALL = Choice("none", "there are no others: this is all")


def paging_of(
    answer: Any, records: str, count: int, answers: Mapping[str, str], link_header: bool
) -> tuple[dict[str, Any], list[Question]]:
    """How the next page is found, and what is left open."""
    hints = dict(_hints(answer, "", records))
    if answers.get("paging") == "none":
        return {"kind": "none"}, []
    for path, key, value in hints.values():
        if key in _NEXT and (value is None or _is_address(value)):
            return {"kind": "link", "next": path}, []
        if key == "href" and ".next." in f".{path}.":
            return {"kind": "link", "next": path}, []
    if link_header:
        return {"kind": "header"}, []
    more = next((path for path, key, _ in hints.values() if key in _MORE), "")
    for path, key, _ in hints.values():
        if key in _TOKENS:
            paging = {"kind": "token", "param": _TOKENS[key], "next": path}
            return paging | ({"more": more} if more else {}), []
    last = next(
        (path for path, key, v in hints.values() if key in _LAST and isinstance(v, int)), ""
    )
    if last:
        return {"kind": "page", "param": answers.get("paging.param", "page"), "last": last}, []
    if any(key in ("offset", "skip", "start") for _, key, _ in hints.values()):
        name = next(key for _, key, _ in hints.values() if key in ("offset", "skip", "start"))
        return {"kind": "offset", "param": name} | ({"more": more} if more else {}), []
    if count < FEW and not more:
        return {"kind": "none"}, []
    return {"kind": "none"}, [Question(
        "paging", "How are further records asked for?",
        f"There are {count} in this answer, and nothing in it says whether there are others. If "
        "there are, save the profile and say so under request.paging.", (_ALL,),
    )]  # fmt: skip


def _hints(value: Any, path: str, records: str) -> Iterator[tuple[str, tuple[str, str, Any]]]:
    """Every single value around the records: its path, its key and itself."""
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        plain = key if key.isidentifier() else f'"{key}"'
        here = f"{path}.{plain}" if path else plain
        if here == records or isinstance(one, list):
            continue
        if isinstance(one, dict):
            yield from _hints(one, here, records)
        else:
            yield here, (here, str(key).casefold(), one)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and (value.startswith(("http://", "https://", "/", "?")))
