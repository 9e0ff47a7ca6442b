"""Periodic duties, each a small service with its own rhythm. They may run beside each scheduler: what a turn writes is
one transaction that is right with any number of them.

| duty | what it mends |
| --- | --- |
| `LostAgents` | attempts of agents that fell silent |
| `ForgottenComponents` | heartbeat rows of processes that are long gone |
| `SlotsAudit` | counters of pools, limits and runs that differ from the rows they count |
| `OutboxDelivery` | (no mending) callbacks and notices that wait for delivery |
| `Deadlines` | (no mending) deadlines of runs and tasks that are due |
| `Retention` | (no mending) history that nobody wants any more |
| `CompletedBackfills` | backfills whose end nobody saw |
| `LateAssets` | (no mending) assets that did not change when they were expected to |
| `OrphanedHolds` | slots that instances of ended runs still hold |

Begin reading at `duty.Duty`; `maintenance_services` makes them all.
"""

from __future__ import annotations

from tradewind.kernel.clock import Clock
from tradewind.kernel.service import Service
from tradewind.kernel.settings import Settings
from tradewind.ports.store import Store
from tradewind.ports.vault import Vault

from .backfills import CompletedBackfills
from .components import ForgottenComponents
from .deadlines import Deadlines
from .late_assets import LateAssets
from .lost_agents import LostAgents
from .outbox import OutboxDelivery
from .retention import Retention
from .slots import OrphanedHolds, SlotsAudit

__all__ = [
    "maintenance_services",
    "CompletedBackfills",
    "LateAssets",
    "LostAgents",
    "ForgottenComponents",
    "SlotsAudit",
    "OrphanedHolds",
    "OutboxDelivery",
    "Retention",
]


def maintenance_services(store: Store, clock: Clock, settings: Settings, vault: Vault | None = None) -> list[Service]:
    """All duties, with the rhythms of the settings. Callbacks are delivered where there is a `vault`."""
    interval = settings.maintenance.interval_seconds
    return [
        *([OutboxDelivery(store, clock, vault, settings), Deadlines(store, vault)] if vault is not None else []),
        LostAgents(store, clock, settings.agent.lost_seconds, settings.core.infrastructure_retries_max),
        ForgottenComponents(store, interval, settings.scheduler.lease_seconds),
        SlotsAudit(store, interval),
        CompletedBackfills(store, interval),
        LateAssets(store, interval),
        Retention(store, settings),
        OrphanedHolds(store, interval, settings.maintenance.batch_max),
    ]
