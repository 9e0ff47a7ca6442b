"""The parse host: an interpreter with the SDK imported that forks a child for each DAG file. It imports no user code.

`python -m tradewind.runtime.parse_host SOCKET_FD PARENT_PID MODULE...`, started by `parse.ParseHost`. A child has
its own process group, time, memory and room for output; whatever it leaves behind when it ends is ended with it.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import os
import signal
import socket
import sys
from collections import deque
from pathlib import Path
from typing import NoReturn

import msgspec

from tradewind import sdk
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.process import adopt_orphans, die_with_parent, set_process_name
from tradewind.sdk.defaults import use_defaults

from . import parse_child
from . import parse_words as words
from .forks import Brood
from .framing import FrameStream, read_frame
from .loop import READABLE, Loop
from .parse_words import HostOrder, HostReady, ParseAnswer, ParseLimits, ParseOrder, ParseProblem
from .processes import descendants, kill_tree

_FRAME = 1
_GRACE_SECONDS = 2.0
"""After the time is over the child says where it was; one that cannot is killed after this."""
_WATCH_SECONDS = 0.25
_PROCESSES_MAX = 200
"""A file that starts more processes than this while it loads is ended."""
_ANSWER_BYTES_MAX = 256 << 20
_READ_BYTES = 64 * 1024
_READS_MAX = 64
_clock = SystemClock()


class _Child:
    """One file being loaded."""

    def __init__(self, order: ParseOrder, pid: int, answer_fd: int, output_fd: int) -> None:
        self.order = order
        self.pid = pid
        self.answer_fd = answer_fd
        self.output_fd = output_fd
        self.output = bytearray()
        self.output_bytes = 0
        self.output_ended = False
        """Nothing more was there to read, the last time."""
        self.started = _clock.monotonic()
        self.killed_because: str | None = None


class _Host:
    def __init__(self, sock: socket.socket, limits: ParseLimits) -> None:
        self._limits = limits
        self._loop = Loop()
        self._brood = Brood(self._loop)
        self._waiting: deque[ParseOrder] = deque()
        self._children: dict[int, _Child] = {}
        self._watching = False
        self._stream = FrameStream(self._loop, sock, self._read, self._loop.stop)

    def run(self) -> None:
        self._stream.send(_FRAME, words.encode(HostReady()))
        self._loop.run()
        for child in self._children.values():
            kill_tree(child.pid)

    def _read(self, _kind: int, payload: bytes) -> None:
        order = words.decode_to_host(payload)
        assert isinstance(order, ParseOrder)
        if order.urgent:
            self._waiting.appendleft(order)
        else:
            self._waiting.append(order)
        self._fill()

    def _fill(self) -> None:
        """Start what there is room for; an urgent file has one place more, so that slow ones do not hold it up."""
        while self._waiting:
            room = self._limits.processes_max + (1 if self._waiting[0].urgent else 0)
            if len(self._children) >= room:
                return
            self._start(self._waiting.popleft())

    def _start(self, order: ParseOrder) -> None:
        answer_fd = os.memfd_create("answer")
        output_fd, output_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        own_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_child(order, own_pid, answer_fd, output_writer)
        os.close(output_writer)
        child = _Child(order, pid, answer_fd, output_fd)
        self._children[order.number] = child
        self._loop.add(output_fd, READABLE, lambda _events: self._hear(child))
        limit = self._limits.timeout_seconds + _GRACE_SECONDS
        self._loop.after(limit, lambda: self._kill(child, _too_long(self._limits)))
        self._brood.watch(order.number, pid, lambda status, _cpu, _rss: self._ended(child, status))
        self._watch_soon()

    def _be_child(self, order: ParseOrder, parent_pid: int, answer_fd: int, output_writer: int) -> NoReturn:
        try:
            self._stream.sock.close()
            self._brood.forget_in_child()
            self._loop.close()
            for sibling in self._children.values():
                os.close(sibling.answer_fd)
                os.close(sibling.output_fd)
            os.setpgid(0, 0)
            die_with_parent(parent_pid)
            set_process_name("tradewind-parse")
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.set_blocking(output_writer, True)
            os.dup2(output_writer, 1)
            os.dup2(output_writer, 2)
            os.close(output_writer)
            parse_child.become_parser(order, self._limits, answer_fd)
        finally:
            os._exit(parse_child.UNABLE)

    # --- watching --------------------------------------------------------------------------------------------------

    def _hear(self, child: _Child) -> None:
        """Take in a portion of what the file prints."""
        try:
            data = os.read(child.output_fd, _READ_BYTES)
        except BlockingIOError:
            data = b""
        else:
            if not data:
                self._loop.remove(child.output_fd)
        child.output_ended = not data
        child.output_bytes += len(data)
        child.output += data[: max(0, self._limits.output_bytes_max - len(child.output))]

    def _watch_soon(self) -> None:
        if not self._watching and self._children:
            self._watching = True
            self._loop.after(_WATCH_SECONDS, self._look)

    def _look(self) -> None:
        """Children that lasted a moment are looked at: their limits do not bind the processes they start."""
        self._watching = False
        for child in list(self._children.values()):
            if child.killed_because is None and _clock.monotonic() - child.started >= _WATCH_SECONDS:
                self._look_at(child)
        self._watch_soon()

    def _look_at(self, child: _Child) -> None:
        family = [child.pid, *descendants(child.pid)]
        if len(family) > _PROCESSES_MAX:
            self._kill(child, f"started more than {_PROCESSES_MAX} processes while it was loaded")
        elif sum(map(_own_bytes, family)) > 2 * self._limits.memory_bytes_max:
            # Twice, because the child's own limit makes a better report when it can.
            self._kill(child, _too_big(self._limits))

    def _kill(self, child: _Child, reason: str) -> None:
        if self._brood.pid(child.order.number) != child.pid:
            return  # it has ended
        child.killed_because = child.killed_because or reason
        kill_tree(child.pid)

    # --- the end of a child ------------------------------------------------------------------------------------------

    def _ended(self, child: _Child, status: int) -> None:
        self._end_strays()
        # A bound, because a stray that cannot be killed might write on and on.
        for _ in range(_READS_MAX):
            self._hear(child)
            if child.output_ended:
                break
        self._loop.remove(child.output_fd)
        answer = self._answer_of(child, status)
        os.close(child.output_fd)
        os.close(child.answer_fd)
        del self._children[child.order.number]
        self._stream.send(_FRAME, words.encode(answer))
        self._fill()

    def _answer_of(self, child: _Child, status: int) -> ParseAnswer:
        raw = _read_answer(child.answer_fd)
        output = child.output.decode("utf-8", "replace")
        try:
            answer = words.decode_answer(raw) if raw else None
        except msgspec.DecodeError:
            answer = None  # the file wrote to descriptors that are not its own, or died in the middle
        if answer is None:
            reason = child.killed_because or _death(status)
            tail = output[-4000:]
            trace = f"{child.order.shown_root}/{child.order.file}: {reason}"
            problem = ParseProblem(message=reason, traceback=f"{trace}\n{tail}".rstrip())
            answer = ParseAnswer(number=child.order.number, problems=(problem,))
        return msgspec.structs.replace(
            answer,
            number=child.order.number,
            seconds=_clock.monotonic() - child.started,
            output=output,
            output_bytes=child.output_bytes,
        )

    def _end_strays(self) -> None:
        """Processes that slipped out of their group have become our children: end them."""
        ours = {child.pid for child in self._children.values()}
        for pid in _children_of_self():
            if pid not in ours:
                kill_tree(pid)
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass  # reaped by an earlier look


def _read_answer(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0) if 0 < size <= _ANSWER_BYTES_MAX else b""


def _death(status: int) -> str:
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return f"the process that loaded the file was ended by {name}; run the file with python to see why"
    code = os.waitstatus_to_exitcode(status)
    if code == parse_child.UNABLE:
        return "the process that loaded the file could not answer; does the file close descriptors it did not open?"
    return f"the file ended its process with exit code {code} (os._exit?); a DAG file must come to its end"


def _too_long(limits: ParseLimits) -> str:
    return (
        f"took longer than {limits.timeout_seconds:g} s to load and could not be interrupted; move slow work from the "
        "top of the file into tasks, or raise processor.parse_timeout_seconds"
    )


def _too_big(limits: ParseLimits) -> str:
    return (
        f"needed more than {limits.memory_bytes_max >> 20} MiB of memory to load, with the processes it started; move "
        "the work from the top of the file into tasks, or raise processor.parse_memory_bytes_max"
    )


def _own_bytes(pid: int) -> int:
    """Resident memory that belongs to no file; 0 when the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def _children_of_self() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except FileNotFoundError:  # a kernel without this list
        return []


def _preload(modules: list[str]) -> None:
    """Import now what each child would import anew: all names of the SDK, which come lazily, and what was asked for."""
    for name in sdk.__all__:
        getattr(sdk, name)
    for module in ("dateutil.tz", "pendulum", "tradewind.runtime.inherited", *modules):
        importlib.import_module(module)


def main(arguments: list[str]) -> None:
    """Runs until the other side closes the socket."""
    parent_pid = int(arguments[1])
    die_with_parent(parent_pid)
    set_process_name("tradewind-parse")
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A child that dies of SIGSEGV and the like leaves its stack in its output.
    faulthandler.enable(file=2)
    sock = socket.socket(fileno=int(arguments[0]))
    first = read_frame(sock)
    if first is None:
        return
    order = words.decode_to_host(first[1])
    assert isinstance(order, HostOrder)
    use_defaults(order.defaults)
    _preload(arguments[2:])
    gc.collect()
    gc.freeze()
    _Host(sock, order.limits).run()


if __name__ == "__main__":
    main(sys.argv[1:])
