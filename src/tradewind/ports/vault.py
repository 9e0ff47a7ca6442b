"""The port of the vault: encryption at rest of connections and variables. Plug: `adapters.vault` (Fernet key ring in a
file).
"""

from __future__ import annotations

from typing import Protocol


class Vault(Protocol):
    """Turns secrets into ciphertext and back. The key never leaves the plug."""

    def seal(self, text: str) -> bytes: ...

    def open(self, ciphertext: bytes) -> str:
        """Raises `wire.errors.InvalidValue` when no key of the ring fits."""
