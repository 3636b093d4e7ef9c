"""pretix's webhooks, which are unsigned: the secret in the address admits, the body is a hint.

Never 410, on which pretix switches the webhook off for good; a wrong secret is a plain 404.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, NotFound

from bridge.domain import errors
from bridge.domain.permissions import Permission, permits
from bridge.services import inbox
from bridge.services.context import Context

NAME = "pretix_hook"
#: A notice is a few ids.
LARGEST = 32_000
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,49}")
_CODE = re.compile(r"[A-Za-z0-9]{1,16}")
#: Acts on an event, or a date of it, after which its orders may mean something else.
_EVENT = re.compile(r"pretix\.(event|subevent)\.(added|changed|canceled)")


def pretix_receiver(ctx: Context, sources: Collection[str]) -> Blueprint:
    """The routes for webhooks of these sources. `ctx` acts as the system."""
    receiver = Blueprint(NAME, __name__)

    @receiver.post("/hooks/pretix/<source>/<secret>")
    @permits(Permission.PUBLIC)
    def notice(source: str, secret: str) -> Response:
        """Note what the notice is about. 202, also for one that is known or says nothing."""
        if source not in sources:
            raise NotFound
        try:
            inbox.admit(ctx, source, secret)
        except errors.NotFound:
            raise NotFound from None
        # Read only once admitted, and no more than a notice can be long.
        request.max_content_length = LARGEST
        told = _told(request.get_data(cache=False))
        note = note_of(told)
        if note is not None:
            try:
                inbox.leave_note(ctx, source, str(told["notification_id"]), note)
            except errors.TooOften as error:
                # It tries again by itself.
                return Response(status=503, headers={"Retry-After": str(int(error.retry_after))})
        return Response(status=202)

    return receiver


def _told(body: bytes) -> dict[str, object]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("notification_id"), int):
        raise BadRequest("This is no notice as pretix sends them.")
    return told


def note_of(told: dict[str, object]) -> str | None:
    """What is to be read again after a notice; None where bookings are not touched by it."""
    slug, action = str(told.get("event") or ""), str(told.get("action") or "")
    if not _SLUG.fullmatch(slug):
        return None
    code = str(told.get("code") or "")
    if _CODE.fullmatch(code):
        return f"order:{slug}:{code.upper()}"
    if "waitinglist" in action:
        return f"waiting:{slug}"
    return f"event:{slug}" if _EVENT.match(action) else None
