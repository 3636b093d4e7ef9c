"""The floor: how fast the database takes in the very same rows when nobody thinks about them.

The final rows of an ingest are read back as they are stored, and put into another database with
the same tables, indexes, foreign keys and guards, in transactions of the same size: by COPY on
PostgreSQL, as the text the server itself wrote; by executemany on SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Table

from bridge.storage import tables as t
from bridge.storage import upkeep
from bridge.storage.engine import open_engine, read_only

#: These grow with the records; whatever else an ingest writes goes in with the first page.
_GROWING = frozenset({"received", "learning_records", "evidence", "evidence_records", "claims"})
#: How far before what refers to it a table's rows go in.
_AHEAD = {"received": 2, "learning_records": 2, "evidence": 1}


@dataclass(frozen=True, slots=True)
class Written:
    """What an ingest wrote into one table: rows for SQLite, lines of COPY for PostgreSQL."""

    table: Table
    columns: tuple[str, ...]
    rows: list[Any]

    def part(self, page: int, pages: int) -> list[Any]:
        """The rows of one transaction."""
        if self.table.name not in _GROWING:
            return self.rows if page == 0 else []
        return self.rows[self._mark(page, pages) : self._mark(page + 1, pages)]

    def _mark(self, page: int, pages: int) -> int:
        """Where a page begins. Not every record gives evidence, so what others refer to goes a
        little ahead of them."""
        count = len(self.rows)
        ahead = _AHEAD.get(self.table.name, 0) * (count // 50 + 30) if page else 0
        return min(count, page * count // pages + ahead)


def read_back(url: str, empty_url: str) -> list[Written]:
    """The rows of every table that is empty in the one database and not in the other, but for those
    that the database writes by itself."""
    before, after = open_engine(empty_url), open_engine(url)
    with read_only(before) as old, read_only(after) as new:
        written = [
            Written(table, tuple(table.columns.keys()), _rows(new, table))
            for table in t.metadata.sorted_tables
            if table.name not in upkeep.WRITTEN
            and _is_empty(old, table)
            and not _is_empty(new, table)
        ]
    before.dispose()
    after.dispose()
    return written


def _is_empty(connection: Connection, table: Table) -> bool:
    return connection.exec_driver_sql(f"SELECT 1 FROM {table.name} LIMIT 1").first() is None


def _rows(connection: Connection, table: Table) -> list[Any]:
    key = ", ".join(column.name for column in table.primary_key)
    query = f"SELECT {', '.join(table.columns.keys())} FROM {table.name} ORDER BY {key}"
    if connection.dialect.name == "sqlite":
        return _driver(connection).execute(query).fetchall()  # type: ignore[no-any-return]
    with _driver(connection).cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        return [bytes(line) for line in copy]


def insert_seconds(url: str, written: list[Written], pages: int) -> float:
    """How long it takes to put these rows into a database that lacks them."""
    engine = open_engine(url)
    parts = [[(one, one.part(page, pages)) for one in written] for page in range(pages)]
    with engine.connect() as connection:
        started = perf_counter()
        for part in parts:
            with connection.begin():
                for one, rows in part:
                    if rows:
                        _insert(connection, one, rows)
        seconds = perf_counter() - started
    engine.dispose()
    return seconds


def _insert(connection: Connection, one: Written, rows: list[Any]) -> None:
    names = ", ".join(one.columns)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in one.columns)
        _driver(connection).executemany(
            f"INSERT INTO {one.table.name} ({names}) VALUES ({places})",
            rows,
        )
        return
    with _driver(connection).cursor().copy(f"COPY {one.table.name} ({names}) FROM STDIN") as copy:
        copy.write(b"".join(rows))


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
