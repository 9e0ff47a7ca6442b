"""The deliverer's side of a callback: starts the child, answers what it asks, ends it when its time is over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tradewind.kernel.clock import Clock
from tradewind.wire.execution import AgentMessage, Reply

from . import words
from .callback_words import CallbackDone, CallbackOrder, CallbackWord, decode_done, encode
from .framing import BrokenStream, frame, read_frame
from .processes import kill_tree

_MODULE = "tradewind.runtime.callback_child"
Answer = Callable[[AgentMessage], Reply]


def deliver(
    order: CallbackOrder,
    answer: Answer,
    *,
    environment: Mapping[str, str],
    log_file: Path,
    timeout_seconds: float,
    clock: Clock,
) -> CallbackDone:
    """Make one callback in a child and wait for its end. Blocks; for a thread of its own.

    Parameters:
        answer: replies to what the callback asks.
        environment: of the child: nothing secret.
        log_file: what it prints is appended there.
        timeout_seconds: after which it is killed, with what it started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with ours, log_file.open("ab") as log:
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno()), str(os.getpid())],
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            return _converse(ours, order, answer, clock.monotonic() + timeout_seconds, clock, timeout_seconds)
        finally:
            kill_tree(child.pid)
            child.wait()


def _converse(
    sock: socket.socket, order: CallbackOrder, answer: Answer, deadline: float, clock: Clock, timeout_seconds: float
) -> CallbackDone:
    try:
        sock.sendall(frame(CallbackWord.ORDER, encode(order)))
        while True:
            sock.settimeout(max(0.001, deadline - clock.monotonic()))
            found = read_frame(sock)
            if found is None:
                return CallbackDone(error="the process of the callback died before it was done; its log may tell more")
            kind, payload = found
            if kind == CallbackWord.DONE:
                return decode_done(payload)
            number, message = words.decode_ask(payload)
            sock.sendall(frame(CallbackWord.REPLY, words.encode_reply(number, answer(message))))
    except TimeoutError:
        return CallbackDone(
            error=f"took longer than {timeout_seconds:g} s and was ended; callbacks.timeout_seconds may be raised"
        )
    except (BrokenStream, OSError) as error:
        return CallbackDone(error=f"the process of the callback broke off: {error}")
