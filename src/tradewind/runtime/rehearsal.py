"""Whole attempts of nothing, in the zygote: what a child does around its task is done there beforehand, too.

See `sdk.rehearsal` for why. Nothing of it stays: streams, loggers and signals are as they were before.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable

import msgspec

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk.execution import run_task
from tradewind.sdk.rehearsal import TIMES, rehearsal_task, rehearsal_workload
from tradewind.sdk.values import ValueLimits
from tradewind.wire.execution import Go, Outcome, XComValue
from tradewind.wire.workload import Workload

from . import words
from .channel import Channel
from .child import next_attempt
from .forks import Brood
from .framing import frame, read_frame
from .loop import Loop
from .words import FromChild, Start, ToChild


class _Play:
    """A loaded file with one task that does nothing."""

    def __init__(self) -> None:
        self._task = rehearsal_task()

    def run(
        self,
        workload: Workload,
        client: TaskClient,
        inputs: dict[str, XComValue],
        *,
        clock: Clock,
        on_started: Callable[[], None],
        limits: ValueLimits,
    ) -> Outcome:
        return run_task(self._task, workload, client, inputs, clock=clock, on_started=on_started, limits=limits)

    def terminate(self) -> BaseException:
        return SystemExit()


def rehearse_attempts(times: int = TIMES) -> int:
    """Play the child and its agent in this process, so often; how many attempts ended with a verdict.

    To be called in the main thread, where nothing else goes on.
    """
    play = _Play()
    start = Start(
        payload=msgspec.msgpack.encode(rehearsal_workload()),
        tree="/nowhere",
        hostname="",
        values_url="",
        inline_bytes_max=1024,
        value_bytes_max=1024,
        line_bytes_max=1024,
        mask_length_min=5,
        log_level="info",
    )
    opening = frame(ToChild.START, words.encode_start(start)) + frame(ToChild.GO, words.encode_go(Go({})))
    root = logging.getLogger()
    streams, handlers, level = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__), root.handlers[:], root.level
    on_terminate = signal.getsignal(signal.SIGTERM)
    heard = 0
    try:
        for _ in range(times):
            heard += _play_once(play, opening)
    finally:
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
        root.handlers[:] = handlers
        root.setLevel(level)
        signal.signal(signal.SIGTERM, on_terminate)
    return heard


def _play_once(play: _Play, opening: bytes) -> bool:
    loop = Loop()
    Brood(loop).forget_in_child()
    loop.close()
    agent, child = socket.socketpair()
    with agent:
        agent.sendall(opening)
        channel = Channel(child)
        next_attempt(channel).take_place(lambda _start, _workload: play)
        channel.abandon()
        agent.settimeout(5.0)
        while (found := read_frame(agent)) is not None:
            if found[0] == FromChild.VERDICT:
                return True
    return False
