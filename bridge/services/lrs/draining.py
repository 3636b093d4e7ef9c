"""From received statements to records, each with its one disposition, and to drafts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
import orjson
import structlog

from bridge.domain.errors import Refused
from bridge.domain.lrs.readings import Reading, Readings
from bridge.domain.lrs.statements import Kept, Waiting, Work, hyphenated
from bridge.domain.model import SourceRow
from bridge.domain.ports import Finding
from bridge.domain.records import Disposition, NoRecord, Page, Pulled, Unreadable
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import STATEMENTS
from bridge.domain.xapi.reader import Reader
from bridge.domain.xapi.reading import ReadingRules
from bridge.services.context import Context
from bridge.services.drafting import RECONSIDER_AT_ONCE, SETTLING, reconsider
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import Mapped, load_mapped
from bridge.services.pull import Trusted, look_round
from bridge.services.statements import statement_key

_log = structlog.get_logger("bridge.lrs")
AT_ONCE = 4000
#: How often it is looked whether an LMS that statements name is known meanwhile.
LOOK_ROUND_EVERY = timedelta(minutes=15)
_OF_MEMBERS = NoRecord("told-of-members")


class _Read(NamedTuple):
    """A statement that was read: its row, what it tells under its own key, and what a group's tells
    of each member."""

    row: int
    envelope: bytes
    own: Pulled
    of_members: list[Pulled]


#: What the statements of some requests tell, by the requests' rows in the queue.
_Requests = dict[int, list[_Read]]


@dataclass
class _Taken:
    """What was taken in, of which sources, and what was read ahead meanwhile."""

    tally: Tally = field(default_factory=Tally)
    sources: dict[int, SourceRow] = field(default_factory=dict)
    ahead: Future[_Requests] | None = None


#: What a statement that the door let in, and that does not fit, ends in. That the database is away,
#: or busy, is none of it.
_UNFIT = (Refused, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass
class Drain:
    """Takes in what was received, a batch a transaction, in its order. One process at a time does:
    the lock is that of whoever drafts. While a batch is taken in, the next is read.
    """

    ctx: Context
    readings: Readings = field(default_factory=Readings)
    looked_round: dict[int, datetime] = field(default_factory=dict)
    _mapped: tuple[dict[str, str], Mapped] | None = None
    _readers: dict[str, Reader] = field(default_factory=dict)
    _all_looked_round: datetime | None = None

    def run(self, stop: Callable[[], bool] = lambda: False) -> Tally:
        """Take in everything that waits."""
        tally = Tally()
        sources: dict[int, SourceRow] = {}
        slowly = 0
        with ThreadPoolExecutor(1) as pool:
            ahead: Future[_Requests] | None = None
            while not stop():
                try:
                    taken = self._batch(1 if slowly else AT_ONCE, None if slowly else pool, ahead)
                except _UNFIT:
                    # One of them cannot be taken in. It is found, and holds up nothing else.
                    if slowly:
                        taken = self._alone()
                    else:
                        slowly, ahead = AT_ONCE, None
                        continue
                if taken is None:
                    break
                slowly = max(0, slowly - 1)
                tally.add(taken.tally)
                sources |= taken.sources
                ahead = taken.ahead
        for source in (sources | self._due()).values():
            self._look_round(source)
        return tally

    def _batch(
        self, limit: int, pool: ThreadPoolExecutor | None, ahead: Future[_Requests] | None
    ) -> _Taken | None:
        """Take in the first requests that wait; None where nothing does."""
        taken = _Taken()
        with self.ctx.store.begin() as uow:
            uow.ops.lock(SETTLING)
            waiting = uow.lrs.waiting(Work.DRAIN, limit)
            if not waiting:
                return None
            read = {} if ahead is None else ahead.result()
            read |= self._read(uow, [each for each in waiting if each.id not in read])
            if pool is not None:
                taken.ahead = pool.submit(self._read_ahead, waiting[-1].id)
            for source, each in _by_source(uow, waiting, read):
                taken.sources[source.id] = source
                taken.tally.add(self._take(uow, source, each))
            uow.lrs.done(waiting)
        return taken

    def _alone(self) -> _Taken | None:
        """Take in the first statement that waits; where that fails, it is set aside, whole."""
        try:
            return self._first(self._take)
        except _UNFIT as error:
            why = Unreadable(
                "cannot-be-taken", f"The statement cannot be taken in ({type(error).__name__})."
            )
            _log.error("a statement was set aside", why=type(error).__name__)

            def set_aside(uow: UnitOfWork, source: SourceRow, read: Sequence[_Read]) -> Tally:
                intake, _ = self._intake(uow, source)
                intake.hold(uow, [(each.row, why) for each in read])
                held = Counter[str]({Disposition.QUARANTINED: len(read)})
                return Tally(items=len(read), new=len(read), dispositions=held)

            return self._first(set_aside)

    def _first(
        self, take: Callable[[UnitOfWork, SourceRow, Sequence[_Read]], Tally]
    ) -> _Taken | None:
        taken = _Taken()
        with self.ctx.store.begin() as uow:
            uow.ops.lock(SETTLING)
            waiting = uow.lrs.waiting(Work.DRAIN, 1)
            if not waiting:
                return None
            alone = waiting[0]._replace(rows=waiting[0].rows[:1])
            for source, each in _by_source(uow, [alone], self._read(uow, [alone])):
                taken.sources[source.id] = source
                taken.tally.add(take(uow, source, each))
            uow.lrs.shorten(waiting[0])
        return taken

    def _due(self) -> dict[int, SourceRow]:
        """Every source that sends to us, once in a while.

        What an LMS knows may have become known since its last statement came, and no other come.
        """
        now = self.ctx.clock.now()
        if self._all_looked_round is not None and now - self._all_looked_round < LOOK_ROUND_EVERY:
            return {}
        self._all_looked_round = now
        with self.ctx.store.reading() as uow:
            keys = {each.source_key for each in uow.senders.all()}
            return {each.id: each for each in uow.ops.sources() if each.key in keys}

    def _read_ahead(self, after: int) -> _Requests:
        with self.ctx.store.reading() as uow:
            return self._read(uow, uow.lrs.coming(Work.DRAIN, after, AT_ONCE))

    def _read(self, uow: UnitOfWork, waiting: Sequence[Waiting]) -> _Requests:
        """Received statements never change, so it makes no difference when they are read."""
        keys = {source.id: source.key for source in uow.ops.sources()} if waiting else {}
        readers = {each.source_id: self._reader(keys[each.source_id]) for each in waiting}
        kept = {each.row: each for each in uow.lrs.rows([i for each in waiting for i in each.rows])}
        return {
            each.id: [
                _read_one(kept[row], readers[each.source_id]) for row in each.rows if row in kept
            ]
            for each in waiting
        }

    def _reader(self, key: str) -> Reader:
        rules = self.readings.of(key).rules
        known = self._readers.get(key)
        if known is None or known.rules != rules:
            known = self._readers[key] = Reader(rules)
        return known

    def _intake(self, uow: UnitOfWork, source: SourceRow) -> tuple[Intake, Reading]:
        in_force = uow.catalog.mapping_hashes()
        if self._mapped is None or self._mapped[0] != in_force:
            self._mapped = in_force, load_mapped(uow)
        reading = self.readings.of(source.key)
        mapped, now = self._mapped[1], self.ctx.clock.now()
        return Intake(source, reading.identity, mapped, self.ctx.policy, now), reading

    def _take(self, uow: UnitOfWork, source: SourceRow, read: Sequence[_Read]) -> Tally:
        intake, _ = self._intake(uow, source)
        members: dict[bytes, list[Pulled]] = {}
        for each in read:
            if each.of_members:
                members.setdefault(each.envelope, []).extend(each.of_members)
        tally = intake.take_stored(uow, [(each.row, each.own) for each in read])
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


def _by_source(
    uow: UnitOfWork, waiting: Sequence[Waiting], read: _Requests
) -> Iterator[tuple[SourceRow, list[_Read]]]:
    found: dict[int, list[_Read]] = {}
    for each in waiting:
        found.setdefault(each.source_id, []).extend(read[each.id])
    for source in uow.ops.sources():
        if source.id in found:
            yield source, found[source.id]


def _read_one(kept: Kept, reader: Reader) -> _Read:
    told = read(hyphenated(kept.id), kept.body or b"", kept.envelope, reader)
    return _Read(kept.row, kept.envelope, *told)


def read(key: str, body: bytes, envelope: bytes, reader: Reader) -> tuple[Pulled, list[Pulled]]:
    """What a statement tells, under its own key; and what a group's tells of each member."""
    try:
        items = reader.items_of(key, body, _stored(envelope))
    except (ValueError, TypeError, KeyError, AttributeError, msgspec.DecodeError) as error:
        # Whatever the door let in that the reading does not expect waits for a person.
        why = f"The statement cannot be read ({type(error).__name__})."
        return Pulled(key, body, Unreadable("cannot-be-read", why)), []
    if len(items) == 1 and items[0].natural_key == key:
        return items[0], []
    return Pulled(key, body, _OF_MEMBERS), items


@lru_cache(maxsize=1000)
def _stored(envelope: bytes) -> str | None:
    """When statements were stored that name no moment themselves."""
    told: str | None = orjson.loads(envelope).get("stored")
    return told


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
        own, of_members = read(statement_key(natural_key), body, envelope, Reader(self.rules))
        return next((each for each in of_members if each.natural_key == natural_key), own)

    def others(self, natural_key: str, body: bytes, envelope: bytes) -> list[Pulled]:
        """Of a group's statement, what it tells of its members."""
        if statement_key(natural_key) != natural_key:
            return []
        return read(natural_key, body, envelope, Reader(self.rules))[1]

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
