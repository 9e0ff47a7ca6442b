"""How bytes become messages between our processes.

*Frames* travel on stream sockets: four bytes of length (little-endian, of what follows), one byte of kind, payload.
*Letters* travel on sequenced-packet sockets between agent, zygote and templates: one small message each, with
descriptors.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from .loop import READABLE, WRITABLE, Loop

FRAME_BYTES_MAX = 1 << 30
"""A length above this is not one of ours: the other side is broken."""
_HEAD = struct.Struct("<IB")
_LETTER_BYTES_MAX = 64 * 1024
_DESCRIPTORS_MAX = 4
_READ_BYTES = 256 * 1024


class BrokenStream(ConnectionError):
    """The other side sent what is no frame, or went away in the middle of one."""


def frame(kind: int, payload: bytes) -> bytes:
    """One frame as bytes."""
    return _HEAD.pack(len(payload) + 1, kind) + payload


class FrameReader:
    """Cuts a stream of bytes into frames."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that are complete with `data`. Raises `BrokenStream` for an impossible length."""
        buffer = self._buffer
        buffer += data
        position, end = 0, len(buffer)
        while end - position >= _HEAD.size:
            length, kind = _HEAD.unpack_from(buffer, position)
            if not 1 <= length <= FRAME_BYTES_MAX:
                raise BrokenStream(f"a frame of {length} bytes was announced; at most {FRAME_BYTES_MAX} are taken")
            stop = position + 4 + length
            if stop > end:
                break
            yield kind, bytes(buffer[position + _HEAD.size : stop])
            position = stop
        if position:
            del buffer[:position]


def read_frame(sock: socket.socket) -> tuple[int, bytes] | None:
    """The next frame of a blocking socket; None at its end. Raises `BrokenStream` when it ends in the middle."""
    head = _read_exactly(sock, _HEAD.size)
    if not head:
        return None
    length, kind = _HEAD.unpack(head)
    if not 1 <= length <= FRAME_BYTES_MAX:
        raise BrokenStream(f"a frame of {length} bytes was announced; at most {FRAME_BYTES_MAX} are taken")
    payload = _read_exactly(sock, length - 1) if length > 1 else b""
    if len(payload) != length - 1:
        raise BrokenStream("the stream ended in the middle of a frame")
    return kind, payload


def _read_exactly(sock: socket.socket, size: int) -> bytes:
    first = sock.recv(size)
    if len(first) == size or not first:
        return first
    parts = [first]
    missing = size - len(first)
    while missing:
        part = sock.recv(min(missing, _READ_BYTES))
        if not part:
            raise BrokenStream("the stream ended in the middle of a frame")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class FrameStream:
    """A frame-speaking stream socket on a loop: reads in portions, keeps what the other side does not take at once.

    Parameters:
        on_frame: called with kind and payload.
        on_end: called once, when the other side has closed or the stream is broken; not after `close`.
    """

    __slots__ = ("_closed", "_loop", "_on_end", "_on_frame", "_out", "_reader", "sock")

    def __init__(
        self, loop: Loop, sock: socket.socket, on_frame: Callable[[int, bytes], None], on_end: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._loop = loop
        self._on_frame = on_frame
        self._on_end = on_end
        self._reader = FrameReader()
        self._out = bytearray()
        self._closed = False
        loop.add(sock.fileno(), READABLE, self._ready)

    @property
    def closed(self) -> bool:
        return self._closed

    def send(self, kind: int, payload: bytes) -> None:
        """Send, or keep until it can be sent. Nothing happens on a closed stream."""
        if self._closed:
            return
        data = frame(kind, payload)
        if self._out:
            self._out += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the other side is gone; reading tells so
        if sent < len(data):
            self._out += data[sent:]
            self._loop.change(self.sock.fileno(), READABLE | WRITABLE)

    def drain(self) -> None:
        """Take in all that has arrived by now: for the moment when the other side is known to be dead."""
        while not self._closed and self._read():
            pass

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove(self.sock.fileno())
            self.sock.close()

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            self._write()
        if events & ~WRITABLE and not self._closed:
            self._read()

    def _read(self) -> bool:
        """One portion; False when nothing is left to read."""
        try:
            data = self.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._end()
            return False
        try:
            for kind, payload in self._reader.feed(data):
                self._on_frame(kind, payload)
                if self._closed:
                    return False
        except BrokenStream:
            self._end()
            return False
        return True

    def _write(self) -> None:
        try:
            sent = self.sock.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._out)  # nobody will read it; reading tells the end
        del self._out[:sent]
        if not self._out:
            self._loop.change(self.sock.fileno(), READABLE)

    def _end(self) -> None:
        self.close()
        self._on_end()


class LetterBox:
    """A sequenced-packet socket on a loop: small messages that may carry descriptors.

    Parameters:
        on_letter: called with the message and the descriptors that came with it (they belong to the callee).
        on_end: called once, when the other side has gone; not after `close`.
    """

    __slots__ = ("_closed", "_loop", "_on_end", "_on_letter", "_waiting", "sock")

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        on_letter: Callable[[bytes, list[int]], None],
        on_end: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._loop = loop
        self._on_letter = on_letter
        self._on_end = on_end
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self._closed = False
        loop.add(sock.fileno(), READABLE, self._ready)

    def send(self, letter: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send, or keep until it can be sent. The descriptors are duplicated: the caller keeps and closes its own."""
        if self._closed:
            return
        if not self._waiting and self._try_send(letter, descriptors):
            return
        self._waiting.append((letter, [os.dup(descriptor) for descriptor in descriptors]))
        self._loop.change(self.sock.fileno(), READABLE | WRITABLE)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove(self.sock.fileno())
            self.sock.close()
            for _, descriptors in self._waiting:
                _close_all(descriptors)
            self._waiting.clear()

    def _try_send(self, letter: bytes, descriptors: Sequence[int]) -> bool:
        """Whether the letter is off; one to somebody who is gone counts as off, because reading tells so."""
        try:
            if descriptors:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
                self.sock.sendmsg([letter], [rights])
            else:
                self.sock.send(letter)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            while self._waiting and self._try_send(*self._waiting[0]):
                _close_all(self._waiting.popleft()[1])
            if not self._waiting:
                self._loop.change(self.sock.fileno(), READABLE)
        if events & ~WRITABLE and not self._closed:
            self._read()

    def _read(self) -> None:
        while not self._closed:
            try:
                letter, ancillary, _flags, _ = self.sock.recvmsg(
                    _LETTER_BYTES_MAX, socket.CMSG_SPACE(4 * _DESCRIPTORS_MAX), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                letter, ancillary = b"", []
            if not letter:
                self.close()
                self._on_end()
                return
            self._on_letter(letter, _descriptors(ancillary))


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
