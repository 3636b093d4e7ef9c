"""From a page of pulled items to stored records, each with its one disposition, in bulk."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter

from bridge.domain.bookings import ANOTHER_HOLDER, POINTS_ELSEWHERE, SEVERAL_NAMES, Held
from bridge.domain.identity import IdentityRule, Match
from bridge.domain.model import (
    Account,
    Alias,
    NewQuarantine,
    NewReceived,
    NewRecord,
    Reading,
    SourceRow,
)
from bridge.domain.policy import Policy
from bridge.domain.records import (
    UNDATED,
    AccountFacts,
    ActivityFacts,
    Disposition,
    LearningFact,
    NoRecord,
    Page,
    Precision,
    Pulled,
    Status,
    Trainer,
    Unreadable,
    cycle_of,
    neighbouring_cycles,
    same_cycle,
)
from bridge.domain.repositories import UnitOfWork
from bridge.domain.statements import STATEMENTS
from bridge.domain.times import london_date
from bridge.domain.vanishing import Gone
from bridge.services.deciding import Decided, Standing, decide
from bridge.services.drafting import Candidate, file_evidence
from bridge.services.identities import flag_doubts, look_up, others
from bridge.services.mapped import Mapped
from bridge.services.rule_joins import settle_rule_joins
from bridge.services.statements import doubts_of, settle
from bridge.services.tally import Tally as Tally


@dataclass(slots=True)
class Intake:
    """Takes in the pages of one source. `now` is the instant of the run.

    `rules` are the identity rules that this source is trusted with. Of the latest page,
    `told_before` are keys under which its items are stored already, as another road named them, and
    `held_back` says that sessions wait to be looked at with others. `trainers` are those that this
    run has named so far, accounts by event; `joined` the names that rules were asked about.
    `reasons` say of stored items why the source holds them no more, where that was found out, and
    `explained` are those that were gone before, unexplained; `explains`: the source could be asked.
    """

    source: SourceRow
    rules: Sequence[IdentityRule]
    mapped: Mapped
    policy: Policy
    now: datetime
    told_before: list[str] = field(default_factory=list)
    trainers: dict[Held, set[int]] = field(default_factory=dict)
    joined: set[Alias] = field(default_factory=set)
    reasons: dict[int, Gone] = field(default_factory=dict)
    explained: set[int] = field(default_factory=set)
    explains: bool = False
    held_back: bool = False

    def take(self, uow: UnitOfWork, page: Page) -> Tally:
        """Store a page. Everything is in place when the transaction commits, or nothing is."""
        tally, self.held_back = Tally(items=len(page.items)), False
        fresh, changed = self._sort_out(uow, page, tally)
        if page.trainers:
            self._take_trainers(uow, page.trainers)
        if page.absent:
            tally.vanished = self._take_absent(uow, page)
        if page.accounts or page.activities:
            self._take_facts(uow, page.accounts, page.activities)
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

    def _sort_out(
        self, uow: UnitOfWork, page: Page, tally: Tally
    ) -> tuple[list[Pulled], list[tuple[Pulled, int]]]:
        """Which items are new, and which say something else than before (with their ids)."""
        items = page.items
        by_key = {item.natural_key: item for item in items}
        known = uow.intake.known(self.source.id, list(by_key))
        unknown = [item for key, item in by_key.items() if key not in known]
        told = self._told_by_another_road(uow, unknown)
        if page.coarser:
            told |= self._dated_by_another_road(uow, unknown)
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
        if page.coarser and changed:
            changed = self._not_coarser(uow, changed, page.envelope)
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
        and a source keeps only that; the account of others is somebody else's."""
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
            if each.account_gone == Gone.GIVEN_ANEW.value
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

    def _told_by_another_road(
        self, uow: UnitOfWork, items: Sequence[Pulled]
    ) -> dict[str, str | None]:
        """Which keys tell what is told less than a minute apart under another key (DESIGN 5.1).

        The other key where that is stored, None where it is in the same page.
        """
        near: list[tuple[str, Pulled, datetime]] = []
        for item in items:
            if isinstance(item.fact, LearningFact):
                occurred_at = item.fact.occurred_at
                stem = item.natural_key.removesuffix(cycle_of(occurred_at))
                if stem != item.natural_key:
                    cycles = neighbouring_cycles(occurred_at)
                    near += [(stem + cycle, item, occurred_at) for cycle in cycles]
        if not near:
            return {}
        told = uow.intake.times_of(self.source.id, [key for key, _, _ in near])
        in_page = {
            i.natural_key: i.fact.occurred_at for i in items if isinstance(i.fact, LearningFact)
        }
        same: dict[str, str | None] = {}
        for key, item, occurred_at in near:
            stored = told.get(key)
            if stored is not None and same_cycle(stored, occurred_at):
                same[item.natural_key] = key
            elif key < item.natural_key and key not in same:
                other = in_page.get(key)
                if other is not None and same_cycle(other, occurred_at):
                    same[item.natural_key] = None
        return same

    def _dated_by_another_road(
        self, uow: UnitOfWork, items: Sequence[Pulled]
    ) -> dict[str, str | None]:
        """Which keys say without a date what is known with one."""
        stems = {
            item.natural_key.removesuffix(UNDATED): item.natural_key
            for item in items
            if isinstance(item.fact, Unreadable) and item.natural_key.endswith(UNDATED)
        }
        if not stems:
            return {}
        return {stems[s]: None for s in uow.intake.dated_under(self.source.id, list(stems))}

    def _not_coarser(
        self, uow: UnitOfWork, changed: Sequence[tuple[Pulled, int]], envelope: bytes
    ) -> list[tuple[Pulled, int]]:
        """Those that tell as much as what is stored, or something else altogether.

        Of the same status, a reading with a score stands before one without, and then the more
        precise one (DESIGN 5.1): a report's minutes never replace a plugin's seconds. What came
        by the same road may well say less than it did.
        """
        stored = uow.intake.readings([received_id for _, received_id in changed])
        same = uow.intake.envelope_id(envelope)
        return [
            (item, received_id)
            for item, received_id in changed
            if (before := stored.get(received_id)) is None
            or before.envelope_id == same
            or not _tells_less(item.fact, before)
        ]

    def _take_facts(
        self,
        uow: UnitOfWork,
        accounts: Sequence[AccountFacts],
        activities: Sequence[ActivityFacts],
    ) -> None:
        """Bring what is known already of these accounts and activities up to date."""
        known = uow.intake.accounts(self.source.id, [facts.value for facts in accounts])
        self._accounts(uow, [facts for facts in accounts if facts.value in known])
        names = uow.intake.known_activities(self.source.id, [facts.value for facts in activities])
        self._aliases(uow, [facts for facts in activities if facts.value in names])

    def _take_trainers(self, uow: UnitOfWork, told: Sequence[Trainer]) -> None:
        """Who trained at events: those named in this run so far, and nobody else any more."""
        accounts = self._accounts(uow, [each.account for each in told])
        aliases = self._aliases(uow, [each.activity for each in told])
        named = set()
        for each in told:
            named.add(event := (aliases[each.activity.value].id, each.on))
            self.trainers.setdefault(event, set()).add(accounts[each.account.value].id)
        uow.bookings.set_trainers({event: self.trainers[event] for event in named}, self.now)

    def _accounts(self, uow: UnitOfWork, told: Sequence[AccountFacts]) -> dict[str, Account]:
        """These accounts, by value; added, brought up to date and matched."""
        wanted = {facts.value: facts for facts in told}
        known = uow.intake.accounts(self.source.id, list(wanted))
        for value, facts in wanted.items():
            if facts.deleted and value in known:
                # Moodle mangles what it says of a deleted account; what was known stays.
                wanted[value] = replace(known[value].facts, deleted=True)
        for account in others(uow, self.source, known, wanted, self.rules):
            uow.intake.retire_account(account.id, self.now)
            uow.bookings.doubt([account.id] if account.person else [], ANOTHER_HOLDER, self.now)
            del known[account.facts.value]
        missing = [facts for value, facts in wanted.items() if value not in known]
        altered = [
            Account(known[value].id, facts, known[value].person)
            for value, facts in wanted.items()
            if value in known and known[value].facts != facts
        ]
        known |= {
            a.facts.value: a for a in uow.intake.add_accounts(self.source.id, missing, self.now)
        }
        if altered:
            uow.intake.update_accounts(altered, self.now)
            known |= {a.facts.value: a for a in altered}
        alone = [a for a in known.values() if a.person is None and not a.facts.deleted]
        return known | {a.facts.value: a for a in self.match_accounts(uow, alone, altered)}

    def match_accounts(
        self, uow: UnitOfWork, alone: Sequence[Account], altered: Sequence[Account] = ()
    ) -> list[Account]:
        """Join accounts to people where the trusted rules agree; those that were joined.

        An account that was joined by an address which is seen to be shared now, for one thing
        because `altered` ones name somebody else, stays as it is, flagged for the training team;
        and so does one that says of itself now what is known of somebody else.
        """
        if not (alone or altered) or not self.rules:
            return []
        key = self.source.key
        known = look_up(
            uow,
            {key: [a.facts for a in (*alone, *altered)]},
            {key: self.rules},
            {key: self.source.id},
        )
        parted = uow.people.parted([a.id for a in alone])
        parted |= uow.bookings.refused([a.id for a in alone])
        joined: dict[int, Match] = {}
        for account in alone:
            found = known.match(key, account.facts, self.rules)
            if isinstance(found, Match) and (account.id, found.person) not in parted:
                joined[account.id] = found
        uow.people.link_accounts(joined, self.now, "rule")
        flag_doubts(uow, joined, alone, self.now)
        uow.intake.mark_accounts(joined)
        elsewhere = [
            a.id
            for a in altered
            if a.person is not None and known.names_another(key, a.facts, self.rules, a.person)
        ]
        uow.bookings.doubt(elsewhere, POINTS_ELSEWHERE, self.now)
        if doubtful := known.in_doubt(key):
            uow.bookings.doubt(doubtful, SEVERAL_NAMES, self.now)
        return [Account(a.id, a.facts, joined[a.id].person) for a in alone if a.id in joined]

    def _aliases(self, uow: UnitOfWork, told: Sequence[ActivityFacts]) -> dict[str, Alias]:
        """The activities by these names; joined to others where a rule says so."""
        wanted = {facts.value: facts for facts in told}
        found = uow.intake.aliases(self.source, wanted, self.now)
        new = [a for a in found.values() if a not in self.joined] if self.mapped.index.joins else []
        if new and settle_rule_joins(uow, self.mapped, new, self.now):
            found = uow.intake.aliases(self.source, wanted, self.now)
        self.joined.update(found[alias.facts.value] for alias in new)
        return found

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
        received: list[NewReceived] = []
        records: list[NewRecord] = []
        held: list[tuple[int, Unreadable]] = []
        candidates: list[Candidate] = []
        today = london_date(self.now)
        received_ids = uow.intake.new_ids("received", len(fresh))
        record_ids = iter(uow.intake.new_ids("learning_records", len(fresh)))
        dispositions = tally.dispositions
        sha256 = hashlib.sha256
        doubts = doubts_of(uow, self.source, fresh, accounts, aliases)
        no_records: list[tuple[int, str]] = []
        for received_id, item in zip(received_ids, fresh, strict=True):
            received.append(
                NewReceived(
                    received_id,
                    self.source.id,
                    item.natural_key,
                    sha256(item.body).digest(),
                    item.body,
                    envelope_id,
                    self.now,
                )
            )
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
        uow.intake.add_received(received)
        self.hold(uow, held)
        uow.intake.add_records(records)
        if no_records:
            uow.statements.add_no_records(no_records)
        stored = list(zip(received_ids, fresh, strict=True))
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


_FINENESS = {Precision.DAY: 0, Precision.MINUTE: 1, Precision.SECOND: 2}


def _tells_less(fact: LearningFact | Unreadable | NoRecord, stored: Reading) -> bool:
    """Whether an item is a coarser reading of what is stored."""
    if not isinstance(fact, LearningFact) or fact.status is not stored.status:
        return False
    if (fact.score is None) is not (stored.score is None):
        return fact.score is None
    return _FINENESS[fact.precision] < _FINENESS[stored.precision]


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
