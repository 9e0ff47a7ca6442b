"""Heartbeat rows of processes that are long gone: kept for a while, so that people see who is missing, then removed."""

from __future__ import annotations

from datetime import timedelta

from tradewind.ports.store import Store

from .duty import Duty

_KINDS = ("scheduler", "dag-processor", "triggerer", "api-server")
"""Not agents: whose row goes has its attempts ended first (`lost_agents`)."""
_LEASES = 30


class ForgottenComponents(Duty):
    """Removes rows that were not renewed for many leases.

    Parameters:
        lease_seconds: scheduler.lease_seconds.
    """

    def __init__(self, store: Store, rest_seconds: float, lease_seconds: float) -> None:
        super().__init__("forgotten-components", store, rest_seconds)
        self._gone_seconds = lease_seconds * _LEASES

    def turn(self) -> float | None:
        with self._store.read() as tx:
            oldest = tx.now() - timedelta(seconds=self._gone_seconds)
            kinds = sorted(
                {row.kind for row in tx.component_list() if row.kind in _KINDS and row.heartbeat_at < oldest}
            )
        if kinds:
            with self._store.begin() as tx:
                gone = [row for kind in kinds for row in tx.component_remove_lost(kind, self._gone_seconds)]
                tx.ring("changes")
            for row in gone:
                self.log.info("component_forgotten", kind=row.kind, component=row.name, last=row.heartbeat_at)
        return None
