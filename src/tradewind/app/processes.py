"""The mains of the serving processes. Each takes the settings, serves until a signal and returns its exit code."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import configure_logging
from tradewind.kernel.process import set_process_name
from tradewind.kernel.settings import Settings

if TYPE_CHECKING:
    from tradewind.server.app_factory import Api

BUNDLE = "dags"
"""Name of the bundle that core.dags_folder is."""
AGENT_PRELOAD = ("tradewind.standard.python", "tradewind.standard.bash", "tradewind.standard.empty")
"""Operators most DAG files use: every task shares them."""
_STOP_SECONDS = 8.0


def run_scheduler(settings: Settings) -> int:
    """Schedule: create runs, plan them, hand attempts to the executors; and the periodic duties beside it."""
    _be("scheduler", settings)
    from tradewind.app.executors import make_executors
    from tradewind.app.plugin_watch import PluginWatch
    from tradewind.app.plugs import open_database, open_vault
    from tradewind.app.scheduling import Place, SchedulerHeartbeat, SchedulerLoop
    from tradewind.kernel.service import ServiceGroup, run_until_signal
    from tradewind.maintenance import maintenance_services
    from tradewind.scheduler.loop import Scheduler, SchedulerOptions

    clock = SystemClock()
    place = Place(settings.home)
    store = open_database(settings)
    executors = make_executors(settings, clock, place.name, wake=lambda: scheduler.wake())
    options = SchedulerOptions(
        name=place.name,
        lease_seconds=settings.scheduler.lease_seconds,
        safety_poll_seconds=settings.scheduler.safety_poll_seconds,
        batch_max=settings.scheduler.batch_max,
    )
    scheduler = Scheduler(store, clock, executors, next(iter(executors)), options)
    group = ServiceGroup(
        "scheduler",
        [
            SchedulerLoop(scheduler, executors),
            SchedulerHeartbeat(scheduler, settings.scheduler.heartbeat_seconds),
            *maintenance_services(store, clock, settings, open_vault(settings)),
            PluginWatch(store, settings, "scheduler"),
        ],
        stop_seconds=_STOP_SECONDS,
    )
    try:
        return run_until_signal(group)
    finally:
        store.close()
        place.leave()


def run_api_server(settings: Settings, listener: socket.socket | None = None) -> int:
    """Serve the API: agents, probes, people. With api.workers above 1 in as many processes (`app.api_workers`).

    Parameters:
        listener: a socket that listens already; default: one is made from api.host and api.port.

    Raises:
        Unavailable: the address cannot be used.
    """
    if listener is None and settings.api.workers > 1:
        from tradewind.app.api_workers import run_workers

        return run_workers(settings)
    _be("api-server", settings)
    from tradewind.kernel.service import ServiceGroup, run_until_signal
    from tradewind.server.serving import ApiServer, listen

    if listener is None:
        listener = listen(settings)
        announce_admin(settings)
    api, close = make_api(settings)
    try:
        return run_until_signal(
            ServiceGroup("api-server", [ApiServer(api, [listener], api.close, settings)], stop_seconds=_STOP_SECONDS)
        )
    finally:
        close()


def make_api(settings: Settings) -> tuple[Api, Callable[[], None]]:
    """The application of the API server over the database that settings name, and what closes the database.

    Raises:
        NotFound, Conflict, Unavailable: the database does not fit or cannot be reached.
    """
    from tradewind.adapters.passwords import Argon2Passwords
    from tradewind.app.plugin_watch import PluginWatch, installed_plugins
    from tradewind.app.plugs import bearer_tokens, execution_key, open_database, open_vault
    from tradewind.commands.execution import ExecutionDesk
    from tradewind.domain.masking import also_sensitive
    from tradewind.domain.retry import RetryLimits
    from tradewind.kernel.ids import uuid7
    from tradewind.server.app_factory import create_api
    from tradewind.wire.workload import agent_credential

    also_sensitive(settings.secrets.sensitive_names.split(","))
    clock = SystemClock()
    store = open_database(settings)
    vault = open_vault(settings)
    limits = RetryLimits(
        infrastructure_tries_max=settings.core.infrastructure_retries_max,
        delay_seconds_max=settings.core.max_task_retry_delay_seconds,
        map_length_max=settings.core.max_map_length,
    )
    api = create_api(
        store,
        lambda: ExecutionDesk(store, clock, vault, lambda: str(uuid7()), limits),
        settings,
        clock,
        credential=agent_credential(execution_key(settings)),
        passwords=Argon2Passwords(),
        tokens=bearer_tokens(settings, clock),
        vault=vault,
        plugins=lambda: installed_plugins(settings),
    )
    watch = PluginWatch(store, settings, "api-server")
    watch.start()

    def close() -> None:
        watch.stop(_STOP_SECONDS)
        store.close()

    return api, close


def run_dag_processor(settings: Settings) -> int:
    """Keep the DAGs in step with their files, of core.dags_folder or of what bundles.sources names."""
    _be("dag-processor", settings)
    from tradewind.adapters.bundles_config import open_bundle, read_sources
    from tradewind.app.first_start import first_examples
    from tradewind.app.plugin_watch import PluginWatch
    from tradewind.app.plugs import open_database, open_vault
    from tradewind.commands.secrets import connection_facts
    from tradewind.kernel.service import Service, ServiceGroup, run_until_signal
    from tradewind.processor.lookups import LookupService
    from tradewind.processor.service import ProcessorService
    from tradewind.processor.timetables import TimetableService
    from tradewind.wire.execution import ConnectionFacts

    clock = SystemClock()
    store = open_database(settings)
    first_examples(store, settings)
    vault = open_vault(settings)

    def read_connection(conn_id: str) -> ConnectionFacts:
        with store.read() as tx:
            return connection_facts(tx, vault, conn_id)

    lookups = LookupService(store, vault, settings)
    # Inherited by the processes that load files: it holds a path, nothing secret.
    os.environ.update(lookups.environment())
    bundles = [
        open_bundle(source, settings.core.dags_folder, settings.bundles.root, clock, read_connection)
        for source in read_sources(settings.bundles.sources)
    ]
    services: list[Service] = [lookups]
    services += [ProcessorService(store, bundle, settings, clock) for bundle in bundles]
    services.append(TimetableService(store, settings, clock))
    services.append(PluginWatch(store, settings, "dag-processor"))
    try:
        return run_until_signal(ServiceGroup("dag-processor", services, stop_seconds=_STOP_SECONDS))
    finally:
        store.close()


def run_triggerer(settings: Settings) -> int:
    """Host the triggers of deferred tasks."""
    _be("triggerer", settings)
    from tradewind.app.triggering import serve_triggers

    return serve_triggers(settings)


def run_agent(settings: Settings) -> int:
    """Run tasks on this machine."""
    from tradewind.runtime.agent_main import run_agent as serve

    return serve(settings, preload=AGENT_PRELOAD)


MAINS: dict[str, Callable[[Settings], int]] = {
    "scheduler": run_scheduler,
    "api-server": run_api_server,
    "dag-processor": run_dag_processor,
    "triggerer": run_triggerer,
    "agent": run_agent,
}


def announce_admin(settings: Settings) -> None:
    """Make the first administrator when there is none; a generated password is printed, this once."""
    from tradewind.app.first_start import first_admin
    from tradewind.app.plugs import open_database

    store = open_database(settings)
    try:
        made = first_admin(store, settings)
    finally:
        store.close()
    if made is not None and made.generated_password is not None:
        print(f"administrator {made.username}, password {made.generated_password} (shown only now)", flush=True)


def _be(name: str, settings: Settings) -> None:
    configure_logging(level=settings.logs.level, line_format=settings.logs.format, process=name)
    set_process_name(f"tradewind-{name}")
    # What was imported so far stays: the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
