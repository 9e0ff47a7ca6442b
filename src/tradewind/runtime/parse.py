"""Loading DAG files from a server process: the parse host as an object on a loop.

The host is a process of its own (`parse_host`); this side imports no user code and not the SDK's weight.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from tradewind.sdk.defaults import Defaults

from . import parse_words as words
from .framing import FrameStream
from .loop import Loop
from .parse_words import HostOrder, HostReady, ParseAnswer, ParseLimits, ParseOrder

_FRAME = 1
_MODULE = "tradewind.runtime.parse_host"


class ParseHost:
    """A running parse host. All methods are for the loop's thread, which has to live as long as the host.

    Parameters:
        loop: where answers arrive.
        environment: of the host and of the files it loads: nothing secret (`agent_settings.task_environment`).
        limits: of each file.
        defaults: authoring defaults of the installation.
        on_ready: called when the host can take orders; orders given before are kept.
        on_answer: called with each answer.
        on_end: called when the host has died; orders without an answer will get none. Not after `close`.
        preload: modules that many files import and the runtime does not know: the operators that come in the box.
    """

    def __init__(
        self,
        loop: Loop,
        *,
        environment: Mapping[str, str],
        limits: ParseLimits,
        defaults: Defaults,
        on_ready: Callable[[], None],
        on_answer: Callable[[ParseAnswer], None],
        on_end: Callable[[], None],
        preload: Sequence[str] = (),
    ) -> None:
        self._on_ready = on_ready
        self._on_answer = on_answer
        self._on_end = on_end
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno()), str(os.getpid()), *preload],
                env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._stream = FrameStream(loop, ours, self._read, self._ended)
        self._send(HostOrder(limits=limits, defaults=defaults))

    @property
    def pid(self) -> int:
        return self._process.pid

    def submit(self, order: ParseOrder) -> None:
        """Have a file loaded; the answer comes to `on_answer`."""
        self._send(order)

    def close(self) -> None:
        """End the host and everything it started. Twice is once."""
        self._stream.close()
        self._process.kill()
        self._process.wait()

    def _send(self, message: HostOrder | ParseOrder) -> None:
        self._stream.send(_FRAME, words.encode(message))

    def _read(self, _kind: int, payload: bytes) -> None:
        match words.decode_from_host(payload):
            case HostReady():
                self._on_ready()
            case ParseAnswer() as answer:
                self._on_answer(answer)

    def _ended(self) -> None:
        self.close()
        self._on_end()
