"""Watches that an asyncio loop turns: a trigger that blocks would hold up thousands of others without a word."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from types import FrameType

from tradewind.kernel.clock import Clock

_BEATS = 4
"""How often the loop shows up, and the watchdog looks, in the time that is allowed."""

Alarm = Callable[[float, list[FrameType]], None]
"""(seconds without a turn, frames of the loop's thread from the innermost outwards)"""


class Watchdog:
    """Made and started in the loop's thread.

    Parameters:
        seconds: after so long without a turn the alarm is raised, and again after each further stretch.
        on_blocked: called in the watchdog's own thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, clock: Clock, on_blocked: Alarm) -> None:
        self._loop = loop
        self._seconds = seconds
        self._clock = clock
        self._on_blocked = on_blocked
        self._turned = clock.monotonic()
        self._stopped = threading.Event()
        self._loop_thread = threading.get_ident()

    def start(self) -> None:
        self._turn()
        threading.Thread(target=self._watch, name="loop-watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _turn(self) -> None:
        self._turned = self._clock.monotonic()
        if not self._stopped.is_set():
            self._loop.call_later(self._seconds / _BEATS, self._turn)

    def _watch(self) -> None:
        told = 0
        while not self._stopped.wait(self._seconds / _BEATS):
            silent = self._clock.monotonic() - self._turned
            stretches = int(silent / self._seconds)
            if stretches > told:
                self._on_blocked(silent, self._frames())
            told = stretches

    def _frames(self) -> list[FrameType]:
        frame = sys._current_frames().get(self._loop_thread)
        frames: list[FrameType] = []
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        return frames
