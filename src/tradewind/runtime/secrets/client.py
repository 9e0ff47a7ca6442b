"""The agent's side of the secrets host: starts it when somebody first asks, keeps what it said for a while."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.runtime.framing import FrameStream
from tradewind.runtime.loop import Loop, Timer

from . import host_words as words
from .host_words import Ask, Found, Kind, Open

_MODULE = "tradewind.runtime.secrets.host"
_KEPT_MAX = 10_000
_log = get_logger("secrets")
Told = Callable[[Found], None]


class SecretsSettings(NamedTuple):
    """Which backends, and how patient to be with them."""

    backend: str = ""
    """Empty: there are none, and nothing is started."""
    kwargs: str = ""
    cache_seconds: float = 60.0
    """How long an answer is kept, also "not here"; 0: not at all."""
    timeout_seconds: float = 15.0


class _Waiting(NamedTuple):
    kind: Kind
    name: str
    told: Told
    timer: Timer


class SecretsClient:
    """Asks the backends of this worker. For the loop's thread.

    A backend that does not answer in time, or whose process dies, knows nothing: the server is asked next.
    """

    def __init__(self, loop: Loop, settings: SecretsSettings, clock: Clock) -> None:
        self._loop = loop
        self._settings = settings
        self._clock = clock
        self._numbers = itertools.count(1)
        self._asked: dict[int, _Waiting] = {}
        self._kept: OrderedDict[tuple[Kind, str], tuple[float, Found]] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: FrameStream | None = None

    @property
    def enabled(self) -> bool:
        return bool(self._settings.backend)

    def ask(self, kind: Kind, name: str, told: Told) -> None:
        """Have `told` called with what the backends know, now or later."""
        kept = self._kept.get((kind, name))
        if kept is not None and self._clock.monotonic() < kept[0]:
            told(kept[1])
            return
        number = next(self._numbers)
        timer = self._loop.after(self._settings.timeout_seconds, lambda: self._too_late(number))
        self._asked[number] = _Waiting(kind, name, told, timer)
        self._open().send(words.FRAME, words.encode(Ask(number, kind, name)))

    def close(self) -> None:
        """End the host; whoever still waits is not told."""
        self._asked.clear()
        if self._stream is not None:
            self._stream.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._stream = self._process = None

    def _open(self) -> FrameStream:
        if self._stream is not None:
            return self._stream
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        stream = FrameStream(self._loop, ours, lambda _kind, payload: self._heard(payload), self._died)
        stream.send(words.FRAME, words.encode(Open(self._settings.backend, self._settings.kwargs)))
        self._stream = stream
        return stream

    def _heard(self, payload: bytes) -> None:
        found = words.decode_found(payload)
        waiting = self._asked.pop(found.number, None)
        if found.problem:
            _log.error("secrets_backend_unusable", reason=found.problem)
        if waiting is None:
            return
        waiting.timer.cancel()
        if not found.problem and self._settings.cache_seconds > 0:
            self._kept[waiting.kind, waiting.name] = (self._clock.monotonic() + self._settings.cache_seconds, found)
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        waiting.told(found)

    def _too_late(self, number: int) -> None:
        waiting = self._asked.pop(number, None)
        if waiting is not None:
            _log.warning("secrets_backend_slow", name=waiting.name, seconds=self._settings.timeout_seconds)
            waiting.told(Found(number))
            # It is stuck with this question; the next one gets a fresh process.
            self._restart()

    def _died(self) -> None:
        _log.warning("secrets_host_died")
        self._restart()

    def _restart(self) -> None:
        waiting, self._asked = list(self._asked.items()), {}
        if self._stream is not None:
            self._stream.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._stream = self._process = None
        for number, each in waiting:
            each.timer.cancel()
            each.told(Found(number))
