"""Whose accounts could be: identifiers looked up, shared addresses seen, names as hints only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.bookings import ANOTHER_NAME, BOOKING_KIND, Holder, Namesake
from bridge.domain.continuity import another_holder
from bridge.domain.identity import (
    Identifier,
    IdentityRule,
    Match,
    Unmatched,
    identifiers_of,
    match,
    normal_email,
)
from bridge.domain.model import Account, SourceRow
from bridge.domain.names import may_be_one, several, surname_of, words_of
from bridge.domain.records import AccountFacts
from bridge.domain.repositories import UnitOfWork

RulesOf = Mapping[str, Sequence[IdentityRule]]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Who is known by what, and which addresses carry several names within their source."""

    people: Mapping[Identifier, frozenset[int]]
    shared: Mapping[str, Mapping[str, Sequence[str]]]
    holders: Mapping[str, Sequence[Holder]]

    def match(
        self, source: str, facts: AccountFacts, rules: Sequence[IdentityRule]
    ) -> Match | Unmatched:
        """The person of an account of that source, or why there is none."""
        return match(facts, rules, self.people, self.shared.get(source, {}))

    def names_another(
        self, source: str, facts: AccountFacts, rules: Sequence[IdentityRule], person: int
    ) -> bool:
        """Whether an account that is this person's says of itself what is known of another: by
        every rule, or by its staff number alone."""
        found = self.match(source, facts, rules)
        if isinstance(found, Match):
            return found.person != person
        numbers = identifiers_of(facts, [r for r in rules if r is IdentityRule.STAFF_NUMBER])
        owners = {p for i in numbers for p in self.people.get(i, ())}
        return bool(owners) and person not in owners

    def reasons(self, facts: AccountFacts, rules: Sequence[IdentityRule]) -> dict[int, str]:
        """Why each person comes into question for an account, in words."""
        found: dict[int, list[str]] = defaultdict(list)
        for identifier in identifiers_of(facts, rules):
            for person in self.people.get(identifier, ()):
                found[person].append(f"{identifier.kind} {identifier.value}")
        return {person: f"known by the same {' and '.join(w)}" for person, w in found.items()}

    def in_doubt(self, source: str) -> list[int]:
        """Accounts of that source that are somebody's by an address seen to be shared."""
        shared = self.shared.get(source, {})
        return [
            holder.account_id
            for holder in self.holders.get(source, ())
            if holder.address in shared and holder.rule == IdentityRule.VERIFIED_EMAIL
        ]


def look_up(
    uow: UnitOfWork,
    wanted: Mapping[str, Collection[AccountFacts]],
    rules_of: RulesOf,
    source_ids: Mapping[str, int] | None = None,
) -> LookUp:
    """Look up accounts by source; `source_ids` where they are known, to save a query."""
    identifiers = {
        i
        for key, all_ in wanted.items()
        for f in all_
        for i in identifiers_of(f, rules_of.get(key, ()))
    }
    holders: dict[str, Sequence[Holder]] = {}
    shared: dict[str, dict[str, Sequence[str]]] = {}
    for key, told in wanted.items():
        if IdentityRule.VERIFIED_EMAIL not in rules_of.get(key, ()):
            continue
        addresses = {a for f in told if (a := normal_email(f.email))}
        if not addresses:
            continue
        if source_ids is None:
            source_ids = {source.key: source.id for source in uow.ops.sources()}
        if key not in source_ids:
            continue
        holders[key] = uow.bookings.holders(source_ids[key], addresses)
        names: dict[str, list[str | None]] = defaultdict(list)
        for holder in holders[key]:
            names[holder.address].append(holder.name)
        shared[key] = {
            address: apart
            for address, found in names.items()
            if len(found) > 1 and (apart := several(found))
        }
    return LookUp(uow.people.by_identifiers(identifiers), shared, holders)


def flag_doubts(
    uow: UnitOfWork, joined: Mapping[int, Match], accounts: Sequence[Account], now: datetime
) -> None:
    """Flag what was just joined by an address where the booking names somebody else.

    A manager books with their own address for somebody of their team, and that is nobody's guess.
    """
    names = {
        a.id: words
        for a in accounts
        if a.id in joined
        and joined[a.id].rule is IdentityRule.VERIFIED_EMAIL
        and a.facts.kind == BOOKING_KIND
        and (words := a.facts.display_name)
    }
    if not names:
        return
    known = uow.standing.names({joined[account].person for account in names})
    other = [a for a, name in names.items() if not _alike(name, known[joined[a].person])]
    uow.bookings.doubt(other, ANOTHER_NAME, now)


def others(
    uow: UnitOfWork,
    source: SourceRow,
    known: Mapping[str, Account],
    told: Mapping[str, AccountFacts],
    rules: Sequence[IdentityRule],
) -> list[Account]:
    """Those of these known accounts that are somebody else's by what the source says of them now.

    Where the trusted rules name the very person whose it is, it is still theirs.
    """
    suspects = [
        account
        for value, account in known.items()
        if not told[value].deleted and another_holder(account.facts, told[value])
    ]
    if not suspects:
        return []
    facts = [told[account.facts.value] for account in suspects]
    found = look_up(uow, {source.key: facts}, {source.key: rules}, {source.key: source.id})
    apart = []
    for account, now in zip(suspects, facts, strict=True):
        who = found.match(source.key, now, rules)
        if account.person is None or not isinstance(who, Match) or who.person != account.person:
            apart.append(account)
    return apart


def _alike(one: str, other: str) -> bool:
    """Whether two names could be one person's; a single word is a part of a name."""
    short, long_ = sorted((words_of(one), words_of(other)), key=len)
    return may_be_one(one, other) or (len(short) == 1 and short[0] in long_)


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody who might be meant, and why; a person looks and decides."""

    person: int
    name: str
    reason: str


_HINTS = 3


def hints(uow: UnitOfWork, accounts: Sequence[AccountFacts]) -> list[tuple[Hint, ...]]:
    """For each account, people of a similar name: those of the same organisation first.

    Names are no proof and match nobody by themselves (DESIGN 5.9).
    """
    surnames = {s for facts in accounts if (s := surname_of(facts.display_name))}
    by_surname: dict[str, list[Namesake]] = defaultdict(list)
    for each in uow.bookings.namesakes(surnames):
        by_surname[surname_of(each.name)].append(each)
    return [_hints(facts, by_surname[surname_of(facts.display_name)]) for facts in accounts]


def _hints(facts: AccountFacts, people: Sequence[Namesake]) -> tuple[Hint, ...]:
    name = facts.display_name
    if not name or not words_of(name):
        return ()
    domain = (normal_email(facts.email) or "").rpartition("@")[2]
    told = []
    for each in people:
        if not may_be_one(name, each.name):
            continue
        same = sorted(words_of(name)) == sorted(words_of(each.name))
        together = bool(domain) and domain in each.domains
        reason = "the same name" if same else "a similar name"
        if together:
            reason += f" and an address at {domain}"
        if each.organisations:
            reason += f"; works at {each.organisations[0]}"
        told.append((not together, not same, each.person, Hint(each.person, each.name, reason)))
    return tuple(hint for *_, hint in sorted(told, key=lambda t: t[:3])[:_HINTS])
