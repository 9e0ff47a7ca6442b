"""A doorbell between the processes of one machine: a folder with one Unix datagram socket per listener.

A ring sends one datagram with its topics to every socket of the folder. Sockets hold few unread datagrams
(`max_dgram_qlen`, often 10); a sender that meets a full one leaves it at that. Nothing is lost by it: the listener that
then empties its socket finds more datagrams than fit without a refusal, and so takes all its topics for rung.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from tradewind.kernel.doorbell.port import checked_listening, checked_topics
from tradewind.kernel.doorbell.waiting import DescriptorListener, drained
from tradewind.kernel.log import get_logger
from tradewind.kernel.unix_socket import unix_address

_log = get_logger("doorbell")

_SUFFIX = ".bell"
# Longer lists of topics are sent as "all": a datagram this small always fits the buffers of a fresh socket.
_MESSAGE_BYTES_MAX = 8192
_EVERYTHING = b"\n"
# Reading stops here though more may have come: a false alarm for all topics is better than reading for ever.
_DRAIN_MAX = 10_000
_QUEUE_LENGTH = Path("/proc/sys/net/unix/max_dgram_qlen")


class SocketDoorbell:
    """Rings all listeners of `folder`, in whatever process they are.

    Parameters:
        folder: holds the sockets (HOME/run/doorbell); made when missing, for this user only. Paths may be long.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ring(self, topics: Iterable[str]) -> None:
        rung = checked_topics(topics)
        if not rung:
            return
        message = "\n".join(rung).encode()
        if len(message) > _MESSAGE_BYTES_MAX:
            message = _EVERYTHING
        for path in self._sockets():
            _send(path, message)

    def listen(self, topics: Iterable[str]) -> _SocketListener:
        wanted = checked_listening(topics)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The random part keeps a socket left behind by a killed process of the same number apart from ours.
        return _SocketListener(self._folder / f"{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}", wanted)

    def _sockets(self) -> Iterator[Path]:
        try:
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(_SUFFIX)]
        except FileNotFoundError:
            return  # nobody has ever listened here
        for name in names:
            yield self._folder / name


def _send(path: Path, message: bytes) -> None:
    """Leave `message` at one socket, if there is room; remove the socket if nobody owns it any more.

    A fresh socket each time: what a sender's earlier datagrams occupy while they are unread counts against its own
    buffer, so one listener that does not read could use it up and make a refusal look like a full queue of another.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, unix_address(path) as address:
        sender.setblocking(False)
        try:
            sender.sendto(message, address)
        except BlockingIOError:
            pass  # full: it has been rung often enough
        except ConnectionRefusedError:
            # Its process is gone, and names are never used twice. What is no socket is refused too, and is not ours.
            if path.is_socket():
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # closed between the look into the folder and now
        except OSError as error:
            # Out of buffers is as good as full. Anything else (another user's socket) must not fail the caller, who has
            # committed already and whose other listeners are waiting; that listener is left to its safety poll.
            if error.errno != errno.ENOBUFS:
                _log.warning("doorbell_unreachable", socket=str(path), error=str(error))


class _SocketListener(DescriptorListener):
    def __init__(self, path: Path, topics: frozenset[str]) -> None:
        self._path = path
        self._topics = topics
        self._refused_above = _queue_length()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            with unix_address(path) as address:
                self._socket.bind(address)
            super().__init__(self._socket.fileno())
        except BaseException:
            self._socket.close()
            path.unlink(missing_ok=True)
            raise

    def _drain(self) -> frozenset[str]:
        messages = drained(lambda: self._socket.recv(_MESSAGE_BYTES_MAX), _DRAIN_MAX)
        if len(messages) > self._refused_above or _EVERYTHING in messages:
            return self._topics
        rung = {topic for message in messages for topic in message.decode(errors="replace").split("\n")}
        return self._topics & rung

    def _release(self, *, in_owner: bool) -> None:
        self._socket.close()
        if in_owner:
            self._path.unlink(missing_ok=True)


def _queue_length() -> int:
    """How many unread datagrams a socket made now holds before it may refuse one; 0 when it cannot be known."""
    try:
        return int(_QUEUE_LENGTH.read_text())
    except (OSError, ValueError):
        return 0
