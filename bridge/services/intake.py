"""From a page of pulled items to stored records, each with its one disposition, in bulk."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from bridge.domain.model import (
    Account,
    Alias,
    NewQuarantine,
    NewReceived,
    NewRecord,
)
from bridge.domain.records import (
    Disposition,
    LearningFact,
    NoRecord,
    Page,
    Pulled,
    Status,
    Unreadable,
    cycle_of,
)
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import STATEMENTS
from bridge.domain.times import london_date
from bridge.domain.vanishing import Gone
from bridge.services.deciding import Decided, Standing, decide
from bridge.services.drafting import Candidate, file_evidence
from bridge.services.naming import Naming
from bridge.services.roads_in import dated_by_another_road, not_coarser, told_by_another_road
from bridge.services.statements import doubts_of, settle
from bridge.services.tally import Tally as Tally


@dataclass(slots=True)
class Intake(Naming):
    """Takes in the pages of one source. `now` is the instant of the run.

    Of the latest page, `told_before` are keys under which its items are stored already, as another
    road named them, and `held_back` says that sessions wait to be looked at with others. `reasons`
    say of stored items why the source holds them no more, where that was found out, and `explained`
    are those that were gone before, unexplained; `explains`: the source could be asked.
    """

    told_before: list[str] = field(default_factory=list)
    reasons: dict[int, Gone] = field(default_factory=dict)
    explained: set[int] = field(default_factory=set)
    explains: bool = False
    held_back: bool = False
    _beside: list[Pulled] = field(default_factory=list)

    def take(self, uow: UnitOfWork, page: Page) -> Tally:
        """Store a page. Everything is in place when the transaction commits, or nothing is."""
        tally, self.held_back = Tally(items=len(page.items)), False
        self._coarser = page.coarser
        fresh, changed = self._sort_out(uow, page, tally)
        if page.trainers:
            self._take_trainers(uow, page.trainers)
        if page.absent:
            tally.vanished = self._take_absent(uow, page)
        if page.accounts or page.activities:
            self._take_facts(uow, page.accounts, page.activities)
        if self._beside:
            self._take_beside(uow, self._beside)
        if not fresh and not changed:
            return tally
        envelope_id = uow.intake.envelope_id(page.envelope)
        both = (*fresh, *(item for item, _ in changed))
        facts = [item.fact for item in both if not isinstance(item.fact, Unreadable)]
        accounts = self._accounts(uow, [f.account for f in facts if f.account is not None])
        aliases = self._aliases(uow, [f.activity for f in facts if f.activity is not None])
        if fresh:
            self._add(uow, fresh, envelope_id, accounts, aliases, tally)
        if changed:
            self._change(uow, changed, envelope_id, accounts, aliases, tally)
        return tally

    def take_stored(self, uow: UnitOfWork, stored: Sequence[tuple[int, Pulled]]) -> Tally:
        """Take in new items whose bytes are stored already, as the rows of `received` given.

        Everything is in place when the transaction commits, or nothing is.
        """
        tally, self.held_back = Tally(items=len(stored), new=len(stored)), False
        facts = [item.fact for _, item in stored if not isinstance(item.fact, Unreadable)]
        accounts = self._accounts(uow, [f.account for f in facts if f.account is not None])
        aliases = self._aliases(uow, [f.activity for f in facts if f.activity is not None])
        self._decide(uow, stored, accounts, aliases, tally)
        return tally

    def _sort_out(
        self, uow: UnitOfWork, page: Page, tally: Tally
    ) -> tuple[list[Pulled], list[tuple[Pulled, int]]]:
        """Which items are new, and which say something else than before (with their ids)."""
        items = page.items
        by_key = {item.natural_key: item for item in items}
        known = uow.intake.known(self.source.id, list(by_key))
        unknown = [item for key, item in by_key.items() if key not in known]
        told = told_by_another_road(uow, self.source.id, unknown)
        if page.coarser:
            told |= dated_by_another_road(uow, self.source.id, unknown)
        self.told_before = [key for key in told.values() if key is not None]
        fresh: list[Pulled] = []
        changed: list[tuple[Pulled, int]] = []
        returned: list[int] = []
        for key, item in by_key.items():
            before = known.get(key)
            if before is None:
                if key not in told:
                    fresh.append(item)
                continue
            if before.gone:
                returned.append(before.id)
            if before.sha256 != hashlib.sha256(item.body).digest():
                changed.append((item, before.id))
        # What is said of an account counts also where nothing new is said of what it did.
        self._beside = [by_key[key] for key, each in known.items() if each.gone]
        if page.coarser and changed:
            kept = not_coarser(uow, changed, page.envelope)
            self._beside += [item for item, _ in set(changed).difference(kept)]
            changed = kept
        unchanged = [
            (item, known[key].id)
            for key, item in by_key.items()
            if key in known and isinstance(item.fact, LearningFact)
        ]
        if unchanged and self.source.kind == STATEMENTS:
            # What told of no learning does by now: another verb is known.
            silent = uow.statements.no_records_among({i for _, i in unchanged})
            listed = {i for _, i in changed}
            changed += [(item, i) for item, i in unchanged if i in silent - listed]
        if self.told_before:
            stored = uow.intake.known(self.source.id, self.told_before)
            returned += [before.id for before in stored.values() if before.gone]
        if returned:
            uow.intake.mark_returned(returned)
        tally.new, tally.changed, tally.returned = len(fresh), len(changed), len(returned)
        altered = {received_id for _, received_id in changed} | set(returned)
        tally.unchanged = len(items) - len(fresh) - len(altered)
        return fresh, changed

    def _take_absent(self, uow: UnitOfWork, page: Page) -> int:
        """What the source expressly says it holds no more, but for what this page shows."""
        shown = {item.natural_key for item in page.items}.union(self.told_before)
        under = uow.intake.keys_under(self.source.id, page.absent)
        gone = {row_id: key for row_id, key in under if key not in shown}
        self.see_own_reasons(uow, sorted(gone.items()))
        newer = {_stem_of(i.natural_key) for i in page.items if not _failed(i.fact)}
        newer |= {_stem_of(key) for key in self.told_before}
        self.reasons |= {i: Gone.RETAKEN for i, key in gone.items() if _stem_of(key) in newer}
        self.mark_gone(uow, sorted(gone))
        return len(gone)

    def see_own_reasons(self, uow: UnitOfWork, missing: Sequence[tuple[int, str]]) -> None:
        """Why these are gone, as far as what is stored by now tells: of some there is a newer time,
        and a source keeps only that; the number of others' account or activity is another's now."""
        gone = {row_id for row_id, _ in missing}
        stems = {f"{_stem_of(key)}:" for _, key in missing if ":" in key}
        under = [
            (i, key) for i, key in uow.intake.keys_under(self.source.id, stems) if i not in gone
        ]
        said = uow.intake.readings([row_id for row_id, _ in under])
        # A pass that became a fail was not done again: it was taken back.
        failed = {row_id for row_id, each in said.items() if each.status is Status.FAILED}
        there = {_stem_of(key) for row_id, key in under if row_id not in failed}
        self.reasons |= {i: Gone.RETAKEN for i, key in missing if _stem_of(key) in there}
        self.reasons |= {
            row_id: Gone.GIVEN_ANEW
            for row_id, each in uow.intake.happened(sorted(gone)).items()
            if Gone.GIVEN_ANEW.value in (each.account_gone, each.activity_gone)
        }

    def mark_gone(self, uow: UnitOfWork, gone: Sequence[int]) -> None:
        """These are gone, each for its reason; so are accounts and activities that were deleted."""
        by_reason: dict[Gone, list[int]] = defaultdict(list)
        for row_id in gone:
            by_reason[self.reasons.get(row_id, Gone.REVERSED)].append(row_id)
        for why, ids in by_reason.items():
            uow.intake.mark_gone(sorted(ids), self.now, why)
        deleted = uow.intake.happened(by_reason[Gone.ACCOUNT_DELETED]).values()
        uow.intake.mark_accounts_deleted({each.account_id for each in deleted}, self.now)
        courses = uow.intake.happened(by_reason[Gone.COURSE_DELETED]).values()
        uow.intake.mark_activities_gone({each.alias_id for each in courses}, self.now)

    def _add(
        self,
        uow: UnitOfWork,
        fresh: Sequence[Pulled],
        envelope_id: int,
        accounts: dict[str, Account],
        aliases: dict[str, Alias],
        tally: Tally,
    ) -> None:
        """Store new items, their records with a disposition each, and the drafts they give."""
        stored = list(zip(uow.intake.new_ids("received", len(fresh)), fresh, strict=True))
        uow.intake.add_received(
            [
                NewReceived(
                    received_id,
                    self.source.id,
                    item.natural_key,
                    hashlib.sha256(item.body).digest(),
                    item.body,
                    envelope_id,
                    self.now,
                )
                for received_id, item in stored
            ]
        )
        self._decide(uow, stored, accounts, aliases, tally)

    def _decide(
        self,
        uow: UnitOfWork,
        stored: Sequence[tuple[int, Pulled]],
        accounts: dict[str, Account],
        aliases: dict[str, Alias],
        tally: Tally,
    ) -> None:
        """Of new items that are stored: records, each with a disposition, and their drafts."""
        records: list[NewRecord] = []
        held: list[tuple[int, Unreadable]] = []
        candidates: list[Candidate] = []
        today = london_date(self.now)
        record_ids = iter(uow.intake.new_ids("learning_records", len(stored)))
        dispositions = tally.dispositions
        doubts = doubts_of(uow, self.source, [item for _, item in stored], accounts, aliases)
        no_records: list[tuple[int, str]] = []
        for received_id, item in stored:
            fact = item.fact
            if isinstance(fact, Unreadable):
                held.append((received_id, fact))
                dispositions[Disposition.QUARANTINED] += 1
                continue
            if isinstance(fact, NoRecord):
                no_records.append((received_id, fact.code))
                dispositions[Disposition.NOT_COUNTING] += 1
                continue
            account, alias = accounts[fact.account.value], aliases[fact.activity.value]
            standing = Standing.of(fact, account.person)
            decided = decide(self.mapped, alias, standing, today)
            record_id = next(record_ids)
            record = new_record(record_id, received_id, fact, account.id, alias.id, decided)
            if fact.booking is not None and self.mapped.decision(alias).needs_parts(
                fact.booking, standing.occurred_on
            ):
                # It counts only together with other sessions: `reconsider` looks at them all, a
                # moment from now and in this transaction.
                records.append(record._replace(pending=True))
                self.held_back = True
                continue
            if item.natural_key in doubts.keys:
                records.append(
                    record._replace(
                        pending=True,
                        disposition=Disposition.UNMATCHED.value,
                        reason="being-filed",
                    )
                )
                self.held_back = True
                continue
            records.append(record)
            dispositions[decided.disposition] += 1
            if decided.verdict is not None and account.person is not None:
                candidates.append(
                    Candidate(
                        record_id,
                        account.person,
                        alias,
                        fact.occurred_at,
                        standing.occurred_on,
                        decided.verdict,
                    )
                )
        self.hold(uow, held)
        uow.intake.add_records(records)
        if no_records:
            uow.statements.add_no_records(no_records)
        settle(uow, self.source, stored, accounts, aliases, doubts)
        tally.drafts, tally.claims = file_evidence(
            uow, self.mapped, candidates, self.now, self.policy
        )

    def hold(self, uow: UnitOfWork, held: Sequence[tuple[int, Unreadable]]) -> None:
        """Put received items into quarantine, whole, with their reasons."""
        if not held:
            return
        ids = uow.intake.new_ids("quarantine", len(held))
        uow.intake.add_quarantine(
            [
                NewQuarantine(row_id, received_id, why.code, why.message, self.now)
                for row_id, (received_id, why) in zip(ids, held, strict=True)
            ]
        )

    def _change(
        self,
        uow: UnitOfWork,
        changed: Sequence[tuple[Pulled, int]],
        envelope_id: int,
        accounts: dict[str, Account],
        aliases: dict[str, Alias],
        tally: Tally,
    ) -> None:
        """A source corrected itself: keep the old bytes, take the new facts, decide again later.

        Where that cannot be read, the record keeps its last good reading, and each run says so.
        """
        for item, received_id in changed:
            fact = item.fact
            if isinstance(fact, Unreadable) and not uow.intake.update_quarantine(received_id, fact):
                tally.unread.append(fact.message)
                tally.changed -= 1
                continue
            if isinstance(fact, NoRecord) and not self._no_record(uow, received_id, fact):
                # What was learning stays so: a statement is never changed, only voided.
                tally.changed -= 1
                continue
            uow.intake.replace_bytes(
                received_id, hashlib.sha256(item.body).digest(), item.body, envelope_id, self.now
            )
            if isinstance(fact, LearningFact):
                account, alias = accounts[fact.account.value], aliases[fact.activity.value]
                self.read_again(uow, received_id, fact, account, alias)
        items = [item for item, _ in changed]
        doubts = doubts_of(uow, self.source, items, accounts, aliases)
        settle(uow, self.source, [(i, item) for item, i in changed], accounts, aliases, doubts)

    def read_again(
        self, uow: UnitOfWork, received_id: int, fact: LearningFact, account: Account, alias: Alias
    ) -> None:
        """Bring the record of a received item into step with `fact`, releasing it from quarantine.

        The record is left pending: `reconsider` settles its disposition and its drafts.
        """
        standing = Standing.of(fact, account.person)
        decided = decide(self.mapped, alias, standing, london_date(self.now))
        if decided.disposition is Disposition.EVIDENCE:
            # It becomes evidence when it is filed, a moment from now and in this transaction.
            decided = Decided(Disposition.UNMATCHED, "being-filed", decided.rule_id)
        if uow.intake.release(received_id) or uow.statements.drop_no_record(received_id):
            (record_id,) = uow.intake.new_ids("learning_records", 1)
            record = new_record(record_id, received_id, fact, account.id, alias.id, decided)
            uow.intake.add_records([record._replace(pending=True)])
        else:
            if fact.booking is not None:
                uow.intake.mark_siblings(received_id)
            uow.intake.update_record(received_id, fact, account.id, alias.id)

    def replay(self, uow: UnitOfWork, received_id: int, item: Pulled) -> bool:
        """Try a quarantined item again; whether it could be read and placed this time."""
        if isinstance(item.fact, Unreadable):
            uow.intake.update_quarantine(received_id, item.fact)
            return False
        fact = item.fact
        accounts = self._accounts(uow, [fact.account] if fact.account else [])
        aliases = self._aliases(uow, [fact.activity] if fact.activity else [])
        if isinstance(fact, NoRecord):
            self._no_record(uow, received_id, fact)
        else:
            account, alias = accounts[fact.account.value], aliases[fact.activity.value]
            self.read_again(uow, received_id, fact, account, alias)
        doubts = doubts_of(uow, self.source, [item], accounts, aliases)
        settle(uow, self.source, [(received_id, item)], accounts, aliases, doubts)
        return True

    def _no_record(self, uow: UnitOfWork, received_id: int, fact: NoRecord) -> bool:
        """Let a received item be one that tells of no learning; False where it told of some."""
        if uow.intake.release(received_id):
            uow.statements.add_no_records([(received_id, fact.code)])
            return True
        return uow.statements.set_no_record(received_id, fact.code)


def _failed(fact: LearningFact | Unreadable | NoRecord) -> bool:
    return isinstance(fact, LearningFact) and fact.status is Status.FAILED


def _stem_of(key: str) -> str:
    """A natural key without its cycle: the same for every time that a thing was done."""
    return key.rpartition(":")[0]


def new_record(
    record_id: int,
    received_id: int,
    fact: LearningFact,
    account_id: int,
    alias_id: int,
    decided: Decided,
) -> NewRecord:
    """The row of a record that has been decided on."""
    booking = fact.booking
    told = () if booking is None else (booking.state and int(booking.state), *_BESIDE(booking))
    return NewRecord(
        record_id,
        received_id,
        0,
        account_id,
        alias_id,
        fact.status.value,
        fact.occurred_at,
        fact.precision.value,
        cycle_of(fact.occurred_at),
        fact.score,
        fact.attendance,
        decided.disposition.value,
        decided.reason,
        decided.rule_id,
        False,
        *told,
    )


_BESIDE = attrgetter("said", "minutes", "planned", "evaluated", "session", "sessions")
