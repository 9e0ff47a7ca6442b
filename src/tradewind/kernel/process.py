"""Helpers around the operating system's processes: dying with the parent, names, one instance per home, memory."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import struct
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tradewind.wire.errors import AlreadyRunning

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_NAME_BYTES_MAX = 15
# struct flock of Linux on 64-bit machines: type, whence, start, length, pid.
_FLOCK = struct.Struct("hhqqi4x")
_START_OF_FILE = 0

_prctl_call: Any = None


def die_with_parent(parent_pid: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel send `signal_number` to this process when its parent dies.

    To be called first thing in a child. The kernel means the *thread* that made the child: start children from a thread
    that lives as long as its process. Forked children have to call it again.

    Parameters:
        parent_pid: `os.getpid()` of the parent, taken before the fork.

    Raises:
        OSError: the kernel refused.
        SystemExit: the parent has died already.
    """
    _prctl(_PR_SET_PDEATHSIG, int(signal_number))
    # The parent may have died before the call above; then nobody would ever tell.
    if os.getppid() != parent_pid:
        raise SystemExit(128 + int(signal_number))


def set_process_name(name: str) -> None:
    """The name shown by `ps -o comm` and `top`; the system keeps the first 15 bytes. The command line stays as it is.

    Raises:
        OSError: the kernel refused.
    """
    _prctl(_PR_SET_NAME, name.encode()[:_NAME_BYTES_MAX] + b"\0")


def adopt_orphans() -> None:
    """Make processes below this one its own children when their parents die, so that none slips away.

    Raises:
        OSError: the kernel refused.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


class PidFile:
    """One instance at a time: a file that holds this process's pid, locked while the block runs.

        with PidFile(settings.home / "run" / "standalone.pid"):
            …

    The lock belongs to the process: it ends with it, however it dies, and forked children do not hold it. The file is
    left in place, because removing it would let two processes lock two files of the same name. Do not open the file
    elsewhere in the process that holds it: closing it there would drop the lock.

    Parameters:
        path: the file; its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Nothing happens when this object holds it.

        Raises:
            AlreadyRunning: another process, or another PidFile of this process, holds it; its pid is named.
            OSError: the file cannot be written.
        """
        if self._descriptor is not None:
            return
        # The system would grant a lock to the process that has it, so objects of one process are kept apart here.
        key = os.path.realpath(self._path)
        if _held.get(key) == os.getpid():
            raise _already_running(os.getpid(), self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # either, by the standard
            holder = _holder(descriptor)
            os.close(descriptor)
            raise _already_running(holder, self._path) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), _START_OF_FILE)
        self._descriptor = descriptor
        _held[key] = os.getpid()

    def release(self) -> None:
        """Give the lock up. Nothing happens when it is not held."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        key = os.path.realpath(self._path)
        if _held.get(key) == os.getpid():  # not in a forked child, which must not clear its parent's file
            del _held[key]
            os.ftruncate(descriptor, 0)
        os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.release()


def pss_bytes(pid: int) -> int:
    """Memory of a process in bytes, each shared page counted in part (proportional set size).

    Raises:
        ProcessLookupError: there is no such process, or it is a zombie, which has no memory.
        PermissionError: it belongs to somebody else.
    """
    path = Path(f"/proc/{pid}/smaps_rollup")
    try:
        report = path.read_text()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None
    for line in report.splitlines():
        key, _, rest = line.partition(":")
        if key == "Pss":
            return int(rest.split()[0]) * 1024  # the kernel writes kB and means KiB
    raise ProcessLookupError(f"the process {pid} has no memory of its own (a zombie or a kernel thread)")


# Real path of each pid file held → pid of the holder, which tells a forked child that it is not the one.
_held: dict[str, int] = {}


def _already_running(pid: int | None, path: Path) -> AlreadyRunning:
    who = f"process {pid}" if pid else "a process"
    return AlreadyRunning(f"already running: {who} holds {path}; stop it first, or use another TRADEWIND_HOME")


def _holder(descriptor: int) -> int | None:
    """The pid that holds the lock; None when it has let go meanwhile, or lives in another pid namespace."""
    question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    if kind != fcntl.F_UNLCK and pid > 0:
        return int(pid)
    written = os.pread(descriptor, 32, _START_OF_FILE).strip()
    return int(written) if written.isdigit() else None


def _prctl(option: int, argument: int | bytes) -> None:
    global _prctl_call
    if _prctl_call is None:
        _prctl_call = ctypes.CDLL(None, use_errno=True).prctl
        # Declared once: a call that has to find out the types of its arguments touches a hundred pages more, and a
        # child that was just forked pays for each with a copy.
        _prctl_call.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    if isinstance(argument, bytes):
        text = ctypes.create_string_buffer(argument)
        argument = ctypes.addressof(text)
    if _prctl_call(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}) failed: {os.strerror(number)}")
