"""Both doorbells of the kernel pass the exam; beside it what is particular to sockets."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance.doorbell_exam import LONG, DoorbellExam

from tradewind.kernel.doorbell import Doorbell, LocalDoorbell, SocketDoorbell


class TestLocalDoorbell(DoorbellExam):
    @pytest.fixture
    def doorbells(self) -> tuple[Doorbell, Doorbell]:
        bell = LocalDoorbell()
        return bell, bell


class TestSocketDoorbell(DoorbellExam):
    @pytest.fixture
    def doorbells(self, tmp_path: Path) -> tuple[Doorbell, Doorbell]:
        return SocketDoorbell(tmp_path / "bell"), SocketDoorbell(tmp_path / "bell")


class TestSocketDoorbellInADeepFolder(DoorbellExam):
    @pytest.fixture
    def doorbells(self, tmp_path: Path) -> tuple[Doorbell, Doorbell]:
        folder = tmp_path / ("deep" * 30) / ("deeper" * 30)
        return SocketDoorbell(folder), SocketDoorbell(folder)


def test_a_ring_from_another_process(tmp_path: Path) -> None:
    program = "import sys, pathlib; from tradewind.kernel.doorbell import SocketDoorbell\n"
    program += "SocketDoorbell(pathlib.Path(sys.argv[1])).ring(['inbox'])"
    with SocketDoorbell(tmp_path).listen(["inbox"]) as listener:
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=LONG)
        assert listener.wait(LONG) == {"inbox"}


def test_a_socket_left_behind_is_removed_by_the_next_ring(tmp_path: Path) -> None:
    program = "import sys, os, pathlib; from tradewind.kernel.doorbell import SocketDoorbell\n"
    program += "listener = SocketDoorbell(pathlib.Path(sys.argv[1])).listen(['inbox']); os._exit(9)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=LONG)
    assert len(list(tmp_path.iterdir())) == 1
    bell = SocketDoorbell(tmp_path)
    with bell.listen(["inbox"]) as listener:
        bell.ring(["inbox"])
        assert listener.wait(LONG) == {"inbox"}
        assert len(list(tmp_path.iterdir())) == 1


def test_a_closed_listener_leaves_no_socket(tmp_path: Path) -> None:
    SocketDoorbell(tmp_path).listen(["inbox"]).close()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_for_this_user_only(tmp_path: Path) -> None:
    SocketDoorbell(tmp_path / "bell").listen(["inbox"]).close()
    assert (tmp_path / "bell").stat().st_mode & 0o777 == 0o700


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    SocketDoorbell(tmp_path).ring(["inbox"])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_cannot_be_rung_fails_neither_the_caller_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.bell").write_text("no socket")
    bell = SocketDoorbell(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other, bell.listen(["inbox"]) as listener:
        other.bind(str(tmp_path / "b.bell"))
        other.listen()
        bell.ring(["inbox"])
        assert listener.wait(LONG) == {"inbox"}
    assert (tmp_path / "a.bell").read_text() == "no socket"
    assert "doorbell_unreachable" in caplog.messages


def test_a_forked_child_that_closes_its_copy_leaves_the_parents_at_work(tmp_path: Path) -> None:
    bell = SocketDoorbell(tmp_path)
    with bell.listen(["inbox"]) as listener:
        child = os.fork()
        if child == 0:
            listener.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        bell.ring(["inbox"])
        assert listener.wait(LONG) == {"inbox"}


def test_more_listeners_than_one_senders_buffer_holds(tmp_path: Path) -> None:
    """Unread datagrams count against their sender; with one socket for all rings the last listeners would not hear."""
    bell = SocketDoorbell(tmp_path)
    listeners = [bell.listen(["noise", "rare"]) for _ in range(120)]
    for _ in range(8):
        bell.ring(["noise"])
    bell.ring(["rare"])
    for listener in listeners:
        assert "rare" in listener.wait(LONG)
        listener.close()


def test_rings_under_load_are_never_missed(tmp_path: Path) -> None:
    """Two processes ring as fast as they can, each then a topic of its own: both are heard, whatever was refused."""
    context = multiprocessing.get_context("spawn")
    with SocketDoorbell(tmp_path).listen(["noise", "done:0", "done:1"]) as listener:
        ringers = [context.Process(target=_ring_much, args=(tmp_path, number)) for number in range(2)]
        for ringer in ringers:
            ringer.start()
        rung: set[str] = set()
        while not rung >= {"done:0", "done:1"}:
            got = listener.wait(LONG)
            assert got, f"missed: {sorted(rung)} is all that rang"
            rung |= got
        for ringer in ringers:
            ringer.join(LONG)


def _ring_much(folder: Path, number: int) -> None:
    bell = SocketDoorbell(folder)
    for _ in range(2_000):
        bell.ring(["noise"])
    bell.ring([f"done:{number}"])
