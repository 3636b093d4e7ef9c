"""What a page, or a whole pull, brought."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What a page, or a whole pull, brought.

    `unread` are the reasons why known items, whose bytes changed, cannot be read any more.
    """

    items: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    drafts: int = 0
    claims: int = 0
    vanished: int = 0
    returned: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count `other` in."""
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.dispositions += other.dispositions
        self.unread += other.unread

    @property
    def unread_words(self) -> str:
        """What to do about corrections that cannot be read; nothing where there are none."""
        if not self.unread:
            return ""
        number = len(self.unread)
        what = "record says" if number == 1 else "records say"
        return (
            f"{number} known {what} something now that cannot be read, so what stood there "
            f"before stands until it can be: {self.unread[0]}"
        )

    @property
    def wrote_nothing(self) -> bool:
        """Whether nothing outside run history and bookmarks was written."""
        return not (self.new or self.changed or self.vanished or self.returned)

    def as_counts(self) -> dict[str, int]:
        """For the run history."""
        return {name: getattr(self, name) for name in _COUNTED}


_COUNTED = ("items", "new", "unchanged", "changed", "drafts", "claims", "vanished", "returned")
