"""Passwords as argon2id hashes, with the parameters the library recommends (RFC 9106, low memory: 64 MiB a check)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class Argon2Passwords:
    """`commands.users.Passwords`. A call takes tens of milliseconds and 64 MiB: callers bound how many run at once."""

    def __init__(self) -> None:
        self._made: PasswordHasher | None = None

    def hash(self, password: str) -> str:
        return self._hasher().hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher().verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, hashed: str) -> bool:
        return self._hasher().check_needs_rehash(hashed)

    def _hasher(self) -> PasswordHasher:
        if self._made is None:
            from argon2 import PasswordHasher

            self._made = PasswordHasher()
        return self._made
