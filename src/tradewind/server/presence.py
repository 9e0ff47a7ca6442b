"""The API server among the components: it sends heartbeats like everybody else.

They tell more than that a process lives: they go the way of exchanges (this loop, a thread, the database), so while
they are fresh, agents can be heard. `maintenance.lost_agents` relies on that.
"""

from __future__ import annotations

import asyncio
import os
import socket

from msgspec.structs import replace

from tradewind.kernel.clock import Clock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.settings import Settings
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import Unavailable

from .database import Database

KIND = "api-server"
_BEATS_PER_LOSS = 5
_log = get_logger("api")


class Presence:
    """Registers this server and keeps it registered."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._seconds = min(settings.agent.heartbeat_seconds, settings.agent.lost_seconds / _BEATS_PER_LOSS)
        host = socket.gethostname()
        # Several workers share a port, and must not end each other.
        worker = f":{os.getpid()}" if settings.api.workers > 1 else ""
        now = clock.now()
        self._row = ComponentRow(
            kind=KIND,
            id=str(uuid7()),
            name=f"{host}:{settings.api.port}{worker}",
            hostname=host,
            pid=os.getpid(),
            started_at=now,
            heartbeat_at=now,
        )

    async def keep(self) -> None:
        """Send heartbeats until cancelled. A database that is away is waited for."""
        outage = Outage(_log, "heartbeat_not_written", "heartbeat_written_again")
        while True:
            try:
                await self._database.write(self._beat)
                outage.over()
            except Unavailable as error:
                outage.met(error=str(error), again_in_seconds=self._seconds)
            except Exception as error:  # the boundary of this task: told each time, and tried again
                _log.error("heartbeat_failed", error=error)
            await asyncio.sleep(self._seconds)

    async def leave(self) -> None:
        """Orderly end: the row goes, nobody misses this server."""
        try:
            await self._database.write(lambda tx: tx.component_stop(KIND, self._row.id))
        except Unavailable as error:
            _log.warning("not_signed_off", error=str(error))

    def _beat(self, tx: Transaction) -> None:
        if not tx.component_beat(KIND, self._row.id):
            tx.component_start(replace(self._row, heartbeat_at=tx.now()))
