"""The serving processes started one by one, as on several machines, and a database that is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.scenario.installation import Installation
from tests.scenario.test_standalone import COUNT_DAG

pytestmark = pytest.mark.scenario


@contextmanager
def serving(installation: Installation, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One serving process; ended in order at the end of the block."""
    log = installation.home.parent / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradewind", name], env=installation.environment, stdout=file, stderr=file
        )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_each_process_on_its_own(fresh: Installation) -> None:
    fresh.run("db", "migrate")
    with ExitStack() as stack:
        for name in ("api-server", "scheduler", "dag-processor"):
            stack.enter_context(serving(fresh, name))
        fresh.wait_for(lambda: (fresh.home / "keys" / "execution.key").exists(), "the key is made")
        stack.enter_context(serving(fresh, "agent"))
        fresh.wait_for(fresh.dags.is_dir, "the folder is made")
        fresh.save("counted.py", COUNT_DAG)
        fresh.wait_for_dag("counted")
        assert "success" in fresh.run("dags", "trigger", "counted", "--wait").stdout.splitlines()[-1]
    assert "password" in (fresh.home.parent / "api-server.log").read_text()


def test_an_agent_without_a_key_says_where_keys_come_from(fresh: Installation) -> None:
    refused = fresh.run("agent", code=2)

    assert "execution.key_file" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_is_away_shows_at_once(fresh: Installation) -> None:
    fresh.environment["TRADEWIND__DATABASE__URL"] = "postgresql://ann:s3cret@127.0.0.1:1/nothing"

    refused = fresh.run("standalone", code=6)

    assert "127.0.0.1" in refused.stderr
    assert "s3cret" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
