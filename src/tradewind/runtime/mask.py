"""Secrets do not appear in logs: each known one is replaced by `***`, as plain text and as it looks inside JSON."""

from __future__ import annotations

import re

import msgspec

STARS = b"***"


class Masker:
    """The secrets of one attempt.

    Parameters:
        length_min: shorter texts are not masked (secrets.mask_length_min): they would hide ordinary words.
    """

    __slots__ = ("_forms", "_length_min", "_pattern")

    def __init__(self, length_min: int) -> None:
        self._length_min = length_min
        self._forms: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None

    def add(self, secret: str) -> bool:
        """Mask `secret` from now on, each of its lines by itself. Whether anything new is masked."""
        before = len(self._forms)
        for part in secret.splitlines():
            part = part.strip()
            if len(part) >= self._length_min:
                self._forms |= _forms(part)
        if len(self._forms) == before:
            return False
        # Longest first, so that a secret that contains another one disappears whole.
        ordered = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, ordered)))
        return True

    def bytes(self, line: bytes) -> bytes:
        """`line` without secrets."""
        return line if self._pattern is None else self._pattern.sub(STARS, line)

    def text(self, text: str) -> str:
        """`text` without secrets."""
        if self._pattern is None:
            return text
        return self._pattern.sub(STARS, text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    @property
    def empty(self) -> bool:
        return self._pattern is None


def _forms(secret: str) -> set[bytes]:
    plain = secret.encode("utf-8", "surrogateescape")
    escaped = msgspec.json.encode(secret.encode("utf-8", "replace").decode())[1:-1]
    # A text that is itself JSON inside JSON (an extra of a connection that is logged) is escaped twice.
    twice = msgspec.json.encode(escaped.decode())[1:-1]
    return {plain, escaped, twice}
