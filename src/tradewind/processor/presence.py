"""The row that says this processor lives."""

from __future__ import annotations

import os
import socket

from tradewind.kernel.clock import Clock
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Transaction

KIND = "dag-processor"


class Presence:
    """One incarnation of a processor.

    Parameters:
        incarnation: new with each start.
        bundle: what it processes; with the host it makes the name that is stable over restarts.
    """

    def __init__(self, incarnation: str, bundle: str, clock: Clock) -> None:
        self.incarnation = incarnation
        self._bundle = bundle
        self._clock = clock

    def begin(self, tx: Transaction) -> None:
        """Register."""
        now, host = self._clock.now(), socket.gethostname()
        tx.component_start(
            ComponentRow(
                kind=KIND,
                id=self.incarnation,
                name=f"{host}/{self._bundle}",
                hostname=host,
                pid=os.getpid(),
                started_at=now,
                heartbeat_at=now,
            )
        )

    def beat(self, tx: Transaction) -> None:
        """Say that it lives. One that was declared lost after a long pause may go on: its files it holds by leases."""
        if not tx.component_beat(KIND, self.incarnation):
            self.begin(tx)

    def end(self, tx: Transaction) -> None:
        tx.component_stop(KIND, self.incarnation)
