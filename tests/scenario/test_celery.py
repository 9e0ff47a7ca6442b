"""Tasks through a broker and two workers, through real processes: what a flushed broker and a killed worker leave."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.brokers import URLS, broker_url
from tests.scenario.installation import Installation, descendants

pytestmark = pytest.mark.scenario

DAGS = """
import os, time
from tradewind import DAG, task

with DAG("spread", schedule=None, max_active_tasks=64):
    @task(queue={queue!r})
    def where(x):
        time.sleep(0.05)
        return os.environ["WORKER_NAME"]

    @task(queue={queue!r})
    def count(names):
        return sorted(set(names))

    count(where.expand(x=list(range({width}))))

with DAG("patient", schedule=None, max_active_tasks=64):
    @task(queue={queue!r})
    def wait(x):
        open({folder!r} + f"/{{x}}-" + os.environ["WORKER_NAME"], "w").close()
        while not os.path.exists({folder!r} + "/go"):
            time.sleep(0.02)

    wait.expand(x=list(range(6)))
"""


class Fleet:
    """A server that schedules, and workers that come and go."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder = folder
        self.queue = f"scenario-{secrets.token_hex(6)}"
        self.broker = broker
        self.server = Installation(
            folder, CORE__EXECUTOR="celery", CELERY__BROKER_URL=broker, CELERY__RESEND_SECONDS="1",
            AGENT__LOST_SECONDS="3", AGENT__HEARTBEAT_SECONDS="0.5",
        )  # fmt: skip
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def worker(self, name: str) -> None:
        """Start one, on a home of its own; what it must share with the server is named by settings."""
        home = self.folder / name
        shared = self.server.home
        environment = {
            **self.server.environment,
            "TRADEWIND_HOME": str(home),
            "TRADEWIND__EXECUTION__KEY_FILE": str(shared / "keys" / "execution.key"),
            "TRADEWIND__BUNDLES__ROOT": str(shared / "bundles"),
            "TRADEWIND__LOGS__FOLDER": str(shared / "logs"),
            "TRADEWIND__VALUES__URL": f"file://{shared / 'values'}",
            "WORKER_NAME": name,
        }
        words = ["celery", "worker", "-q", self.queue, "-c", "4", "-H", f"{name}@{self.queue}"]
        log = (self.folder / f"{name}.log").open("wb")
        self.workers[name] = subprocess.Popen(
            [sys.executable, "-m", "tradewind", *words], env=environment, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """The whole machine is gone at once."""
        process = self.workers.pop(name)
        for pid in descendants(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def until_ended(self, dag_id: str, run_id: str, seconds: float = 60.0) -> str:
        def ended() -> str | None:
            state = self.server.json("runs", "show", dag_id, run_id)["state"]
            return state if state in ("success", "failed") else None

        return str(self.server.wait_for(ended, f"the end of {dag_id}", seconds))


@contextmanager
def fleet(folder: Path, broker: str) -> Iterator[Fleet]:
    made = Fleet(folder, broker)
    try:
        made.server.start()
        texts = DAGS.format(queue=made.queue, width=40, folder=str(folder))
        made.server.save("dags.py", texts)
        made.server.wait_for_dag("patient")
        yield made
        for process in made.workers.values():
            process.terminate()
        for process in made.workers.values():
            assert process.wait(30) == 0
        made.workers.clear()
        assert made.server.stop() == 0
    finally:
        for name in list(made.workers):
            made.kill(name)
        made.server.abandon()


@pytest.mark.parametrize("broker", list(URLS))
def test_two_workers_share_the_tasks(tmp_path: Path, broker: str) -> None:
    with fleet(tmp_path, broker_url(broker)) as made:
        made.worker("one")
        made.worker("two")
        made.server.run("dags", "trigger", "spread", "--run-id", "r", "--wait")
        rows = made.server.json("runs", "show", "spread", "r")
        assert rows["state"] == "success"
        names = made.server.json("celery", "list-workers")
        assert {row["worker"].partition("@")[0] for row in names if made.queue in row["queues"]} == {"one", "two"}


def test_what_a_flushed_broker_forgot_is_sent_again(tmp_path: Path) -> None:
    url = broker_url("redis").rpartition("/")[0] + "/9"
    with fleet(tmp_path, url) as made:
        made.server.run("dags", "trigger", "spread", "--run-id", "r")
        made.server.wait_for(
            lambda: any(row["state"] == "queued" for row in made.server.json("tasks", "states", "spread", "r")),
            "the first instances are queued",
        )
        _flush(url)
        made.worker("one")
        assert made.until_ended("spread", "r") == "success"


def test_a_killed_worker_costs_no_task(tmp_path: Path) -> None:
    with fleet(tmp_path, broker_url("redis")) as made:
        made.worker("one")
        made.server.run("dags", "trigger", "patient", "--run-id", "r")
        made.server.wait_for(lambda: len(list(tmp_path.glob("?-one"))) == 4, "four run", 30)
        made.worker("two")
        made.server.wait_for(lambda: len(list(tmp_path.glob("?-two"))) == 2, "the others run on the second", 30)
        made.kill("one")
        made.worker("three")
        made.server.wait_for(lambda: len(list(tmp_path.glob("?-t*"))) == 6, "those of the first run elsewhere", 60)
        (tmp_path / "go").touch()
        assert made.until_ended("patient", "r") == "success"


def _flush(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        client.flushdb()
