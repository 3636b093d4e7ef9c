"""Accounts that somebody must look at: those in doubt, and those of none of the people shown."""

from __future__ import annotations

from bridge.domain.bookings import Answered, Doubt
from bridge.domain.errors import NotFound, Refused
from bridge.domain.lists import ListPage
from bridge.services.context import Context, audit, training_team_only
from bridge.services.desk import waiting_account
from bridge.services.identities import RulesOf
from bridge.services.people import link, unlink

PAGE = 50


def doubts(ctx: Context, after: int = 0) -> ListPage[Doubt]:
    """Accounts that are somebody's by an address which is seen to be shared, the oldest first."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.bookings.doubts(after, PAGE + 1)
    return ListPage(tuple(found[:PAGE]), str(found[PAGE - 1].id) if len(found) > PAGE else None)


def keep(ctx: Context, account_id: int, reason: str) -> None:
    """The account is theirs, by the word of whoever has looked. Raises Refused, NotFound."""
    link(ctx, account_id, _owner(ctx, account_id), reason)


def take_away(ctx: Context, account_id: int) -> None:
    """The account is not theirs: it waits to be matched again, and no rule joins the two any more.

    Untouched suggestions go with it; what the person has worked on stays. Raises NotFound.
    """
    _owner(ctx, account_id)
    unlink(ctx, account_id, "Its address is shared, and whoever looked says it is not theirs.")


def _owner(ctx: Context, account_id: int) -> int:
    with ctx.store.reading() as uow:
        account, _ = uow.intake.account(account_id)
    if account.person is None:
        raise NotFound("That account belongs to nobody, so there is nothing in doubt about it.")
    return account.person


def nobody(ctx: Context, account_id: int, reason: str, rules_of: RulesOf) -> None:
    """An account is none of the people who are shown for it; it is not asked about again.

    No rule joins it to any of them from now on. Where a rule points at somebody else later, that
    is done or asked as ever. Raises Refused without a reason, or for an account of somebody's.
    """
    training_team_only(ctx)
    if not reason.strip():
        raise Refused("Say how you know that it is none of them.")
    waiting = waiting_account(ctx, account_id, rules_of)
    if waiting.account.person is not None:
        raise Refused("This account belongs to somebody. Undo that on the person's page first.")
    refused = {p.canonical for p in waiting.candidates} | {hint.person for hint in waiting.hints}
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.bookings.answer(account_id, sorted(refused), reason.strip(), ctx.actor.label, now)
        audit(ctx, uow, "none-of-these", f"account:{account_id}", {"refused": sorted(refused)})


def ask_again(ctx: Context, account_id: int) -> None:
    """Put an account back into the queue. Raises NotFound where it is in it already."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        if not uow.bookings.end_answer(account_id, ctx.actor.label, ctx.clock.now()):
            raise NotFound("Nobody has answered for that account, so it is in the queue.")
        audit(ctx, uow, "ask-again", f"account:{account_id}", {})


def answered(ctx: Context, after: int = 0) -> ListPage[Answered]:
    """Accounts that are none of those shown, with who said so."""
    training_team_only(ctx)
    with ctx.store.reading() as uow:
        found = uow.bookings.answered(after, PAGE + 1)
    mark = str(found[PAGE - 1].account.id) if len(found) > PAGE else None
    return ListPage(tuple(found[:PAGE]), mark)
