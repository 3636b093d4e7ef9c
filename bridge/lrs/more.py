"""Links to further pages: what was asked for and where it stopped, sealed, so that nothing of it
can be read in an address or changed."""

from __future__ import annotations

import base64
import binascii
import secrets
import zlib
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.lrs.wrong import Wrong

_NONCE = 12
#: In bytes, unpacked; a filter by a group of many may be long.
_LONGEST = 200_000


def sealed(key: bytes, source_id: int, asked: dict[str, Any]) -> str:
    """A token for the rest of what a source asked for."""
    nonce = secrets.token_bytes(_NONCE)
    told = zlib.compress(orjson.dumps(asked))
    whole = nonce + AESGCM(key).encrypt(nonce, told, _bound_to(source_id))
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def opened(key: bytes, source_id: int, token: str) -> dict[str, Any]:
    """What was asked for. Raises Wrong for a token that is not ours, or another's."""
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        told = AESGCM(key).decrypt(whole[:_NONCE], whole[_NONCE:], _bound_to(source_id))
    except (ValueError, InvalidTag, binascii.Error):
        raise Wrong(404, "There is no such page. Ask again from the beginning.") from None
    found: dict[str, Any] = orjson.loads(zlib.decompressobj().decompress(told, _LONGEST))
    return found


def _bound_to(source_id: int) -> bytes:
    return f"xapi-more:{source_id}".encode()
