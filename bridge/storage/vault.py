"""Encryption of what people write: AES-256-GCM under named keys from a file or the environment."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.domain.errors import Damaged

_NONCE = 12


class KeyVault:
    """Implements `bridge.domain.repositories.Vault`.

    `keys` maps a key's id to 32 bytes; new texts are sealed with the last one, so that keys are
    changed by adding one.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise Damaged("There is no key to encrypt reflections with. Run 'bridge init'.")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        *_, self._newest = keys
        self._oldest = next(iter(keys.values()))

    def __repr__(self) -> str:
        return f"KeyVault({', '.join(self._keys)})"

    def derive(self, purpose: str) -> bytes:
        """32 bytes for signing, from the oldest key (HKDF, RFC 5869): adding a key changes none."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(self._oldest)

    def seal(self, text: str, bound_to: str) -> tuple[bytes, str]:
        """The ciphertext, and the id of the key that opens it."""
        return self.seal_bytes(text.encode(), bound_to)

    def open(self, ciphertext: bytes, key_id: str, bound_to: str) -> str:
        """The text. Raises Damaged when the key is missing or the text was tampered with."""
        return self.open_bytes(ciphertext, key_id, bound_to).decode()

    def seal_bytes(self, body: bytes, bound_to: str) -> tuple[bytes, str]:
        """As `seal`, for a file."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[self._newest].encrypt(nonce, body, bound_to.encode())
        return nonce + sealed, self._newest

    def open_bytes(self, ciphertext: bytes, key_id: str, bound_to: str) -> bytes:
        """As `open`, for a file."""
        key = self._keys.get(key_id)
        if key is None:
            raise Damaged(f"The key '{key_id}' is missing from the key file. Put it back.")
        try:
            return key.decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise Damaged(f"{bound_to} was changed behind the bridge's back.") from error


def new_key_line() -> str:
    """A line of a key file: `id base64`."""
    key_id = f"k{secrets.token_hex(4)}"
    return f"{key_id} {base64.b64encode(secrets.token_bytes(32)).decode()}\n"


def write_key_file(path: Path) -> None:
    """Make a key file that only its owner can read. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(new_key_line())


def read_keys(text: str, where: str) -> dict[str, bytes]:
    """The keys of a key file's text, oldest first. Raises Damaged, naming the line."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key_id, encoded = line.split()
            key = base64.b64decode(encoded, validate=True)
            if len(key) != 32 or key_id in keys:
                raise ValueError
        except (ValueError, binascii.Error):
            raise Damaged(
                f"{where}:{number}: a key line reads 'id base64-of-32-bytes', each id once."
            ) from None
        keys[key_id] = key
    return keys
