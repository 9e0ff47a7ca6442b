"""DAG files that a worker loads ask the agent for connections and variables."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tradewind.runtime.lookup_door import LookupDoor, Told
from tradewind.runtime.loop import Loop
from tradewind.sdk.connections import find_connection
from tradewind.sdk.variables import Variable

KNOWN: dict[tuple[str, str], Any] = {
    ("variable", "key"): "value",
    ("variable", "long"): "x" * 3_000_000,
    ("connection", "pg"): {"conn_id": "pg", "conn_type": "postgres", "host": "h", "password": "pw"},
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "run" / "agent-lookup.sock"
    loop = Loop()

    def ask(kind: str, name: str, told: Told) -> None:
        loop.after(0.01, lambda: told(KNOWN.get((kind, name))))  # as a server would, later

    door = LookupDoor(loop, path, ask)
    thread = threading.Thread(target=loop.run)
    thread.start()
    monkeypatch.setenv("TRADEWIND_LOOKUP", str(path))
    yield path
    loop.call_threadsafe(loop.stop)
    thread.join(20)
    door.close()
    loop.close()
    assert not path.exists()


def test_questions_are_answered_later_and_side_by_side(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Variable.get("key") == "value"
    assert Variable.get("long") == KNOWN["variable", "long"]
    assert Variable.get("none", default="d") == "d"
    assert find_connection("pg").password == "pw"
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(Variable.get("key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == ["value"] * 8


@pytest.mark.parametrize("said", [b"", b"x\n", b"[]\n", b'{"kind": "secret", "name": "x"}\n', b"y" * 10_000])
def test_nonsense_is_hung_up_on(path: Path, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(20)
        line.connect(str(path))
        try:
            line.sendall(said)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(100) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass  # it hung up before it was told everything
    assert Variable.get("key") == "value"
