"""From received statements to records, each with its one disposition, and to drafts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from bridge.domain.errors import Refused
from bridge.domain.lrs.readings import Reading, Readings
from bridge.domain.lrs.statements import Waiting, Work
from bridge.domain.model import SourceRow
from bridge.domain.ports import Finding
from bridge.domain.records import NoRecord, Page, Pulled, Unreadable
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.reading import ReadingRules, items_of
from bridge.services.context import Context
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, reconsider
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import Mapped, load_mapped
from bridge.services.pull import Trusted, look_round
from bridge.services.statements import statement_key

AT_ONCE = 1000
#: How often it is looked whether an LMS that statements name is known meanwhile.
LOOK_ROUND_EVERY = timedelta(minutes=15)
_OF_MEMBERS = NoRecord("told-of-members")


@dataclass
class Drain:
    """Takes in what was received, a batch a transaction. One process at a time drains: the lock is
    that of whoever drafts."""

    ctx: Context
    readings: Readings = field(default_factory=Readings)
    looked_round: dict[int, datetime] = field(default_factory=dict)
    _mapped: tuple[dict[str, str], Mapped] | None = None

    def run(self, stop: Callable[[], bool] = lambda: False) -> Tally:
        """Take in everything that waits."""
        tally = Tally()
        sources: dict[int, SourceRow] = {}
        while not stop():
            with self.ctx.store.begin() as uow:
                uow.ops.lock(SETTLING)
                waiting = uow.lrs.waiting(Work.DRAIN, AT_ONCE)
                if not waiting:
                    break
                for source, each in self._by_source(uow, waiting):
                    sources[source.id] = source
                    tally.add(self._take(uow, source, each))
                uow.lrs.done(waiting)
        for source in sources.values():
            self._look_round(source)
        return tally

    def _by_source(
        self, uow: UnitOfWork, waiting: Sequence[Waiting]
    ) -> list[tuple[SourceRow, list[int]]]:
        rows: dict[int, list[int]] = {}
        for each in waiting:
            rows.setdefault(each.source_id, []).extend(each.rows)
        known = {each.id: each for each in uow.ops.sources()}
        return [(known[source_id], each) for source_id, each in rows.items()]

    def _intake(self, uow: UnitOfWork, source: SourceRow) -> tuple[Intake, Reading]:
        in_force = uow.catalog.mapping_hashes()
        if self._mapped is None or self._mapped[0] != in_force:
            self._mapped = in_force, load_mapped(uow)
        reading = self.readings.of(source.key)
        mapped, now = self._mapped[1], self.ctx.clock.now()
        return Intake(source, reading.identity, mapped, self.ctx.policy, now), reading

    def _take(self, uow: UnitOfWork, source: SourceRow, rows: Sequence[int]) -> Tally:
        intake, reading = self._intake(uow, source)
        stored: list[tuple[int, Pulled]] = []
        members: dict[bytes, list[Pulled]] = {}
        for kept in uow.lrs.rows(rows):
            key = str(uuid.UUID(kept.id))
            own, of_members = read(key, kept.body or b"", kept.envelope, reading.rules)
            stored.append((kept.row, own))
            if of_members:
                members.setdefault(kept.envelope, []).extend(of_members)
        tally = intake.take_stored(uow, stored)
        for envelope, items in members.items():
            tally.add(intake.take(uow, Page(tuple(items), envelope)))
        # What waits for others, and what was taken back.
        while reconsider(uow, intake.mapped, intake.now, self.ctx.policy, RECONSIDER_AT_ONCE):
            pass
        return tally

    def _look_round(self, source: SourceRow) -> None:
        now = self.ctx.clock.now()
        before = self.looked_round.get(source.id)
        if before is not None and now - before < LOOK_ROUND_EVERY:
            return
        self.looked_round[source.id] = now
        with self.ctx.store.begin() as uow:
            intake, _ = self._intake(uow, source)
        look_round(self.ctx, self.readings.sites, intake)


def read(
    key: str, body: bytes, envelope: bytes, rules: ReadingRules
) -> tuple[Pulled, list[Pulled]]:
    """What a statement tells, under its own key; and what a group's tells of each member."""
    try:
        value = orjson.loads(body)
        if "timestamp" not in value:
            about = orjson.loads(envelope)
            value = {**value, "timestamp": about.get("stored")}
        items = items_of({**value, "id": key}, body, rules)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Whatever the door let in that the reading does not expect waits for a person.
        why = f"The statement cannot be read ({type(error).__name__})."
        return Pulled(key, body, Unreadable("cannot-be-read", why)), []
    if len(items) == 1 and items[0].natural_key == key:
        return items[0], []
    return Pulled(key, body, _OF_MEMBERS), items


@dataclass(frozen=True, slots=True)
class Received:
    """A source whose statements are sent to us. Implements `bridge.domain.ports.Source`."""

    key: str
    rules: ReadingRules

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Raises Refused: it is not asked, it sends."""
        raise Refused(f"{self.key} sends its statements to /xapi; there is nothing to pull.")

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """Read a statement again; of a group's, what it tells of the member that the key names."""
        own, of_members = read(statement_key(natural_key), body, envelope, self.rules)
        return next((each for each in of_members if each.natural_key == natural_key), own)

    def others(self, natural_key: str, body: bytes, envelope: bytes) -> list[Pulled]:
        """Of a group's statement, what it tells of its members."""
        if statement_key(natural_key) != natural_key:
            return []
        return read(natural_key, body, envelope, self.rules)[1]

    def doctor(self) -> list[Finding]:
        """Nothing that could be called."""
        return []


def received_source(ctx: Context, readings: Readings, key: str) -> Trusted | None:
    """A source that statements are received from, for reading them again; None if it is none."""
    with ctx.store.reading() as uow:
        sender = next((each for each in uow.senders.all() if each.source_key == key), None)
    if sender is None:
        return None
    reading = readings.of(key)
    return Trusted(Received(key, reading.rules), STATEMENTS, sender.trust.value, reading.identity)
