from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tradewind.kernel.process import PidFile, die_with_parent, pss_bytes, set_process_name
from tradewind.wire.errors import AlreadyRunning

LONG = 20.0


def child(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# --- pid files

HOLD = """
import sys
from pathlib import Path
from tradewind.kernel.process import PidFile
with PidFile(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_runs(tmp_path: Path) -> None:
    path = tmp_path / "run" / "standalone.pid"
    with child(HOLD, path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=rf"already running: process {holder.pid} holds {path}"):
            PidFile(path).acquire()
        assert path.read_text() == f"{holder.pid}\n"
        holder.kill()
        holder.wait(LONG)
    with PidFile(path):
        assert path.read_text() == f"{os.getpid()}\n"
    assert path.read_text() == ""


def test_two_objects_of_one_process(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    first = PidFile(path)
    first.acquire()
    first.acquire()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        PidFile(tmp_path / "." / "a.pid").acquire()
    first.release()
    first.release()
    with PidFile(path):
        pass


def test_a_forked_child_neither_holds_the_lock_nor_clears_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    with PidFile(path) as lock:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                try:
                    PidFile(path).acquire()
                except AlreadyRunning:
                    lock.release()
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert path.read_text() == f"{os.getpid()}\n"


def test_the_lock_ends_with_its_process_though_a_child_lives_on(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from tradewind.kernel.process import PidFile
PidFile(Path(sys.argv[1])).acquire()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, b"x")
    sys.stdin.read()
    os._exit(0)
os.read(reader, 1)
os._exit(0)
"""
    path = tmp_path / "a.pid"
    with child(program, path) as parent:
        assert parent.wait(LONG) == 0
        with PidFile(path):
            pass


# --- dying with the parent


def test_a_child_dies_with_its_parent() -> None:
    program = """
import os, signal, sys
from tradewind.kernel.process import die_with_parent
parent = os.getpid()
reader, writer = os.pipe()
if os.fork() == 0:
    die_with_parent(parent)
    os.write(writer, b"x")
    while True:
        signal.pause()
os.close(writer)
os.read(reader, 1)
print("ready", flush=True)
os.kill(parent, signal.SIGKILL)
"""
    # The child inherits the pipe of standard output; its end of file is the death of both.
    with child(program) as parent:
        assert parent.stdout is not None
        assert parent.stdout.read() == "ready\n"
        assert parent.wait(LONG) == -signal.SIGKILL


def test_a_child_whose_parent_died_before_it_asked() -> None:
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            die_with_parent(parent_pid=1 if os.getppid() != 1 else 2)
        except SystemExit as end:
            code = int(str(end.code))
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 128 + signal.SIGKILL


# --- names and memory


def test_the_process_name() -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            set_process_name("tradewind-scheduler")
            code = 0 if Path("/proc/self/comm").read_text() == "tradewind-sched\n" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_memory_is_counted_in_bytes() -> None:
    before = pss_bytes(os.getpid())
    assert before > 1 << 20
    held = bytearray(os.urandom(32 << 20))
    grown = pss_bytes(os.getpid()) - before
    assert 24 << 20 < grown < 64 << 20
    del held


def test_memory_of_nobody() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ProcessLookupError, match=str(pid)):
        pss_bytes(pid)  # a zombie
    os.waitpid(pid, 0)
    with pytest.raises(ProcessLookupError, match=str(pid)):
        pss_bytes(pid)
