"""Which badges people hold in a Moodle: asked person by person, or read from a badges report."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bridge.connectors.moodle.cells import (
    AmbiguousDate,
    BadDate,
    badge_id,
    moment_of,
    text_of,
    user_id,
)
from bridge.connectors.moodle.client import UNREADABLE, MoodleClient
from bridge.connectors.moodle.reports import LIST, RETRIEVE, Retrieved, find_report
from bridge.connectors.moodle.rows import instant_of
from bridge.domain.errors import BadAnswer, PeerError

USER_BADGES = "core_badges_get_user_badges"
_HEADINGS = {
    "full name with link": "user",
    "full name with picture and link": "user",
    "name": "name",
    "name with link": "link",
    "date issued": "issued",
    "expiry date": "expires",
    "status": "status",
}
_decode = msgspec.json.Decoder(Retrieved).decode


@dataclass(frozen=True, slots=True)
class Issued:
    """One badge one person was issued, expired or not. `hash` opens its public page."""

    badge: int | None
    name: str
    hash: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None

    def is_badge(self, wanted: str) -> bool:
        """Whether this is the badge with that id or name."""
        if wanted.isdecimal() and self.badge is not None:
            return self.badge == int(wanted)
        return self.name.strip().casefold() == wanted.strip().casefold()


Holdings = Mapping[int, Sequence[Issued] | PeerError]


def held_by(client: MoodleClient, users: Sequence[int]) -> Holdings:
    """The badges of each user, or the error that asking ended in (a deleted user, for one).

    `status` and `visible` are not looked at: Moodle zeroes them for the service user.
    """
    wanted = list(dict.fromkeys(users))
    answers = client.call_many([(USER_BADGES, {"userid": user}) for user in wanted])
    held: dict[int, Sequence[Issued] | PeerError] = {}
    for user, answer in zip(wanted, answers, strict=True):
        held[user] = answer if isinstance(answer, PeerError) else _issued(client, answer)
    return held


def _issued(client: MoodleClient, answer: Any) -> list[Issued]:
    try:
        return [
            Issued(
                badge=int(one["id"]) if one.get("id") else None,
                name=html.unescape(one["name"]),
                hash=one.get("uniquehash") or None,
                issued_at=instant_of(int(one.get("dateissued") or 0)),
                expires_at=instant_of(int(one.get("dateexpire") or 0)),
            )
            for one in answer["badges"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise client.unreadable(USER_BADGES) from None


def all_issued(client: MoodleClient, report: int | str) -> Mapping[int, Sequence[Issued]] | None:
    """Every issued badge by user, from a report on the Badges datasource: one call per 1,000.

    None when the report cannot prove an absence: it is empty (as when a capability was lost), has
    conditions that leave badges out, or lacks the columns that tell who holds what.
    """
    settings = client.settings
    held: dict[int, list[Issued]] = {}
    zone = None if settings.timezone == "UTC" else ZoneInfo(settings.timezone)
    for columns, cells in _rows(client, report):
        if columns is None or "user" not in columns or not columns.keys() & {"name", "link"}:
            return None
        user = user_id(cells[columns["user"]] or "")
        if user is not None:
            held.setdefault(user, []).append(_from_row(cells, columns, zone))
    return held or None


@dataclass(frozen=True, slots=True)
class BadgeShown:
    """A badge that there is, whether anybody holds it or not. `available`: whether access is
    enabled, None where the report has no column "Status"."""

    id: int | None
    name: str
    available: bool | None


def badges_shown(client: MoodleClient, report: int | str) -> Mapping[str, BadgeShown] | None:
    """Every badge there is, by its name in small letters, from the same report; None as above."""
    found: dict[str, BadgeShown] = {}
    for columns, cells in _rows(client, report):
        if columns is None or not columns.keys() & {"name", "link"}:
            return None
        row = _from_row(cells, columns, None)
        status = text_of(cells[columns["status"]] or "").lower() if "status" in columns else ""
        available = status.startswith("available") if status else None
        found[row.name.strip().casefold()] = BadgeShown(row.badge, row.name, available)
    return found or None


def _rows(
    client: MoodleClient, report: int | str
) -> Iterator[tuple[Mapping[str, int] | None, Sequence[str | None]]]:
    """The rows of a badges report with their columns; None for those of one with conditions."""
    settings = client.settings
    if isinstance(report, int) or report.isdecimal():
        number = int(report)
    else:
        number = find_report(client, report, client.call(LIST, {"perpage": 1000}))
    page = seen = 0
    while True:
        answer = client.fetch(
            RETRIEVE, {"reportid": number, "page": page, "perpage": settings.page_size}
        )
        try:
            told = _decode(answer.body)
            rows = [msgspec.json.decode(row)["columns"] for row in told.data.rows]
        except (*UNREADABLE, KeyError, TypeError):
            raise client.unreadable(RETRIEVE) from None
        complete = told.details.conditiondata in (None, "", "[]", "{}")
        columns = _columns(told.data.headers) if complete else None
        for cells in rows:
            yield columns, cells
        seen += len(rows)
        if seen >= told.data.totalrowcount:
            return
        if len(rows) < settings.page_size:
            raise BadAnswer(
                f"{settings.key}: the badges report says it has {told.data.totalrowcount} rows and "
                f"gave {seen}. Nothing was concluded from it.",
                peer=settings.key,
            )
        page += 1


def _columns(headings: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, heading in enumerate(headings):
        role = _HEADINGS.get(text_of(heading).lower())
        if role is not None:
            columns.setdefault(role, position)
    return columns


def _from_row(
    cells: Sequence[str | None], columns: Mapping[str, int], zone: ZoneInfo | None
) -> Issued:
    def cell(role: str) -> str:
        return (cells[columns[role]] or "") if role in columns else ""

    return Issued(
        badge=badge_id(cell("link")),
        name=text_of(cell("name") or cell("link")),
        issued_at=_moment(cell("issued"), zone),
        expires_at=_moment(cell("expires"), zone),
    )


def _moment(cell: str, zone: ZoneInfo | None) -> datetime | None:
    """The date where it can be read; that the badge was issued does not hang on it."""
    try:
        return moment_of(cell, zone)
    except (BadDate, AmbiguousDate):
        return None
