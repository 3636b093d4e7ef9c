"""What was found out of bytes that come again and again, within bounds."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """What was found out, by the bytes that it follows from. It forgets all when it holds too much.

    `get` is that of a dict.
    """

    MOST_BYTES = 2_000_000
    #: What follows from more bytes is found out each time.
    LONGEST = 2_000

    def __init__(self) -> None:
        self._kept: dict[bytes, T] = {}
        self.bytes = 0
        self.get = self._kept.get

    def keep(self, written: bytes, found: T) -> T:
        """Remember it, if it may be; it is given back."""
        if len(written) <= self.LONGEST:
            if self.bytes > self.MOST_BYTES:
                self._kept.clear()
                self.bytes = 0
            self._kept[written] = found
            # What was found is about as long.
            self.bytes += 2 * len(written)
        return found

    def __len__(self) -> int:
        return len(self._kept)
