"""What a statement is known by that has no id: what it tells, whatever an LRS has put in since."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from bridge.domain.xapi.logstore import told_once

#: What an LRS adds or sets itself: it says nothing of what happened.
_SET_BY_LRS = ("id", "stored", "authority", "version")


def content_key(statement: dict[str, Any]) -> str:
    """The same for two statements that say the same."""
    told = {n: value for n, value in told_once(statement).items() if n not in _SET_BY_LRS}
    return key_of_content(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))


def key_of_content(content: bytes) -> str:
    """The key of what a statement tells, written as JSON with sorted keys."""
    return f"content:{hashlib.sha256(content).hexdigest()}"
