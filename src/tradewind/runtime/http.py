"""HTTP/1.1 to one server over one kept-alive connection, on the loop. One request at a time.

Connecting (names, TCP, TLS) may take long and is rare, so it happens in a thread; talking happens in the loop, so that
an exchange costs a write and a read.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httptools

from .loop import READABLE, WRITABLE, Loop

if TYPE_CHECKING:
    import ssl

_READ_BYTES = 256 * 1024
_PORTS = {"http": 80, "https": 443}


class HttpConnection:
    """Posts bodies and hears answers.

    Parameters:
        url: where to post, http or https.
        headers: sent with each request.
        on_open: the connection stands.
        on_answer: status and body of the answer to the last `post`.
        on_broken: it could not be made, or ended; the reason, for people. `open` makes a new one.
    """

    def __init__(
        self,
        loop: Loop,
        url: str,
        headers: Mapping[str, str],
        *,
        on_open: Callable[[], None],
        on_answer: Callable[[int, bytes], None],
        on_broken: Callable[[str], None],
        connect_timeout_seconds: float,
    ) -> None:
        self._loop = loop
        self._parts = urlsplit(url)
        self._head = _head(url, headers)
        self._on_open, self._on_answer, self._on_broken = on_open, on_answer, on_broken
        self._connect_timeout_seconds = connect_timeout_seconds
        self._sock: socket.socket | None = None
        self._opening = 0
        self._out = b""
        self._answer = _Answer()

    @property
    def is_open(self) -> bool:
        return self._sock is not None

    def open(self) -> None:
        """Begin to connect; `on_open` or `on_broken` follows."""
        self._opening += 1
        attempt = self._opening
        threading.Thread(target=self._connect, args=(attempt,), name="agent-connect", daemon=True).start()

    def post(self, body: bytes) -> None:
        """Send a request. The connection is open and the answer before has been heard."""
        self._answer = _Answer()
        self._out += b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        self._write()

    def close(self) -> None:
        """End the connection, or the attempt to make one; nothing is called back."""
        self._opening += 1
        self._out = b""
        if self._sock is not None:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _connect(self, attempt: int) -> None:
        host, scheme = self._parts.hostname or "", self._parts.scheme
        port = self._parts.port or _PORTS[scheme]
        try:
            sock = socket.create_connection((host, port), self._connect_timeout_seconds)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "https":
                sock = _tls().wrap_socket(sock, server_hostname=host)
        except OSError as error:
            reason = f"{host}:{port}: {error.strerror or error}"
            self._loop.call_threadsafe(lambda: self._failed(attempt, reason))
        else:
            self._loop.call_threadsafe(lambda: self._opened(attempt, sock))

    def _opened(self, attempt: int, sock: socket.socket) -> None:
        if attempt != self._opening:
            sock.close()
            return
        sock.setblocking(False)
        self._sock = sock
        self._loop.add(sock.fileno(), READABLE, self._ready)
        self._on_open()

    def _failed(self, attempt: int, reason: str) -> None:
        if attempt == self._opening:
            self._on_broken(reason)

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            self._write()
        if events & ~WRITABLE and self._sock is not None:
            self._read()

    def _write(self) -> None:
        sock = self._sock
        if sock is None or not self._out:
            return
        blocked = False
        while self._out and not blocked:
            try:
                self._out = self._out[sock.send(self._out) :]
            except OSError as error:
                if not _would_block(error):
                    self._break(str(error))
                    return
                blocked = True
        self._loop.change(sock.fileno(), READABLE | WRITABLE if self._out else READABLE)

    def _read(self) -> None:
        # To the end of what is there: TLS may hold back decrypted bytes that the descriptor does not announce.
        while self._sock is not None:
            try:
                data = self._sock.recv(_READ_BYTES)
            except OSError as error:
                if not _would_block(error):
                    self._break(str(error))
                return
            if not data:
                self._break("the server closed the connection")
                return
            try:
                self._answer.parser.feed_data(data)
            except httptools.HttpParserError as error:
                self._break(f"the answer is not HTTP: {error}")
                return
            if self._answer.complete:
                self._answered()

    def _answered(self) -> None:
        answer, self._answer = self._answer, _Answer()
        if not answer.keep:
            self.close()
        self._on_answer(answer.parser.get_status_code(), b"".join(answer.body))
        if not answer.keep and self._sock is None:
            self._on_broken("the server closed the connection")

    def _break(self, reason: str) -> None:
        self.close()
        self._on_broken(reason)


class _Answer:
    """The answer to one request: what its parser calls."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.complete = False
        self.keep = True
        self.parser = httptools.HttpResponseParser(self)

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.complete = True
        self.keep = self.parser.should_keep_alive()  # known only now: afterwards the parser is set for the next one


def _head(url: str, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _would_block(error: OSError) -> bool:
    # The TLS ones are no BlockingIOError; their names are compared so that plain HTTP does not import ssl.
    return isinstance(error, BlockingIOError) or type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def _tls() -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context()
