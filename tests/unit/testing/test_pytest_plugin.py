"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

DAGS = """
from tradewind import DAG, Param, Variable, task
from tradewind.sdk.connections import Connection

def make():
    with DAG("orders", params={"n": Param(2, type="integer")}) as dag:
        @task
        def numbers(params=None):
            return list(range(params["n"]))

        @task(retries=1)
        def double(x):
            return x * int(Variable.get("factor"))

        @task.sensor(poke_interval=3600, mode="reschedule", timeout=100000)
        def wait(ti=None, task_reschedule_count=0):
            import tradewind.sdk.attempt as a
            return a.attempt_at_hand().clock.now().hour >= 3

        @task
        def where():
            return Connection.get("db").host

        doubled = double.expand(x=numbers())
        wait() >> where()
    return dag

dag = make()
"""

TESTS = """
from dags import make

def test_a_run(dag_run, connections, variables, fake_clock):
    variables["factor"] = 3
    connections["db"] = "postgres://u:p@host/x"
    before = fake_clock.now()
    run = dag_run(make(), conf={"n": 3})
    assert run.state == "success", run
    assert run.xcom("double", map_index=2) == 6
    assert run.xcoms["where"]["return_value"] == "host"
    assert run.order.count("wait") == 4 and run.order[-1] == "where"
    assert (fake_clock.now() - before).total_seconds() >= 3
    run.matches_snapshot()

def test_marked(dag_run, variables):
    variables["factor"] = 1
    run = dag_run(make(), mark_success="wh.*|wait")
    assert run.states["where"] == "success"
    run.matches_snapshot("marked")

def test_files(dag_files):
    assert list(dag_files("dags.py")) == ["orders"]
"""


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # An installation made before the plugin was there does not know it by its entry point.
    known = any(point.name == "tradewind" for point in entry_points(group="pytest11"))
    named = () if known else ("-p", "tradewind.testing.pytest_plugin")
    plugin = (*named, "-p", "no:cacheprovider", "-q", "--rootdir", str(folder))
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *arguments, "test_orders.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dags.py").write_text(DAGS)
    (tmp_path / "test_orders.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
    )
    return tmp_path


def test_runs_clock_world_and_snapshots(folder: Path) -> None:
    done = _pytest(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    snapshots = folder / "__snapshots__"
    assert sorted(file.name for file in snapshots.iterdir()) == [
        "test_orders.test_a_run.json",
        "test_orders.test_marked.marked.json",
    ]
    written = (snapshots / "test_orders.test_a_run.json").read_text()
    assert '"double[2]": "success"' in written
    assert '"state": "success"' in written
    assert _pytest(folder).returncode == 0


def test_a_run_that_changed_is_shown(folder: Path) -> None:
    assert _pytest(folder, "-k", "a_run").returncode == 0
    (folder / "test_orders.py").write_text(TESTS.replace('{"n": 3}', '{"n": 4}'))
    done = _pytest(folder)
    assert done.returncode == 1
    assert '+    "double[3]": "success"' in done.stdout
    assert "--tradewind-update-snapshots" in done.stdout
    assert _pytest(folder, "--tradewind-update-snapshots").returncode == 0
    assert '"double[3]": "success"' in (folder / "__snapshots__" / "test_orders.test_a_run.json").read_text()


def test_a_file_that_cannot_be_loaded_fails_the_test(folder: Path) -> None:
    (folder / "dags.py").write_text(DAGS + "\nboom()\n")
    (folder / "test_orders.py").write_text("def test_files(dag_files):\n    dag_files('dags.py')\n")
    done = _pytest(folder)
    assert done.returncode == 1
    assert "dags.py cannot be loaded" in done.stdout
    assert "name 'boom' is not defined" in done.stdout


def test_the_plugin_costs_nothing_where_it_is_not_used() -> None:
    code = "import sys, tradewind.testing.pytest_plugin\nassert 'tradewind.sdk' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
