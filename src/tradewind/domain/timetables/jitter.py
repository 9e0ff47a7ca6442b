"""Runs a little after their tick, so that many DAGs of one cron do not start at the same instant."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta


class Jitter:
    """By how much the run of a tick is late: drawn from a key and the tick, so that all schedulers agree.

    Parameters:
        seconds: at most so much.
        key: what is spread; usually the DAG id.
    """

    def __init__(self, seconds: float, key: str) -> None:
        self._seconds = seconds
        self._key = key

    def shifted(self, tick: datetime) -> datetime:
        """When the run of this tick is due."""
        mark = hashlib.sha256(f"{self._key}|{tick.timestamp():.6f}".encode()).digest()
        share = int.from_bytes(mark[:8], "big") / 2**64
        return tick + timedelta(microseconds=int(share * self._seconds * 1_000_000))
