"""An attempt of `dag.test(use_executor=True)`: in a process of its own, as on a server, asking the world of the test
through a socket.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import struct
from collections.abc import Callable
from typing import Any

from tradewind.ports.task_client import TaskClient
from tradewind.wire.execution import AgentMessage, Outcome, Reply
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

_SIZE = struct.Struct("<I")
_log = logging.getLogger("tradewind.test")


class _Line:
    """Whole objects over a socket. Both ends are one program, forked: pickle is no risk here."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, *what: Any) -> None:
        raw = pickle.dumps(what)
        self._sock.sendall(_SIZE.pack(len(raw)) + raw)

    def receive(self) -> tuple[Any, ...] | None:
        """None when the other end is gone."""
        head = self._exactly(_SIZE.size)
        if len(head) < _SIZE.size:
            return None
        raw = self._exactly(_SIZE.unpack(head)[0])
        what: tuple[Any, ...] = pickle.loads(raw)  # noqa: S301 # from our own fork
        return what

    def _exactly(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            part = self._sock.recv(size - len(parts))
            if not part:
                return b""
            parts += part
        return parts


class _ClientInChild:
    """`TaskClient` that asks the parent."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def ask(self, message: AgentMessage) -> Reply:
        reply: Reply = self._call("ask", message)
        return reply

    def tell(self, message: AgentMessage) -> None:
        self._call("tell", message)

    def fetch(self, url: str, sha256: str | None) -> bytes:
        data: bytes = self._call("fetch", url, sha256)
        return data

    def store(self, data: bytes, name: str) -> str:
        url: str = self._call("store", data, name)
        return url

    def mask(self, secret: str) -> None:
        self._call("mask", secret)

    def _call(self, method: str, *arguments: Any) -> Any:
        self._line.send(method, arguments)
        found = self._line.receive()
        if found is None:
            raise ConnectionError("the process of dag.test() is gone")
        failed, value = found
        if failed:
            raise value
        return value


def in_child(run: Callable[[TaskClient], Outcome], client: TaskClient) -> Outcome:
    """The outcome of `run`, which is called in a forked process with a client that asks `client` here. A process that
    dies is a failure that says how.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _be_child(run, ours, theirs)
    theirs.close()
    line, outcome = _Line(ours), None
    while (word := line.receive()) is not None:
        if word[0] == "outcome":
            outcome = word[1]
            break
        line.send(*_answer(client, *word))
    ours.close()
    _, status = os.waitpid(pid, 0)
    return outcome if outcome is not None else _death(status)


def _be_child(run: Callable[[TaskClient], Outcome], ours: socket.socket, theirs: socket.socket) -> None:
    code = 70
    try:
        ours.close()
        line = _Line(theirs)
        line.send("outcome", run(_ClientInChild(line)))
        code = 0
    except BaseException as error:
        _log.error("the process of a task ended with %s", type(error).__name__, exc_info=error)
    finally:
        os._exit(code)


def _answer(client: TaskClient, method: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return False, getattr(client, method)(*arguments)
    except Exception as error:  # raised again where it was asked
        return True, error


def _death(status: int) -> Outcome:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        reason, cause = f"the process died of signal {number}", CauseOfDeath.SIGNAL
    else:
        reason, cause = f"the process ended with code {os.waitstatus_to_exitcode(status)}", CauseOfDeath.EXIT_CODE
    return Outcome(state=TaskInstanceState.FAILED, cause=cause, reason=reason)
