"""The Moodle plugin's webhooks, signed after the Standard Webhooks specification.

Who knows a secret of the source may leave a note, and nothing else: the changes themselves are then
read from Moodle. Checked here in a few lines, because the clock is ours and several secrets may
hold; the specification's own library signs in the tests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import orjson
import structlog
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable, Unauthorized

from bridge.domain import errors
from bridge.domain.permissions import Permission, permits
from bridge.services import inbox
from bridge.services.context import Context

_log = structlog.get_logger("bridge.web")
NAME = "moodle_hook"
#: A notice is a few numbers.
LARGEST = 8_000
#: As the specification has it: an older notice may be one that somebody recorded and plays again.
TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"
_MOST_SIGNATURES = 10
_LARGEST_ID = 2**53

#: The secrets of a source by its key, newest first, read anew at each notice.
Secrets = Mapping[str, Callable[[], Sequence[str]]]


def moodle_receiver(
    ctx: Context,
    known: Secrets,
    wake: Callable[[], None],
    site_of: Callable[[str], str] = lambda mark: "",
) -> Blueprint:
    """The route for webhooks of these sources. `ctx` acts as the system; `wake` is called when a
    note was left. `site_of` tells the plugin's own name of its Moodle from the mark of the last
    pull, so that a copy of that Moodle learns from a ping that it is another."""
    receiver = Blueprint(NAME, __name__)

    @receiver.post("/hooks/moodle/<source>")
    @permits(Permission.PUBLIC)
    def notice(source: str) -> Response:
        """Note which changes the notice is about (202), or answer a ping (200)."""
        if source not in known:
            raise NotFound
        # No more is read than a notice can be long.
        request.max_content_length = LARGEST
        body = request.get_data(cache=False)
        number = request.headers.get("webhook-id", "")
        try:
            keys = [key_of(secret) for secret in known[source]()]
        except (ValueError, errors.BridgeError) as error:
            # What is wrong is for the log: whoever asks here has shown no secret yet.
            _log.error("webhook cannot be checked", source=source, why=str(error))
            raise ServiceUnavailable from None
        if not number or not _recent(ctx) or not _signed(keys, number, body):
            raise Unauthorized("The signature is missing, wrong or too old.")
        told = _told(body)
        if told["kind"] == "ping":
            return jsonify(ok=True, source=source, site=site_of(inbox.mark_of(ctx, source)))
        try:
            inbox.leave_note(ctx, source, number, f"changes:{told['first']}-{told['last']}")
        except errors.TooOften as error:
            # Moodle tries again by itself.
            return Response(status=503, headers={"Retry-After": str(int(error.retry_after))})
        wake()
        return Response(status=202)

    return receiver


def new_secret() -> str:
    """A secret as the specification has it, of 32 random bytes."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def key_of(secret: str) -> bytes:
    """The key in a secret ("whsec_" and base64). Raises ValueError for anything else."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "the secret of its webhook is none: it is whsec_ and 24 to 64 bytes in base64"
        )
    return key


def _recent(ctx: Context) -> bool:
    said = request.headers.get("webhook-timestamp", "")
    if not said.isascii() or not said.isdecimal() or len(said) > 12:
        return False
    return abs(ctx.clock.now().timestamp() - int(said)) <= TOLERANCE.total_seconds()


def _signed(keys: Sequence[bytes], number: str, body: bytes) -> bool:
    """Whether one of the signatures is by one of the keys; each is compared in constant time."""
    moment = request.headers.get("webhook-timestamp", "")
    given = request.headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
    content = f"{number}.{moment}.".encode() + body
    right = False
    for key in keys:
        mac = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
        for each in given:
            version, _, signature = each.partition(",")
            if version == "v1":
                right |= hmac.compare_digest(mac, signature.encode())
    return right


def _told(body: bytes) -> dict[str, object]:
    """What a notice says. Raises BadRequest for what is none."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if isinstance(told, dict):
        if told.get("kind") == "ping":
            return told
        first, last = told.get("first"), told.get("last")
        if (
            told.get("kind") == "changes"
            and type(first) is int
            and type(last) is int
            and 0 < first <= last < _LARGEST_ID
        ):
            return told
    raise BadRequest("This is no notice as the bridge's plugin for Moodle sends them.")
