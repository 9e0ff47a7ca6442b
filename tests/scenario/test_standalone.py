"""`tradewind standalone` through its real processes: first start, second start, deaths, ordered end."""

from __future__ import annotations

import os
import re
import signal
import time
import urllib.request

import pytest
from tests.scenario.installation import Installation, name_of, wait_until_gone

pytestmark = pytest.mark.scenario

COUNT_DAG = """
from tradewind import dag, task

@dag(schedule=None)
def counted():
    @task
    def count(): return 1
    count()

counted()
"""


def test_first_start_makes_everything_and_says_where(fresh: Installation) -> None:
    fresh.environment["TRADEWIND__CORE__LOAD_EXAMPLES"] = "true"
    fresh.start()
    said = "".join(fresh.printed)

    assert f"http://127.0.0.1:{fresh.port}" in said
    assert str(fresh.dags) in said
    assert str(fresh.home) in said
    password = re.search(r"admin, password (\S+)", said)
    assert password is not None
    token = urllib.request.Request(
        f"http://127.0.0.1:{fresh.port}/auth/token",
        data=f"username=admin&password={password[1]}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(token, timeout=10) as answer:
        assert answer.status == 201
    assert (fresh.home.stat().st_mode & 0o077) == 0
    fresh.wait_for_dag("hello_world")
    fresh.wait_for_dag("co2_pipeline")
    done = fresh.run("dags", "trigger", "co2_pipeline", "--wait")
    assert "success" in done.stdout.splitlines()[-1]
    assert fresh.stop() == 0

    fresh.start()
    assert "password" not in "".join(fresh.printed), "it is shown once"


def test_whoever_forks_has_one_thread(fresh: Installation) -> None:
    """A fork copies one thread only: what the others held, a lock of the allocator say, is held in the child for ever.

    Python 3.12 and newer warn about it, which would be told in the log.
    """
    fresh.environment["PYTHONWARNINGS"] = "always::DeprecationWarning"
    fresh.start()
    fresh.save("counted.py", COUNT_DAG)
    fresh.wait_for_dag("counted")
    fresh.run("dags", "trigger", "counted", "--wait")
    forking = {"tradewind", "tradewind-zyg", "tradewind-dag", "tradewind-parse"}
    threads = {name_of(pid): len(os.listdir(f"/proc/{pid}/task")) for pid in fresh.family() if name_of(pid) in forking}
    assert threads == dict.fromkeys(forking, 1)
    assert fresh.stop() == 0
    assert "DeprecationWarning" not in "".join(fresh.log)


def test_a_second_start_on_the_same_home_says_so(fresh: Installation) -> None:
    fresh.start()
    assert fresh.process is not None

    refused = fresh.run("standalone", code=7)

    assert str(fresh.process.pid) in refused.stderr
    assert "already running" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_ends_in_order_within_ten_seconds_and_leaves_nobody(fresh: Installation, number: int) -> None:
    fresh.start()
    family = fresh.family()
    assert len(family) >= 7, "parent, scheduler, api-server, dag-processor, parse host, agent, zygote"

    began = time.monotonic()
    assert fresh.stop(number) == 0
    assert time.monotonic() - began < 10
    wait_until_gone(family, 1.0)
    ends = [line for line in fresh.log if "stopped" in line and "standalone" not in line]
    order = [next(i for i, line in enumerate(ends) if line.startswith(name)) for name in ("scheduler", "agent", "api-")]
    assert order == sorted(order), ends


def test_killing_the_parent_leaves_nobody(fresh: Installation) -> None:
    fresh.start()
    family = fresh.family()
    assert fresh.process is not None

    fresh.process.kill()
    fresh.process.wait()

    wait_until_gone(family)


@pytest.mark.parametrize("name", ["tradewind-sched", "tradewind-api", "tradewind-dag-p", "tradewind-agent"])
def test_a_child_that_dies_is_started_again(fresh: Installation, name: str) -> None:
    fresh.start()
    fresh.save("counted.py", COUNT_DAG)
    fresh.wait_for_dag("counted")
    fresh.run("dags", "trigger", "counted", "--wait")
    before = fresh.child(name)
    assert before is not None

    os.kill(before, signal.SIGKILL)
    wait_until_gone([before])

    fresh.run("dags", "trigger", "counted", "--wait")
    # A run needs no processor: it may be over before that one is back.
    after = fresh.wait_for(lambda: fresh.child(name), f"{name} is started again")
    assert after != before
    assert name_of(after).startswith(name)
    assert any("child_died" in line and "SIGKILL" in line for line in fresh.log)
    assert fresh.stop() == 0


def test_a_port_that_is_taken_shows_at_once(fresh: Installation) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.port))
        other.listen()
        refused = fresh.run("standalone", code=6)

    assert f"port {fresh.port}" in refused.stderr
    assert "api.port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_setting_names_the_right_one(fresh: Installation) -> None:
    fresh.environment["TRADEWIND__CORE__PARALELISM"] = "3"

    refused = fresh.run("standalone", code=2)

    assert "TRADEWIND__CORE__PARALLELISM" in refused.stderr
    assert not fresh.home.exists()


def test_memory_of_all_processes_at_rest(fresh: Installation) -> None:
    from tradewind.kernel.process import pss_bytes

    fresh.start()

    sizes: dict[str, int] = {}
    for pid in fresh.family():
        try:
            sizes[f"{name_of(pid)} {pid}"] = pss_bytes(pid)
        except ProcessLookupError:
            continue  # a short-lived child, gone since it was listed
    assert sum(sizes.values()) <= 250 << 20, {name: size >> 20 for name, size in sizes.items()}
