"""A TCP proxy that can be cut: a network between the processes and their PostgreSQL that scenarios may break."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

from tradewind.store.dialects.postgresql import conninfo_of_url

Cut = Literal["refused", "silent"]
"""`refused`: connections break and new ones are refused. `silent`: nothing moves, nothing breaks; as when packets are
dropped."""
_READ_BYTES = 1 << 16


class Proxy:
    """Between a free port and a PostgreSQL. One thread."""

    def __init__(self, url: str) -> None:
        facts = conninfo_to_dict(conninfo_of_url(url))
        host, port = str(facts.get("host", "127.0.0.1")), int(str(facts.get("port", 5432)))
        self._target: tuple[int, object] = (
            (socket.AF_UNIX, f"{host}/.s.PGSQL.{port}") if host.startswith("/") else (socket.AF_INET, (host, port))
        )
        self._listener = _listen(0)
        self.port: int = self._listener.getsockname()[1]
        password = f":{facts['password']}" if "password" in facts else ""
        self.url = f"postgresql+psycopg://{facts['user']}{password}@127.0.0.1:{self.port}/{facts['dbname']}"
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wishes, self._wisher = os.pipe()
        self._selector.register(self._wishes, selectors.EVENT_READ)
        self._watch(self._listener)
        self._cut: Cut | None = None
        self._done = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)
        self._thread.start()

    def cut(self, how: Cut) -> None:
        """Returns when it is cut."""
        self._wish({"refused": b"r", "silent": b"s"}[how])

    def mend(self) -> None:
        """Returns when it works again."""
        self._wish(b"m")

    def close(self) -> None:
        self._wish(b"e")
        self._thread.join()

    def _wish(self, wish: bytes) -> None:
        self._done.clear()
        os.write(self._wisher, wish)
        assert self._done.wait(10.0)

    # --- in the thread -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select():
                if key.fileobj == self._wishes:
                    self._grant(os.read(self._wishes, 1))
                    break  # what else was ready may be gone now
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._carry(key.fileobj)
        self._selector.close()

    def _grant(self, wish: bytes) -> None:
        if wish in b"re":
            self._unwatch(self._listener)
            self._listener.close()
            for end in list(self._peers):
                self._drop(end)
        elif wish == b"s":
            for end in [self._listener, *self._peers]:
                self._unwatch(end)
        elif self._listener.fileno() < 0:
            self._listener = _listen(self.port)
            self._watch(self._listener)
        else:
            for end in [self._listener, *self._peers]:
                self._watch(end)
        self._ended = wish == b"e"
        self._done.set()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket(self._target[0])
        try:
            far.connect(self._target[1])  # type: ignore[arg-type] # as the family wants it
        except OSError:
            near.close()
            far.close()
            return
        self._peers[near], self._peers[far] = far, near
        for end in (near, far):
            if end.family == socket.AF_INET:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(end)

    def _carry(self, end: socket.socket) -> None:
        peer = self._peers.get(end)
        if peer is None:
            return
        try:
            data = end.recv(_READ_BYTES)
            if data:
                peer.sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        for each in (end, self._peers.pop(end, None)):
            if each is not None:
                self._peers.pop(each, None)
                self._unwatch(each)
                each.close()

    def _watch(self, end: socket.socket) -> None:
        self._selector.register(end, selectors.EVENT_READ)

    def _unwatch(self, end: socket.socket) -> None:
        try:
            self._selector.unregister(end)
        except (KeyError, ValueError):
            pass  # not watched: the line is silent


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy for the length of the block."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
