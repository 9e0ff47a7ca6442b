"""Numbers for things that Airflow's API names by a number and we by a text."""

from __future__ import annotations

import hashlib

_BITS = 52
"""Programs of browsers hold whole numbers of so many bits exactly."""


def number_of(*names: str) -> int:
    """The same names always give the same number; others, but for one chance in millions of millions, another."""
    digest = hashlib.sha256("\x00".join(names).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)
