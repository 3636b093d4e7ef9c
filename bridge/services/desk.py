"""The desk: one person whole, quarantine, pulls, versions and the trail, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.domain.desk import (
    AccountLink,
    Approval,
    MappingVersion,
    Merge,
    SetAside,
    Unplaced,
)
from bridge.domain.doors import Grant
from bridge.domain.errors import NotFound
from bridge.domain.identity import Identifier, IdentityRule, Match, Unmatched, identifiers_of
from bridge.domain.lists import ListPage
from bridge.domain.mapping import Rule, rule_from_content
from bridge.domain.mapping_trace import Subject, named_elsewhere
from bridge.domain.model import Account, Alias, Person, Post, Quarantined, Run, TrailEntry
from bridge.domain.times import london_date
from bridge.services.context import Context, require_sight_of, training_team_only
from bridge.services.course_links import LinkedCourse, links_of
from bridge.services.identities import hints, look_up
from bridge.services.people import Waiting
from bridge.services.snippets import match_snippet, rule_snippet

PAGE = 50
#: Activities come with a rule to copy, so fewer make a page.
ACTIVITIES = 20

T = TypeVar("T")


def _page(found: Sequence[T], mark: Callable[[T], int]) -> ListPage[T]:
    """A page of what was asked for with one more than fits, marked by its last item."""
    items = tuple(found[:PAGE])
    return ListPage(items, str(mark(items[-1])) if len(found) > PAGE else None)


@dataclass(frozen=True, slots=True)
class PersonPage:
    """All that the training team sees of a person: no reflection is among it.

    `entries` are the persons merged with them; `sessions` and `tokens` are counts.
    """

    person: Person
    posts: tuple[Post, ...]
    identifiers: tuple[Identifier, ...]
    links: tuple[AccountLink, ...]
    merges: tuple[Merge, ...]
    approvals: tuple[Approval, ...]
    grants: tuple[Grant, ...]
    sessions: int
    tokens: int


def person_page(ctx: Context, person: int) -> PersonPage:
    """A person, by any of their entries. Raises NotFound, also where it is not theirs to see."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        found = uow.people.get(person)
        if found.canonical != found.id:
            found = uow.people.get(found.canonical)
        require_sight_of(ctx, uow, found.id)
        return PersonPage(
            person=found,
            posts=tuple(uow.people.posts_of([found.id]).get(found.id, ())),
            identifiers=tuple(uow.people.identifiers(found.id)),
            links=tuple(uow.desk.links_of(found.id)),
            merges=tuple(uow.desk.merges_of(found.id)),
            approvals=tuple(uow.desk.approvals(found.id)),
            grants=tuple(uow.access.grants_of(found.id)),
            sessions=len(uow.access.sessions_of(found.id, now)),
            tokens=len(uow.access.tokens_of(found.id, now)),
        )


def waiting_account(
    ctx: Context, account_id: int, rules_of: Mapping[str, Sequence[IdentityRule]]
) -> Waiting:
    """An account with why it is nobody's, and whom a rule points at. Raises NotFound.

    The number of its records is not counted here; it is 0.
    """
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        account, source_key = uow.intake.account(account_id)
        if account.person is not None:
            owner = uow.people.get(account.person)
            why = Unmatched("matched", f"It belongs to {owner.name}.", (owner.id,))
            return Waiting(account, source_key, 0, why, (owner,))
        rules = rules_of.get(source_key, ())
        known = look_up(uow, {source_key: [account.facts]}, rules_of)
        found = known.match(source_key, account.facts, rules)
        if isinstance(found, Match):
            found = Unmatched("parted", _PARTED, (found.person,))
        candidates = tuple(uow.people.get(each) for each in found.candidates)
        (hinted,) = hints(uow, [account.facts])
        hinted = tuple(hint for hint in hinted if hint.person not in found.candidates)
        return Waiting(account, source_key, 0, found, candidates, hinted)


_PARTED = (
    "A rule points at somebody whom the training team has taken this account from, or it is being "
    "settled just now."
)


def candidate_reason(account: Account, identifiers: Sequence[Identifier]) -> str:
    """Why somebody known by these identifiers could be whose account it is, in words."""
    wanted = set(identifiers_of(account.facts, list(IdentityRule)))
    agreeing = [f"{i.kind} {i.value}" for i in identifiers if i in wanted]
    if agreeing:
        return f"known by the same {' and '.join(agreeing)}"
    return "a rule points at them"


def candidates_with_reasons(ctx: Context, waiting: Waiting) -> list[tuple[Person, str]]:
    """Whom a rule points at, each with the fact that agrees; then hints, which are no proof."""
    with ctx.store.reading() as uow:
        pointed = [
            (person, candidate_reason(waiting.account, uow.people.identifiers(person.id)))
            for person in waiting.candidates[:8]
        ]
    hinted = [
        (Person(hint.person, hint.name, hint.person), f"only a hint: {hint.reason}")
        for hint in waiting.hints
    ]
    return pointed + hinted


def organisations(ctx: Context) -> list[tuple[str, str]]:
    """Keys and names of all organisations."""
    with ctx.store.reading() as uow:
        return uow.desk.organisations()


def versions(ctx: Context, before: int | None = None) -> ListPage[MappingVersion]:
    """Published mapping files, the newest first."""
    with ctx.store.reading() as uow:
        return _page(uow.desk.versions(before, PAGE + 1), lambda v: v.id)


def version_source(ctx: Context, version_id: int) -> tuple[MappingVersion, str]:
    """One published mapping file as it was. Raises NotFound."""
    with ctx.store.reading() as uow:
        found = uow.desk.version_source(version_id)
    if found is None:
        raise NotFound("There is no such version of a mapping.")
    return found[0], found[1].decode("utf-8", errors="replace")


def trail_page(
    ctx: Context, subject: str | None = None, before: int | None = None
) -> ListPage[TrailEntry]:
    """The audit trail, the newest first; of one thing ("person:12") if asked."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        return _page(uow.desk.trail(subject, before, PAGE + 1), lambda entry: entry.id)


def runs_page(
    ctx: Context, source: str | None = None, before: int | None = None
) -> ListPage[tuple[int, Run]]:
    """Pulls, the newest first; each with its number."""
    with ctx.store.reading() as uow:
        return _page(uow.desk.runs(source, before, PAGE + 1), lambda run: run[0])


def set_aside(ctx: Context) -> list[SetAside]:
    """What is in quarantine, by source and reason."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        return uow.desk.set_aside()


def quarantine_page(
    ctx: Context, source: str | None = None, after: int = 0
) -> ListPage[tuple[int, Quarantined]]:
    """What is set aside, the oldest first, without the envelopes."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        return _page(uow.desk.quarantined(source, after, PAGE + 1), lambda held: held[0])


def quarantined_item(ctx: Context, received_id: int) -> Quarantined:
    """One item of the quarantine, whole. Raises NotFound."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.desk.quarantined_item(received_id)
    if found is None:
        raise NotFound("That item is not in quarantine any more.")
    return found


def without_post(ctx: Context, after: int = 0) -> ListPage[Unplaced]:
    """People who hold no post today: nobody's team sees them, and nothing is asked of them."""
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        found = uow.desk.without_post(ctx.actor.scope, today, after, PAGE + 1)
    return _page(found, lambda one: one.id)


def without_manager(ctx: Context, after: int = 0) -> ListPage[Unplaced]:
    """Posts that name no manager: who holds one has nobody to verify but those approved."""
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        found = uow.desk.without_manager(ctx.actor.scope, today, after, PAGE + 1)
    return _page(found, lambda one: one.id)


@dataclass(frozen=True, slots=True)
class UnmappedActivity:
    """An activity that no rule names, who waits on it, and a rule to copy.

    `linked` is what its source links it to, where that was read and is any of ours. `elsewhere` are
    rules that name it for other sources alone, and `match` what is to be added to one of them.
    """

    alias: Alias
    records: int
    people: int
    snippet: str
    linked: LinkedCourse | None = None
    elsewhere: tuple[Rule, ...] = ()
    match: str = ""


def _subject(alias: Alias) -> Subject:
    return Subject(alias.source_key, alias.source_kind, alias.facts)


def unmapped_page(
    ctx: Context, source: str | None = None, after: str | None = None
) -> ListPage[UnmappedActivity]:
    """Unmapped activities, those with most people waiting first."""
    with ctx.store.reading() as uow:
        editions = uow.catalog.editions()
        found = uow.lists.unmapped(source, after, ACTIVITIES)
        aliases = [alias for alias, _, _ in found.items]
        linked = links_of(uow, aliases, editions)
        rules = [rule_from_content(each) for _, each in uow.catalog.rules_in_force()]
    return ListPage(
        tuple(
            UnmappedActivity(
                alias,
                records,
                people,
                rule_snippet(alias, editions),
                linked.get(alias.id),
                tuple(named_elsewhere(_subject(alias), rules)),
                match_snippet(alias),
            )
            for alias, records, people in found.items
        ),
        found.after,
    )
