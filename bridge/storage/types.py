"""Column types on which SQLite and PostgreSQL agree: aware UTC instants, JSON, big integers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, DateTime, Integer, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

#: A 64-bit key on both; SQLite gives row ids to INTEGER PRIMARY KEY alone.
Key = BigInteger().with_variant(Integer(), "sqlite")


def to_sqlite(moment: datetime) -> str:
    """Fixed-width UTC text, so that SQLite's text order is the order of time."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; the store takes aware datetimes only")
    return _utc_text(moment.astimezone(UTC))


# A page tells of few instants, each several times. Only UTC may be remembered: elsewhere two
# instants of the hour that autumn repeats are equal.
@lru_cache(maxsize=8192)
def _utc_text(utc: datetime) -> str:
    return utc.isoformat(" ", "microseconds")[:26]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. Raises ValueError for naive values (DESIGN 5.10)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(26))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the store takes aware datetimes only")
        return to_sqlite(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        moment: datetime = value
        return moment.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """JSON as text with sorted keys: small documents that are read whole and never queried."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)
