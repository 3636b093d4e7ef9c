"""Many values and many rows at once: one JSON list to read by, COPY or one statement to write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson
import psycopg
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Uuid,
    any_,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeEngine

from bridge.storage.types import UtcDateTime, to_sqlite

#: SQLite binds at most 32,766 values in a statement; this stays clear of it and reads well.
CHUNK = 10_000


T = TypeVar("T")


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """`items` in slices that one statement can carry."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def among(
    connection: Connection, wanted: ColumnElement[T], values: Collection[T]
) -> ColumnElement[bool]:
    """Whether `wanted` is one of `values` (numbers or texts), however many there are.

    They travel as one bound value, so the statement is the same for every page: SQLAlchemy
    compiles it once, and PostgreSQL plans it once. As JSON, because the driver takes four times
    as long to write an array.
    """
    listed = orjson.dumps(list(values)).decode()
    if connection.dialect.name == "postgresql":
        each: ColumnElement[Any] = func.json_array_elements_text(cast(literal(listed), JSON))
        if isinstance(wanted.type, Integer):
            each = cast(each, BigInteger)
        return wanted == any_(func.array(select(each).scalar_subquery()))
    return wanted.in_(select(func.json_each(listed).table_valued("value").c.value))


def one_of_found(
    connection: Connection,
    wanted: ColumnElement[T],
    found: Select[tuple[T]] | CompoundSelect[tuple[T]],
) -> ColumnElement[bool]:
    """Whether `wanted` is among what a query finds that finds few: it is asked first, once.

    As a plain IN, PostgreSQL's planner may rather go through the whole of the other tables.
    """
    if connection.dialect.name == "postgresql":
        return wanted == any_(func.array(found.scalar_subquery()))
    return wanted.in_(found)


def of_pairs(
    connection: Connection,
    names: tuple[ColumnElement[int], ColumnElement[int]],
    wanted: Collection[tuple[int, int]],
    columns: Sequence[ColumnElement[Any]],
) -> Select[Any]:
    """The `columns` of the rows whose two `names` are one of the `wanted` pairs; bound as above."""
    listed = orjson.dumps(list(wanted)).decode()
    first: ColumnElement[int]
    second: ColumnElement[int]
    if connection.dialect.name == "postgresql":
        pairs = func.json_array_elements(cast(literal(listed), JSON)).table_valued("value")
        first, second = (cast(pairs.c.value.op("->>")(at), BigInteger) for at in (0, 1))
        found = select(*columns).where(names[0] == first, names[1] == second)
        # Asked for each pair apart (OFFSET 0 keeps it so): as one join, the planner would rather
        # go through the whole table.
        each = found.offset(0).lateral()
        return select(each).select_from(pairs.join(each, true()))
    pairs = func.json_each(listed).table_valued("value")
    first, second = (func.json_extract(pairs.c.value, f"$[{at}]") for at in (0, 1))
    return select(*columns).where(names[0] == first, names[1] == second)


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert `rows`, whose values stand in the order of `columns`; best made as they are taken.

    Raises IntegrityError where a constraint or a guard says no.
    """
    # Straight to the driver: SQLAlchemy has no COPY, and would copy each row twice for SQLite.
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  a live connection has one
    insert = _copy if connection.dialect.name == "postgresql" else _execute_many
    try:
        insert(driver, table, columns, rows)
    except connection.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(f"insert into {table.name}", None, error) from error


#: How PostgreSQL calls column types. Written in their binary form, values cost it and us half of
#: what their text does. The first that fits holds; the values of a Uuid are each a `PlainUuid`.
_BINARY: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (UtcDateTime, "timestamptz"), (BigInteger, "int8"), (Integer, "int4"), (Float, "float8"),
    (Boolean, "bool"), (String, "text"), (LargeBinary, "bytea"), (Uuid, "uuid"), (Date, "date"),
)  # fmt: skip


@lru_cache(maxsize=100)
def _binary_types(table: Table, columns: tuple[str, ...]) -> list[int]:
    kinds = [table.c[name].type for name in columns]
    words = [next(word for of, word in _BINARY if isinstance(kind, of)) for kind in kinds]
    return [psycopg.adapters.types[word].oid for word in words]


class PlainUuid(NamedTuple):
    """A UUID as `insert_rows` takes it on PostgreSQL: all that the driver asks of a uuid.UUID."""

    int: int


def _copy(driver: Any, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    into = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(_binary_types(table, tuple(columns)))
        for row in rows:
            copy.write_row(row)


def _execute_many(
    driver: Any, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    moments = [i for i, name in enumerate(columns) if isinstance(table.c[name].type, UtcDateTime)]
    places = ", ".join("?" for _ in columns)
    driver.executemany(
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})",
        _with_text_moments(rows, moments) if moments else rows,
    )


def _with_text_moments(
    rows: Iterable[Sequence[Any]], moments: Sequence[int]
) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for at in moments:
            if values[at] is not None:
                values[at] = to_sqlite(values[at])
        yield values


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """`count` unused keys of a table, to be used in this transaction."""
    if not count:
        return ()
    if connection.dialect.name == "postgresql":
        query = f"SELECT nextval('{table.name}_id_seq') FROM generate_series(1, %s)"
        return connection.exec_driver_sql(query, (count,)).scalars().all()
    # SQLite has one writer, and this transaction is it.
    top = connection.info.setdefault("top_ids", {})
    if table.name not in top:
        query = f"SELECT coalesce(max(id), 0) FROM {table.name}"
        top[table.name] = connection.exec_driver_sql(query).scalar_one()
    first = top[table.name] + 1
    top[table.name] += count
    return range(first, first + count)
