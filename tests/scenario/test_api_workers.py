"""Several workers on one socket: replaced under load without losing a request, stopped in order."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario
_THREADS = 4


def children_of(pid: int) -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found.add(int(name))
    return found


def test_workers_are_replaced_without_losing_a_request(fresh: Installation) -> None:
    fresh.run("db", "migrate")
    port = int(fresh.environment["TRADEWIND__API__PORT"])
    log = fresh.home.parent / "api.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradewind", "api-server", "--workers", "2"],
            env=fresh.environment,
            stdout=file,
            stderr=file,
        )
    stop = threading.Event()
    wrong: list[str] = []
    answered = 0

    def ask() -> bool:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            line.request("GET", "/api/v2/version")
            return "version" in json.loads(line.getresponse().read())
        finally:
            line.close()

    def load() -> None:
        nonlocal answered
        while not stop.is_set():
            try:
                assert ask()
                answered += 1
            except Exception as error:
                wrong.append(repr(error))

    def serves() -> bool:
        try:
            return ask()
        except OSError:
            return False

    try:
        fresh.wait_for(serves, "the server answers")
        before = children_of(process.pid)
        assert len(before) == 2
        threads = [threading.Thread(target=load) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        process.send_signal(signal.SIGHUP)
        replaced: Callable[[], bool] = lambda: len(after := children_of(process.pid)) == 2 and not after & before  # noqa: E731
        fresh.wait_for(replaced, "both are replaced")
        stop.set()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert answered > 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    finally:
        stop.set()
        process.kill()
        process.wait()
