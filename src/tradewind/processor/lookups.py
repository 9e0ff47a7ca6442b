"""Answers DAG files that ask for connections and variables while they are loaded: from secrets backends, then from the
database. On a Unix socket in the home, for this user alone; the files' processes hold no credentials.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any

import msgspec

from tradewind.commands.secrets import connection_facts, variable_value
from tradewind.kernel.service import ThreadService
from tradewind.kernel.settings import Settings
from tradewind.kernel.unix_socket import unix_address
from tradewind.ports.store import Store
from tradewind.ports.vault import Vault
from tradewind.runtime.framing import BrokenStream, frame, read_frame
from tradewind.runtime.secrets import host_words as words
from tradewind.sdk.lookups import LOOKUP_VARIABLE
from tradewind.wire.errors import NotFound, TradewindError

_BACKLOG = 32
_QUESTION_SECONDS_MAX = 5.0
_QUESTION_BYTES_MAX = 4096
_BACKEND_SECONDS_MAX = 15.0


class LookupService(ThreadService):
    """Listens from when it is made, so that whoever is started later finds it.

    Parameters:
        vault: opens what the database holds.
    """

    def __init__(self, store: Store, vault: Vault, settings: Settings) -> None:
        super().__init__("lookups")
        self._store = store
        self._vault = vault
        self._backends = _Backends(settings)
        self.path = settings.home / "run" / f"lookup-{os.getpid()}.sock"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with unix_address(self.path) as address:
                self._sock.bind(address)
        finally:
            os.umask(before)
        self._sock.listen(_BACKLOG)

    def environment(self) -> dict[str, str]:
        """What the processes that load files need to find it."""
        return {LOOKUP_VARIABLE: str(self.path)}

    def run(self) -> None:
        self.ready()
        try:
            while not self.stopping.is_set():
                try:
                    line, _ = self._sock.accept()
                except OSError:
                    continue  # shut down by `wake`, or somebody hung up at once
                with line:
                    self._serve(line)
        finally:
            self._backends.close()
            self._sock.close()
            self.path.unlink(missing_ok=True)

    def wake(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(_QUESTION_SECONDS_MAX)
        try:
            question = bytearray()
            while not question.endswith(b"\n") and len(question) < _QUESTION_BYTES_MAX:
                if not (data := line.recv(_QUESTION_BYTES_MAX)):
                    return
                question += data
            asked = json.loads(question)
            found = self._find(asked["kind"], asked["name"])
            line.sendall(json.dumps({"found": found}).encode())
        except (OSError, ValueError, KeyError, TypeError):
            return  # whoever asked has gone, or asked nothing sensible
        except TradewindError as error:
            self._log.warning("lookup_failed", error=str(error))

    def _find(self, kind: str, name: str) -> Any:
        found = self._backends.ask("variable" if kind == "variable" else "connection", name)
        if found is not None:
            return found
        with self._store.read() as tx:
            if kind == "variable":
                return variable_value(tx, self._vault, name)
            try:
                return msgspec.to_builtins(connection_facts(tx, self._vault, name))
            except NotFound:
                return None


class _Backends:
    """The secrets backends, in their own process (`runtime.secrets.host`), asked one question at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.secrets
        self._sock: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, kind: words.Kind, name: str) -> Any:
        """The fields of a connection, or the text of a variable; None: no backend knows it, or answers in time."""
        if not self._settings.backend:
            return None
        try:
            line = self._open()
            line.sendall(frame(words.FRAME, words.encode(words.Ask(1, kind, name))))
            answer = read_frame(line)
        except (OSError, BrokenStream):
            answer = None
        if answer is None:
            self.close()
            return None
        found = words.decode_found(answer[1])
        return found.text if found.connection is None else msgspec.to_builtins(found.connection)

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._sock = self._process = None

    def _open(self) -> socket.socket:
        if self._sock is not None:
            return self._sock
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewind.runtime.secrets.host", str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(_BACKEND_SECONDS_MAX)
        ours.sendall(
            frame(words.FRAME, words.encode(words.Open(self._settings.backend, self._settings.backend_kwargs)))
        )
        self._sock = ours
        return ours
