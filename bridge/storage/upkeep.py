"""What the database keeps up by itself, so that a page need not go through everything to know it.

`waiting` holds the claims that wait for a verifier, one row each, with the submission they wait by;
`ledger_counts` holds how many items each source gave and what became of them, as changes to be
summed. Triggers write both, whoever changes the tables they are drawn from. `rebuild` draws them
anew, for data that came in past the triggers; every migration that needs it calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from bridge.domain.records import Disposition

_WAIT = (
    "INSERT INTO waiting (claim_id, submission_id, evidence_id, verifier_id, submitted_at)"
    " SELECT NEW.claim_id, s.id, s.evidence_id, s.verifier_id, s.submitted_at FROM submissions s"
    " WHERE s.id = NEW.submission_id"
    " ON CONFLICT (claim_id) DO UPDATE SET submission_id = excluded.submission_id,"
    " verifier_id = excluded.verifier_id, submitted_at = excluded.submitted_at"
)
_NO_MORE = "DELETE FROM waiting WHERE claim_id = NEW.id"
#: On SQLite a row is counted by changing a number, on PostgreSQL by adding a row: two that take
#: items in at once would there wait for each other's number.
_CHANGE = "UPDATE ledger_counts SET n = n {sign} 1 WHERE source_id = {source} AND what = {what}"
_ADD = "INSERT INTO ledger_counts (source_id, what, n)"
_SOURCE = "(SELECT source_id FROM received WHERE id = {row}.received_id)"
_WHATS = ", ".join(f"('{what}')" for what in ("received", *Disposition))


@dataclass(frozen=True, slots=True)
class Upkeep:
    """`sqlite` and `postgresql` are what to do after `event` on each row of `table`.

    `each_statement` says that on PostgreSQL it is done once for all rows, which are `rows`. An
    empty text: nothing on that database.
    """

    name: str
    table: str
    event: str
    sqlite: str
    postgresql: str
    only_if: str | None = None
    each_statement: bool = False


def _change(row: str, sign: str, what: str, source: str | None = None) -> str:
    return _CHANGE.format(sign=sign, source=source or _SOURCE.format(row=row), what=what)


def _add(row: str, n: str, what: str, source: str | None = None) -> str:
    return f"{_ADD} VALUES ({source or _SOURCE.format(row=row)}, {what}, {n})"


UPKEEP: tuple[Upkeep, ...] = (
    Upkeep("upkeep_waiting_put", "submission_claims", "INSERT", _WAIT, _WAIT),
    Upkeep(
        "upkeep_waiting_over",
        "claims",
        "UPDATE OF state",
        _NO_MORE,
        _NO_MORE,
        only_if="OLD.state = 'submitted' AND NEW.state <> 'submitted'",
    ),
    Upkeep(
        "upkeep_ledger_source",
        "sources",
        "INSERT",
        "INSERT INTO ledger_counts (source_id, what, n) SELECT NEW.id, column1, 0"
        f" FROM (VALUES {_WHATS})",
        "",
    ),
    Upkeep(
        "upkeep_ledger_received",
        "received",
        "INSERT",
        _change("NEW", "+", "'received'", "NEW.source_id"),
        f"{_ADD} SELECT source_id, 'received', count(*) FROM rows GROUP BY source_id",
        each_statement=True,
    ),
    Upkeep(
        "upkeep_ledger_set_aside",
        "quarantine",
        "INSERT",
        _change("NEW", "+", "'quarantined'"),
        f"{_ADD} SELECT r.source_id, 'quarantined', count(*) FROM rows"
        " JOIN received r ON r.id = rows.received_id GROUP BY r.source_id",
        each_statement=True,
    ),
    Upkeep(
        "upkeep_ledger_released",
        "quarantine",
        "DELETE",
        _change("OLD", "-", "'quarantined'"),
        _add("OLD", "-1", "'quarantined'"),
    ),
    Upkeep(
        "upkeep_ledger_no_record",
        "no_records",
        "INSERT",
        _change("NEW", "+", "'not counting'"),
        f"{_ADD} SELECT r.source_id, 'not counting', count(*) FROM rows"
        " JOIN received r ON r.id = rows.received_id GROUP BY r.source_id",
        each_statement=True,
    ),
    Upkeep(
        "upkeep_ledger_record_after_all",
        "no_records",
        "DELETE",
        _change("OLD", "-", "'not counting'"),
        _add("OLD", "-1", "'not counting'"),
    ),
    Upkeep(
        "upkeep_ledger_decided",
        "learning_records",
        "INSERT",
        _change("NEW", "+", "NEW.disposition"),
        f"{_ADD} SELECT r.source_id, rows.disposition, count(*) FROM rows"
        " JOIN received r ON r.id = rows.received_id WHERE rows.ordinal = 0"
        " GROUP BY r.source_id, rows.disposition",
        only_if="NEW.ordinal = 0",
        each_statement=True,
    ),
    Upkeep(
        "upkeep_ledger_decided_again",
        "learning_records",
        "UPDATE OF disposition",
        f"{_change('NEW', '-', 'OLD.disposition')}; {_change('NEW', '+', 'NEW.disposition')}",
        f"{_add('NEW', '-1', 'OLD.disposition')}; {_add('NEW', '1', 'NEW.disposition')}",
        only_if="NEW.ordinal = 0 AND OLD.disposition <> NEW.disposition",
    ),
)
#: The tables that are written here.
WRITTEN = frozenset({"waiting", "ledger_counts"})


def _sqlite(upkeep: Upkeep) -> Iterator[str]:
    yield f"DROP TRIGGER IF EXISTS {upkeep.name}"
    if upkeep.sqlite:
        when = f" WHEN {upkeep.only_if}" if upkeep.only_if else ""
        yield (
            f"CREATE TRIGGER {upkeep.name} AFTER {upkeep.event} ON {upkeep.table} FOR EACH ROW"
            f"{when} BEGIN {upkeep.sqlite}; END"
        )


def _postgresql(upkeep: Upkeep) -> Iterator[str]:
    yield f"DROP TRIGGER IF EXISTS {upkeep.name} ON {upkeep.table}"
    if not upkeep.postgresql:
        return
    yield (
        f"CREATE OR REPLACE FUNCTION {upkeep.name}() RETURNS trigger LANGUAGE plpgsql AS $upkeep$"
        f" BEGIN {upkeep.postgresql}; RETURN NULL; END $upkeep$"
    )
    made = f"CREATE TRIGGER {upkeep.name} AFTER {upkeep.event} ON {upkeep.table}"
    if upkeep.each_statement:
        made += " REFERENCING NEW TABLE AS rows FOR EACH STATEMENT"
    else:
        made += " FOR EACH ROW" + (f" WHEN ({upkeep.only_if})" if upkeep.only_if else "")
    yield f"{made} EXECUTE FUNCTION {upkeep.name}()"


def standing(connection: Connection) -> list[Upkeep]:
    """What should be there on this database; nothing until a migration has brought its tables."""
    there = set(inspect(connection).get_table_names())
    if not there >= WRITTEN:
        return []
    here = connection.dialect.name
    return [each for each in UPKEEP if getattr(each, here) and each.table in there]


def install(connection: Connection) -> None:
    """(Re)create every trigger."""
    render = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    for upkeep in standing(connection):
        for statement in render(upkeep):
            connection.exec_driver_sql(statement)


def rebuild(connection: Connection) -> None:
    """Draw both tables anew from what they are drawn from, in this transaction."""
    connection.exec_driver_sql("DELETE FROM waiting")
    connection.exec_driver_sql(
        "INSERT INTO waiting (claim_id, submission_id, evidence_id, verifier_id, submitted_at)"
        " SELECT c.id, s.id, s.evidence_id, s.verifier_id, s.submitted_at FROM"
        " (SELECT claim_id, max(submission_id) AS latest FROM submission_claims"
        " GROUP BY claim_id) AS put"
        " JOIN claims c ON c.id = put.claim_id AND c.state = 'submitted'"
        " JOIN submissions s ON s.id = put.latest"
    )
    recount(connection)


_PARTS = {
    "received": "SELECT source_id, 'received' AS what, count(*) AS n FROM received"
    " GROUP BY source_id",
    "quarantine": "SELECT r.source_id, 'quarantined', count(*) FROM quarantine q"
    " JOIN received r ON r.id = q.received_id GROUP BY r.source_id",
    "no_records": "SELECT r.source_id, 'not counting', count(*) FROM no_records n"
    " JOIN received r ON r.id = n.received_id GROUP BY r.source_id",
    "learning_records": "SELECT r.source_id, l.disposition, count(*) FROM learning_records l"
    " JOIN received r ON r.id = l.received_id WHERE l.ordinal = 0"
    " GROUP BY r.source_id, l.disposition",
}


def _counted(connection: Connection) -> str:
    """The counts, drawn from the tables that this database has so far."""
    there = set(inspect(connection).get_table_names())
    parts = " UNION ALL ".join(part for table, part in _PARTS.items() if table in there)
    return f"SELECT source_id, what, sum(n) AS n FROM ({parts}) AS part GROUP BY source_id, what"


def recount(connection: Connection) -> None:
    """Draw the ledger's counts anew, in this transaction."""
    _alone(connection)
    counted = _counted(connection)
    if connection.dialect.name == "postgresql":
        # One statement sees one moment: what others commit during it is neither counted nor
        # taken away, and so is not counted twice.
        connection.exec_driver_sql(f"WITH old AS (DELETE FROM ledger_counts) {_ADD} {counted}")
        return
    connection.exec_driver_sql("UPDATE ledger_counts SET n = 0")
    connection.exec_driver_sql(
        f"{_ADD} SELECT s.id, w.column1, 0 FROM sources s CROSS JOIN (VALUES {_WHATS}) w"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_counts c"
        " WHERE c.source_id = s.id AND c.what = w.column1)"
    )
    connection.exec_driver_sql(
        "UPDATE ledger_counts SET n = counted.n"
        f" FROM ({counted}) AS counted"
        " WHERE counted.source_id = ledger_counts.source_id AND counted.what = ledger_counts.what"
    )


def sum_up(connection: Connection) -> None:
    """Let the changes of the ledger's counts be few rows again."""
    if connection.dialect.name == "postgresql":
        _alone(connection)
        connection.exec_driver_sql(
            "WITH old AS (DELETE FROM ledger_counts RETURNING source_id, what, n)"
            f" {_ADD} SELECT source_id, what, sum(n) FROM old GROUP BY source_id, what"
        )


def _alone(connection: Connection) -> None:
    """Two that sum up at once would each leave its sum: the second waits, and then looks."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ledger_counts'))")
