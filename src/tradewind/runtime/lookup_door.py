"""Where DAG files that are loaded on a worker ask for connections and variables: templates have no attempt.

The agent asks, with the token of an attempt that waits for the template. The words are those of `sdk.lookups`.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tradewind.kernel.log import get_logger
from tradewind.kernel.unix_socket import unix_address

from .loop import READABLE, Loop

_BACKLOG = 32
_QUESTION_BYTES_MAX = 4096
_SEND_SECONDS_MAX = 2.0
_log = get_logger("agent")

Told = Callable[[Any], None]
Ask = Callable[[str, str, Told], None]
"""Kind, name, and what to call with the answer: the fields of a connection, the text of a variable, or None."""


class LookupDoor:
    """Listens on a Unix socket that this user alone may open. For the loop's thread."""

    def __init__(self, loop: Loop, path: Path, ask: Ask) -> None:
        self._loop = loop
        self._path = path
        self._ask = ask
        self._lines: dict[int, tuple[socket.socket, bytearray]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # the caller holds the agent's lock: a socket that is there is a dead one's
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with unix_address(path) as address:
                self._sock.bind(address)
        finally:
            os.umask(before)
        self._sock.listen(_BACKLOG)
        self._sock.setblocking(False)
        loop.add(self._sock.fileno(), READABLE, self._accept)

    def close(self) -> None:
        """Take no more questions; those that are open get no answer."""
        self._loop.remove(self._sock.fileno())
        self._sock.close()
        self._path.unlink(missing_ok=True)
        for number in list(self._lines):
            self._hang_up(number)

    def _accept(self, _events: int) -> None:
        try:
            line, _ = self._sock.accept()
        except OSError:
            return
        line.setblocking(False)
        number = line.fileno()
        self._lines[number] = (line, bytearray())
        self._loop.add(number, READABLE, lambda _events: self._read(number))

    def _read(self, number: int) -> None:
        line, question = self._lines[number]
        try:
            data = line.recv(_QUESTION_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        question += data
        if not data or len(question) > _QUESTION_BYTES_MAX:
            self._hang_up(number)
        elif question.endswith(b"\n"):
            self._loop.remove(number)
            self._question(number, bytes(question))

    def _question(self, number: int, question: bytes) -> None:
        try:
            asked = json.loads(question)
            kind, name = asked["kind"], asked["name"]
        except (ValueError, KeyError, TypeError):
            kind = name = None
        if kind not in ("connection", "variable") or not isinstance(name, str):
            self._hang_up(number)
            return
        line = self._lines[number][0]
        self._ask(kind, name, lambda found: self._answer(number, line, found))

    def _answer(self, number: int, line: socket.socket, found: Any) -> None:
        if self._lines.get(number, (None,))[0] is not line:
            return  # hung up meanwhile
        try:
            line.settimeout(_SEND_SECONDS_MAX)
            line.sendall(json.dumps({"found": found}).encode())
        except OSError as error:
            _log.warning("lookup_not_answered", reason=str(error))
        self._hang_up(number)

    def _hang_up(self, number: int) -> None:
        line, _ = self._lines.pop(number)
        self._loop.remove(number)
        line.close()
