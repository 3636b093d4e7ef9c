"""Plays three practitioners and a manager through the ordinary services, labelled as played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.domain.claims import ClaimState
from bridge.domain.errors import BridgeError, NotAllowed, Refused
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Person
from bridge.domain.scope import Actor, of_person
from bridge.domain.times import london_date
from bridge.services import evidence as evidence_service
from bridge.services import verify as verify_service
from bridge.services.context import Context
from bridge.services.evidence import Item, OwnActivity

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is played: one manager, and people in their team with fresh drafts.

    `waiting` has one submission that waits for the manager, and drafts still to reflect on.
    """

    manager: Person
    team: tuple[Person, Person, Person]
    waiting: Person


def act_as(ctx: Context, person: Person) -> Context:
    """The same surroundings for a played person; the trail says that it was the demo."""
    return ctx.acting_as(Actor(of_person(person.id), "demo", ctx.actor.os_user))


def choose_cast(ctx: Context) -> Cast:
    """A manager with three people who have drafts: a classroom course and an e-learning one."""
    drafts: dict[int, list[Item]] = {}
    for item in evidence_service.items(ctx, state=ClaimState.SUGGESTED):
        drafts.setdefault(item.evidence.person, []).append(item)
    teams: dict[int, tuple[Person, list[Person], list[Person]]] = {}
    with ctx.store.reading() as uow:
        for person, items in sorted(drafts.items(), key=lambda each: (-len(each[1]), each[0])):
            verifiers = evidence_service.may_verify(ctx, person)
            if not verifiers:
                continue
            manager = uow.people.get(verifiers[0][0])
            _, team, others = teams.setdefault(manager.id, (manager, [], []))
            member = uow.people.get(person)
            london = any(c.ref.edition.startswith("london") for i in items for c in i.claims)
            alike = member.name.split()[0] in {other.name.split()[0] for other in team}
            (others if alike or not london else team).append(member)
    for manager, team, others in teams.values():
        if len(team) >= 3 and len(team) + len(others) >= 4:
            return Cast(manager, (team[0], team[1], team[2]), [*team[3:], *others][0])
    raise BridgeError("The demo's Moodle has no team of four with drafts; its seed has changed.")


def play(ctx: Context, cast: Cast, say: Say) -> None:
    """The whole main line: everything verified, one sent back, one level met, one that waits."""
    first, second, third = cast.team
    _play_core(ctx, first, cast.manager, say)
    _play_returned(ctx, second, cast.manager, say)
    _play_level(ctx, third, cast.manager, say)
    _play_waiting(ctx, cast.waiting, cast.manager, say)


def _drafts(ctx: Context, person: Person) -> list[Item]:
    return [
        i
        for i in evidence_service.items(act_as(ctx, person), person=person.id)
        if any(c.state is ClaimState.SUGGESTED for c in i.claims)
    ]


def _submit(
    ctx: Context, item: Item, owner: Person, verifier: Person, refs: Sequence[CompetencyRef]
) -> None:
    evidence_service.submit(
        act_as(ctx, owner),
        item.evidence.id,
        refs,
        "What stayed with me is to ask what a day is like for the child, and to write it down "
        "the same day. I have changed how I hand over to the evening team.",
        verifier.id,
        used="I used the checklist in two supervision sessions with my team.",
    )


def _play_core(ctx: Context, person: Person, manager: Person, say: Say) -> None:
    """Drafts and one supervision of their own cover the ten core competencies."""
    core = [CompetencyRef("llr-2020", str(n)) for n in range(1, 11)]
    covered: set[CompetencyRef] = set()
    for item in _drafts(ctx, person):
        suggested = [c.ref for c in item.claims if c.state is ClaimState.SUGGESTED]
        _submit(ctx, item, person, manager, suggested)
        covered |= set(suggested)
        say(f"{person.name} reflects on '{item.evidence.title}' and submits {_list(suggested)}.")
    today = london_date(ctx.clock.now())
    left = [ref for ref in core if ref not in covered]
    own = evidence_service.add_own(
        act_as(ctx, person),
        OwnActivity(
            "Reflective supervision on a referral",
            "reflective-supervision",
            today - timedelta(days=12),
            "Supervision file, note of that day",
        ),
        left,
    )
    item = evidence_service.item(act_as(ctx, person), own)
    _submit(ctx, item, person, manager, left)
    say(f"{person.name} adds a supervision of their own and submits {_list(left)}.")
    try:
        verify_service.verify(act_as(ctx, person), own, None, "supervision")
    except (Refused, NotAllowed) as refusal:
        say(f"{person.name} tries to verify it themselves. Refused: {refusal}")
    for waiting in verify_service.waiting(act_as(ctx, manager)):
        made = verify_service.verify(
            act_as(ctx, manager), waiting.evidence.id, None, "supervision", note="Talked through."
        )
        say(f"{manager.name} verifies {len(made)} claims of {person.name} in supervision.")


def _play_returned(ctx: Context, person: Person, manager: Person, say: Say) -> None:
    """One draft is sent back with a question, answered, and verified."""
    item = _drafts(ctx, person)[0]
    refs = [c.ref for c in item.claims if c.state is ClaimState.SUGGESTED]
    _submit(ctx, item, person, manager, refs)
    say(f"{person.name} reflects on '{item.evidence.title}' and submits {_list(refs)}.")
    verify_service.send_back(
        act_as(ctx, manager), item.evidence.id, refs[:1], "What did you do differently since?"
    )
    say(f"{manager.name} sends {refs[0]} back with a question.")
    _submit(ctx, item, person, manager, refs[:1])
    verify_service.verify(act_as(ctx, manager), item.evidence.id, None, "discussion")
    say(f"{person.name} answers, and {manager.name} verifies: not enough for a badge yet.")


def _play_level(ctx: Context, person: Person, manager: Person, say: Say) -> None:
    """Every statement of London level 1 is evidenced by one course and what came of it."""
    with ctx.store.reading() as uow:
        edition = next(e for e in uow.catalog.editions() if e.framework == "london")
    refs = [CompetencyRef(edition.id, code) for code in edition.level("1").codes]
    item = next(
        i for i in _drafts(ctx, person) if any(c.ref.edition == edition.id for c in i.claims)
    )
    _submit(ctx, item, person, manager, refs)
    verify_service.verify(act_as(ctx, manager), item.evidence.id, None, "direct-observation")
    say(
        f"{person.name} submits '{item.evidence.title}' for every statement of London level 1; "
        f"{manager.name} has observed it and verifies."
    )


def _play_waiting(ctx: Context, person: Person, manager: Person, say: Say) -> None:
    """One is submitted and left, for whoever opens the pages as the manager."""
    item = _drafts(ctx, person)[-1]
    refs = [c.ref for c in item.claims if c.state is ClaimState.SUGGESTED]
    _submit(ctx, item, person, manager, refs)
    say(f"{person.name} submits '{item.evidence.title}', which waits for {manager.name}.")


def _list(refs: Sequence[CompetencyRef]) -> str:
    return ", ".join(f"{ref}" for ref in refs)
