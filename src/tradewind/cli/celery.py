"""`tradewind celery`: workers of the executor celery."""

from __future__ import annotations

import os
import signal
from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_rows
from tradewind.cli.world import settings
from tradewind.wire.errors import BadInput, NotFound

NOUN = Noun("celery", "Workers that take tasks from a message broker (executor celery)")
NOUNS = {NOUN.name: NOUN}
_ANSWER_SECONDS = 1.0
_WORKER = argument("worker", help="name of the worker, as list-workers shows it")


@NOUN.verb(
    "worker",
    argument("-q", "--queues", help="queues to take from, separated by commas (celery.queues)"),
    argument("-c", "--concurrency", type=int, help="attempts at once (celery.worker_concurrency)"),
    argument("-H", "--celery-hostname", help="name of the worker; default tradewind@HOST"),
)
def worker(given: Namespace) -> int:
    """Run a worker: it takes attempts from the broker and has the agent of this machine run them.

    SIGTERM lets the attempts in hand end (celery.drain_seconds); a second one does not wait.
    """
    _require_celery()
    from tradewind.app.celery_worker import run_worker
    from tradewind.app.first_start import make_folders

    found = settings()
    make_folders(found)
    queues = _names(given.queues or found.celery.queues)
    if not queues:
        raise BadInput("a worker needs at least one queue to take from; give --queues or celery.queues")
    concurrency = given.concurrency or found.celery.worker_concurrency
    if concurrency < 1:
        raise BadInput(f"concurrency must be 1 or more, not {concurrency}")
    return run_worker(found, queues, concurrency, given.celery_hostname)


@NOUN.verb("list-workers", OUTPUT)
def list_workers(given: Namespace) -> None:
    """List the workers that answer, with their queues and what they have in hand."""
    inspect = _app().control.inspect(timeout=_ANSWER_SECONDS)
    active, queues = inspect.active() or {}, inspect.active_queues() or {}
    stats = inspect.stats() or {}
    rows = [
        {
            "worker": name,
            "queues": ",".join(queue["name"] for queue in queues.get(name) or ()),
            "active": len(active.get(name) or ()),
            "concurrency": (stats.get(name) or {}).get("pool", {}).get("max-concurrency"),
            "pid": (stats.get(name) or {}).get("pid"),
        }
        for name in sorted({*active, *queues, *stats})
    ]
    show_rows(rows, given.output)


@NOUN.verb("shutdown-worker", _WORKER)
def shutdown_worker(given: Namespace) -> None:
    """Ask a worker to leave when its attempts have ended."""
    _require_known(given.worker)
    _app().control.shutdown(destination=[given.worker])
    print(f"{given.worker} was asked to leave")


@NOUN.verb("shutdown-all-workers")
def shutdown_all_workers(_given: Namespace) -> None:
    """Ask all workers to leave when their attempts have ended."""
    _app().control.shutdown()
    print("all workers were asked to leave")


@NOUN.verb("add-queue", _WORKER, argument("queue", help="name of the queue"))
def add_queue(given: Namespace) -> None:
    """Let a worker take from one more queue."""
    _require_known(given.worker)
    _app().control.add_consumer(given.queue, destination=[given.worker], reply=True, timeout=_ANSWER_SECONDS)
    print(f"{given.worker} takes from {given.queue}")


@NOUN.verb("remove-queue", _WORKER, argument("queue", help="name of the queue"))
def remove_queue(given: Namespace) -> None:
    """Let a worker take no more from a queue."""
    _require_known(given.worker)
    _app().control.cancel_consumer(given.queue, destination=[given.worker], reply=True, timeout=_ANSWER_SECONDS)
    print(f"{given.worker} does not take from {given.queue} any more")


@NOUN.verb("stop")
def stop(_given: Namespace) -> None:
    """Ask the worker of this home to leave when its attempts have ended."""
    from tradewind.app.celery_worker import PIDFILE

    path = settings().home / "run" / PIDFILE
    try:
        pid = int(path.read_text().strip())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        raise NotFound(f"no worker of this home runs ({path})") from None
    print(f"the worker with pid {pid} was asked to leave")


def _app() -> Any:
    _require_celery()
    from tradewind.executors.celery.words import make_app

    return make_app(settings().celery.broker_url)


def _require_known(name: str) -> None:
    found = sorted(_app().control.inspect(timeout=_ANSWER_SECONDS).ping() or {})
    if name not in found:
        raise NotFound(f"no worker {name!r} answers; those that do: {', '.join(found) or 'none'}")


def _require_celery() -> None:
    try:
        import celery  # noqa: F401
    except ImportError:
        raise BadInput("the executor celery is not installed; install tradewind[celery]") from None


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]
