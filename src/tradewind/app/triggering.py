"""The triggerer as a process."""

from __future__ import annotations

import os

from tradewind.app.plugs import open_database, open_vault
from tradewind.app.scheduling import Place
from tradewind.commands.trigger_desk import TriggerDesk
from tradewind.domain.retry import RetryLimits
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.service import ServiceGroup, run_until_signal
from tradewind.kernel.settings import Settings
from tradewind.runtime.agent_settings import task_environment
from tradewind.triggerer.service import Triggerer, TriggererOptions

_STOP_SECONDS = 5.0


def serve_triggers(settings: Settings) -> int:
    """Host triggers until a signal; the exit code."""
    clock = SystemClock()
    place = Place(settings.home, "triggerer")
    store = open_database(settings)
    limits = RetryLimits(
        infrastructure_tries_max=settings.core.infrastructure_retries_max,
        delay_seconds_max=settings.core.max_task_retry_delay_seconds,
        map_length_max=settings.core.max_map_length,
    )
    desk = TriggerDesk(store, clock, open_vault(settings), _new_id, limits)
    service = Triggerer(store, clock, desk, options_of(settings, place.name), _new_id)
    try:
        return run_until_signal(ServiceGroup("triggerer", [service], stop_seconds=_STOP_SECONDS))
    finally:
        store.close()
        place.leave()


def options_of(settings: Settings, name: str) -> TriggererOptions:
    """What a triggerer of this installation must know."""
    own = settings.triggerer
    return TriggererOptions(
        name=name,
        capacity=own.capacity,
        queues=tuple(part.strip() for part in own.queues.split(",") if part.strip()) or None,
        lease_seconds=own.lease_seconds,
        heartbeat_seconds=own.heartbeat_seconds,
        safety_poll_seconds=own.safety_poll_seconds,
        blocked_seconds=own.blocked_seconds,
        kill_seconds=own.kill_seconds,
        idle_seconds=own.idle_seconds,
        bundles_root=settings.bundles.root,
        logs_folder=settings.logs.folder,
        values_url=settings.values.url,
        line_bytes_max=settings.logs.line_bytes_max,
        mask_length_min=settings.secrets.mask_length_min,
        log_level=settings.logs.level,
        environment=task_environment(settings.home, os.environ),
    )


def _new_id() -> str:
    return str(uuid7())
