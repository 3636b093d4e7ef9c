"""One conversation at a time with each peer, across all processes: a lease on its name.

A Moodle keeps the filters of reports per user, and a pull, a look at badges and a webhook's second
look all come as that user; and however many processes there are, one Moodle is asked by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bridge.domain.errors import LostLease, NeedsAdministrator
from bridge.domain.model import Lease
from bridge.domain.repositories import UnitOfWork
from bridge.services.context import Context


@dataclass(slots=True)
class Talk:
    """The right to speak with a peer, while it is kept; nothing where the peer asks for none."""

    ctx: Context
    lease: Lease | None

    def keep(self, uow: UnitOfWork) -> None:
        """Prolong it within a transaction. Raises LostLease where another has taken over."""
        if self.lease is not None:
            uow.ops.keep_lease(self.lease, self.ctx.clock.now(), self.ctx.policy.lease_seconds)


@contextmanager
def conversation(ctx: Context, peer: object, key: str) -> Iterator[Talk]:
    """Speak with a peer meanwhile. Raises LostLease while another process does.

    `peer` names itself by its property `conversation`; whoever has none needs no lease.
    """
    name = _name(peer)
    if not name:
        yield Talk(ctx, None)
        return
    with ctx.store.begin() as uow:
        lease = uow.ops.take_lease(
            f"talk:{name}", ctx.store.holder, ctx.clock.now(), ctx.policy.lease_seconds
        )
    if lease is None:
        raise LostLease(
            f"The bridge is speaking with {key} right now, for something else. Try again when "
            "that is over."
        )
    try:
        yield Talk(ctx, lease)
    finally:
        with ctx.store.begin() as uow:
            uow.ops.release_lease(lease)


def _name(peer: object) -> str:
    try:
        return str(getattr(peer, "conversation", ""))
    except NeedsAdministrator:
        # Its settings are wrong, which asking it says better.
        return ""
