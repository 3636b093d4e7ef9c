"""Rows into PostgreSQL as fast as it takes them: lines of COPY, gathered and sent in batches."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

_AT_ONCE = 20_000


def cell(value: Any) -> str:
    """A value as COPY's text format has it."""
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


class Copier:
    """Sends rows of many tables by one connection, which sees to what guards them itself."""

    def __init__(self, connection: Connection, columns: dict[str, tuple[str, ...]]) -> None:
        self._driver: Any = connection.connection.driver_connection
        self._columns = columns
        self._lines: dict[str, list[str]] = defaultdict(list)
        self.counts: dict[str, int] = defaultdict(int)

    def row(self, table: str, *values: Any) -> None:
        """One row, its values in the order of the table's columns."""
        self.line(table, "\t".join(map(cell, values)))

    def line(self, table: str, line: str) -> None:
        """One row as a ready line, without its end: for the largest tables."""
        lines = self._lines[table]
        lines.append(line)
        if len(lines) >= _AT_ONCE:
            self._send(table)

    def finish(self) -> None:
        """Send what is still here."""
        for table in list(self._lines):
            self._send(table)

    def _send(self, table: str) -> None:
        lines = self._lines.pop(table)
        columns = ", ".join(self._columns[table])
        with self._driver.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            copy.write("\n".join(lines) + "\n")
        self.counts[table] += len(lines)
