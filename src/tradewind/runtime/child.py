"""The process of an attempt: waits for its START and GO, runs the task, says the verdict, and goes.

Made in three ways, all ending in `serve`: a fork of a template (`fork`, `reuse`), or a fresh interpreter
(`python -m tradewind.runtime.child`, isolation `spawn`). The process leads a session and process group of its own,
so that what it starts can be ended with it.
"""

from __future__ import annotations

import contextvars
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.sdk.values import ValueLimits
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.states import CauseOfDeath, Isolation, TaskInstanceState
from tradewind.wire.workload import Workload

from . import words
from .capture import STDERR, STDOUT, Capture, LineSender
from .channel import AgentClient, Channel, ChannelClosed
from .mask import Masker
from .reset import ProcessState
from .user_code import LoadFailed, Program, find_loader, load_failed
from .values import ValueStore
from .warmth import Warmth
from .words import FromChild, Start, ToChild

_workload = msgspec.msgpack.Decoder(Workload)
_log = logging.getLogger("tradewind.task")

ProgramOf = Callable[[Start, Workload], Program]


def become_child(parent_pid: int, stdout: int, stderr: int) -> None:
    """Make this fresh process one of its own: it dies with its parent, leads its session, prints into the pipes."""
    die_with_parent(parent_pid)
    os.setsid()
    os.dup2(stdout, STDOUT)
    os.dup2(stderr, STDERR)
    os.close(stdout)
    os.close(stderr)
    # SIGTERM before the attempt has begun ends the process plainly; terminals do not reach it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def serve(
    sock: socket.socket,
    program_of: ProgramOf,
    warmth: Warmth | None = None,
    capture: Capture | None = None,
    *,
    spare: bool = False,
) -> NoReturn:
    """Run the attempt that comes over `sock`; with isolation `reuse` one after another. Never returns.

    The process ends without Python's shutdown: the verdict is said, and what is left would only hold up the slot.
    """
    channel = Channel(sock)
    channel.leave_to_forks()
    state: ProcessState | None = None
    try:
        if warmth is not None and spare:
            warmth.prepare(channel.has_news)
        while True:
            attempt = next_attempt(channel, capture)
            capture = None
            reuse = attempt.workload.isolation is Isolation.REUSE
            if reuse and state is None:
                state = ProcessState()
            attempt.take_place(program_of)
            if not reuse or state is None:
                if warmth is not None:
                    warmth.learn()
                break
            if not state.put_back():
                channel.send(FromChild.WORN, b"")
                break
            channel.send(FromChild.READY, b"")
    except ChannelClosed:
        pass  # the agent has no more use for this process
    os._exit(0)


def next_attempt(channel: Channel, capture: Capture | None = None) -> Attempt:
    """Wait for START. `capture`: one that no attempt has used yet. Raises `ChannelClosed`."""
    start = _await_start(channel)
    return Attempt(channel, start, _workload.decode(start.payload), capture)


class Attempt:
    """One attempt in this process."""

    def __init__(self, channel: Channel, start: Start, workload: Workload, capture: Capture | None = None) -> None:
        self.clock = SystemClock()
        self.channel = channel
        self.start = start
        self.workload = workload
        self.masker = Masker(start.mask_length_min)
        self.client = AgentClient(channel, workload.token, ValueStore(start.values_url), self.masker, self.clock)
        self.sender = LineSender(channel, self.masker, self.clock, start.line_bytes_max)
        self.capture = capture or Capture()
        self.program: Program | None = None

    def take_place(self, program_of: ProgramOf) -> None:
        """From here to the verdict, with context variables of its own."""
        contextvars.Context().run(self._run, program_of)

    def _run(self, program_of: ProgramOf) -> None:
        """Prepare while the claim is under way, wait for GO, run, tell the verdict."""
        before = _usage()
        self.capture.begin(self.sender, self.start.log_level)
        try:
            self.program = program_of(self.start, self.workload)
            inputs = self._await_go()
            outcome = self._run_task(self.program, inputs)
        except LoadFailed as error:
            outcome = self._launch_failure(error)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.capture.flush()
        self.client.verdict(_with_usage(outcome, before))

    def _await_go(self) -> dict[str, XComValue]:
        while True:
            found = self.channel.receive()
            assert found is not None  # without patience there is no "not in time"
            kind, payload = found
            if kind == ToChild.GO:
                return words.decode_inputs(payload)

    def _run_task(self, program: Program, inputs: dict[str, XComValue]) -> Outcome:
        started_at = self.clock.now()
        signal.signal(signal.SIGTERM, self._terminate)
        try:
            limits = ValueLimits(self.start.inline_bytes_max, self.start.value_bytes_max)
            return program.run(self.workload, self.client, inputs, clock=self.clock, on_started=_nothing, limits=limits)
        except BaseException as error:
            # A program answers with outcomes. What it lets through, however, must not end the process without one.
            _log.error("the task ended with %s", type(error).__name__, exc_info=error)
            return Outcome(
                state=TaskInstanceState.FAILED,
                cause=CauseOfDeath.EXCEPTION,
                reason=f"{type(error).__name__}: {error}".removesuffix(": "),
                started_at=started_at,
                ended_at=self.clock.now(),
            )

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked once is enough; the agent's patience ends with SIGKILL
        assert self.program is not None
        self.channel.raise_soon(self.program.terminate())

    def _launch_failure(self, error: LoadFailed) -> Outcome:
        self.sender.send("error", "agent", f"{error}\n{error.trace}".rstrip())
        return Outcome(state=TaskInstanceState.FAILED, cause=CauseOfDeath.LAUNCH, reason=str(error))


def _await_start(channel: Channel) -> Start:
    while True:
        found = channel.receive()
        if found is not None and found[0] == ToChild.START:
            return words.decode_start(found[1])
        # A reply that came too late for the attempt before.


def _usage() -> float:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _with_usage(outcome: Outcome, cpu_before: float) -> Outcome:
    return msgspec.structs.replace(
        outcome,
        max_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,  # the kernel counts KiB
        cpu_seconds=round(_usage() - cpu_before, 6),
    )


def _nothing() -> None:
    """The outcome itself carries when it started."""


def main(arguments: list[str]) -> NoReturn:
    """A fresh interpreter for one attempt: `python -m tradewind.runtime.child CHANNEL_FD PARENT_PID LOADER`."""
    descriptor, parent, loader = int(arguments[0]), int(arguments[1]), arguments[2]
    die_with_parent(parent)
    set_process_name("tradewind-task")
    load = find_loader(loader)

    def program_of(start: Start, workload: Workload) -> Program:
        try:
            return load(Path(start.tree), workload.file)
        except BaseException as error:  # sys.exit() in a DAG file, too, is a failed launch
            raise load_failed(workload.file, error) from error

    serve(socket.socket(fileno=descriptor), program_of)


if __name__ == "__main__":
    main(sys.argv[1:])
