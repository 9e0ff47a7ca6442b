"""Several processes that serve the API on one socket, under a parent that serves nothing itself.

SIGTERM and SIGINT stop them all, each after the requests it has in hand. SIGHUP replaces them one for one, with
settings read anew: the socket stays open all the time, and the old ones go when the new ones serve, so no request is
lost.
"""

from __future__ import annotations

import gc
import importlib
import sys

from tradewind.app.processes import announce_admin, run_api_server
from tradewind.app.standalone.children import Started, fork_child
from tradewind.app.standalone.supervisor import ChildSpec, Supervisor
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import configure_logging
from tradewind.kernel.process import set_process_name
from tradewind.kernel.settings import Settings, load_settings

_SHARED = ("tradewind.server.app_factory", "tradewind.server.serving", "tradewind.commands.execution")
_STOP_SECONDS = 10.0


def run_workers(settings: Settings) -> int:
    """Serve with api.workers processes until a signal; the exit code.

    Raises:
        Unavailable: the address cannot be used.
        InvalidSetting: certificate and key cannot be used.
    """
    configure_logging(level=settings.logs.level, line_format=settings.logs.format, process="api-server")
    set_process_name("tradewind-api-parent")
    from tradewind.server.serving import listen

    listener = listen(settings)
    announce_admin(settings)
    for name in _SHARED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()

    def start() -> Started:
        return fork_child(lambda: run_api_server(load_settings(), listener))

    options = settings.standalone
    supervisor = Supervisor(
        [ChildSpec(f"worker-{number}", start, 0, 1.0, renewable=True) for number in range(1, settings.api.workers + 1)],
        SystemClock(),
        _write,
        restart_seconds_min=options.restart_seconds_min,
        restart_seconds_max=options.restart_seconds_max,
        stop_seconds=_STOP_SECONDS,
    )
    supervisor.run()
    return 3 if supervisor.forced else 0


def _write(name: str, line: str) -> None:
    print(f"{name:9} {line}" if not line.startswith("{") else line, file=sys.stderr, flush=True)
