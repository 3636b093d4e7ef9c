"""People: merges and splits that can be undone, accounts joined by hand, tokens, approvals."""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.authority import Authority
from bridge.domain.bookings import SEVERAL_PEOPLE
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.identity import IdentityRule, Match, Unmatched
from bridge.domain.lists import ListPage
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Account, Person
from bridge.domain.records import AccountFacts
from bridge.domain.repositories import UnitOfWork
from bridge.domain.times import london_date
from bridge.services.context import PERSONS, Context, acting_person, audit, training_team_only
from bridge.services.drafting import SETTLING
from bridge.services.evidence import standing
from bridge.services.identities import Hint, flag_doubts, hints, look_up
from bridge.services.pull import settle_pending

#: What is kept as the proof of a link by hand.
REASON_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account that belongs to nobody yet, why, and whom some rule pointed at.

    `reasons` says of each candidate why a rule points there; `hints` are people of a similar
    name: shown, and never more than that.
    """

    account: Account
    source_key: str
    records: int
    why: Unmatched
    candidates: tuple[Person, ...]
    hints: tuple[Hint, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)


def find(ctx: Context, text: str) -> Person:
    """The one person meant by an id, email, staff number or name. Raises NotFound or Refused."""
    with ctx.store.reading() as uow:
        found = uow.people.find(text)
        if not found:
            raise NotFound(f"Nobody is known as '{text}'.")
        canonical = {p.canonical for p in found}
        if len(canonical) > 1:
            names = "; ".join(f"{p.id} {p.name}" for p in found[:8])
            raise Refused(f"'{text}' could be several people: {names}. Give the number.")
        return uow.people.get(canonical.pop())


def everyone(ctx: Context) -> list[Person]:
    """The people that the actor may see."""
    with ctx.store.reading() as uow:
        return uow.people.everyone(ctx.actor.scope)


def unmatched(ctx: Context, rules_of: Mapping[str, Sequence[IdentityRule]]) -> list[Waiting]:
    """The queue of accounts with records that would count, with the reason for each.

    `rules_of` gives the identity rules that each source is trusted with.
    """
    with ctx.store.reading() as uow:
        return _waiting(uow, uow.intake.unmatched(), rules_of)


def unmatched_page(
    ctx: Context,
    rules_of: Mapping[str, Sequence[IdentityRule]],
    source: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ListPage[Waiting]:
    """The same, of one source if asked, a page at a time. Raises Refused for a broken `after`."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.lists.unmatched(source, after, limit)
        return ListPage(tuple(_waiting(uow, found.items, rules_of)), found.after)


def _waiting(
    uow: UnitOfWork,
    accounts: Sequence[tuple[Account, str, int]],
    rules_of: Mapping[str, Sequence[IdentityRule]],
) -> list[Waiting]:
    by_source: dict[str, list[AccountFacts]] = defaultdict(list)
    for account, key, _ in accounts:
        by_source[key].append(account.facts)
    known = look_up(uow, by_source, rules_of)
    hinted = hints(uow, [account.facts for account, _, _ in accounts])
    found = []
    for (account, key, records), told in zip(accounts, hinted, strict=True):
        why = known.match(key, account.facts, rules_of.get(key, ()))
        if isinstance(why, Match):
            why = Unmatched("settling", "It matches now and is being settled.", (why.person,))
        told = tuple(hint for hint in told if hint.person not in why.candidates)
        found.append((account, key, records, why, told))
    names = uow.standing.names({p for _, _, _, why, _ in found for p in why.candidates})
    return [
        Waiting(
            account,
            key,
            records,
            why,
            tuple(Person(p, names[p], p) for p in why.candidates),
            told,
            known.reasons(account.facts, rules_of.get(key, ())),
        )
        for account, key, records, why, told in found
    ]


def rematch(ctx: Context, rules_of: Mapping[str, Sequence[IdentityRule]]) -> int:
    """Try the rules again on every account of nobody, as after a new staff list.

    Accounts that are somebody's by an address which several people have now are flagged; and
    where a rule points at somebody who was not there when it was last asked, it is asked again.
    """
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        alone = uow.intake.unlinked()
        by_source: dict[str, list[AccountFacts]] = defaultdict(list)
        for key, account in alone:
            by_source[key].append(account.facts)
        known = look_up(uow, by_source, rules_of)
        parted = uow.people.parted([account.id for _, account in alone])
        refused = uow.bookings.refused([account.id for _, account in alone])
        joined = {}
        for key, account in alone:
            found = known.match(key, account.facts, rules_of.get(key, ()))
            if isinstance(found, Match):
                if (account.id, found.person) not in parted | refused:
                    joined[account.id] = found
            elif any((account.id, each) not in refused for each in found.candidates):
                uow.bookings.end_answer(account.id, "rule", now)
        uow.people.link_accounts(joined, now, "rule")
        flag_doubts(uow, joined, [account for _, account in alone], now)
        uow.intake.mark_accounts(joined)
        uow.bookings.doubt(uow.bookings.shared_by_people(), SEVERAL_PEOPLE, now)
    settle_pending(ctx)
    return len(joined)


def link(ctx: Context, account_id: int, person: int, reason: str) -> None:
    """Say by hand whose an account is; what was filed under somebody else moves over.

    It opens no door: a launch from the LMS signs nobody in by it until they have confirmed it
    (`bridge.services.launch`).

    Untouched suggestions follow the account; what people worked on stays where it is. Raises
    NotFound for an unknown account or person, Refused without a reason or for an endless one.
    """
    training_team_only(ctx)
    if not reason.strip():
        raise Refused("Say how you know that this account is theirs.")
    if len(reason.strip()) > REASON_LENGTH:
        raise Refused(f"Say it in at most {REASON_LENGTH} characters.")
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        canonical = uow.people.get(person).canonical
        account, _ = uow.intake.account(account_id)
        if ctx.actor.person is not None and ctx.actor.person in (canonical, account.person):
            # Once confirmed, an account signs its person in from the LMS.
            raise Refused("It is your own account, or would be. Ask a colleague to say whose.")
        uow.people.unlink_account(account_id, now, reason.strip(), parted=True)
        proof = Match(person, IdentityRule.BY_HAND, reason.strip())
        uow.people.link_accounts({account_id: proof}, now, ctx.actor.label)
        uow.bookings.end_doubts(account_id, ctx.actor.label, now)
        uow.bookings.end_answer(account_id, ctx.actor.label, now)
        uow.intake.mark_accounts([account_id])
        uow.intake.mark_sessions([p for p in (canonical, account.person) if p is not None])
        audit(ctx, uow, "link-account", f"account:{account_id}", {"person": canonical})
    settle_pending(ctx)


def unlink(ctx: Context, account_id: int, reason: str) -> None:
    """An account was joined to the wrong person: it is nobody's again, and no rule joins the two.

    Raises Refused without a reason, or where it is nobody's already.
    """
    training_team_only(ctx)
    if not reason.strip():
        raise Refused("Say how you know that this account is not theirs.")
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        now = ctx.clock.now()
        account, _ = uow.intake.account(account_id)
        link = uow.people.unlink_account(account_id, now, reason.strip(), parted=True)
        if link is None:
            raise Refused(f"Account {account_id} belongs to nobody already.")
        uow.bookings.end_doubts(account_id, ctx.actor.label, now)
        uow.intake.mark_accounts([account_id])
        uow.intake.mark_sessions([account.person] if account.person is not None else [])
        audit(ctx, uow, "unlink-account", f"account:{account_id}", {"unlinked": link})
    settle_pending(ctx)


def merge(ctx: Context, person: int, into: int, reason: str) -> int:
    """Two entries are one human being. A link is added and can be undone (DESIGN 5.9).

    Claims that the merged person verified for themselves are contested; returns how many.
    """
    if not reason.strip():
        raise Refused("Say how you know that they are one person.")
    training_team_only(ctx)
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        uow.ops.lock(PERSONS)
        one, other = uow.people.get(person).canonical, uow.people.get(into).canonical
        if one == other:
            raise Refused("They are one person already.")
        if ctx.actor.person in (one, other):
            # They would act as the other at once, and read and decide what waits for them.
            raise Refused("Nobody merges an entry with their own. Ask a colleague to do it.")
        uow.people.merge(one, other, reason.strip(), ctx.actor.label, now)
        contested = uow.evidence.contest_same_person(other, now)
        uow.people.mark_for_awards([other])
        uow.intake.mark_sessions([other])
        audit(ctx, uow, "merge", f"person:{one}", {"into": other, "contested": contested})
    settle_pending(ctx)
    return len(contested)


@dataclass(frozen=True, slots=True)
class Parted:
    """A merge that was undone: whom they had been merged into, how many accounts that were joined
    meanwhile wait in the unmatched queue now, and how many addresses and staff numbers that were
    added meanwhile neither is known by."""

    into: int
    waiting: int
    identifiers: int

    @property
    def words(self) -> str:
        """What came of it, for people."""
        said = ["They are two people again; each has their own evidence."]
        if self.waiting:
            said.append(f"Accounts joined meanwhile that wait to be matched: {self.waiting}.")
        if self.identifiers:
            said.append("Neither is known by what was added meanwhile: take the staff list again.")
        return " ".join(said)


def unmerge(ctx: Context, person: int, reason: str) -> Parted:
    """Undo a merge: each has their own evidence again.

    An account that was joined meanwhile is theirs who had been known by its proof before the merge
    (a staff number, an email); where it has no such proof, it waits in the unmatched queue. What
    was drafted meanwhile goes to whose account it came from, unless somebody worked on it. What was
    added meanwhile to what they are known by ends, until a staff list says whose it is; tokens and
    sign-ins of both end, with passwords, work accounts and links that were made meanwhile: they
    may be in the other's hands. Raises Refused without a reason, NotFound where there is no merge.
    """
    training_team_only(ctx)
    if not reason.strip():
        raise Refused("Say how you know that they are two people.")
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        uow.ops.lock(PERSONS)
        since = uow.people.merged_at(person) or now
        into, merge_id = uow.people.unmerge(person, reason.strip(), ctx.actor.label, now)
        both = [person, uow.people.get(into).canonical]
        for each in {person, into, *both}:
            uow.people.revoke_tokens(each, now)
            uow.access.revoke_sessions(each, now)
            uow.access.close_ways_in(each, since, now)
        for each in both:
            uow.evidence.settle_same_person(each)
        uow.people.mark_for_awards(both)
        uow.intake.mark_people(both)
        known_by = uow.people.end_identifiers(both, since, now)
        audit(ctx, uow, "unmerge", f"person:{person}",
              {"from": into, "unmerged": merge_id, "identifiers": known_by})  # fmt: skip
        waiting = _let_wait(ctx, uow, both, since, merge_id)
    settle_pending(ctx)
    return Parted(into, waiting, known_by)


def _let_wait(
    ctx: Context, uow: UnitOfWork, both: Sequence[int], since: datetime, merge_id: int
) -> int:
    """Have the accounts wait that were joined while these two were one; how many there are.

    What rests on a staff number or email that one of them, and not the other, had before the merge
    went to that one. Whoever said meanwhile that an account is theirs, or somebody's, meant the one
    human being that there seemed to be; which of the two that was, nobody guesses (DESIGN 5.9).
    """
    now = ctx.clock.now()
    waiting = [
        each for each in uow.people.joined_since(both, since) if each.owners != {each.person}
    ]
    for each in waiting:
        why = "joined while two people were taken for one"
        link = uow.people.unlink_account(each.account, now, why, parted=False)
        audit(ctx, uow, "unlink-account", f"account:{each.account}",
              {"from": each.person, "unmerged": merge_id, "unlinked": link})  # fmt: skip
    uow.intake.mark_accounts([each.account for each in waiting])
    return len(waiting)


def split(ctx: Context, evidence_id: int, record_id: int) -> int:
    """Give one of several joined records its own piece of evidence; returns that."""
    now = ctx.clock.now()
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        evidence = uow.evidence.get(evidence_id, ctx.actor.scope, lock=True)
        if evidence.person != person:
            raise NotAllowed("Only the person whose evidence it is can split it.")
        records = uow.intake.records_of_evidence([evidence_id])
        if len(records) < 2 or record_id not in {r.id for r in records}:
            raise Refused("Only one of several joined records can be split off.")
        made = uow.evidence.split(evidence_id, record_id, now)
        uow.bookings.note_split(record_id, evidence_id, now)
        uow.intake.mark_records([r.id for r in records])
        audit(ctx, uow, "split", f"evidence:{evidence_id}", {"record": record_id, "new": made})
    settle_pending(ctx)
    return made


def approve(ctx: Context, person: int, kind: Authority) -> None:
    """The training team approves somebody to verify as an assessor or a peer."""
    training_team_only(ctx)
    if kind is Authority.MANAGER:
        raise Refused("Managers come from posts in the staff list; approve assessors and peers.")
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        if kind.value not in uow.people.approvals_of(canonical):
            uow.people.approve(canonical, kind.value, ctx.actor.label, ctx.clock.now())
            audit(ctx, uow, "approve", f"person:{canonical}", {"as": kind.value})


def end_approval(ctx: Context, approval_id: int) -> None:
    """Somebody verifies no more as an assessor or a peer; what they verified stands."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        person = uow.desk.end_approval(approval_id, ctx.clock.now())
        if person is None:
            raise NotFound("That approval has ended already.")
        audit(ctx, uow, "end-approval", f"person:{person}", {"approval": approval_id})


def waive(ctx: Context, person: int, ref: CompetencyRef, reason: str) -> int:
    """A manager marks a statement as not applicable to somebody, with the reason (R7)."""
    if not reason.strip():
        raise Refused("Say why this does not apply to them.")
    now = ctx.clock.now()
    manager = acting_person(ctx)
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        if not standing(uow, canonical, manager, london_date(now)).is_manager:
            raise NotAllowed("Only the present manager decides what does not apply.")
        ids = uow.catalog.competency_ids()
        if ref not in ids:
            raise NotFound(f"There is no competency {ref}.")
        made = uow.awards.add_not_applicable(canonical, ids[ref], manager, reason.strip(), now)
        uow.people.mark_for_awards([canonical])
        audit(ctx, uow, "not-applicable", f"person:{canonical}", {"competency": str(ref)})
        return made


def issue_token(ctx: Context, person: int) -> str:
    """A new secret with which a person acts at the command line; only its hash is stored."""
    training_team_only(ctx)
    now = ctx.clock.now()
    secret = f"cb_{secrets.token_urlsafe(32)}"
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        uow.people.add_token(
            canonical,
            hashlib.sha256(secret.encode()).digest(),
            ctx.actor.label,
            now,
            now + timedelta(days=ctx.policy.token_days),
        )
        audit(ctx, uow, "issue-token", f"person:{canonical}", {})
    return secret


def revoke_tokens(ctx: Context, person: int) -> int:
    """End every token of a person; how many there were."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        ended = uow.people.revoke_tokens(canonical, ctx.clock.now())
        audit(ctx, uow, "revoke-tokens", f"person:{canonical}", {"ended": ended})
        return ended


def person_of_token(ctx: Context, secret: str) -> Person:
    """Whose token this is. Raises NotAllowed.

    It is found by its SHA-256, so no comparison leaks how much of a guess was right.
    """
    digest = hashlib.sha256(secret.strip().encode()).digest()
    with ctx.store.reading() as uow:
        person = uow.people.person_of_token(digest, ctx.clock.now())
        if person is None:
            raise NotAllowed("This token is not valid, or has run out. Ask for a new one.")
        return uow.people.get(person)
