"""Whom and what a page of items names: accounts and activities, kept up to date and matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.domain.bookings import ANOTHER_HOLDER, POINTS_ELSEWHERE, SEVERAL_NAMES, Held
from bridge.domain.identity import IdentityRule, Match
from bridge.domain.model import Account, Alias, SourceRow
from bridge.domain.policy import Policy
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Precision,
    Pulled,
    Trainer,
)
from bridge.domain.repositories import UnitOfWork
from bridge.services.identities import flag_doubts, look_up, others
from bridge.services.mapped import Mapped
from bridge.services.rule_joins import settle_rule_joins


@dataclass(slots=True)
class Naming:
    """What `bridge.services.intake.Intake` knows of accounts and activities of its source.

    `rules` are the identity rules that this source is trusted with, `now` the instant of the run.
    `trainers` are those that this run has named so far, accounts by event; `joined` the names that
    rules were asked about. `_coarser`: the page in hand came by a way that is not shown everything.
    """

    source: SourceRow
    rules: Sequence[IdentityRule]
    mapped: Mapped
    policy: Policy
    now: datetime
    trainers: dict[Held, set[int]] = field(default_factory=dict)
    joined: set[Alias] = field(default_factory=set)
    _coarser: bool = False

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

    def _take_beside(self, uow: UnitOfWork, items: Sequence[Pulled]) -> None:
        """Take what these items say of their accounts, on top of what is known: a way that tells
        less leaves out what it does not see, and only a report, which tells minutes, sees
        suspensions.
        """
        told = {i.fact.account.value: i.fact for i in items if isinstance(i.fact, LearningFact)}
        facts = []
        for value, account in uow.intake.accounts(self.source.id, list(told)).items():
            now, before = told[value].account, account.facts
            suspended = now.suspended
            if told[value].precision is not Precision.MINUTE:
                suspended = suspended or before.suspended
            facts.append(
                replace(
                    before,
                    email=now.email or before.email,
                    staff_number=now.staff_number or before.staff_number,
                    username=now.username or before.username,
                    display_name=now.display_name or before.display_name,
                    suspended=suspended,
                    deleted=now.deleted,
                )
            )
        self._take_facts(uow, facts, ())

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
        wanted: dict[str, ActivityFacts] = {}
        for facts in told:
            known = wanted.get(facts.value)
            # What one item of a page leaves out another of it may have said.
            if known is not None and known != facts:
                facts = facts.after(known)
            wanted[facts.value] = facts
        found = uow.intake.aliases(self.source, wanted, self.now, coarser=self._coarser)
        new = [a for a in found.values() if a not in self.joined] if self.mapped.index.joins else []
        if new and settle_rule_joins(uow, self.mapped, new, self.now):
            found = uow.intake.aliases(self.source, wanted, self.now, coarser=self._coarser)
        self.joined.update(found[alias.facts.value] for alias in new)
        return found
