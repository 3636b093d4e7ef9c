"""The port of the vault, in which everything that people write or hand in is encrypted."""

from __future__ import annotations

from typing import Protocol


class Vault(Protocol):
    """Encrypts what people write. `bound_to` ties a text to its place, so none can be swapped."""

    def seal(self, text: str, bound_to: str) -> tuple[bytes, str]:
        """The ciphertext, and the id of the key that opens it."""
        ...

    def open(self, ciphertext: bytes, key_id: str, bound_to: str) -> str:
        """The text. Raises Damaged when the key is missing or the text was tampered with."""
        ...

    def seal_bytes(self, body: bytes, bound_to: str) -> tuple[bytes, str]:
        """As `seal`, for a file."""
        ...

    def open_bytes(self, ciphertext: bytes, key_id: str, bound_to: str) -> bytes:
        """As `open`, for a file."""
        ...

    def derive(self, purpose: str) -> bytes:
        """32 bytes for signing, the same each time for one purpose."""
        ...
