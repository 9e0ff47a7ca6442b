from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port
from tests.unit.server.serving import Client

PROGRAM = """
import sys
from pathlib import Path
from tests.unit.server.serving import make_api, make_settings
from tradewind.kernel.clock import SystemClock
from tradewind.server.serving import run_server
from tradewind.store.memory import MemoryStore

home, port = Path(sys.argv[1]), int(sys.argv[2])
settings = make_settings(home, **{"api.port": port})

def make():
    print("listening", flush=True)
    clock = SystemClock()
    return make_api(home, MemoryStore(clock), clock)[0]

sys.exit(run_server(make, settings))
"""


def start(home: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


def test_a_server_process_serves_until_a_signal_also_with_open_connections(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, port)
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n", process.communicate()[1]
    client = Client(port)
    assert client.ask("GET", "/health/live").status == 200
    second = start(tmp_path, port)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"port {port}" in said
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    client.close()
    process.communicate()
