"""The warning about what looks like a child's details: shown once, and kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from bridge.domain.identifying import Seen, identifying
from bridge.web.access import site


@dataclass(frozen=True, slots=True)
class Warned:
    """What was seen. `mark` comes back with "I have looked"; new marks are warned about again."""

    seen: tuple[Seen, ...]
    mark: str


def look(*texts: str) -> Warned | None:
    """What stands out in these texts; None where nothing does.

    The form sends `mark` back (field "looked") once its writer has looked; then they may go on.
    """
    seen = tuple(each for text in texts for each in identifying(text))
    if not seen:
        return None
    told = "\n".join(sorted({each.words.casefold() for each in seen}))
    return Warned(seen, hmac.new(site().key, told.encode(), hashlib.sha256).hexdigest()[:32])
