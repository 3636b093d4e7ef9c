"""What is wrong with a request: the status, in words, and where each error is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.domain.xapi import BadStatement


class Wrong(Exception):
    """The answer to a request that cannot be met. `more` stands in the answer's JSON besides."""

    def __init__(
        self,
        status: int,
        words: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})
        self.more = more


def bad_statement(error: BadStatement) -> Wrong:
    """A statement that is not valid: a JSON pointer, the rule and its section for each error."""
    problems = [
        {"pointer": p.pointer, "rule": p.rule, "section": p.section} for p in error.problems
    ]
    words = "Nothing was stored: what was sent is not valid xAPI."
    return Wrong(400, words, problems=problems, more_problems=error.more)


def too_large(what: str, limit: int, setting: str) -> Wrong:
    """More than may be sent at once."""
    return Wrong(
        413,
        f"{what} may be no larger than {limit:,} bytes ({setting} under [xapi] in bridge.toml). "
        "Send less at once.",
        limit={"setting": setting, "bytes": limit},
    )
