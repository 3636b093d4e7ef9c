"""Personal tokens, with which programs act for somebody."""

from __future__ import annotations

import secrets
from datetime import timedelta

from bridge.domain.doors import TokenInfo
from bridge.domain.errors import NotFound, Refused
from bridge.services.context import Context, acting_person, audit
from bridge.services.signin import digest


def tokens(ctx: Context) -> list[TokenInfo]:
    """The actor's own tokens."""
    with ctx.store.reading() as uow:
        return uow.access.tokens_of(acting_person(ctx), ctx.clock.now())


def make_token(ctx: Context, name: str, *, read_only: bool) -> str:
    """A token for programs that act for the actor; it is shown once."""
    person = acting_person(ctx)
    if not name.strip():
        raise Refused("Give the token a name that says where you use it.")
    secret = f"cb_{secrets.token_urlsafe(32)}"
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        token_id = uow.access.add_named_token(
            person, digest(secret), name.strip()[:80], read_only, now,
            now + timedelta(days=ctx.policy.token_days),
        )  # fmt: skip
        audit(ctx, uow, "make-token", f"person:{person}", {"token": token_id})
    return secret


def end_token(ctx: Context, token_id: int) -> None:
    """End one of the actor's own tokens. Raises NotFound."""
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        if not uow.access.revoke_token(token_id, person, ctx.clock.now()):
            raise NotFound("That token has ended already.")
        audit(ctx, uow, "end-token", f"person:{person}", {"token": token_id})
