"""Connections to an LRS that come to an end, however slowly it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from bridge.connectors.moodle.pace import Deadline, WatchedAdapter
from bridge.domain.errors import PeerError, TryLater


def patient() -> HTTPAdapter:
    """Tries a connection that broke before any answer again; a `Deadline` can end it."""
    retry = Retry(
        total=2, connect=2, read=1, status=0, redirect=0, other=0, allowed_methods=None,
        backoff_factor=0.2, respect_retry_after_header=False,
    )  # fmt: skip
    return WatchedAdapter(max_retries=retry)


@contextmanager
def within(seconds: float, key: str) -> Iterator[Deadline]:
    """However slowly the LRS of that name answers, everything within takes no longer.

    Raises TryLater then.
    """
    with Deadline(seconds) as deadline:
        try:
            yield deadline
        except PeerError:
            # What a connection that was cut off in the middle looks like is beside the point.
            if not deadline.over:
                raise
            raise TryLater(
                f"{key}: it answers so slowly that not all was done after {seconds:g} seconds. It "
                "will be tried again.",
                peer=key,
                detail="deadline",
            ) from None
