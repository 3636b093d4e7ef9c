"""Errors by what the caller must do about them: wait, ask an administrator, or tell the person."""

from __future__ import annotations


class BridgeError(Exception):
    """Something a person can read: what happened, and what to do."""


class Refused(BridgeError):
    """A rule forbids it. The message says which rule and what would be allowed instead."""


class NotFound(BridgeError):
    """No such thing, or none that this person may see: the two look alike on purpose."""


class NotAllowed(BridgeError):
    """This person may not do that."""


class TooOften(NotAllowed):
    """It was tried too often in a while. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LostLease(BridgeError):
    """Another process took over meanwhile; nothing was written, and it will carry on."""


class Damaged(BridgeError):
    """Stored data or a guard is not as it must be; stop and look before anything is written."""


class PeerError(BridgeError):
    """A source or target did not do what was asked. `peer` is its configured key."""

    def __init__(self, message: str, *, peer: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.peer = peer
        self.detail = detail


#: In seconds.
A_DAY = 86_400.0


class TryLater(PeerError):
    """It may work later by itself: busy, in maintenance, cut off. Back off, then repeat.

    `retry_after` is in seconds, where the peer named a time; it is asked again after a day, however
    long that was.
    """

    def __init__(
        self, message: str, *, peer: str = "", detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, peer=peer, detail=detail)
        self.retry_after = None if retry_after is None else min(retry_after, A_DAY)


class InMaintenance(TryLater):
    """It is closed for a while, or its database is: waited out, and no attempt in vain."""


class NeedsAdministrator(PeerError):
    """It will not work until somebody changes a setting; the message names which and where."""


class BadAnswer(PeerError):
    """The peer answered something that cannot be trusted; nothing was concluded from it."""
