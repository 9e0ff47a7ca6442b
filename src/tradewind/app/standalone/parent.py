"""The parent: prepare, start, watch, stop.

The children of the control plane are forks of this process: it imports once what they share, and the pages stay shared.
It runs no thread and opens no database, so that a fork is always safe; what must be made first is made by a child. The
agent is a fresh program: it must not carry the control plane's memory into its tasks.
"""

from __future__ import annotations

import gc
import importlib
import os
import socket
import sys

import msgspec

from tradewind.app.first_start import Prepared, make_folders, prepare
from tradewind.app.plugs import execution_key
from tradewind.app.processes import run_api_server, run_dag_processor, run_scheduler, run_triggerer
from tradewind.app.standalone.children import Started, exec_child, fork_child
from tradewind.app.standalone.readiness import local_address, summary, wait_ready
from tradewind.app.standalone.supervisor import ChildSpec, Supervisor
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import configure_logging
from tradewind.kernel.process import PidFile, set_process_name
from tradewind.kernel.settings import Settings

PIDFILE = "standalone.pid"
SHARED = (
    "tradewind.app.scheduling",
    "tradewind.store.sql",
    "tradewind.executors.local",
    "tradewind.maintenance",
    "tradewind.processor.service",
    "tradewind.triggerer.service",
    "tradewind.adapters.bundles",
    "tradewind.commands.execution",
    "tradewind.server.app_factory",
    "tradewind.server.serving",
)
"""What the forked children need, imported before they are made."""
_NAME_WIDTH = 13
_COLOURS = {"scheduler": "36", "api-server": "35", "dag-processor": "34", "agent": "33", "triggerer": "32"}
_READY = "ready"


def run_standalone(settings: Settings) -> int:
    """Run everything on this machine until SIGTERM or SIGINT; the exit code.

    Raises:
        AlreadyRunning: there is another one on this home.
        InvalidSetting, Conflict, Unavailable: it cannot start; says why.
    """
    clock = SystemClock()
    make_folders(settings)
    with PidFile(settings.home / "run" / PIDFILE):
        configure_logging(level=settings.logs.level, line_format=settings.logs.format, process="standalone")
        set_process_name("tradewind")
        execution_key(settings)
        parent = _Parent(settings, clock)
        return parent.run()


class _Parent:
    def __init__(self, settings: Settings, clock: SystemClock) -> None:
        self._settings = settings
        self._clock = clock
        self._started = clock.monotonic()
        self._coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        self._prepared = Prepared()
        self._listener: socket.socket | None = None
        self._told = False
        options = settings.standalone
        self._supervisor = Supervisor(
            self._specs(),
            clock,
            self._write,
            restart_seconds_min=options.restart_seconds_min,
            restart_seconds_max=options.restart_seconds_max,
            stop_seconds=options.stop_seconds,
        )

    def run(self) -> int:
        # Both take their time, side by side: the database is made ready while this process imports.
        self._supervisor.start("agent")
        preparation = _Preparation(self._settings)
        _import_shared()
        self._prepared = preparation.wait()
        self._listener = _listen(self._settings)
        self._supervisor.run()
        self._tell_password()
        return 0

    def _specs(self) -> list[ChildSpec]:
        settings = self._settings

        def start_api() -> Started:
            return fork_child(lambda: run_api_server(settings, self._listener))

        names = ["api-server", *(f"api-server-{number}" for number in range(2, settings.api.workers + 1))]
        return [
            *(ChildSpec(name, start_api, 2, 0.15) for name in names),
            ChildSpec("scheduler", lambda: fork_child(lambda: run_scheduler(settings)), 0, 0.2),
            ChildSpec("dag-processor", lambda: fork_child(lambda: run_dag_processor(settings)), 0, 0.2),
            ChildSpec("triggerer", lambda: fork_child(lambda: run_triggerer(settings)), 0, 0.2),
            ChildSpec("agent", lambda: _start_agent(settings), 1, 0.65),
            ChildSpec(_READY, lambda: fork_child(self._announce), 0, 0.2, once=True),
        ]

    # --- in the child `ready` ----------------------------------------------------------------------------------------

    def _announce(self) -> int:
        wait_ready(*local_address(self._settings), self._clock, print, tls=bool(self._settings.api.tls_cert))
        print(summary(self._settings, self._clock.monotonic() - self._started, self._admin()))
        return 0

    def _admin(self) -> str:
        made = self._prepared
        if made.admin_password is not None:
            return f"{made.admin_username}, password {made.admin_password} (shown only now)"
        if made.admin_username is not None:
            return f"{made.admin_username}, with the password of auth.admin_password"
        return "as set at the first start"

    # --- what people see ---------------------------------------------------------------------------------------------

    def _write(self, name: str, line: str) -> None:
        if name == _READY:
            # The only lines that are meant for standard output.
            self._told = self._told or (self._prepared.admin_password or "") in line
            print(line, flush=True)
            return
        if self._settings.logs.format == "json":
            text = line
        elif self._coloured:
            text = f"\x1b[{_COLOURS.get(name, '0')}m{name:{_NAME_WIDTH}}\x1b[0m {line}"
        else:
            text = f"{name:{_NAME_WIDTH}} {line}"
        print(text, file=sys.stderr, flush=True)

    def _tell_password(self) -> None:
        """Stopped before it was ready: the password would never be seen."""
        if not self._told and self._prepared.admin_password is not None:
            print(f"sign-in: {self._admin()}", flush=True)


class _Preparation:
    """What must be made before anything runs, made by a child: its result, or its exit code."""

    def __init__(self, settings: Settings) -> None:
        self._reader, writer = os.pipe2(os.O_CLOEXEC)

        def make() -> int:
            prepared = prepare(settings)
            os.write(writer, msgspec.json.encode(prepared))
            return 0

        self._child: Started = fork_child(make)
        os.close(writer)

    def wait(self) -> Prepared:
        """Raises:
        SystemExit: it failed, and said why.
        """
        with os.fdopen(self._reader, "rb") as answer:
            raw = answer.read()
        _, status = os.waitpid(self._child.pid, 0)
        self._pass_on()
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise SystemExit(code if code > 0 else 1)
        return msgspec.json.decode(raw, type=Prepared)

    def _pass_on(self) -> None:
        with os.fdopen(self._child.output, "rb") as output:
            said = output.read() or b""
        sys.stderr.write(said.decode("utf-8", "replace"))
        sys.stderr.flush()


def _import_shared() -> None:
    for name in SHARED:
        importlib.import_module(name)
    # Whatever is garbage now would be copied into every child.
    gc.collect()
    gc.freeze()


def _start_agent(settings: Settings) -> Started:
    os.environ["TRADEWIND_HOME"] = str(settings.home)
    return exec_child([sys.executable, "-m", "tradewind", "agent"])


def _listen(settings: Settings) -> socket.socket:
    """Taken here, so that a clash shows at once and a restart of the server loses no connection."""
    from tradewind.server.serving import listen

    return listen(settings)
