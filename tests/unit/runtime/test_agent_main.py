"""The process `tradewind agent`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.runtime.conftest import KEY, ROOT, Worker, wait_gone, wait_until

from tradewind.kernel.process import pss_bytes
from tradewind.kernel.settings import Settings, load_settings
from tradewind.runtime.agent_settings import agent_settings, task_environment
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults
from tradewind.wire.states import TaskInstanceState

MAIN = """
import sys
from tradewind.kernel.settings import load_settings
from tradewind.runtime.agent_main import run_agent
sys.exit(run_agent(load_settings()))
"""
DAGS = """
import os, time
from tradewind import dag, task

@dag(schedule=None)
def flow():
    @task
    def secrets():
        return sorted(name for name in os.environ if name.startswith("TRADEWIND"))
    @task
    def sleeps():
        with open(os.environ["BEGUN"], "w") as told:
            told.write(str(os.getpid()))
        time.sleep(1000)
    secrets() >> sleeps()

flow()
"""


class Site(Worker):
    """The worker's face and executor before an agent in a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment = {
            **os.environ,
            "TRADEWIND_HOME": str(folder),
            "TRADEWIND__EXECUTION__URL": self.face.url,
            "TRADEWIND__AGENT__SOCKET": str(self.settings.socket),
            "TRADEWIND__AGENT__HEARTBEAT_SECONDS": "0.05",
            "TRADEWIND__AUTH__ADMIN_PASSWORD": "swordfish",
            "TRADEWIND__DATABASE__URL": "postgresql://u:swordfish@nowhere/db",
            "PYTHONPATH": str(ROOT / "src"),
            "BEGUN": str(folder / "begun"),
        }
        key = folder / "keys" / "execution.key"
        key.parent.mkdir()
        key.write_text(KEY.hex())
        key.chmod(0o600)
        self.write("flow.py", DAGS)

    def launch(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", MAIN], env=self.environment, stderr=subprocess.PIPE)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.executor.start()
    yield site
    site.executor.stop(5.0)
    site.face.stop()


def test_runs_tasks_without_credentials_and_stops_when_told(site: Site) -> None:
    process = site.launch()
    outcome = site.run("secrets")
    assert outcome.state is TaskInstanceState.SUCCESS
    seen = outcome.xcoms[0].value.data.decode()
    assert "TRADEWIND_HOME" in seen
    assert "PASSWORD" not in seen
    assert "DATABASE__URL" not in seen
    assert pss_bytes(process.pid) < 30 << 20
    second = site.launch()
    _, said = second.communicate(timeout=60)
    assert second.returncode != 0
    assert b"already running" in said
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert not site.settings.socket.exists()


def test_nobody_outlives_an_agent_that_is_killed(site: Site) -> None:
    os.mkfifo(site.folder / "begun")
    process = site.launch()
    site.submit("sleeps")
    pid = int((site.folder / "begun").read_text())
    status = site.status()
    process.kill()
    process.communicate(timeout=60)
    for each in (pid, status.zygote_pid, *status.templates.values()):
        assert each
        wait_gone(each)
    # The next one takes the socket over.
    again = site.launch()
    wait_until(lambda: any(h.incarnation != status.incarnation for h in site.face.exchanges), "the new incarnation")
    assert site.run("secrets").state is TaskInstanceState.SUCCESS
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=60)


def test_without_a_key_it_says_where_it_was_expected(tmp_path: Path) -> None:
    environment = {**os.environ, "TRADEWIND_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", MAIN], env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"there is no execution key" in done.stderr
    assert not (tmp_path / "keys").exists()


def test_settings_reach_the_agent(tmp_path: Path) -> None:
    settings: Settings = load_settings({}, tmp_path)
    made = agent_settings(settings, KEY, {"PATH": "/bin"}, preload=("json",))
    assert made.slots == settings.core.parallelism
    assert made.name.startswith(made.hostname + ":")
    defaults = made.environment.pop(DEFAULTS_VARIABLE)
    assert Defaults.from_text(defaults) == Defaults.of(settings.core)
    assert made.environment == {
        "PATH": "/bin",
        "TRADEWIND_HOME": str(tmp_path),
        "TRADEWIND__API__BASE_URL": settings.api.base_url,
        "TRADEWIND_LOOKUP": str(settings.agent.socket.with_name("agent-lookup.sock")),
        "TRADEWIND_SENSITIVE_NAMES": "",
    }
    assert made.preload[-1] == "json"
    assert made.credential != KEY.decode()
    assert task_environment(tmp_path, {"TRADEWIND__AUTH__ADMIN_PASSWORD": "x"}) == {"TRADEWIND_HOME": str(tmp_path)}
