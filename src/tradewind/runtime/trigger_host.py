"""The process that hosts triggers: one asyncio loop for many thousands of them, made by a triggerer.

`python -m tradewind.runtime.trigger_host CHANNEL_FD PARENT_PID`. The loop belongs to the triggers; a thread reads what
the triggerer says, another watches that the loop turns and tells who holds it up.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import msgspec

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.sdk.attempt import Attempt, attempt_at_hand, work_here
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.triggers import ANY_CLASS, BaseTaskEndEvent, BaseTrigger, first_event, make_trigger
from tradewind.sdk.values import from_json, to_json
from tradewind.sdk.wait_here import outcome_of
from tradewind.wire.errors import InvalidValue
from tradewind.wire.workload import Workload

from . import trigger_words as words
from .framing import BrokenStream, read_frame
from .mask import Masker
from .trigger_channel import HostChannel, TriggerClient, TriggerOutput
from .trigger_words import FromHost, HostStart, RunTrigger, ToHost
from .values import ValueStore
from .watchdog import Watchdog

_STOP_SECONDS = 1.0
_DAG_MODULE = "tradewind_dag_"
_log = logging.getLogger("tradewind.triggers")
_workload = msgspec.msgpack.Decoder(Workload)
current: contextvars.ContextVar[Running | None] = contextvars.ContextVar("tradewind_trigger", default=None)
"""The trigger that this code belongs to."""


class Running:
    """One trigger in this process."""

    def __init__(self, host: Host, wanted: RunTrigger) -> None:
        self.host = host
        self.wanted = wanted
        self.token = wanted.token
        self.trigger: BaseTrigger | None = None
        self.task: asyncio.Task[None] | None = None

    async def live(self) -> None:
        """From the making of the trigger to its first event."""
        current.set(self)
        client = TriggerClient(self.host.channel, self.token, self.host.values, self.host.masker)
        work_here(Attempt(client, self.token, self.host.clock))
        try:
            self.trigger = trigger = await self._made()
            event = await first_event(trigger)
            if isinstance(event, BaseTaskEndEvent):
                self._over(words.Fired(token=self.token, outcome=outcome_of(event)))
            else:
                self._over(words.Fired(token=self.token, event=self._payload(event.payload)))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # user code; sys.exit() in a trigger is its failure, not the host's
            text = "".join(traceback.format_exception(error))
            self._over(words.Fired(token=self.token, error=self.host.masker.text(text)))
        finally:
            self.host.running.pop(self.token, None)

    async def kill(self) -> None:
        """The task was ended by a person or a rule: let the trigger end what it started elsewhere."""
        if self.trigger is not None and self.task is not None and not self.task.done():
            current.set(self)
            seconds = self.host.start.kill_seconds
            try:
                await asyncio.wait_for(self.trigger.on_kill(), seconds)
            except TimeoutError:
                _log.warning("on_kill of the trigger took longer than %g s", seconds)
            except Exception as error:
                _log.warning("on_kill of the trigger failed", exc_info=error)
        self.cancel()

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def saved(self, number: int) -> None:
        """An event is stored; only watchers wait for that."""

    async def _made(self) -> BaseTrigger:
        """The trigger. What has to load a DAG file or render templates does so beside the loop, one at a time."""
        if not self.wanted.workload:
            return self._make()
        async with self.host.loading:
            return await asyncio.to_thread(self._make)

    def _make(self) -> BaseTrigger:
        wanted = self.wanted
        self.host.load(wanted.classpath, wanted.file)
        trigger = make_trigger(wanted.classpath, self._kwargs())
        trigger.trigger_id = wanted.token
        trigger.task_instance = SimpleNamespace(
            dag_id=wanted.dag_id,
            run_id=wanted.run_id,
            task_id=wanted.task_id,
            map_index=wanted.map_index,
            try_number=wanted.try_number,
        )
        return trigger

    def _kwargs(self) -> dict[str, Any]:
        wanted = self.wanted
        if not wanted.workload:
            kwargs: dict[str, Any] = from_json(wanted.kwargs.encode(), ANY_CLASS)
            return kwargs
        from .trigger_start import start_kwargs  # it loads what templates need

        attempt = attempt_at_hand()
        assert attempt is not None
        workload = _workload.decode(wanted.workload)
        return start_kwargs(self.host.dag(wanted.file, wanted.dag_id), workload, attempt, self.host.clock)

    def _payload(self, payload: Any) -> str:
        try:
            return to_json(payload).decode()
        except InvalidValue as error:
            raise AirflowException(f"the event of {self.wanted.classpath} cannot be handed on: {error}") from error

    def _over(self, fired: words.Fired) -> None:
        self.host.channel.send(FromHost.FIRED, words.encode(fired))


class Host:
    """All triggers of this process. `run` serves until the triggerer says stop, or is gone."""

    def __init__(self, sock: socket.socket) -> None:
        self.clock: Clock = SystemClock()
        self.channel = HostChannel(sock)
        self.running: dict[str, Running] = {}
        self._sock = sock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self.loading = asyncio.Lock()
        self._loaded: dict[str, Any] = {}
        self._helpers: set[asyncio.Task[None]] = set()
        self.streams: Any = None
        """`trigger_watch.Streams`, once a watcher shares one."""

    def run(self) -> None:
        first = read_frame(self._sock)
        if first is None or first[0] != ToHost.START:
            return
        self.start: HostStart = words.decode_start(first[1])
        self.masker = Masker(self.start.mask_length_min)
        self.values = ValueStore(self.start.values_url)
        if self.start.tree:
            sys.path.insert(0, self.start.tree)
        output = TriggerOutput(self.channel, self.masker, self.clock, self.start.line_bytes_max, _current_token)
        output.begin(self.start.log_level)
        asyncio.run(self._serve())

    def load(self, classpath: str, file: str) -> None:
        """Make the module of a DAG file known, for a trigger that is defined in it."""
        if classpath.startswith(_DAG_MODULE):
            self._load_file(file)

    def dag(self, file: str, dag_id: str) -> Any:
        """A DAG of the tree. Raises `AirflowException` when the file cannot be loaded or does not define it."""
        self._load_file(file)
        loaded = self._loaded[file]
        if dag_id not in loaded.dags:
            why = loaded.errors[0].message if loaded.errors else "it defines other DAGs"
            raise AirflowException(f"DAG {dag_id!r} is not in {file}: {why}")
        return loaded.dags[dag_id]

    def _load_file(self, file: str) -> None:
        if file in self._loaded:
            return
        from tradewind.sdk.loading import load_dag_file

        name = f"{_DAG_MODULE}{hashlib.sha256(file.encode()).hexdigest()[:12]}"
        tree = Path(self.start.tree)
        self._loaded[file] = load_dag_file(tree / file, bundle_root=tree, module_name=name)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_unhandled)
        watchdog = Watchdog(self._loop, self.start.blocked_seconds, self.clock, self._blocked)
        watchdog.start()
        threading.Thread(target=self._listen, name="triggerer-channel", daemon=True).start()
        self.channel.send(FromHost.READY, b"")
        await self._stop.wait()
        watchdog.stop()
        for running in list(self.running.values()):
            running.cancel()
        tasks = [running.task for running in self.running.values() if running.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)

    def _listen(self) -> None:
        """In a thread of its own: replies go to who waits for them, the rest to the loop."""
        assert self._loop is not None
        while True:
            try:
                found = read_frame(self._sock)
            except (OSError, BrokenStream):
                found = None
            if found is None:
                os._exit(0)  # the triggerer is gone: others have its triggers, or will
            kind, payload = found
            if kind == ToHost.REPLY:
                self.channel.answered(words.decode_reply(payload))
            else:
                self._loop.call_soon_threadsafe(self._hear, kind, payload)

    def _hear(self, kind: int, payload: bytes) -> None:
        if kind == ToHost.RUN:
            self._begin(words.decode_run(payload))
        elif kind == ToHost.CANCEL:
            cancel = words.decode_cancel(payload)
            running = self.running.get(cancel.token)
            if running is not None and cancel.killed:
                self._help(running.kill())
            elif running is not None:
                running.cancel()
        elif kind == ToHost.SAVED:
            saved = words.decode_saved(payload)
            watching = self.running.get(saved.token)
            if watching is not None:
                watching.saved(saved.number)
        elif kind == ToHost.STOP:
            self._stop.set()

    def _begin(self, wanted: RunTrigger) -> None:
        if wanted.token not in self.running:
            running = self.running[wanted.token] = self._running(wanted)
            running.task = asyncio.ensure_future(running.live())

    def _running(self, wanted: RunTrigger) -> Running:
        if not wanted.is_watcher:
            return Running(self, wanted)
        from .trigger_watch import Watching  # few hosts have watchers

        return Watching(self, wanted)

    def _help(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    def _blocked(self, seconds: float, frames: list[Any]) -> None:
        """The loop stands still: tell who holds it. In the watchdog's thread."""
        token = next(
            (
                frame.f_locals["self"].token
                for frame in frames
                if frame.f_code is Running.live.__code__ and "self" in frame.f_locals
            ),
            "",
        )
        inner = frames[0]
        where = f"{inner.f_code.co_filename}:{inner.f_lineno} in {inner.f_code.co_name}"
        own = next((frame for frame in frames if _is_user_code(frame.f_code.co_filename)), inner)
        if own is not inner:
            where = f"{own.f_code.co_filename}:{own.f_lineno} in {own.f_code.co_name}"
        self.channel.send(FromHost.BLOCKED, words.encode(words.Blocked(token=token, seconds=seconds, where=where)))


_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = os.path.dirname(os.__file__) + os.sep


def _is_user_code(file: str) -> bool:
    return not file.startswith((_OWN_FOLDER, _STDLIB, "<"))


def _current_token() -> str:
    running = current.get()
    return "" if running is None else running.token


def _unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("%s", context.get("message"), exc_info=context.get("exception"))


def main(arguments: list[str]) -> NoReturn:
    descriptor, parent = int(arguments[0]), int(arguments[1])
    die_with_parent(parent)
    set_process_name("tradewind-trig")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What `asyncio` and the operators that come in the box need anyway, before the first trigger.
    importlib.import_module("tradewind.sdk.loading")
    Host(socket.socket(fileno=descriptor)).run()
    os._exit(0)


if __name__ == "__main__":
    # One module, not two: triggers must find the same `current`.
    importlib.import_module("tradewind.runtime.trigger_host").main(sys.argv[1:])
