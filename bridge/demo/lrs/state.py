"""The statements that the stand-in LRS holds, and how it finds them again."""

from __future__ import annotations

import threading
import uuid
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from bridge.domain.xapi import Version, validate
from bridge.domain.xapi.content import content_key
from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.verbs import VOIDED

Json = dict[str, Any]


class Held(NamedTuple):
    """One statement as it is given out."""

    stored: datetime
    number: int
    happened: datetime
    id: str
    body: bytes
    content: str


class Conflict(Exception):
    """There is another statement of that id already."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for. `happened`: the times go by when things happened."""

    since: datetime | None = None
    until: datetime | None = None
    ascending: bool = False
    happened: bool = False


class Store:
    """Statements, each with the time at which it was stored. `clock` tells that time."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock or (lambda: datetime.now(UTC))
        self._held: list[Held] = []
        self._by_id: dict[str, Held] = {}
        self._voided: set[str] = set()
        self.lock = threading.RLock()

    def now(self) -> datetime:
        """Its clock."""
        return self._clock()

    def __len__(self) -> int:
        return len(self._held)

    def put(
        self,
        statement: Json,
        *,
        stored: datetime | None = None,
        authority: Json | None = None,
        version: str = "1.0.3",
    ) -> str:
        """Take a valid statement; its id. The same again changes nothing.

        Raises BadStatement, and Conflict where another statement has its id.
        """
        value = validate(orjson.dumps(statement), Version.of(version))
        with self.lock:
            key = str(value.get("id") or uuid.uuid4()).lower()
            content = content_key(value)
            known = self._by_id.get(key)
            if known is not None:
                if known.content != content:
                    raise Conflict(key)
                return key
            moment = stored or self.now()
            written = moment.astimezone(UTC).isoformat(timespec="milliseconds")
            given = {
                "timestamp": written.replace("+00:00", "Z"),
                "version": "2.0.0" if Version.of(version) is Version.V2 else "1.0.0",
                **value,
                "id": key,
                "stored": written.replace("+00:00", "Z"),
                "authority": authority
                or {"account": {"homePage": "https://lrs.example.org", "name": "sender"}},
            }
            self.put_raw(given, orjson.dumps(given))
        return key

    def put_raw(self, given: Json, body: bytes) -> None:
        """Hold these very bytes, whatever they are; `given` says what to find them by."""
        stored = read_instant(given["stored"], second=False)
        happened = read_instant(str(given.get("timestamp") or given["stored"]), second=False)
        assert stored is not None and happened is not None  # noqa: S101, PT018
        held = Held(stored, len(self._held), happened, given["id"].lower(), body,
                    content_key(given))  # fmt: skip
        with self.lock:
            insort(self._held, held)
            self._by_id[held.id] = held
            if given["verb"]["id"] == VOIDED:
                self._voided.add(given["object"]["id"].lower())

    def everything(self) -> list[Held]:
        """Every statement, voided or not, in the order of storing."""
        with self.lock:
            return list(self._held)

    def knows(self, key: str) -> bool:
        """Whether it has a statement of that id."""
        return key.lower() in self._by_id

    def one(self, key: str, *, voided: bool) -> bytes | None:
        """A statement by its id, among those that are voided or among the others."""
        held = self._by_id.get(key.lower())
        if held is None or self._is_voided(held) is not voided:
            return None
        return held.body

    def _is_voided(self, held: Held) -> bool:
        return held.id in self._voided and VOIDED.encode() not in held.body

    def found(self, question: Question) -> Sequence[Held]:
        """What is asked for, in its order; voided statements are not shown."""
        with self.lock:
            return list(self._found(question))

    def _found(self, question: Question) -> Iterator[Held]:
        rows: Sequence[Held] = self._held
        if question.happened:
            rows = sorted(rows, key=lambda h: (h.happened, h.number))
        elif question.since is not None:
            edge = question.since + timedelta(microseconds=1)
            rows = rows[bisect_left(rows, edge, key=lambda h: h.stored) :]
        for held in rows if question.ascending else reversed(rows):
            moment = held.happened if question.happened else held.stored
            if question.since is not None and moment <= question.since:
                continue
            if question.until is not None and moment > question.until:
                continue
            if not self._is_voided(held):
                yield held
