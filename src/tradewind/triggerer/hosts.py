"""The processes that host triggers: one for everything that is installed, one for each tree of DAG files whose modules
triggers come from.

A host that dies is made again with all it had. One that dies soon again is split in two, until what kills it is
alone; a trigger that is held up by itself (it blocks the loop) is moved to a host of its own. So a bad trigger harms
nobody but itself, and nobody has to know beforehand which one it is.
"""

from __future__ import annotations

import itertools
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.runtime import trigger_words as words
from tradewind.runtime.framing import BrokenStream, frame, read_frame
from tradewind.runtime.trigger_words import HostStart, RunTrigger, ToHost

log = get_logger("triggerer")
SOON_SECONDS = 60.0
"""A host that lived shorter than this died of what it hosts."""
DEATHS_MAX = 3
"""A trigger whose host died this often with nothing else in it is at fault."""


class News(NamedTuple):
    """Something a host said; kind 0: it is gone."""

    host: Host
    kind: int
    payload: bytes


@dataclass(slots=True, eq=False)
class Host:
    """One process."""

    tree: str
    number: int
    process: subprocess.Popen[bytes]
    sock: socket.socket
    started_at: float
    tokens: dict[str, None] = field(default_factory=dict)
    idle_since: float | None = None
    is_alone: bool = False
    """Only for the one trigger it was made for."""
    is_leaving: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Gone(NamedTuple):
    """A host has died: what has to be started again, and what was the death of it."""

    again: list[str]
    at_fault: list[str]


class Hosts:
    """All hosts of one triggerer. Its methods are for the triggerer's thread; `news` is filled by readers.

    Parameters:
        start_of: what a host for this tree must know.
        environment: of the processes.
        on_news: called from any thread when there is something in `news`.
    """

    def __init__(
        self,
        start_of: Callable[[str], HostStart],
        environment: dict[str, str],
        clock: Clock,
        on_news: Callable[[], None],
        idle_seconds: float,
    ) -> None:
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._start_of = start_of
        self._environment = environment
        self._clock = clock
        self._on_news = on_news
        self._idle_seconds = idle_seconds
        self._hosts: list[Host] = []
        self._of: dict[str, Host] = {}
        self._wanted: dict[str, tuple[str, RunTrigger]] = {}
        self._deaths: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, token: str) -> bool:
        return token in self._wanted

    @property
    def processes(self) -> list[int]:
        """Pids of the hosts."""
        return [host.process.pid for host in self._hosts]

    def tokens(self) -> list[str]:
        """Of all triggers that are hosted."""
        return list(self._wanted)

    def run(self, tree: str, wanted: RunTrigger, host: Host | None = None) -> None:
        """Host this trigger."""
        self._wanted[wanted.token] = (tree, wanted)
        host = host or self._host_for(tree)
        host.tokens[wanted.token] = None
        host.idle_since = None
        self._of[wanted.token] = host
        self._send(host, ToHost.RUN, words.encode(wanted))

    def cancel(self, token: str, *, killed: bool) -> None:
        """The task does not wait any more."""
        host = self._of.get(token)
        if host is not None:
            self._send(host, ToHost.CANCEL, words.encode(words.CancelTrigger(token=token, killed=killed)))
        self.forget(token)

    def forget(self, token: str) -> RunTrigger | None:
        """The trigger is over."""
        wanted = self._wanted.pop(token, None)
        self._deaths.pop(token, None)
        host = self._of.pop(token, None)
        if host is not None:
            host.tokens.pop(token, None)
            if not host.tokens:
                host.idle_since = self._clock.monotonic()
        return wanted[1] if wanted is not None else None

    def reply(self, host: Host, number: int, reply: object) -> None:
        """To what a trigger asked."""
        self._send(host, ToHost.REPLY, words.encode(words.HostReply(number, reply)))  # type: ignore[arg-type]

    def saved(self, token: str, number: int) -> None:
        """An event of a watcher is stored."""
        host = self._of.get(token)
        if host is not None:
            self._send(host, ToHost.SAVED, words.encode(words.EventSaved(token=token, number=number)))

    def wanted(self, token: str) -> RunTrigger | None:
        found = self._wanted.get(token)
        return None if found is None else found[1]

    def isolate(self, host: Host, token: str) -> bool:
        """One trigger holds the others up: end its host, start the others together and this one alone. False: it was
        alone already, and harms nobody."""
        if host not in self._hosts or len(host.tokens) < 2:
            return False
        self._end(host)
        others = [other for other in host.tokens if other != token]
        self._again(host.tree, others)
        if token in self._wanted:
            tree, wanted = self._wanted[token]
            self.run(tree, wanted, self._make(tree, is_alone=True))
        return True

    def died(self, host: Host) -> Gone:
        """A host is gone by itself; its triggers run again."""
        if host not in self._hosts:
            return Gone([], [])
        status = self._end(host)
        lived = self._clock.monotonic() - host.started_at
        tokens = [token for token in host.tokens if token in self._wanted]
        log.warning("trigger_host_died", pid=host.process.pid, status=status, triggers=len(tokens), lived=round(lived))
        if lived > SOON_SECONDS or not tokens:
            self._again(host.tree, tokens)
            return Gone(tokens, [])
        if len(tokens) == 1:
            token = tokens[0]
            self._deaths[token] = self._deaths.get(token, 0) + 1
            if self._deaths[token] >= DEATHS_MAX:
                return Gone([], [token])
            self._again(host.tree, tokens, is_alone=True)
            return Gone(tokens, [])
        middle = len(tokens) // 2
        for half in (tokens[:middle], tokens[middle:]):
            self._again(host.tree, half, is_alone=True)
        return Gone(tokens, [])

    def tidy(self) -> None:
        """Let hosts go that have had nothing to do for a while."""
        now = self._clock.monotonic()
        for host in list(self._hosts):
            if host.idle_since is not None and (host.is_alone or now - host.idle_since >= self._idle_seconds):
                self._leave(host)

    def stop(self, seconds: float) -> None:
        """All hosts clean up and go."""
        for host in self._hosts:
            self._send(host, ToHost.STOP, b"")
        deadline = self._clock.monotonic() + seconds
        for host in list(self._hosts):
            try:
                host.process.wait(max(0.0, deadline - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            self._end(host)
        self._wanted.clear()
        self._of.clear()

    # --- processes ----------------------------------------------------------------------------------------------------

    def _host_for(self, tree: str) -> Host:
        shared = (host for host in self._hosts if host.tree == tree and not host.is_alone and not host.is_leaving)
        return next(shared, None) or self._make(tree)

    def _make(self, tree: str, *, is_alone: bool = False) -> Host:
        ours, theirs = socket.socketpair()
        arguments = [sys.executable, "-m", "tradewind.runtime.trigger_host", str(theirs.fileno()), str(os.getpid())]
        process = subprocess.Popen(
            arguments, pass_fds=(theirs.fileno(),), env=self._environment, stdin=subprocess.DEVNULL
        )
        theirs.close()
        host = Host(tree, next(self._numbers), process, ours, self._clock.monotonic(), is_alone=is_alone)
        self._hosts.append(host)
        self._send(host, ToHost.START, words.encode(self._start_of(tree)))
        threading.Thread(target=self._read, args=(host,), name=f"trigger-host-{host.number}", daemon=True).start()
        log.info("trigger_host_started", pid=process.pid, tree=tree or "installed", alone=is_alone)
        return host

    def _again(self, tree: str, tokens: Iterable[str], *, is_alone: bool = False) -> None:
        tokens = [token for token in tokens if token in self._wanted]
        if not tokens:
            return
        host = self._make(tree, is_alone=is_alone) if is_alone else self._host_for(tree)
        for token in tokens:
            self.run(tree, self._wanted[token][1], host)

    def _leave(self, host: Host) -> None:
        """Nothing is hosted there: it may go."""
        host.is_leaving = True
        self._send(host, ToHost.STOP, b"")
        self._hosts.remove(host)
        # It goes by itself in a moment; its reader waits for that.

    def _end(self, host: Host) -> int | None:
        """Make sure that a host is gone."""
        if host in self._hosts:
            self._hosts.remove(host)
        host.is_leaving = True
        if host.process.poll() is None:
            host.process.kill()
        return host.process.wait()

    def _send(self, host: Host, kind: int, payload: bytes) -> None:
        with host.lock:
            try:
                host.sock.sendall(frame(kind, payload))
            except OSError:
                return  # its reader tells that it is gone

    def _read(self, host: Host) -> None:
        """In a thread of its own, to the end of the host."""
        with host.sock:
            while True:
                try:
                    found = read_frame(host.sock)
                except (OSError, BrokenStream):
                    found = None
                if found is None:
                    break
                self.news.put(News(host, *found))
                self._on_news()
        host.process.wait()
        self.news.put(News(host, 0, b""))
        self._on_news()
