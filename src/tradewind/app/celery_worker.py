"""The process `tradewind celery worker`: a consumer of the broker, and the agent that does the work, under a parent."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence

from tradewind.app.plugs import execution_key
from tradewind.app.standalone.children import Started, exec_child, fork_child
from tradewind.app.standalone.supervisor import ChildSpec, Supervisor
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import configure_logging, get_logger
from tradewind.kernel.process import PidFile, set_process_name
from tradewind.kernel.settings import Settings
from tradewind.wire.errors import AlreadyRunning

PIDFILE = "celery-worker.pid"
_AGENT_STOP_SHARE = 0.3
_log = get_logger("celery-worker")


def run_worker(settings: Settings, queues: Sequence[str], concurrency: int, hostname: str | None) -> int:
    """Take attempts from the broker until SIGTERM, then let those in hand end; a second signal does not wait.

    Parameters:
        queues: to take from.
        concurrency: attempts at once.
        hostname: name among the workers; default `tradewind@` and the name of this machine.

    Raises:
        AlreadyRunning: there is a worker on this home.
    """
    configure_logging(level=settings.logs.level, line_format=settings.logs.format, process="celery-worker")
    set_process_name("tradewind-celery")
    execution_key(settings)
    name = hostname or f"tradewind@{socket.gethostname()}"
    name = name if "@" in name else f"{name}@{socket.gethostname()}"

    def start_agent() -> Started:
        os.environ["TRADEWIND_HOME"] = str(settings.home)
        # The agent must have a slot for each of the worker's threads.
        os.environ["TRADEWIND__CORE__PARALLELISM"] = str(concurrency)
        return exec_child([sys.executable, "-m", "tradewind", "agent"])

    specs = [ChildSpec("consumer", lambda: fork_child(lambda: consume(settings, queues, concurrency, name)), 0, 0.7)]
    if _agent_runs(settings):
        _log.info("agent_shared", socket=str(settings.agent.socket))
    else:
        specs.insert(0, ChildSpec("agent", start_agent, 1, _AGENT_STOP_SHARE))
    options = settings.standalone
    with PidFile(settings.home / "run" / PIDFILE):
        supervisor = Supervisor(
            specs,
            SystemClock(),
            lambda child, line: print(f"{child:10} {line}", file=sys.stderr, flush=True),
            restart_seconds_min=options.restart_seconds_min,
            restart_seconds_max=options.restart_seconds_max,
            stop_seconds=max(settings.celery.drain_seconds, options.stop_seconds),
        )
        supervisor.run()
    return 0


def consume(settings: Settings, queues: Sequence[str], concurrency: int, name: str) -> int:
    """The consumer. Returns its exit code when it was asked to leave and what it has in hand is over."""
    from tradewind.executors.celery.worker import run_consumer

    configure_logging(level=settings.logs.level, line_format=settings.logs.format, process="celery-worker")
    set_process_name("tradewind-consumer")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return run_consumer(
        settings.celery.broker_url,
        settings.agent.socket,
        execution_key(settings),
        queues,
        concurrency,
        name,
        settings.logs.level,
    )


def _agent_runs(settings: Settings) -> bool:
    """Whether another process serves the socket of the agent."""
    lock = PidFile(settings.agent.socket.with_suffix(".pid"))
    try:
        lock.acquire()
    except AlreadyRunning:
        return True
    lock.release()
    return False


__all__ = ["PIDFILE", "consume", "run_worker"]
